/**
 * What the screen shows: the present, or a past board that somebody looks at. One object for all who show anything, so that nobody need know
 * which of the two it is; the present goes on underneath and is there at once when one comes back to it.
 */
import { createStore } from "zustand/vanilla";
import { BoardView, type Board, type Position } from "./board";
import type { Feature } from "./wire";

export class ShownBoard extends BoardView {
  readonly store = createStore(() => ({ revision: 0 }));
  private source: Board;
  private readonly listeners = new Set<() => void>();
  private leave: () => void;
  /** What was counted of boards that are not shown any more: a turn never comes twice. */
  private turns = 0;

  constructor(private readonly present: Board) {
    super();
    this.source = present;
    this.leave = this.follow(present);
  }

  get features(): ReadonlyMap<string, Feature> {
    return this.source.features;
  }

  get positions(): ReadonlyMap<string, Position> {
    return this.source.positions;
  }

  get isPast(): boolean {
    return this.source !== this.present;
  }

  /** Show another board; null is the present. */
  show(past: Board | null): void {
    const next = past ?? this.present;
    if (next === this.source) return;
    this.leave();
    this.source = next;
    this.turns += 1_000_000_000;
    this.leave = this.follow(next);
    this.announce();
    this.moved();
  }

  onMove(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  turnOf(...kinds: string[]): number {
    return this.turns + this.source.turnOf(...kinds);
  }

  private follow(board: Board): () => void {
    const leaves = [board.store.subscribe(() => this.announce()), board.onMove(() => this.moved())];
    return () => {
      for (const leave of leaves) leave();
    };
  }

  private announce(): void {
    this.store.setState(({ revision }) => ({ revision: revision + 1 }));
  }

  private moved(): void {
    for (const listener of this.listeners) listener();
  }
}
