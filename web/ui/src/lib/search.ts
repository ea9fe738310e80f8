/** Looking for anything by a few letters: what the board knows at once, the rest from the server as it comes. */
import { api } from "./api";
import type { Placed } from "./board";
import { plain } from "./queue";
import type { Incident, Level, Point, Unit } from "./wire";

export const KINDS = ["incident", "unit", "place", "facility", "person"] as const;
export type FoundKind = (typeof KINDS)[number];

export interface FoundThing {
  kind: FoundKind;
  id: string;
  title: string;
  detail: string;
  location: Point | null;
  /** By kind: an incident's `priority` and `state`, a unit's `status`, a facility's `kind`, a person's `unit_id`. */
  facts: { priority?: Level; state?: string; status?: string; kind?: string; role?: string; unit_id?: string | null; opened_at?: string };
}

export const LEAST = 3;
export const searchAll = (words: string) => api<{ found: FoundThing[] }>(`/search?${new URLSearchParams({ q: words })}`);

/** Every word is somewhere in it; better where a word begins so. */
export function score(query: string, ...fields: (string | null | undefined)[]): number {
  const text = ` ${plain(fields.filter(Boolean).join(" "))}`;
  const tight = text.replace(/[^\p{L}\p{N}]+/gu, "");
  let total = 0;
  for (const word of plain(query).split(/\s+/).filter(Boolean)) {
    const bare = word.replace(/[^\p{L}\p{N}]+/gu, "");
    const at = text.indexOf(word);
    if (at < 0 && (bare === "" || !tight.includes(bare))) return 0;
    total += at > 0 && /[^\p{L}\p{N}]/u.test(text.charAt(at - 1)) ? 2 : 1;
  }
  return total;
}

const TAIL = 6; // of a group, so that all groups fit on a screen

export function onBoard(query: string, incidents: Placed<Incident>[], units: Placed<Unit>[], positions: ReadonlyMap<string, { lon: number; lat: number }>): FoundThing[] {
  const best = <T>(all: T[], rate: (each: T) => number): T[] =>
    all.map((each) => ({ each, rate: rate(each) })).filter(({ rate: own }) => own > 0).sort((a, b) => b.rate - a.rate).slice(0, TAIL).map(({ each }) => each);
  const number = /^#\s*(\d+)$/.exec(query.trim())?.[1];
  const rate = (one: Incident): number => {
    if (number) return Number(one.code.split("-")[1]) === Number(number) ? 1 : 0;
    const rated = score(query, one.code, one.place, one.type_name, one.zone, one.summary);
    return rated > 0 && one.closed_at === null ? rated + 0.5 : rated;
  };
  return [
    ...best(incidents.filter(({ masked }) => !masked), rate).map(
      (one): FoundThing => ({ kind: "incident", id: one.id, title: one.code, detail: [one.type_name, one.place].filter(Boolean).join(" · "), location: one.at && { type: "Point", coordinates: one.at }, facts: { priority: one.priority, state: one.state, opened_at: one.opened_at } }),
    ),
    ...best(units, (one) => score(query, one.call_sign, one.organization)).map((one): FoundThing => {
      const position = positions.get(one.id);
      return { kind: "unit", id: one.id, title: one.call_sign, detail: one.organization, location: position ? { type: "Point", coordinates: [position.lon, position.lat] } : null, facts: { status: one.status, kind: one.kind } };
    }),
  ];
}

/** Both answers as one list by kinds: what the board says wins, nothing stands twice, a group has six at the most. */
export function together(here: FoundThing[], there: FoundThing[]): FoundThing[] {
  const seen = new Set<string>();
  const all = [...here, ...there].filter(({ kind, id }) => !seen.has(`${kind}:${id}`) && seen.add(`${kind}:${id}`));
  return KINDS.flatMap((kind) => all.filter((each) => each.kind === kind).slice(0, TAIL));
}

export interface Part {
  text: string;
  hit: boolean;
}

/** A text cut where the letters that were looked for are. */
export function marked(text: string, query: string): Part[] {
  const words = plain(query).split(/\s+/).filter((word) => word.length > 0);
  const folded = Array.from({ length: text.length }, (_, at) => { const one = plain(text.charAt(at)); return one.length === 1 ? one : " "; }).join("");
  const hits = new Array<boolean>(text.length).fill(false);
  for (const word of words) for (let at = folded.indexOf(word); at >= 0; at = folded.indexOf(word, at + 1)) hits.fill(true, at, at + word.length);
  const parts: Part[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const last = parts.at(-1);
    if (last && last.hit === hits[at]) last.text += text.charAt(at);
    else parts.push({ text: text.charAt(at), hit: hits[at] ?? false });
  }
  return parts;
}
