/** The map of a track that is played again: all of the way faint, its last minutes strong, and the unit where it was. Nothing of now is on it. */
import type { GeoJSONSource, LayerSpecification } from "maplibre-gl";
import { Map as MapLibre, setWorkerUrl } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import { age } from "../lib/format";
import { baseStyle } from "../lib/map/style";
import { mapa, token } from "../lib/theme";
import type { TrackPoint, UnitTrack } from "../lib/wire";
import { pieces, TAIL, type Moment } from "./replay";

setWorkerUrl(workerUrl);

const TILES = "/api/v1/tiles/{z}/{x}/{y}.mvt";
const SOURCES = ["way", "doubtful", "stops", "tail", "unit"] as const;
type Source = (typeof SOURCES)[number];
type Bounds = [number, number, number, number];

const feature = (geometry: GeoJSON.Geometry, properties: GeoJSON.GeoJsonProperties = {}): GeoJSON.Feature => ({ type: "Feature", geometry, properties });
const point = (lon: number, lat: number, properties: GeoJSON.GeoJsonProperties = {}) => feature({ type: "Point", coordinates: [lon, lat] }, properties);

export class TrackMap {
  private readonly map: MapLibre;
  private ready = false;
  private track: UnitTrack | null = null;
  private label = "";
  private moment: { at: number; what: Moment; index: number } | null = null;

  static async create(container: HTMLElement, bounds: Bounds, label: string): Promise<TrackMap> {
    await Promise.all(["Noto Sans Regular", "Noto Sans Bold"].map((face) => document.fonts.load(`16px "${face}"`))).catch(() => []);
    return new TrackMap(container, bounds, label);
  }

  private constructor(container: HTMLElement, bounds: Bounds, label: string) {
    this.map = new MapLibre({
      container, bounds, style: this.style(), fitBoundsOptions: { padding: 24 }, attributionControl: false, dragRotate: false, pitchWithRotate: false, touchPitch: false,
      fadeDuration: 0, maxZoom: 19, refreshExpiredTiles: false, keyboard: false,
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.getCanvas().setAttribute("aria-label", label);
    this.map.on("idle", () => {
      container.dataset.drawn = "true";
    });
    this.map.on("style.load", () => {
      this.ready = true;
      this.drawTrack();
      this.drawMoment();
    });
  }

  private style() {
    const style = baseStyle(token, location.origin + TILES, { big: false, gray: mapa.getState().gris });
    const empty = { type: "geojson" as const, data: { type: "FeatureCollection" as const, features: [] } };
    style.sources = { ...style.sources, ...Object.fromEntries(SOURCES.map((name) => [name, empty])) };
    style.layers.push(...overlay());
    return style;
  }

  private set(name: Source, features: GeoJSON.Feature[]): void {
    if (this.ready) (this.map.getSource(name) as GeoJSONSource | undefined)?.setData({ type: "FeatureCollection", features });
  }

  show(track: UnitTrack, label: string): void {
    this.track = track;
    this.label = label;
    this.drawTrack();
    const [first, ...rest] = track.points;
    if (!first) return;
    const box = rest.reduce<Bounds>(([w, s, e, n], [lon, lat]) => [Math.min(w, lon), Math.min(s, lat), Math.max(e, lon), Math.max(n, lat)], [first[0], first[1], first[0], first[1]]);
    this.map.fitBounds(box, { padding: { top: 90, bottom: 44, left: 44, right: 44 }, maxZoom: 16, duration: 0 });
  }

  private drawTrack(): void {
    const { track } = this;
    if (!track) return;
    this.set("way", [feature({ type: "MultiLineString", coordinates: pieces(track.points, track.gaps) })]);
    this.set("doubtful", track.doubtful.map(([lon, lat]) => point(lon, lat)));
    this.set("stops", track.stops.map(({ lon, lat, since, until }) => point(lon, lat, { label: age(until - since) })));
  }

  /** Where it was at a moment; the map follows when it would leave the picture. */
  at(at: number, what: Moment, index: number): void {
    this.moment = { at, what, index };
    this.drawMoment();
    const here = what.point;
    if (here && !this.map.getBounds().contains([here[0], here[1]])) this.map.jumpTo({ center: [here[0], here[1]] });
  }

  private drawMoment(): void {
    const { moment, track } = this;
    if (!moment || !track) return;
    const tail: TrackPoint[] = [];
    for (let i = moment.index; i >= 0; i -= 1) {
      const each = track.points[i];
      if (!each || each[4] < moment.at - TAIL) break;
      tail.unshift(each);
    }
    this.set("tail", [feature({ type: "MultiLineString", coordinates: pieces(tail, track.gaps) })]);
    const here = moment.what.point;
    this.set("unit", here ? [point(here[0], here[1], { label: this.label, known: moment.what.gap === null })] : []);
  }

  goTo(lon: number, lat: number): void {
    this.map.jumpTo({ center: [lon, lat], zoom: Math.max(this.map.getZoom(), 15) });
  }

  repaint(): void {
    this.ready = false;
    this.map.setStyle(this.style(), { diff: false });
  }

  resize(): void {
    this.map.resize();
  }

  destroy(): void {
    this.map.remove();
  }
}

function overlay(): LayerSpecification[] {
  const round = { "line-cap": "round" as const, "line-join": "round" as const };
  const [halo, route, doubt] = [token("--map-halo"), token("--route"), token("--link-late")];
  const words = { "text-font": ["Noto Sans Bold"], "text-field": ["get", "label"], "text-size": 12 };
  const ink = { "text-color": token("--tx-hi"), "text-halo-color": halo, "text-halo-width": 1.8 };
  const known = ["get", "known"];
  return [
    { id: "way-case", type: "line", source: "way", layout: round, paint: { "line-color": halo, "line-width": 6 } },
    { id: "way", type: "line", source: "way", layout: round, paint: { "line-color": route, "line-width": 2.5, "line-opacity": 0.6 } },
    { id: "tail-case", type: "line", source: "tail", layout: round, paint: { "line-color": halo, "line-width": 9 } },
    { id: "tail", type: "line", source: "tail", layout: round, paint: { "line-color": route, "line-width": 5 } },
    { id: "doubtful", type: "circle", source: "doubtful", paint: { "circle-radius": 4, "circle-color": "rgba(0,0,0,0)", "circle-stroke-color": doubt, "circle-stroke-width": 2 } },
    { id: "stops", type: "circle", source: "stops", paint: { "circle-radius": 6, "circle-color": halo, "circle-stroke-color": route, "circle-stroke-width": 2.5 } },
    { id: "stop-words", type: "symbol", source: "stops", minzoom: 13, layout: { ...words, "text-anchor": "left", "text-offset": [0.8, 0], "text-optional": true }, paint: ink },
    {
      id: "unit", type: "circle", source: "unit",
      paint: { "circle-radius": 10, "circle-color": ["case", known, route, halo], "circle-stroke-color": ["case", known, halo, route], "circle-stroke-width": 3 },
    },
    { id: "unit-words", type: "symbol", source: "unit", layout: { ...words, "text-size": 14, "text-anchor": "top", "text-offset": [0, 1], "text-allow-overlap": true }, paint: ink },
  ] as LayerSpecification[];
}
