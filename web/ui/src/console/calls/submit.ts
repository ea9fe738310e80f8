/**
 * What becomes of the call that is being taken. One act each, with the ids of the draft: a second try after a silence does it once. The
 * draft is cleared only when the server said that it has it.
 */
import { createStore } from "zustand/vanilla";
import { useStore } from "zustand";
import { api, newId, Refusal } from "../../lib/api";
import { answersFor, questionsOf, recommendBefore, takeCall, weigh, type CallBody, type CallTaken } from "../../lib/calls";
import { explain } from "../../lib/explain";
import { t } from "../../lib/i18n";
import { board } from "../../lib/live";
import { proposed } from "../../lib/recommendation";
import { session } from "../../lib/session";
import { say, undoOf } from "../../lib/toasts";
import { catalogue as fetchCatalogue, type Sending } from "../../lib/verbs";
import type { Catalogue, Feature, Incident, Level, Recommendation, Unit } from "../../lib/wire";
import { dispatchAsking } from "../BusyDialog";
import { select, setPlace } from "../desk";
import { intake, isSolid, type Intake } from "../intake";
import { clearIntake } from "./keep";

interface Submission {
  busy: boolean;
  failure: string | null;
}
export const submission = createStore<Submission>(() => ({ busy: false, failure: null }));
export const useSubmission = (): Submission => useStore(submission);

/** What the card shows as proposed, for exactly this type, place and priority. */
export const proposal = createStore<{ key: string; told: Recommendation | null }>(() => ({ key: "", told: null }));
export const proposalKey = (type: string | null, at: readonly [number, number] | null, level: Level | null): string => (type === null || at === null ? "" : `${type}:${at.join()}:${level ?? ""}`);

let known: Catalogue | null = null;
/** The card has the catalogue already; whoever sends without the card asks for it once. */
export const knowCatalogue = (found: Catalogue): void => {
  if (found.types.length > 0) known = found;
};
const theCatalogue = async (): Promise<Catalogue> => (known ??= await fetchCatalogue());

/** The draft as the server takes it; what is blank is left out. */
export function bodyOf(draft: Intake, words: Pick<Catalogue, "questions">): Omit<CallBody, "outcome"> {
  const name = draft.name.trim();
  const phone = draft.phone.trim();
  const answers = answersFor(questionsOf(words, draft.type), draft.answers);
  return {
    id: draft.reportId,
    words: draft.note.trim() || undefined,
    place: draft.place.trim() || undefined,
    place_match: draft.match ?? undefined,
    location: draft.at ?? undefined,
    caller: name || phone ? { name: name || undefined, phone: phone || undefined } : undefined,
    type_code: draft.type ?? undefined,
    priority: draft.priority ?? undefined,
    answers: Object.keys(answers).length > 0 ? answers : undefined,
    do_not_call_back: (draft.doNotCallBack && phone !== "") || undefined,
  };
}

/** One at a time; the failure stands where the card and the command line read it. */
async function once<T>(act: () => Promise<T>): Promise<T | null> {
  if (submission.getState().busy) return null;
  submission.setState({ busy: true, failure: null });
  try {
    return await act();
  } catch (error) {
    submission.setState({ failure: explain(error) });
    return null;
  } finally {
    submission.setState({ busy: false });
  }
}

function done(): void {
  clearIntake();
  setPlace(null);
}

export interface Submitted {
  incident: Incident;
  sent: number;
}

/** Creates; with `dispatch` sends what is ticked and the units that were named. A failed sending leaves the incident and says so. */
export const submitIntake = ({ dispatch }: { dispatch: boolean }): Promise<Submitted | null> =>
  once(async () => {
    const draft = intake.getState();
    if (!isSolid(draft)) {
      submission.setState({ failure: t(draft.at === null ? "form.needsPlace" : "form.needsType") });
      return null;
    }
    const wanted = dispatch ? wantedUnits(draft) : null;
    const incident = await create(draft);
    done();
    say(t("form.created", { code: incident.code }));
    select(`incident:${incident.id}`);
    return { incident, sent: wanted ? await send(incident, wanted) : 0 };
  });

async function create(draft: Intake): Promise<Incident> {
  try {
    const { incident } = await takeCall({ ...bodyOf(draft, await theCatalogue()), outcome: "opened", incident_id: draft.incidentId });
    if (incident) return incident.properties;
  } catch (error) {
    // It was made by a try that nobody answered, and the draft has changed since: what was made is what there is.
    if (!(error instanceof Refusal && error.problem.code === "KeyReused")) throw error;
  }
  return (await api<Feature<Incident>>(`/incidents/${draft.incidentId}`)).properties;
}

/** What is ticked on the card; where no card has shown a proposal, what the server proposes now. Null: that could not be found out. */
async function wantedUnits(draft: Intake): Promise<Sending[] | Error> {
  const may = session.getState().session?.permissions.includes("unit.dispatch") ?? false;
  if (!may) return new Error(t("calls.notYours"));
  try {
    const { told } = proposal.getState();
    const level = levelOf(draft, await theCatalogue());
    const key = proposalKey(draft.type, draft.at, level);
    const shown = told && proposal.getState().key === key ? told : draft.type && draft.at ? await recommendBefore(draft.type, draft.at, level) : null;
    return sendings(shown, draft);
  } catch (error) {
    return new Error(explain(error));
  }
}

export function sendings(told: Recommendation | null, draft: Pick<Intake, "units" | "unticked">): Sending[] {
  const picks = told ? proposed(told).filter(({ need, pick }) => need.ticked && !draft.unticked.includes(pick.unit_id)) : [];
  const named = draft.units.filter((unit) => !picks.some(({ pick }) => pick.unit_id === unit));
  return [
    ...picks.map(({ need, pick }): Sending => ({ id: newId(), unit_id: pick.unit_id, need: need.capability, on_busy: pick.taken_from === null ? undefined : "release" })),
    ...named.map((unit_id): Sending => ({ id: newId(), unit_id })),
  ];
}

function levelOf(draft: Intake, words: Catalogue): Level | null {
  const type = words.types.find(({ code }) => code === draft.type);
  return weigh(type, questionsOf(words, draft.type), draft.answers, draft.priority).level;
}

async function send(incident: Incident, wanted: Promise<Sending[] | Error>): Promise<number> {
  const units = await wanted;
  if (units instanceof Error) {
    say(t("calls.notSent", { code: incident.code, why: units.message }), undefined, "failed");
    return 0;
  }
  if (units.length === 0) {
    say(t("calls.nobodyToSend", { code: incident.code }), undefined, "failed");
    return 0;
  }
  try {
    const made = await dispatchAsking(incident.id, units.length > 1 ? newId() : (units[0]?.id ?? newId()), units);
    const names = units.map(({ unit_id }) => board.get<Unit>(`unit:${unit_id}`)?.call_sign ?? "").join(", ");
    say(t("dispatch.sentTo", { unit: names, code: incident.code }), undoOf(made));
    return units.length;
  } catch (error) {
    say(t("calls.notSent", { code: incident.code, why: explain(error) }), undefined, "failed");
    return 0;
  }
}

/** It is the same as one that is known: one key. Undone, the report waits in the queue. */
export const joinIntake = (incident: { incident_id: string; code: string }): Promise<CallTaken | null> =>
  once(async () => {
    const taken = await takeCall({ ...bodyOf(intake.getState(), await theCatalogue()), outcome: "joined", incident_id: incident.incident_id });
    done();
    say(t("report.joined", { code: incident.code }), undoOf(taken));
    select(`incident:${incident.incident_id}`);
    return taken;
  });

const closeCall = (outcome: "deflected" | "silent" | "prank", said: string, channel?: string): Promise<CallTaken | null> =>
  once(async () => {
    const taken = await takeCall({ ...bodyOf(intake.getState(), await theCatalogue()), outcome, channel });
    done();
    say(said, undoOf(taken));
    select(null);
    return taken;
  });

export const deflectIntake = (channel: { code: string; name: string }) => closeCall("deflected", t("calls.deflected", { channel: channel.name }), channel.code);
export const silentIntake = () => closeCall("silent", t("calls.silentDone"));
export const prankIntake = () => closeCall("prank", t("calls.prankDone"));
