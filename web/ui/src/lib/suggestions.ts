/** What a place field does with keys: pure, so that it can be tried without a screen. */
import type { Found, PlaceMatch } from "./wire";

export type Option = Found["matches"][number];

export interface List {
  options: Option[];
  /** The first may be taken without asking. */
  sure: boolean;
  /** The marked option; -1 is none: among several that are as good as each other nothing is marked for you. */
  marked: number;
  open: boolean;
}

export const CLOSED: List = { options: [], sure: false, marked: -1, open: false };

export const shown = ({ matches, sure }: Pick<Found, "matches" | "sure">): List => ({ options: matches, sure, marked: sure ? 0 : -1, open: true });

export interface Key {
  key: string;
  code: string;
  alt: boolean;
}

/** What a key makes of the list, and the option it takes; null where the key is not the list's. */
export function press(list: List, { key, code, alt }: Key): { list: List; taken?: Option } | null {
  const { options, marked, open } = list;
  const closed = { ...list, open: false };
  if (key === "ArrowDown" || key === "ArrowUp") {
    if (options.length === 0) return null;
    if (!open) return { list: { ...list, open: true } };
    const next = key === "ArrowDown" ? marked + 1 : marked < 0 ? options.length - 1 : marked - 1;
    return { list: { ...list, marked: (next + options.length) % options.length } };
  }
  if (!open) return null;
  if (key === "Escape") return { list: closed };
  const digit = alt && /^Digit[1-9]$/.test(code) ? Number(code.slice(5)) - 1 : -1;
  const taken = key === "Enter" ? options[marked] : options[digit];
  return taken ? { list: closed, taken } : null;
}

export const kept = ({ label, kind, precision, location }: Option): PlaceMatch => ({ label, kind, precision, lon: location.coordinates[0], lat: location.coordinates[1] });
