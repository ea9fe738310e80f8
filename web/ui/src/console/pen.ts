/** The pen of this seat: what is being drawn on the map, and how far. Nothing drawn by more than a corner is lost without being asked. */
import { createStore } from "zustand/vanilla";
import { useStore } from "zustand";
import type { Tool } from "../lib/map/drawing";
import type { Shape } from "../lib/wire";
import { stage } from "./desk";

interface Pen {
  tool: Tool | null;
  corners: number;
  /** Esc was pressed once with corners standing: once more throws them away. */
  asked: boolean;
}

const NOTHING: Pen = { tool: null, corners: 0, asked: false };
export const pen = createStore<Pen>(() => NOTHING);
export const usePen = <T,>(select: (state: Pen) => T): T => useStore(pen, select);

export function takePen(tool: Tool, onDone: (shape: Shape) => void): void {
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
    .then((atHand) => atHand && pen.setState({ tool }));
}

export function putPenDown(): void {
  stage.map?.stopDrawing();
  pen.setState(NOTHING);
}

export const finishStroke = (): void => stage.map?.pen?.finish();
export const takeCornerBack = (): void => stage.map?.pen?.undo();

/** Throw the stroke away; asks first when more than one corner stands. Answers whether there was anything to throw away. */
export function dropStroke(): boolean {
  const { tool, corners, asked } = pen.getState();
  if (tool === null || corners === 0) return false;
  if (corners > 1 && !asked) {
    pen.setState({ asked: true });
    return true;
  }
  stage.map?.pen?.clear();
  pen.setState({ corners: 0, asked: false });
  return true;
}
