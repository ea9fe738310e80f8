/** Major incidents on the map: a perimeter in long dashes, sectors in their colour with their name. Below closures and everything that moves. */
import type { LayerSpecification } from "maplibre-gl";
import type { Placed } from "../board";
import { middleOf } from "../shapes";
import type { Major, SectorColour, Shape } from "../wire";
import type { Paint } from "./style";

/** Okabe and Ito's, which everybody tells apart; the name stands beside them (major.css has the same). */
const COLOURS: Record<SectorColour, string> = { orange: "#e69f00", sky: "#56b4e9", green: "#009e73", yellow: "#f0e442", blue: "#0072b2", pink: "#cc79a7" };

export function majorFeatures(majors: Placed<Major>[]): GeoJSON.Feature[] {
  return majors.flatMap(({ shape, name, sectors }): GeoJSON.Feature[] => [
    ...(shape ? [{ type: "Feature" as const, geometry: shape, properties: { kind: "perimeter", name } }] : []),
    ...sectors.flatMap((sector) => (sector.shape ? [{ type: "Feature" as const, geometry: sector.shape, properties: { kind: "sector", name: sector.name, colour: COLOURS[sector.colour] } }] : [])),
  ]);
}

export const majorNames = (features: GeoJSON.Feature[]): GeoJSON.Feature[] =>
  features.map((feature) => ({ ...feature, geometry: { type: "Point", coordinates: middleOf(feature.geometry as Shape) } }));

export function majorLayers(paint: Paint): LayerSpecification[] {
  const sector = ["==", ["get", "kind"], "sector"];
  return [
    { id: "major-sectors", type: "fill", source: "majors", filter: sector, paint: { "fill-color": ["get", "colour"], "fill-opacity": 0.07 } },
    { id: "major-sector-edges", type: "line", source: "majors", filter: sector, paint: { "line-color": ["get", "colour"], "line-width": 2.4 } },
    { id: "major-perimeters", type: "line", source: "majors", filter: ["==", ["get", "kind"], "perimeter"], paint: { "line-color": paint("--tx-hi"), "line-width": 2.6, "line-dasharray": [4, 2] } },
    {
      id: "major-names",
      type: "symbol",
      source: "major-names",
      layout: { "text-field": ["get", "name"], "text-font": ["Noto Sans Bold"], "text-size": 13, "text-max-width": 9, "text-padding": 4 },
      paint: { "text-color": paint("--tx-hi"), "text-halo-color": paint("--map-halo"), "text-halo-width": 1.8 },
    },
  ] as LayerSpecification[];
}
