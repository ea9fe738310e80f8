/** Closures as a screen judges them: by the server's clock, because nothing has to arrive for one to begin or to end. */
import { hour, stamp } from "./format";
import { t, word } from "./i18n";
import type { Closure } from "./wire";

export const KINDS = ["closed", "flooded", "works", "event", "obstacle"] as const;

/** Who may pass, as people say it. Kinds that are in none of these come from elsewhere and are kept as they are. */
export const PASSING = { ambulances: ["ambulance"], fire: ["fire"], police: ["police"], emergency: ["ambulance", "fire", "police", "civil_protection"] } as const;
export type Passing = keyof typeof PASSING;

export const inForce = ({ valid_from, valid_until, lifted_at }: Closure, now: number): boolean =>
  lifted_at === null && Date.parse(valid_from) <= now && (valid_until === null || Date.parse(valid_until) > now);

export const toCome = ({ valid_from, valid_until }: Closure, now: number): boolean => Date.parse(valid_from) > now && (valid_until === null || Date.parse(valid_until) > now);

/** When time alone changes what is drawn: the next beginning or end after `now`. */
export function nextTurn(closures: Closure[], now: number): number | null {
  const turns = closures.flatMap(({ valid_from, valid_until }) => [Date.parse(valid_from), valid_until === null ? NaN : Date.parse(valid_until)]).filter((at) => at > now);
  return turns.length > 0 ? Math.min(...turns) : null;
}

const HOUR = 3_600_000;
const CITY_OFFSET = -3 * HOUR; // the city keeps one time all year

export const UNTILS = ["hour", "four", "morning", "open"] as const;
export type Until = (typeof UNTILS)[number];

/** The end that a chip stands for; null for none. "Morning" is the next six o'clock that is at least an hour away. */
export function untilAt(until: Until, now: number): number | null {
  if (until === "hour") return now + HOUR;
  if (until === "four") return now + 4 * HOUR;
  if (until === "open") return null;
  const local = now + CITY_OFFSET;
  const six = Math.floor(local / (24 * HOUR)) * 24 * HOUR + 6 * HOUR;
  return (six - local >= HOUR ? six : six + 24 * HOUR) - CITY_OFFSET;
}

/** "desde las 14:05, hasta las 18:00". */
export function validity({ valid_from, valid_until }: Closure, now: number): string {
  const at = (iso: string) => (Math.abs(Date.parse(iso) - now) < 20 * HOUR ? hour(iso) : stamp(iso, now));
  return t(valid_until === null ? "closure.sinceOpen" : "closure.sinceUntil", { from: at(valid_from), until: valid_until === null ? "" : at(valid_until) });
}

export const whoPasses = (passable_by: string[]): string => (passable_by.length === 0 ? t("closure.nobody") : passable_by.map((kind) => word("kind", kind)).join(", "));
