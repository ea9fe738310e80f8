/** The draft of a call is kept by person: it survives Esc, a reload, a sign-out and an update, and is the same in every window of his. */
import { createStore } from "zustand/vanilla";
import { useStore } from "zustand";
import { clock } from "../../lib/clock";
import { keepDraft, readDraft, whenDraftMoves } from "../../lib/drafts";
import { session } from "../../lib/session";
import { blankIntake, intake, type Intake } from "../intake";

const FORM = "call";
const SAVE_AFTER = 300;

let timer: ReturnType<typeof setTimeout> | null = null;
let taking = false; // what was just read is not written again

const plain = (draft: Intake): string => JSON.stringify({ ...draft, reportId: "", incidentId: "" });
const BLANK = plain(blankIntake());

/** Nothing that somebody typed, pointed at or answered. */
export const isBlank = (draft: Intake): boolean => plain(draft) === BLANK;

function save(): void {
  timer = null;
  const draft = intake.getState();
  keepDraft(FORM, isBlank(draft) ? null : draft);
}

export function saveNow(): void {
  if (timer !== null) clearTimeout(timer);
  save();
}

function take(): void {
  const kept = readDraft<Partial<Intake>>(FORM);
  taking = true;
  intake.setState({ ...blankIntake(), ...kept }, true);
  taking = false;
}

export const clearIntake = (): void => {
  intake.setState(blankIntake(), true);
  saveNow();
};

intake.subscribe(() => {
  if (!taking) timer ??= setTimeout(save, SAVE_AFTER);
});
addEventListener("pagehide", () => timer !== null && saveNow());
whenDraftMoves(FORM, take);
let person = session.getState().session?.person.id;
if (person !== undefined) take();
session.subscribe(({ session: now }) => {
  if (now === null || now.person.id === person) return;
  person = now.person.id;
  take();
});

// ── A telephone that rings while another call is taken

const ASIDE = "calls aside";
const MOST = 5;

interface Parked {
  /** The number that rings, until somebody takes it. */
  incoming: string | null;
  /** Calls that were put aside for another, the newest first. */
  aside: { at: number; draft: Intake }[];
}
const parked = createStore<Parked>(() => ({ incoming: null, aside: [] }));
export const useParked = (): Parked => useStore(parked);

const readAside = (): void => parked.setState({ aside: readDraft<Parked["aside"]>(ASIDE) ?? [] });
function setAside(aside: Parked["aside"]): void {
  parked.setState({ aside });
  keepDraft(ASIDE, aside.length > 0 ? aside : null);
}
whenDraftMoves(ASIDE, readAside);
if (person !== undefined) readAside();
session.subscribe(readAside);

const lastDigits = (phone: string): string => phone.replace(/\D/g, "").slice(-8);

/** The number goes into the draft; where another call is in it, it waits to be taken. */
export function ring(phone: string): void {
  const draft = intake.getState();
  if (isBlank(draft) || draft.phone === "" || lastDigits(draft.phone) === lastDigits(phone)) intake.setState({ phone });
  else parked.setState({ incoming: phone });
}

function putAside(): void {
  const draft = intake.getState();
  if (!isBlank(draft)) setAside([{ at: clock.now(), draft }, ...parked.getState().aside].slice(0, MOST));
}

export function takeIncoming(): void {
  putAside();
  intake.setState({ ...blankIntake(), phone: parked.getState().incoming ?? "" }, true);
  parked.setState({ incoming: null });
  saveNow();
}
export const refuseIncoming = (): void => parked.setState({ incoming: null });

/** What is on the card goes aside, and the other comes back. */
export function takeParked(reportId: string): void {
  const found = parked.getState().aside.find(({ draft }) => draft.reportId === reportId);
  if (!found) return;
  setAside(parked.getState().aside.filter((each) => each !== found));
  putAside();
  intake.setState({ ...blankIntake(), ...found.draft }, true);
  saveNow();
}
