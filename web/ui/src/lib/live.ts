/** Joins the stream, the board, the clock and the link into the one live connection of a window. */
import { useSyncExternalStore } from "react";
import { useStore } from "zustand";
import { getRaw } from "./api";
import { Board } from "./board";
import { clock } from "./clock";
import type { LinkFacts } from "./link";
import { createLink, linkName, OFFLINE_AFTER } from "./link";
import { Stream } from "./stream";

export const board = new Board();
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

export function connect(feedPath: string): void {
  if (stream) return;
  facts.startedAt = performance.now();
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  stream = new Stream(
    `${scheme}//${location.host}${feedPath}`,
    board,
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

export const useBoard = (): number => useStore(board.store, (state) => state.revision);
export const useLink = <T,>(select: (state: ReturnType<typeof link.getState>) => T): T => useStore(link, select);

// One ticking second for every running timer on the screen.
const tickers = new Set<() => void>();
let second = 0;
let ticking: ReturnType<typeof setInterval> | null = null;

export function useSecond(): number {
  return useSyncExternalStore(
    (notify) => {
      tickers.add(notify);
      ticking ??= setInterval(() => {
        second = clock.now();
        for (const ticker of tickers) ticker();
      }, 1_000);
      return () => {
        tickers.delete(notify);
      };
    },
    () => (second ||= clock.now()),
  );
}
