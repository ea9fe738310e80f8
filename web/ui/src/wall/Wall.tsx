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
import { brightnessAt, letterFor, PANEL, rotating, rowsThatFit, RULER, shiftAt, SLUGS, VIEWS, type Wall as Row, type WallView } from "../lib/walls";
import type { Incident, UnitStatus } from "../lib/wire";
import { CrisisView } from "./CrisisView";
import { NumbersView } from "./NumbersView";
import { useWatch } from "./useWatch";

/** An account that signed in on a screen has no panel to speak of: letters for a desk's distance. */
const DEFAULT_LETTER = 28.8;
const LARGE = 40;

/** The wall that this screen is, when a link opened it. */
export function useWall(): (Row & { at: [number, number] | null }) | null {
  useBoard();
  const { person } = useSession();
  return board.get<Row>(`wall:${person.id}`);
}

const byAddress = (): WallView => VIEWS.find((view) => location.pathname.endsWith(`/${SLUGS[view]}`)) ?? "situation";

/** Something that the whole room must look at until somebody has it. */
const isUrgent = (): boolean =>
  board.sos().some(({ answered_at }) => !answered_at) || board.incidents().some((incident) => !incident.masked && isOpen(incident) && incident.priority === 1 && isUnacknowledged(incident));

/** Read from five metres, touched by nobody: what a console asks for, and proof that it is alive. */
export function Wall() {
  const { city } = useSession();
  const link = useLink((state) => state.name);
  const wall = useWall();
  const now = useSecond();
  const dead = link === "offline" || link === "expired";
  const late = link === "late";
  const letter = wall ? letterFor(wall.inches, wall.metres, 16) : DEFAULT_LETTER;
  const asked = wall?.view ?? byAddress();
  const frozen = asked === "rotation" && isUrgent();
  const view = asked === "rotation" ? rotating(wall?.views ?? VIEWS, Boolean(wall?.about), frozen, now) : asked;
  const [x, y] = shiftAt(now);
  const bright = wall?.brightness ?? brightnessAt(Number(hour(now).slice(0, 2)));
  useWatch(wall, view, frozen);
  useEffect(() => {
    document.title = wall ? `${wall.name} · ${t("page.wall")}` : t("page.wall");
  }, [wall]);
  if (link === "expired" && wall) return <WallMessage title={t("wall.revoked")} what={t("wall.revokedWhat")} />;
  return (
    <div
      className={`wall${dead ? " wall-dead" : late ? " wall-late" : ""}`}
      style={{ transform: `translate(${x}px, ${y}px)`, fontSize: `${(letter / PANEL) * 100}vw`, filter: bright < 1 ? `brightness(${bright})` : undefined }}
      data-large={letter > LARGE || undefined}
      data-view={view}
      data-frozen={frozen || undefined}
    >
      <header className="wall-head">
        <Logo size={44} />
        <strong>{t("product.name")}</strong>
        <span className="wall-city">{city.name}</span>
        {view === "situation" ? <Numbers /> : <span className="wall-title">{t(`walls.views.${view}`)}</span>}
        <WallClock />
      </header>
      {(dead || late) && <DeadFeed dead={dead} />}
      <WallSos />
      <StormBand />
      <main className="wall-main">
        <WallMap wall={wall} />
        <Worst letter={letter} />
        {view === "board" && <NumbersView />}
        {view === "crisis" && <CrisisView about={wall?.about ?? null} />}
      </main>
      <Pulse frozen={frozen} />
      {wall?.ruler && <Ruler />}
      {!wall && <ExpiredDialog />}
    </div>
  );
}

/** One sentence for the room, and what to do. */
export function WallMessage({ title, what }: { title: string; what: string }) {
  return (
    <div className="wall wall-message" role="alert">
      <strong>{title}</strong>
      <p>{what}</p>
    </div>
  );
}

/** A line whose length somebody measures on the glass: half of the panel. */
function Ruler() {
  return (
    <div className="wall-ruler" role="img" aria-label={t("wall.ruler")}>
      <span style={{ inlineSize: `${RULER * 100}vw` }} />
      <p>{t("wall.ruler")}</p>
      <p className="wall-ruler-try">{t("wall.rulerTry")}</p>
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
          <em>{sos.answered_at ? t("wall.sosAnswered", { hour: hourSeconds(sos.answered_at) }) : t("sos.unanswered")}</em>
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

function WallMap({ wall }: { wall: (Row & { at: [number, number] | null }) | null }) {
  const holder = useRef<HTMLDivElement>(null);
  const [drawn, setDrawn] = useState<LiveMap | null>(null);
  const [lon, lat] = wall?.at ?? [null, null];
  const zoom = wall?.zoom ?? null;
  useEffect(() => {
    drawn?.look(lon !== null && lat !== null ? [lon, lat] : null, zoom);
  }, [drawn, lon, lat, zoom]);
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
        else {
          map = made;
          setDrawn(made);
        }
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
function Worst({ letter }: { letter: number }) {
  const revision = useBoard();
  const now = useSecond();
  const bands = board.sos().length * 2.1 + (board.storm() ? 1.4 : 0);
  const rowsHere = rowsThatFit(letter, letter * (4.8 + bands), 3.8);
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
      <ol style={{ gridTemplateRows: `repeat(${rowsHere}, minmax(0, 1fr))` }}>
        {rows.slice(0, rowsHere).map((incident) => (
          <WorstRow key={incident.id} incident={incident} now={now} />
        ))}
      </ol>
      {rows.length > rowsHere && <p className="wall-more">{t("wall.more", { count: rows.length - rowsHere })}</p>}
    </section>
  );
}

function WorstRow({ incident, now }: { incident: Incident; now: number }) {
  const past = overdueBy(incident, now);
  const late = past !== null && past > 0;
  const unheard = isUnacknowledged(incident);
  return (
    <li className={`wall-row wall-row-${incident.priority}${unheard && incident.priority === 1 ? " wall-row-alarm" : ""}`}>
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
function Pulse({ frozen }: { frozen: boolean }) {
  const { name, age } = useLink((state) => state);
  const second = useSecond();
  const alive = name === "live" || name === "back";
  return (
    <div className="wall-pulse" role="status">
      <span className="wall-beat" aria-hidden>
        <span key={alive ? Math.floor(second / 1000) : "still"} className={alive ? "wall-beat-run" : undefined} />
      </span>
      {frozen && <em className="wall-frozen">{t("wall.frozen")}</em>}
      <span>{age === null ? t("link.connecting") : t(`link.chip.${name}`, { n: age })}</span>
    </div>
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
