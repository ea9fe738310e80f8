/**
 * A past hour that is played again: a board of its own, fed by the lines of then. Where it stands depends on the moment alone, never on the
 * way there: playing at any speed, stepping and scrubbing back give the same board.
 */
import { createStore } from "zustand/vanilla";
import { api } from "./api";
import { Board } from "./board";
import { subjectKind, type Closure, type Feature, type Incident, type PositionTuple, type Sos } from "./wire";

/** When it was recorded (ms since 1970), what, which version, and how it looked from then on. */
export type PastLine = [number, string, number, Feature | null];
/** When it reached us, lon, lat, heading, km/h, when the unit was there. */
export type PastPlace = [number, number, number, number | null, number | null, number];

export interface PastPage {
  from: string;
  to: string;
  complete_to: string;
  begins_at: string;
  tracks_since: string;
  features: Feature[] | null;
  lines: PastLine[];
}

export interface Archive {
  page(from: string, to: string, board: boolean): Promise<PastPage>;
  places(from: string, to: string): Promise<Record<string, PastPlace[]>>;
}

export const archive: Archive = {
  page: (from, to, board) => api<PastPage>("/replay", { body: { from, to, board } }),
  places: async (from, to) => (await api<{ positions: Record<string, PastPlace[]> }>("/replay/positions", { body: { from, to } })).positions,
};

/** How many seconds of then go by in one of now. */
export const PACES = [0.25, 0.5, 1, 2, 4, 8, 16, 32, 64] as const;
export type Pace = (typeof PACES)[number];
export const STEP = 60_000;
const STRETCH = 15 * 60_000;
const EVERY_SO_MANY = 500; // lines between two boards that are kept, to go back from

export interface Mark {
  at: number;
  kind: "p1" | "sos" | "closure";
  subject: string;
  /** What it was: the incident's type, the unit that called, why the street was closed. */
  name: string;
}

export interface PlayerState {
  at: number;
  playing: boolean;
  pace: Pace;
  /** Up to here the lines are known; nobody gets beyond. */
  known: number;
  /** Waiting for lines: the clock of the past stands. */
  waiting: boolean;
  failed: boolean;
  /** Where units were: known, being read, or kept no more. */
  places: "known" | "asked" | "none";
  marks: Mark[];
}

export class Player {
  readonly board = new Board();
  readonly store;
  readonly from: number;
  readonly to: number;
  /** Before this moment nobody's positions are kept. */
  readonly tracksSince: number;
  private readonly lines: PastLine[] = [];
  private readonly kept: Feature[][];
  private applied = 0;
  private readonly stretches = new Map<number, Record<string, PastPlace[]> | null>();
  private completeTo: string;
  private asking: Promise<void> | null = null;
  private last: number | null = null;
  /** Where one wants to be and nothing is known yet. */
  private wanted: number | null = null;

  private constructor(
    readonly outside: Archive,
    first: PastPage,
  ) {
    this.from = Date.parse(first.from);
    this.to = Date.parse(first.to);
    this.tracksSince = Date.parse(first.tracks_since);
    this.completeTo = first.from;
    this.kept = [first.features ?? []];
    this.end = first.to;
    this.store = createStore<PlayerState>(() => ({ at: this.from, playing: false, pace: 1, known: this.from, waiting: false, failed: false, places: "asked", marks: [] }));
    this.board.replace(this.kept[0] ?? []);
    this.take(first);
  }

  private readonly end: string;

  /** Read how an interval begins. Rejects with what the server refused. */
  static async open(outside: Archive, from: number, to: number): Promise<Player> {
    const page = await outside.page(new Date(from).toISOString(), new Date(to).toISOString(), true);
    const player = new Player(outside, page);
    player.seek(player.from);
    return player;
  }

  get state(): PlayerState {
    return this.store.getState();
  }

  /** Whether it tells of this thing at any moment that is read. */
  tellsOf(subject: string): boolean {
    return (this.kept[0] ?? []).some(({ properties }) => properties.subject === subject) || this.lines.some((line) => line[1] === subject);
  }

  /** Be at a moment, or as near to it as is known. */
  seek(at: number): void {
    const wanted = Math.min(Math.max(at, this.from), this.to);
    const reached = Math.min(wanted, this.state.known);
    this.wanted = wanted > reached ? wanted : null;
    this.stand(reached);
    this.store.setState({ at: reached, waiting: this.wanted !== null });
    void this.readAhead();
  }

  play(pace: Pace = this.state.pace): void {
    this.last = null;
    this.store.setState({ playing: true, pace });
  }

  setPace(pace: Pace): void {
    this.store.setState({ pace });
  }

  pause(): void {
    this.store.setState({ playing: false });
  }

  /** Time has gone by, told by a clock that only goes forward (ms). */
  tick(now: number): void {
    const { playing, at, pace } = this.state;
    const passed = this.last === null ? 0 : now - this.last;
    this.last = now;
    if (!playing) return;
    this.seek(at + passed * pace);
    if (this.state.at >= this.to) this.pause();
  }

  /** To the next moment at which anything changed; false when nothing does any more, as far as is known. */
  nextEvent(): boolean {
    const next = this.lines[this.applied];
    if (next) this.seek(next[0]);
    return next !== undefined;
  }

  /** Back to the last moment before this one at which anything changed. */
  previousEvent(): void {
    const { at } = this.state;
    const before = this.lines[countUntil(this.lines, at - 1) - 1];
    this.seek(before?.[0] ?? this.from);
  }

  /** Read all that is missing for the moment and a little beyond. */
  async readAhead(): Promise<void> {
    const { at, known, pace, waiting } = this.state;
    void this.readPlaces(at);
    if (this.state.playing) void this.readPlaces(at + STRETCH);
    if (known >= this.to || (!waiting && at + pace * 10_000 < known)) return;
    await (this.asking ??= this.ask());
  }

  /** Read on until a moment is known. */
  async readTo(moment: number): Promise<void> {
    while (this.state.known < Math.min(moment, this.to) && !this.state.failed) await (this.asking ??= this.ask());
    await this.readPlaces(Math.min(moment, this.to));
  }

  /** Once more, after it failed. */
  async retry(): Promise<void> {
    this.store.setState({ failed: false });
    await (this.asking ??= this.ask());
  }

  private async ask(): Promise<void> {
    try {
      this.take(await this.outside.page(this.completeTo, this.end, false));
      this.store.setState({ failed: false });
      if (this.wanted !== null) this.seek(this.wanted);
    } catch {
      this.store.setState({ failed: true, playing: false });
    } finally {
      this.asking = null;
    }
  }

  private take(page: PastPage): void {
    const marks = [...this.state.marks];
    const seen = new Set(marks.map(({ subject }) => subject));
    if (this.lines.length === 0) for (const feature of this.kept[0] ?? []) if (markKind(feature)) seen.add(feature.properties.subject);
    const board = this.keeping ?? new Map((this.kept[0] ?? []).map((feature) => [feature.properties.subject, feature]));
    for (const line of page.lines) {
      const [at, subject, , feature] = line;
      this.lines.push(line);
      if (feature) board.set(subject, feature);
      else board.delete(subject);
      if (this.lines.length % EVERY_SO_MANY === 0) this.kept.push([...board.values()]);
      const kind = feature && markKind(feature);
      if (kind && !seen.has(subject)) {
        seen.add(subject);
        marks.push({ at, kind, subject, name: nameOf(feature) });
      }
    }
    this.keeping = board;
    this.completeTo = page.complete_to;
    this.store.setState({ known: Math.max(this.from, Date.parse(page.complete_to)), marks });
  }

  /** The board at the end of all that is known, from which the next one to be kept is made. */
  private keeping: Map<string, Feature> | null = null;

  private stand(at: number): void {
    const wanted = countUntil(this.lines, at);
    if (wanted < this.applied || wanted - this.applied > EVERY_SO_MANY) {
      const nearest = Math.min(Math.floor(wanted / EVERY_SO_MANY), this.kept.length - 1);
      this.board.replace(this.kept[nearest] ?? []);
      this.applied = nearest * EVERY_SO_MANY;
    }
    for (; this.applied < wanted; this.applied += 1) {
      const [seq, subject, version, feature] = this.lines[this.applied] as PastLine;
      this.board.apply({ seq, subject, version, feature });
    }
    this.place(at);
  }

  private place(at: number): void {
    const stretch = this.stretchOf(at);
    const places = this.stretches.get(stretch);
    this.store.setState({ places: places ? (at < this.tracksSince ? "none" : "known") : this.keptOf(stretch) ? "asked" : "none" });
    // Where they were at another moment would be a lie about this one.
    if (!places) return this.board.replacePositions([]);
    const units: PositionTuple[] = [];
    for (const [id, passed] of Object.entries(places)) {
      const last = passed[countUntil(passed, at) - 1];
      if (last) units.push([id, last[1], last[2], last[3], last[4], last[5]]);
    }
    this.board.replacePositions(units);
  }

  private stretchOf(at: number): number {
    const last = Math.ceil((this.to - this.from) / STRETCH) - 1;
    return Math.min(Math.floor((at - this.from) / STRETCH), last); // the very end belongs to the last one
  }

  /** Whether anything is kept of where units were in this stretch. */
  private keptOf(stretch: number): boolean {
    return Math.min(this.from + (stretch + 1) * STRETCH, this.to) >= this.tracksSince;
  }

  private async readPlaces(at: number): Promise<void> {
    const stretch = this.stretchOf(Math.min(at, this.to));
    const begins = this.from + stretch * STRETCH;
    const ends = Math.min(begins + STRETCH, this.to);
    if (this.stretches.has(stretch) || begins >= ends || !this.keptOf(stretch)) return;
    this.stretches.set(stretch, null); // it is being asked for
    try {
      this.stretches.set(stretch, await this.outside.places(new Date(begins).toISOString(), new Date(ends).toISOString()));
      this.place(this.state.at);
    } catch {
      this.stretches.delete(stretch);
    }
  }
}

/** How many of a list in order of time are not after a moment. */
export function countUntil(list: readonly (readonly [number, ...unknown[]])[], at: number): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle]?.[0] ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What is worth a mark on the bar: an SOS, an incident of the first priority, a street that was closed. */
function markKind(feature: Feature): Mark["kind"] | null {
  const kind = subjectKind(feature.properties.subject);
  if (kind === "sos" || kind === "closure") return kind;
  return kind === "incident" && (feature as Feature<Incident>).properties.priority === 1 ? "p1" : null;
}

function nameOf({ properties }: Feature): string {
  const { type_name, call_sign, reason } = properties as Partial<Incident & Sos & Closure>;
  return type_name ?? call_sign ?? reason ?? "";
}
