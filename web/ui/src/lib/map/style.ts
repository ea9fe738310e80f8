/** The base map, drawn by us from our own tokens. Layers that a city's tiles lack simply draw nothing. */
import type { LayerSpecification, StyleSpecification } from "maplibre-gl";

export type Paint = (token: string) => string;

const REGULAR = ["Noto Sans Regular"];
const BOLD = ["Noto Sans Bold"];

/** Line width that grows by zoom, in the exponential way streets do. */
const width = (...stops: [zoom: number, px: number][]) => ["interpolate", ["exponential", 1.6], ["zoom"], ...stops.flat()] as unknown as number;

const WIDTHS = {
  highway: [[9, 1.2], [12, 2.6], [14, 6], [16, 14], [18, 30]] as [number, number][],
  major_road: [[9, 0.6], [12, 1.8], [14, 4.2], [16, 11], [18, 26]] as [number, number][],
  minor_road: [[12, 0.5], [13, 0.9], [14, 1.8], [16, 7], [18, 20]] as [number, number][],
  path: [[14, 0.6], [16, 1.6], [18, 4]] as [number, number][],
};

type Kind = keyof typeof WIDTHS;

const grown = (kind: Kind, by: number) => width(...WIDTHS[kind].map(([zoom, px]): [number, number] => [zoom, px + by]));

function road(kind: Kind, colour: string, minzoom: number): LayerSpecification {
  return {
    id: `road-${kind}`,
    type: "line",
    source: "base",
    "source-layer": "roads",
    minzoom,
    filter: ["==", ["get", "kind"], kind],
    layout: { "line-cap": "round", "line-join": "round" },
    paint: { "line-color": colour, "line-width": grown(kind, 0) },
  };
}

function roadCase(kind: Kind, colour: string, minzoom: number): LayerSpecification {
  return { ...road(kind, colour, minzoom), id: `road-${kind}-case`, paint: { "line-color": colour, "line-width": grown(kind, 1.5) } } as LayerSpecification;
}

function area(id: string, sourceLayer: string, colour: string, filter?: unknown, minzoom = 0): LayerSpecification {
  return {
    id,
    type: "fill",
    source: "base",
    "source-layer": sourceLayer,
    minzoom,
    ...(filter ? { filter } : {}),
    paint: { "fill-color": colour, "fill-antialias": false },
  } as LayerSpecification;
}

function streetNames(kinds: Kind[], minzoom: number, size: number, paint: Paint): LayerSpecification {
  return {
    id: `name-${kinds[0]}`,
    type: "symbol",
    source: "base",
    "source-layer": "roads",
    minzoom,
    filter: ["all", ["in", ["get", "kind"], ["literal", kinds]], ["has", "name"]],
    layout: {
      "symbol-placement": "line",
      "symbol-spacing": 320,
      "text-field": ["get", "name"],
      "text-font": REGULAR,
      "text-size": ["interpolate", ["linear"], ["zoom"], minzoom, size, 18, size + 3],
      "text-max-angle": 30,
      "text-padding": 6,
    },
    paint: { "text-color": paint("--map-label"), "text-halo-color": paint("--map-halo"), "text-halo-width": 1.4 },
  } as LayerSpecification;
}

const GREEN = ["park", "grass", "forest", "wood", "nature_reserve", "garden", "cemetery", "golf_course", "pitch", "playground", "recreation_ground"];

/** The style of the ground; what lives on top of it is added by LiveMap. */
export function baseStyle(paint: Paint, tiles: string, big: boolean): StyleSpecification {
  const text = big ? 3 : 0;
  return {
    version: 8,
    sources: { base: { type: "vector", tiles: [tiles], minzoom: 0, maxzoom: 15 } },
    transition: { duration: 0, delay: 0 },
    layers: [
      { id: "ground", type: "background", paint: { "background-color": paint("--map-ground") } },
      area("earth", "earth", paint("--map-earth")),
      area("landuse", "landuse", paint("--map-green"), ["in", ["get", "kind"], ["literal", GREEN]]),
      area("water", "water", paint("--map-water"), ["==", ["geometry-type"], "Polygon"]),
      {
        id: "stream",
        type: "line",
        source: "base",
        "source-layer": "water",
        filter: ["==", ["geometry-type"], "LineString"],
        paint: { "line-color": paint("--map-water"), "line-width": width([10, 0.6], [16, 3]) },
      },
      area("buildings", "buildings", paint("--map-building"), undefined, 14),
      road("path", paint("--map-path"), 14),
      roadCase("minor_road", paint("--map-case"), 11),
      roadCase("major_road", paint("--map-case-strong"), 8),
      roadCase("highway", paint("--map-case-strong"), 6),
      road("minor_road", paint("--map-minor"), 11),
      road("major_road", paint("--map-major"), 8),
      road("highway", paint("--map-highway"), 6),
      streetNames(["minor_road"], 15, 11 + text, paint),
      streetNames(["major_road", "highway"], 13, 12 + text, paint),
      {
        id: "places",
        type: "symbol",
        source: "base",
        "source-layer": "places",
        filter: ["has", "name"],
        layout: {
          "text-field": ["get", "name"],
          "text-font": BOLD,
          "text-size": ["interpolate", ["linear"], ["zoom"], 10, 11 + text, 15, 15 + text],
          "text-max-width": 8,
          "text-padding": 10,
          "text-letter-spacing": 0.03,
        },
        paint: { "text-color": paint("--map-label-place"), "text-halo-color": paint("--map-halo"), "text-halo-width": 1.6 },
      },
    ],
  };
}
