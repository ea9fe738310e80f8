/** What travels between the server and us (docs/api.md). Types only, plus the few guards that read untrusted frames. */
import type { Channel, TypeQuestion } from "./calls";
import type { RadioLine } from "./radio";

export type Level = 1 | 2 | 3 | 4;
export type Point = { type: "Point"; coordinates: [lon: number, lat: number] };
/** What closures and zones are made of. */
export type Shape = GeoJSON.Point | GeoJSON.LineString | GeoJSON.MultiLineString | GeoJSON.Polygon | GeoJSON.MultiPolygon;

export type IncidentState =
  | "received" | "classified" | "waiting" | "dispatched" | "en_route" | "on_scene"
  | "under_control" | "finished" | "closed" | "cancelled" | "referred" | "merged";

export type AssignmentStatus =
  | "assigned" | "acknowledged" | "en_route" | "on_scene" | "transporting" | "at_destination"
  | "released" | "refused" | "cancelled";

export type UnitStatus =
  | "available" | "assigned" | "acknowledged" | "en_route" | "on_scene" | "transporting" | "at_destination"
  | "break" | "out_of_service";

export interface LiveAssignment {
  id: string;
  unit_id: string;
  call_sign: string;
  status: AssignmentStatus;
  since: string;
  /** It leads: the unit works on this. False: it waits behind what the unit does. */
  exclusive: boolean;
  /** Until when the crew should have said that it heard; null once it has. */
  acknowledge_by: string | null;
  /** By when the crew on scene must say that it is well; null where no rule asks. */
  check_in_due_at: string | null;
  staging: { name: string; lon: number; lat: number; since: string } | null;
  need: string | null;
  overridden: boolean;
  made_at: string;
  made_by: string;
}

export interface AssignmentDocument extends LiveAssignment {
  incident_id: string;
  stamps: Record<string, string>;
  released_at: string | null;
  reason: string;
  override: { gaps: string[]; reason: string; by: string } | null;
  replaces: string | null;
}

/** A crew in danger; it is on the board while it is live. */
export interface Sos extends Base {
  unit_id: string;
  call_sign: string;
  incident_id: string;
  incident_code: string;
  status: "raised" | "answered" | "false_alarm" | "ended";
  message: string;
  place: string;
  /** How its place is known; `city`: it is not. */
  located: "told" | "position" | "base" | "city";
  fixed_at: string | null;
  raised_at: string;
  raised_by: string;
  answered_at: string | null;
  answered_by: string | null;
}

/** A unit that could not be sent because it has something to do, as a refusal tells of it. */
export interface BusyUnit {
  unit_id: string;
  call_sign: string;
  status: AssignmentStatus;
  status_since: string;
  since: string;
  by: string;
  incident_id: string;
  incident_code: string;
  /** Null where this person may not see them. */
  type_name: string | null;
  priority: Level | null;
  place: string | null;
  waiting: number;
}

/** The way back from what was just done, for ten seconds. */
export interface UndoOffer {
  id: string;
  until: string;
}

export type Precision = "exact" | "interpolated" | "block" | "street" | "zone";

/** What words for a place were taken to mean; it stands beside the words, never for them. */
export interface PlaceMatch {
  label: string;
  kind: string;
  precision: Precision;
  lon: number;
  lat: number;
}

/** An answer while somebody types; `sure`: the first may be taken without asking. */
export interface Found {
  sure: boolean;
  /** Another finder may know better: ask again with `more`. */
  more: boolean;
  matches: { label: string; kind: string; precision: Precision; location: Point; score: number; zone: string | null }[];
}

interface Base {
  subject: string;
  id: string;
  version: number;
}

/** Whose a place is. `outside`: the city says where it ends, and this is beyond it. A line from before this was known says nothing. */
export interface Whose {
  jurisdiction?: string | null;
  outside?: boolean;
  desk?: string | null;
}

export interface Incident extends Base, Whose {
  code: string;
  masked: boolean;
  type_code: string;
  type_name: string;
  priority: Level;
  sensitivity: number;
  alarm_level: number;
  /** Null for who does not see it whole. */
  tasks: { open: number; done: number; overdue: number } | null;
  state: IncidentState;
  place: string | null;
  place_match?: PlaceMatch | null;
  zone: string | null;
  summary: string | null;
  /** Who handles it at the desks. */
  handler?: { id: string; name: string } | null;
  reports: number;
  assignments: LiveAssignment[];
  opened_at: string;
  stamps: Record<string, string | null>;
  due_at: string | null;
  disposition: string | null;
  closed_at: string | null;
  shared_with: string[];
}

/** A book that only tells that it changed. */
export interface Register extends Base {
  name: string;
  changed_at: string;
  changed_by: string;
}

export interface Report extends Base, Whose {
  channel: string;
  words: string;
  place: string | null;
  place_match?: PlaceMatch | null;
  type_hint: string | null;
  status: "received" | "accepted" | "joined" | "dismissed";
  incident_id: string | null;
  received_at: string;
  zone: string | null;
  /** Told afterwards, by whoever has the code. */
  facts?: { at: string; words: string }[];
  has_contact: boolean;
}

export interface Unit extends Base {
  call_sign: string;
  kind: string;
  organization: string;
  organization_id: string;
  capabilities: string[];
  status: UnitStatus;
  status_since: string;
  assignment_id: string | null;
  incident_id: string | null;
  incident_code: string | null;
  base: string | null;
  base_id: string | null;
  home_zone: string;
  home_zone_id: string | null;
  /** How much of a capability, in its measure. */
  amounts: Record<string, number>;
  /** Null for who does not see the unit whole. */
  notes: string | null;
}

export interface Capability {
  code: string;
  name: string;
  description: string;
  measure: string | null;
  crew: { role: string; count: number; credential: string | null }[];
  retired_at: string | null;
  version: number;
}

export interface ResourceGap {
  code: string;
  blocks: boolean;
  until?: string;
  days?: number;
  plate?: string;
}

export interface Vehicle {
  id: string;
  plate: string;
  make: string;
  model: string;
  year: number | null;
  inspection_until: string | null;
  insurance_until: string | null;
  notes: string;
  gaps: ResourceGap[];
  version: number;
  unit_id?: string | null;
}

export const EQUIPMENT_STATES = ["working", "faulty", "in_repair", "missing"] as const;
export type EquipmentState = (typeof EQUIPMENT_STATES)[number];

export interface Piece {
  id: string;
  unit_id: string;
  name: string;
  quantity: number;
  serial: string;
  state: EquipmentState;
  valid_until: string | null;
  note: string;
  version: number;
}

export interface Photo {
  id: string;
  subject: string;
  caption: string;
  width: number;
  height: number;
  added_at: string;
  added_by: string;
}

/** What a unit carries and drives, with papers and photos. */
export interface UnitSheet {
  id: string;
  vehicle: Vehicle | null;
  vehicles: { vehicle_id: string; plate: string; since: string; until: string | null; by: string }[];
  equipment: Piece[];
  photos: Photo[];
  gaps: ResourceGap[];
}

/** What a spreadsheet would do, or did. */
export interface Imported {
  applied: boolean;
  counts: { add: number; change: number; same: number; bad: number };
  rows: { line: number; call_sign: string; what: "add" | "change" | "same"; changes: { field: string; was: string; becomes: string }[] }[];
  errors: { line: number; column: string; code: string; message: string }[];
  ignored: string[];
}

export const FACILITY_KINDS = ["base", "hospital", "clinic", "shelter", "fire_station", "police", "school", "vecinal", "hydrant", "camera"] as const;
export type FacilityKind = (typeof FACILITY_KINDS)[number];

export interface Capacity {
  kind: string;
  total: number | null;
  free: number;
  note: string;
  updated_at: string;
  updated_by: string;
  version: number;
}

export interface Facility {
  type: "Feature";
  id: string;
  geometry: Point;
  properties: {
    id: string;
    kind: FacilityKind;
    name: string;
    address: string | null;
    organization_id: string | null;
    by_hand: boolean;
    note: string;
    flow_l_min: number | null;
    out_of_service: { since: string; reason: string } | null;
    capacities: Capacity[];
    version: number;
  };
  photos?: Photo[];
}

export interface StockItem {
  id: string;
  facility_id: string;
  facility: string | null;
  item: string;
  unit: string;
  quantity: number;
  minimum: number;
  low: boolean;
  updated_at: string;
  version: number;
}

export interface StockMove {
  id: string;
  kind: "in" | "out" | "adjust";
  quantity: number;
  left: number;
  reason: string;
  at: string;
  by: string;
}

export interface Organization {
  id: string;
  name: string;
  kind: string;
}

export type ClosureKind = "closed" | "flooded" | "works" | "event" | "obstacle";

export interface Closure extends Base {
  kind: ClosureKind;
  reason: string;
  /** Kinds of units that get through; empty: nobody. */
  passable_by: string[];
  valid_from: string;
  valid_until: string | null;
  lifted_at: string | null;
  drawn_by: string;
}

export type LinkKind = "parent" | "related" | "duplicate" | "merged" | "split";
/** What the other incident is to this one. */
export type LinkWord = "parent" | "child" | "related" | "duplicate";

export interface LinkEnd {
  id: string;
  code: string;
  /** What that end's EIDO document carries. */
  eido: string;
}

/** Two incidents that hang together; `from` is the parent, the duplicate that was merged, or what was split. */
export interface Link extends Base {
  kind: LinkKind;
  from: LinkEnd;
  to: LinkEnd;
  reason: string;
  made_at: string;
  made_by: string;
  undone: { at: string; by: string; reason: string } | null;
}

export interface NearIncident {
  incident_id: string;
  code: string;
  type_code: string;
  type_name: string;
  same_type: boolean;
  place: string | null;
  state: IncidentState;
  reports: number;
  metres: number;
  seconds: number;
}

export const MAJOR_KINDS = ["storm", "flood", "fire", "hazardous", "collapse", "transport", "crowd", "outage", "other"] as const;
export type MajorKind = (typeof MAJOR_KINDS)[number];
export const MAJOR_ROLES = ["command", "safety", "liaison", "information", "operations", "planning", "logistics", "administration"] as const;
export type MajorRole = (typeof MAJOR_ROLES)[number];
export const SECTOR_COLOURS = ["orange", "sky", "green", "yellow", "blue", "pink"] as const;
export type SectorColour = (typeof SECTOR_COLOURS)[number];

export interface MajorSector {
  id: string;
  name: string;
  colour: SectorColour;
  lead: string;
  shape: GeoJSON.Polygon | GeoJSON.MultiPolygon | null;
}

export interface MajorPost {
  id: string;
  role: MajorRole;
  holder: string;
  organization: string;
  person_id: string | null;
  since: string;
  until: string | null;
}

export interface MajorObjective {
  id: string;
  text: string;
  from: string;
  until: string;
  reached_at: string | null;
  reached_by: string | null;
}

export interface Major extends Base {
  code: string;
  name: string;
  kind: MajorKind;
  level: 1 | 2 | 3;
  sensitivity: number;
  summary: string;
  place: string;
  opened_at: string;
  opened_by: string;
  closed_at: string | null;
  outcome: string | null;
  sectors: MajorSector[];
  posts: MajorPost[];
  objectives: MajorObjective[];
}

/** An incident's place in a major one: told apart, because it is as secret as the incident. */
export interface MajorMember extends Base {
  major_id: string;
  incident_id: string;
  code: string;
  sector_id: string | null;
  added_at: string;
  added_by: string;
}

export interface MajorUnit {
  assignment_id: string;
  unit_id: string;
  call_sign: string;
  kind: string;
  incident_id: string;
  incident_code: string;
  sector_id: string | null;
  status: AssignmentStatus;
  since: string;
  checked_in: string | null;
  staging: { name: string } | null;
  gaps: { code: string; blocks: boolean }[];
}

export interface MajorResources {
  at: string;
  units: MajorUnit[];
  gaps: { what: "nobody_there" | "no_lead" | "no_commander"; code?: string; incident_id?: string; sector_id?: string }[];
}

export interface MajorLine {
  id: string;
  at: string;
  recorded_at: string;
  kind: string;
  by: string;
  text?: string | null;
  struck?: { at: string; by: string; reason: string } | null;
  detail?: Record<string, unknown>;
  incident: { id: string; code: string } | null;
  quotes?: MajorLine | null;
}

export interface Simulation extends Base {
  running: boolean;
  speed: number;
}

export const DEVICE_KINDS = ["osmand", "owntracks", "api"] as const;
export type DeviceKind = (typeof DEVICE_KINDS)[number];

export interface Device {
  id: string;
  version: number;
  name: string;
  kind: DeviceKind;
  unit_id: string | null;
  call_sign: string | null;
  note: string;
  revoked_at: string | null;
  last_seen_at: string | null;
  battery: number | null;
  skew_s: number | null;
  /** How many tokens live: two while one is being changed. */
  tokens: number;
  /** What became of what it said in a week. */
  week: Record<string, number>;
}

export interface Quality {
  skew_s: number | null;
  days: { day: string; counts: Record<string, number> }[];
  pairings: { unit_id: string; call_sign: string; since: string; until: string | null; made_by: string }[];
}

/** A token, told once, and what to put into the application. */
export interface DevicePairing {
  token: string;
  server: string;
  identifier: string;
  url: string;
  qr: string;
  broker?: string;
  topic?: string;
}

/** `[lon, lat, heading, speed_kmh, fixed_at_ms, doubt]` */
export type TrackPoint = [number, number, number | null, number | null, number, number];

export interface UnitTrack {
  since: string;
  until: string;
  points: TrackPoint[];
  doubtful: [lon: number, lat: number, fixed_at_ms: number, doubt: number][];
  gaps: [from: number, to: number][];
  stops: { lon: number; lat: number; since: number; until: number }[];
  metres: number;
  assignments: { id: string; incident_id: string; incident_code: string; since: number; until: number | null }[];
}

export interface Feature<P extends Base = Base> {
  type: "Feature";
  geometry: Shape | null;
  properties: P;
}

export interface Line {
  type?: "line";
  seq: number;
  subject: string;
  version: number;
  feature: Feature | null;
}

/** `[unit_id, lon, lat, heading, speed_kmh, fixed_at_ms]` */
export type PositionTuple = [string, number, number, number | null, number | null, number];

export interface Snapshot {
  type?: "snapshot";
  epoch: string;
  seq: number;
  server_time: string;
  features: Feature[];
  positions: PositionTuple[];
}

export interface Resumed {
  type: "resumed";
  epoch: string;
  seq: number;
  server_time: string;
  lines: Line[];
  positions: PositionTuple[];
}

export interface Positions {
  type: "positions";
  units: PositionTuple[];
}

export interface Heartbeat {
  type: "heartbeat";
  seq: number;
  server_time: string;
  bus: boolean;
  /** Lines told so far to all who see the same; the first after a catch-up says with how many it began. */
  told?: number;
  base?: number;
}

export type Frame = (Snapshot & { type: "snapshot" }) | Resumed | (Line & { type: "line" }) | Positions | Heartbeat;

export interface Events {
  epoch: string;
  seq: number;
  lines: Line[];
  positions?: PositionTuple[];
  server_time?: string;
}

export interface Person {
  id: string;
  name: string;
  username: string;
  role: string;
  unit_id: string | null;
  organization: { id: string; name: string; kind: string };
}

export type Permission =
  | "report.make" | "report.triage" | "incident.open" | "incident.update" | "incident.close" | "incident.share"
  | "note.add" | "note.strike" | "unit.dispatch" | "unit.manage" | "assignment.report" | "position.send"
  | "people.manage" | "catalogue.edit" | "simulation.control" | "closure.draw" | "fence.draw" | "zone.edit"
  | "alarm.answer" | "attendance.mark" | "device.manage" | "facility.update" | "gate.override" | "major.run" | "policy.edit"
  | "past.look" | "run_card.edit" | "shift.hand_over" | "shift.manage" | "sos.raise" | "staff.manage" | "storm.control" | "wall.manage" | "wall.steer"
  | "radio.log";

export interface Session {
  person: Person;
  permissions: Permission[];
  city: {
    name: string;
    /** Null before the city was drawn. */
    centre: [number, number] | null;
    bounds: [number, number, number, number] | null;
    phones: { number: string; name: string }[];
    attribution: string;
  };
  demo: boolean;
  feed: string;
  server_time: string;
}

export interface IncidentType {
  code: string;
  name: string;
  group: string;
  priority: Level;
  sensitivity: number;
  icon: string;
  response_seconds: number | null;
  duplicate?: { metres: number; seconds: number };
  public: boolean;
}

/** How something ends, and what whoever reported it is told. */
export interface Ending {
  code: string;
  name: string;
  answer?: string | null;
}

export interface Catalogue {
  version: number;
  types: IncidentType[];
  priorities: { level: Level; name: string; processing_seconds: number | null; acknowledge_seconds: number | null; response_seconds: number | null }[];
  dispositions: Ending[];
  dismissals: Ending[];
  groups: { code: string; name: string }[];
  agencies: Agency[];
  /** Absent from catalogues that were published before there were any. */
  questions?: TypeQuestion[];
  channels?: Channel[];
}

/** An outside agency: we ask, they decide. The phone may be empty. */
export interface Agency {
  code: string;
  name: string;
  phone: string;
}

export type NeedKind = "required" | "preferred" | "reserve";
export type MessageTo = "crew" | "desk" | "caller" | "vecinal";

export interface CardNeed {
  capability: string;
  count: number;
  kind: NeedKind;
  at_least: number | null;
}

export interface CardTask {
  key: string;
  text: string;
  within_minutes: number | null;
  checklist: string[];
}

/** What one alarm level adds to those before it. */
export interface CardLevel {
  needs: CardNeed[];
  agencies: { agency: string; count: number; note: string }[];
  tasks: CardTask[];
  messages: { to: MessageTo; text: string }[];
}

export interface RunCard {
  id: string;
  type_code: string;
  priority: Level | null;
  number: number;
  standing: "in_force" | "coming" | "past" | "withdrawn";
  levels: CardLevel[];
  made_from: string | null;
  /** Null: it has always been in force. */
  valid_from: string | null;
  made_at: string;
  made_by: string;
  note: string;
  withdrawn: { at: string; by: string; reason: string } | null;
}

export interface CardChange {
  level: number;
  part: "needs" | "agencies" | "tasks" | "messages";
  key: string;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
}

export interface CardEntry {
  type_code: string;
  priority: Level | null;
  newest: number;
  in_force: RunCard | null;
  coming: RunCard[];
}

/** One side of a trial's row, or of a preview: seconds; null where nobody goes or somebody required is missing. */
export interface CardOutcome {
  units: string[];
  first: number | null;
  last: number | null;
  short: number;
  people: number | null;
  street_km: number;
}

export interface CardAnswer extends CardOutcome {
  needs: {
    capability: string;
    count: number;
    kind: NeedKind;
    units: { unit_id: string; call_sign: string; seconds: number | null; how: string }[];
    short: { count: number; why: string } | null;
  }[];
}

export interface Percentiles {
  p50: number;
  p90: number;
  n: number;
}

export interface TrialTotals {
  units: number;
  first: Percentiles | null;
  last: Percentiles | null;
  short: number;
  short_incidents: number;
  people: number | null;
  street_km: number;
}

export interface TrialSummary {
  incidents: number;
  changed: number;
  added: number;
  removed: number;
  most_added: [string, number][];
  most_removed: [string, number][];
  before: TrialTotals;
  after: TrialTotals;
}

export interface TrialSample {
  id: string;
  days: number;
  until: string;
  asked_by: string;
  incidents: number;
  total: number;
  summary: TrialSummary | null;
}

export interface CardTrial extends TrialSample {
  state: "running" | "done" | "failed";
  done: number;
  rows?: { incident_id: string; code?: string; at?: string; level?: number; edition?: number | null; before: CardOutcome | null; after: CardOutcome | null }[];
}

export interface CardEdition extends RunCard {
  changes: CardChange[] | null;
  trial: TrialSample | null;
}

export type TaskState = "open" | "done" | "not_needed";

export interface IncidentTask {
  id: string;
  incident_id: string;
  kind: "task" | "agency" | "message";
  level: number | null;
  text: string;
  agency: (Agency & { count: number }) | null;
  to: MessageTo | null;
  checklist: { number: number; text: string; done_at: string | null; done_by: string | null }[];
  state: TaskState;
  state_at: string;
  state_by: string;
  reason: string;
  opened_at: string;
  opened_by: string;
  due_at: string | null;
}

export const ZONE_KINDS = ["barrio", "district", "vecinal", "jurisdiction", "grid", "flood", "risk"] as const;
export type ZoneKind = (typeof ZONE_KINDS)[number];

/** A zone is no live thing: it is asked for when somebody looks. */
/** A place where operations listen; a cordon is one that somebody drew for an incident. */
export interface Fence {
  subject: string;
  id: string;
  version: number;
  name: string;
  zone_id: string | null;
  valid_from: string;
  valid_until: string | null;
  drawn_by: string;
}

export interface Zone {
  type: "Feature";
  id: string;
  geometry: GeoJSON.MultiPolygon;
  properties: { id: string; kind: ZoneKind; name: string; population: number | null; desk: string | null; valid_from: string | null; valid_until: string | null; version: number };
}

/** Travel time of one unit to one place. Only `road` is driven; the rest says why it is not. */
export interface Eta {
  unit_id: string;
  call_sign: string;
  seconds: number | null;
  metres: number | null;
  how: "road" | "straight_line" | "unreachable" | "no_position";
  why: string | null;
  position_age_s: number | null;
  snap_m: number | null;
}

export interface Etas {
  at: string;
  /** How many closures were in force when it was reckoned. */
  closures: number;
  etas: Eta[];
}

/** One thing that counted, by its code; `seconds` is what it adds to a score. */
export interface Reason {
  code: string;
  seconds: number;
  facts: Record<string, unknown>;
}

/** What nobody reaches within a target any more if a unit goes. */
export interface Leaves {
  for: string;
  minutes: number;
  zone: string | null;
  people: number | null;
  street_km: number;
  square_km: number | null;
  zones: { name: string; people: number }[];
}

interface Considered {
  unit_id: string;
  call_sign: string;
  kind: string;
  organization: string;
  position_age_s: number | null;
}

/** A unit that could meet a need: the reasons' seconds add up to the score. */
export interface Option extends Considered {
  seconds: number;
  metres: number | null;
  how: Eta["how"];
  score: number;
  reasons: Reason[];
  leaves: Leaves | null;
  /** The incident it would be taken from. */
  taken_from: string | null;
  warnings: { code: string }[];
  why: Reason;
}

export interface NeedAnswer {
  capability: string;
  count: number;
  kind: "required" | "preferred" | "reserve";
  at_least: number | null;
  ticked: boolean;
  going: Considered[];
  picks: Option[];
  others: Option[];
  ruled_out: (Considered & { why: Reason; seconds: number | null })[];
  to_ask: Option[];
  shortfall: { count: number; why: string; facts: Record<string, number> } | null;
}

export interface Trade {
  call_sign: string;
  to: string | null;
  instead: string | null;
  saved_there: number | null;
  later_here: number | null;
}

export interface Recommendation {
  at: string;
  past: boolean;
  incident_id: string | null;
  incident_code: string | null;
  type_code: string;
  priority: Level;
  card: { priority: Level | null; edition: number; levels: number } | null;
  level: number;
  closures: number;
  needs: NeedAnswer[];
  agencies: { agency: string; count: number; note: string }[];
  short: number;
  trades: Trade[];
  /** What could not be rebuilt of a past moment. */
  unknown: string[];
}

/** Somebody free could stand elsewhere so that a target is met again. */
export interface MoveUp extends Base {
  state: "proposed" | "confirmed";
  unit_id: string;
  call_sign: string;
  place: string;
  target: { for: string; minutes: number; minimum: number; zone: string | null };
  share_before: number;
  share_after: number;
  gain_people: number | null;
  gain_km: number;
  leaves_people: number | null;
  leaves_km: number;
  seconds: number;
  proposed_at: string;
  decided_at: string | null;
  decided_by: string | null;
}

export interface CoverageTarget {
  id: string;
  capability: string | null;
  kind: string | null;
  minutes: number;
  minimum: number;
  zone_id: string | null;
  zone: string | null;
  made_at: string;
  made_by: string;
}

export interface CoverageNow {
  at: string;
  closures: number;
  targets: (Pick<CoverageTarget, "id" | "capability" | "kind" | "minutes" | "minimum" | "zone"> & {
    share: number;
    met: boolean;
    people: number | null;
    of_people: number | null;
    street_km: number;
    units: string[];
    beyond: { name: string; people: number; of: number }[];
  })[];
}

export interface TimelineEntry {
  id: string;
  at: string;
  recorded_at: string;
  kind: string;
  actor: { name: string; role: string } | null;
  detail: Record<string, unknown>;
  note?: { id: string; text: string | null; struck: { at: string; by: string; reason: string } | null };
  link?: Link;
  radio?: RadioLine;
  /** What a reporter added. */
  fact?: string;
  /** Written on an incident that was merged into this one. */
  incident?: { id: string; code: string };
}

export interface Problem {
  type?: string;
  title: string;
  status: number;
  code: string;
  facts?: Record<string, unknown>;
  errors?: { field: string; message: string }[];
}

export const subjectKind = (subject: string): string => subject.slice(0, subject.indexOf(":"));

/** A frame off the wire, or null when it is none of ours (a newer server may say things we do not know). */
export function readFrame(text: string): Frame | null {
  try {
    const frame = JSON.parse(text) as Frame;
    return typeof frame === "object" && frame !== null && typeof frame.type === "string" ? frame : null;
  } catch {
    return null;
  }
}

// ── Personnel (docs/api.md). `where` is a unit's call sign or the name of a place.

export type StaffStatus = "active" | "leave" | "left";

export interface StaffCredential {
  id: string;
  kind: string;
  number: string;
  valid_from: string;
  valid_to: string | null;
  valid: boolean;
  withdrawn: string | null;
}

/** What the room sees; whoever runs the staff gets the rest too. */
export interface StaffMember {
  id: string;
  name: string;
  role: string;
  status: StaffStatus;
  on_duty?: boolean;
  version?: number;
  file_number?: string;
  organization_id?: string;
  phone?: string;
  notes?: string;
  has_pin?: boolean;
  status_to?: string | null;
  credentials?: StaffCredential[];
}

export interface StaffRules {
  number: number;
  roles: { code: string; name: string; credentials: string[] }[];
  credentials: { code: string; name: string }[];
  rest_hours: number;
  week_hours: number;
  grace_minutes: number;
  unplanned_hours: number;
}

export interface Seat {
  role: string;
  min: number;
  max: number;
}

export interface ShiftPerson {
  id: string;
  member_id: string;
  name: string;
  role: string;
  excused: boolean;
  reason: string;
}

export interface ShiftSlot {
  id: string;
  name: string;
  unit_id: string | null;
  where: string;
  starts_at: string;
  ends_at: string;
  seats: (Seat & { have: number })[];
  people: ShiftPerson[];
}

export interface ShiftTemplate {
  id: string;
  version: number;
  name: string;
  unit_id: string | null;
  where: string;
  weekdays: number[];
  starts: string;
  minutes: number;
  seats: Seat[];
}

/** What speaks against somebody or a crew: a code with its facts; the words are ours. */
export interface Trouble {
  code: string;
  [fact: string]: unknown;
}

export interface Candidate {
  member_id: string;
  name: string;
  role: string;
  troubles: Trouble[];
  refusal: Trouble | null;
}

export interface CrewPerson {
  member_id: string;
  name: string;
  role: string;
  since: string;
  due_at: string;
  excused: boolean;
}

export interface OnDuty {
  at: string;
  units: { unit_id: string; call_sign: string; people: CrewPerson[]; needs: (Seat & { have: number })[]; until: string | null; gaps: (Trouble & { blocks: boolean })[] }[];
  places: { place: string; people: CrewPerson[] }[];
  absent: { slot_id: string; member_id: string; name: string; role: string; since: string; unit_id: string | null; place: string }[];
}

export type SwapState = "asked" | "accepted" | "approved" | "rejected" | "withdrawn";

export interface Swap {
  id: string;
  state: SwapState;
  from: { id: string; name: string };
  to: { id: string; name: string } | null;
  reason: string;
  asked_at: string;
  decided_by: string;
  decided_for: string;
  where: string;
  slot: { id: string; name: string; starts_at: string; ends_at: string };
}

export interface OnCallDuty {
  id: string;
  member_id: string;
  name: string;
  title: string;
  rank: number;
  starts_at: string;
  ends_at: string;
}

export interface OnCall {
  at: string;
  order: { staff_id: string; name: string; title: string; phone: string; rank: number }[];
  rota: OnCallDuty[];
  gaps: { start: string; end: string }[];
}

export interface WorkedHours {
  member_id: string;
  name: string;
  on_duty: number;
  committed: number;
  planned: number;
  overtime: number;
  anomalies: { code: string; at: string }[];
}

export interface ClockPoint {
  id: string;
  unit_id: string | null;
  where: string;
}

export interface Clocked {
  what: "in" | "out" | "moved";
  where: string;
  unit: boolean;
  role: string;
  at: string;
  due_at: string;
}

/* ---------------------------------------------------------------- alarms */

export type AlarmKind =
  | "battery_low" | "check_in_due" | "not_moving" | "past_promised" | "position_lost" | "sos_unanswered" | "stuck" | "unacknowledged" | "unattended";
export type AlarmStep = "desk" | "supervisor" | "on_call_1" | "on_call_2" | "on_call_3" | "on_call_4";

export interface Alarm extends Base {
  kind: AlarmKind;
  severity: "high" | "medium";
  state: "raised" | "answered" | "shelved";
  about: string;
  since: string;
  raised_at: string;
  incident_id: string | null;
  incident_code: string | null;
  unit_id: string | null;
  call_sign: string | null;
  assignment_id: string | null;
  facts: { priority?: Level; status?: string; seconds?: number; promised?: number; metres_away?: number; percent?: number };
  /** A crew is not told who has it. */
  step?: AlarmStep;
  level?: number;
  whom?: string;
  answered_at?: string | null;
  answered_by?: string | null;
  answer_note?: string;
  shelved_until?: string | null;
  shelved_by?: string | null;
  shelve_reason?: string;
}

export interface WatchdogRule {
  key: string;
  kind: AlarmKind;
  seconds: number;
  escalate_after: number;
  severity: "high" | "medium";
  steps: AlarmStep[];
  priority: Level | null;
  unit_kind: string | null;
  status: AssignmentStatus | null;
  threshold: number | null;
  repeat_after: number | null;
  enabled: boolean;
}

export interface WatchdogRules {
  version: number;
  made_at: string | null;
  made_by: string;
  rules: WatchdogRule[];
}

export interface AlarmReport {
  since: string;
  until: string;
  raised: number;
  unanswered_percent: number;
  flood_minutes: number;
  /** The last first. */
  weeks: {
    since: string;
    until: string;
    raised: number;
    unanswered: number;
    unanswered_percent: number;
    flood_minutes: number;
    heard: number;
    silenced: number;
    /** Ten minutes of somebody at a desk, each. */
    seats: number;
    heard_per_ten_minutes: number | null;
  }[];
  rules: {
    rule: string | null;
    kind: AlarmKind;
    raised: number;
    per_day: number;
    unanswered_percent: number;
    gone_unanswered: number;
    shelved: number;
    escalated: number;
    answered_after_seconds: number | null;
  }[];
}

// ── Storm mode (docs/api.md)

export interface Storm extends Base {
  began_at: string;
  began_by: string;
  automatic: boolean;
  reason: string;
}

export interface StormPolicy {
  automatic: boolean;
  window_minutes: number;
  reports_line: number;
  waiting_line: number;
  waiting_least: number;
  calm_share: number;
  calm_minutes: number;
  priorities: Level[];
  cluster_metres: number;
  cluster_minutes: number;
  stops_most: number;
  circuit_minutes: number;
  service_minutes: number;
  reserve_share: number;
  zone_share: number;
  longest_wait_minutes: number;
}

export interface StormNow {
  storm: { id: string; began_at: string; began_by: string } | null;
  load: { reports: number; waiting: number; free: number; over: boolean; calm: boolean };
  policy: StormPolicy & { number: number };
  zones: { zone: string | null; waiting: number; longest_wait_minutes: number; done: number }[];
}

interface Cluster {
  type_code: string | null;
  type_name: string | null;
  count: number;
  /** Of the oldest. */
  place: string | null;
  zone: string | null;
  at: [lon: number, lat: number];
  since: string;
  until: string;
}

export interface ReportCluster extends Cluster {
  report_ids: string[];
  words: string;
}

export interface IncidentCluster extends Cluster {
  incident_ids: string[];
}

export interface StormClusters {
  reports: ReportCluster[];
  incidents: IncidentCluster[];
}

export interface PlanStop {
  incident_id: string;
  code: string;
  type_name: string;
  priority: Level;
  place: string;
  zone: string | null;
  at: [lon: number, lat: number];
  opened_at: string;
}

export interface PlannedCircuit {
  unit_id: string;
  call_sign: string;
  kind: string;
  seconds: number;
  metres: number;
  stops: (PlanStop & { arrives_seconds: number; drive_seconds: number })[];
}

export type LeftOutWhy = "no_crew" | "unreachable" | "no_room";

export interface StormPlan {
  at: string;
  circuits: PlannedCircuit[];
  left_out: (PlanStop & { why: LeftOutWhy })[];
  zones: { zone: string | null; waiting: number; planned: number; limit: number; longest_wait_minutes: number }[];
}

export type StopState = "pending" | "at_hand" | "done" | "skipped";

/** Of a stop that became secret only that it is there. */
export interface CircuitStop {
  state: StopState;
  reason: string;
  since: string;
  incident_id: string | null;
  code: string | null;
  type_name: string | null;
  place: string | null;
  zone?: string | null;
  at: [lon: number, lat: number] | null;
}

export interface Circuit extends Base {
  unit_id: string;
  call_sign: string;
  given_at: string;
  given_by: string;
  stops: CircuitStop[];
}
