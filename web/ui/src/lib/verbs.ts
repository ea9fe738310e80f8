/** Everything this screen can ask for, one function each. Creations carry their own id, so a second try does it once. */
import { api } from "./api";
import type { Alarm, AlarmReport, AssignmentDocument, AssignmentStatus, Candidate, CardAnswer, CardEdition, CardEntry, CardLevel, CardTrial, Catalogue, Clocked, ClockPoint, Closure, ClosureKind, CoverageNow, CoverageTarget, Device, DeviceKind, DevicePairing, Etas, Feature, Found, Incident, IncidentTask, Level, Link, LinkWord, Major, MajorKind, MajorLine, MajorPost, MajorResources, MajorRole, MoveUp, NearIncident, OnCall, OnCallDuty, OnDuty, PlaceMatch, Point, Quality, Recommendation, Report, RunCard, Seat, SectorColour, Shape, ShiftPerson, ShiftSlot, ShiftTemplate, Sos, StaffCredential, StaffMember, StaffRules, StaffStatus, StormClusters, StormNow, StormPlan, StormPolicy, Swap, TimelineEntry, UndoOffer, UnitTrack, WatchdogRule, WatchdogRules, WorkedHours, Zone, ZoneKind } from "./wire";

export type LonLat = [number, number];
const point = (at: LonLat): Point => ({ type: "Point", coordinates: at });
const post = <T = unknown>(path: string, body: object = {}): Promise<T> => api<T>(path, { method: "POST", body });

export const catalogue = () => api<Catalogue>("/catalogue");

/** A POST: each look is written down. */
export const contact = (report: string) => post<{ name: string | null; phone: string | null }>(`/reports/${report}/contact`);
export const join = (report: string, incident: string) => post<Undoable<Feature<Report>>>(`/reports/${report}/join`, { incident_id: incident });
export const dismiss = (report: string, reason: string, said: { note?: string; answer?: string } = {}, channel?: string) =>
  post<Undoable>(`/reports/${report}/dismiss`, { reason, note: said.note?.trim() || undefined, answer: said.answer?.trim() || undefined, channel });

export interface NewIncident {
  id: string;
  type_code: string;
  priority?: Level;
  location: LonLat | null;
  place?: string;
  place_match?: PlaceMatch;
  summary?: string;
  /** By question, only when a report is accepted. */
  answers?: Record<string, string>;
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
export const addNote = (incident: string, id: string, text: string) => post<Undoable>(`/incidents/${incident}/notes`, { id, text });
export const strikeNote = (incident: string, note: string, reason: string) => post(`/incidents/${incident}/notes/${note}/strike`, { reason });

/** What can be taken back for ten seconds says how. */
type Undoable<T = object> = T & { undo?: UndoOffer | null };
/** Open ones in whose story this person did something. */
export const myIncidents = () => api<{ incident_ids: string[] }>("/incidents/mine");
/** Only what changes is said; `was`: what those fields said when one began, so that nobody's change is overwritten unseen. */
export interface Classed {
  type_code?: string;
  priority?: Level;
}
export const reclassify = (incident: string, to: Classed, was?: Classed) => post<Undoable>(`/incidents/${incident}/reclassify`, { ...to, was });
export interface Located {
  place?: string;
  location?: LonLat;
}
export const relocate = (incident: string, at: LonLat, place?: string, match?: PlaceMatch | null, was?: Located) =>
  post<Undoable>(`/incidents/${incident}/relocate`, { location: point(at), place: place?.trim() || undefined, place_match: match ?? undefined, was: was && { ...was, location: was.location && point(was.location) } });
export const summarise = (incident: string, summary: string, was: string) => post<Undoable>(`/incidents/${incident}/summary`, { summary, was });
export const handlersOf = (incident: string) => api<{ people: { id: string; name: string }[] }>(`/incidents/${incident}/handlers`);
export const giveIncident = (incident: string, person_id: string, was?: string) => post<Undoable>(`/incidents/${incident}/handler`, { person_id, was });
export const hold = (incident: string, reason?: string) => post<Undoable>(`/incidents/${incident}/hold`, { reason: reason?.trim() || undefined });
export const underControl = (incident: string) => post<Undoable>(`/incidents/${incident}/under-control`);
export const finish = (incident: string) => post<Undoable>(`/incidents/${incident}/finish`);
/** `answer`: what its reporters are told, where it is not what the ending says. */
export const close = (incident: string, disposition: string, said: { note?: string; answer?: string } = {}) =>
  post<Undoable>(`/incidents/${incident}/close`, { disposition, note: said.note?.trim() || undefined, answer: said.answer?.trim() || undefined });
export const cancel = (incident: string, reason: string, answer = "") => post<Undoable>(`/incidents/${incident}/cancel`, { reason, answer: answer.trim() || undefined });
export const reopen = (incident: string, reason: string) => post<Undoable>(`/incidents/${incident}/reopen`, { reason });

export const cardInForce = (type: string, priority: Level) => api<{ card: RunCard | null }>(`/run-cards/in-force?type_code=${encodeURIComponent(type)}&priority=${priority}`);
export const runCards = () => api<{ at: string; cards: CardEntry[]; missing: string[] }>("/run-cards");
export const runCardBook = (type: string, priority: Level | null) =>
  api<{ editions: CardEdition[] }>(`/run-cards/${encodeURIComponent(type)}${priority === null ? "" : `?priority=${priority}`}`);
export interface NewEdition {
  id: string;
  type_code: string;
  priority: Level | null;
  levels: CardLevel[];
  seen: number;
  made_from?: string;
  valid_from?: string;
  note?: string;
  trial_id?: string;
}
export const publishCard = (edition: NewEdition) => post<RunCard>("/run-cards", edition);
export const withdrawCard = (edition: string, reason: string) => post<RunCard>(`/run-cards/editions/${edition}/withdraw`, { reason });
export const previewCard = (type_code: string, priority: Level, levels: CardLevel[], level: number, at: LonLat) =>
  post<{ draft: CardAnswer; in_force: CardAnswer | null }>("/run-cards/preview", { type_code, priority, levels, level, location: point(at) });
export const tryCard = (id: string, type_code: string, priority: Level | null, levels: CardLevel[], days: number) =>
  post<CardTrial>("/run-cards/trials", { id, type_code, priority, levels, days });
export const cardTrial = (id: string) => api<CardTrial>(`/run-cards/trials/${id}`);

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
  post<Undoable<AssignmentDocument>>(`/assignments/${assignment}/status`, { status, reason });
export const reassign = (assignment: string, id: string, incident: string, reason?: string) =>
  post<Undoable<AssignmentDocument>>(`/assignments/${assignment}/reassign`, { id, incident_id: incident, reason: reason?.trim() || undefined });
export const swapUnits = (assignment: string, sending: Sending, reason?: string) =>
  post<Undoable<AssignmentDocument>>(`/assignments/${assignment}/swap`, { ...sending, reason: reason?.trim() || undefined });
export const stageAt = (assignment: string, name: string, at: LonLat) => post<Undoable<AssignmentDocument>>(`/assignments/${assignment}/stage`, { name, location: point(at) });
export const advance = (assignment: string) => post<Undoable<AssignmentDocument>>(`/assignments/${assignment}/advance`);
export const standDown = (assignment: string, reason: string) => post<Undoable<AssignmentDocument>>(`/assignments/${assignment}/stand-down`, { reason });
export const standDownAll = (incident: string, reason: string) => post<Undoable>(`/incidents/${incident}/stand-down`, { reason });
export const duty = (unit: string, to: "on_duty" | "break" | "out_of_service") => post<Undoable>(`/units/${unit}/duty`, { duty: to });

export const raiseSos = (unit: string, message?: string) => post<Feature<Sos>>(`/units/${unit}/sos`, { message: message?.trim() || undefined });
export const answerSos = (sos: string) => post<Feature<Sos>>(`/sos/${sos}/answer`);
export const falseAlarm = (sos: string, reason: string) => post<Undoable>(`/sos/${sos}/false-alarm`, { reason });

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

export const recommendation = (incident: string, at?: string) => api<Recommendation>(`/incidents/${incident}/recommendation${at ? `?at=${encodeURIComponent(at)}` : ""}`);
/** The ground that nobody reaches in time any more if a unit goes. */
export const lost = (unit: string) => api<GeoJSON.FeatureCollection<GeoJSON.MultiPolygon>>(`/recommendation/lost?unit_id=${unit}`);
const moveUp = (one: MoveUp, verb: string, body: object = {}) => api(`/move-ups/${one.id}/${verb}`, { method: "POST", body, version: one.version });
export const confirmMoveUp = (one: MoveUp) => moveUp(one, "confirm");
export const refuseMoveUp = (one: MoveUp, reason: string) => moveUp(one, "refuse", { reason });
export const callOffMoveUp = (one: MoveUp, reason: string) => moveUp(one, "call-off", { reason });
export const coverageTargets = () => api<{ targets: CoverageTarget[] }>("/coverage/targets");
export const capabilities = () => api<{ capabilities: { code: string; name: string }[] }>("/capabilities");
export const coverageNow = () => api<CoverageNow>("/coverage/now");
export interface NewTarget {
  id: string;
  capability?: string;
  kind?: string;
  minutes: number;
  minimum: number;
  zone_id?: string;
  replaces?: string;
}
export const setTarget = (target: NewTarget) => post<CoverageTarget>("/coverage/targets", target);
export const endTarget = (target: string) => post(`/coverage/targets/${target}/end`);
export type Policy = Record<string, number | string[] | Record<string, number>>;
export const dispatchPolicy = () => api<{ number: number; values: Policy }>("/dispatch-policy");
export const weigh = (values: Policy) => post<{ number: number; values: Policy }>("/dispatch-policy", { values });

export const zones = () => api<{ features: Zone[] }>("/zones");
export const zone = (id: string) => api<Zone>(`/zones/${id}`);
export const drawZone = (made: { id: string; kind: ZoneKind; name: string; desk: string; shape: GeoJSON.MultiPolygon }) => post<Zone>("/zones", made);
/** One field of a zone, as it was read at `version`. */
export const amendZone = (id: string, version: number, field: "name" | "desk" | "shape", value: string | GeoJSON.MultiPolygon) =>
  api<Zone>(`/zones/${id}/${field}`, { method: "POST", body: { [field]: value }, version });
export const endZone = (id: string, version: number) => api<Zone>(`/zones/${id}/end`, { method: "POST", body: {}, version });

// ── Personnel
export const staff = async () => (await api<{ members: StaffMember[] }>("/staff")).members;
export const staffRules = () => api<StaffRules>("/staff/rules");
export const staffFile = (id: string) => api<StaffMember & { slots: { placement_id: string; where: string; starts_at: string; ends_at: string; role: string }[] }>(`/staff/${id}`);
export const addMember = (made: { id: string; file_number: string; name: string; role: string; organization_id: string; phone: string }) => post<StaffMember>("/staff", made);
export const amendMember = (member: StaffMember, changes: { name?: string; role?: string; phone?: string; notes?: string }) =>
  api<StaffMember>(`/staff/${member.id}`, { method: "POST", body: changes, version: member.version });
export const standing = (member: StaffMember, status: StaffStatus, until: string | null) =>
  api<StaffMember>(`/staff/${member.id}/standing`, { method: "POST", body: { status, until }, version: member.version });
/** A file goes as it is: its encoding is found out there. */
export const importStaff = (list: string | File) => api<{ added: number; amended: number; same: number; errors: { line: number; column: string; message: string }[] }>("/staff/import", { raw: { body: list, type: "text/csv" } });
export const setPin = (member: string, pin: string) => post(`/staff/${member}/pin`, { pin });
export const addCredential = (member: string, made: { id: string; kind: string; number: string; valid_from: string | null; valid_to: string | null }) =>
  post<StaffCredential>(`/staff/${member}/credentials`, made);
export const withdrawCredential = (credential: string, reason: string) => post(`/staff/credentials/${credential}/withdraw`, { reason });
const days = (first: string, last: string) => `?first=${first}&last=${last}`;
export const workedHours = (member: string, first: string, last: string) => api<WorkedHours>(`/attendance/${member}/hours${days(first, last)}`);
export const hoursSheet = (first: string, last: string) => `/api/v1/attendance/hours.csv${days(first, last)}`;

export const shifts = async (first: string, last: string) => (await api<{ slots: ShiftSlot[] }>(`/shifts${days(first, last)}`)).slots;
export const onDuty = () => api<OnDuty>("/shifts/now");
export const shiftTemplates = async () => (await api<{ templates: ShiftTemplate[] }>("/shift-templates")).templates;
export const drawTemplate = (made: { id: string; name: string; unit_id?: string; place?: string; weekdays: number[]; starts: string; minutes: number; seats: Seat[] }) =>
  post<ShiftTemplate>("/shift-templates", made);
export const endTemplate = (template: ShiftTemplate) => api(`/shift-templates/${template.id}/end`, { method: "POST", body: {}, version: template.version });
export const planShifts = (first: string, last: string) => post<{ made: number }>("/shifts/generate", { first, last });
export const candidates = async (slot: string, role: string) => (await api<{ candidates: Candidate[] }>(`/shifts/${slot}/candidates?role=${encodeURIComponent(role)}`)).candidates;
export const place = (slot: string, made: { id: string; member_id: string; role?: string; reason?: string }) => post<ShiftPerson>(`/shifts/${slot}/placements`, made);
export const removePlacement = (placement: string, reason = "") => post(`/placements/${placement}/remove`, { reason });

export const swaps = async () => (await api<{ swaps: Swap[] }>("/swaps")).swaps;
export const askSwap = (id: string, placement_id: string, to_id: string | null) => post<Swap>("/swaps", { id, placement_id, to_id });
export const acceptSwap = (swap: string, member_id: string) => post<Swap>(`/swaps/${swap}/accept`, { member_id });
export const approveSwap = (swap: string, reason: string) => post<Swap>(`/swaps/${swap}/approve`, { reason });
export const rejectSwap = (swap: string, reason: string) => post<Swap>(`/swaps/${swap}/reject`, { reason });

export const onCall = () => api<OnCall>("/on-call");
export const putOnCall = (made: { id: string; member_id: string; title: string; rank: number; starts_at: string; ends_at: string }) => post<OnCallDuty>("/on-call", made);
export const takeOffCall = (duty: string) => post(`/on-call/${duty}/take-off`, {});

export const clockPoints = async () => (await api<{ points: ClockPoint[] }>("/attendance/points")).points;
export const makePoint = (made: { id: string; unit_id?: string; place?: string }) => post<ClockPoint>("/attendance/points", made);
export const renewPoint = (point: string) => post(`/attendance/points/${point}/renew`);
export const markIn = (made: { id: string; member_id: string; unit_id?: string; place?: string; reason: string }) => post("/attendance/in", made);
export const markOut = (member: string, reason: string) => post(`/attendance/${member}/out`, { reason });
export const clockWhere = (code: string) => api<{ where: string; unit: boolean }>(`/attendance/where?code=${encodeURIComponent(code)}`, { signingIn: true });
export const clockIn = (made: { id: string; code: string; file_number: string; pin: string }) => api<Clocked>("/attendance/clock", { method: "POST", body: made, signingIn: true });

/** An alarm as it was read: who came second is told so. */
export const answerAlarm = (alarm: Alarm, note = "") => api<Feature<Alarm>>(`/alarms/${alarm.id}/answer`, { method: "POST", body: { note }, version: alarm.version });
export const shelveAlarm = (alarm: Alarm, minutes: number, reason: string) =>
  api<Feature<Alarm>>(`/alarms/${alarm.id}/shelve`, { method: "POST", body: { minutes, reason }, version: alarm.version });
export const whomToCall = (alarm: string) => api<{ step: string; name: string | null; title: string | null; phone: string | null }>(`/alarms/${alarm}/whom`);
export const checkIn = (assignment: string) => post(`/assignments/${assignment}/check-in`);
export const checkInEverybody = (incident: string) => post(`/incidents/${incident}/check-in`);
export const watchdogs = () => api<WatchdogRules>("/watchdogs");
export const amendWatchdog = (rules: WatchdogRules, key: string, change: Partial<WatchdogRule>) =>
  api<WatchdogRules>(`/watchdogs/${key}`, { method: "POST", body: change, version: rules.version });
export const alarmReport = (weeks: number) => api<AlarmReport>(`/alarms/report?weeks=${weeks}`);
/** A POST: each look at where somebody was is written down. */
export const unitTrack = (unit: string, since: string, until: string) => post<UnitTrack>(`/units/${unit}/track`, { since, until });

export const devices = () => api<{ devices: Device[]; units: { id: string; call_sign: string }[] }>("/devices");
export const deviceQuality = (id: string) => api<Quality>(`/devices/${id}/quality`);
export const addDevice = (made: { id: string; name: string; kind: DeviceKind; unit_id: string | null; note: string }) => post<Device>("/devices", made);
/** One field of a device, as it was read at `version`. */
export const amendDevice = (device: Device, field: "name" | "note" | "unit", body: object) =>
  api<Device>(`/devices/${device.id}/${field}`, { method: "POST", body, version: device.version });
export const deviceToken = (id: string) => post<Device & DevicePairing>(`/devices/${id}/token`);
export const revokeDevice = (device: Device) => api<Device>(`/devices/${device.id}/revoke`, { method: "POST", body: {}, version: device.version });
export const near = (incident: string, code = "") => api<{ incidents: NearIncident[] }>(`/incidents/${incident}/near${code ? `?${new URLSearchParams({ code })}` : ""}`);
export const lineage = (incident: string) => api<{ lineage: Link[] }>(`/incidents/${incident}/lineage`);
export const reportsInside = (incident: string) => api<{ features: Feature<Report>[] }>(`/incidents/${incident}/reports`);
export const linkIncidents = (incident: string, id: string, other_id: string, kind: LinkWord, reason?: string) =>
  post<Link>(`/incidents/${incident}/links`, { id, other_id, kind, reason: reason?.trim() || undefined });
export const mergeInto = (incident: string, id: string, into_id: string, reason?: string) => post<Link>(`/incidents/${incident}/merge`, { id, into_id, reason: reason?.trim() || undefined });
export const splitOff = (incident: string, body: { id: string; incident_id: string; report_ids: string[]; assignment_ids: string[]; type_code?: string; reason?: string }) =>
  post<Link>(`/incidents/${incident}/split`, body);
/** Unlinks, unmerges, or merges what was split back; `left` names what could not be put back. */
export const takeBack = (link: string, reason?: string) => post<{ link: Link; left: { why: string; id: string }[] }>(`/links/${link}/undo`, { reason: reason?.trim() || undefined });

export const openMajor = (major: { id: string; name: string; kind: MajorKind; level: number; summary?: string; place?: string; perimeter?: Shape }) => post<Feature<Major>>("/majors", major);
export const majors = (state: "open" | "closed") => api<{ features: Feature<Major>[] }>(`/majors?state=${state}`);
const onMajor = <T = Feature<Major>>(major: string, path: string, body: object = {}) => post<T>(`/majors/${major}/${path}`, body);
export const majorPerimeter = (major: string, perimeter: Shape | null) => onMajor(major, "perimeter", { perimeter });
export const majorSummary = (major: string, summary: string) => onMajor(major, "summary", { summary });
export const majorLevel = (major: string, level: number) => onMajor(major, "level", { level });
export const closeMajor = (major: string, outcome: string, with_open: boolean) => onMajor(major, "close", { outcome, with_open });
export const reopenMajor = (major: string, reason: string) => onMajor(major, "reopen", { reason });
export const majorAdd = (major: string, id: string, incident_ids: string[], reason?: string) => onMajor<{ added: { code: string }[] }>(major, "incidents", { id, incident_ids, reason: reason?.trim() || undefined });
export const majorRemove = (major: string, incident: string, reason: string) => onMajor(major, `incidents/${incident}/remove`, { reason });
export const majorPlace = (major: string, incident: string, sector_id: string | null) => onMajor(major, `incidents/${incident}/sector`, { sector_id });
export const majorProposed = (major: string) => api<{ incidents: { incident_id: string; code: string; type_name: string; priority: Level; place: string | null }[] }>(`/majors/${major}/proposed`);
export const addSector = (major: string, sector: { id: string; name: string; colour: SectorColour; lead?: string; shape?: Shape }) => onMajor(major, "sectors", sector);
export const sectorLead = (major: string, sector: string, lead: string) => onMajor(major, `sectors/${sector}/lead`, { lead });
export const sectorShape = (major: string, sector: string, shape: Shape) => onMajor(major, `sectors/${sector}/shape`, { shape });
export const endSector = (major: string, sector: string) => onMajor(major, `sectors/${sector}/end`);
export const givePost = (major: string, body: { id: string; role: MajorRole; holder: string; organization?: string }) => onMajor(major, "posts", body);
export const majorPosts = (major: string, at?: string) => api<{ posts: MajorPost[] }>(`/majors/${major}/posts${at ? `?${new URLSearchParams({ at })}` : ""}`);
export const setObjective = (major: string, body: { id: string; text: string; period_from: string; period_until: string }) => onMajor(major, "objectives", body);
export const markObjective = (major: string, objective: string, reached: boolean) => onMajor(major, `objectives/${objective}`, { reached });
export const majorLog = (major: string) => api<{ lines: MajorLine[] }>(`/majors/${major}/log`);
export const writeLog = (major: string, id: string, text: string) => onMajor<{ id: string }>(major, "log", { id, text });
export const strikeLog = (major: string, entry: string, reason: string) => onMajor<{ id: string }>(major, `log/${entry}/strike`, { reason });
export const majorResources = (major: string) => api<MajorResources>(`/majors/${major}/resources`);

export const stormNow = () => api<StormNow>("/storm");
export const beginStorm = (id: string, reason: string) => post<{ began_at: string }>("/storm", { id, reason: reason.trim() });
export const endStorm = (reason: string) => post("/storm/end", { reason: reason.trim() });
export const amendStormPolicy = (policy: Partial<StormPolicy>) => post<StormPolicy & { number: number }>("/storm/policy", { policy });
export const stormClusters = () => api<StormClusters>("/storm/clusters");
export const acceptCluster = (body: { id: string; incident_id: string; type_code: string; priority?: Level; report_ids: string[] }) =>
  post<{ incident_id: string; code: string; reports: number }>("/storm/clusters/accept", body);
export const stormPlan = () => api<StormPlan>("/storm/plan");
export const giveCircuit = (id: string, unit_id: string, incident_ids: string[]) => post<{ id: string; version: number }>("/circuits", { id, unit_id, incident_ids });
export const skipStop = (circuit: string, incident_id: string, reason: string) => post(`/circuits/${circuit}/skip`, { incident_id, reason: reason.trim() });
export const callOffCircuit = (circuit: string, reason: string) => post(`/circuits/${circuit}/call-off`, { reason: reason.trim() });
