/** A circuit on the map: its stops numbered in order on a line, or the places of what stands behind one line of the queue. */
import type { LayerSpecification } from "maplibre-gl";
import type { Paint } from "./style";

export interface RoundStop {
  at: [number, number];
  /** Its number; none for a place of a cluster. */
  label?: string;
  over?: boolean;
}

export function roundFeatures(stops: RoundStop[], from: [number, number] | null, joined: boolean): GeoJSON.Feature[] {
  const ahead = stops.filter(({ over }) => !over).map(({ at }) => at);
  const line = joined ? [...(from ? [from] : []), ...ahead] : [];
  return [
    ...(line.length > 1 ? [{ type: "Feature" as const, geometry: { type: "LineString" as const, coordinates: line }, properties: {} }] : []),
    ...stops.map(({ at, label = "", over = false }) => ({ type: "Feature" as const, geometry: { type: "Point" as const, coordinates: at }, properties: { label, over } })),
  ];
}

/** The line below what moves, the numbers above everything. */
export function roundLines(paint: Paint): LayerSpecification[] {
  const round = { "line-cap": "round", "line-join": "round" };
  const line = ["==", ["geometry-type"], "LineString"];
  return [
    { id: "round-case", type: "line", source: "round", filter: line, layout: round, paint: { "line-color": paint("--map-halo"), "line-width": 8 } },
    { id: "round-line", type: "line", source: "round", filter: line, layout: round, paint: { "line-color": paint("--route"), "line-width": 4, "line-dasharray": [2, 1.5] } },
  ] as LayerSpecification[];
}

export function roundStops(paint: Paint): LayerSpecification[] {
  const numbered = ["all", ["==", ["geometry-type"], "Point"], ["!=", ["get", "label"], ""]];
  const plain = ["all", ["==", ["geometry-type"], "Point"], ["==", ["get", "label"], ""]];
  const faded = ["case", ["get", "over"], 0.5, 1];
  return [
    { id: "round-places", type: "circle", source: "round", filter: plain, paint: { "circle-radius": 11, "circle-color": "rgba(0,0,0,0)", "circle-stroke-color": paint("--focus"), "circle-stroke-width": 2 } },
    { id: "round-stops", type: "circle", source: "round", filter: numbered, paint: { "circle-radius": 12, "circle-color": paint("--route"), "circle-opacity": faded, "circle-stroke-color": paint("--map-halo"), "circle-stroke-width": 2 } },
    {
      id: "round-numbers",
      type: "symbol",
      source: "round",
      filter: numbered,
      layout: { "text-field": ["get", "label"], "text-font": ["Noto Sans Bold"], "text-size": 13, "text-allow-overlap": true, "text-ignore-placement": true },
      paint: { "text-color": paint("--s0"), "text-opacity": faded },
    },
  ] as LayerSpecification[];
}
