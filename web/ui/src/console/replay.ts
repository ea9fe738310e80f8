/**
 * Looking at a past hour on this very screen: the board and the clock are put back, what one was doing is laid aside and comes back with the
 * present. The present goes on underneath: its alarms, its sounds, its link.
 */
import { createStore } from "zustand/vanilla";
import { useStore } from "zustand";
import { Refusal } from "../lib/api";
import { clock } from "../lib/clock";
import { explain } from "../lib/explain";
import { t } from "../lib/i18n";
import { whenKeyRefused } from "../lib/keys";
import { board, present } from "../lib/live";
import { moment } from "../lib/moment";
import { archive, Player, type Archive, type Pace, type PlayerState } from "../lib/replay";
import { say, toasts } from "../lib/toasts";
import { desk, select, type Desk } from "./desk";
import { toggleApart } from "./layout/apart";

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
/** What comes before a moment that somebody wants to see. */
const BEFORE = 5 * MINUTE;
const TICK = 250;

interface Replay {
  player: Player | null;
  /** An hour is being read. */
  opening: boolean;
  /** Why the last one was not shown. */
  failure: string | null;
  /** Where one chooses the hour is open. */
  choosing: boolean;
}

export const replay = createStore<Replay>(() => ({ player: null, opening: false, failure: null, choosing: false }));
export const useReplay = <T,>(select: (state: Replay) => T): T => useStore(replay, select);
export const usePlayer = <T,>(player: Player, select: (state: PlayerState) => T): T => useStore(player.store, select);

type Aside = Pick<Desk, "selected" | "form" | "place" | "pane" | "list" | "zone" | "major" | "area" | "storm" | "apart">;
let aside: Aside | null = null;
let leavePlayer: (() => void) | null = null;
let turn = 0;

/** Show the past from one moment to another, beginning at `at`, paused. Answers whether it is shown; otherwise `failure` says why not. */
export async function lookBack(from: number, to: number, at = from, outside: Archive = archive): Promise<boolean> {
  const mine = (turn += 1);
  replay.setState({ opening: true, failure: null });
  try {
    const player = await openFrom(outside, Math.floor(from), Math.floor(Math.min(to, clock.now())));
    if (mine !== turn) return false;
    await player.readTo(at);
    if (mine !== turn) return false;
    player.seek(at);
    begin(player);
    return true;
  } catch (error) {
    if (mine === turn) replay.setState({ failure: explain(error) });
    return false;
  } finally {
    if (mine === turn) replay.setState({ opening: false });
  }
}

/** From there on, or from the first moment that is kept, if that is within. */
async function openFrom(outside: Archive, from: number, to: number): Promise<Player> {
  try {
    return await Player.open(outside, from, to);
  } catch (error) {
    const since = error instanceof Refusal && error.problem.code === "BeforeThePast" ? Math.ceil(Date.parse(String(error.problem.facts?.since))) : NaN;
    if (since > from && since < to) return Player.open(outside, since + 1, to);
    throw error;
  }
}

/** The moment of which a line tells, with what came just before and an hour after it. */
export const seeMoment = async (at: number): Promise<void> => {
  if (!(await lookBack(at - BEFORE, at + HOUR, at))) say(replay.getState().failure ?? t("replay.failed"), undefined, "failed");
};

function begin(player: Player): void {
  const before = replay.getState().player;
  leavePlayer?.();
  if (before) player.setPace(before.state.pace);
  if (before?.state.playing && before.from === player.from) player.play();
  if (!aside) {
    const { selected, form, place, pane, list, zone, major, area, storm, apart } = desk.getState();
    aside = { selected, form, place, pane, list, zone, major, area, storm, apart };
    // A map in another window would go on showing the present.
    if (apart) toggleApart();
    desk.setState({ form: null, place: null, zone: null, major: null, area: null, storm: null, sheet: null, selected: selected?.startsWith("cluster:") ? null : selected, pane: form && !selected ? "queue" : pane });
  }
  const follow = () => moment.setState({ past: player.state.at });
  const leave = player.store.subscribe(follow);
  const ticking = setInterval(() => player.tick(performance.now()), TICK);
  const unwatch = watchSecrets(player);
  leavePlayer = () => {
    leave();
    unwatch();
    clearInterval(ticking);
  };
  follow();
  board.show(player.board);
  replay.setState({ player, choosing: false });
}

/** What becomes secret while somebody looks is secret in what he looks at too: the hour is read again, as it may be known now. */
function watchSecrets(player: Player): () => void {
  const masked = () => present.incidents().flatMap(({ subject, masked }) => (masked ? [subject] : []));
  const known = new Set(masked());
  return present.store.subscribe(() => {
    const added = masked().filter((subject) => !known.has(subject));
    for (const subject of added) known.add(subject);
    if (!added.some((subject) => player.tellsOf(subject))) return;
    void lookBack(player.from, player.to, player.state.at, player.outside).then((done) => {
      if (!done && replay.getState().player === player) toPresent();
    });
  });
}

/** Back to the present, to what one was doing; or to something that cannot wait. */
export function toPresent(subject?: string): void {
  turn += 1;
  leavePlayer?.();
  leavePlayer = null;
  moment.setState({ past: null });
  unsay();
  board.show(null);
  replay.setState({ player: null, opening: false, choosing: false, failure: null });
  const { apart, ...kept } = aside ?? { apart: false };
  aside = null;
  desk.setState(kept);
  if (subject) select(subject);
  if (apart) toggleApart();
  // The band that held the keyboard is gone.
  requestAnimationFrame(() => document.activeElement === document.body && document.querySelector<HTMLElement>(subject ? "#card" : ".replay-open")?.focus());
}

/** The hour before the one that is shown, or the one after it. */
export function shift(by: -1 | 1): void {
  const { player } = replay.getState();
  if (!player) return;
  const long = player.to - player.from;
  const from = by < 0 ? player.from - long : player.to;
  if (from < clock.now()) void lookBack(from, from + Math.max(long, HOUR));
}

/** To the next change, reading on where nothing is known yet. */
export async function nextChange(): Promise<void> {
  const { player } = replay.getState();
  while (player && !player.nextEvent() && player.state.known < player.to && !player.state.failed) await player.readTo(player.state.known + 1);
}

export function pace(faster: -1 | 1, paces: readonly Pace[]): void {
  const { player } = replay.getState();
  const next = player && paces[paces.indexOf(player.state.pace) + faster];
  if (player && next) player.setPace(next);
}

/** Said once, however often a key is struck, and not any more when it is no longer so. */
const unsay = (): void => toasts.setState(({ all }) => ({ all: all.filter(({ text }) => text !== t("replay.refused")) }));
whenKeyRefused(() => {
  unsay();
  say(t("replay.refused"), undefined, "failed");
});
