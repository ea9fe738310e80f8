/** Hours, ages and distances, as a control room says them: 24 h, the city's clock, decimal comma. */
import { LOCALE, t } from "./i18n";

const ZONE = "America/Argentina/Buenos_Aires";
const withSeconds = new Intl.DateTimeFormat(LOCALE, { timeZone: ZONE, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const short = new Intl.DateTimeFormat(LOCALE, { timeZone: ZONE, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const dated = new Intl.DateTimeFormat(LOCALE, { timeZone: ZONE, weekday: "long", day: "numeric", month: "long" });
const shortDate = new Intl.DateTimeFormat(LOCALE, { timeZone: ZONE, day: "2-digit", month: "2-digit" });

export const hourSeconds = (at: number | string): string => withSeconds.format(new Date(at));
export const hour = (at: number | string): string => short.format(new Date(at));
export const longDate = (at: number): string => dated.format(new Date(at));

/** The hour, with its day when it is another day than now. */
export function stamp(at: string, now: number): string {
  const day = shortDate.format(new Date(at));
  return day === shortDate.format(new Date(now)) ? hourSeconds(at) : `${day} ${hour(at)}`;
}

const two = (n: number): string => String(n).padStart(2, "0");

/** A running timer: `00:34`, `12:05`, `1:02:40`. */
export function running(milliseconds: number): string {
  const total = Math.max(0, Math.floor(milliseconds / 1000));
  const [h, m, s] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${two(m)}:${two(s)}`;
}

/** An age in words: "recién", "hace 4 min", "hace 2 h". */
export function ago(at: number | string, now: number): string {
  const seconds = Math.max(0, Math.floor((now - new Date(at).getTime()) / 1000));
  if (seconds < 10) return t("age.justNow");
  if (seconds < 60) return t("age.seconds", { n: seconds });
  if (seconds < 3600) return t("age.minutes", { n: Math.floor(seconds / 60) });
  if (seconds < 86_400) return t("age.hours", { n: Math.floor(seconds / 3600) });
  return t("age.days", { n: Math.floor(seconds / 86_400) });
}

/** The same, short enough for a pill: "45 s", "3 min", "2 h". */
export function age(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return t("age.s", { n: seconds });
  if (seconds < 3600) return t("age.min", { n: Math.floor(seconds / 60) });
  if (seconds < 86_400) return t("age.h", { n: Math.floor(seconds / 3600) });
  return t("age.d", { n: Math.floor(seconds / 86_400) });
}

export function distance(metres: number): string {
  if (metres < 1000) return t("distance.m", { n: Math.round(metres / 10) * 10 });
  return t("distance.km", { n: new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 1 }).format(metres / 1000) });
}

/** Where it is, in one line; the zone only when the words do not name it already. */
export function placeLine(place: string | null, zone: string | null): string {
  if (!place) return zone ?? "";
  return zone && !place.toLowerCase().includes(zone.toLowerCase()) ? `${place} · ${zone}` : place;
}

/** Straight line on the sphere; whoever shows it says so. */
export function metresBetween([lon1, lat1]: readonly [number, number], [lon2, lat2]: readonly [number, number]): number {
  const rad = Math.PI / 180;
  const a = Math.sin(((lat2 - lat1) * rad) / 2) ** 2 + Math.cos(lat1 * rad) * Math.cos(lat2 * rad) * Math.sin(((lon2 - lon1) * rad) / 2) ** 2;
  return 2 * 6_371_000 * Math.asin(Math.sqrt(a));
}
