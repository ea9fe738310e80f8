/** What a person lays over the map, remembered for that person on this PC; and what the city has to lay. */
import { useQuery } from "@tanstack/react-query";
import { createStore } from "zustand/vanilla";
import { useStore } from "zustand";
import { api, newId } from "./api";
import { useFacilities } from "./resources";
import { board, useBoard } from "./live";
import { session } from "./session";
import { zones, type LonLat } from "./verbs";
import type { Facility, FacilityKind, Feature, Fence, Zone, ZoneKind } from "./wire";

export interface Laid {
  closures: boolean;
  cordons: boolean;
  covered: boolean;
  facilities: FacilityKind[];
  zones: ZoneKind[];
}

const START: Laid = { closures: true, cordons: true, covered: false, facilities: [], zones: [] };
const keyOf = (): string => `vigia:capas:${session.getState().session?.person.id ?? ""}`;

function remembered(): Laid {
  try {
    return { ...START, ...(JSON.parse(localStorage.getItem(keyOf()) ?? "{}") as Partial<Laid>) };
  } catch {
    return START;
  }
}

export const laid = createStore<Laid>(() => START);
export const useLaid = (): Laid => useStore(laid);
export const recallLayers = (): void => laid.setState(remembered(), true);

export function lay(change: Partial<Laid>): void {
  laid.setState(change);
  try {
    localStorage.setItem(keyOf(), JSON.stringify(laid.getState()));
  } catch {
    // Not remembered, then.
  }
}

export const toggled = <T,>(all: readonly T[], one: T): T[] => (all.includes(one) ? all.filter((each) => each !== one) : [...all, one]);

export function useCityLayers(): { facilities: Facility[]; zones: Zone[] } {
  const { data: facilities = [] } = useFacilities();
  useBoard();
  const edition = board.zonesEdition();
  const { data } = useQuery({ queryKey: ["zones", edition], queryFn: zones, staleTime: 300_000, placeholderData: (held) => held });
  return { facilities, zones: data?.features ?? [] };
}

export interface Reach {
  features: (GeoJSON.Feature<GeoJSON.MultiPolygon> & { properties: { minutes: number; square_km: number } })[];
}
export const reachFrom = ([lon, lat]: LonLat, kind: string | null, minutes: readonly number[]) =>
  api<Reach>(`/travel/isochrones?lon=${lon}&lat=${lat}&minutes=${minutes.join(",")}${kind ? `&kind=${kind}` : ""}`);

export interface Covered {
  minutes: number;
  covered: { geometry: GeoJSON.MultiPolygon; square_km: number; people: number | null };
}
export const coveredIn = (minutes: number) => api<Covered>(`/travel/coverage?minutes=${minutes}`);

const HOURS = 12;
/** Where nobody should pass without being seen, for half a day unless it is taken away earlier. */
export const drawCordon = (name: string, shape: GeoJSON.Polygon, now: number) =>
  api<Feature<Fence & { version: number }>>("/fences", { body: { id: newId(), name, shape, units: { kinds: [] }, valid_until: new Date(now + HOURS * 3_600_000).toISOString() } });
export const liftCordon = ({ id, version }: Fence) => api(`/fences/${id}/end`, { method: "POST", body: {}, version });
