/** Shapes on the map: where their middle is, how many corners they have, and what a stranger's file holds of them. */
import { metresBetween } from "./format";
import type { Shape } from "./wire";

type LonLat = [number, number];

const lonLat = ([lon = 0, lat = 0]: GeoJSON.Position): LonLat => [lon, lat];

/** A point to look at: on a line it lies on the line, in an area in the middle of its box. */
export function middleOf(shape: Shape): LonLat {
  switch (shape.type) {
    case "Point":
      return lonLat(shape.coordinates);
    case "LineString":
      return halfway(shape.coordinates);
    case "MultiLineString":
      return halfway(shape.coordinates[0] ?? []);
    default: {
      const [west, south, east, north] = boxOf(shape);
      return [(west + east) / 2, (south + north) / 2];
    }
  }
}

function halfway(line: GeoJSON.Position[]): LonLat {
  const steps = line.slice(1).map((to, i) => {
    const from = line[i] ?? to;
    return { from: lonLat(from), to: lonLat(to), long: Math.hypot((to[0] ?? 0) - (from[0] ?? 0), (to[1] ?? 0) - (from[1] ?? 0)) };
  });
  let left = steps.reduce((sum, { long }) => sum + long, 0) / 2;
  for (const { from, to, long } of steps) {
    if (left <= long && long > 0) return [from[0] + ((to[0] - from[0]) * left) / long, from[1] + ((to[1] - from[1]) * left) / long];
    left -= long;
  }
  return lonLat(line[0] ?? []);
}

/** Metres along a line, corner by corner in straight lines. */
export const lengthOf = (line: readonly LonLat[]): number => line.slice(1).reduce((sum, at, i) => sum + metresBetween(line[i] ?? at, at), 0);

export function cornersOf(shape: Shape): GeoJSON.Position[] {
  switch (shape.type) {
    case "Point":
      return [shape.coordinates];
    case "LineString":
      return shape.coordinates;
    case "MultiLineString":
    case "Polygon":
      return shape.coordinates.flat();
    case "MultiPolygon":
      return shape.coordinates.flat(2);
  }
}

/** West, south, east, north. */
export function boxOf(shape: Shape): [number, number, number, number] {
  const corners = cornersOf(shape).map(lonLat);
  const [lons, lats] = [corners.map(([lon]) => lon), corners.map(([, lat]) => lat)];
  return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
}

const METRES_PER_DEGREE = 111_195;

/** So many metres around a place, as a ring of sixteen corners. */
export function around([lon, lat]: LonLat, metres: number): GeoJSON.Polygon {
  const [up, across] = [metres / METRES_PER_DEGREE, metres / METRES_PER_DEGREE / Math.cos((lat * Math.PI) / 180)];
  const ring = Array.from({ length: 16 }, (_, i) => {
    const angle = (i * Math.PI) / 8;
    return [Number((lon + across * Math.cos(angle)).toFixed(7)), Number((lat + up * Math.sin(angle)).toFixed(7))];
  });
  return { type: "Polygon", coordinates: [[...ring, ring[0] ?? []]] };
}

/** The polygons of an area, each as it can be edited by hand. */
export const polygonsOf = (shape: Shape | null): GeoJSON.Polygon[] =>
  shape?.type === "Polygon"
    ? [shape]
    : shape?.type === "MultiPolygon"
      ? shape.coordinates.map((coordinates) => ({ type: "Polygon", coordinates }))
      : [];

/** Polygons as one area. */
export const areaOf = (polygons: GeoJSON.Polygon[]): GeoJSON.MultiPolygon => ({ type: "MultiPolygon", coordinates: polygons.map(({ coordinates }) => coordinates) });

/** The area in a GeoJSON file: a geometry, a feature, or all polygons of a collection. Null when it holds none. What is in it the server judges. */
export function areaIn(text: string): GeoJSON.MultiPolygon | null {
  try {
    const polygons = polygonsIn(JSON.parse(text) as GeoJSON.GeoJSON | null);
    return polygons.length > 0 ? areaOf(polygons) : null;
  } catch {
    return null;
  }
}

function polygonsIn(document: GeoJSON.GeoJSON | null): GeoJSON.Polygon[] {
  if (!document) return [];
  if (document.type === "FeatureCollection") return document.features.flatMap((feature) => polygonsIn(feature));
  if (document.type === "Feature") return polygonsIn(document.geometry);
  if (document.type === "GeometryCollection") return document.geometries.flatMap((each) => polygonsIn(each));
  return polygonsOf(document as Shape);
}
