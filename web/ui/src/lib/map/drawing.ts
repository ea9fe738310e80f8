/**
 * Drawing by hand: Terra Draw on our map, with our colours and our keys. In a chunk of its own: whoever only looks never loads it.
 */
import type { Map as MapLibre } from "maplibre-gl";
import { TerraDraw, TerraDrawLineStringMode, TerraDrawModeUndoRedo, TerraDrawPointMode, TerraDrawPolygonMode, TerraDrawSelectMode, type GeoJSONStoreFeatures, type HexColor } from "terra-draw";
import { TerraDrawMapLibreGLAdapter } from "terra-draw-maplibre-gl-adapter";
import { cornersOf } from "../shapes";
import type { LonLat } from "../verbs";
import type { Shape } from "../wire";
import type { Paint } from "./style";

export type Tool = "point" | "line" | "polygon";

export interface DrawingEvents {
  /** The corners that stand so far. */
  onCorners?: (corners: LonLat[]) => void;
  onDone?: (shape: Shape) => void;
  /** While corners of an existing area are moved. */
  onChange?: (polygons: GeoJSON.Polygon[]) => void;
}

const MODES: Record<Tool, string> = { point: "point", line: "linestring", polygon: "polygon" };
const DECIMALS = 1e7;
const LEAST: Record<Tool, number> = { point: 1, line: 2, polygon: 3 };
const NEAR = 12; // pixels: a click so near the last corner ends the stroke
const NOWHERE = -1e6; // pixels: never near a corner

export class Drawing {
  private terra: TerraDraw;
  private modes!: Record<Tool, TerraDrawPointMode | TerraDrawLineStringMode | TerraDrawPolygonMode>;
  private kept: GeoJSONStoreFeatures[] = [];
  private corners: LonLat[] = [];
  private stopped = false;

  constructor(
    private readonly map: MapLibre,
    private readonly paint: Paint,
    private readonly what: Tool | GeoJSON.Polygon[],
    private readonly events: DrawingEvents,
  ) {
    this.terra = this.begin();
  }

  private begin(): TerraDraw {
    const colour = (name: string) => this.paint(name) as HexColor;
    const [focus, ink] = [colour("--focus"), colour("--ink")];
    const line = { lineStringColor: focus, lineStringWidth: 4, closingPointColor: ink, closingPointOutlineColor: focus, closingPointOutlineWidth: 3, closingPointWidth: 6 };
    const area = { fillColor: focus, fillOpacity: 0.25, outlineColor: focus, outlineWidth: 4, closingPointColor: ink, closingPointOutlineColor: focus, closingPointOutlineWidth: 3, closingPointWidth: 6 };
    const dots = { coordinatePointColor: focus, coordinatePointWidth: 5, coordinatePointOutlineColor: ink, coordinatePointOutlineWidth: 2 };
    this.modes = {
      point: new TerraDrawPointMode({ styles: { pointColor: focus, pointWidth: 8, pointOutlineColor: ink, pointOutlineWidth: 3 } }),
      line: new TerraDrawLineStringMode({ keyEvents: { cancel: null, finish: "Enter" }, pointerDistance: NEAR, showCoordinatePoints: true, styles: { ...line, ...dots } }),
      polygon: new TerraDrawPolygonMode({ keyEvents: { cancel: null, finish: "Enter" }, pointerDistance: NEAR, showCoordinatePoints: true, styles: { ...area, ...dots } }),
    };
    const terra = new TerraDraw({
      adapter: new TerraDrawMapLibreGLAdapter({ map: this.map, coordinatePrecision: 9 }),
      undoRedo: { modeLevel: new TerraDrawModeUndoRedo() },
      modes: [
        this.modes.point,
        this.modes.line,
        this.modes.polygon,
        new TerraDrawSelectMode({
          keyEvents: null,
          allowManualDeselection: false,
          flags: { polygon: { feature: { draggable: false, coordinates: { draggable: true, midpoints: true, deletable: true } } } },
          styles: {
            selectedPolygonColor: focus, selectedPolygonFillOpacity: 0.2, selectedPolygonOutlineColor: focus, selectedPolygonOutlineWidth: 4,
            selectionPointColor: focus, selectionPointOutlineColor: ink, selectionPointOutlineWidth: 2, selectionPointWidth: 6,
            midPointColor: ink, midPointOutlineColor: focus, midPointOutlineWidth: 2, midPointWidth: 4,
          },
        }),
      ],
    });
    terra.start();
    terra.on("change", () => this.changed());
    terra.on("finish", (id) => this.finished(id));
    if (typeof this.what === "string") terra.setMode(MODES[this.what]);
    else {
      const features = this.kept.length > 0 ? this.kept : this.what.map(asFeature);
      terra.addFeatures(features);
      terra.setMode("select");
      const [first] = terra.getSnapshot();
      if (first?.id !== undefined) terra.selectFeature(first.id);
    }
    return terra;
  }

  private shapes(): GeoJSONStoreFeatures[] {
    return this.terra.getSnapshot().filter(({ properties }) => properties.mode !== "select" && !properties.coordinatePoint && !properties.closingPoint && !properties.selectionPoint && !properties.midPoint);
  }

  private changed(): void {
    if (this.stopped || !this.terra) return;
    if (typeof this.what !== "string") {
      this.events.onChange?.(this.shapes().flatMap(({ geometry }) => (geometry.type === "Polygon" ? [rounded(geometry)] : [])));
      return;
    }
    const standing = this.standing();
    if (standing.length === this.corners.length) return;
    this.corners = standing;
    this.events.onCorners?.(standing);
  }

  /** Corners that were clicked; the one under the pointer does not stand yet. */
  private standing(): LonLat[] {
    const drawn = this.terra.getSnapshot().find(({ geometry, properties }) => properties.mode === MODES[this.what as Tool] && geometry.type !== "Point");
    if (!drawn) return [];
    const { geometry, properties } = drawn;
    const line = geometry.type === "LineString" ? geometry.coordinates : geometry.type === "Polygon" ? (geometry.coordinates[0] ?? []) : [];
    const committed = properties.committedCoordinateCount;
    const count = typeof committed === "number" ? committed : line.length - (geometry.type === "Polygon" ? 2 : 1);
    return line.slice(0, count).map(([lon = 0, lat = 0]): LonLat => [lon, lat]);
  }

  private finished(id: string | number): void {
    if (typeof this.what !== "string") return;
    const { geometry } = this.terra.getSnapshotFeature(id) ?? {};
    if (!geometry) return;
    const shape = rounded(geometry as Shape);
    const corners = cornersOf(shape) as LonLat[];
    if (new Set(corners.map(String)).size >= LEAST[this.what]) return this.events.onDone?.(shape);
    // Ended too early: what stands goes on standing.
    setTimeout(() => !this.stopped && this.restore(corners));
  }

  /** A corner at a place, as if it were clicked there: for those who draw without a mouse. */
  corner([lon, lat]: LonLat): void {
    if (typeof this.what !== "string" || this.stopped || String(this.corners.at(-1)) === String([lon, lat])) return;
    const mode = this.modes[this.what];
    const event = { lng: lon, lat, containerX: NOWHERE, containerY: NOWHERE, button: "left" as const, heldKeys: [], isContextMenu: false };
    mode.onMouseMove(event);
    mode.onClick(event);
  }

  /** Let the stroke reach to a place, as if the pointer were there. */
  reach([lon, lat]: LonLat): void {
    if (typeof this.what !== "string" || this.stopped) return;
    this.modes[this.what].onMouseMove({ lng: lon, lat, containerX: NOWHERE, containerY: NOWHERE, button: "neither", heldKeys: [], isContextMenu: false });
  }

  /** A stroke that was begun before, and is not finished. */
  restore(corners: LonLat[]): void {
    this.clear();
    for (const each of corners) this.corner(each);
  }

  /** As if Enter were pressed on the map. */
  finish(): void {
    this.map.getCanvas().dispatchEvent(new KeyboardEvent("keyup", { key: "Enter", bubbles: true }));
  }

  /** Take the last corner back. */
  undo(): void {
    if (this.terra.canUndo()) this.terra.undo();
  }

  /** Begin anew with the same tool. */
  clear(): void {
    if (typeof this.what !== "string") return;
    this.terra.setMode("static");
    this.terra.clear();
    this.terra.setMode(MODES[this.what]);
    this.corners = [];
    this.events.onCorners?.([]);
  }

  /** The style is about to be replaced, and with it everything that Terra Draw put on the map. */
  pause(): void {
    this.kept = typeof this.what === "string" ? [] : this.shapes();
    this.stopped = true;
    this.terra.stop();
  }

  again(): void {
    if (!this.stopped) return;
    this.stopped = false;
    this.terra = this.begin();
    if (this.corners.length > 0) this.restore(this.corners);
  }

  stop(): void {
    if (!this.stopped) this.terra.stop();
    this.stopped = true;
  }
}

const asFeature = (geometry: GeoJSON.Polygon): GeoJSONStoreFeatures => ({ type: "Feature", geometry, properties: { mode: "polygon" } }) as GeoJSONStoreFeatures;

function rounded<G extends Shape>(geometry: G): G {
  const round = (value: unknown): unknown => (Array.isArray(value) ? value.map(round) : typeof value === "number" ? Math.round(value * DECIMALS) / DECIMALS : value);
  return { type: geometry.type, coordinates: round(geometry.coordinates) } as G;
}
