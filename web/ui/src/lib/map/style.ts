/**
 * The base map: the layers of Protomaps' style over our own tiles, in our own tokens. Muted on purpose, so that incidents and units
 * stand out. Nothing is fetched but tiles: labels come from the faces we serve, images are painted here.
 */
import { type Flavor, layers } from "@protomaps/basemaps";
import type { ExpressionSpecification, LayerSpecification, StyleSpecification } from "maplibre-gl";

export type Paint = (token: string) => string;

export interface Look {
  /** The wall: larger letters. */
  big: boolean;
  /** The same map without its colours: whatever has one is then an incident or a unit. */
  gray: boolean;
}

const SOURCE = "base";
const LANGUAGE = "es";
const REGULAR = "Noto Sans Regular";
const BOLD = "Noto Sans Bold";
const MAX_ZOOM = 15; // geo/tiles.py

/** What hangs on images that we do not have, or says what our own layer says better. */
const LEFT_OUT = new Set(["roads_shields", "pois", "places_country", "places_region"]);

/** Green that Protomaps' style leaves white. */
const GREEN = ["garden", "pitch", "recreation_ground", "meadow", "dog_park", "stadium"];

const GRAY = [0.299, 0.587, 0.114];

/** `#rrggbb` without its hue, as bright as it was. */
export function grayOf(colour: string): string {
  const level = GRAY.reduce((sum, share, i) => sum + share * parseInt(colour.slice(1 + 2 * i, 3 + 2 * i), 16), 0);
  return `#${Math.round(level).toString(16).padStart(2, "0").repeat(3)}`;
}

/** Protomaps' flavour from our tokens. */
export function flavor(paint: Paint): Flavor {
  const [earth, green, wood, civic, plain] = [paint("--map-earth"), paint("--map-green"), paint("--map-wood"), paint("--map-civic"), paint("--map-plain")];
  const [minor, major, highway, path] = [paint("--map-minor"), paint("--map-major"), paint("--map-highway"), paint("--map-path")];
  const [edge, strong, tunnel] = [paint("--map-case"), paint("--map-case-strong"), paint("--map-tunnel")];
  const [label, placeLabel, halo] = [paint("--map-label"), paint("--map-label-place"), paint("--map-halo")];
  return {
    background: paint("--map-water"), // where there is no earth there is sea
    earth, park_a: green, park_b: green, wood_a: wood, wood_b: wood, scrub_a: green, scrub_b: green, zoo: green,
    hospital: civic, school: civic, industrial: plain, military: plain, aerodrome: plain, pedestrian: plain,
    glacier: paint("--map-halo"), sand: paint("--map-sand"), beach: paint("--map-sand"), runway: path, pier: plain,
    water: paint("--map-water"),
    buildings: paint("--map-building"),
    tunnel_other_casing: edge, tunnel_minor_casing: edge, tunnel_link_casing: edge, tunnel_major_casing: edge, tunnel_highway_casing: edge,
    tunnel_other: tunnel, tunnel_minor: tunnel, tunnel_link: tunnel, tunnel_major: tunnel, tunnel_highway: tunnel,
    minor_service_casing: edge, minor_casing: edge, link_casing: edge, major_casing_early: strong, major_casing_late: strong,
    highway_casing_early: strong, highway_casing_late: strong,
    other: path, minor_service: minor, minor_a: minor, minor_b: minor, link: major, major, highway,
    bridges_other_casing: edge, bridges_minor_casing: strong, bridges_link_casing: strong, bridges_major_casing: strong, bridges_highway_casing: strong,
    bridges_other: path, bridges_minor: minor, bridges_link: major, bridges_major: major, bridges_highway: highway,
    railway: paint("--map-rail"), boundaries: paint("--map-boundary"),
    roads_label_minor: label, roads_label_minor_halo: halo, roads_label_major: label, roads_label_major_halo: halo,
    ocean_label: paint("--map-label-water"), subplace_label: paint("--map-label-zone"), subplace_label_halo: halo,
    city_label: placeLabel, city_label_halo: halo, state_label: placeLabel, state_label_halo: halo, country_label: placeLabel,
    address_label: label, address_label_halo: halo,
    regular: REGULAR, bold: BOLD, italic: REGULAR,
  };
}

type Value = number | ExpressionSpecification;

/** A size, or a curve of sizes, made larger. */
function times(size: Value, by: number): Value {
  if (typeof size === "number") return size * by;
  const [name] = size as [string, ...unknown[]];
  const first = { interpolate: 4, step: 2, case: 2 }[name];
  if (first === undefined) return ["*", size, by] as ExpressionSpecification;
  const output = (i: number) => i >= first && (name === "case" ? i % 2 === 0 || i === size.length - 1 : (i - first) % 2 === 0);
  return (size as Value[]).map((part, i) => (output(i) ? times(part, by) : part)) as unknown as ExpressionSpecification;
}

const curve = (...stops: [zoom: number, value: number][]) => ["interpolate", ["exponential", 1.6], ["zoom"], ...stops.flat()] as ExpressionSpecification;
const straight = (...stops: [zoom: number, value: number][]) => ["interpolate", ["linear"], ["zoom"], ...stops.flat()] as ExpressionSpecification;

/** Streets are what a dispatcher reads first: wider than Protomaps draws them, and from as far away as our tiles have them. */
const WIDTHS: [test: RegExp, width: ExpressionSpecification][] = [
  [/^roads_(tunnels_|bridges_)?highway/, curve([6, 0.8], [9, 1.3], [12, 2.8], [14, 5.5], [16, 13], [18, 30])],
  [/^roads_(tunnels_|bridges_)?major/, curve([7, 0.4], [9, 0.7], [12, 2], [14, 4.2], [16, 11], [18, 26])],
  [/^roads_(tunnels_|bridges_)?link/, curve([12, 0.5], [13, 1.2], [14, 2.4], [16, 7], [18, 16])],
  [/^roads_minor_service/, curve([14, 0.6], [15, 1.4], [16, 3.2], [18, 10])],
  [/^roads_(tunnels_|bridges_)?minor/, curve([12, 0.5], [13, 1], [14, 2], [16, 7], [18, 20])],
];
const CASING = curve([9, 0.4], [12, 0.7], [16, 1.2], [19, 1.6]);

/** A layer of any type, to be changed. */
interface Own {
  id: string;
  type: LayerSpecification["type"];
  minzoom?: number;
  maxzoom?: number;
  filter?: unknown;
  layout?: Record<string, unknown>;
  paint: Record<string, unknown>;
}

/** One of Protomaps' layers, as our map wants it. */
function ours(layer: LayerSpecification, { big }: Look): Own {
  const own = structuredClone(layer) as unknown as Own;
  const { id } = own;
  if (own.type === "line") {
    const width = WIDTHS.find(([test]) => test.test(id))?.[1];
    if (width && id.includes("casing")) own.paint = { ...own.paint, "line-gap-width": width, "line-width": CASING };
    else if (width) own.paint = { ...own.paint, "line-width": width };
    if (width && !("line-dasharray" in own.paint)) own.layout = { "line-cap": id.includes("casing") || id.includes("bridges") ? "butt" : "round", "line-join": "round" };
  }
  if (id === "water_river") own.filter = ["all", ["in", "kind", "river", "canal"], ["==", "$type", "LineString"]];
  if (id === "water_stream") own.filter = ["in", "kind", "stream", "ditch", "drain"];
  if (id === "landuse_urban_green") own.filter = ["in", "kind", "allotments", "village_green", "playground", ...GREEN];
  if (id === "water_waterway_label") own.filter = ["in", "kind", "river", "stream", "canal"];
  if (id === "buildings") own.paint = { ...own.paint, "fill-opacity": straight([14, 0.45], [16, 0.9]) };
  if (own.type !== "symbol") return own;

  if (id === "roads_oneway") own.layout = { ...own.layout, "icon-image": "way:", "icon-rotate": 0, "symbol-spacing": 140, "icon-padding": 0 };
  if (id === "roads_labels_minor") own.layout = { ...own.layout, "text-size": straight([14, 10.5], [16, 12], [18, 14.5]), "symbol-spacing": 320, "text-padding": 4 };
  if (id === "roads_labels_major") own.layout = { ...own.layout, "text-size": straight([12, 11], [15, 12.5], [18, 15]), "symbol-spacing": 360, "text-padding": 5 };
  if (id === "roads_labels_minor") own.minzoom = 14.5;
  if (id === "roads_labels_major") own.minzoom = 12;
  if (id === "places_subplace") own.layout = { ...own.layout, "text-size": straight([11, 9.5], [13, 11], [15, 14], [17, 16]), "text-letter-spacing": 0.06 };
  if (id === "places_subplace") own.maxzoom = 16.5;
  if (id === "places_locality") {
    delete own.layout?.["icon-image"];
    own.layout = { ...own.layout, "text-variable-anchor": ["center"] };
    own.maxzoom = 15;
  }
  if (id !== "roads_oneway") own.paint = { ...own.paint, "text-halo-width": 1.5 };
  const size = own.layout?.["text-size"] as Value | undefined;
  if (big && size !== undefined) own.layout = { ...own.layout, "text-size": times(size, 1.25) };
  return own;
}

/** Landmarks: what an emergency asks for has a sign of its own, the others a dot; less where it is tight. */
function landmarks(paint: Paint, { big }: Look): LayerSpecification {
  return {
    id: "pois",
    type: "symbol",
    source: SOURCE,
    "source-layer": "pois",
    minzoom: 12,
    filter: [">=", ["zoom"], ["get", "min_zoom"]],
    layout: {
      "symbol-sort-key": ["get", "min_zoom"],
      "icon-image": ["match", ["get", "kind"], ["hospital", "clinic", "ambulance_station"], "poi:hospital", "fire_station", "poi:fire", "police", "poi:police", "poi:other"],
      "text-field": ["get", "name"],
      "text-font": [REGULAR],
      "text-size": straight([13, big ? 13 : 10.5], [18, big ? 16 : 13]),
      "text-max-width": 8,
      "text-variable-anchor": ["left", "right", "top", "bottom"],
      "text-radial-offset": 0.8,
      "text-justify": "auto",
      "text-optional": true,
      "text-padding": 6,
      "icon-padding": 4,
    },
    paint: { "text-color": paint("--map-poi"), "text-halo-color": paint("--map-halo"), "text-halo-width": 1.4 },
  };
}

/** The style of the ground; what lives on top of it is added by LiveMap. */
export function baseStyle(token: Paint, tiles: string, look: Look): StyleSpecification {
  const paint: Paint = look.gray ? (name) => grayOf(token(name)) : token;
  const made = layers(SOURCE, flavor(paint), { lang: LANGUAGE }) as LayerSpecification[];
  const all = made.filter(({ id }) => !LEFT_OUT.has(id)).map((layer) => ours(layer, look));
  const below = all.findIndex(({ id }) => id === "places_subplace");
  return {
    version: 8,
    sources: { [SOURCE]: { type: "vector", tiles: [tiles], minzoom: 0, maxzoom: MAX_ZOOM } },
    transition: { duration: 0, delay: 0 },
    layers: [...all.slice(0, below), landmarks(paint, look), ...all.slice(below)] as LayerSpecification[],
  };
}
