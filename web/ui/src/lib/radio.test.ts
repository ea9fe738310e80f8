import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { peelUnit, radioOrder, tiedTo, type RadioLine } from "./radio";

const units = ["M1", "M12", "Móvil 4", "B-3"].map((call_sign) => ({ call_sign }));
const peeled = (text: string) => {
  const found = peelUnit(text, units);
  return found ? [found.unit.call_sign, found.rest] : null;
};

describe("the unit at the beginning of a radio line", () => {
  it("is known by its call sign, however it is written, once a space stands behind it", () => {
    expect(peeled("m12 llegando al lugar")).toEqual(["M12", "llegando al lugar"]);
    expect(peeled("M1 copiado")).toEqual(["M1", "copiado"]);
    expect(peeled("movil 4 en base")).toEqual(["Móvil 4", "en base"]);
    expect(peeled("b 3 sin novedad")).toEqual(["B-3", "sin novedad"]);
    expect(peeled("b-3 ")).toEqual(["B-3", ""]);
  });

  it("is nobody where no call sign stands alone at the beginning", () => {
    for (const text of ["m12", "m123 llegando", "hay humo", "el m12 llega", "", " "]) expect(peeled(text)).toBeNull();
  });

  it("never takes a letter of what was said", () => {
    fc.assert(
      fc.property(fc.constantFrom(...units), fc.string({ minLength: 1 }).filter((said) => said.trim() !== ""), ({ call_sign }, said) => {
        const found = peelUnit(`${call_sign} ${said}`, [{ call_sign }]);
        expect(found?.rest).toBe(said.trimStart());
      }),
    );
  });
});

describe("what a line is tied to", () => {
  const works = (unit: string) => (unit === "busy" ? "fire" : null);
  const busy = { id: "busy", incident_id: "fire" };
  it("follows what is selected until somebody says otherwise", () => {
    expect(tiedTo({}, { unit: busy, incident: null }, works)).toEqual({ unit: "busy", incident: "fire" });
    expect(tiedTo({}, { unit: null, incident: "flood" }, works)).toEqual({ unit: null, incident: "flood" });
    expect(tiedTo({}, { unit: null, incident: null }, works)).toEqual({ unit: null, incident: null });
  });
  it("goes with the unit that was named, before what is selected", () => {
    expect(tiedTo({ unit: "busy" }, { unit: null, incident: "flood" }, works)).toEqual({ unit: "busy", incident: "fire" });
    expect(tiedTo({ unit: "free" }, { unit: null, incident: "flood" }, works)).toEqual({ unit: "free", incident: "flood" });
  });
  it("stays untied where somebody untied it", () => {
    expect(tiedTo({ unit: null, incident: null }, { unit: busy, incident: "flood" }, works)).toEqual({ unit: null, incident: null });
  });
});

it("reads the last written first, also where two came at once", () => {
  const line = (id: string, logged_at: string) => ({ id, logged_at }) as RadioLine;
  const [old, one, two] = [line("c", "2026-11-27T10:00:00Z"), line("a", "2026-11-27T11:00:00Z"), line("b", "2026-11-27T11:00:00Z")];
  expect([old, one, two].sort(radioOrder).map(({ id }) => id)).toEqual(["b", "a", "c"]);
});
