/** Joins the stream, the board, the clock and the link into the one live connection of a window. */
import { useSyncExternalStore } from "react";
import { useStore } from "zustand";
import { getRaw } from "./api";
import { Board } from "./board";
import { clock } from "./clock";
import type { LinkFacts } from "./link";
import { createLink, linkName, OFFLINE_AFTER } from "./link";
import { moment } from "./moment";
import { ShownBoard } from "./shown";
import { Stream } from "./stream";

/** The present, whatever the screen shows: for what must never miss it (sounds, the title, the link). */
export const present = new Board();
/** What the screen shows: the present, or a past board. */
export const board = new ShownBoard(present);
export const link = createLink();

const facts: LinkFacts = { lastHeard: null, startedAt: 0, lag: 0, expired: false, backAt: null };
let stream: Stream | null = null;

function refresh(): void {
  const now = performance.now();
  facts.lag = clock.lag;
  const next = linkName(facts, now);
  const age = facts.lastHeard === null ? null : Math.floor((now - facts.lastHeard) / 1000);
  const held = link.getState();
  const heardAt = facts.lastHeard === null ? null : clock.now() - (now - facts.lastHeard);
  if (held.name !== next || held.age !== age) link.setState({ name: next, age, heardAt });
}

export function connect(feedPath: string, lateAfter?: number): void {
  if (stream) return;
  facts.lateAfter = lateAfter;
  facts.startedAt = performance.now();
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  stream = new Stream(
    `${scheme}//${location.host}${feedPath}`,
    present,
    clock,
    {
      heard(at) {
        facts.lastHeard = at;
        refresh();
      },
      connecting: (attempt) => link.setState({ attempt }),
      current(changes, first) {
        const now = performance.now();
        const away = facts.lastHeard === null ? 0 : now - facts.lastHeard;
        // A blink of the network is nobody's business; a gap a person could have noticed is.
        if (!first && (away > 3_000 || link.getState().name !== "live")) facts.backAt = now;
        link.setState({ attempt: 0, changes });
      },
      expired() {
        facts.expired = true;
        refresh();
      },
      bus: (bus) => link.setState({ bus }),
      polling: (polling) => link.setState({ polling }),
    },
    { open: (url) => new WebSocket(url), get: getRaw, now: () => performance.now(), random: Math.random },
  );
  stream.start();
  setInterval(refresh, 500);
  addEventListener("online", retryNow);
  document.addEventListener("visibilitychange", () => {
    refresh();
    if (!document.hidden) retryNow();
  });
}

export const retryNow = (): void => stream?.nudge();

/** Some answer was 401: stop, keep the screen, ask to sign in again over it. */
export function sessionOver(): void {
  if (facts.expired) return;
  facts.expired = true;
  stream?.stop();
  refresh();
}

export function sessionRenewed(): void {
  facts.expired = false;
  stream?.start();
  refresh();
}

/** True when what is on screen is too old to act upon. */
export const isStale = (age: number | null): boolean => age !== null && age * 1000 > OFFLINE_AFTER;

export const usePresent = (): number => useStore(present.store, (state) => state.revision);
export const useBoard = (): number => useStore(board.store, (state) => state.revision);
/** The same for those who show only some kinds of things. */
export const useKinds = (...kinds: string[]): number => useStore(board.store, () => board.turnOf(...kinds));
export const useLink = <T,>(select: (state: ReturnType<typeof link.getState>) => T): T => useStore(link, select);

// One ticking second for every running timer on the screen.
const tickers = new Set<() => void>();
let second = 0;
let ticking: ReturnType<typeof setInterval> | null = null;

function onSecond(notify: () => void): () => void {
  tickers.add(notify);
  ticking ??= setInterval(() => {
    second = clock.now();
    for (const ticker of tickers) ticker();
  }, 1_000);
  return () => {
    tickers.delete(notify);
  };
}

function onShownSecond(notify: () => void): () => void {
  const leaves = [onSecond(notify), moment.subscribe(notify)];
  return () => {
    for (const leave of leaves) leave();
  };
}

const presentSecond = (): number => (second ||= clock.now());
function shownSecond(): number {
  const { past } = moment.getState();
  return past === null ? presentSecond() : Math.floor(past / 1_000) * 1_000;
}

/** The second that the screen shows: what ages and timers on it count by. */
export const useSecond = (): number => useSyncExternalStore(onShownSecond, shownSecond);
/** The second that it is, whatever the screen shows. */
export const usePresentSecond = (): number => useSyncExternalStore(onSecond, presentSecond);

/** Another number every so many shown seconds, for what need not be thought over at each. */
export const useEvery = (seconds: number): number => useSyncExternalStore(onShownSecond, () => Math.floor(shownSecond() / (seconds * 1_000)));
