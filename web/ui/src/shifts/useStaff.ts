/** What the desk of personnel reads. Each book is read again when the feed says that it changed. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { LOCALE, t, word } from "../lib/i18n";
import { board, useBoard } from "../lib/live";
import * as verbs from "../lib/verbs";
import type { StaffRules, Trouble } from "../lib/wire";

/** The edition of some registers, as the feed tells it: it rises with every change. */
export function useEdition(...names: string[]): number {
  useBoard();
  let edition = 0;
  for (const [subject, { properties }] of board.features)
    if (subject.startsWith("register:") && names.includes((properties as unknown as { name: string }).name)) edition += properties.version;
  return edition;
}

const kept = { placeholderData: keepPreviousData } as const;
// Who is on duty changes with the clock too, without anybody doing anything.
const MINUTE = 60_000;

export const useStaff = () => useQuery({ queryKey: ["staff", useEdition("staff", "shifts")], queryFn: verbs.staff, ...kept });
export const useRules = () => useQuery({ queryKey: ["staff-rules", useEdition("staff")], queryFn: verbs.staffRules, ...kept });
export const useShifts = (first: string, last: string) =>
  useQuery({ queryKey: ["shifts", first, last, useEdition("shifts")], queryFn: () => verbs.shifts(first, last), ...kept });
export const useDuty = () => useQuery({ queryKey: ["duty", useEdition("shifts", "staff")], queryFn: verbs.onDuty, refetchInterval: MINUTE, ...kept });
export const useSwaps = () => useQuery({ queryKey: ["swaps", useEdition("shifts")], queryFn: verbs.swaps, ...kept });
export const useOnCall = () => useQuery({ queryKey: ["on-call", useEdition("on_call", "staff")], queryFn: verbs.onCall, refetchInterval: MINUTE, ...kept });

export const roleName = (rules: StaffRules | undefined, code: string): string => rules?.roles.find((role) => role.code === code)?.name ?? code;
export const paperName = (rules: StaffRules | undefined, code: string): string => rules?.credentials.find((kind) => kind.code === code)?.name ?? code;

const ZONE = "America/Argentina/Buenos_Aires";
const isoDay = new Intl.DateTimeFormat("en-CA", { timeZone: ZONE, year: "numeric", month: "2-digit", day: "2-digit" });
const shortDay = new Intl.DateTimeFormat(LOCALE, { timeZone: "UTC", weekday: "short", day: "numeric", month: "numeric" });
const longDay = new Intl.DateTimeFormat(LOCALE, { timeZone: "UTC", weekday: "long", day: "numeric", month: "long" });

/** The city's day of an instant, `2026-03-04`. */
export const dayOf = (at: number | string): string => isoDay.format(new Date(at));
export const dayAfter = (day: string, days: number): string => new Date(Date.parse(day) + days * 86_400_000).toISOString().slice(0, 10);
export const shortDayName = (day: string): string => shortDay.format(new Date(day));
export const longDayName = (day: string): string => longDay.format(new Date(day));
/** A date as people here write it. */
export const written = (day: string): string => day.split("-").reverse().join("/");

const number = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 1 });
export const hoursOf = (seconds: number): string => t("shifts.hours", { n: number.format(seconds / 3600) });

/** What speaks against somebody, or what a crew lacks, in words. */
export function inWords(trouble: Trouble, rules: StaffRules | undefined, name = ""): string {
  const facts = trouble as Record<string, string | number | null>;
  const until = typeof facts.until === "string" ? written(dayOf(Date.parse(facts.until) - 1)) : "";
  return word("shifts.trouble", trouble.code) === trouble.code
    ? trouble.code
    : t(`shifts.trouble.${trouble.code}${trouble.code === "credential_expired" && !until ? "_undated" : ""}`, {
        ...facts,
        name: name ? `${name}: ` : "",
        role: roleName(rules, String(facts.role ?? "")).toLowerCase(),
        credential: paperName(rules, String(facts.credential ?? "")).toLowerCase(),
        hours: typeof facts.hours === "number" ? number.format(facts.hours) : "",
        until,
      });
}
