import { ActionIcon, Button, SegmentedControl, Select } from "@mantine/core";
import { IconChevronLeft, IconChevronRight, IconPlayerPauseFilled, IconPlayerPlayFilled } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState, type KeyboardEvent, type PointerEvent } from "react";
import { useStore } from "zustand";
import { clock } from "../lib/clock";
import { explain } from "../lib/explain";
import { age, distance, hour, hourSeconds, longDate, running } from "../lib/format";
import { t } from "../lib/i18n";
import { useKey } from "../lib/keys";
import { board, useBoard } from "../lib/live";
import { useBounds, useSession } from "../lib/session";
import { mapa, tema } from "../lib/theme";
import { unitTrack } from "../lib/verbs";
import type { UnitTrack } from "../lib/wire";
import { DAY, dayOf, indexAt, momentOf, PACES, spanOf, speeds, startOf, type Moment } from "./replay";
import "./track.css";
import { TrackMap } from "./TrackMap";

const KEPT_DAYS = 30;
const FRAME = 60;
const STEP = 10_000;
const asked = (name: string) => new URLSearchParams(location.search).get(name);

/** Where a unit was, played again. */
export function Track() {
  useBoard();
  const [unit, setUnit] = useState(() => asked("movil"));
  const today = dayOf(clock.now());
  const [day, setDay] = useState(() => asked("dia") ?? dayOf(clock.now()));
  const units = board.units().sort((a, b) => a.call_sign.localeCompare(b.call_sign, "es", { numeric: true }));
  const oldest = dayOf(clock.now() - KEPT_DAYS * DAY);
  const go = (nextUnit: string | null, nextDay: string) => {
    if (!/^\d{4}-\d\d-\d\d$/.test(nextDay) || nextDay > today || nextDay < oldest) return;
    setUnit(nextUnit);
    setDay(nextDay);
    history.replaceState(null, "", `?ver=recorrido${nextUnit ? `&movil=${nextUnit}` : ""}&dia=${nextDay}`);
  };
  const by = (days: number) => go(unit, dayOf(startOf(day) + days * DAY + DAY / 2));
  const name = units.find(({ id }) => id === unit)?.call_sign ?? "";
  return (
    <div className="track">
      <div className="track-bar">
        <Select
          aria-label={t("track.unit")}
          placeholder={t("track.unit")}
          searchable
          data={units.map(({ id, call_sign }) => ({ value: id, label: call_sign }))}
          value={unit}
          onChange={(next) => go(next, day)}
          nothingFoundMessage={t("track.noUnit")}
        />
        <div className="track-day">
          <ActionIcon variant="default" size={36} aria-label={t("track.dayBefore")} disabled={day <= oldest} onClick={() => by(-1)}>
            <IconChevronLeft size={18} />
          </ActionIcon>
          <input type="date" aria-label={t("track.day")} value={day} min={oldest} max={today} onChange={(event) => go(unit, event.currentTarget.value)} />
          <ActionIcon variant="default" size={36} aria-label={t("track.dayAfter")} disabled={day >= today} onClick={() => by(1)}>
            <IconChevronRight size={18} />
          </ActionIcon>
        </div>
        <p className="hint">{t("track.recorded")}</p>
      </div>
      {unit ? <Day key={`${unit} ${day}`} unit={unit} name={name} day={day} /> : <p className="track-empty">{t("track.choose")}</p>}
    </div>
  );
}

function Day({ unit, name, day }: { unit: string; name: string; day: string }) {
  const since = startOf(day);
  const { data, error, isPending, isFetching, refetch } = useQuery({
    queryKey: ["unit-track", unit, day],
    queryFn: () => unitTrack(unit, new Date(since).toISOString(), new Date(Math.min(since + DAY, clock.now())).toISOString()),
    staleTime: Infinity,
    retry: 0,
  });
  if (isPending) return <p className="track-empty">{t("page.loading")}</p>;
  if (error)
    return (
      <p className="track-empty form-failure" role="alert">
        {explain(error)}{" "}
        <button type="button" className="link-button" onClick={() => void refetch()}>
          {t("action.retry")}
        </button>
      </p>
    );
  if (data.points.length === 0) return <p className="track-empty">{t("track.nothing", { unit: name, day: longDate(since + DAY / 2) })}</p>;
  const again = dayOf(clock.now()) === day ? { busy: isFetching, act: () => void refetch() } : null;
  return <Player track={data} name={name} again={again} />;
}

/** The clock of a track: where it is, whether it runs, and how fast. */
function usePlayer(first: number, since: number, until: number) {
  const [at, setAt] = useState(first);
  const [wanted, setWanted] = useState(false);
  const [pace, setPace] = useState<number>(10);
  const playing = wanted && at < until;
  const to = (next: number) => setAt(Math.min(until, Math.max(since, next)));
  useEffect(() => {
    if (!playing) return;
    let last = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      const went = (now - last) * pace;
      last = now;
      setAt((held) => Math.min(until, held + went));
    }, FRAME);
    return () => clearInterval(timer);
  }, [playing, pace, until]);
  const toggle = () => {
    if (!playing && at >= until) setAt(first);
    setWanted(!playing);
  };
  return { at, to, playing, toggle, pace, setPace };
}

function Player({ track, name, again }: { track: UnitTrack; name: string; again: { busy: boolean; act: () => void } | null }) {
  const [since, until] = spanOf(track);
  const first = track.points[0]?.[4] ?? since;
  const { at, to, playing, toggle, pace, setPace } = usePlayer(first, since, until);
  const moment = useMemo(() => momentOf(track, at), [track, at]);
  useKey(" ", toggle);
  useKey("arrowleft", () => to(at - STEP));
  useKey("arrowright", () => to(at + STEP));
  return (
    <div className="track-body">
      <TrackMapPane track={track} name={name} at={at} moment={moment} />
      <section className="track-panel" aria-label={t("track.title")}>
        <div className="track-now">
          <strong className="track-past">{t("track.past")}</strong>
          <time className="track-time">{hourSeconds(at)}</time>
          <span className="track-words">{words(moment, at)}</span>
        </div>
        <div className="track-controls">
          <ActionIcon size={40} aria-label={t(playing ? "track.pause" : "track.play")} onClick={toggle}>
            {playing ? <IconPlayerPauseFilled size={20} /> : <IconPlayerPlayFilled size={20} />}
          </ActionIcon>
          <SegmentedControl aria-label={t("track.pace")} data={PACES.map((each) => ({ value: String(each), label: `×${each}` }))} value={String(pace)} onChange={(next) => setPace(Number(next))} />
          <small className="track-keys">
            <kbd>␣</kbd> {t("track.keyPlay")} <kbd>←</kbd> <kbd>→</kbd> {t("track.keyStep")}
          </small>
          {again && (
            <Button size="xs" variant="default" loading={again.busy} onClick={again.act}>
              {t("track.again")}
            </Button>
          )}
        </div>
        <Scrubber track={track} since={since} until={until} at={at} onMove={to} />
        <Facts track={track} since={since} until={until} onMove={to} />
      </section>
    </div>
  );
}

/** What is known of that moment, in words. */
function words(moment: Moment, at: number): string {
  const { point, gap, stop, stands } = moment;
  const sent = moment.sent.map(({ incident_code }) => t("track.sentTo", { code: incident_code }));
  const where = gap
    ? t("track.silent", { from: hour(gap[0]), age: age(at - gap[0]) })
    : !point
      ? t("track.before")
      : stop
        ? t("track.stopped", { age: age(at - stop.since) })
        : stands
          ? t("track.stands")
          : t("units.kmh", { n: Math.round(point[3] ?? 0) });
  const old = point && !gap && moment.age > 15_000 ? [t("track.fixAge", { age: age(moment.age) })] : [];
  return [where, ...old, ...sent].join(" · ");
}

function TrackMapPane({ track, name, at, moment }: { track: UnitTrack; name: string; at: number; moment: Moment }) {
  const holder = useRef<HTMLDivElement>(null);
  const [map, setMap] = useState<TrackMap | null>(null);
  const [failed, setFailed] = useState(false);
  const bounds = useBounds();
  const { city } = useSession();
  const look = `${useStore(tema, (held) => held.tema)} ${useStore(mapa, (held) => held.gris)}`;
  const painted = useRef(look);
  useEffect(() => {
    const container = holder.current;
    if (!container) return;
    let dropped = false;
    let made: TrackMap | null = null;
    TrackMap.create(container, bounds, t("track.map")).then(
      (ready) => {
        if (dropped) return ready.destroy();
        made = ready;
        setMap(ready);
      },
      () => !dropped && setFailed(true),
    );
    return () => {
      dropped = true;
      made?.destroy();
      setMap(null);
    };
  }, [bounds]);
  useEffect(() => map?.show(track, name), [map, track, name]);
  useEffect(() => map?.at(at, moment, indexAt(track.points, at)), [map, track, at, moment]);
  useEffect(() => {
    if (painted.current !== look) map?.repaint();
    painted.current = look;
  }, [map, look]);
  return (
    <div className="track-map">
      <div ref={holder} className="track-surface" />
      {failed && <p className="track-empty form-failure">{t("map.failed")}</p>}
      <p className="track-credit">{city.attribution}</p>
      <ul className="track-legend">
        <li className="track-legend-way">{t("track.legend.way")}</li>
        <li className="track-legend-stop">{t("track.legend.stop")}</li>
        {track.doubtful.length > 0 && <li className="track-legend-doubt">{t("track.legend.doubt", { count: track.doubtful.length })}</li>}
      </ul>
    </div>
  );
}

const PARTS = 720;
const HIGH = 100;

/** The day as a strip: how fast it went, where nothing is known, what it was sent to; a slider over all of it. */
function Scrubber({ track, since, until, at, onMove }: { track: UnitTrack; since: number; until: number; at: number; onMove: (at: number) => void }) {
  const strip = useRef<HTMLDivElement>(null);
  const share = (moment: number) => Math.min(1, Math.max(0, (moment - since) / (until - since)));
  const percent = (moment: number) => `${(100 * share(moment)).toFixed(3)}%`;
  const graph = useMemo(() => {
    const fastest = speeds(track.points, since, until, PARTS);
    const top = Math.max(40, ...fastest.map((speed) => speed ?? 0));
    const bars = fastest.map((speed, part) => (speed === null ? "" : `M${part} ${HIGH}V${(HIGH - (speed / top) * (HIGH - 6) - 2).toFixed(1)}h1V${HIGH}z`));
    return { top, path: bars.join("") };
  }, [track, since, until]);
  const ticks = useMemo(() => hours(since, until), [since, until]);
  const toPointer = (event: PointerEvent<HTMLDivElement>) => {
    const box = strip.current?.getBoundingClientRect();
    if (box) onMove(since + ((event.clientX - box.left) / box.width) * (until - since));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -STEP, ArrowRight: STEP, ArrowDown: -STEP, ArrowUp: STEP, PageDown: -600_000, PageUp: 600_000 }[event.key];
    const to = by !== undefined ? at + by * (event.shiftKey ? 6 : 1) : event.key === "Home" ? since : event.key === "End" ? until : null;
    if (to === null) return;
    event.preventDefault();
    onMove(to);
  };
  return (
    <div className="track-strip">
      <div
        ref={strip}
        className="track-slider"
        role="slider"
        tabIndex={0}
        aria-label={t("track.moment")}
        aria-valuemin={since}
        aria-valuemax={until}
        aria-valuenow={Math.round(at)}
        aria-valuetext={hourSeconds(at)}
        onKeyDown={onKeyDown}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          toPointer(event);
        }}
        onPointerMove={(event) => event.buttons === 1 && toPointer(event)}
      >
        <svg viewBox={`0 0 ${PARTS} ${HIGH}`} preserveAspectRatio="none" aria-hidden>
          <path d={graph.path} />
        </svg>
        {track.gaps.map(([from, to]) => (
          <span key={from} className="track-gap" title={t("track.gap", { from: hour(from), to: hour(to) })} style={{ insetInlineStart: percent(from), inlineSize: `calc(${percent(to)} - ${percent(from)})` }} />
        ))}
        {track.assignments.map((sent) => (
          <span
            key={sent.id}
            className="track-sent"
            title={sent.incident_code}
            style={{ insetInlineStart: percent(sent.since), inlineSize: `calc(${percent(sent.until ?? until)} - ${percent(sent.since)})` }}
          />
        ))}
        <span className="track-cursor" style={{ insetInlineStart: percent(at) }} />
        <small className="track-top">{t("units.kmh", { n: Math.round(graph.top) })}</small>
      </div>
      <div className="track-hours" aria-hidden>
        {ticks.map((tick) => (
          <small key={tick} style={{ insetInlineStart: percent(tick) }}>
            {hour(tick)}
          </small>
        ))}
      </div>
    </div>
  );
}

function hours(since: number, until: number): number[] {
  const every = [0.25, 0.5, 1, 2, 3, 4].find((each) => (until - since) / (each * 3_600_000) <= 7) ?? 4;
  const found: number[] = [];
  for (let tick = since; tick < until; tick += every * 3_600_000) found.push(tick);
  return found;
}

function Facts({ track, since, until, onMove }: { track: UnitTrack; since: number; until: number; onMove: (at: number) => void }) {
  const silent = track.gaps.reduce((sum, [from, to]) => sum + Math.max(0, Math.min(to, until) - Math.max(from, since)), 0);
  const longest = [...track.stops].sort((a, b) => b.until - b.since - (a.until - a.since)).slice(0, 12).sort((a, b) => a.since - b.since);
  return (
    <div className="track-facts">
      <p>
        <b>{distance(track.metres)}</b> · {t("track.stopCount", { count: track.stops.length })} · {t("track.silence", { time: running(silent) })}
        {track.doubtful.length > 0 && ` · ${t("track.doubtCount", { count: track.doubtful.length })}`}
      </p>
      <ul>
        {track.assignments.map((sent) => (
          <li key={sent.id}>
            <button type="button" className="link-button" onClick={() => onMove(sent.since)}>
              {hour(sent.since)} · {t("track.sentTo", { code: sent.incident_code })}
            </button>
          </li>
        ))}
        {longest.map((stop) => (
          <li key={stop.since}>
            <button type="button" className="link-button" onClick={() => onMove(stop.since)}>
              {hour(stop.since)} · {t("track.stopFor", { age: age(stop.until - stop.since) })}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
