/** Whether the server has newer pages than this one. Nothing is drawn anew by itself: whoever works decides when. */
import { createStore } from "zustand/vanilla";
import { useStore } from "zustand";

const EVERY = 5 * 60_000;
const SCRIPT = /\/static\/assets\/[\w.-]+\.js/;

const edition = createStore<{ newer: boolean }>(() => ({ newer: false }));
export const useNewer = (): boolean => useStore(edition, ({ newer }) => newer);

/** The script that a page begins with: its name changes with its content. */
export const scriptOf = (page: string): string | null => SCRIPT.exec(page)?.[0] ?? null;

const mine = (): string | null => scriptOf([...document.scripts].map(({ src }) => src).join("\n"));

async function look(): Promise<void> {
  const response = await fetch(location.pathname, { cache: "no-store", headers: { Accept: "text/html" } });
  const theirs = response.ok ? scriptOf(await response.text()) : null;
  if (theirs !== null && mine() !== null && theirs !== mine()) edition.setState({ newer: true });
}

/** Look now and then; without a link there is nothing to see. Answers how to stop. */
export function watchEdition(): () => void {
  const again = () => void look().catch(() => undefined);
  const timer = setInterval(again, EVERY);
  addEventListener("online", again);
  return () => {
    clearInterval(timer);
    removeEventListener("online", again);
  };
}
