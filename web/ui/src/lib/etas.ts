/** How far a unit is: by road as the server reckons it with the closures in force, else in a straight line and said so. */
import { distance } from "./format";
import { t } from "./i18n";
import type { Candidate } from "./queue";
import type { Eta } from "./wire";

/** What a straight line is worth in seconds when it stands beside times by road: 30 km/h, and half as far again. */
const STRAIGHT_PACE = 1.5 / (30 / 3.6);
const NEVER = 1e9;
const OFF_ROAD_SHOWN = 150;

export type Etas = ReadonlyMap<string, Eta>;

/** Seconds to sort by; who has no way goes last, and after them who is nowhere. */
export function nearness({ eta, metres }: Pick<Candidate, "eta" | "metres">): number {
  if (eta?.how === "unreachable") return NEVER + (metres ?? 0);
  if (eta?.how === "road" && eta.seconds !== null) return eta.seconds;
  const straight = metres ?? eta?.metres ?? null;
  return straight === null ? Infinity : straight * STRAIGHT_PACE;
}

export const minutes = (seconds: number): string => t("eta.min", { n: Math.max(1, Math.ceil(seconds / 60)) });

export interface Far {
  /** What is read first: "4 min", "sin camino", "1,2 km". */
  main: string;
  /** What it rests on: the way by road, or that it is a straight line. */
  note: string | null;
  how: Eta["how"];
}

export function farOf({ eta, metres }: Pick<Candidate, "eta" | "metres">): Far {
  if (eta?.how === "road" && eta.seconds !== null) {
    const off = eta.snap_m !== null && eta.snap_m >= OFF_ROAD_SHOWN ? t("eta.offRoad", { far: distance(eta.snap_m) }) : null;
    return { main: minutes(eta.seconds), note: [eta.metres === null ? null : distance(eta.metres), off].filter(Boolean).join(" ") || null, how: "road" };
  }
  if (eta?.how === "unreachable") return { main: t("eta.unreachable"), note: metres === null ? null : t("eta.straight", { far: distance(metres) }), how: "unreachable" };
  const straight = metres ?? eta?.metres ?? null;
  if (straight === null) return { main: t("units.noPosition"), note: null, how: "no_position" };
  return { main: distance(straight), note: t("eta.straightNote"), how: "straight_line" };
}
