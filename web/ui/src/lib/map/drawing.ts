/**
 * Drawing by hand: Terra Draw on our map, with our colours and our keys. In a chunk of its own: whoever only looks never loads it.
 */
import type { Map as MapLibre } from "maplibre-gl";
import { TerraDraw, TerraDrawLineStringMode, TerraDrawModeUndoRedo, TerraDrawPointMode, TerraDrawPolygonMode, TerraDrawSelectMode, type GeoJSONStoreFeatures, type HexColor } from "terra-draw";
import { TerraDrawMapLibreGLAdapter } from "terra-draw-maplibre-gl-adapter";
import type { Shape } from "../wire";
import type { Paint } from "./style";

export type Tool = "point" | "line" | "polygon";

export interface DrawingEvents {
  /** How many corners stand so far. */
  onCorners?: (count: number) => void;
  onDone?: (shape: Shape) => void;
  /** While corners of an existing area are moved. */
  onChange?: (polygons: GeoJSON.Polygon[]) => void;
}

const MODES: Record<Tool, string> = { point: "point", line: "linestring", polygon: "polygon" };
const DECIMALS = 1e7;

export class Drawing {
  private terra: TerraDraw;
  private kept: GeoJSONStoreFeatures[] = [];
  private corners = 0;
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
    const terra = new TerraDraw({
      adapter: new TerraDrawMapLibreGLAdapter({ map: this.map, coordinatePrecision: 9 }),
      undoRedo: { modeLevel: new TerraDrawModeUndoRedo() },
      modes: [
        new TerraDrawPointMode({ styles: { pointColor: focus, pointWidth: 8, pointOutlineColor: ink, pointOutlineWidth: 3 } }),
        new TerraDrawLineStringMode({ keyEvents: { cancel: null, finish: "Enter" }, showCoordinatePoints: true, styles: { ...line, ...dots } }),
        new TerraDrawPolygonMode({ keyEvents: { cancel: null, finish: "Enter" }, showCoordinatePoints: true, styles: { ...area, ...dots } }),
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
    const count = this.standing();
    if (count === this.corners) return;
    this.corners = count;
    this.events.onCorners?.(count);
  }

  /** Corners that were clicked; the one under the pointer does not stand yet. */
  private standing(): number {
    const drawn = this.terra.getSnapshot().find(({ geometry, properties }) => properties.mode === MODES[this.what as Tool] && geometry.type !== "Point");
    if (!drawn) return 0;
    const committed = drawn.properties.committedCoordinateCount;
    if (typeof committed === "number") return committed;
    const { geometry } = drawn;
    return geometry.type === "LineString" ? geometry.coordinates.length - 1 : geometry.type === "Polygon" ? (geometry.coordinates[0]?.length ?? 2) - 2 : 0;
  }

  private finished(id: string | number): void {
    if (typeof this.what !== "string") return;
    const { geometry } = this.terra.getSnapshotFeature(id) ?? {};
    if (geometry) this.events.onDone?.(rounded(geometry as Shape));
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
    this.corners = 0;
    this.events.onCorners?.(0);
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
    if (this.corners > 0) this.events.onCorners?.((this.corners = 0));
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
