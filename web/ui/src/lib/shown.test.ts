import { describe, expect, it } from "vitest";
import { Board } from "./board";
import { ShownBoard } from "./shown";
import type { Feature } from "./wire";

const unit = (id: string, version: number): Feature => ({ type: "Feature", geometry: null, properties: { subject: `unit:${id}`, id, version } });

describe("what the screen shows", () => {
  const stand = () => {
    const [present, past] = [new Board(), new Board()];
    present.replace([unit("now", 1)]);
    past.replace([unit("then", 1)]);
    return { present, past, shown: new ShownBoard(present) };
  };

  it("is the present until a past board is shown, and the present at once afterwards", () => {
    const { present, past, shown } = stand();
    expect([shown.isPast, shown.units().map(({ id }) => id)]).toEqual([false, ["now"]]);
    shown.show(past);
    expect([shown.isPast, shown.units().map(({ id }) => id)]).toEqual([true, ["then"]]);
    present.apply({ seq: 2, subject: "unit:new", version: 1, feature: unit("new", 1) });
    expect(shown.units()).toHaveLength(1);
    shown.show(null);
    expect([shown.isPast, shown.units().map(({ id }) => id)]).toEqual([false, ["now", "new"]]);
  });

  it("tells whoever follows it that another board is there, and of that board only", () => {
    const { present, past, shown } = stand();
    let [moves, revision] = [0, shown.store.getState().revision];
    shown.onMove(() => (moves += 1));
    const turn = shown.turnOf("unit");
    shown.show(past);
    expect(moves).toBe(1);
    expect(shown.store.getState().revision).toBeGreaterThan(revision);
    expect(shown.turnOf("unit")).not.toBe(turn);
    present.move([["now", 1, 1, null, null, 1]]);
    expect(moves).toBe(1);
    past.move([["then", 2, 2, null, null, 1]]);
    expect([moves, shown.positions.get("then")?.lon]).toEqual([2, 2]);
    revision = shown.store.getState().revision;
    shown.show(past);
    expect(shown.store.getState().revision).toBe(revision);
  });

  it("never counts the same turn twice", () => {
    const { past, shown } = stand();
    const turns = new Set([shown.turnOf("unit")]);
    for (const board of [past, null, past, null]) {
      shown.show(board);
      turns.add(shown.turnOf("unit"));
    }
    expect(turns.size).toBe(5);
  });
});
