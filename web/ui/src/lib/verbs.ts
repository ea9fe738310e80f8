/** Everything this screen can ask for, one function each. Creations carry their own id, so a second try does it once. */
import { api } from "./api";
import type { AssignmentDocument, AssignmentStatus, Catalogue, Closure, ClosureKind, Etas, Feature, Found, Incident, IncidentTask, Level, PlaceMatch, Point, Report, RunCard, Shape, SimilarIncident, TimelineEntry, UndoOffer, Zone, ZoneKind } from "./wire";

export type LonLat = [number, number];
const point = (at: LonLat): Point => ({ type: "Point", coordinates: at });
const post = <T = unknown>(path: string, body: object = {}): Promise<T> => api<T>(path, { method: "POST", body });

export const catalogue = () => api<Catalogue>("/catalogue");

export const similar = (report: string) => api<SimilarIncident[]>(`/reports/${report}/similar`);
/** A POST: each look is written down. */
export const contact = (report: string) => post<{ name: string | null; phone: string | null }>(`/reports/${report}/contact`);
export const join = (report: string, incident: string) => post<Feature<Report>>(`/reports/${report}/join`, { incident_id: incident });
export const dismiss = (report: string, reason: string, note?: string) => post(`/reports/${report}/dismiss`, { reason, note: note || undefined });

export interface NewIncident {
  id: string;
  type_code: string;
  priority?: Level;
  location: LonLat | null;
  place?: string;
  place_match?: PlaceMatch;
  summary?: string;
}

const incidentBody = ({ id, location, place, summary, ...rest }: NewIncident) => ({
  ...rest,
  location: location ? point(location) : undefined,
  place: place?.trim() || undefined,
  summary: summary?.trim() || undefined,
  id,
});

export const accept = (report: string, incident: NewIncident) => {
  const { id, ...body } = incidentBody(incident);
  return post<Feature<Incident>>(`/reports/${report}/accept`, { incident_id: id, ...body });
};
export const open = (incident: NewIncident) => post<Feature<Incident>>("/incidents", incidentBody(incident));

export const timeline = (incident: string) => api<{ entries: TimelineEntry[] }>(`/incidents/${incident}/timeline`);
export const addNote = (incident: string, id: string, text: string) => post(`/incidents/${incident}/notes`, { id, text });
export const strikeNote = (incident: string, note: string, reason: string) => post(`/incidents/${incident}/notes/${note}/strike`, { reason });

export const reclassify = (incident: string, type_code: string, priority?: Level) => post(`/incidents/${incident}/reclassify`, { type_code, priority });
export const relocate = (incident: string, at: LonLat, place?: string, match?: PlaceMatch | null) =>
  post(`/incidents/${incident}/relocate`, { location: point(at), place: place?.trim() || undefined, place_match: match ?? undefined });
export const hold = (incident: string, reason?: string) => post(`/incidents/${incident}/hold`, { reason: reason?.trim() || undefined });
export const underControl = (incident: string) => post(`/incidents/${incident}/under-control`);
export const finish = (incident: string) => post(`/incidents/${incident}/finish`);
export const close = (incident: string, disposition: string, note?: string) => post(`/incidents/${incident}/close`, { disposition, note: note?.trim() || undefined });
export const cancel = (incident: string, reason: string) => post(`/incidents/${incident}/cancel`, { reason });
export const reopen = (incident: string, reason: string) => post(`/incidents/${incident}/reopen`, { reason });

export const cardInForce = (type: string, priority: Level) => api<{ card: RunCard | null }>(`/run-cards/in-force?type_code=${encodeURIComponent(type)}&priority=${priority}`);
export const raiseAlarm = (incident: string, level: number, reason?: string) => post(`/incidents/${incident}/alarm/raise`, { level, reason: reason?.trim() || undefined });
export const lowerAlarm = (incident: string, level: number, reason: string) => post(`/incidents/${incident}/alarm/lower`, { level, reason });

const task = (of: IncidentTask, act: string, body?: object) => post<IncidentTask>(`/incidents/${of.incident_id}/tasks/${of.id}/${act}`, body);
export const tasks = (incident: string) => api<{ tasks: IncidentTask[] }>(`/incidents/${incident}/tasks`);
export const addTask = (incident: string, id: string, text: string, within?: number) =>
  post<IncidentTask>(`/incidents/${incident}/tasks`, { id, text, within_minutes: within });
export const tickStep = (of: IncidentTask, step: number, done: boolean) => task(of, "tick", { step, done });
export const completeTask = (of: IncidentTask) => task(of, "done");
export const dropTask = (of: IncidentTask, reason: string) => task(of, "not-needed", { reason });
export const reopenTask = (of: IncidentTask) => task(of, "reopen");

export type OnBusy = "refuse" | "release" | "add";
export interface Sending {
  id: string;
  unit_id: string;
  on_busy?: OnBusy;
  /** Why in spite of its gaps, or why it leaves something as grave. */
  override?: string;
  need?: string;
}
/** All of them or none; the same `id` when the same press is repeated after a silence. */
export const dispatch = (incident: string, id: string, units: Sending[]) =>
  post<{ assignments: AssignmentDocument[]; undo: UndoOffer | null }>(`/incidents/${incident}/assignments`, { id, units });
export const undo = (offer: UndoOffer) => post(`/undo/${offer.id}`);
export const assignmentStatus = (assignment: string, status: AssignmentStatus, reason?: string) =>
  post(`/assignments/${assignment}/status`, { status, reason });
export const duty = (unit: string, to: "on_duty" | "break" | "out_of_service") => post(`/units/${unit}/duty`, { duty: to });

export const describe = ([lon, lat]: LonLat) => api<{ place: string; zone: string | null }>(`/places/describe?lon=${lon.toFixed(6)}&lat=${lat.toFixed(6)}`);
export const search = (words: string, [lon, lat]: LonLat | [undefined, undefined], more = false) =>
  api<Found>(`/places/search?${new URLSearchParams({ q: words, ...(more ? { more: "true" } : {}), ...(lon === undefined ? {} : { lon: lon.toFixed(5), lat: lat.toFixed(5) }) })}`);
export const simulate = (running: boolean) => post("/simulation", { running });

export interface NewClosure {
  id: string;
  kind: ClosureKind;
  reason: string;
  shape: Shape;
  passable_by: string[];
  valid_until: string | null;
}

export const drawClosure = (closure: NewClosure) => post<Feature<Closure>>("/closures", closure);
export const liftClosure = (closure: string) => post<Feature<Closure>>(`/closures/${closure}/lift`);
const amend = (closure: Closure, field: string, body: object) => api<Feature<Closure>>(`/closures/${closure.id}/${field}`, { method: "POST", body, version: closure.version });
export const closureReason = (closure: Closure, reason: string) => amend(closure, "reason", { reason });
export const closureUntil = (closure: Closure, valid_until: string | null) => amend(closure, "validity", { valid_until });
export const closurePassable = (closure: Closure, passable_by: string[]) => amend(closure, "passable-by", { passable_by });

const lonLat = (name: string, [lon, lat]: LonLat) => `${name}lon=${lon.toFixed(6)}&${name}lat=${lat.toFixed(6)}`;
export const etas = (to: LonLat) => api<Etas>(`/travel/etas?${lonLat("", to)}`);
/** The way a unit would drive, as a line. */
export const route = async (from: LonLat, to: LonLat, unit: string) =>
  (await api<{ geometry: GeoJSON.LineString }>(`/travel/route?${lonLat("from_", from)}&${lonLat("to_", to)}&unit_id=${unit}`)).geometry;

export const zones = () => api<{ features: Zone[] }>("/zones");
export const zone = (id: string) => api<Zone>(`/zones/${id}`);
export const drawZone = (made: { id: string; kind: ZoneKind; name: string; desk: string; shape: GeoJSON.MultiPolygon }) => post<Zone>("/zones", made);
/** One field of a zone, as it was read at `version`. */
export const amendZone = (id: string, version: number, field: "name" | "desk" | "shape", value: string | GeoJSON.MultiPolygon) =>
  api<Zone>(`/zones/${id}/${field}`, { method: "POST", body: { [field]: value }, version });
export const endZone = (id: string, version: number) => api<Zone>(`/zones/${id}/end`, { method: "POST", body: {}, version });
