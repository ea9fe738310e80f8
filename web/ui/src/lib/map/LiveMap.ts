/**
 * The live map: one imperative object over MapLibre. React never sees a position; units live in their own small source, are coalesced
 * for 250 ms and jump to where they are (no slides that show where they were).
 */
import type { ExpressionSpecification, FilterSpecification, GeoJSONSource, LayerSpecification, MapMouseEvent } from "maplibre-gl";
import { Map as MapLibre, setWorkerUrl } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import type { Board } from "../board";
import type { ServerClock } from "../clock";
import { nextTurn } from "../closures";
import { age } from "../format";
import { AGE_SHOWN_AFTER, isOpen, isOver, isOverdue, isUnacknowledged, pillOf, positionOld, signalLost } from "../queue";
import { mapa, token } from "../theme";
import type { Incident, Shape, Zone } from "../wire";
import { CLOSURE_LAYERS, closureFeatures, closureLayers, closureSigns } from "./closures";
import type { Drawing, DrawingEvents, Tool } from "./drawing";
import type { MarkerState } from "./markers";
import { incidentIcon, paintMarker, unitIcon } from "./markers";
import { majorFeatures, majorLayers, majorNames } from "./majors";
import { roundFeatures, roundLines, roundStops, type RoundStop } from "./rounds";
import { baseStyle } from "./style";
import { zoneFeatures, zoneLayers, zoneNames } from "./zones";

setWorkerUrl(workerUrl);

const UNITS_EVERY = 250;
const INCIDENTS_EVERY = 80;
const TILES = "/api/v1/tiles/{z}/{x}/{y}.mvt";

type LonLat = [number, number];
type Points = GeoJSON.FeatureCollection<GeoJSON.Point>;

export interface LiveMapOptions {
  container: HTMLElement;
  board: Board;
  clock: ServerClock;
  bounds: [number, number, number, number];
  label: string;
  /** The wall: bigger marks, nobody touches it, only what matters there. */
  wall?: boolean;
  onSelect?: (subject: string) => void;
  /** Whether a click means a place: closures, which may cover half a city, then let it through. */
  picking?: () => boolean;
  onClick?: (at: LonLat) => void;
  onDoubleClick?: (at: LonLat) => void;
  onLost?: (lost: boolean) => void;
}

const point = (at: LonLat, properties: Record<string, unknown>): GeoJSON.Feature<GeoJSON.Point> => ({
  type: "Feature",
  geometry: { type: "Point", coordinates: at },
  properties,
});
const points = (features: GeoJSON.Feature<GeoJSON.Point>[]): Points => ({ type: "FeatureCollection", features });
const shapes = (features: GeoJSON.Feature[]): GeoJSON.FeatureCollection => ({ type: "FeatureCollection", features });
const shaped = (geometry: GeoJSON.Geometry): GeoJSON.Feature => ({ type: "Feature", geometry, properties: {} });

export function markerState(incident: Incident, now: number): MarkerState {
  if (isOver(incident) || incident.state === "finished") return "over";
  if (incident.state === "under_control") return "controlled";
  if (isOverdue(incident, now)) return "late";
  return isUnacknowledged(incident) ? "new" : "open";
}

export class LiveMap {
  private readonly map: MapLibre;
  private ready = false;
  private selected: string | null = null;
  private draft: LonLat | null = null;
  private sketched: Shape | null = null;
  private way: GeoJSON.LineString | null = null;
  private ground: GeoJSON.MultiPolygon | null = null;
  private round: GeoJSON.Feature[] = [];
  private zoned: { zones: Zone[]; chosen: string | null } | null = null;
  private drawing: Drawing | null = null;
  private drawings = 0;
  /** What each source holds, as text. */
  private readonly held = new Map<string, string>();
  private turnTimer: ReturnType<typeof setTimeout> | null = null;
  private incidentTimer: ReturnType<typeof setTimeout> | null = null;
  private unitTimer: ReturnType<typeof setTimeout> | null = null;
  private pulse: ReturnType<typeof setInterval>;
  private anyNew = false;
  private beat = false;
  private readonly leave: (() => void)[] = [];

  static async create(options: LiveMapOptions): Promise<LiveMap> {
    // Labels are drawn from these faces; asked for too late, MapLibre would draw the fallback and keep it.
    await Promise.all(["Noto Sans Regular", "Noto Sans Bold", "Noto Sans Variable"].map((face) => document.fonts.load(`16px "${face}"`))).catch(() => []);
    return new LiveMap(options);
  }

  private constructor(private readonly options: LiveMapOptions) {
    const { container, board, bounds, label, wall } = options;
    this.map = new MapLibre({
      container,
      style: this.style(),
      bounds,
      fitBoundsOptions: { padding: wall ? 40 : 24 },
      attributionControl: false,
      interactive: !wall,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      fadeDuration: 0,
      maxZoom: 19,
      doubleClickZoom: false,
      refreshExpiredTiles: false,
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    const surface = this.map.getCanvas();
    surface.setAttribute("aria-label", label);
    if (wall) surface.tabIndex = -1;

    this.map.setMissingStyleImageResolver((id) => {
      const painted = paintMarker(id, token, wall ? 1.5 : 1);
      if (painted && !this.map.hasImage(id)) this.map.addImage(id, painted.image, painted.options);
    });
    this.map.on("style.load", () => {
      this.ready = true;
      this.held.clear();
      this.drawIncidents();
      this.drawUnits();
      this.drawClosures();
      this.drawMajors();
      this.showSelected();
      this.showDraft();
      this.showSketch();
      this.showWay();
      this.showGround();
      this.drawZones();
      this.drawRound();
      this.drawing?.again();
    });
    this.map.on("webglcontextlost", () => options.onLost?.(true));
    this.map.on("webglcontextrestored", () => options.onLost?.(false));
    if (!wall) this.listen();

    this.leave.push(board.store.subscribe(() => this.soon()), board.onMove(() => this.unitsSoon()));
    // Ages, overdue rings and the 1 Hz pulse go on even when nothing arrives.
    let half = 0;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.pulse = setInterval(() => {
      half += 1;
      if (this.anyNew && !still) this.throb();
      if (half % 10 === 0) this.soon();
    }, 500);
  }

  private style() {
    const wall = this.options.wall === true;
    const style = baseStyle(token, location.origin + TILES, { big: wall, gray: !wall && mapa.getState().gris });
    const empty = { type: "geojson" as const, data: points([]) };
    style.sources = { ...style.sources, units: empty, incidents: empty, reports: empty, draft: empty, closures: empty, "closure-signs": empty, sketch: empty, way: empty, lost: empty, zones: empty, "zone-names": empty, majors: empty, "major-names": empty, round: empty };
    style.layers.push(...overlay(wall));
    return style;
  }

  private listen(): void {
    const things = ["incidents", "reports", "units"];
    let clicked: ReturnType<typeof setTimeout> | null = null;
    const hit = (event: MapMouseEvent, layers: string[]): string | null => {
      const { x, y } = event.point;
      const found = this.map.queryRenderedFeatures([[x - 6, y - 6], [x + 6, y + 6]], { layers });
      const order = (id: string) => layers.indexOf(id);
      found.sort((a, b) => order(a.layer.id) - order(b.layer.id));
      return (found[0]?.properties.subject as string | undefined) ?? null;
    };
    const all = () => (this.options.picking?.() ? things : this.zoned ? [...things, "zone-fill"] : [...things, ...CLOSURE_LAYERS]);
    // One delegated handler each, for the whole life of the map.
    this.map.on("click", (event) => {
      if (this.drawing) return;
      const subject = hit(event, all());
      if (subject) {
        this.options.onSelect?.(subject);
        return;
      }
      const at = event.lngLat.toArray() as LonLat;
      if (clicked) clearTimeout(clicked);
      clicked = setTimeout(() => this.options.onClick?.(at), 220);
    });
    this.map.on("dblclick", (event) => {
      if (clicked) clearTimeout(clicked);
      if (!this.drawing && !hit(event, things)) this.options.onDoubleClick?.(event.lngLat.toArray() as LonLat);
    });
    this.map.on("mousemove", (event) => {
      if (this.drawing) return;
      this.map.getCanvas().style.cursor = hit(event, all()) ? "pointer" : "";
    });
  }

  /* ------------------------------------------------------------ from the board */

  private soon(): void {
    this.unitsSoon();
    this.incidentTimer ??= setTimeout(() => {
      this.incidentTimer = null;
      this.drawIncidents();
      this.drawClosures();
      this.drawMajors();
    }, INCIDENTS_EVERY);
  }

  private unitsSoon(): void {
    this.unitTimer ??= setTimeout(() => {
      this.unitTimer = null;
      this.drawUnits();
    }, UNITS_EVERY);
  }

  /** Fill a source, if that is not what it holds: most news are about something else, and drawing is dear. */
  private put(name: string, data: GeoJSON.FeatureCollection): void {
    const source = this.ready ? (this.map.getSource(name) as GeoJSONSource | undefined) : undefined;
    const text = JSON.stringify(data);
    if (!source || this.held.get(name) === text) return;
    this.held.set(name, text);
    source.setData(data);
  }

  private drawIncidents(): void {
    const { board, clock, wall } = this.options;
    const now = clock.now();
    this.anyNew = false;
    const incidents = board.incidents().flatMap((incident) => {
      if (!incident.at || incident.masked) return [];
      const state = markerState(incident, now);
      // The ring says "nobody has it"; it may be late as well.
      const unheard = isOpen(incident) && isUnacknowledged(incident);
      if (unheard) this.anyNew = true;
      return point(incident.at, {
        subject: incident.subject,
        icon: incidentIcon(incident.priority, state),
        label: wall || state === "over" ? "" : incident.type_name,
        colour: token(`--p${incident.priority}`),
        unheard,
        rank: (state === "over" ? 0 : 10) + 5 - incident.priority,
      });
    });
    this.put("incidents", points(incidents));
    const reports = wall
      ? []
      : board.reports().flatMap((report) => (report.at && report.status === "received" ? point(report.at, { subject: report.subject }) : []));
    this.put("reports", points(reports));
  }

  private drawClosures(): void {
    const { board, clock } = this.options;
    const now = clock.now();
    const closures = board.closures();
    const drawn = closureFeatures(closures, now);
    this.put("closures", shapes(drawn));
    this.put("closure-signs", shapes(closureSigns(drawn)));
    if (this.turnTimer) clearTimeout(this.turnTimer);
    const turn = nextTurn(closures, now);
    // Far ones are found again by the five-second round.
    this.turnTimer = turn !== null && turn - now < 60_000 ? setTimeout(() => this.drawClosures(), turn - now + 20) : null;
  }

  private drawMajors(): void {
    const drawn = majorFeatures(this.options.board.majors());
    this.put("majors", shapes(drawn));
    this.put("major-names", shapes(majorNames(drawn)));
  }

  private drawUnits(): void {
    const { board, clock } = this.options;
    const now = clock.now();
    const features = board.units().flatMap((unit) => {
      const position = board.positions.get(unit.id);
      if (!position) return [];
      const lost = signalLost(unit, position.fixedAt, now);
      const pill = lost ? { letter: "?", fill: "dashed" as const, hue: "no" as const } : pillOf(unit.status);
      const { letter, hue } = pill;
      // The dashed edge says "it was here": its letter stays while it works.
      const fill = positionOld(unit, position.fixedAt, now) ? "dashed" : pill.fill;
      const old = now - position.fixedAt;
      return point([position.lon, position.lat], {
        subject: unit.subject,
        icon: unitIcon(letter, fill, hue),
        label: old >= AGE_SHOWN_AFTER ? `${unit.call_sign} · ${age(old)}` : unit.call_sign,
        rank: hue === "tarea" ? 2 : hue === "libre" ? 1 : 0,
      });
    });
    this.put("units", points(features));
  }

  private throb(): void {
    if (!this.ready || !this.map.getLayer("unheard")) return;
    this.beat = !this.beat;
    this.map.setPaintProperty("unheard", "circle-stroke-opacity", this.beat ? 0.25 : 1);
  }

  /* ------------------------------------------------------------ from the screen */

  /** The theme changed: same map, new paint. */
  repaint(): void {
    this.drawing?.pause();
    this.ready = false;
    for (const id of this.map.listImages()) this.map.removeImage(id);
    this.map.setStyle(this.style(), { diff: false });
  }

  select(subject: string | null): void {
    this.selected = subject;
    this.showSelected();
  }

  private showSelected(): void {
    if (!this.ready) return;
    const filter: FilterSpecification = ["==", ["get", "subject"], this.selected ?? ""];
    for (const layer of ["selected-incidents", "selected-reports", "selected-units", "selected-closures", "selected-closure-signs"]) this.map.setFilter(layer, filter);
  }

  /** Where the form that is open would put its incident. */
  mark(at: LonLat | null): void {
    this.draft = at;
    this.showDraft();
  }

  private showDraft(): void {
    this.put("draft", points(this.draft ? [point(this.draft, {})] : []));
  }

  /** A shape that is not sent yet. */
  sketch(shape: Shape | null): void {
    this.sketched = shape;
    this.showSketch();
  }

  private showSketch(): void {
    this.put("sketch", shapes(this.sketched ? [shaped(this.sketched)] : []));
  }

  /** The way that a unit would drive. */
  showRoute(way: GeoJSON.LineString | null): void {
    this.way = way;
    this.showWay();
  }

  /** The ground that a unit leaves beyond reach; null puts it away. */
  showLost(area: GeoJSON.MultiPolygon | null): void {
    this.ground = area;
    this.showGround();
  }

  private showGround(): void {
    this.put("lost", shapes(this.ground ? [shaped(this.ground)] : []));
  }

  private showWay(): void {
    this.put("way", shapes(this.way ? [shaped(this.way)] : []));
  }

  /** A circuit with its numbered stops on a line from where its unit is, or loose places; no stops puts it away. */
  showRound(stops: RoundStop[], from: LonLat | null = null, joined = false): void {
    this.round = roundFeatures(stops, from, joined);
    this.drawRound();
  }

  private drawRound(): void {
    this.put("round", shapes(this.round));
  }

  /** Zones to look at and to choose from; null puts them away. */
  showZones(zones: Zone[] | null, chosen: string | null = null): void {
    this.zoned = zones && { zones, chosen };
    this.drawZones();
  }

  private drawZones(): void {
    const drawn = this.zoned ? zoneFeatures(this.zoned.zones, this.zoned.chosen) : [];
    this.put("zones", shapes(drawn));
    this.put("zone-names", shapes(zoneNames(drawn)));
  }

  /** Draw by hand, or move the corners of what is there. The tool comes when it is first asked for; true once it is at hand. */
  async draw(what: Tool | GeoJSON.Polygon[], events: DrawingEvents): Promise<boolean> {
    this.stopDrawing();
    const turn = this.drawings;
    const { Drawing: Pen } = await import("./drawing");
    if (turn !== this.drawings) return false; // put down again before the tool had come
    this.drawing = new Pen(this.map, token, what, events);
    this.map.getCanvas().focus();
    return true;
  }

  get pen(): Drawing | null {
    return this.drawing;
  }

  stopDrawing(): void {
    this.drawings += 1;
    this.drawing?.stop();
    this.drawing = null;
    this.map.getCanvas().style.cursor = "";
  }

  /** Bring a place into view without moving the person more than needed. */
  goTo(at: LonLat): void {
    const bounds = this.map.getBounds();
    const near = this.map.getZoom() >= 13 && bounds.contains(at);
    if (!near) this.map.jumpTo({ center: at, zoom: Math.max(this.map.getZoom(), 14.5) });
  }

  /** Bring all of a shape into view, unless it is. */
  frame([west, south, east, north]: [number, number, number, number]): void {
    const bounds = this.map.getBounds();
    if (bounds.contains([west, south]) && bounds.contains([east, north])) return;
    this.map.fitBounds([west, south, east, north], { padding: 60, maxZoom: 16, duration: 0 });
  }

  zoom(by: number): void {
    this.map.easeTo({ zoom: this.map.getZoom() + by, duration: 120 });
  }

  whole(): void {
    this.map.fitBounds(this.options.bounds, { padding: 24, duration: 0 });
  }

  centre(): LonLat {
    return this.map.getCenter().toArray() as LonLat;
  }

  focus(): void {
    this.map.getCanvas().focus();
  }

  onMoved(listener: () => void): () => void {
    this.map.on("moveend", listener);
    return () => this.map.off("moveend", listener);
  }

  contains(at: LonLat): boolean {
    return this.map.getBounds().contains(at);
  }

  resize(): void {
    this.map.resize();
  }

  destroy(): void {
    clearInterval(this.pulse);
    if (this.incidentTimer) clearTimeout(this.incidentTimer);
    if (this.unitTimer) clearTimeout(this.unitTimer);
    if (this.turnTimer) clearTimeout(this.turnTimer);
    this.stopDrawing();
    for (const act of this.leave) act();
    this.map.remove();
  }
}

/** Static < zones < major incidents < closures < way, circuit < units < reports < incidents P4…P1 < what is selected or being placed. */
function overlay(wall: boolean): LayerSpecification[] {
  const scale = wall ? 1.5 : 1;
  const get = (name: string): ExpressionSpecification => ["get", name];
  const nothing: FilterSpecification = ["==", ["get", "subject"], ""];
  const ring = (source: string, radius: number): LayerSpecification => ({
    id: `selected-${source}`,
    type: "circle",
    source,
    filter: nothing,
    paint: {
      "circle-radius": radius,
      "circle-color": "rgba(0,0,0,0)",
      "circle-stroke-color": token("--focus"),
      "circle-stroke-width": 3,
    },
  });
  const label = (size: number, offset: [number, number], anchor: "left" | "top") => ({
    "text-field": get("label"),
    "text-font": ["Noto Sans Bold"],
    "text-size": size,
    "text-anchor": anchor,
    "text-offset": offset,
    "text-optional": true,
    "text-max-width": 30,
    "text-padding": 3,
  });
  const ink = { "text-color": token("--tx-hi"), "text-halo-color": token("--map-halo"), "text-halo-width": 1.6 };
  const closureRing = { "line-color": token("--focus"), "line-width": 3, "line-gap-width": 8 };
  return [
    ...zoneLayers(token),
    ...majorLayers(token),
    { id: "lost", type: "fill", source: "lost", paint: { "fill-color": token("--error"), "fill-opacity": 0.22, "fill-outline-color": token("--error") } },
    ...closureLayers(token, wall),
    { id: "selected-closures", type: "line", source: "closures", filter: nothing, paint: closureRing },
    ring("closure-signs", 19),
    { id: "way-case", type: "line", source: "way", layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": token("--map-halo"), "line-width": 9 } },
    { id: "way", type: "line", source: "way", layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": token("--route"), "line-width": 5 } },
    ...roundLines(token),
    {
      id: "units",
      type: "symbol",
      source: "units",
      layout: {
        "icon-image": get("icon"),
        "icon-allow-overlap": true,
        "icon-ignore-placement": true,
        "symbol-sort-key": get("rank"),
        ...label(11 * scale, [0, 0.85], "top"),
        "text-field": wall ? "" : ["step", ["zoom"], "", 12.5, get("label")],
      },
      paint: ink,
    } as LayerSpecification,
    ring("units", 17),
    {
      id: "reports",
      type: "symbol",
      source: "reports",
      layout: { "icon-image": "r:", "icon-allow-overlap": true, "icon-ignore-placement": true },
    },
    ring("reports", 17),
    {
      id: "unheard",
      type: "circle",
      source: "incidents",
      filter: ["==", ["get", "unheard"], true],
      paint: {
        "circle-radius": 21 * scale,
        "circle-color": "rgba(0,0,0,0)",
        "circle-stroke-color": get("colour"),
        "circle-stroke-width": 3 * scale,
      },
    },
    ring("incidents", 24),
    {
      id: "incidents",
      type: "symbol",
      source: "incidents",
      layout: {
        "icon-image": get("icon"),
        "icon-allow-overlap": true,
        "icon-ignore-placement": true,
        "symbol-sort-key": get("rank"),
        ...label(12.5 * scale, [1.6, 0], "left"),
        "text-field": ["step", ["zoom"], "", 12, get("label")],
      },
      paint: ink,
    } as LayerSpecification,
    ...roundStops(token),
    { id: "sketch-area", type: "fill", source: "sketch", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": token("--focus"), "fill-opacity": 0.25 } },
    { id: "sketch-case", type: "line", source: "sketch", paint: { "line-color": token("--ink"), "line-width": 7 } },
    { id: "sketch-line", type: "line", source: "sketch", paint: { "line-color": token("--focus"), "line-width": 4 } },
    {
      id: "sketch-point",
      type: "circle",
      source: "sketch",
      filter: ["==", ["geometry-type"], "Point"],
      paint: { "circle-radius": 8, "circle-color": token("--focus"), "circle-stroke-color": token("--ink"), "circle-stroke-width": 3 },
    },
    { id: "draft", type: "symbol", source: "draft", layout: { "icon-image": "pin:", "icon-allow-overlap": true, "icon-ignore-placement": true } },
  ];
}
