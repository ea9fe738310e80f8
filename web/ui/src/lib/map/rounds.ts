/** A circuit on the map: its stops numbered in order on a line, or the places of what stands behind one line of the queue. */
import type { LayerSpecification } from "maplibre-gl";
import type { Paint } from "./style";

export interface RoundStop {
  at: [number, number];
  /** Its number; none for a place of a cluster. */
  label?: string;
  over?: boolean;
}

/** The way through what is still ahead; the stops themselves are marks. */
export function roundWay(stops: RoundStop[], from: [number, number] | null, joined: boolean): GeoJSON.Feature[] {
  const line = joined ? [...(from ? [from] : []), ...stops.filter(({ over }) => !over).map(({ at }) => at)] : [];
  return line.length > 1 ? [{ type: "Feature", geometry: { type: "LineString", coordinates: line }, properties: {} }] : [];
}

export function roundLines(paint: Paint): LayerSpecification[] {
  const round = { "line-cap": "round", "line-join": "round" };
  return [
    { id: "round-case", type: "line", source: "round", layout: round, paint: { "line-color": paint("--map-halo"), "line-width": 8 } },
    { id: "round-line", type: "line", source: "round", layout: round, paint: { "line-color": paint("--route"), "line-width": 4, "line-dasharray": [2, 1.5] } },
  ] as LayerSpecification[];
}
