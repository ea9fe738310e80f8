/** Incidents that are on no board any more and were looked for: read once, shown in the card like any other. */
import { createStore } from "zustand/vanilla";
import { useStore } from "zustand";
import { api, Refusal } from "../lib/api";
import type { Placed } from "../lib/board";
import { board } from "../lib/live";
import { searchAll } from "../lib/search";
import { middleOf } from "../lib/shapes";
import type { Feature, Incident } from "../lib/wire";
import { select, stage } from "./desk";

const past = createStore<{ incident: Placed<Incident> | null }>(() => ({ incident: null }));

/** The incident that was opened from a search and is on no board. */
export const usePast = (subject: string): Placed<Incident> | null => useStore(past, ({ incident }) => (incident?.subject === subject ? incident : null));

/** Select an incident that a search found, wherever it is, and bring it to the middle of the map. */
export async function openFound(id: string): Promise<void> {
  const subject = `incident:${id}`;
  let found = board.get<Incident>(subject);
  if (!found) {
    const { properties, geometry } = await api<Feature<Incident>>(`/incidents/${id}`);
    found = { ...properties, at: geometry && middleOf(geometry), shape: geometry };
    past.setState({ incident: found });
  }
  select(subject);
  if (found.at) stage.map?.goTo(found.at);
}

/** The same by its whole code; false when there is none that one may see. */
export async function openPast(code: string): Promise<boolean> {
  const { found } = await searchAll(code);
  const one = found.find(({ kind, title }) => kind === "incident" && title === code);
  if (!one) return false;
  try {
    await openFound(one.id);
    return true;
  } catch (error) {
    if (error instanceof Refusal && error.status === 404) return false;
    throw error;
  }
}
