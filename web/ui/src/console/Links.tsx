import type { Placed } from "../lib/board";
import type { Incident } from "../lib/wire";

/** How this incident hangs together with others. */
export function Links({ incident }: { incident: Placed<Incident> }) {
  void incident;
  return null;
}
