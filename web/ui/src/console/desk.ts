/** What this seat is looking at: selection, the open form, the place being chosen. Nothing here is anybody else's business. */
import { createStore } from "zustand/vanilla";
import { useStore } from "zustand";
import type { Layout } from "../lib/layout";
import type { LiveMap } from "../lib/map/LiveMap";
import type { LonLat } from "../lib/verbs";

export type Form = "new" | "accept" | "dismiss" | "close" | "cancel" | "hold" | "reclassify" | "relocate" | "reopen" | "closure" | "zones" | "link" | "split" | "circuits" | "summary" | "handler";
export type Pane = "supervision" | "queue" | "map" | "card" | "units";

/** What lies over the whole desk until it is put away; one at a time. */
export type Sheet = "handover" | "walls" | "preferences" | "search" | "alarmReport" | "radio";

export interface Desk {
  /** Which parts are on the desk and how wide; `layout/arrangement.ts` keeps it by person. */
  layout: Layout;
  /** Units and radio under everything. */
  foot: boolean;
  /** The map is in a window of its own. */
  apart: boolean;
  selected: string | null;
  form: Form | null;
  /** The place the open form would use; the map shows it and a click on the map moves it. */
  place: LonLat | null;
  /** Only on a narrow screen: which part is in front. */
  pane: Pane;
  /** The map's equivalent as a table. */
  list: boolean;
  help: boolean;
  sheet: Sheet | null;
  /** The zone that is being looked at, while the zones are on the map. */
  zone: string | null;
  /** The map is there and can be drawn upon. */
  mapReady: boolean;
  /** The major incident whose board is open; "" is where one is chosen or begun. */
  major: string | null;
  /** Whose area is being drawn: a major incident's perimeter, or one of its sectors'. */
  area: { major: string; sector: string | null; name: string } | null;
  /** The question that stands in the storm's strip. */
  storm: "begin" | "end" | null;
}

export const desk = createStore<Desk>(() => ({ layout: "dispatch", foot: true, apart: false, selected: null, form: null, place: null, pane: "queue", list: false, help: false, sheet: null, zone: null, mapReady: false, major: null, area: null, storm: null }));
export const useDesk = <T,>(select: (state: Desk) => T): T => useStore(desk, select);

/** The one map of this window, when it is there. */
export const stage: { map: LiveMap | null } = { map: null };

export function select(subject: string | null, pane?: Pane): void {
  desk.setState((state) => ({ selected: subject, form: null, place: null, pane: pane ?? (subject ? "card" : state.pane === "card" ? "queue" : state.pane) }));
}

export const openForm = (form: Form | null, place: LonLat | null = null): void =>
  desk.setState((state) => ({ form, place, pane: form ? "card" : state.pane }));

export const setPlace = (place: LonLat | null): void => desk.setState({ place });

/** A new incident by hand, here if a place was pointed at. The form keeps its text in the draft. */
export const newIncident = (place: LonLat | null = null): void => desk.setState({ form: "new", place, selected: null, pane: "card" });

/** Esc: back one level. What was typed stays in its draft. */
export function back(): void {
  const { help, sheet, form, selected, list, major } = desk.getState();
  if (help) desk.setState({ help: false });
  else if (sheet) desk.setState({ sheet: null });
  else if (major !== null) desk.setState({ major: null });
  else if (form) openForm(null);
  else if (list) desk.setState({ list: false });
  else if (selected) select(null);
}

const WANTS_PLACE: ReadonlySet<Form | null> = new Set<Form | null>(["new", "accept", "relocate"]);
export const wantsPlace = (form: Form | null): boolean => WANTS_PLACE.has(form);
