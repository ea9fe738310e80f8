/** How a person arranges the desk: which layout, how wide each part, whether the foot is out. Pure; `console/layout/arrangement.ts` keeps it. */

export const LAYOUTS = ["intake", "dispatch", "supervision"] as const;
export type Layout = (typeof LAYOUTS)[number];
export type Part = "supervision" | "queue" | "map" | "card";

/** One part of the desk: its share of the width to begin with, and the least that it can be read in. */
export interface Track {
  part: Part;
  share: number;
  least: number;
}

const track = (part: Part, share: number, least: number): Track => ({ part, share, least });

/** From left to right. The queue keeps its place, so that what is new always shows in the same corner. */
const TRACKS: Record<Layout, Track[]> = {
  intake: [track("queue", 24, 300), track("card", 46, 380), track("map", 30, 240)],
  dispatch: [track("queue", 25.5, 300), track("map", 43.5, 240), track("card", 31, 360)],
  supervision: [track("supervision", 25, 280), track("queue", 23, 290), track("map", 26, 200), track("card", 26, 330)],
};

/** With the map in a window of its own the others get its room. */
export function tracksOf(layout: Layout, apart: boolean): Track[] {
  const all = TRACKS[layout];
  if (!apart) return all;
  const left = all.filter(({ part }) => part !== "map");
  const whole = left.reduce((sum, { share }) => sum + share, 0);
  return left.map((each) => ({ ...each, share: (each.share * 100) / whole }));
}

/** Widths are kept for what was on screen: one set with the map, one without. */
export const sizesKey = (layout: Layout, apart: boolean): string => (apart ? `${layout}:apart` : layout);

/** In percent by part. */
export type Sizes = Record<string, number>;

export interface Arrangement {
  /** What the person chose; null follows the role. */
  layout: Layout | null;
  foot: boolean;
  sizes: Record<string, Sizes>;
}

export const BLANK: Arrangement = { layout: null, foot: true, sizes: {} };

/** Whoever answers the telephone begins with the card, whoever watches over the room with the room. */
export const layoutOf = (role: string): Layout => (role === "call_taker" ? "intake" : role === "supervisor" ? "supervision" : "dispatch");

const isLayout = (value: unknown): value is Layout => LAYOUTS.some((each) => each === value);

/** What was kept, as far as it can be believed: another version of the page, or a person with an editor, may have written it. */
export function arrangementFrom(kept: unknown): Arrangement {
  if (typeof kept !== "object" || kept === null) return BLANK;
  const { layout, foot, sizes } = kept as Record<string, unknown>;
  const believed: Record<string, Sizes> = {};
  if (typeof sizes === "object" && sizes !== null)
    for (const name of LAYOUTS)
      for (const apart of [false, true]) {
        const found = sizesFrom((sizes as Record<string, unknown>)[sizesKey(name, apart)], tracksOf(name, apart));
        if (found) believed[sizesKey(name, apart)] = found;
      }
  return { layout: isLayout(layout) ? layout : null, foot: foot !== false, sizes: believed };
}

/** Widths of exactly these parts that fill the desk; null otherwise. */
export function sizesFrom(kept: unknown, tracks: readonly Track[]): Sizes | null {
  if (typeof kept !== "object" || kept === null) return null;
  const entries = tracks.map(({ part }) => [part, (kept as Record<string, unknown>)[part]] as const);
  let whole = 0;
  for (const [, size] of entries) {
    if (typeof size !== "number" || !(size > 0)) return null;
    whole += size;
  }
  return Math.abs(whole - 100) < 0.5 ? (Object.fromEntries(entries) as Sizes) : null;
}
