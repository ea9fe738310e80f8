/** Markers painted at run time: priority is a shape with its number, a unit is a pill with letter and fill. Colour is never alone. */
import type { Fill, Hue } from "../queue";
import type { ClosureKind, FacilityKind, Level } from "../wire";
import type { Paint } from "./style";

export type MarkerState = "new" | "open" | "late" | "controlled" | "over";

const RATIO = 2;
const FONT = '"Noto Sans Variable", "Noto Sans", sans-serif';

/** Corners of each priority's frame, on a circle of radius 1 (P4 is that circle). */
export const FRAMES: Record<Level, [number, number][] | null> = {
  1: Array.from({ length: 8 }, (_, i) => polar(22.5 + 45 * i, 1)),
  2: [polar(-90, 1.24), polar(30, 1.24), polar(150, 1.24)],
  3: [polar(-90, 1.16), polar(0, 1.16), polar(90, 1.16), polar(180, 1.16)],
  4: null,
};

function polar(degrees: number, radius: number): [number, number] {
  const angle = (degrees * Math.PI) / 180;
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

function canvas(width: number, height: number): CanvasRenderingContext2D {
  const element = document.createElement("canvas");
  element.width = width * RATIO;
  element.height = height * RATIO;
  const context = element.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("no canvas");
  context.scale(RATIO, RATIO);
  return context;
}

const pixels = (context: CanvasRenderingContext2D) => ({
  image: context.getImageData(0, 0, context.canvas.width, context.canvas.height),
  options: { pixelRatio: RATIO },
});

function framePath(level: Level, x: number, y: number, radius: number): Path2D {
  const path = new Path2D();
  const corners = FRAMES[level];
  if (!corners) path.arc(x, y, radius, 0, 2 * Math.PI);
  else {
    const drop = level === 2 ? radius * 0.18 : 0;
    corners.forEach(([dx, dy], i) => path[i === 0 ? "moveTo" : "lineTo"](x + dx * radius, y + dy * radius + drop));
    path.closePath();
  }
  return path;
}

function incident(level: Level, state: MarkerState, scale: number, paint: Paint) {
  const size = 44 * scale;
  const context = canvas(size, size);
  const [x, y, radius] = [size / 2, size / 2, (level === 1 ? 13.5 : 12.5) * scale];
  const path = framePath(level, x, y, radius);
  const colour = paint(`--p${level}`);
  context.lineJoin = "round";
  if (state === "over") context.globalAlpha = 0.5;
  if (state === "late") {
    // Overdue is seen as a halo and a clock, not as another colour.
    context.strokeStyle = colour;
    context.globalAlpha = 0.35;
    context.lineWidth = 13 * scale;
    context.stroke(path);
    context.globalAlpha = 1;
  }
  context.strokeStyle = "#ffffff";
  context.lineWidth = 7.5 * scale;
  context.stroke(path);
  context.strokeStyle = paint("--ink");
  context.lineWidth = 4 * scale;
  context.stroke(path);
  const hollow = state === "controlled";
  context.fillStyle = state === "over" ? paint("--u-no") : hollow ? paint("--ink") : colour;
  context.fill(path);
  if (hollow) {
    context.strokeStyle = colour;
    context.lineWidth = 2.5 * scale;
    context.stroke(path);
  }
  context.fillStyle = hollow ? colour : state === "over" ? paint("--ink") : paint(`--p${level}-text`);
  context.font = `800 ${15 * scale}px ${FONT}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(String(level), x, y + (level === 2 ? radius * 0.24 : 0.5 * scale));
  if (state === "late") clockBadge(context, x + radius * 0.95, y - radius * 0.95, 6.5 * scale, paint);
  return pixels(context);
}

function clockBadge(context: CanvasRenderingContext2D, x: number, y: number, radius: number, paint: Paint): void {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = "#ffffff";
  context.strokeStyle = paint("--ink");
  context.lineWidth = radius * 0.28;
  context.fill();
  context.stroke();
  context.beginPath();
  context.moveTo(x, y - radius * 0.6);
  context.lineTo(x, y);
  context.lineTo(x + radius * 0.45, y + radius * 0.25);
  context.stroke();
}

/** A report that waits: a speech bubble, in the colour of text. */
function report(scale: number, paint: Paint) {
  const size = 26 * scale;
  const context = canvas(size, size);
  const [left, top, wide, high] = [5 * scale, 4.5 * scale, 16 * scale, 12.5 * scale];
  const path = new Path2D();
  path.roundRect(left, top, wide, high, 3.5 * scale);
  const tail = new Path2D();
  tail.moveTo(left + 4 * scale, top + high - 0.5);
  tail.lineTo(left + 5 * scale, top + high + 5 * scale);
  tail.lineTo(left + 10.5 * scale, top + high - 0.5);
  context.lineJoin = "round";
  context.strokeStyle = paint("--s0");
  context.lineWidth = 4 * scale;
  context.stroke(path);
  context.stroke(tail);
  context.fillStyle = paint("--tx-hi");
  context.fill(path);
  context.fill(tail);
  context.fillStyle = paint("--s0");
  for (const dx of [4, 8, 12]) {
    context.beginPath();
    context.arc(left + dx * scale, top + high / 2, 1.45 * scale, 0, 2 * Math.PI);
    context.fill();
  }
  return pixels(context);
}

function unit(letter: string, fill: Fill, hue: Hue, scale: number, paint: Paint) {
  const [width, height] = [26 * scale, 20 * scale];
  const context = canvas(width, height);
  const [x, y, w, h] = [2.5 * scale, 2.5 * scale, width - 5 * scale, height - 5 * scale];
  const pill = new Path2D();
  pill.roundRect(x, y, w, h, h / 2);
  const [colour, ground] = [paint(`--u-${hue}`), paint("--s0")];
  context.strokeStyle = ground;
  context.lineWidth = 4 * scale;
  context.stroke(pill);
  context.fillStyle = fill === "solid" ? colour : ground;
  context.fill(pill);
  context.save();
  context.clip(pill);
  context.fillStyle = colour;
  if (fill === "half") context.fillRect(x, y, w * 0.36, h);
  if (fill === "stripes") {
    context.strokeStyle = colour;
    context.lineWidth = 2 * scale;
    for (let dx = -h; dx < w + h; dx += 5 * scale) {
      context.beginPath();
      context.moveTo(x + dx, y + h);
      context.lineTo(x + dx + h, y);
      context.stroke();
    }
    context.fillStyle = ground;
    context.fillRect(x + w / 2 - 5.5 * scale, y, 11 * scale, h);
  }
  context.restore();
  if (fill === "dashed") context.setLineDash([3 * scale, 2.2 * scale]);
  context.strokeStyle = colour;
  context.lineWidth = 1.8 * scale;
  context.stroke(pill);
  context.setLineDash([]);
  context.font = `800 ${11.5 * scale}px ${FONT}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  // The letter stands beside the half that is filled, so that it is read whole.
  context.fillStyle = fill === "solid" ? paint("--u-text") : colour;
  context.fillText(letter, fill === "half" ? width * 0.63 : width / 2, height / 2 + 0.5 * scale);
  return pixels(context);
}

function pin(paint: Paint) {
  const context = canvas(40, 40);
  const cross = (colour: string, line: number) => {
    context.strokeStyle = colour;
    context.lineWidth = line;
    context.beginPath();
    context.arc(20, 20, 10, 0, 2 * Math.PI);
    for (const [dx, dy] of [[0, -1], [1, 0], [0, 1], [-1, 0]] as const) {
      context.moveTo(20 + dx * 6, 20 + dy * 6);
      context.lineTo(20 + dx * 17, 20 + dy * 17);
    }
    context.stroke();
  };
  cross(paint("--ink"), 6);
  cross(paint("--focus"), 2.8);
  return pixels(context);
}

/** A landmark of the base map: what an emergency asks for has a sign, the others a dot. Muted, as the ground is. */
function landmark(kind: string, paint: Paint) {
  const context = canvas(18, 18);
  const [ink, ground] = [paint("--map-poi"), paint("--map-halo")];
  context.fillStyle = ink;
  context.strokeStyle = ground;
  if (kind === "other") {
    context.lineWidth = 2;
    context.beginPath();
    context.arc(9, 9, 3, 0, 2 * Math.PI);
    context.stroke();
    context.fill();
    return pixels(context);
  }
  const plate = new Path2D();
  plate.roundRect(2, 2, 14, 14, 4);
  context.lineWidth = 2.5;
  context.stroke(plate);
  context.fill(plate);
  context.fillStyle = ground;
  if (kind === "hospital") {
    context.fillRect(7.75, 4.75, 2.5, 8.5);
    context.fillRect(4.75, 7.75, 8.5, 2.5);
  } else {
    const shield = "M9 4 L13 5.6 V9 C13 11.4 11.2 13.2 9 14 C6.8 13.2 5 11.4 5 9 V5.6 Z";
    const flame = "M9.4 3.8 C9.6 6 12.6 7.2 12.6 10.4 C12.6 12.6 11 14.1 9 14.1 C7 14.1 5.4 12.6 5.4 10.6 C5.4 9.2 6.2 8.2 6.9 7.4 C7.1 8.3 7.5 8.8 8 9 C7.9 7 8.2 5.2 9.4 3.8 Z";
    context.fill(new Path2D(kind === "fire" ? flame : shield));
  }
  return pixels(context);
}

const FACILITY_GLYPHS: Record<FacilityKind, string> = {
  base: "M12 6.2 L13.8 10 L18 10.5 L14.9 13.3 L15.7 17.4 L12 15.4 L8.3 17.4 L9.1 13.3 L6 10.5 L10.2 10 Z",
  camera: "M6 9 H14 V15 H6 Z M14.6 11.2 L18 9.2 V14.8 L14.6 12.8 Z",
  clinic: "M10.7 7 H13.3 V10.7 H17 V13.3 H13.3 V17 H10.7 V13.3 H7 V10.7 H10.7 Z",
  fire_station: "M12.5 5.6 C12.7 8.4 16.6 9.9 16.6 13.9 C16.6 16.7 14.6 18.4 12 18.4 C9.4 18.4 7.4 16.6 7.4 14.1 C7.4 12.3 8.4 11 9.3 10 C9.6 11.2 10.1 11.8 10.7 12 C10.6 9.5 11 7.3 12.5 5.6 Z",
  hospital: "M7.4 7 H9.8 V10.8 H14.2 V7 H16.6 V17 H14.2 V13.2 H9.8 V17 H7.4 Z",
  hydrant: "M10 6.4 H14 V8 H15.2 V10 H17.4 V13 H15.2 V16.4 H16.4 V18 H7.6 V16.4 H8.8 V13 H6.6 V10 H8.8 V8 H10 Z",
  police: "M12 5.8 L17 7.8 V12 C17 15 14.8 17.2 12 18.2 C9.2 17.2 7 15 7 12 V7.8 Z",
  school: "M12 6.6 L19 10 L12 13.4 L5 10 Z M8 12.6 L12 14.6 L16 12.6 V15.8 L12 17.6 L8 15.8 Z",
  shelter: "M12 6 L18.4 11.6 H16.4 V17.6 H13.4 V13.8 H10.6 V17.6 H7.6 V11.6 H5.6 Z",
  vecinal: "M9.4 7 A2 2 0 1 1 9.39 7 Z M14.6 7 A2 2 0 1 1 14.59 7 Z M5.6 17 C5.6 13.6 7.2 12 9.4 12 C10.6 12 11.4 12.4 12 13 C12.6 12.4 13.4 12 14.6 12 C16.8 12 18.4 13.6 18.4 17 Z",
};

/** A facility: a light plate with its sign; one that is out of service is struck through. */
function facility(kind: FacilityKind, out: boolean, paint: Paint) {
  const context = canvas(24, 24);
  const plate = new Path2D();
  plate.roundRect(3, 3, 18, 18, 5);
  context.globalAlpha = out ? 0.7 : 1;
  context.strokeStyle = paint("--map-halo");
  context.lineWidth = 4;
  context.stroke(plate);
  context.fillStyle = paint("--s0");
  context.fill(plate);
  context.strokeStyle = context.fillStyle = paint("--tx-hi");
  context.lineWidth = 1.6;
  context.stroke(plate);
  context.fill(new Path2D(FACILITY_GLYPHS[kind]), "evenodd");
  if (out) {
    context.lineWidth = 2.4;
    context.stroke(new Path2D("M4 20 L20 4"));
  }
  return pixels(context);
}

/** Which way a one-way street runs; drawn to the right, as lines are read. */
function way(paint: Paint) {
  const context = canvas(14, 10);
  context.strokeStyle = paint("--map-poi");
  context.lineWidth = 1.4;
  context.lineCap = context.lineJoin = "round";
  context.stroke(new Path2D("M2 5 H12 M9 2.2 L12 5 L9 7.8"));
  return pixels(context);
}

const SIGN_GLYPHS: Record<ClosureKind, (context: CanvasRenderingContext2D, r: number) => void> = {
  closed: (context, r) => context.fillRect(-r * 0.62, -r * 0.2, r * 1.24, r * 0.4),
  flooded: (context, r) => {
    for (const dy of [-0.28, 0.3]) {
      context.beginPath();
      context.moveTo(-r * 0.62, r * dy);
      context.quadraticCurveTo(-r * 0.31, r * (dy - 0.42), 0, r * dy);
      context.quadraticCurveTo(r * 0.31, r * (dy + 0.42), r * 0.62, r * dy);
      context.stroke();
    }
  },
  works: (context, r) => {
    context.beginPath();
    context.moveTo(0, -r * 0.66);
    context.lineTo(r * 0.42, r * 0.36);
    context.lineTo(-r * 0.42, r * 0.36);
    context.fill();
    context.fillRect(-r * 0.66, r * 0.36, r * 1.32, r * 0.2);
  },
  event: (context, r) => {
    for (const dx of [-0.42, 0.42, 0]) {
      context.beginPath();
      context.arc(r * dx, dx === 0 ? -r * 0.3 : -r * 0.12, r * 0.21, 0, 2 * Math.PI);
      context.fill();
      context.fillRect(r * (dx - 0.19), dx === 0 ? r * 0 : r * 0.16, r * 0.38, dx === 0 ? r * 0.52 : r * 0.36);
    }
  },
  obstacle: (context, r) => {
    context.fillRect(-r * 0.13, -r * 0.62, r * 0.26, r * 0.78);
    context.beginPath();
    context.arc(0, r * 0.46, r * 0.17, 0, 2 * Math.PI);
    context.fill();
  },
};

/** The sign on a closure: a diamond like those of road works, blue and round where water is. */
function closureSign(kind: ClosureKind, scale: number, paint: Paint) {
  const size = 34 * scale;
  const context = canvas(size, size);
  context.translate(size / 2, size / 2);
  const [water, radius] = [kind === "flooded", 11 * scale];
  const path = new Path2D();
  if (water) path.arc(0, 0, radius, 0, 2 * Math.PI);
  else {
    const corner = radius * 1.3;
    path.moveTo(0, -corner);
    path.lineTo(corner, 0);
    path.lineTo(0, corner);
    path.lineTo(-corner, 0);
    path.closePath();
  }
  context.lineJoin = "round";
  context.strokeStyle = "#ffffff";
  context.lineWidth = 5.5 * scale;
  context.stroke(path);
  context.strokeStyle = paint("--ink");
  context.lineWidth = 3.5 * scale;
  context.stroke(path);
  context.fillStyle = paint(water ? "--cut-water" : "--cut");
  context.fill(path);
  context.fillStyle = context.strokeStyle = paint("--ink");
  context.lineWidth = 2 * scale;
  context.lineCap = "round";
  SIGN_GLYPHS[kind](context, radius * 0.92);
  return pixels(context);
}

/** What fills a closed area: bars for barriers, waves of lines for water; the ground stays readable between them. */
function hatch(kind: ClosureKind, scale: number, paint: Paint) {
  const size = 16 * scale;
  const context = canvas(size, size);
  const line = (colour: string, width: number, alpha: number, up: boolean) => {
    context.strokeStyle = colour;
    context.lineWidth = width * scale;
    context.globalAlpha = alpha;
    for (const shift of [-size, 0, size]) {
      context.beginPath();
      context.moveTo(shift, up ? size : 0);
      context.lineTo(shift + size, up ? 0 : size);
      context.stroke();
    }
  };
  const colour = paint(kind === "flooded" ? "--cut-water" : "--cut");
  context.globalAlpha = 0.16;
  context.fillStyle = colour;
  context.fillRect(0, 0, size, size);
  line(paint("--ink"), 4, 0.35, true);
  line(colour, 2.4, 0.95, true);
  if (kind === "works" || kind === "event") line(colour, 1.6, 0.8, false);
  return pixels(context);
}

export const incidentIcon = (level: Level, state: MarkerState): string => `i:${level}:${state}`;
export const unitIcon = (letter: string, fill: Fill, hue: Hue): string => `u:${letter}:${fill}:${hue}`;

/** Answers MapLibre's question for a missing image; null when the name is none of ours. */
export function paintMarker(name: string, paint: Paint, scale: number) {
  const [family, a, b, c] = name.split(":");
  if (family === "i") return incident(Number(a) as Level, b as MarkerState, scale, paint);
  if (family === "u") return unit(a ?? "?", b as Fill, c as Hue, scale, paint);
  if (family === "c" && a && a in SIGN_GLYPHS) return closureSign(a as ClosureKind, scale, paint);
  if (family === "h") return hatch(a as ClosureKind, scale, paint);
  if (family === "f" && a && a in FACILITY_GLYPHS) return facility(a as FacilityKind, b === "out", paint);
  if (family === "r") return report(scale, paint);
  if (family === "pin") return pin(paint);
  if (family === "poi") return landmark(a ?? "other", paint);
  if (family === "way") return way(paint);
  return null;
}
