/** Handing the shift over: the wire, and what stands open at this moment, read off the live board. */
import { api } from "./api";
import { isOpen, isOverdue } from "./queue";
import type { AlarmKind, Incident, IncidentState, Level } from "./wire";

interface Signed {
  id: string;
  name: string;
}

export interface OpenThen {
  incident_id: string;
  code: string;
  type_name: string;
  priority: Level;
  state: IncidentState;
  place: string;
  summary: string;
  handler: string | null;
  opened_at: string;
  due_at: string | null;
  overdue: boolean;
  tasks: number;
}

export interface ShelvedThen {
  incident_id: string | null;
  code: string | null;
  kind: AlarmKind;
  call_sign: string | null;
  until: string | null;
  by: string | null;
  reason: string;
}

export interface Handover {
  id: string;
  made_at: string;
  made_by: Signed;
  to: Signed;
  note: string;
  received_at: string | null;
  content: { incidents: OpenThen[]; open: number; overdue: number; alarms: ShelvedThen[]; reports: number; passed: string[] };
}

export const handovers = () => api<{ handovers: Handover[] }>("/handovers?limit=5");
export const handoverPeople = () => api<{ people: (Signed & { role: string })[] }>("/handovers/people");
export const handOver = (page: { id: string; to_id: string; note: string; pass_on: boolean }) => api<{ id: string; to: string; made_at: string; passed: string[] }>("/handovers", { body: page });
export const receiveHandover = (id: string) => api<{ id: string }>(`/handovers/${id}/receive`, { method: "POST" });

const RECENT = 12 * 3_600_000;

/** The last page that waits for this person to say that they have it. */
export const waitingFor = (pages: readonly Handover[], person: string, now: number): Handover | null =>
  pages.find(({ to, received_at, made_at }) => to.id === person && received_at === null && now - Date.parse(made_at) < RECENT) ?? null;

/** Open ones, overdue first, then the gravest and the oldest: what is read aloud. */
export const standing = <I extends Incident>(incidents: readonly I[], now: number): I[] =>
  incidents
    .filter((incident) => !incident.masked && isOpen(incident))
    .sort((a, b) => Number(isOverdue(b, now)) - Number(isOverdue(a, now)) || a.priority - b.priority || (a.opened_at < b.opened_at ? -1 : 1));
