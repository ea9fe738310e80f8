/** Who is late and where it piles up, read off the live board: pure functions, so that a past hour answers the same way. */
import { isOpen, isOverdue, isUnacknowledged } from "./queue";
import type { Alarm, Catalogue, Incident, Report, Unit, UnitStatus } from "./wire";

type Limits = Partial<Record<UnitStatus, number>>;

/** How long a unit may be in a status before whoever watches over the room is told, in seconds. What is not here may last. */
const AFTER_STATUS: Limits = { assigned: 120, acknowledged: 240, en_route: 1_200, on_scene: 3_600, transporting: 2_400, at_destination: 2_400 };

export interface Late {
  /** What a click goes to. */
  subject: string;
  id: string;
  name: string;
  detail: string;
  status: string;
  priority: Incident["priority"] | null;
  /** Milliseconds in this status, and beyond what it may last. */
  age: number;
  over: number;
}

export interface Load {
  /** A desk, or who handles them; null: nobody. */
  whose: string | null;
  open: number;
  unheard: number;
  late: number;
}

const byExcess = (a: Late, b: Late): number => b.over - a.over || (a.id < b.id ? -1 : 1);

export const byDesk = ({ desk }: Incident): string | null => desk ?? null;
export const byHandler = ({ handler }: Incident): string | null => handler?.name ?? null;

/** Open incidents by whose they are, the fullest first. */
export function loads(incidents: readonly Incident[], now: number, whoseIs: (incident: Incident) => string | null): Load[] {
  const found = new Map<string | null, Load>();
  for (const incident of incidents) {
    if (incident.masked || !isOpen(incident)) continue;
    const whose = whoseIs(incident);
    const load = found.get(whose) ?? { whose, open: 0, unheard: 0, late: 0 };
    load.open += 1;
    load.unheard += Number(isUnacknowledged(incident));
    load.late += Number(isOverdue(incident, now));
    found.set(whose, load);
  }
  return [...found.values()].sort((a, b) => b.late - a.late || b.unheard - a.unheard || b.open - a.open || (a.whose ?? "").localeCompare(b.whose ?? ""));
}

/** Incidents beyond the target of where they stand: to be sent, to be acknowledged, to be reached. The catalogue says how long each may take. */
export function lateIncidents(incidents: readonly Incident[], priorities: Catalogue["priorities"], now: number): Late[] {
  const found: Late[] = [];
  for (const incident of incidents) {
    if (incident.masked || !isOpen(incident)) continue;
    const target = priorities.find(({ level }) => level === incident.priority);
    const line = (status: string, since: number, seconds: number | null | undefined) => {
      const over = seconds == null ? -1 : now - since - seconds * 1000;
      if (over > 0) found.push({ subject: `incident:${incident.id}`, id: incident.id, name: incident.type_name, detail: incident.place || incident.code, status, priority: incident.priority, age: now - since, over });
      return over > 0;
    };
    const opened = Date.parse(incident.opened_at);
    const due = incident.due_at === null ? null : (Date.parse(incident.due_at) - opened) / 1000;
    const [first] = incident.assignments.flatMap(({ since }) => (since ? [Date.parse(since)] : [])).sort((a, b) => a - b);
    if (isOverdue(incident, now) && line("reach", opened, due)) continue;
    if ((incident.state === "received" || incident.state === "classified") && incident.assignments.length === 0) line("send", opened, target?.processing_seconds);
    else if (first !== undefined && isUnacknowledged(incident)) line("acknowledge", first, target?.acknowledge_seconds);
  }
  return found.sort(byExcess);
}

/** Units that have been in one status for longer than it may last. */
export function lateUnits(units: readonly Unit[], incidents: ReadonlyMap<string, Incident>, now: number, limits: Limits = AFTER_STATUS): Late[] {
  const found: Late[] = [];
  for (const unit of units) {
    const incident = unit.incident_id ? incidents.get(unit.incident_id) : undefined;
    const since = incident?.assignments.find(({ unit_id }) => unit_id === unit.id)?.since;
    const limit = limits[unit.status];
    if (!since || limit === undefined) continue;
    const age = now - Date.parse(since);
    const over = age - limit * 1000;
    if (over > 0) found.push({ subject: `unit:${unit.id}`, id: unit.id, name: unit.call_sign, detail: incident?.place || incident?.code || "", status: unit.status, priority: null, age, over });
  }
  return found.sort(byExcess);
}

const HOUR = 3_600_000;

/** Milliseconds from sending to the first acknowledgement, in the middle of those of the last hour that are still on the board; null without any. */
export function acknowledgedIn(incidents: readonly Incident[], now: number): number | null {
  const took = incidents
    .filter(({ masked }) => !masked)
    .flatMap(({ stamps: { T5: sent, T7: heard } }) => (sent && heard && now - Date.parse(heard) < HOUR ? [Math.max(0, Date.parse(heard) - Date.parse(sent))] : []))
    .sort((a, b) => a - b);
  return took[Math.floor((took.length - 1) / 2)] ?? null;
}

/** Reports that nobody has taken up, the longest wait first. */
export const waitingReports = <R extends Report>(reports: readonly R[]): R[] =>
  reports.filter(({ status }) => status === "received").sort((a, b) => (a.received_at < b.received_at ? -1 : 1));

/** Alarms that somebody put aside for a while, the first to return first. */
export const shelvedAlarms = <A extends Alarm>(alarms: readonly A[]): A[] =>
  alarms.filter(({ state }) => state === "shelved").sort((a, b) => ((a.shelved_until ?? "") < (b.shelved_until ?? "") ? -1 : 1));

/** Alarms that nobody answered at their first step and went further up, the highest first. */
export const escalated = <A extends Alarm>(alarms: readonly A[]): A[] =>
  alarms.filter(({ state, level }) => state === "raised" && (level ?? 0) > 0).sort((a, b) => (b.level ?? 0) - (a.level ?? 0) || (a.raised_at < b.raised_at ? -1 : 1));
