import { describe, expect, it } from "vitest";
import { brightnessAt, inchesOf, letterFor, reloadDue, rotating, rowsThatFit, shiftAt, type Health, type WallView } from "./walls";

describe("letters that are read from the farthest seat", () => {
  it.each([
    [43, 3, 39, 49], [43, 5, 66, 82], [43, 8, 105, 131],
    [55, 3, 31, 39], [55, 5, 51, 64], [55, 8, 82, 103],
    [65, 3, 26, 33], [65, 5, 43, 54], [65, 8, 70, 87],
  ])("%i inches at %i metres", (inches, metres, small, urgent) => {
    expect(Math.round(letterFor(inches, metres, 16))).toBe(small);
    expect(Math.abs(letterFor(inches, metres, 20) - urgent)).toBeLessThan(1);
  });

  it("knows the panel from what somebody measures of its ruler", () => {
    expect(inchesOf(60.9)).toBeCloseTo(55, 0);
    expect(inchesOf(47.6)).toBeCloseTo(43, 0);
  });

  it("shows as many rows as fit, eight at most", () => {
    expect(rowsThatFit(20, 200, 3)).toBe(8);
    expect(rowsThatFit(51, 250, 2.7)).toBe(6);
    expect(rowsThatFit(131, 400, 2.7)).toBe(2);
  });
});

describe("a wall that hangs for a month", () => {
  it("is darker at night and never off", () => {
    expect([3, 7, 12, 21, 23].map(brightnessAt)).toEqual([0.6, 0.8, 1, 0.8, 0.6]);
  });

  it("moves by four pixels every ten minutes and comes back", () => {
    const steps = [0, 1, 2, 3, 4].map((n) => shiftAt(n * 600_000 + 599_999));
    expect(steps).toEqual([[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]]);
  });
});

describe("rotation", () => {
  const all: WallView[] = ["situation", "board", "crisis", "rotation"];
  const shown = (second: number, views = all, subject = true, urgent = false) => rotating(views, subject, urgent, second * 1000);

  it("gives the map and the crisis forty seconds and the board twenty", () => {
    expect([0, 39, 40, 59, 60, 99, 100].map((second) => shown(second))).toEqual(["situation", "situation", "board", "board", "crisis", "crisis", "situation"]);
  });

  it("leaves out a crisis that there is none of, and what the wall may not show", () => {
    expect([0, 45, 61].map((second) => shown(second, all, false))).toEqual(["situation", "board", "situation"]);
    expect([0, 45, 61].map((second) => shown(second, ["board", "rotation"]))).toEqual(["board", "board", "board"]);
  });

  it("freezes on the situation while a P1 or an SOS waits for somebody", () => {
    expect([0, 45, 61].map((second) => shown(second, all, true, true))).toEqual(["situation", "situation", "situation"]);
  });
});

describe("the watchdog", () => {
  const HOUR = 3_600_000;
  const well: Health = { heapMb: 120, frameAgeS: 0.1, hidden: false, upMs: 2 * HOUR, hourOfDay: 15, urgent: false };
  const of = (change: Partial<Health>) => reloadDue({ ...well, ...change });

  it("lets a healthy wall be", () => {
    expect(of({})).toBeNull();
    expect(of({ heapMb: null })).toBeNull();
    expect(of({ heapMb: 500, frameAgeS: 30 })).toBeNull();
  });

  it("begins anew when memory grows or nothing is drawn, unless nobody looks", () => {
    expect(of({ heapMb: 501 })).toBe("heap");
    expect(of({ frameAgeS: 31 })).toBe("frames");
    expect(of({ frameAgeS: 31, hidden: true })).toBeNull();
    expect(of({ heapMb: 900, frameAgeS: 31, upMs: 60_000, hourOfDay: 4.6 })).toBeNull();
  });

  it("begins anew once a night, at half past four", () => {
    expect(of({ hourOfDay: 4.49, upMs: 20 * HOUR })).toBeNull();
    expect(of({ hourOfDay: 4.51, upMs: 20 * HOUR })).toBe("night");
    expect(of({ hourOfDay: 4.6, upMs: 0.05 * HOUR })).toBeNull();
  });

  it("never takes the wall away during an open P1 or an SOS, and does afterwards what was due", () => {
    expect(of({ heapMb: 900, frameAgeS: 90, urgent: true })).toBeNull();
    expect(of({ hourOfDay: 4.51, upMs: 20 * HOUR, urgent: true })).toBeNull();
    expect(of({ hourOfDay: 9, upMs: 20 * HOUR })).toBe("night");
  });
});
