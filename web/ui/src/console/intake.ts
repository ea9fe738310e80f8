/**
 * The call that is being taken: one draft, whoever writes in it. The command line and the call card are two hands on the same paper,
 * so a word typed in one is read in the other, and Esc, a reload, a sign-out or an update lose nothing.
 */
import { createStore } from "zustand/vanilla";
import { useStore } from "zustand";
import { newId } from "../lib/api";
import type { LonLat } from "../lib/verbs";
import type { Level, PlaceMatch } from "../lib/wire";

export interface Intake {
  /** Of the report that the call becomes. */
  reportId: string;
  /** Of the incident that it opens, where it opens one. */
  incidentId: string;
  /** As the caller said it; never rewritten by what it was taken to mean. */
  place: string;
  at: LonLat | null;
  match: PlaceMatch | null;
  /** What the map calls the point, while these are the words of the place: they follow the map until a person writes others. */
  described: string;
  type: string | null;
  /** Chosen by hand; null follows the type and the answers. */
  priority: Level | null;
  note: string;
  name: string;
  phone: string;
  doNotCallBack: boolean;
  /** By question code, the answer's code. */
  answers: Record<string, string>;
  /** Units named in the command (`>m12,b3`), ids. */
  units: string[];
  /** Proposed units that are not to go, ids. */
  unticked: string[];
}

export const blankIntake = (): Intake => ({
  reportId: newId(), incidentId: newId(), place: "", at: null, match: null, described: "", type: null, priority: null, note: "", name: "", phone: "", doNotCallBack: false, answers: {}, units: [], unticked: [],
});

export const intake = createStore<Intake>(blankIntake);
export const useIntake = <T,>(select: (state: Intake) => T): T => useStore(intake, select);

export const write = (change: Partial<Intake>): void => intake.setState(change);

/** Solid enough to be sent: what it is and a point on the map are known. */
export const isSolid = ({ type, at }: Intake): boolean => type !== null && at !== null;
