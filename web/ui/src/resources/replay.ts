/** A track played again: where the unit was at a moment, and whether anybody knows. Pure; the server says gaps and stops. */
import type { TrackPoint, UnitTrack } from "../lib/wire";

export const TAIL = 10 * 60_000;
export const PACES = [1, 10, 60] as const;
/** Slower than this it stands. */
const STANDING = 3;

/** The place of the last point at or before a moment; −1 before the first. */
export function indexAt(points: readonly TrackPoint[], at: number): number {
  let [low, high] = [0, points.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((points[middle]?.[4] ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

export const gapAt = (gaps: UnitTrack["gaps"], at: number): [number, number] | null => gaps.find(([from, to]) => at > from && at < to) ?? null;

export interface Moment {
  point: TrackPoint | null;
  /** How old what is shown was at that moment, in milliseconds. */
  age: number;
  gap: [number, number] | null;
  stands: boolean;
  stop: UnitTrack["stops"][number] | null;
  sent: UnitTrack["assignments"];
}

export function momentOf(track: UnitTrack, at: number): Moment {
  const point = track.points[indexAt(track.points, at)] ?? null;
  return {
    point,
    age: point ? at - point[4] : 0,
    gap: gapAt(track.gaps, at),
    stands: point !== null && (point[3] ?? 0) < STANDING,
    stop: track.stops.find(({ since, until }) => at >= since && at <= until) ?? null,
    sent: track.assignments.filter(({ since, until }) => at >= since && (until === null || at < until)),
  };
}

/** The way in pieces: silence is no line. */
export function pieces(points: readonly TrackPoint[], gaps: UnitTrack["gaps"]): [number, number][][] {
  const silent = new Set(gaps.map(([, to]) => to));
  const found: [number, number][][] = [];
  for (const [lon, lat, , , at] of points) {
    if (found.length === 0 || silent.has(at)) found.push([]);
    found.at(-1)?.push([lon, lat]);
  }
  return found.filter((piece) => piece.length > 1);
}

/** What is worth showing of the day: from a little before it first told to a little after it last did. */
export function spanOf({ since, until, points }: UnitTrack): [number, number] {
  const [first, last] = [points[0]?.[4], points.at(-1)?.[4]];
  const margin = 5 * 60_000;
  return [Math.max(Date.parse(since), (first ?? -Infinity) - margin), Math.min(Date.parse(until), (last ?? Infinity) + margin)];
}

/** A fix speaks for the time until the next, but not through silence. */
const SPEAKS_FOR = 3 * 60_000;

/** The fastest in each of so many equal parts of the day; null where nothing is known. */
export function speeds(points: readonly TrackPoint[], since: number, until: number, parts: number): (number | null)[] {
  const found = Array<number | null>(parts).fill(null);
  const partOf = (at: number) => Math.floor(((at - since) / (until - since)) * parts);
  points.forEach(([, , , speed, at], place) => {
    const next = points[place + 1]?.[4] ?? at;
    const last = next - at <= SPEAKS_FOR ? Math.max(partOf(at), partOf(next) - 1) : partOf(at);
    for (let part = Math.max(0, partOf(at)); part <= Math.min(last, parts - 1); part += 1) found[part] = Math.max(found[part] ?? 0, speed ?? 0);
  });
  return found;
}

const ZONE = "America/Argentina/Buenos_Aires";
const iso = new Intl.DateTimeFormat("en-CA", { timeZone: ZONE, year: "numeric", month: "2-digit", day: "2-digit" });
/** The city's day of a moment, `2026-11-26`. */
export const dayOf = (at: number): string => iso.format(new Date(at));
/** When a day of the city begins. Argentina has kept one offset since 2009. */
export const startOf = (day: string): number => Date.parse(`${day}T00:00:00-03:00`);
export const DAY = 86_400_000;
