/**
 * How closures are drawn: barred in amber and black like the barriers in the street, flooded ones hatched in blue. Never red: that is P1's.
 * A sign stands on each, so that colour is never alone.
 */
import type { ExpressionSpecification, FilterSpecification, LayerSpecification } from "maplibre-gl";
import type { Placed } from "../board";
import { inForce } from "../closures";
import { t } from "../i18n";
import { middleOf } from "../shapes";
import type { Closure, Shape } from "../wire";
import type { Paint } from "./style";

/** Everything of a closure that answers to a click, topmost first. */
export const CLOSURE_LAYERS = ["closure-signs", "closure-bars", "closure-areas"];

export function closureFeatures(closures: Placed<Closure>[], now: number): GeoJSON.Feature[] {
  return closures.flatMap((closure) => {
    if (!closure.shape || !inForce(closure, now)) return [];
    const { subject, kind, reason, shape } = closure;
    return { type: "Feature", geometry: shape, properties: { subject, water: kind === "flooded", icon: `c:${kind}`, pattern: `h:${kind}`, label: reason || t(`closure.kind.${kind}`) } };
  });
}

/** One sign for each, wherever tiles cut its line. */
export const closureSigns = (features: GeoJSON.Feature[]): GeoJSON.Feature[] =>
  features.map((feature) => ({ ...feature, geometry: { type: "Point", coordinates: middleOf(feature.geometry as Shape) } }));

const colour = (paint: Paint): ExpressionSpecification => ["case", ["get", "water"], paint("--cut-water"), paint("--cut")];
const ofType = (...types: string[]): FilterSpecification => ["in", ["geometry-type"], ["literal", types]];
const LINES = ofType("LineString", "MultiLineString");
const AREAS = ofType("Polygon", "MultiPolygon");

/** Below units and incidents, above the streets that they close. */
export function closureLayers(paint: Paint, wall: boolean): LayerSpecification[] {
  const scale = wall ? 1.5 : 1;
  const wide = (px: number): ExpressionSpecification => ["interpolate", ["linear"], ["zoom"], 11, px * 0.45 * scale, 14, px * 0.8 * scale, 17, px * 1.5 * scale];
  const sign = {
    "icon-image": ["get", "icon"],
    "icon-allow-overlap": true,
    "icon-ignore-placement": true,
    "icon-size": ["interpolate", ["linear"], ["zoom"], 11, 0.7, 14, 1],
    "text-field": wall ? "" : ["step", ["zoom"], "", 14.5, ["get", "label"]],
    "text-font": ["Noto Sans Bold"],
    "text-size": 12 * scale,
    "text-anchor": "top",
    "text-offset": [0, 1.05],
    "text-max-width": 12,
    "text-optional": true,
  };
  const ink = { "text-color": paint("--tx-hi"), "text-halo-color": paint("--map-halo"), "text-halo-width": 1.8 };
  return [
    { id: "closure-areas", type: "fill", source: "closures", filter: AREAS, paint: { "fill-pattern": ["get", "pattern"], "fill-antialias": false } },
    { id: "closure-edges", type: "line", source: "closures", filter: AREAS, paint: { "line-color": paint("--ink"), "line-width": wide(5) } },
    { id: "closure-edge-bars", type: "line", source: "closures", filter: AREAS, paint: { "line-color": colour(paint), "line-width": wide(2.6), "line-dasharray": [3, 1.6] } },
    { id: "closure-case", type: "line", source: "closures", filter: LINES, layout: { "line-cap": "butt", "line-join": "round" }, paint: { "line-color": paint("--ink"), "line-width": wide(9.5) } },
    { id: "closure-bars", type: "line", source: "closures", filter: LINES, layout: { "line-join": "round" }, paint: { "line-color": colour(paint), "line-width": wide(6.5), "line-dasharray": [1.1, 0.7] } },
    { id: "closure-signs", type: "symbol", source: "closure-signs", layout: sign, paint: ink },
  ] as LayerSpecification[];
}
