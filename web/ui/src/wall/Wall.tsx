import "./wall.css";
import { IconStorm } from "@tabler/icons-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { clock } from "../lib/clock";
import { age, hour, hourSeconds, longDate, running } from "../lib/format";
import { t, word } from "../lib/i18n";
import { board, useBoard, useLink, useSecond } from "../lib/live";
import { LiveMap } from "../lib/map/LiveMap";
import { incidentOrder, isOpen, isOverdue, isUnacknowledged, overdueBy } from "../lib/queue";
import { useBounds, useSession } from "../lib/session";
import { ExpiredDialog } from "../lib/ui/ExpiredDialog";
import { Logo } from "../lib/ui/Logo";
import { PriorityMark } from "../lib/ui/PriorityMark";
import { UnitPill } from "../lib/ui/UnitPill";
import type { Incident, UnitStatus } from "../lib/wire";

const ROWS = 8;
const PANEL = 1920;
/** Sixteen minutes of arc at one metre, and how much of a letter's box its capital fills. */
const LETTER_AT_ONE_METRE = Math.tan((16 / 60) * (Math.PI / 180));
const CAPITAL = 0.714;
const DEFAULT_LETTER = 28.8;

/** `/pared?pulgadas=55&metros=5`: letters as large as the farthest seat needs (NUREG-0700), in pixels of a 1920 px wide panel. */
export function letterFor(search: string): number {
  const asked = new URLSearchParams(search);
  const [inches, metres] = [Number(asked.get("pulgadas")), Number(asked.get("metros"))];
  if (!(inches >= 20 && inches <= 200 && metres >= 1 && metres <= 30)) return DEFAULT_LETTER;
  const panelWidth = inches * 0.0254 * (16 / Math.hypot(16, 9));
  return Math.min(80, Math.max(18, ((metres * LETTER_AT_ONE_METRE) / CAPITAL / panelWidth) * PANEL));
}

const letter = letterFor(location.search);
const LARGE = 40;
const rowsThatFit = Math.max(3, Math.min(ROWS, letter > LARGE ? Math.floor(790 / (letter * 3.1)) : Math.floor(880 / (letter * 2.7))));
const SHIFT_EVERY = 600_000;

/** Read from five metres, touched by nobody: map, what matters most, numbers, and proof that it is alive. */
export function Wall() {
  const { city } = useSession();
  const link = useLink((state) => state.name);
  const dead = link === "offline" || link === "expired";
  const late = link === "late";
  useEffect(() => {
    document.title = t("page.wall");
  }, []);
  return (
    <div className={`wall${dead ? " wall-dead" : late ? " wall-late" : ""}`} style={{ ...useBurnInShift(), fontSize: `clamp(14px, ${(letter / PANEL) * 100}vw, 120px)` }} data-large={letter > LARGE || undefined}>
      <header className="wall-head">
        <Logo size={44} />
        <strong>{t("product.name")}</strong>
        <span className="wall-city">{city.name}</span>
        <Numbers />
        <WallClock />
      </header>
      {(dead || late) && <DeadFeed dead={dead} />}
      <WallSos />
      <StormBand />
      <main className="wall-main">
        <WallMap />
        <Worst />
      </main>
      <Pulse />
      <ExpiredDialog />
    </div>
  );
}

/** A crew in danger is read from the back of the room, before anything else. */
function WallSos() {
  useBoard();
  const now = useSecond();
  const live = board.sos();
  if (live.length === 0) return null;
  return (
    <section className="wall-sos" aria-label={t("sos.title")}>
      {live.map((sos) => (
        <div key={sos.id} className={`wall-danger wall-danger-${sos.status}`} role="alert">
          <strong>{t("sos.of", { unit: sos.call_sign })}</strong>
          <span>{sos.place || t("sos.noPlace")}</span>
          <b>{running(now - Date.parse(sos.raised_at))}</b>
          <em>{sos.answered_at ? t("sos.answeredBy", { by: sos.answered_by ?? "", hour: hourSeconds(sos.answered_at) }) : t("sos.unanswered")}</em>
        </div>
      ))}
    </section>
  );
}

/** The room must know without being told: it is a storm, since when. */
function StormBand() {
  useBoard();
  const now = useSecond();
  const storm = board.storm();
  if (!storm) return null;
  return (
    <p className="wall-storm" role="status">
      <IconStorm aria-hidden /> <strong>{t("storm.wall")}</strong> <span>{t("storm.wallSince", { hour: hour(storm.began_at), time: age(now - Date.parse(storm.began_at)) })}</span>
    </p>
  );
}

/** Screens that never change burn in: everything moves by four pixels every ten minutes. */
function useBurnInShift() {
  const step = Math.floor(useSecond() / SHIFT_EVERY) % 4;
  const [x, y] = [[0, 0], [4, 0], [4, 4], [0, 4]][step] ?? [0, 0];
  return { transform: `translate(${x ?? 0}px, ${y ?? 0}px)` };
}

function WallClock() {
  const now = useSecond();
  return (
    <div className="wall-clock">
      <time>{hourSeconds(now)}</time>
      <small>{longDate(now)}</small>
    </div>
  );
}

function Numbers() {
  useBoard();
  const now = useSecond();
  const open = board.incidents().filter((incident) => !incident.masked && isOpen(incident));
  const units = board.units();
  const numbers: [string, number, boolean][] = [
    ["open", open.length, false],
    ["unheard", open.filter(isUnacknowledged).length, true],
    ["overdue", open.filter((incident) => isOverdue(incident, now)).length, true],
    ["free", units.filter(({ status }) => status === "available").length, false],
  ];
  return (
    <dl className="wall-numbers">
      {numbers.map(([name, value, hot]) => (
        <div key={name} className={hot && value > 0 ? "wall-number-hot" : undefined}>
          <dd>{value}</dd>
          <dt>{t(`wall.numbers.${name}`)}</dt>
        </div>
      ))}
    </dl>
  );
}

function WallMap() {
  const holder = useRef<HTMLDivElement>(null);
  const { city } = useSession();
  const bounds = useBounds();
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    const container = holder.current;
    if (!container) return;
    let map: LiveMap | null = null;
    let dropped = false;
    LiveMap.create({ container, board, clock, bounds, label: t("map.label"), wall: true, onLost: setFailed }).then(
      (made) => {
        if (dropped) made.destroy();
        else map = made;
      },
      () => setFailed(true),
    );
    return () => {
      dropped = true;
      map?.destroy();
    };
  }, [bounds]);
  return (
    <section className="wall-map" aria-label={t("map.title")}>
      <div ref={holder} className="map-surface" />
      {failed && <p className="map-failed">{t("map.failed")}</p>}
      <p className="map-credit">{city.attribution}</p>
    </section>
  );
}

/** P1 and P2 only, the worst first, never more than can be read. */
function Worst() {
  const revision = useBoard();
  const now = useSecond();
  const beat = Math.floor(now / 5_000);
  const rows = useMemo(
    () => {
      void revision;
      void beat;
      return board
        .incidents()
        .filter((incident) => !incident.masked && isOpen(incident) && incident.priority <= 2)
        .sort(incidentOrder(clock.now(), new Set(board.sos().map(({ incident_id }) => incident_id))));
    },
    [revision, beat],
  );
  return (
    <section className="wall-list" aria-label={t("wall.list")}>
      {rows.length === 0 && <p className="wall-quiet">{t("wall.quiet")}</p>}
      <ol style={{ gridTemplateRows: `repeat(${rowsThatFit}, minmax(0, 1fr))` }}>
        {rows.slice(0, rowsThatFit).map((incident) => (
          <WorstRow key={incident.id} incident={incident} now={now} />
        ))}
      </ol>
      {rows.length > rowsThatFit && <p className="wall-more">{t("wall.more", { count: rows.length - rowsThatFit })}</p>}
    </section>
  );
}

function WorstRow({ incident, now }: { incident: Incident; now: number }) {
  const past = overdueBy(incident, now);
  const late = past !== null && past > 0;
  const unheard = isUnacknowledged(incident);
  return (
    <li className={unheard && incident.priority === 1 ? "wall-row wall-row-alarm" : "wall-row"}>
      <PriorityMark level={incident.priority} size={52} hollow={incident.state === "under_control"} />
      <div>
        <strong>{incident.type_name}</strong>
        <span>{incident.place}</span>
      </div>
      <div className="wall-row-side">
        <b>{running(now - Date.parse(incident.opened_at))}</b>
        {late ? (
          <em>{t("incident.lateBy", { time: running(past) })}</em>
        ) : unheard ? (
          <em>{t("incident.unacknowledged")}</em>
        ) : (
          <span className="wall-pills">
            {incident.assignments.slice(0, 3).map(({ id, status }) => (
              <UnitPill key={id} status={status as UnitStatus} />
            ))}
            {incident.assignments.length > 3 && `+${incident.assignments.length - 3}`}
            {incident.assignments.length === 0 && word("state", incident.state)}
          </span>
        )}
      </div>
    </li>
  );
}

/** A bar that runs once a second while words arrive: a frozen screen must look frozen. */
function Pulse() {
  const { name, age } = useLink((state) => state);
  const second = useSecond();
  const alive = name === "live" || name === "back";
  return (
    <footer className="wall-pulse" role="status">
      <span className="wall-beat" aria-hidden>
        <span key={alive ? Math.floor(second / 1000) : "still"} className={alive ? "wall-beat-run" : undefined} />
      </span>
      <span>{age === null ? t("link.connecting") : t(`link.chip.${name}`, { n: age })}</span>
    </footer>
  );
}

/** The whole frame is hatched and the hour stands above; what was known stays readable below it. */
function DeadFeed({ dead }: { dead: boolean }) {
  const { heardAt, age } = useLink((state) => state);
  const { city } = useSession();
  return (
    <div className="wall-dead-band" role="alert">
      <p>{t(dead ? "wall.dead" : "wall.late", { n: age ?? 0 })}</p>
      {heardAt !== null && <time>{hourSeconds(heardAt)}</time>}
      <p>
        {t("link.useRadio")}
        {dead && <small>{city.phones.map(({ name, number }) => `${name} ${number}`).join(" · ")}</small>}
      </p>
    </div>
  );
}
