/**
 * The board: everything this person may see, as the feed tells it. Plain mutable maps, because two hundred lines a second must not copy
 * five hundred entries each; React is told in batches through `revision`.
 */
import { createStore, type StoreApi } from "zustand/vanilla";
import { middleOf } from "./shapes";
import type { Alarm, Circuit, Closure, Feature, Fence, Incident, Line, Link, Major, MajorMember, MoveUp, PositionTuple, Register, Report, Shape, Simulation, Sos, Storm, Unit } from "./wire";
import { subjectKind } from "./wire";
import type { RadioLine } from "./radio";
import type { Wall } from "./walls";

export interface Position {
  lon: number;
  lat: number;
  heading: number | null;
  speed: number | null;
  fixedAt: number;
}

/** `at` is a point to go to; `shape` is all of it. */
export type Placed<P> = P & { at: [number, number] | null; shape: Shape | null };

/** What is on a board, for whoever shows it. */
export abstract class BoardView {
  abstract readonly features: ReadonlyMap<string, Feature>;
  abstract readonly positions: ReadonlyMap<string, Position>;
  /** Another revision some milliseconds after anything changed. */
  abstract readonly store: StoreApi<{ revision: number }>;
  abstract onMove(listener: () => void): () => void;
  /** Another number whenever something of these kinds has changed. */
  abstract turnOf(...kinds: string[]): number;

  incidents(): Placed<Incident>[] {
    return this.all<Incident>("incident");
  }

  reports(): Placed<Report>[] {
    return this.all<Report>("report");
  }

  units(): Placed<Unit>[] {
    return this.all<Unit>("unit");
  }

  closures(): Placed<Closure>[] {
    return this.all<Closure>("closure");
  }

  fences(): Placed<Fence>[] {
    return this.all<Fence>("fence");
  }

  /** The edition of the map of zones, which is read apart. */
  zonesEdition(): number {
    for (const [subject, { properties }] of this.features) if (subjectKind(subject) === "zones") return properties.version;
    return 0;
  }

  registers(): Placed<Register>[] {
    return this.all<Register>("register");
  }

  alarms(): Placed<Alarm>[] {
    return this.all<Alarm>("alarm");
  }

  links(incident: string): Link[] {
    return this.all<Link>("link").filter(({ from, to }) => from.id === incident || to.id === incident);
  }

  majors(): Placed<Major>[] {
    return this.all<Major>("major");
  }

  members(): MajorMember[] {
    return this.all<MajorMember>("member");
  }

  moveUps(): Placed<MoveUp>[] {
    return this.all<MoveUp>("move_up");
  }

  /** Live SOS, the oldest first. */
  sos(): Placed<Sos>[] {
    return this.all<Sos>("sos").sort((a, b) => a.raised_at.localeCompare(b.raised_at));
  }

  storm(): Storm | null {
    return this.all<Storm>("storm")[0] ?? null;
  }

  walls(): Placed<Wall>[] {
    return this.all<Wall>("wall");
  }

  /** What was said over the air in the last hour. */
  radio(): RadioLine[] {
    return this.all<RadioLine>("radio");
  }

  circuits(): Circuit[] {
    return this.all<Circuit>("circuit");
  }

  simulation(): Simulation | null {
    return this.all<Simulation>("simulation")[0] ?? null;
  }

  get<P>(subject: string): Placed<P> | null {
    const feature = this.features.get(subject);
    return feature ? placed<P>(feature) : null;
  }

  private all<P>(kind: string): Placed<P>[] {
    const found: Placed<P>[] = [];
    for (const [subject, feature] of this.features) if (subjectKind(subject) === kind) found.push(placed<P>(feature));
    return found;
  }
}

export class Board extends BoardView {
  readonly features = new Map<string, Feature>();
  readonly positions = new Map<string, Position>();
  private readonly versions = new Map<string, number>();
  readonly store = createStore(() => ({ revision: 0 }));
  /** How often each kind of thing has changed: who shows incidents need not look up when a unit is said to be free. */
  private readonly turns = new Map<string, number>();
  private announceTimer: ReturnType<typeof setTimeout> | null = null;
  private readonly positionListeners = new Set<() => void>();

  /** The protocol, in three lines. Answers whether anything changed. */
  apply({ subject, version, feature }: Line): boolean {
    const held = this.versions.get(subject) ?? -1;
    if (held > version) return false;
    this.versions.set(subject, version);
    const changed = held !== version || this.features.has(subject) !== (feature !== null);
    if (feature) this.features.set(subject, feature);
    else this.features.delete(subject);
    if (changed) this.turned(subjectKind(subject));
    this.announce();
    return changed;
  }

  /** A snapshot replaces all. Answers how many subjects differ from what was held. */
  replace(features: Feature[]): number {
    let changes = 0;
    const incoming = new Set<string>();
    for (const { properties } of features) {
      incoming.add(properties.subject);
      if (this.versions.get(properties.subject) !== properties.version) changes += 1;
    }
    for (const subject of this.features.keys()) if (!incoming.has(subject)) changes += 1;
    this.features.clear();
    this.versions.clear();
    for (const feature of features) {
      this.features.set(feature.properties.subject, feature);
      this.versions.set(feature.properties.subject, feature.properties.version);
    }
    this.turned("");
    this.announce();
    return changes;
  }

  /** The positions lane: latest wins, no numbers. */
  move(units: PositionTuple[]): void {
    for (const [id, lon, lat, heading, speed, fixedAt] of units) {
      if ((this.positions.get(id)?.fixedAt ?? 0) <= fixedAt) this.positions.set(id, { lon, lat, heading, speed, fixedAt });
    }
    for (const listener of this.positionListeners) listener();
  }

  replacePositions(units: PositionTuple[]): void {
    this.positions.clear();
    this.move(units);
  }

  onMove(listener: () => void): () => void {
    this.positionListeners.add(listener);
    return () => this.positionListeners.delete(listener);
  }

  turnOf(...kinds: string[]): number {
    return kinds.reduce((sum, kind) => sum + (this.turns.get(kind) ?? 0), this.turns.get("") ?? 0);
  }

  private turned(kind: string): void {
    this.turns.set(kind, (this.turns.get(kind) ?? 0) + 1);
  }

  private announce(): void {
    this.announceTimer ??= setTimeout(() => {
      this.announceTimer = null;
      this.store.setState(({ revision }) => ({ revision: revision + 1 }));
    }, 40);
  }
}

const flat = new WeakMap<Feature, object>();

/** Properties with their place beside them; the same object for the same feature, so that React can compare by identity. */
function placed<P>(feature: Feature): Placed<P> {
  let found = flat.get(feature);
  if (!found) {
    const { properties } = feature as { properties: object };
    found = { assignments: [], stamps: {}, ...properties, at: feature.geometry && middleOf(feature.geometry), shape: feature.geometry };
    flat.set(feature, found);
  }
  return found as Placed<P>;
}
