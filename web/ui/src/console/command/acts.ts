/** What `d e r l v c p` do. Each says in words why it did not, or null when it did; what can be taken back offers it for ten seconds. */
import { newId, Refusal } from "../../lib/api";
import type { Placed } from "../../lib/board";
import { clock } from "../../lib/clock";
import { codeOf, noteOf, pieceOf, piecesOf, type Command, type Heard } from "../../lib/command";
import { explain } from "../../lib/explain";
import { t } from "../../lib/i18n";
import { board } from "../../lib/live";
import { isOver } from "../../lib/queue";
import { logRadio } from "../../lib/radio";
import { say, undoOf } from "../../lib/toasts";
import { assignmentStatus, close, dispatch, duty, linkIncidents, near, reclassify, takeBack, type LonLat } from "../../lib/verbs";
import type { Incident, Level, Unit } from "../../lib/wire";
import { asking } from "../BusyDialog";
import { desk, select, stage } from "../desk";
import { openPast } from "../past";
import { tell } from "./receipt";

/** Where words may lead, once they do. */
export interface There {
  at: LonLat;
  label: string;
}

const held: { line: string; ids: Map<string, string> } = { line: "", ids: new Map() };

/** The same ids when the same line is tried again after a silence, so that it is done once. */
function idFor(line: string, of: string): string {
  if (held.line !== line) Object.assign(held, { line, ids: new Map() });
  const id = held.ids.get(of) ?? newId();
  held.ids.set(of, id);
  return id;
}
const answered = (): void => void Object.assign(held, { line: "", ids: new Map() });

function selectedIncident(): Placed<Incident> | null {
  const { selected } = desk.getState();
  return selected?.startsWith("incident:") ? board.get<Incident>(selected) : null;
}

const unitOf = (id: string | null | undefined): Placed<Unit> | null => (id ? board.get<Unit>(`unit:${id}`) : null);

/** What is missing for the line to be done; null when nothing is. */
export function missing(command: Command): string | null {
  const { verb } = command;
  if (verb === null || verb === "new") return null;
  const stray = pieceOf(command, "unknown");
  const example = t(`command.example.${verb}`);
  const units = piecesOf(command, "unit");
  const lost = units.find(({ certainty }) => certainty === "unknown");
  if (lost) return t("command.noUnit", { word: lost.text });
  if (["dispatch", "state", "radio"].includes(verb) && units.length === 0) return t("command.needsUnit", { example });
  const blurred = command.pieces.find(({ certainty }) => certainty === "ambiguous");
  if (blurred) return t("command.several", { word: blurred.text });
  if (verb === "state" && pieceOf(command, "status")?.value == null) return t("command.needsStatus", { example });
  if (verb === "radio" && !pieceOf(command, "text")) return t("command.needsText", { example });
  if (verb === "close" && pieceOf(command, "result")?.value == null) return t("command.needsResult", { example });
  if (verb === "priority" && pieceOf(command, "priority")?.value == null) return t("command.needsLevel", { example });
  if (verb === "link" && !pieceOf(command, "incident")) return t("command.needsCode", { example });
  if (verb === "go" && command.pieces.length < 2) return t("command.needsPlace", { example });
  const about = pieceOf(command, "incident");
  if (verb === "dispatch" && about && about.value === null) return t("command.noIncident", { word: about.text });
  if (stray) return t("command.stray", { word: stray.text, example });
  if (["link", "close", "priority"].includes(verb) || (verb === "dispatch" && !about)) {
    const incident = selectedIncident();
    if (!incident || incident.masked) return t("command.needsIncident");
    if (isOver(incident)) return t("command.over", { code: incident.code });
  }
  return null;
}

/** Do it. `there` is where an `l` leads. */
export async function perform(command: Command, line: string, there: There | null): Promise<string | null> {
  try {
    const why = await DO[command.verb as keyof typeof DO](command, line, there);
    answered();
    return why;
  } catch (error) {
    if (!(error instanceof Refusal && error.unreachable)) answered();
    return explain(error);
  }
}

const DO = {
  async dispatch(command: Command, line: string): Promise<string | null> {
    const about = pieceOf(command, "incident");
    const incident = about ? board.get<Incident>(`incident:${about.value}`) : selectedIncident();
    if (!incident) return t("command.needsIncident");
    const ids = [...new Set(piecesOf(command, "unit").map(({ value }) => value ?? ""))];
    const units = ids.map((unit_id) => ({ id: idFor(line, unit_id), unit_id }));
    const of = { id: incident.id, code: incident.code };
    tell({ state: "sending", incident: of, at: null, why: null });
    try {
      const act = units.length > 1 ? idFor(line, "act") : (units[0]?.id ?? newId());
      const made = await asking(units, (wanted) => dispatch(incident.id, act, wanted));
      tell({ state: "sent", incident: of, at: clock.now(), why: null });
      say(t("dispatch.sentTo", { unit: ids.map((id) => unitOf(id)?.call_sign ?? "").join(", "), code: incident.code }), undoOf(made));
      return null;
    } catch (error) {
      tell({ state: "failed", incident: of, at: null, why: explain(error) });
      throw error;
    }
  },

  async state(command: Command): Promise<string | null> {
    const unit = unitOf(pieceOf(command, "unit")?.value);
    const heard = pieceOf(command, "status")?.value as Heard;
    if (!unit) return t("command.needsUnit", { example: t("command.example.state") });
    const name = t(`command.heard.${heard}`);
    const done = (answer: object) => {
      say(t("command.said", { unit: unit.call_sign, status: name }), undoOf(answer));
      return null;
    };
    if (heard === "break" || heard === "out_of_service") return done(await duty(unit.id, heard));
    if (heard === "base" || heard === "released") {
      if (unit.assignment_id) return done(await assignmentStatus(unit.assignment_id, "released"));
      return unit.status === "available" ? t("command.already", { unit: unit.call_sign }) : done(await duty(unit.id, "on_duty"));
    }
    if (!unit.assignment_id) return t("command.noJob", { unit: unit.call_sign });
    return done(await assignmentStatus(unit.assignment_id, heard));
  },

  async radio(command: Command, line: string): Promise<string | null> {
    const unit = unitOf(pieceOf(command, "unit")?.value);
    const text = pieceOf(command, "text")?.text ?? "";
    if (!unit) return t("command.needsUnit", { example: t("command.example.radio") });
    const logged = await logRadio({ id: idFor(line, "radio"), unit_id: unit.id, incident_id: unit.incident_id ?? undefined, text });
    say(t("command.logged", { unit: unit.call_sign }), undoOf(logged));
    return null;
  },

  async go(command: Command, _line: string, there: There | null): Promise<string | null> {
    const about = pieceOf(command, "incident");
    const unit = unitOf(pieceOf(command, "unit")?.value);
    if (about) {
      const code = codeOf(about.text, new Date(clock.now()).getFullYear());
      return about.value ? (goToSubject(`incident:${about.value}`), null) : code !== null && (await openPast(code)) ? null : t("command.noIncident", { word: about.text });
    }
    if (unit) return (goToSubject(unit.subject), null);
    if (!there) return t("command.nowhere");
    goToPlace(there);
    return null;
  },

  async link(command: Command, line: string): Promise<string | null> {
    const incident = selectedIncident();
    const about = pieceOf(command, "incident");
    if (!incident || !about) return t("command.needsIncident");
    const code = codeOf(about.text, new Date(clock.now()).getFullYear());
    const other = about.value ?? (code === null ? null : (await near(incident.id, code)).incidents[0]?.incident_id) ?? null;
    if (!other || other === incident.id) return t("command.noIncident", { word: about.text });
    const id = idFor(line, "link");
    await linkIncidents(incident.id, id, other, "related");
    say(t("command.linked", { code: incident.code, other: code ?? "" }), () => takeBack(id));
    return null;
  },

  async close(command: Command): Promise<string | null> {
    const incident = selectedIncident();
    const result = pieceOf(command, "result")?.value;
    if (!incident || !result) return t("command.needsIncident");
    say(t("incident.nowClosed", { code: incident.code }), undoOf(await close(incident.id, result, { note: noteOf(command) })));
    return null;
  },

  async priority(command: Command): Promise<string | null> {
    const incident = selectedIncident();
    const level = Number(pieceOf(command, "priority")?.value) as Level;
    if (!incident) return t("command.needsIncident");
    if (incident.priority === level) return t("command.samePriority", { code: incident.code, n: level });
    say(t("command.nowPriority", { code: incident.code, n: level }), undoOf(await reclassify(incident.id, { priority: level })));
    return null;
  },
};

/** Select it and bring it to the middle of the map. */
export function goToSubject(subject: string): void {
  select(subject);
  const position = subject.startsWith("unit:") ? board.positions.get(subject.slice(5)) : undefined;
  const at = position ? ([position.lon, position.lat] as LonLat) : (board.get<Incident>(subject)?.at ?? null);
  if (at) stage.map?.goTo(at);
}

/** Bring a place to the middle of the map, marked. */
export function goToPlace({ at, label }: There): void {
  stage.map?.goTo(at);
  stage.map?.mark(at);
  if (desk.getState().pane !== "map") desk.setState({ pane: "map" });
  say(t("command.there", { place: label }));
}
