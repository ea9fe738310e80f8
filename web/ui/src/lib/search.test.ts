import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Placed } from "./board";
import { marked, onBoard, score, together, type FoundThing } from "./search";
import type { Incident, Unit } from "./wire";

const incident = (code: string, more: Partial<Incident> = {}) =>
  ({ id: code, code, masked: false, place: "", type_name: "", zone: null, summary: "", closed_at: null, at: null, shape: null, priority: 2, state: "classified", opened_at: "", ...more }) as unknown as Placed<Incident>;
const unit = (call_sign: string) => ({ id: call_sign, call_sign, organization: "Guardia Urbana", status: "available", kind: "patrol" }) as unknown as Placed<Unit>;
const titles = (query: string, incidents: Placed<Incident>[], units: Placed<Unit>[] = []) => onBoard(query, incidents, units, new Map()).map(({ title }) => title);

describe("what the board finds", () => {
  const all = [incident("2026-000012", { place: "Córdoba 1234", type_name: "Árbol o poste caído" }), incident("2026-000345", { summary: "cerca de Córdoba", closed_at: "x" }), incident("2026-000999", { masked: true, place: "Córdoba 1" })];
  it.each([
    ["cordoba", ["2026-000012", "2026-000345"]], ["ARBOL cor", ["2026-000012"]], ["#12", ["2026-000012"]], ["2026-000345", ["2026-000345"]], ["000999", []], ["zzz", []],
  ])("%s", (query, codes) => expect(titles(query, all)).toEqual(codes));
  it("units with and without what stands between", () => expect(titles("gum07", [], [unit("GUM-07"), unit("M1")])).toEqual(["GUM-07"]));
  it("no more than six of a kind", () => expect(titles("mitre", Array.from({ length: 9 }, (_, n) => incident(`${n}`, { place: "Mitre" })))).toHaveLength(6));
});

it("every word counts, and more where a word begins so", () => {
  expect(score("mitre", "Bartolomé Mitre")).toBeGreaterThan(score("itre", "Bartolomé Mitre"));
  expect([score("mitre zzz", "Mitre"), score("", "Mitre")]).toEqual([0, 0]);
});

it("both answers are one list: what the board says wins and nothing stands twice", () => {
  const thing = (kind: FoundThing["kind"], id: string, title: string): FoundThing => ({ kind, id, title, detail: "", location: null, facts: {} });
  const all = together([thing("incident", "1", "now")], [thing("person", "9", "Ana"), thing("incident", "1", "then"), thing("incident", "2", "past")]);
  expect(all.map(({ title }) => title)).toEqual(["now", "past", "Ana"]);
});

describe("marks", () => {
  it("the letters that were looked for, whatever their accents", () => expect(marked("Bulevar Oroño y Córdoba", "orono cor")).toEqual([{ text: "Bulevar ", hit: false }, { text: "Oroño", hit: true }, { text: " y ", hit: false }, { text: "Cór", hit: true }, { text: "doba", hit: false }]));
  it("changes no letter", () => {
    fc.assert(fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme", maxLength: 5 }), (text, query) => {
      expect(marked(text, query).map((part) => part.text).join("")).toBe(text);
    }));
  });
});
