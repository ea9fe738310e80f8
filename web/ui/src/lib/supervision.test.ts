import { describe, expect, it } from "vitest";
import { acknowledgedIn, byDesk, byHandler, escalated, lateIncidents, lateUnits, loads, waitingReports } from "./supervision";
import type { Alarm, Catalogue, Incident, Report, Unit } from "./wire";

const NOW = Date.parse("2026-11-27T03:00:00Z");
const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();
const incident = (id: string, more: Partial<Incident>): Incident =>
  ({ id, code: id, masked: false, state: "classified", priority: 2, type_name: "Incendio", place: "Mitre 800", desk: null, opened_at: ago(30), due_at: null, assignments: [], ...more }) as Incident;
const sent = (unit: string, status: string, seconds: number) => [{ id: `a-${unit}`, unit_id: unit, call_sign: unit, status, since: ago(seconds), exclusive: true }] as Incident["assignments"];
const priorities = [{ level: 2, name: "Alta", processing_seconds: 120, acknowledge_seconds: 90, response_seconds: 900 }] as Catalogue["priorities"];

describe("who is late", () => {
  it("says of each incident the target of where it stands, the latest first", () => {
    const late = lateIncidents(
      [
        incident("in time", { opened_at: ago(119) }),
        incident("not sent", { opened_at: ago(180) }),
        incident("not heard", { state: "dispatched", opened_at: ago(400), assignments: sent("m1", "assigned", 100) }),
        incident("not reached", { state: "en_route", opened_at: ago(1000), due_at: ago(100), assignments: sent("m2", "en_route", 900) }),
        incident("over", { state: "closed", opened_at: ago(9000) }),
        incident("hidden", { masked: true, opened_at: ago(9000) }),
      ],
      priorities,
      NOW,
    );
    expect(late.map(({ id, status, over }) => [id, status, over / 1000])).toEqual([["not reached", "reach", 100], ["not sent", "send", 60], ["not heard", "acknowledge", 10]]);
  });

  it("says of units what lasts longer than it may, and of the rest nothing", () => {
    const fire = incident("fire", { assignments: [...sent("m1", "assigned", 121), ...sent("m2", "en_route", 60)] });
    const units = [{ id: "m1", call_sign: "M1", status: "assigned", incident_id: "fire" }, { id: "m2", call_sign: "M2", status: "en_route", incident_id: "fire" }, { id: "m3", call_sign: "M3", status: "available", incident_id: null }] as Unit[];
    expect(lateUnits(units, new Map([["fire", fire]]), NOW).map(({ name, over }) => [name, over])).toEqual([["M1", 1000]]);
  });
});

it("adds up what each desk has, and never counts what is masked", () => {
  const found = loads([incident("a", { desk: "Norte" }), incident("b", { desk: "Norte", due_at: ago(1) }), incident("c", {}), incident("d", { desk: "Sur", masked: true })], NOW, byDesk);
  expect(found).toEqual([{ whose: "Norte", open: 2, unheard: 2, late: 1 }, { whose: null, open: 1, unheard: 1, late: 0 }]);
});

it("adds up what each dispatcher handles, and what nobody does", () => {
  const ana = { id: "1", name: "Ana" };
  const found = loads([incident("a", { handler: ana }), incident("b", {}), incident("c", { handler: ana }), incident("d", { handler: ana, state: "closed" })], NOW, byHandler);
  expect(found.map(({ whose, open }) => [whose, open])).toEqual([["Ana", 2], [null, 1]]);
});

it("says how long acknowledging takes, by the one in the middle of the last hour", () => {
  const heard = (id: string, seconds: number, before = 60): Incident => incident(id, { stamps: { T5: ago(before + seconds), T7: ago(before) } });
  expect(acknowledgedIn([heard("a", 10), heard("b", 90), heard("c", 30), heard("old", 1, 4000), incident("none", { stamps: {} })], NOW)).toBe(30_000);
  expect(acknowledgedIn([], NOW)).toBeNull();
});

it("puts the longest wait and the highest alarm first", () => {
  const reports = [{ id: "new", status: "received", received_at: ago(5) }, { id: "old", status: "received", received_at: ago(500) }, { id: "done", status: "accepted", received_at: ago(900) }] as Report[];
  expect(waitingReports(reports).map(({ id }) => id)).toEqual(["old", "new"]);
  const alarms = [{ id: "1", state: "raised", level: 0 }, { id: "2", state: "raised", level: 1, raised_at: ago(1) }, { id: "3", state: "answered", level: 3 }, { id: "4", state: "raised", level: 2, raised_at: ago(1) }] as Alarm[];
  expect(escalated(alarms).map(({ id }) => id)).toEqual(["4", "2"]);
});
