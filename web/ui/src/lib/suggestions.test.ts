import { describe, expect, it } from "vitest";
import { CLOSED, kept, press, shown, type List, type Option } from "./suggestions";

const option = (label: string, lon: number): Option => ({ label, kind: "corner", precision: "exact", location: { type: "Point", coordinates: [lon, -32.9] }, score: 0.9, zone: null });
const several = [option("Mitre y Rioja", -60.1), option("Mitre y Salta", -60.2), option("Mitre y Jujuy", -60.3)];
const key = (name: string, code = name, alt = false) => ({ key: name, code, alt });
const after = (list: List, ...names: string[]): List => names.reduce((held, name) => press(held, key(name))?.list ?? held, list);

describe("the list of places", () => {
  it("marks the first only when it is sure", () => {
    expect(shown({ sure: true, matches: several }).marked).toBe(0);
    expect(shown({ sure: false, matches: several }).marked).toBe(-1);
  });

  it("takes nothing by Enter when nothing is marked", () => {
    expect(press(shown({ sure: false, matches: several }), key("Enter"))).toBeNull();
    expect(press(shown({ sure: true, matches: several }), key("Enter"))?.taken).toBe(several[0]);
  });

  it("walks with the arrows, round the ends", () => {
    const open = shown({ sure: false, matches: several });
    expect(after(open, "ArrowDown").marked).toBe(0);
    expect(after(open, "ArrowUp").marked).toBe(2);
    expect(after(open, "ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown").marked).toBe(0);
    expect(press(after(open, "ArrowDown", "ArrowDown"), key("Enter"))?.taken).toBe(several[1]);
  });

  it("takes by number with Alt; a bare number is part of the address", () => {
    const open = shown({ sure: false, matches: several });
    expect(press(open, key("3", "Digit3", true))?.taken).toBe(several[2]);
    expect(press(open, key("3", "Digit3"))).toBeNull();
    expect(press(open, key("9", "Digit9", true))).toBeNull();
  });

  it("is closed by Escape, and then leaves every key but the arrows alone", () => {
    const closed = after(shown({ sure: true, matches: several }), "Escape");
    expect(closed.open).toBe(false);
    for (const name of ["Escape", "Enter", "a"]) expect(press(closed, key(name))).toBeNull();
    expect(press(closed, key("ArrowDown"))?.list.open).toBe(true);
    expect(press(CLOSED, key("ArrowDown"))).toBeNull();
  });

  it("keeps of a match what is stored beside the words", () => {
    expect(kept(option("Mitre y Rioja", -60.1))).toEqual({ label: "Mitre y Rioja", kind: "corner", precision: "exact", lon: -60.1, lat: -32.9 });
  });
});
