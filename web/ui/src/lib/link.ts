/** The state of the link, as a person reads it. Pure: age of the last message in, state out (reference/ux.md §2.0). */
import { createStore } from "zustand/vanilla";

/** Heartbeats come every five seconds; nine lets one be late and still says it within ten. */
export const LATE_AFTER = 9_000;
/** Two heartbeats of a wall may be missed; with the look every half second its frame is hatched within five. */
export const WALL_LATE_AFTER = 4_300;
export const OFFLINE_AFTER = 30_000;
export const BACK_FOR = 5_000;
export const LAG_LIMIT = 5_000;

export type LinkName = "connecting" | "live" | "late" | "offline" | "back" | "expired";

export interface LinkFacts {
  /** Milliseconds of the monotonic clock; null before the first message. */
  lastHeard: number | null;
  startedAt: number;
  lag: number;
  expired: boolean;
  backAt: number | null;
  /** A wall says it sooner: its heartbeats come every second and a half. */
  lateAfter?: number;
}

export function linkName(facts: LinkFacts, now: number): LinkName {
  if (facts.expired) return "expired";
  if (facts.lastHeard === null) return now - facts.startedAt > LATE_AFTER ? "offline" : "connecting";
  const age = now - facts.lastHeard;
  if (age > OFFLINE_AFTER) return "offline";
  if (age > (facts.lateAfter ?? LATE_AFTER) || facts.lag > LAG_LIMIT) return "late";
  if (facts.backAt !== null && now - facts.backAt < BACK_FOR) return "back";
  return "live";
}

export interface LinkState {
  name: LinkName;
  /** Seconds since anything was heard; null before the first message. */
  age: number | null;
  /** Server time of the last message, for "DATOS DE LAS 14:32:10". */
  heardAt: number | null;
  attempt: number;
  changes: number;
  bus: boolean;
  polling: boolean;
}

export const createLink = () =>
  createStore<LinkState>(() => ({ name: "connecting", age: null, heardAt: null, attempt: 0, changes: 0, bus: true, polling: false }));
