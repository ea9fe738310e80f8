import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { createStore } from "zustand/vanilla";
import { useStore } from "zustand";
import { useEffect } from "react";
import { board, useBoard } from "../lib/live";
import { useMay } from "../lib/session";
import type { RoundStop } from "../lib/map/rounds";
import { stormClusters, stormNow } from "../lib/verbs";
import type { Storm } from "../lib/wire";
import { stage, useDesk } from "./desk";

const LOAD_EVERY = 15_000;
const CLUSTERS_EVERY = 4_000;
const KEY = "vigia:agrupado";

export function useStorm(): Storm | null {
  useBoard();
  return board.storm();
}

/** The load beside the line, and the policy: for the desks, while they have a use for it. */
export function useLoad(wanted = true) {
  const may = useMay("incident.update");
  return useQuery({ queryKey: ["storm"], queryFn: stormNow, enabled: wanted && may, refetchInterval: LOAD_EVERY, placeholderData: keepPreviousData });
}

/** What belongs together; asked for again and again while there is a storm. Without an answer everything stands alone. */
export function useClusters(wanted: boolean) {
  const may = useMay("report.triage");
  return useQuery({ queryKey: ["storm-clusters"], queryFn: stormClusters, enabled: wanted && may, refetchInterval: CLUSTERS_EVERY, placeholderData: keepPreviousData });
}

/** Grouped or all, as this person last wanted it. */
const grouping = createStore<{ grouped: boolean }>(() => ({ grouped: localStorage.getItem(KEY) !== "no" }));
export const useGrouped = (): boolean => useStore(grouping, (state) => state.grouped);
export function setGrouped(grouped: boolean): void {
  localStorage.setItem(KEY, grouped ? "si" : "no");
  grouping.setState({ grouped });
}

/** Draws a circuit or loose places on the map while `stops` says so. */
export function useRound(stops: RoundStop[] | null, from: [number, number] | null = null, joined = false): void {
  const ready = useDesk((state) => state.mapReady);
  const drawn = JSON.stringify([stops, from, joined]);
  useEffect(() => {
    const [places, start, line] = JSON.parse(drawn) as [RoundStop[] | null, [number, number] | null, boolean];
    if (!ready || !places) return;
    stage.map?.showRound(places, start, line);
    return () => stage.map?.showRound([]);
  }, [ready, drawn]);
}

/** Everything into view, unless it is. */
export function frame(places: [number, number][]): void {
  if (places.length === 0) return;
  const [lons, lats] = [places.map(([lon]) => lon), places.map(([, lat]) => lat)];
  stage.map?.frame([Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)]);
}
