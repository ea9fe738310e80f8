/** Walls: what they show, what they say of themselves, and the arithmetic of reading from afar. */
import { api, newId } from "./api";
import type { Level } from "./wire";

export type WallView = "situation" | "board" | "crisis" | "rotation";
export const VIEWS: WallView[] = ["situation", "board", "crisis", "rotation"];
/** As the address says it: `/pared/tablero`. */
export const SLUGS: Record<WallView, string> = { situation: "situacion", board: "tablero", crisis: "crisis", rotation: "rotacion" };

/** The live row `wall:<id>`. */
export interface Wall {
  subject: string;
  id: string;
  version: number;
  name: string;
  views: WallView[];
  view: WallView;
  about: string | null;
  zoom: number | null;
  /** Null follows the hour. */
  brightness: number | null;
  reloads: number;
  inches: number;
  metres: number;
  ruler: boolean;
  revoked: boolean;
  silent: boolean;
}

export interface Heard {
  view: WallView;
  width: number;
  height: number;
  page: string;
  heap_mb: number | null;
  frame_age_s: number | null;
  up_s: number;
  frozen: boolean;
}

export interface WallRecord extends Wall {
  centre: [number, number] | null;
  heard_at: string | null;
  heard: Partial<Heard>;
  token_at: string | null;
  made_by: string;
}

export interface Crisis {
  about: string;
  code: string;
  name: string;
  priority: Level | null;
  level: number;
  place: string;
  state: string | null;
  opened_at: string;
  over: boolean;
  sectors: { id: string; name: string; colour: string; open: number; there: number }[];
  posts: { role: string; organization: string }[];
  incidents: { code: string; name: string; priority: Level; state: string; place: string; sector_id: string | null }[];
  resources: { call_sign: string; status: string; since: string; asked: boolean; there: boolean; sector_id: string | null }[];
  log: { at: string; kind: string; call_sign: string | null; status: string | null }[];
}

export interface BesideAnHourAgo {
  now: number | null;
  then: number | null;
}

export interface HourNumbers {
  at: string;
  open: BesideAnHourAgo;
  urgent: BesideAnHourAgo;
  came: BesideAnHourAgo;
  ended: BesideAnHourAgo;
  arrival_seconds: BesideAnHourAgo & { measured: number };
}

const post = <T>(path: string, body: object = {}): Promise<T> => api<T>(path, { method: "POST", body });

export const walls = () => api<{ walls: WallRecord[] }>("/walls").then(({ walls: all }) => all);
export const makeWall = (name: string, views: WallView[]) => post<WallRecord>("/walls", { id: newId(), name, views });
export const renewWall = (id: string) => post<WallRecord & { token: string }>(`/walls/${id}/link`);
export const revokeWall = (id: string) => post<WallRecord>(`/walls/${id}/revoke`);
export const amendWall = (id: string, change: { name?: string; views?: WallView[] }) => post<WallRecord>(`/walls/${id}/amend`, change);
export const showOnWall = (id: string, view: WallView, about?: string) => post<WallRecord>(`/walls/${id}/show`, { view, about });
export const centreWall = (id: string, at: [number, number] | null, zoom: number | null) =>
  post<WallRecord>(`/walls/${id}/centre`, { location: at ? { type: "Point", coordinates: at } : null, zoom });
export const brightenWall = (id: string, brightness: number | null) => post<WallRecord>(`/walls/${id}/brightness`, { brightness });
export const reloadWall = (id: string) => post<WallRecord>(`/walls/${id}/reload`);
export const calibrateWall = (id: string, change: { ruler: boolean; inches?: number; metres?: number }) => post<WallRecord>(`/walls/${id}/calibrate`, change);
export const ownCrisis = () => api<{ crisis: Crisis | null }>("/walls/own/crisis").then(({ crisis }) => crisis);
export const ownNumbers = () => api<HourNumbers>("/walls/own/numbers");
export const sayAlive = (heard: Heard) => post<{ heard_at: string }>("/walls/own/heard", heard);

/** A link as it is given to whoever hangs the screen. */
export const linkOf = (origin: string, wall: Wall, token: string): string => `${origin}/pared/${SLUGS[wall.view]}?token=${encodeURIComponent(token)}`;

// ── Reading from afar (NUREG-0700) ──────────────────────────────────────────────────────────────

export const PANEL = 1920;
/** How much of a letter's box its capital fills. */
const CAPITAL = 0.714;
const INCH = 0.0254;
const WIDE = 16 / Math.hypot(16, 9);

/** Pixels of a 1920 px wide panel that a font needs so that its capitals have so many minutes of arc at the farthest seat. */
export function letterFor(inches: number, metres: number, minutes: number): number {
  const panel = inches * INCH * WIDE;
  return ((metres * Math.tan((minutes / 60) * (Math.PI / 180))) / CAPITAL / panel) * PANEL;
}

export const RULER = 0.5; // of the panel's width

/** The diagonal of a 16:9 panel on which the ruler measured so many centimetres. */
export const inchesOf = (centimetres: number): number => centimetres / 100 / RULER / INCH / WIDE;

const MOST_ROWS = 8;

/** Rows of `heights` letters each that fit under what stands above them, in a 1080 px high panel. */
export const rowsThatFit = (letter: number, taken: number, heights: number): number => Math.max(2, Math.min(MOST_ROWS, Math.floor((1080 - taken) / (letter * heights))));

/** How bright by the hour: a room at night is dark, and so is what hangs in it. */
export function brightnessAt(hour: number): number {
  if (hour >= 23 || hour < 6) return 0.6;
  return hour >= 20 || hour < 8 ? 0.8 : 1;
}

const SHIFT_EVERY = 600_000;
const CORNERS: [number, number][] = [[0, 0], [4, 0], [4, 4], [0, 4]];

/** Screens that never change burn in: everything moves by four pixels every ten minutes. */
export const shiftAt = (now: number): [number, number] => CORNERS[Math.floor(now / SHIFT_EVERY) % CORNERS.length] ?? [0, 0];

// ── Rotation ────────────────────────────────────────────────────────────────────────────────────

const SECONDS: Record<WallView, number> = { situation: 40, board: 20, crisis: 40, rotation: 0 };

/** What a rotating wall shows at a time: the same on every wall, because it only asks the clock. */
export function rotating(views: readonly WallView[], hasSubject: boolean, urgent: boolean, now: number): WallView {
  const round = views.filter((view) => view !== "rotation" && (view !== "crisis" || hasSubject));
  if (urgent || round.length === 0) return "situation";
  const whole = round.reduce((sum, view) => sum + SECONDS[view], 0);
  let at = Math.floor(now / 1000) % whole;
  for (const view of round) {
    if (at < SECONDS[view]) return view;
    at -= SECONDS[view];
  }
  return "situation";
}

// ── Watchdog ────────────────────────────────────────────────────────────────────────────────────

const HEAP_MB = 500;
const FRAME_S = 30;
const NIGHT = 4.5; // o'clock
const HOUR = 3_600_000;
const SETTLED = 120_000;

export interface Health {
  heapMb: number | null;
  frameAgeS: number;
  /** Nobody sees it, so the browser draws nothing. */
  hidden: boolean;
  /** Milliseconds since the page began, and the hour of the day, 0 to 24, where it hangs. */
  upMs: number;
  hourOfDay: number;
  /** A P1 or an SOS is open: nobody takes the wall away now. */
  urgent: boolean;
}

export type Reason = "heap" | "frames" | "night";

/** Why the page should be loaded anew, if it should. What was due in an emergency is done when it is over. */
export function reloadDue({ heapMb, frameAgeS, hidden, upMs, hourOfDay, urgent }: Health): Reason | null {
  if (urgent) return null;
  const settled = upMs > SETTLED; // else a page that cannot do better would be loaded for ever
  if (settled && heapMb !== null && heapMb > HEAP_MB) return "heap";
  if (settled && !hidden && frameAgeS > FRAME_S) return "frames";
  const sinceNight = ((hourOfDay - NIGHT + 24) % 24) * HOUR;
  return upMs > sinceNight ? "night" : null;
}
