/**
 * What moves and what matters, painted on a canvas of its own above the ground. A unit that moves then costs a few milliseconds and not
 * a new drawing of the whole city, which a PC without a graphics card needs a tenth of a second for; nothing blinks below it either.
 * Units < reports < incidents P4…P1 < stops < what is being placed. Pure of MapLibre but for where a place is on the screen.
 */
import type { Level } from "../wire";
import { paintMarker } from "./markers";
import type { Paint } from "./style";

type LonLat = [number, number];
export type MarkKind = "unit" | "report" | "incident" | "place" | "stop" | "draft";

export interface Mark {
  subject: string;
  kind: MarkKind;
  at: LonLat;
  /** A name that `paintMarker` knows; none for a bare ring. */
  icon: string | null;
  label: string;
  /** Within its kind, what is higher is drawn later and keeps its label. */
  rank: number;
  /** The colour of the ring that says "nobody has it". */
  ring?: string | undefined;
  faded?: boolean;
  /** Of an incident that may stand behind a common sign while the map is small. */
  level?: Level | undefined;
}

/** Many lesser incidents near each other behind one sign. */
export interface Gathered {
  marks: Mark[];
  x: number;
  y: number;
}

export interface View {
  width: number;
  height: number;
  zoom: number;
  /** Where a place is, in CSS pixels from the top left. */
  project: (at: LonLat) => { x: number; y: number };
}

interface Look {
  paint: Paint;
  /** The wall: larger, without labels. */
  wall: boolean;
}

interface Placed {
  mark: Mark;
  x: number;
  y: number;
}

const ORDER: readonly MarkKind[] = ["unit", "report", "incident", "place", "stop", "draft"];
const REACH = 6; // pixels around a mark at which a pointer still means it
const RADIUS: Record<MarkKind, number> = { unit: 13, report: 13, incident: 15, place: 12, stop: 12, draft: 0 };
const SELECTED: Record<MarkKind, number> = { unit: 17, report: 17, incident: 24, place: 0, stop: 0, draft: 0 };
const LABELS_FROM: Partial<Record<MarkKind, number>> = { unit: 12.5, incident: 12 };
const LABEL_SIZE: Partial<Record<MarkKind, number>> = { unit: 11, incident: 12.5 };
/** Below this zoom P3 and P4 that would cover each other stand behind one sign; P1 and P2 never do. */
export const GATHERED_BELOW = 12;
const CELL = 56;
const KEPT_LABELS = 3_000;

export class Marks {
  readonly canvas: HTMLCanvasElement;
  private readonly context: CanvasRenderingContext2D;
  private readonly icons = new Map<string, HTMLCanvasElement | null>();
  private readonly labels = new Map<string, HTMLCanvasElement>();
  private placed: Placed[] = [];
  private groups: Gathered[] = [];
  private ratio = 1;

  constructor(
    private readonly look: Look,
    container: HTMLElement,
  ) {
    this.canvas = document.createElement("canvas");
    this.canvas.className = "map-marks";
    this.canvas.setAttribute("aria-hidden", "true"); // its equivalent is the list
    Object.assign(this.canvas.style, { position: "absolute", inset: "0", pointerEvents: "none" });
    container.append(this.canvas);
    // On the processor: a few hundred small pictures are nothing to it, and a graphics card that is only emulated needs 100 ms for them.
    const context = this.canvas.getContext("2d", { willReadFrequently: true });
    if (!context) throw new Error("no canvas");
    this.context = context;
  }

  /** The theme changed: every sign and word is painted anew. */
  forget(): void {
    this.icons.clear();
    this.labels.clear();
  }

  /** Draw all. `dim`: the beat in which rings of what nobody has are faint. */
  draw(marks: readonly Mark[], view: View, selected: string | null, dim: boolean): void {
    const { context } = this;
    this.fit(view);
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.clearRect(0, 0, view.width, view.height);
    const { alone, groups } = gather(this.visible(marks, view), view.zoom);
    this.groups = groups;
    this.placed = alone.sort((a, b) => ORDER.indexOf(a.mark.kind) - ORDER.indexOf(b.mark.kind) || a.mark.rank - b.mark.rank || a.y - b.y);
    const names = this.names(view.zoom);
    for (const group of groups) this.sign(group);
    for (const { mark, x, y } of this.placed) {
      if (mark.ring) this.circle(x, y, 21, 3, mark.ring, dim ? 0.25 : 1);
      if (mark.subject === selected && SELECTED[mark.kind] > 0) this.circle(x, y, SELECTED[mark.kind], 3, this.look.paint("--focus"), 1);
      this.mark(mark, x, y);
    }
    for (const { image, x, y } of names) context.drawImage(image, x, y, image.width / this.ratio, image.height / this.ratio);
  }

  /** What a pointer means there, the uppermost first; null where it is ground. */
  hit(x: number, y: number): Placed["mark"] | Gathered | null {
    for (let i = this.placed.length - 1; i >= 0; i -= 1) {
      const one = this.placed[i];
      if (one && one.mark.kind !== "stop" && one.mark.kind !== "place" && within(one, x, y, RADIUS[one.mark.kind] * this.scale + REACH)) return one.mark;
    }
    return this.groups.find((group) => within(group, x, y, RADIUS.incident * this.scale + REACH)) ?? null;
  }

  private get scale(): number {
    return this.look.wall ? 1.5 : 1;
  }

  private fit({ width, height }: View): void {
    this.ratio = Math.min(2, globalThis.devicePixelRatio || 1);
    const [w, h] = [Math.round(width * this.ratio), Math.round(height * this.ratio)];
    if (this.canvas.width === w && this.canvas.height === h) return;
    this.canvas.width = w;
    this.canvas.height = h;
    Object.assign(this.canvas.style, { width: `${width}px`, height: `${height}px` });
    this.labels.clear();
  }

  private visible(marks: readonly Mark[], { project, width, height }: View): Placed[] {
    const found: Placed[] = [];
    for (const mark of marks) {
      const { x, y } = project(mark.at);
      if (x > -60 && y > -60 && x < width + 60 && y < height + 60) found.push({ mark, x: Math.round(x), y: Math.round(y) });
    }
    return found;
  }

  private mark({ icon, kind, label, faded }: Mark, x: number, y: number): void {
    const { context, look } = this;
    if (kind === "place") return this.circle(x, y, 11, 2, look.paint("--focus"), 1);
    context.globalAlpha = faded ? 0.5 : 1;
    if (kind === "stop") {
      context.fillStyle = look.paint("--route");
      context.strokeStyle = look.paint("--map-halo");
      context.lineWidth = 2;
      context.beginPath();
      context.arc(x, y, 12, 0, 2 * Math.PI);
      context.fill();
      context.stroke();
      this.write(label, x, y, 13, look.paint("--s0"));
    } else if (icon) this.icon(icon, x, y);
    context.globalAlpha = 1;
  }

  private icon(name: string, x: number, y: number): void {
    let image = this.icons.get(name);
    if (image === undefined) {
      const painted = paintMarker(name, this.look.paint, this.scale);
      image = painted ? picture(painted.image) : null;
      this.icons.set(name, image);
    }
    // Painted at twice its size.
    if (image) this.context.drawImage(image, x - image.width / 4, y - image.height / 4, image.width / 2, image.height / 2);
  }

  private sign({ marks, x, y }: Gathered): void {
    const { context, look, scale } = this;
    const gravest = marks.reduce((a, b) => (b.rank > a.rank ? b : a));
    if (gravest.icon) this.icon(gravest.icon, x, y);
    context.fillStyle = look.paint("--tx-hi");
    context.strokeStyle = look.paint("--s0");
    context.lineWidth = 2 * scale;
    const [left, top, wide, high] = [x + 7 * scale, y - 18 * scale, (marks.length > 9 ? 22 : 16) * scale, 15 * scale];
    context.beginPath();
    context.roundRect(left, top, wide, high, high / 2);
    context.fill();
    context.stroke();
    this.write(String(marks.length), left + wide / 2, top + high / 2, 10.5 * scale, look.paint("--s0"));
  }

  private circle(x: number, y: number, radius: number, width: number, colour: string, alpha: number): void {
    const { context, scale } = this;
    context.globalAlpha = alpha;
    context.strokeStyle = colour;
    context.lineWidth = width * scale;
    context.beginPath();
    context.arc(x, y, radius * scale, 0, 2 * Math.PI);
    context.stroke();
    context.globalAlpha = 1;
  }

  private write(text: string, x: number, y: number, size: number, colour: string): void {
    const { context } = this;
    context.font = `800 ${size}px ${FACE}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillStyle = colour;
    context.fillText(text, x, y + 0.5);
  }

  /** Which words there is room for: the graver first, none over another nor over an incident's sign. */
  private names(zoom: number): { image: HTMLCanvasElement; x: number; y: number }[] {
    if (this.look.wall) return [];
    const room = new Room();
    for (const { mark, x, y } of this.placed) if (mark.kind === "incident") room.take({ left: x - 14, top: y - 14, right: x + 14, bottom: y + 14 });
    const found = [];
    for (let i = this.placed.length - 1; i >= 0; i -= 1) {
      const one = this.placed[i];
      if (!one) continue;
      const { mark, x, y } = one;
      const [from, size] = [LABELS_FROM[mark.kind], LABEL_SIZE[mark.kind]];
      if (from === undefined || size === undefined || mark.label === "" || zoom < from) continue;
      const image = this.label(mark.label, size);
      const [wide, high] = [image.width / this.ratio, image.height / this.ratio];
      const [left, top] = mark.kind === "unit" ? [x - wide / 2, y + 9] : [x + 17, y - high / 2];
      if (room.take({ left, top, right: left + wide, bottom: top + high })) found.push({ image, x: left, y: top });
    }
    return found;
  }

  private label(text: string, size: number): HTMLCanvasElement {
    const key = `${size} ${text}`;
    const kept = this.labels.get(key);
    if (kept) return kept;
    if (this.labels.size > KEPT_LABELS) this.labels.clear();
    const { look, ratio } = this;
    const image = document.createElement("canvas");
    const context = image.getContext("2d", { willReadFrequently: true });
    if (!context) throw new Error("no canvas");
    context.font = `700 ${size}px ${FACE}`;
    image.width = Math.ceil((context.measureText(text).width + 6) * ratio);
    image.height = Math.ceil((size + 6) * ratio);
    context.scale(ratio, ratio);
    context.font = `700 ${size}px ${FACE}`;
    context.textBaseline = "middle";
    context.lineJoin = "round";
    context.strokeStyle = look.paint("--map-halo");
    context.lineWidth = 3.2;
    context.strokeText(text, 3, size / 2 + 3);
    context.fillStyle = look.paint("--tx-hi");
    context.fillText(text, 3, size / 2 + 3);
    this.labels.set(key, image);
    return image;
  }
}

const FACE = '"Noto Sans Variable", "Noto Sans", sans-serif';

const within = (one: { x: number; y: number }, x: number, y: number, reach: number): boolean => Math.hypot(one.x - x, one.y - y) <= reach;

function picture(pixels: ImageData): HTMLCanvasElement {
  const image = document.createElement("canvas");
  image.width = pixels.width;
  image.height = pixels.height;
  image.getContext("2d", { willReadFrequently: true })?.putImageData(pixels, 0, 0);
  return image;
}

/** P3 and P4 that would cover each other on a small map, behind one sign; everything else stands by itself. */
export function gather(placed: Placed[], zoom: number): { alone: Placed[]; groups: Gathered[] } {
  if (zoom >= GATHERED_BELOW) return { alone: placed, groups: [] };
  const alone: Placed[] = [];
  const cells = new Map<string, Placed[]>();
  for (const one of placed) {
    if (one.mark.kind !== "incident" || one.mark.ring || (one.mark.level ?? 1) < 3) alone.push(one);
    else {
      const cell = `${Math.floor(one.x / CELL)} ${Math.floor(one.y / CELL)}`;
      cells.set(cell, [...(cells.get(cell) ?? []), one]);
    }
  }
  const groups: Gathered[] = [];
  for (const cell of cells.values()) {
    if (cell.length === 1) alone.push(...cell);
    else groups.push({ marks: cell.map(({ mark }) => mark), x: Math.round(mean(cell.map(({ x }) => x))), y: Math.round(mean(cell.map(({ y }) => y))) });
  }
  return { alone, groups };
}
const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** Boxes that do not overlap; who comes first is served first. */
export class Room {
  private readonly cells = new Map<string, Box[]>();

  take(box: Box): boolean {
    const keys: string[] = [];
    for (let x = Math.floor(box.left / 64); x <= Math.floor(box.right / 64); x += 1) for (let y = Math.floor(box.top / 64); y <= Math.floor(box.bottom / 64); y += 1) keys.push(`${x} ${y}`);
    const taken = keys.some((key) => this.cells.get(key)?.some((other) => box.left < other.right && other.left < box.right && box.top < other.bottom && other.top < box.bottom));
    if (taken) return false;
    for (const key of keys) {
      const held = this.cells.get(key);
      if (held) held.push(box);
      else this.cells.set(key, [box]);
    }
    return true;
  }
}
