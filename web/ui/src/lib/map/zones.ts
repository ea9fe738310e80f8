/** Zones on the map: lines and a breath of colour, each kind with a stroke of its own. */
import type { LayerSpecification } from "maplibre-gl";
import { middleOf } from "../shapes";
import { ZONE_KINDS, type Shape, type Zone, type ZoneKind } from "../wire";
import type { Paint } from "./style";

const STROKES: Record<ZoneKind, { colour: string; width: number; dashes?: number[] }> = {
  barrio: { colour: "--zone", width: 1.6 },
  district: { colour: "--zone", width: 3.4 },
  vecinal: { colour: "--zone", width: 2, dashes: [1, 1.6] },
  jurisdiction: { colour: "--tx2", width: 3, dashes: [5, 2] },
  grid: { colour: "--tx2", width: 1, dashes: [2, 2] },
  flood: { colour: "--cut-water", width: 2.4 },
  risk: { colour: "--p2", width: 2.4, dashes: [3, 1.5] },
};

/** Large ones first, so that a small one inside them is the one that is clicked. */
export function zoneFeatures(zones: Zone[], chosen: string | null): GeoJSON.Feature[] {
  const size = ({ geometry }: Zone) => geometry.coordinates.reduce((sum, [ring = []]) => sum + Math.abs(ring.reduce((area, [x = 0, y = 0], i) => area + x * (ring[i + 1]?.[1] ?? y) - (ring[i + 1]?.[0] ?? x) * y, 0)), 0);
  return [...zones]
    .sort((a, b) => size(b) - size(a))
    .map(({ geometry, properties: { id, kind, name } }) => ({ type: "Feature", geometry, properties: { subject: `zone:${id}`, kind, name, chosen: id === chosen } }));
}

/** One name for each, wherever tiles cut its area. */
export const zoneNames = (features: GeoJSON.Feature[]): GeoJSON.Feature[] =>
  features.map((feature) => ({ ...feature, geometry: { type: "Point", coordinates: middleOf(feature.geometry as Shape) } }));

/** The stroke of one kind, in any source of zones. */
export function zoneLines(kind: ZoneKind, source: string, paint: Paint): LayerSpecification {
  const { colour, width, dashes } = STROKES[kind];
  return { id: `${source}-${kind}`, type: "line", source, filter: ["==", ["get", "kind"], kind], paint: { "line-color": paint(colour), "line-width": width, ...(dashes ? { "line-dasharray": dashes } : {}) } };
}

export function zoneLayers(paint: Paint): LayerSpecification[] {
  const water = ["match", ["get", "kind"], "flood", paint("--cut-water"), "risk", paint("--p2"), paint("--zone")];
  return [
    { id: "zone-fill", type: "fill", source: "zones", paint: { "fill-color": water, "fill-opacity": ["case", ["get", "chosen"], 0.28, ["match", ["get", "kind"], ["flood", "risk"], 0.16, 0.05]] } },
    ...ZONE_KINDS.map((kind) => zoneLines(kind, "zones", paint)),
    { id: "zone-chosen", type: "line", source: "zones", filter: ["get", "chosen"], paint: { "line-color": paint("--focus"), "line-width": 3.5 } },
    {
      id: "zone-names",
      type: "symbol",
      source: "zone-names",
      layout: { "text-field": ["get", "name"], "text-font": ["Noto Sans Bold"], "text-size": 12, "text-max-width": 9, "text-padding": 4 },
      paint: { "text-color": paint("--tx-hi"), "text-halo-color": paint("--map-halo"), "text-halo-width": 1.8 },
    },
  ] as LayerSpecification[];
}
