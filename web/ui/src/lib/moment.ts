/**
 * The moment that the screen shows: now, or one of the past that is looked at again (`console/replay.ts`). Ages and timers on the screen count
 * by it; what belongs to the present (alarms, sounds, the link, the clock on the wall) keeps the real one.
 */
import { createStore } from "zustand/vanilla";
import { useStore } from "zustand";
import { clock } from "./clock";

export const moment = createStore<{ past: number | null }>(() => ({ past: null }));

export const inPast = (): boolean => moment.getState().past !== null;
export const useInPast = (): boolean => useStore(moment, ({ past }) => past !== null);

/** A clock like the server's, for whatever shows the board. */
export const shownClock = { now: (): number => moment.getState().past ?? clock.now() };
