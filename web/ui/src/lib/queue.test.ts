import { describe, expect, it } from "vitest";
import type { Placed } from "./board";
import { metresBetween } from "./format";
import {
  candidates, frozenOrder, inOrder, isOverdue, isUnacknowledged, matches, nextUnheard, pillOf, positionOld, signalLost,
} from "./queue";
import type { Incident, Unit, UnitStatus } from "./wire";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const iso = (minutesAgo: number) => new Date(NOW - minutesAgo * 60_000).toISOString();

let count = 0;
function incident(values: Partial<Incident>): Incident {
  count += 1;
  return {
    subject: `incident:${count}`, id: String(count), version: 1, code: "", masked: false, type_code: "", type_name: "", priority: 3, sensitivity: 0, alarm_level: 1, tasks: null,
    state: "classified", place: null, zone: null, summary: null, reports: 1, assignments: [], opened_at: iso(5), stamps: {}, due_at: null,
    disposition: null, closed_at: null, shared_with: [], ...values,
  };
}
const assigned = (status: Incident["assignments"][number]["status"]) => [
  {
    id: "a", unit_id: "u", call_sign: "M1", status, since: iso(1), exclusive: true, acknowledge_by: null, check_in_due_at: null, staging: null, need: null,
    overridden: false, made_at: iso(1), made_by: "",
  },
];

describe("the next P1 that nobody has", () => {
  it("goes round those that wait, and passes over the rest", () => {
    const [first, second] = [incident({ priority: 1 }), incident({ priority: 1 })];
    const all = [first, incident({ priority: 2 }), incident({ priority: 1, state: "on_scene" }), second, incident({ priority: 1, masked: true })];
    expect(nextUnheard(all, null)).toBe(first);
    expect(nextUnheard(all, first.subject)).toBe(second);
    expect(nextUnheard(all, second.subject)).toBe(first);
    expect(nextUnheard(all, "unit:x")).toBe(first);
    expect(nextUnheard([all[1] ?? first], null)).toBeNull();
  });
});

describe("order of the queue", () => {
  it("is unacknowledged P1, overdue, priority, age, over", () => {
    const over = incident({ priority: 1, state: "closed", code: "over" });
    const p3old = incident({ priority: 3, opened_at: iso(50), code: "p3 old" });
    const p3new = incident({ priority: 3, opened_at: iso(1), code: "p3 new" });
    const p1going = incident({ priority: 1, state: "en_route", assignments: assigned("en_route"), code: "p1 answered" });
    const p4late = incident({ priority: 4, due_at: iso(1), code: "p4 late" });
    const p2late = incident({ priority: 2, due_at: iso(3), code: "p2 late" });
    const p1new = incident({ priority: 1, opened_at: iso(1), code: "p1 new" });
    const p1older = incident({ priority: 1, opened_at: iso(2), state: "dispatched", assignments: assigned("assigned"), code: "p1 sent, no ack" });
    const sorted = inOrder([over, p3old, p3new, p1going, p4late, p2late, p1new, p1older], NOW).map(({ code }) => code);
    expect(sorted).toEqual(["p1 sent, no ack", "p1 new", "p2 late", "p4 late", "p1 answered", "p3 old", "p3 new", "over"]);
  });

  it("knows who is unheard and what is late", () => {
    expect(isUnacknowledged(incident({}))).toBe(true);
    expect(isUnacknowledged(incident({ state: "dispatched", assignments: assigned("acknowledged") }))).toBe(false);
    expect(isUnacknowledged(incident({ state: "waiting" }))).toBe(false);
    expect(isUnacknowledged(incident({ state: "waiting", priority: 1 }))).toBe(true);
    expect(isUnacknowledged(incident({ state: "cancelled" }))).toBe(false);
    expect(isOverdue(incident({ due_at: iso(-1) }), NOW)).toBe(false);
    expect(isOverdue(incident({ due_at: iso(1), state: "closed" }), NOW)).toBe(false);
  });

  it("stands still while somebody points: newcomers wait, the gone keep their place", () => {
    expect(frozenOrder(null, ["b", "a"])).toEqual({ shown: ["b", "a"], held: [] });
    expect(frozenOrder(["a", "b", "c"], ["d", "c", "a", "e"])).toEqual({ shown: ["a", "b", "c"], held: ["d", "e"] });
  });
});

describe("units", () => {
  const unit = (call_sign: string, kind: string, status: UnitStatus = "available"): Placed<Unit> => ({
    subject: `unit:${call_sign}`, id: call_sign, version: 1, call_sign, kind, organization: "", organization_id: "", capabilities: [kind === "patrol" ? "GUM" : "TRA"], status,
    status_since: iso(1), assignment_id: null, incident_id: null, incident_code: null, base: null, base_id: null, home_zone: "", home_zone_id: null, amounts: {}, notes: null, at: null, shape: null,
  });

  it("offers the free ones, those of the run card first, the nearest first, without a position last", () => {
    const positions = new Map([
      ["M2", { lon: 0, lat: 0.02, fixedAt: NOW }], ["M10", { lon: 0, lat: 0.01, fixedAt: NOW }], ["T1", { lon: 0, lat: 0.001, fixedAt: NOW }],
      ["M3", { lon: 0, lat: 0, fixedAt: NOW }],
    ]);
    const units = [unit("M2", "patrol"), unit("M10", "patrol"), unit("T1", "traffic"), unit("M3", "patrol", "en_route"), unit("M1", "patrol")];
    const found = candidates(units, [0, 0], positions, ["AMB", "GUM"], metresBetween);
    expect(found.map((each) => each.unit.call_sign)).toEqual(["M10", "M2", "M1", "T1"]);
    expect(found[0]?.metres).toBeCloseTo(1112, -1);
  });

  it("has a letter and a fill for every status, and doubts old positions", () => {
    expect(pillOf("en_route")).toEqual({ letter: "C", fill: "half", hue: "tarea" });
    expect(pillOf("from_the_future" as UnitStatus).letter).toBe("?");
    expect(signalLost(unit("M1", "patrol"), NOW - 299_000, NOW)).toBe(false);
    expect(signalLost(unit("M1", "patrol"), NOW - 300_000, NOW)).toBe(true);
    expect(signalLost(unit("M1", "patrol"), undefined, NOW)).toBe(false);
    expect(signalLost(unit("M1", "patrol", "on_scene"), undefined, NOW)).toBe(false);
    expect(signalLost(unit("M1", "patrol", "on_scene"), NOW - 900_000, NOW)).toBe(false);
    expect(positionOld(unit("M1", "patrol", "on_scene"), NOW - 900_000, NOW)).toBe(true);
    expect(signalLost(unit("M1", "patrol", "out_of_service"), NOW - 900_000, NOW)).toBe(false);
  });

  it("finds without accents", () => {
    expect(matches("transito m1", "M12", "Tránsito")).toBe(true);
    expect(matches("xyz", "M12")).toBe(false);
  });
});
