/** The radio log: what was said over the air, by whom, about what. */
import { api } from "./api";
import { plain } from "./queue";
import type { UndoOffer } from "./wire";

export interface RadioLine {
  subject: string;
  id: string;
  version: number;
  /** When it was heard. */
  said_at: string;
  logged_at: string;
  unit_id: string | null;
  call_sign: string | null;
  incident_id: string | null;
  incident_code: string | null;
  text: string;
  by: string;
  by_id: string | null;
  struck: { at: string; by: string; reason: string } | null;
}

export interface RadioBook {
  lines: RadioLine[];
  /** The `before` of the next page. */
  next: string | null;
}

/** Without `incident_id` it is tied to what the unit is working on; with null, to nothing. */
export const logRadio = (line: { id: string; unit_id?: string; incident_id?: string | null; text: string }) =>
  api<RadioLine & { undo: UndoOffer | null }>("/radio-log", { body: line });

export const strikeRadio = (line: string, reason: string) => api<RadioLine>(`/radio-log/${line}/strike`, { body: { reason } });

export function radioBook(wanted: { q?: string; before?: string | null; limit?: number }): Promise<RadioBook> {
  const said = Object.entries(wanted).flatMap(([name, value]) => (value ? [[name, String(value)]] : []));
  return api<RadioBook>(`/radio-log?${new URLSearchParams(said).toString()}`);
}

/** The last written first. */
export const radioOrder = (a: RadioLine, b: RadioLine): number => (a.logged_at === b.logged_at ? (a.id < b.id ? 1 : -1) : a.logged_at < b.logged_at ? 1 : -1);

const bare = (text: string): string => plain(text).replace(/[\s.-]+/g, " ").trim();

/**
 * "m12 llegando" names its unit: the longest call sign that stands at the beginning with a space behind it. What is left is the text.
 */
export function peelUnit<U extends { call_sign: string }>(text: string, units: readonly U[]): { unit: U; rest: string } | null {
  let best: { unit: U; rest: string } | null = null;
  for (const unit of units) {
    const sign = bare(unit.call_sign);
    for (let end = text.indexOf(" "); end >= 0 && sign; end = text.indexOf(" ", end + 1)) {
      const head = bare(text.slice(0, end));
      if (head.length > sign.length) break;
      const rest = text.slice(end + 1).trimStart();
      if (head === sign && (!best || rest.length < best.rest.length)) best = { unit, rest };
    }
  }
  return best;
}

/** What the line will be tied to: what was chosen by hand, else what is selected. A unit brings what it is working on. */
export function tiedTo(
  draft: { unit?: string | null; incident?: string | null },
  selected: { unit: { id: string; incident_id: string | null } | null; incident: string | null },
  incidentOf: (unit: string) => string | null,
): { unit: string | null; incident: string | null } {
  const unit = draft.unit === undefined ? (selected.unit?.id ?? null) : draft.unit;
  if (draft.incident !== undefined) return { unit, incident: draft.incident };
  return { unit, incident: (unit ? incidentOf(unit) : null) ?? selected.incident };
}
