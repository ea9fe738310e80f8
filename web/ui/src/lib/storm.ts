/** Storm mode as a screen judges it: what stands behind one line, and how far a circuit is. Pure functions. */
import type { Circuit, Incident, IncidentCluster, Level, PlanStop, Report, ReportCluster, StormClusters } from "./wire";

/** Several things behind one line. It is named after its oldest member, and every member finds its way back to it. */
export interface Group<T, C> {
  subject: string;
  cluster: C;
  members: T[];
}
export type ReportGroup = Group<Report, ReportCluster>;
export type IncidentGroup = Group<Incident, IncidentCluster>;

export const isGroup = <T extends { subject: string }, C>(row: T | Group<T, C>): row is Group<T, C> => "cluster" in row;

const LOWEST_URGENT = 2;

/** What may be a P1 stands alone and first until somebody reads it. A type of P2 is grouped: fallen trees are what a storm is made of. */
export const isUrgentReport = (report: Report, priorityOf: (type: string | null) => Level | undefined): boolean => priorityOf(report.type_hint) === 1;

/** Never the urgent, nor what somebody is on or may not see. */
export const mayStandBehind = (incident: Incident): boolean =>
  !incident.masked && incident.priority > LOWEST_URGENT && incident.assignments.length === 0 && (incident.state === "received" || incident.state === "classified" || incident.state === "waiting");

/**
 * One line for each cluster, where its first member stood. The server says what belongs together; the board says what is still there, so
 * what somebody handled is gone at once and what just came in stands alone until it is looked at again.
 */
function fold<T extends { id: string; subject: string }, C>(kind: string, items: T[], clusters: C[], idsOf: (cluster: C) => string[], may: (item: T) => boolean): (T | Group<T, C>)[] {
  const groups = new Map<string, Group<T, C>>();
  for (const cluster of clusters) {
    const ids = idsOf(cluster);
    if (ids.length < 2) continue;
    const group = { subject: `cluster:${kind}:${ids[0] ?? ""}`, cluster, members: [] };
    for (const id of ids) groups.set(id, group);
  }
  const seen = new Set<Group<T, C>>();
  return items.flatMap((item): (T | Group<T, C>)[] => {
    const group = may(item) ? groups.get(item.id) : undefined;
    if (!group) return [item];
    group.members.push(item);
    if (seen.has(group)) return [];
    seen.add(group);
    return [group];
  });
}

/** Urgent ones first, each alone; then in the order in which they came. */
export function foldReports<T extends Report>(reports: T[], clusters: StormClusters | undefined, priorityOf: (type: string | null) => Level | undefined): (T | Group<T, ReportCluster>)[] {
  const urgent = (report: T) => isUrgentReport(report, priorityOf);
  const rest = fold("report", reports.filter((report) => !urgent(report)), clusters?.reports ?? [], ({ report_ids }) => report_ids, () => true);
  return [...reports.filter(urgent), ...rest];
}

/** `inDanger`: incidents where a crew calls for help; they stand alone whatever their priority. */
export const foldIncidents = <T extends Incident>(incidents: T[], clusters: StormClusters | undefined, inDanger: ReadonlySet<string | null> = new Set()): (T | Group<T, IncidentCluster>)[] =>
  fold("incident", incidents, clusters?.incidents ?? [], ({ incident_ids }) => incident_ids, (incident) => mayStandBehind(incident) && !inDanger.has(incident.id));

/** The cluster that a line was about: by its name, or by any that stood in it when its first is handled. */
export function findCluster<C>(clusters: C[], idsOf: (cluster: C) => string[], known: readonly string[]): C | null {
  return known.map((id) => clusters.find((cluster) => idsOf(cluster).includes(id))).find((found) => found !== undefined) ?? null;
}

/** `[3, 8]`: at the third of eight stops; between two, how many are behind. */
export function progress({ stops }: Circuit): [at: number, of: number] {
  const hand = stops.findIndex(({ state }) => state === "at_hand");
  return [hand >= 0 ? hand + 1 : stops.filter(({ state }) => state === "done" || state === "skipped").length, stops.length];
}

/** A plan while it is looked at: each circuit with its own id, so that giving it twice gives it once. `null` minutes: no longer true. */
export interface DraftStop extends PlanStop {
  arrives: number | null;
}
export interface Draft {
  id: string;
  unit_id: string;
  call_sign: string;
  kind: string;
  seconds: number | null;
  metres: number | null;
  stops: DraftStop[];
}

/** Arrivals hold up to where the order was changed. */
function changed(draft: Draft, stops: DraftStop[], from: number, id: string): Draft {
  return { ...draft, id, seconds: null, metres: null, stops: stops.map((stop, place) => (place < from ? stop : { ...stop, arrives: null })) };
}

export function moveStop(draft: Draft, place: number, by: -1 | 1, id: string): Draft {
  const to = place + by;
  const [one, other] = [draft.stops[place], draft.stops[to]];
  if (!one || !other) return draft;
  const stops = draft.stops.map((stop, at) => (at === place ? other : at === to ? one : stop));
  return changed(draft, stops, Math.min(place, to), id);
}

export const dropStop = (draft: Draft, place: number, id: string): Draft => changed(draft, draft.stops.filter((_, at) => at !== place), place, id);
