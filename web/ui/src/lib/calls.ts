/** Calls: what is asked, what the answers say, who calls, whether it is the same as another, and what to know before going there. */
import { api } from "./api";
import type { LonLat } from "./verbs";
import type { Catalogue, Feature, Incident, IncidentState, IncidentType, Level, PlaceMatch, Recommendation, UndoOffer } from "./wire";

// ── The catalogue's part

export interface Answer {
  code: string;
  words: string;
  priority?: Level;
  why?: string;
  /** What it is after all. */
  type?: string;
}

export interface TypeQuestion {
  code: string;
  words: string;
  types: string[];
  answers: Answer[];
}

/** Whose it is, when it is not ours. */
export interface Channel {
  code: string;
  name: string;
  phone: string;
  say: string;
  types: string[];
}

export const questionsOf = ({ questions }: Pick<Catalogue, "questions">, type: string | null): TypeQuestion[] =>
  type === null ? [] : (questions ?? []).filter(({ types }) => types.includes(type));

/** Those that are likeliest for this type first; within each the catalogue's order. */
export function channelsFor({ channels }: Pick<Catalogue, "channels">, type: string | null): Channel[] {
  const all = channels ?? [];
  const likely = all.filter(({ types }) => type !== null && types.includes(type));
  return [...likely, ...all.filter((each) => !likely.includes(each))];
}

/** The answers that count for a type: what was answered to another type's questions stays in the draft and is not sent. */
export function answersFor(questions: TypeQuestion[], answers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    questions.flatMap(({ code, answers: possible }) => {
      const given = answers[code];
      return given !== undefined && possible.some((each) => each.code === given) ? [[code, given]] : [];
    }),
  );
}

export interface Weighed {
  level: Level | null;
  by: "hand" | "answers" | "type";
  /** What the gravest answer says, also where somebody decided otherwise. */
  says: Level | null;
  why: string;
}

/** By hand over all; then the gravest answer, of equals the one that was asked first; then the type's own. The server weighs the same. */
export function weigh(type: Pick<IncidentType, "priority"> | undefined, questions: TypeQuestion[], answers: Record<string, string>, byHand: Level | null): Weighed {
  let gravest: Answer | null = null;
  for (const { code, answers: possible } of questions) {
    const given = possible.find((each) => each.code === answers[code]);
    if (given?.priority !== undefined && (gravest?.priority === undefined || given.priority < gravest.priority)) gravest = given;
  }
  const says = gravest?.priority ?? null;
  const why = gravest?.why ?? "";
  if (byHand !== null) return { level: byHand, by: "hand", says, why };
  if (says !== null) return { level: says, by: "answers", says, why };
  return { level: type?.priority ?? null, by: "type", says, why };
}

// ── Taking a call

export type Outcome = "opened" | "joined" | "deflected" | "silent" | "prank";

export interface CallBody {
  id: string;
  outcome: Outcome;
  words?: string;
  place?: string;
  place_match?: PlaceMatch;
  location?: LonLat;
  caller?: { name?: string; phone?: string };
  type_code?: string;
  priority?: Level;
  answers?: Record<string, string>;
  incident_id?: string;
  channel?: string;
  do_not_call_back?: boolean;
}

export interface CallTaken {
  report: { id: string; tracking_code: string; status: string };
  incident: Feature<Incident> | null;
  undo: UndoOffer | null;
}

const point = (at: LonLat) => ({ type: "Point", coordinates: at });

export const takeCall = ({ location, ...call }: CallBody) => api<CallTaken>("/calls", { body: { ...call, location: location && point(location) } });

/** Whom to send to what has not been opened yet. */
export const recommendBefore = (type: string, [lon, lat]: LonLat, priority: Level | null) =>
  api<Recommendation>(`/recommendation?${new URLSearchParams({ type_code: type, lon: String(lon), lat: String(lat), ...(priority === null ? {} : { priority: String(priority) }) })}`);

// ── Who calls

export interface Flag {
  id: string;
  why: string;
  at: string;
  by: string;
  lifted: { at: string; by: string; why: string } | null;
}

export interface FormerCall {
  report_id: string;
  at: string;
  place: string;
  words: string;
  status: "received" | "accepted" | "joined" | "dismissed";
  dismissal: string | null;
  deflected_to: string | null;
  incident: { id: string; code: string; type_name: string; state: IncidentState } | null;
}

export interface Caller {
  /** In its one spelling: +543415550000. */
  number: string;
  name: string | null;
  calls: FormerCall[];
  total: number;
  pranks: number;
  silent: number;
  silent_last_hour: number;
  flag: Flag | null;
  flags: Flag[];
}

/** A POST: each look is written down. */
export const lookAtCaller = (phone: string) => api<Caller>("/callers/look", { body: { phone } });
export const flagCaller = (id: string, phone: string, why: string) => api<Flag>("/callers/flags", { body: { id, phone, why } });
export const liftFlag = (flag: string, why = "") => api<Flag>(`/callers/flags/${flag}/lift`, { body: { why } });

/** Long enough to be somebody's number. */
export const isPhone = (text: string): boolean => text.replace(/\D/g, "").length >= 6;

// ── Is it the same as another

/** Points for or against, as log-odds; null: not known, or it says nothing. */
interface Part<T> {
  value: T;
  points: number | null;
}

export interface Duplicate {
  incident_id: string;
  code: string;
  type_code: string;
  type_name: string;
  place: string;
  state: IncidentState;
  priority: Level;
  reports: number;
  metres: number;
  seconds: number;
  /** The chance that it is the same. */
  score: number;
  /** Worth marking. */
  likely: boolean;
  parts: { start: Part<null>; channel: Part<string>; metres: Part<number>; minutes: Part<number>; type: Part<"same" | "family" | "other" | null>; words: Part<string>; caller: Part<boolean> };
}

export const scoreDuplicates = (location: LonLat, about: { type_code?: string; words?: string; phone?: string }) =>
  api<Duplicate[]>("/duplicates/score", { body: { location: point(location), ...about } });

/** A waiting report (without a code) or an open incident, and the open incident that it looks like. */
export interface Unlinked {
  subject: string;
  code: string | null;
  place: string;
  words: string;
  like: Duplicate;
}
export const unlinkedDuplicates = () => api<{ total: number; pairs: Unlinked[] }>("/duplicates/unlinked");
export const similarTo = (report: string) => api<Duplicate[]>(`/reports/${report}/similar`);

// ── What to know before going there

export const PREMISE_KINDS = ["dog", "weapons", "violence", "hazard", "access", "disability", "medical", "other"] as const;
export type PremiseKind = (typeof PREMISE_KINDS)[number];

export interface PremiseWarning {
  id: string;
  kind: PremiseKind;
  words: string;
  place: string;
  location: { type: "Point"; coordinates: LonLat } | null;
  radius: number | null;
  zone_id: string | null;
  sensitivity: number;
  until: string | null;
  written_at: string;
  written_by: string;
  metres: number | null;
}

export const premisesAt = async ([lon, lat]: LonLat) => (await api<{ warnings: PremiseWarning[] }>(`/premises?${new URLSearchParams({ lon: String(lon), lat: String(lat) })}`)).warnings;
export const premisesOf = async (incident: string) => (await api<{ warnings: PremiseWarning[] }>(`/incidents/${incident}/premises`)).warnings;

export interface NewWarning {
  id: string;
  kind: PremiseKind;
  words: string;
  place?: string;
  location?: LonLat;
  radius?: number;
  zone_id?: string;
  sensitivity?: number;
  until?: string;
}
export const writeWarning = ({ location, ...warning }: NewWarning) => api<PremiseWarning>("/premises", { body: { ...warning, location: location && point(location) } });
export const liftWarning = (warning: string, why = "") => api<PremiseWarning>(`/premises/${warning}/lift`, { body: { why } });

/** How many calls came since then. */
export const callsSince = (since: number) => api<{ calls: number }>(`/calls/counts?since=${encodeURIComponent(new Date(since).toISOString())}`);
