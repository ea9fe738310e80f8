import { describe, expect, it } from "vitest";
import { arrangementFrom, BLANK, layoutOf, LAYOUTS, sizesFrom, sizesKey, tracksOf } from "./layout";

describe("the desk's layouts", () => {
  it("fill the width, with the map and without", () => {
    for (const layout of LAYOUTS)
      for (const apart of [false, true]) {
        const tracks = tracksOf(layout, apart);
        expect(tracks.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(100);
        expect(tracks.some(({ part }) => part === "map")).toBe(!apart);
        expect(tracks.map(({ part }) => part)).toEqual(expect.arrayContaining(["queue", "card"]));
      }
  });

  it("fit the smallest desk: nobody's least is more than a screen of 1366", () => {
    for (const layout of LAYOUTS) expect(tracksOf(layout, false).reduce((sum, { least }) => sum + least, 0)).toBeLessThan(1366);
  });

  it("begin as the role works", () => {
    expect([layoutOf("call_taker"), layoutOf("dispatcher"), layoutOf("supervisor"), layoutOf("administrator")]).toEqual(["intake", "dispatch", "supervision", "dispatch"]);
  });
});

describe("what was kept of a desk", () => {
  it("comes back as it was", () => {
    const kept = { layout: "intake" as const, foot: false, sizes: { [sizesKey("dispatch", true)]: { queue: 40, card: 60 } } };
    expect(arrangementFrom(JSON.parse(JSON.stringify(kept)))).toEqual(kept);
  });

  it("is believed only as far as it makes sense", () => {
    expect(arrangementFrom(null)).toEqual(BLANK);
    expect(arrangementFrom("intake")).toEqual(BLANK);
    expect(arrangementFrom({ layout: "sideways", foot: 0, sizes: { dispatch: { queue: 40, map: 10, card: 10 }, nonsense: {} } })).toEqual({ ...BLANK, foot: true });
    expect(sizesFrom({ queue: 50, card: -50 }, tracksOf("dispatch", true))).toBeNull();
    expect(sizesFrom({ queue: 30, map: 40, card: 30, more: 1 }, tracksOf("dispatch", false))).toEqual({ queue: 30, map: 40, card: 30 });
  });
});
