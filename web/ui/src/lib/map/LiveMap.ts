/**
 * The live map: one imperative object over MapLibre. React never sees a position. MapLibre draws the ground and what lies on it; what
 * moves is painted above it (`marks.ts`) at the next frame, and jumps to where it is (no slides that show where it was).
 */
import type { FilterSpecification, GeoJSONSource, LayerSpecification, MapMouseEvent } from "maplibre-gl";
import { Map as MapLibre, setWorkerUrl } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import type { BoardView } from "../board";
import { nextTurn } from "../closures";
import { age } from "../format";
import { AGE_SHOWN_AFTER, isOpen, isOver, isOverdue, isUnacknowledged, pillOf, positionOld, signalLost } from "../queue";
import { mapa, token } from "../theme";
import type { Incident, Shape, Zone } from "../wire";
import { CLOSURE_LAYERS, closureFeatures, closureLayers, closureSigns } from "./closures";
import type { Drawing, DrawingEvents, Tool } from "./drawing";
import type { MarkerState } from "./markers";
import { incidentIcon, paintMarker, unitIcon } from "./markers";
import { GATHERED_BELOW, Marks, type Gathered, type Mark } from "./marks";
import { extraLayers, LAYERS, sourceOf, type LayerName } from "./layers";
import { majorFeatures, majorLayers, majorNames } from "./majors";
import { roundLines, roundWay, type RoundStop } from "./rounds";
import { baseStyle } from "./style";
import { zoneFeatures, zoneLayers, zoneNames } from "./zones";

setWorkerUrl(workerUrl);

const GROUND_EVERY = 80;
const MOST_BUSY = 250; // a window in the background shows no frames at all
const TILES = "/api/v1/tiles/{z}/{x}/{y}.mvt";

type LonLat = [number, number];

export interface LiveMapOptions {
  container: HTMLElement;
  board: BoardView;
  /** The moment that the board is of. */
  clock: { now(): number };
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
  private stops: Mark[] = [];
  private roundLine: GeoJSON.Feature[] = [];
  private zoned: { zones: Zone[]; chosen: string | null } | null = null;
  private untouched = true;
  private closuresShown = true;
  private readonly laid = new Map<LayerName, GeoJSON.Feature[]>();
  private drawing: Drawing | null = null;
  private drawings = 0;
  /** What each source holds, as text. */
  private readonly held = new Map<string, string>();
  private turnTimer: ReturnType<typeof setTimeout> | null = null;
  private groundTimer: ReturnType<typeof setTimeout> | null = null;
  private readonly marks: Marks;
  private marked: Mark[] = [];
  private painting: ReturnType<typeof setTimeout> | null = null;
  private paintedAt = 0;
  /** Milliseconds from the last painting until the screen could show another frame. */
  private paintCost = 0;
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
      fitBoundsOptions: { padding: this.padding },
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
    this.marks = new Marks({ paint: token, wall: wall === true }, this.map.getCanvasContainer());
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
      this.drawClosures();
      this.drawMajors();
      this.showSelected();
      this.showSketch();
      this.showWay();
      this.showGround();
      this.drawZones();
      this.drawRound();
      for (const name of this.laid.keys()) this.drawLayer(name);
      this.drawing?.again();
    });
    this.map.on("webglcontextlost", () => options.onLost?.(true));
    this.map.on("webglcontextrestored", () => options.onLost?.(false));
    if (!wall) this.listen();
    // The view moves in MapLibre's own frame, and what is painted above it in the same one.
    this.map.on("move", () => this.paint());
    this.map.on("resize", () => {
      // Until somebody moves it, it shows the whole city in whatever room it has.
      if (this.untouched) this.whole();
      this.paint();
    });
    this.map.on("movestart", ({ originalEvent }) => {
      if (originalEvent && !("type" in originalEvent && originalEvent.type === "resize")) this.untouched = false;
    });

    this.leave.push(board.store.subscribe(() => this.soon()), board.onMove(() => this.paintSoon()));
    this.paintSoon();
    // Ages, overdue rings and the 1 Hz pulse go on even when nothing arrives.
    let half = 0;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.pulse = setInterval(() => {
      half += 1;
      if (this.anyNew && !still) {
        this.beat = !this.beat;
        this.paint();
      }
      if (half % 10 === 0) this.soon();
    }, 500);
  }

  private get padding(): number {
    return this.options.wall ? 40 : 24;
  }

  private style() {
    const wall = this.options.wall === true;
    const style = baseStyle(token, location.origin + TILES, { big: wall, gray: !wall && mapa.getState().gris });
    const empty = { type: "geojson" as const, data: shapes([]) };
    style.sources = { ...style.sources, closures: empty, "closure-signs": empty, sketch: empty, way: empty, lost: empty, zones: empty, "zone-names": empty, majors: empty, "major-names": empty, round: empty, ...Object.fromEntries(LAYERS.map((name) => [sourceOf(name), empty])) };
    style.layers.push(...overlay(wall));
    return style;
  }

  private listen(): void {
    let clicked: ReturnType<typeof setTimeout> | null = null;
    const ground = ({ x, y }: MapMouseEvent["point"]): string | null => {
      const layers = this.options.picking?.() ? [] : this.zoned ? ["zone-fill"] : ["layer-facilities", ...CLOSURE_LAYERS];
      if (layers.length === 0) return null;
      const found = this.map.queryRenderedFeatures([[x - 6, y - 6], [x + 6, y + 6]], { layers });
      found.sort((a, b) => layers.indexOf(a.layer.id) - layers.indexOf(b.layer.id));
      return (found[0]?.properties.subject as string | undefined) ?? null;
    };
    const mark = ({ x, y }: MapMouseEvent["point"]) => this.marks.hit(x, y);
    // One delegated handler each, for the whole life of the map.
    this.map.on("click", (event) => {
      if (this.drawing) return;
      const found = mark(event.point);
      if (found && "marks" in found) return this.open(found);
      const subject = found?.subject ?? ground(event.point);
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
      if (!this.drawing && !mark(event.point)) this.options.onDoubleClick?.(event.lngLat.toArray() as LonLat);
    });
    this.map.on("mousemove", (event) => {
      if (this.drawing) return;
      this.map.getCanvas().style.cursor = (mark(event.point) ?? ground(event.point)) ? "pointer" : "";
    });
  }

  /* ------------------------------------------------------------ from the board */

  private soon(): void {
    this.paintSoon();
    this.groundTimer ??= setTimeout(() => {
      this.groundTimer = null;
      this.drawClosures();
      this.drawMajors();
    }, GROUND_EVERY);
  }

  /** At once, or when as much time has gone by as the last painting kept the screen busy, however slow the PC. */
  private paintSoon(): void {
    this.painting ??= setTimeout(
      () => {
        this.painting = null;
        this.marked = this.allMarks();
        this.paint();
      },
      Math.max(0, this.paintedAt + 2 * this.paintCost - performance.now()),
    );
  }

  private paint(): void {
    const { clientWidth: width, clientHeight: height } = this.map.getContainer();
    const began = (this.paintedAt = performance.now());
    this.marks.draw(this.marked, { width, height, zoom: this.map.getZoom(), project: (at) => this.map.project(at) }, this.selected, this.beat);
    requestAnimationFrame(() => requestAnimationFrame(() => (this.paintCost = Math.min(MOST_BUSY, performance.now() - began))));
  }

  /** Fill a source, if that is not what it holds: most news are about something else, and drawing is dear. */
  private put(name: string, data: GeoJSON.FeatureCollection): void {
    const source = this.ready ? (this.map.getSource(name) as GeoJSONSource | undefined) : undefined;
    const text = JSON.stringify(data);
    if (!source || this.held.get(name) === text) return;
    this.held.set(name, text);
    source.setData(data);
  }

  /** Everything that is painted above the ground, as it is now. */
  private allMarks(): Mark[] {
    const { board, clock, wall } = this.options;
    const now = clock.now();
    const marks: Mark[] = [...this.stops];
    this.anyNew = false;
    for (const unit of board.units()) {
      const position = board.positions.get(unit.id);
      if (!position) continue;
      const lost = signalLost(unit, position.fixedAt, now);
      const { letter, hue, fill } = lost ? { letter: "?", fill: "dashed" as const, hue: "no" as const } : pillOf(unit.status);
      const old = now - position.fixedAt;
      marks.push({
        subject: unit.subject,
        kind: "unit",
        at: [position.lon, position.lat],
        // The dashed edge says "it was here": its letter stays while it works.
        icon: unitIcon(letter, positionOld(unit, position.fixedAt, now) ? "dashed" : fill, hue),
        label: old >= AGE_SHOWN_AFTER ? `${unit.call_sign} · ${age(old)}` : unit.call_sign,
        rank: hue === "tarea" ? 2 : hue === "libre" ? 1 : 0,
      });
    }
    for (const incident of board.incidents()) {
      if (!incident.at || incident.masked) continue;
      const state = markerState(incident, now);
      // The ring says "nobody has it"; it may be late as well.
      const unheard = isOpen(incident) && isUnacknowledged(incident);
      if (unheard) this.anyNew = true;
      marks.push({
        subject: incident.subject,
        kind: "incident",
        at: incident.at,
        icon: incidentIcon(incident.priority, state),
        label: state === "over" ? "" : incident.type_name,
        rank: (state === "over" ? 0 : 10) + 5 - incident.priority,
        ring: unheard ? token(`--p${incident.priority}`) : undefined,
        level: incident.priority,
      });
    }
    if (!wall) for (const report of board.reports()) if (report.at && report.status === "received") marks.push({ subject: report.subject, kind: "report", at: report.at, icon: "r:", label: "", rank: 0 });
    if (this.draft) marks.push({ subject: "", kind: "draft", at: this.draft, icon: "pin:", label: "", rank: 0 });
    return marks;
  }

  private drawClosures(): void {
    const { board, clock } = this.options;
    const now = clock.now();
    const closures = this.closuresShown ? board.closures() : [];
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

  /* ------------------------------------------------------------ from the screen */

  /** The clock was put elsewhere: what counts by it is drawn again. */
  again(): void {
    this.soon();
  }

  /** The theme changed: same map, new paint. */
  repaint(): void {
    this.drawing?.pause();
    this.ready = false;
    for (const id of this.map.listImages()) this.map.removeImage(id);
    this.marks.forget();
    this.paintSoon();
    this.map.setStyle(this.style(), { diff: false });
  }

  select(subject: string | null): void {
    this.selected = subject;
    this.showSelected();
    this.paintSoon();
  }

  private showSelected(): void {
    if (!this.ready) return;
    const filter: FilterSpecification = ["==", ["get", "subject"], this.selected ?? ""];
    for (const layer of ["selected-closures", "selected-closure-signs"]) this.map.setFilter(layer, filter);
  }

  /** Where the form that is open would put its incident. */
  mark(at: LonLat | null): void {
    this.draft = at;
    this.paintSoon();
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
    this.roundLine = roundWay(stops, from, joined);
    this.stops = stops.map(({ at, label = "", over = false }) => ({ subject: "", kind: label ? "stop" : "place", at, icon: null, label, rank: 0, faded: over }));
    this.drawRound();
    this.paintSoon();
  }

  private drawRound(): void {
    this.put("round", shapes(this.roundLine));
  }

  /** What one of the layers shows; nothing puts it away. */
  lay(name: LayerName, features: GeoJSON.Feature[]): void {
    this.laid.set(name, features);
    this.drawLayer(name);
  }

  private drawLayer(name: LayerName): void {
    this.put(sourceOf(name), shapes(this.laid.get(name) ?? []));
  }

  /** Closures are always known; a person may look at the map without them. */
  showClosures(shown: boolean): void {
    this.closuresShown = shown;
    this.drawClosures();
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

  /** What stands behind one sign, each by itself. */
  private open({ marks }: Gathered): void {
    const [lons, lats] = [marks.map(({ at }) => at[0]), marks.map(({ at }) => at[1])];
    this.map.fitBounds([Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)], { padding: 80, maxZoom: 15, duration: 0 });
    if (this.map.getZoom() < GATHERED_BELOW) this.map.setZoom(GATHERED_BELOW);
  }

  zoom(by: number): void {
    this.map.easeTo({ zoom: this.map.getZoom() + by, duration: 120 });
  }

  whole(): void {
    this.map.fitBounds(this.options.bounds, { padding: this.padding, duration: 0 });
  }

  /** Exactly there, as somebody else looks at it; without a place the whole city. */
  look(at: LonLat | null, zoom: number | null): void {
    if (at) this.map.jumpTo({ center: at, zoom: zoom ?? 15 });
    else this.whole();
  }

  zoomLevel(): number {
    return this.map.getZoom();
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
    if (this.groundTimer) clearTimeout(this.groundTimer);
    if (this.painting) clearTimeout(this.painting);
    if (this.turnTimer) clearTimeout(this.turnTimer);
    this.stopDrawing();
    for (const act of this.leave) act();
    this.map.remove();
  }
}

/** Ground < zones < major incidents < closures < way, circuit < what is being drawn; marks are painted above all of it. */
function overlay(wall: boolean): LayerSpecification[] {
  const nothing: FilterSpecification = ["==", ["get", "subject"], ""];
  const { lower, upper } = extraLayers(token);
  const closureRing = { "line-color": token("--focus"), "line-width": 3, "line-gap-width": 8 };
  return [
    ...lower,
    ...zoneLayers(token),
    ...majorLayers(token),
    { id: "lost", type: "fill", source: "lost", paint: { "fill-color": token("--error"), "fill-opacity": 0.22, "fill-outline-color": token("--error") } },
    ...closureLayers(token, wall),
    { id: "selected-closures", type: "line", source: "closures", filter: nothing, paint: closureRing },
    { id: "selected-closure-signs", type: "circle", source: "closure-signs", filter: nothing, paint: { "circle-radius": 19, "circle-color": "rgba(0,0,0,0)", "circle-stroke-color": token("--focus"), "circle-stroke-width": 3 } },
    { id: "way-case", type: "line", source: "way", layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": token("--map-halo"), "line-width": 9 } },
    { id: "way", type: "line", source: "way", layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": token("--route"), "line-width": 5 } },
    ...upper,
    ...roundLines(token),
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
  ];
}
