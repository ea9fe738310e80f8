import { describe, expect, it } from "vitest";
import { dropStop, findCluster, foldIncidents, foldReports, isGroup, mayStandBehind, moveStop, progress, type Draft } from "./storm";
import type { Circuit, Incident, IncidentCluster, Level, Report, ReportCluster, StopState } from "./wire";

const head = { type_code: "SIN-04", type_name: "", count: 0, place: null, zone: null, at: [0, 0] as [number, number], since: "", until: "" };
const ofReports = (...report_ids: string[]): ReportCluster => ({ ...head, report_ids, words: "" });
const ofIncidents = (...incident_ids: string[]): IncidentCluster => ({ ...head, incident_ids });

const report = (id: string, type_hint: string | null = "SIN-04"): Report => ({
  subject: `report:${id}`, id, version: 1, channel: "phone", words: id, place: null, type_hint, status: "received", incident_id: null, received_at: "", zone: null, has_contact: false,
});
const incident = (id: string, values: Partial<Incident> = {}): Incident => ({
  subject: `incident:${id}`, id, version: 1, code: id, masked: false, type_code: "SIN-04", type_name: "", priority: 3, sensitivity: 0, alarm_level: 1, tasks: null, state: "classified",
  place: null, zone: null, summary: null, reports: 1, assignments: [], opened_at: "", stamps: {}, due_at: null, disposition: null, closed_at: null, shared_with: [], ...values,
});
const PRIORITIES: Record<string, Level> = { "SIN-04": 3, "INC-01": 1, "MET-01": 2 };
const priorityOf = (type: string | null): Level | undefined => PRIORITIES[type ?? ""];
const shown = (rows: { subject: string; members?: { id: string }[] }[]): string[] => rows.map((row) => (row.members ? `${row.subject}=${row.members.map(({ id }) => id).join("+")}` : row.subject));

describe("reports in a storm", () => {
  it("stand behind one line where the oldest of them stood", () => {
    const rows = foldReports([report("a"), report("b"), report("c"), report("d")], { reports: [ofReports("b", "d"), ofReports("a")], incidents: [] }, priorityOf);
    expect(shown(rows)).toEqual(["report:a", "cluster:report:b=b+d", "report:c"]);
    expect(rows.map((row) => isGroup(row))).toEqual([false, true, false]);
  });

  it("that may be a P1 stand first, each alone, whatever cluster the server puts them in; trees are grouped", () => {
    const all = [report("a", "MET-01"), report("b", "MET-01"), report("fire", "INC-01"), report("smoke", "INC-01")];
    const rows = foldReports(all, { reports: [ofReports("a", "b"), ofReports("fire", "smoke")], incidents: [] }, priorityOf);
    expect(shown(rows)).toEqual(["report:fire", "report:smoke", "cluster:report:a=a+b"]);
  });

  it("that somebody handled leave their line at once; new ones stand alone until they are looked at", () => {
    const clusters = { reports: [ofReports("a", "b", "c")], incidents: [] };
    expect(shown(foldReports([report("b"), report("new"), report("c")], clusters, priorityOf))).toEqual(["cluster:report:a=b+c", "report:new"]);
    expect(shown(foldReports([report("new")], clusters, priorityOf))).toEqual(["report:new"]);
  });

  it("are all there when nobody says what belongs together", () => {
    expect(shown(foldReports([report("a"), report("b")], undefined, priorityOf))).toEqual(["report:a", "report:b"]);
  });
});

describe("incidents in a storm", () => {
  it("stand together only when they are low, unanswered and seen", () => {
    const busy = incident("busy", { assignments: [{} as Incident["assignments"][number]] });
    expect([incident("a"), incident("b", { priority: 4, state: "waiting" })].map(mayStandBehind)).toEqual([true, true]);
    expect([incident("p1", { priority: 1 }), incident("p2", { priority: 2 }), busy, incident("m", { masked: true }), incident("o", { state: "closed" })].map(mayStandBehind)).toEqual([false, false, false, false, false]);
    const all = [incident("p1", { priority: 1 }), incident("a"), busy, incident("b")];
    expect(shown(foldIncidents(all, { reports: [], incidents: [ofIncidents("a", "b")] }, new Set(["b"])))).toEqual(["incident:p1", "cluster:incident:a=a", "incident:busy", "incident:b"]);
    expect(shown(foldIncidents(all, { reports: [], incidents: [ofIncidents("p1", "a", "busy", "b")] }))).toEqual(["incident:p1", "cluster:incident:p1=a+b", "incident:busy"]);
  });
});

describe("a cluster that is open", () => {
  it("is found again when its oldest was handled by somebody else", () => {
    const now = [ofReports("x"), ofReports("b", "c", "d")];
    expect(findCluster(now, ({ report_ids }) => report_ids, ["a", "b", "c"])).toBe(now[1]);
    expect(findCluster(now, ({ report_ids }) => report_ids, ["a"])).toBeNull();
  });
});

describe("a circuit", () => {
  const going = (...states: StopState[]): Circuit => ({
    subject: "circuit:1", id: "1", version: 1, unit_id: "u", call_sign: "T1", given_at: "", given_by: "",
    stops: states.map((state) => ({ state, reason: "", since: "", incident_id: null, code: null, type_name: null, place: null, at: null })),
  });

  it("says which stop it is at, and between two how many are behind", () => {
    expect(progress(going("done", "skipped", "at_hand", "pending"))).toEqual([3, 4]);
    expect(progress(going("done", "pending", "pending"))).toEqual([1, 3]);
  });

  const draft: Draft = {
    id: "1", unit_id: "u", call_sign: "T1", kind: "trees", seconds: 900, metres: 4000,
    stops: ["a", "b", "c"].map((code, n) => ({ incident_id: code, code, type_name: "", priority: 3, place: "", zone: null, at: [0, 0], opened_at: "", arrives: (n + 1) * 300 })),
  };
  const stops = (of: Draft) => of.stops.map(({ code, arrives }) => `${code} ${arrives ?? "?"}`);

  it("keeps only the arrivals that are still true when its order is changed, and is another one to give", () => {
    expect(stops(moveStop(draft, 2, -1, "2"))).toEqual(["a 300", "c ?", "b ?"]);
    expect(moveStop(draft, 2, -1, "2").id).toBe("2");
    expect(stops(dropStop(draft, 1, "3"))).toEqual(["a 300", "c ?"]);
    expect(moveStop(draft, 0, -1, "4")).toBe(draft);
  });
});
