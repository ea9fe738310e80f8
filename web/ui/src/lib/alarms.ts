/** Alarms in words and in order. Pure functions of the board and the hour. */
import { age, distance } from "./format";
import { t, word } from "./i18n";
import type { Alarm, AlarmKind, AlarmReport, WatchdogRule } from "./wire";

/** More medium alarms than this are shown by kind; a P1 or an SOS always stands by itself. */
export const GROUPED_FROM = 4;

export const isGrave = (alarm: Alarm): boolean => alarm.kind === "sos_unanswered" || alarm.facts.priority === 1;

/** SOS, then P1, then by severity; the oldest of each first. */
export const alarmOrder = (a: Alarm, b: Alarm): number => rank(a) - rank(b) || a.raised_at.localeCompare(b.raised_at) || a.id.localeCompare(b.id);
const rank = (alarm: Alarm): number => (alarm.kind === "sos_unanswered" ? 0 : isGrave(alarm) ? 1 : alarm.severity === "high" ? 2 : 3);

export interface AlarmGroups {
  /** One line each. */
  alone: Alarm[];
  /** Many of a kind behind one line. */
  grouped: [AlarmKind, Alarm[]][];
  answered: Alarm[];
  shelved: Alarm[];
}

export function alarmGroups(alarms: readonly Alarm[]): AlarmGroups {
  const sorted = [...alarms].sort(alarmOrder);
  const raised = sorted.filter(({ state }) => state === "raised");
  const rest = raised.filter((alarm) => !isGrave(alarm));
  const many = rest.length > GROUPED_FROM;
  const kinds = new Map<AlarmKind, Alarm[]>();
  if (many) for (const alarm of rest) kinds.set(alarm.kind, [...(kinds.get(alarm.kind) ?? []), alarm]);
  const grouped = [...kinds].filter(([, each]) => each.length > 1);
  const hidden = new Set(grouped.flatMap(([, each]) => each));
  return {
    alone: raised.filter((alarm) => !hidden.has(alarm)),
    grouped,
    answered: sorted.filter(({ state }) => state === "answered"),
    shelved: sorted.filter(({ state }) => state === "shelved"),
  };
}

/** What is wrong, in one sentence that names the unit and how long it has been so. */
export function alarmWords(alarm: Alarm, now: number): string {
  const { facts } = alarm;
  return t(`alarms.says.${alarm.kind}`, {
    unit: alarm.call_sign ?? t("timeline.aUnit"),
    age: age(now - Date.parse(alarm.since)),
    status: facts.status ? word("assignment.status", facts.status).toLowerCase() : "",
    far: facts.metres_away === undefined ? "" : t("alarms.away", { far: distance(facts.metres_away) }),
    percent: facts.percent ?? "",
    promised: facts.promised === undefined ? "" : age(facts.promised * 1000),
  });
}

/** A length of time that a rule names, to the second: "90 s", "3 min", "2 h", "2 min 30 s". */
export function span(seconds: number): string {
  const [units, rest] = seconds < 120 && seconds % 60 !== 0 ? [t("age.s", { n: seconds }), 0] : seconds >= 3600 && seconds % 3600 === 0 ? [t("age.h", { n: seconds / 3600 }), 0] : [t("age.min", { n: Math.floor(seconds / 60) }), seconds % 60];
  return rest ? `${units} ${t("age.s", { n: rest })}` : units;
}

/** A rule as one says it: "Si nadie acusa en 60 s…". */
export function ruleWords(rule: WatchdogRule): string {
  return t(`watchdogs.says.${rule.kind}`, {
    time: span(rule.seconds),
    metres: rule.threshold ?? "",
    percent: Math.round((rule.threshold ?? 0) * 100),
    status: rule.status ? word("assignment.status", rule.status).toLowerCase() : "",
  });
}

/** For whom a rule is: its priority, its kind of unit, or everybody (else). */
export function ruleScope(rule: WatchdogRule, all: readonly WatchdogRule[]): string {
  const parts = [rule.priority && t("watchdogs.priority", { n: rule.priority }), rule.unit_kind && word("kind", rule.unit_kind)].filter(Boolean);
  if (parts.length > 0) return parts.join(" · ");
  const alone = all.every((each) => each.key === rule.key || each.kind !== rule.kind || each.status !== rule.status);
  return t(alone ? "watchdogs.everybody" : "watchdogs.others");
}

/** How many weeks the report may show. */
export const WEEKS_SHOWN = [1, 4, 13] as const;
export type WeekOfAlarms = AlarmReport["weeks"][number];

/** The report as a sheet: first the weeks, then the rules, with what each figure was counted from. Codes, not words: a sheet is for machines too. */
export function alarmCsv(report: AlarmReport): string {
  const [week, rule] = [report.weeks, report.rules];
  const lines = (rows: object[]): string[][] => (rows[0] ? [Object.keys(rows[0]), ...rows.map((row) => Object.values(row).map((value) => String(value ?? "")))] : []);
  return [...lines(week), [], ...lines(rule)].map((row) => row.map(cell).join(",")).join("\r\n");
}
/** Quoted where it must be; nothing that a spreadsheet would take for a formula. */
const cell = (text: string): string => {
  const safe = /^[=+@-]/.test(text) && !/^-?\d/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};
