import { describe, expect, it } from "vitest";
import type { Placed } from "./board";
import { farOf, minutes, nearness } from "./etas";
import { metresBetween } from "./format";
import { candidates } from "./queue";
import type { Eta, Unit } from "./wire";

const unit = (id: string, kind = "patrol"): Placed<Unit> => ({
  subject: `unit:${id}`, id, version: 1, call_sign: id, kind, organization: "", organization_id: "", capabilities: kind === "fire" ? ["BOM"] : [], status: "available", status_since: "",
  assignment_id: null, incident_id: null, incident_code: null, base: null, base_id: null, home_zone: "", home_zone_id: null, amounts: {}, notes: null, at: null, shape: null,
});
const eta = (id: string, values: Partial<Eta>): Eta => ({ unit_id: id, call_sign: id, seconds: null, metres: null, how: "road", why: null, position_age_s: 1, snap_m: 0, ...values });
const byRoad = (...etas: Eta[]) => new Map(etas.map((each) => [each.unit_id, each]));
const HERE: [number, number] = [-60.66, -32.95];
/** So many metres east of the incident. */
const away = (metres: number) => ({ lon: -60.66 + metres / 93_400, lat: -32.95, fixedAt: 0 });

describe("the order of candidates", () => {
  it("is by time by road, not by distance: a closure makes the nearest the last", () => {
    const positions = new Map([["A", away(500)], ["B", away(900)], ["C", away(700)]]);
    const units = [unit("A"), unit("B"), unit("C")];
    const order = (etas: Map<string, Eta>) => candidates(units, HERE, positions, [], metresBetween, etas).map(({ unit: { id } }) => id);
    expect(order(new Map())).toEqual(["A", "C", "B"]);
    expect(order(byRoad(eta("A", { seconds: 600 }), eta("B", { seconds: 90 }), eta("C", { seconds: 120 })))).toEqual(["B", "C", "A"]);
  });

  it("puts who has no way after all who have one, and who is nowhere last", () => {
    const positions = new Map([["A", away(100)], ["B", away(9_000)]]);
    const etas = byRoad(eta("A", { how: "unreachable" }), eta("B", { seconds: 3_000 }), eta("C", { how: "no_position" }));
    expect(candidates([unit("C"), unit("A"), unit("B")], HERE, positions, [], metresBetween, etas).map(({ unit: { id } }) => id)).toEqual(["B", "A", "C"]);
  });

  it("still asks the run card first", () => {
    const positions = new Map([["A", away(100)], ["B", away(5_000)]]);
    const etas = byRoad(eta("A", { seconds: 20 }), eta("B", { seconds: 700 }));
    expect(candidates([unit("A"), unit("B", "fire")], HERE, positions, ["BOM"], metresBetween, etas).map(({ unit: { id } }) => id)).toEqual(["B", "A"]);
  });

  it("compares a straight line with times by road as a slow drive", () => {
    expect(nearness({ eta: null, metres: 1_000 })).toBeCloseTo(180, 0);
    expect(nearness({ eta: eta("A", { how: "straight_line", metres: 1_000 }), metres: null })).toBeCloseTo(180, 0);
    expect(nearness({ eta: null, metres: null })).toBe(Infinity);
  });
});

describe("what is read", () => {
  it("is minutes and the way by road", () => {
    expect(farOf({ eta: eta("A", { seconds: 200, metres: 1_230 }), metres: 900 })).toEqual({ main: "4 min", note: "1,2 km", how: "road" });
    expect(farOf({ eta: eta("A", { seconds: 200, metres: 1_230, snap_m: 310 }), metres: 900 }).note).toBe("1,2 km +310 m a pie");
    expect([0, 1, 60, 61, 3_600].map(minutes)).toEqual(["1 min", "1 min", "1 min", "2 min", "60 min"]);
  });

  it("names whatever is not a way", () => {
    expect(farOf({ eta: eta("A", { how: "unreachable" }), metres: 900 })).toEqual({ main: "sin camino", note: "900 m en línea recta", how: "unreachable" });
    expect(farOf({ eta: eta("A", { how: "straight_line", metres: 1_500 }), metres: null })).toEqual({ main: "1,5 km", note: "en línea recta", how: "straight_line" });
    expect(farOf({ eta: null, metres: 900 })).toEqual({ main: "900 m", note: "en línea recta", how: "straight_line" });
    expect(farOf({ eta: eta("A", { how: "no_position" }), metres: null })).toEqual({ main: "sin posición", note: null, how: "no_position" });
  });
});
