import type { Placed } from "../lib/board";
import type { Incident } from "../lib/wire";

/** What the run card asks to be done, and what was. */
export function Tasks({ incident }: { incident: Placed<Incident> }) {
  void incident;
  return null;
}
