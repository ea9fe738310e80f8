import { describe, expect, it } from "vitest";
import { Board } from "./board";
import { metresBetween } from "./format";
import { inForce, nextTurn, toCome, untilAt } from "./closures";
import { closureFeatures } from "./map/closures";
import { areaIn, around, middleOf, polygonsOf } from "./shapes";
import type { Closure, Feature } from "./wire";

const NOW = Date.parse("2026-11-25T22:30:00Z"); // 19:30 in the city
const iso = (minutes: number) => new Date(NOW + minutes * 60_000).toISOString();
const closure = (id: string, values: Partial<Closure> = {}): Closure => ({
  subject: `closure:${id}`, id, version: 1, kind: "works", reason: "caño", passable_by: [], valid_from: iso(-10), valid_until: null, lifted_at: null, drawn_by: "M", ...values,
});
const LINE: GeoJSON.LineString = { type: "LineString", coordinates: [[-60.7, -33], [-60.7, -32.9], [-60.6, -32.9]] };
const SQUARE: GeoJSON.Polygon = { type: "Polygon", coordinates: [[[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]]] };

describe("closures", () => {
  it("are judged by the clock, to the millisecond", () => {
    const short = closure("a", { valid_from: iso(0), valid_until: iso(5) });
    expect([-1, 0, 299_999, 300_000].map((after) => inForce(short, NOW + after))).toEqual([false, true, true, false]);
    expect([-1, 0].map((after) => toCome(short, NOW + after))).toEqual([true, false]);
    expect(inForce(closure("b", { lifted_at: iso(-1) }), NOW)).toBe(false);
  });

  it("tell when time will change the map next", () => {
    expect(nextTurn([closure("a"), closure("b", { valid_until: iso(7) }), closure("c", { valid_from: iso(3), valid_until: iso(9) })], NOW)).toBe(NOW + 180_000);
    expect(nextTurn([closure("a")], NOW)).toBeNull();
  });

  it("lie on the board with their whole shape, and are drawn only while in force", () => {
    const board = new Board();
    const feature = (each: Closure): Feature<Closure> => ({ type: "Feature", geometry: LINE, properties: each });
    board.replace([feature(closure("a")), feature(closure("b", { valid_until: iso(1) })), feature(closure("c", { valid_from: iso(1) }))]);
    expect(board.closures()).toHaveLength(3);
    expect(board.get<Closure>("closure:a")?.shape).toEqual(LINE);
    const drawn = (at: number) => closureFeatures(board.closures(), at).map(({ properties }) => properties?.subject as string);
    expect(drawn(NOW)).toEqual(["closure:a", "closure:b"]);
    expect(drawn(NOW + 60_000)).toEqual(["closure:a", "closure:c"]);
  });

  it("end when people say: the next six in the morning is never within the hour", () => {
    expect(new Date(untilAt("morning", NOW) ?? 0).toISOString()).toBe("2026-11-26T09:00:00.000Z");
    expect(new Date(untilAt("morning", Date.parse("2026-11-26T08:30:00Z")) ?? 0).toISOString()).toBe("2026-11-27T09:00:00.000Z");
    expect(new Date(untilAt("morning", Date.parse("2026-11-26T05:00:00Z")) ?? 0).toISOString()).toBe("2026-11-26T09:00:00.000Z");
    expect(untilAt("open", NOW)).toBeNull();
    expect(untilAt("four", NOW)).toBe(NOW + 4 * 3_600_000);
  });
});

describe("shapes", () => {
  it("have a middle that lies on the line", () => {
    expect(middleOf(LINE)).toEqual([-60.7, -32.9]);
    expect(middleOf(SQUARE)).toEqual([1, 1]);
    expect(middleOf({ type: "Point", coordinates: [1, 2] })).toEqual([1, 2]);
  });

  it("stand around a place as a closed ring, each corner as far as the others", () => {
    const [ring = []] = around([-60.66, -32.95], 25).coordinates;
    expect(ring).toHaveLength(17);
    expect(ring.at(-1)).toEqual(ring[0]);
    for (const corner of ring) expect(metresBetween([-60.66, -32.95], corner as [number, number])).toBeCloseTo(25, 0);
  });

  it("come out of a file as one area, or not at all", () => {
    const both = { type: "FeatureCollection", features: [{ type: "Feature", properties: {}, geometry: SQUARE }, { type: "Feature", properties: {}, geometry: LINE }] };
    expect(areaIn(JSON.stringify(both))).toEqual({ type: "MultiPolygon", coordinates: [SQUARE.coordinates] });
    expect(polygonsOf(areaIn(JSON.stringify({ type: "Feature", properties: {}, geometry: SQUARE })))).toEqual([SQUARE]);
    for (const bad of ["", "[", "null", "{}", JSON.stringify(LINE), '{"type":"FeatureCollection"}']) expect(areaIn(bad), bad).toBeNull();
  });
});
