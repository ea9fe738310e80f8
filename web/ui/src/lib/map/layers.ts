/** What a person may lay over the ground, one source each: facilities, kinds of zones, cordons, reach, coverage, a measured line. */
import type { LayerSpecification } from "maplibre-gl";
import { middleOf } from "../shapes";
import type { Facility, Shape, Zone, ZoneKind } from "../wire";
import { ZONE_KINDS } from "../wire";
import type { Paint } from "./style";
import { zoneLines } from "./zones";

export const LAYERS = ["covered", "reach", "areas", "area-names", "cordons", "facilities", "measure"] as const;
export type LayerName = (typeof LAYERS)[number];
export const sourceOf = (name: LayerName): string => `layer-${name}`;

export const facilityFeatures = (facilities: readonly Facility[]): GeoJSON.Feature[] =>
  facilities.map(({ geometry, properties: { id, kind, name, out_of_service } }) => ({
    type: "Feature",
    geometry,
    properties: { subject: `facility:${id}`, icon: `f:${kind}:${out_of_service ? "out" : "in"}`, label: name },
  }));

export const areaFeatures = (zones: readonly Zone[], kinds: ReadonlySet<ZoneKind>): GeoJSON.Feature[] =>
  zones.filter(({ properties: { kind } }) => kinds.has(kind)).map(({ geometry, properties: { kind, name } }) => ({ type: "Feature", geometry, properties: { kind, name, chosen: false } }));

/** Where names stand. */
export const named = (features: readonly GeoJSON.Feature[]): GeoJSON.Feature[] => features.map((feature) => ({ ...feature, geometry: { type: "Point", coordinates: middleOf(feature.geometry as Shape) } }));

/** Under everything that lives: `lower` below closures, `upper` above them. */
export function extraLayers(paint: Paint): { lower: LayerSpecification[]; upper: LayerSpecification[] } {
  const text = (size: number) => ({ "text-field": ["get", "label"], "text-font": ["Noto Sans Bold"], "text-size": size, "text-max-width": 12, "text-padding": 3, "text-optional": true });
  const ink = { "text-color": paint("--tx-hi"), "text-halo-color": paint("--map-halo"), "text-halo-width": 1.8 };
  const lower = [
    { id: "layer-covered", type: "fill", source: "layer-covered", paint: { "fill-color": paint("--u-libre"), "fill-opacity": 0.14, "fill-outline-color": paint("--u-libre") } },
    { id: "layer-reach", type: "fill", source: "layer-reach", paint: { "fill-color": paint("--route"), "fill-opacity": 0.12 } },
    { id: "layer-reach-edge", type: "line", source: "layer-reach", paint: { "line-color": paint("--route"), "line-width": ["get", "width"] } },
    { id: "layer-reach-names", type: "symbol", source: "layer-reach", layout: { ...text(12), "symbol-placement": "line", "text-max-angle": 60 }, paint: ink },
    { id: "layer-areas", type: "fill", source: "layer-areas", filter: ["in", ["get", "kind"], ["literal", ["flood", "risk"]]], paint: { "fill-color": ["match", ["get", "kind"], "flood", paint("--cut-water"), paint("--p2")], "fill-opacity": 0.16 } },
    ...ZONE_KINDS.map((kind) => zoneLines(kind, "layer-areas", paint)),
    { id: "layer-area-names", type: "symbol", source: "layer-area-names", layout: { ...text(12), "text-field": ["get", "name"], "text-max-width": 9 }, paint: ink },
  ];
  const upper = [
    { id: "layer-cordons", type: "fill", source: "layer-cordons", paint: { "fill-color": paint("--focus"), "fill-opacity": 0.1 } },
    { id: "layer-cordon-case", type: "line", source: "layer-cordons", paint: { "line-color": paint("--ink"), "line-width": 5 } },
    { id: "layer-cordon-edge", type: "line", source: "layer-cordons", paint: { "line-color": paint("--focus"), "line-width": 2.6, "line-dasharray": [2, 1] } },
    { id: "layer-cordon-names", type: "symbol", source: "layer-cordons", layout: { ...text(12), "symbol-placement": "line", "text-max-angle": 60 }, paint: ink },
    {
      id: "layer-facilities",
      type: "symbol",
      source: "layer-facilities",
      layout: { ...text(11), "icon-image": ["get", "icon"], "icon-allow-overlap": true, "icon-ignore-placement": true, "icon-size": ["interpolate", ["linear"], ["zoom"], 11, 0.6, 14, 1], "text-field": ["step", ["zoom"], "", 15, ["get", "label"]], "text-anchor": "top", "text-offset": [0, 1] },
      paint: ink,
    },
    { id: "layer-measure-case", type: "line", source: "layer-measure", paint: { "line-color": paint("--ink"), "line-width": 6 } },
    { id: "layer-measure", type: "line", source: "layer-measure", paint: { "line-color": paint("--focus"), "line-width": 3 } },
  ];
  return { lower: lower as LayerSpecification[], upper: upper as LayerSpecification[] };
}
