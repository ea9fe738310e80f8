import { describe, expect, it } from "vitest";
import type { TrackPoint, UnitTrack } from "../lib/wire";
import { dayOf, gapAt, indexAt, momentOf, pieces, spanOf, speeds, startOf } from "./replay";

const point = (at: number, speed: number | null = 30, lon = -60.65 + at / 1e6): TrackPoint => [lon, -32.95, 90, speed, at, 0];
const track = (more: Partial<UnitTrack> = {}): UnitTrack => ({
  since: "", until: "", points: [point(1000), point(2000), point(3000, 0), point(900_000)], doubtful: [], gaps: [[3000, 900_000]],
  stops: [{ lon: 0, lat: 0, since: 2500, until: 3000 }], metres: 0,
  assignments: [{ id: "a", incident_id: "i", incident_code: "2026-000001", since: 1500, until: 2500 }], ...more,
});

describe("a track played again", () => {
  it("shows the last that was known and never what came after", () => {
    const { points } = track();
    expect([999, 1000, 1999, 2000, 1e9].map((at) => indexAt(points, at))).toEqual([-1, 0, 0, 1, 3]);
    expect(indexAt([], 5)).toBe(-1);
  });
  it("says where nothing is known", () => {
    expect(gapAt(track().gaps, 3000)).toBeNull();
    expect(gapAt(track().gaps, 3001)).toEqual([3000, 900_000]);
    expect(momentOf(track(), 60_000)).toMatchObject({ age: 57_000, stands: true, gap: [3000, 900_000] });
    expect(momentOf(track(), 1600).sent.map(({ incident_code }) => incident_code)).toEqual(["2026-000001"]);
    expect(momentOf(track(), 0).point).toBeNull();
  });
  it("draws no line through silence", () => {
    const { points, gaps } = track({ points: [point(1000), point(2000), point(900_000), point(901_000)], gaps: [[2000, 900_000]] });
    expect(pieces(points, gaps).map((piece) => piece.length)).toEqual([2, 2]);
  });
  it("graphs the fastest of each part, and nothing where nothing is known", () => {
    expect(speeds([point(0, 10), point(5, 50), point(90, null)], 0, 100, 10)).toEqual([50, 50, 50, 50, 50, 50, 50, 50, 50, 0]);
    expect(speeds([point(0, 10), point(900_000, 20)], 0, 1_000_000, 10)).toEqual([10, null, null, null, null, null, null, null, null, 20]);
  });
  it("shows the part of the day in which it told something", () => {
    const [since, until] = ["2026-11-26T03:00:00Z", "2026-11-27T03:00:00Z"];
    const [day, nine] = [Date.parse(since), Date.parse("2026-11-26T12:00:00Z")];
    expect(spanOf(track({ since, until, points: [point(nine), point(nine + 60_000)] }))).toEqual([nine - 300_000, nine + 360_000]);
    expect(spanOf(track({ since, until, points: [point(day + 1000)] }))).toEqual([day, day + 301_000]);
    expect(spanOf(track({ since, until, points: [] }))).toEqual([day, Date.parse(until)]);
  });
  it("knows the city's day", () => {
    expect(dayOf(Date.parse("2026-11-26T01:30:00Z"))).toBe("2026-11-25");
    expect(startOf("2026-11-26")).toBe(Date.parse("2026-11-26T03:00:00Z"));
  });
});
