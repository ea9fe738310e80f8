/** What waits for whom, and in which order it is read. Pure functions of the board and the hour. */
import type { Placed } from "./board";
import { nearness, type Etas } from "./etas";
import type { Eta, Incident, IncidentState, Report, Unit, UnitStatus } from "./wire";

const OVER: ReadonlySet<IncidentState> = new Set(["closed", "cancelled", "merged", "referred"]);
const ANSWERED: ReadonlySet<IncidentState> = new Set(["en_route", "on_scene", "under_control", "finished"]);

export const isOver = (incident: Incident): boolean => OVER.has(incident.state);
export const isOpen = (incident: Incident): boolean => !isOver(incident);

/** Nobody has said yet that they have it: no unit, or none that acknowledged. */
export function isUnacknowledged(incident: Incident): boolean {
  if (incident.masked || isOver(incident) || ANSWERED.has(incident.state)) return false;
  // Lower priorities may be made to wait; a P1 that waits is one that nobody has.
  if (incident.state === "waiting" && incident.priority > 1) return false;
  return incident.assignments.every(({ status }) => status === "assigned");
}

export const isUnassigned = (incident: Incident): boolean =>
  !incident.masked && isOpen(incident) && incident.assignments.length === 0 && incident.state !== "finished";

/** Milliseconds past the target (negative: still to go); null without one. */
export const overdueBy = (incident: Incident, now: number): number | null =>
  incident.due_at === null || isOver(incident) ? null : now - Date.parse(incident.due_at);

export const isOverdue = (incident: Incident, now: number): boolean => (overdueBy(incident, now) ?? -1) > 0;

/** Where it stands in the queue: a crew in danger, unacknowledged P1, overdue, priority; what is over goes last. */
function rankOf(incident: Incident, now: number, inDanger: ReadonlySet<string>): number {
  if (inDanger.has(incident.id)) return -1;
  if (isOver(incident)) return 20;
  if (incident.masked) return 10;
  if (incident.priority === 1 && isUnacknowledged(incident)) return 0;
  return (isOverdue(incident, now) ? 1 : 5) + (incident.priority - 1) / 4;
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const byAge = (a: Incident, b: Incident): number => byText(a.opened_at, b.opened_at) || byText(a.id, b.id);

export const incidentOrder =
  (now: number, inDanger: ReadonlySet<string> = NOBODY): ((a: Incident, b: Incident) => number) =>
  (a, b) =>
    rankOf(a, now, inDanger) - rankOf(b, now, inDanger) || byAge(a, b);

/** In the order in which they are read: rank, then age. Each is ranked once: fifteen hundred of them are put in order at every news. */
export function inOrder<T extends Incident>(incidents: readonly T[], now: number, inDanger: ReadonlySet<string> = NOBODY): T[] {
  return incidents
    .map((incident) => ({ incident, rank: rankOf(incident, now, inDanger) }))
    .sort((a, b) => a.rank - b.rank || byAge(a.incident, b.incident))
    .map(({ incident }) => incident);
}

/** The next that nobody has acknowledged and cannot wait, after the one that is looked at and then from the beginning. */
export function nextUnheard(incidents: readonly Incident[], selected: string | null): Incident | null {
  const unheard = incidents.filter((incident) => !incident.masked && incident.priority === 1 && isUnacknowledged(incident));
  const at = unheard.findIndex(({ subject }) => subject === selected);
  return unheard[(at + 1) % Math.max(1, unheard.length)] ?? null;
}

const NOBODY: ReadonlySet<string> = new Set();

/** First in, first read. */
export const reportOrder = (a: Report, b: Report): number => byText(a.received_at, b.received_at) || byText(a.id, b.id);

export interface FrozenOrder {
  /** Ids in the order to show; some may no longer exist on the board. */
  shown: string[];
  /** Ids that came while frozen and wait for the pointer to leave. */
  held: string[];
}

/** While someone points at the list nothing moves under the hand: the order stays, newcomers wait, the gone keep their place. */
export function frozenOrder(previous: readonly string[] | null, current: readonly string[]): FrozenOrder {
  if (!previous) return { shown: [...current], held: [] };
  const known = new Set(previous);
  return { shown: [...previous], held: current.filter((id) => !known.has(id)) };
}

/* ---------------------------------------------------------------- units */

export type Hue = "libre" | "tarea" | "no";
export type Fill = "solid" | "hollow" | "half" | "stripes" | "dashed";

export interface Pill {
  letter: string;
  fill: Fill;
  hue: Hue;
}

const PILLS: Record<UnitStatus, Pill> = {
  available: { letter: "D", fill: "solid", hue: "libre" },
  assigned: { letter: "A", fill: "hollow", hue: "tarea" },
  acknowledged: { letter: "A", fill: "hollow", hue: "tarea" },
  en_route: { letter: "C", fill: "half", hue: "tarea" },
  on_scene: { letter: "L", fill: "solid", hue: "tarea" },
  transporting: { letter: "T", fill: "stripes", hue: "tarea" },
  at_destination: { letter: "T", fill: "stripes", hue: "tarea" },
  break: { letter: "F", fill: "solid", hue: "no" },
  out_of_service: { letter: "F", fill: "solid", hue: "no" },
};

export const AGE_SHOWN_AFTER = 60_000;
export const SIGNAL_LOST_AFTER = 300_000;

export const pillOf = (status: UnitStatus): Pill => PILLS[status] ?? { letter: "?", fill: "dashed", hue: "no" };

/** Blinks until the crew says it heard. */
export const awaitsAck = (unit: Unit): boolean => unit.status === "assigned";

/** Positions are only doubted on duty: a parked unit out of service need not speak. */
export const positionOld = (unit: Unit, fixedAt: number | undefined, now: number): boolean =>
  unit.status !== "out_of_service" && fixedAt !== undefined && now - fixedAt >= SIGNAL_LOST_AFTER;

/**
 * A free unit whose position is old: nobody knows where it would leave from. One on a task keeps its letter, which people said and not
 * the satellite; its age is written beside it, and so is "sin posición" of one that never sent any.
 */
export const signalLost = (unit: Unit, fixedAt: number | undefined, now: number): boolean =>
  unit.status === "available" && positionOld(unit, fixedAt, now);

const WORK: UnitStatus[] = ["assigned", "acknowledged", "en_route", "on_scene", "transporting", "at_destination", "available", "break", "out_of_service"];
const BY_CALL_SIGN = new Intl.Collator("es", { numeric: true });

export const unitOrder = (a: Unit, b: Unit): number =>
  WORK.indexOf(a.status) - WORK.indexOf(b.status) || BY_CALL_SIGN.compare(a.call_sign, b.call_sign);

/* ------------------------------------------------------------ candidates */

export interface Candidate {
  unit: Placed<Unit>;
  /** In a straight line. */
  metres: number | null;
  /** By road, where the server said so. */
  eta: Eta | null;
  fixedAt: number | null;
  onCard: boolean;
}

/** Free units, those that the run card needs before the rest, soonest there first. `needed`: capabilities. */
export function candidates(
  units: Placed<Unit>[],
  at: [number, number] | null,
  positions: ReadonlyMap<string, { lon: number; lat: number; fixedAt: number }>,
  needed: readonly string[],
  between: (a: [number, number], b: [number, number]) => number,
  etas: Etas = new Map(),
): Candidate[] {
  const wanted = new Set(needed);
  return units
    .filter(({ status }) => status === "available")
    .map((unit) => {
      const position = positions.get(unit.id);
      return {
        unit,
        metres: at && position ? between(at, [position.lon, position.lat]) : null,
        eta: etas.get(unit.id) ?? null,
        fixedAt: position?.fixedAt ?? null,
        onCard: unit.capabilities.some((code) => wanted.has(code)),
      };
    })
    .sort(
      (a, b) =>
        Number(b.onCard) - Number(a.onCard) ||
        (nearness(a) - nearness(b) || 0) ||
        BY_CALL_SIGN.compare(a.unit.call_sign, b.unit.call_sign),
    );
}

/** Lower case, no accents: what a hurried person types. */
export const plain = (text: string): string => text.normalize("NFD").replace(/\p{Diacritic}/gu, "").toLowerCase();
export const matches = (query: string, ...fields: (string | null | undefined)[]): boolean => {
  const haystack = plain(fields.filter(Boolean).join(" "));
  return plain(query).split(/\s+/).every((piece) => haystack.includes(piece));
};
