import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Board } from "./board";
import type { Feature, Line } from "./wire";

const SUBJECTS = ["incident:a", "incident:b", "report:c", "unit:d"];

const feature = (subject: string, version: number): Feature => ({ type: "Feature", geometry: null, properties: { subject, id: subject, version } });

/** A history as the server tells it: each subject's versions grow, a feature or a drop. */
const history = fc.array(fc.record({ subject: fc.constantFrom(...SUBJECTS), drop: fc.boolean() }), { maxLength: 60 }).map((steps) => {
  const versions = new Map<string, number>();
  return steps.map(({ subject, drop }, index): Line => {
    const version = (versions.get(subject) ?? 0) + 1;
    versions.set(subject, version);
    return { seq: index + 1, subject, version, feature: drop ? null : feature(subject, version) };
  });
});

const truth = (lines: Line[]): Feature[] => {
  const held = new Map<string, Feature | null>();
  for (const { subject, feature: whole } of lines) held.set(subject, whole);
  return [...held.values()].filter((whole): whole is Feature => whole !== null);
};

const shown = (board: Board): string[] => [...board.features.values()].map(({ properties }) => `${properties.subject}@${properties.version}`).sort();
const listed = (features: Feature[]): string[] => features.map(({ properties }) => `${properties.subject}@${properties.version}`).sort();

describe("the board", () => {
  it("ends at the server's truth whatever was repeated, reordered or cut off and resumed", () => {
    fc.assert(
      fc.property(history, fc.nat(), fc.array(fc.nat(), { maxLength: 80 }), (lines, cut, noise) => {
        const board = new Board();
        const at = lines.length === 0 ? 0 : cut % (lines.length + 1);
        board.replace(truth(lines.slice(0, at)));
        // Until the cut, old lines may come again in any order.
        const after = lines.slice(at);
        for (const pick of noise) {
          const line = after[pick % Math.max(1, after.length)];
          if (line) board.apply(line);
        }
        for (const line of after) board.apply(line);
        for (const pick of noise) {
          const line = after[pick % Math.max(1, after.length)];
          if (line) board.apply(line);
        }
        expect(shown(board)).toEqual(listed(truth(lines)));
      }),
    );
  });

  it("says whether a line changed anything", () => {
    const board = new Board();
    expect(board.apply({ seq: 1, subject: "incident:a", version: 1, feature: feature("incident:a", 1) })).toBe(true);
    expect(board.apply({ seq: 1, subject: "incident:a", version: 1, feature: feature("incident:a", 1) })).toBe(false);
    expect(board.apply({ seq: 2, subject: "incident:a", version: 1, feature: null })).toBe(true);
  });

  it("keeps the latest position of each unit", () => {
    const board = new Board();
    board.move([["u", 1, 1, null, null, 200]]);
    board.move([["u", 9, 9, null, null, 100]]);
    expect(board.positions.get("u")).toMatchObject({ lon: 1, fixedAt: 200 });
  });
});

describe("turns of the board", () => {
  it("move for the kinds that changed, and for all with a snapshot", () => {
    const board = new Board();
    board.replace([feature("incident:a", 1)]);
    const [incidents, units] = [board.turnOf("incident", "sos"), board.turnOf("unit")];
    board.apply({ seq: 1, subject: "unit:d", version: 1, feature: feature("unit:d", 1) });
    expect(board.turnOf("incident", "sos")).toBe(incidents);
    expect(board.turnOf("unit")).not.toBe(units);
    board.apply({ seq: 2, subject: "incident:a", version: 2, feature: null });
    expect(board.turnOf("incident", "sos")).not.toBe(incidents);
    const last = board.turnOf("report");
    board.apply({ seq: 2, subject: "incident:a", version: 2, feature: null });
    board.move([["d", 1, 2, null, null, 3]]);
    expect(board.turnOf("report")).toBe(last);
    board.replace([]);
    expect(board.turnOf("report")).not.toBe(last);
  });
});
