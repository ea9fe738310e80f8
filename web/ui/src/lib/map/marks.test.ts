import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gather, GATHERED_BELOW, Room, type Mark } from "./marks";

const mark = (over: Partial<Mark> = {}): Mark => ({ subject: "incident:1", kind: "incident", at: [0, 0], icon: "i:3:open", label: "", rank: 12, level: 3, ...over });

describe("gathering", () => {
  const near = [mark({ subject: "a" }), mark({ subject: "b", level: 4 }), mark({ subject: "c", level: 1 }), mark({ subject: "d", level: 2 }), mark({ subject: "e", ring: "#fff" })].map((each, i) => ({ mark: each, x: 10 + i, y: 10 }));

  it("puts lesser incidents behind one sign on a small map, and never a P1, a P2 or one that nobody has", () => {
    const { alone, groups } = gather(near, GATHERED_BELOW - 1);
    expect(groups.map(({ marks }) => marks.map(({ subject }) => subject))).toEqual([["a", "b"]]);
    expect(alone.map(({ mark: { subject } }) => subject)).toEqual(["c", "d", "e"]);
  });
  it("shows each by itself on a large one", () => {
    expect(gather(near, GATHERED_BELOW).alone).toHaveLength(5);
  });
  it("loses none", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ x: fc.integer({ min: -50, max: 2000 }), y: fc.integer({ min: -50, max: 1100 }), level: fc.constantFrom(1, 2, 3, 4) as fc.Arbitrary<1 | 2 | 3 | 4> }), { maxLength: 300 }), fc.double({ min: 5, max: 18, noNaN: true }), (all, zoom) => {
        const placed = all.map(({ x, y, level }, i) => ({ mark: mark({ subject: String(i), level }), x, y }));
        const { alone, groups } = gather(placed, zoom);
        const shown = [...alone.map(({ mark: { subject } }) => subject), ...groups.flatMap(({ marks }) => marks.map(({ subject }) => subject))];
        expect(shown.sort()).toEqual(all.map((_, i) => String(i)).sort());
        expect(groups.every(({ marks }) => marks.length > 1)).toBe(true);
      }),
    );
  });
});

describe("room for words", () => {
  it("never lets two overlap, and refuses nobody without a reason", () => {
    const box = fc.record({ left: fc.integer({ min: -100, max: 600 }), top: fc.integer({ min: -100, max: 600 }), wide: fc.integer({ min: 1, max: 200 }), high: fc.integer({ min: 1, max: 40 }) }).map(({ left, top, wide, high }) => ({ left, top, right: left + wide, bottom: top + high }));
    fc.assert(
      fc.property(fc.array(box, { maxLength: 80 }), (boxes) => {
        const room = new Room();
        const kept: typeof boxes = [];
        for (const one of boxes) {
          const overlaps = kept.some((other) => one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom);
          expect(room.take(one)).toBe(!overlaps);
          if (!overlaps) kept.push(one);
        }
      }),
    );
  });
});
