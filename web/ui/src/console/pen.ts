/** The pen of this seat: what is being drawn on the map, and how far. Nothing drawn by more than a corner is lost without being asked. */
import { createStore } from "zustand/vanilla";
import { useStore } from "zustand";
import type { Tool } from "../lib/map/drawing";
import type { LonLat } from "../lib/verbs";
import type { Shape } from "../lib/wire";
import { stage } from "./desk";

interface Pen {
  tool: Tool | null;
  corners: LonLat[];
  /** Esc was pressed once with corners standing: once more throws them away. */
  asked: boolean;
}

const NOTHING: Pen = { tool: null, corners: [], asked: false };
export const pen = createStore<Pen>(() => NOTHING);
export const usePen = <T,>(select: (state: Pen) => T): T => useStore(pen, select);

/** `begun`: corners of a stroke that was left standing, by a reload or for later. */
export function takePen(tool: Tool, onDone: (shape: Shape) => void, begun: LonLat[] = []): void {
  if (!stage.map) return;
  pen.setState(NOTHING);
  void stage.map
    .draw(tool, {
      onCorners: (corners) => pen.setState({ corners, asked: false }),
      onDone: (shape) => {
        putPenDown();
        onDone(shape);
      },
    })
    .then((atHand) => {
      if (!atHand) return;
      pen.setState({ tool });
      if (begun.length > 0) stage.map?.pen?.restore(begun);
    });
}

export function putPenDown(): void {
  stage.map?.stopDrawing();
  pen.setState(NOTHING);
}

/** A corner in the middle of the map: the arrows move the map, not the pen. */
export const putCorner = (): void => {
  if (stage.map) stage.map.pen?.corner(stage.map.centre());
};
export const finishStroke = (): void => stage.map?.pen?.finish();
export const takeCornerBack = (): void => stage.map?.pen?.undo();

/** Throw the stroke away; asks first when more than one corner stands. Answers whether there was anything to throw away. */
export function dropStroke(): boolean {
  const { tool, corners, asked } = pen.getState();
  if (tool === null || corners.length === 0) return false;
  if (corners.length > 1 && !asked) {
    pen.setState({ asked: true });
    return true;
  }
  stage.map?.pen?.clear();
  pen.setState({ corners: [], asked: false });
  return true;
}
