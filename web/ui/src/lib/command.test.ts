import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import words from "../locale/es-AR.json";
import { callSign, codeOf, folded, lonLatOf, looksNew, noteOf, parse, pickKey, pieceOf, piecesOf, readings, slips, type Command, type Vocabulary } from "./command";
import type { Level } from "./wire";

interface City {
  types: { code: string; name: string; priority: Level }[];
  dispositions: { code: string; name: string }[];
}
const city = JSON.parse(readFileSync("../../incidents/santa_fe.json", "utf8")) as City;
const also = words.typeWords as Record<string, string>;
const unit = (call_sign: string) => ({ id: `id-${call_sign}`, call_sign });
const vocabulary: Vocabulary = {
  types: city.types.map((type) => ({ ...type, words: also[type.code] ?? "" })),
  units: ["M1", "M12", "B3", "B12", "GUM-07", "SIES 4", "A7"].map(unit),
  incidents: [{ id: "i1", code: "2026-004711" }, { id: "i2", code: "2026-004698" }],
  results: city.dispositions,
  year: 2026,
};
const read = (text: string, picks = {}) => parse(text, vocabulary, picks);
const value = (command: Command, kind: Parameters<typeof pieceOf>[1]) => pieceOf(command, kind)?.value ?? null;
const said = (command: Command, kind: Parameters<typeof pieceOf>[1]) => pieceOf(command, kind)?.text ?? null;

describe("n", () => {
  it.each([
    ["n choque oroño y pellegrini, 2 heridos !1", "SIN-01", "oroño y pellegrini", "2 heridos", "1"],
    ["n incendio mitre y rioja, humo negro !1", "INC-01", "mitre y rioja", "humo negro", "1"],
    ["n arbol caido san martin 2300", "MET-01", "san martin 2300", "", null],
    ["N ÁRBOL CAÍDO San Martín 2300", "MET-01", "San Martín 2300", "", null],
    ["nuevo choque sin heridos oroño 1200", "SIN-02", "oroño 1200", "", null],
    ["n choque oroño 1200, sin heridos", "SIN-02", "oroño 1200", "sin heridos", null],
    ["n siniestro vial con lesionados oroño y pellegrini", "SIN-01", "oroño y pellegrini", "", null],
    ["n choque moto bv oroño 1200 bis", "SIN-01", "bv oroño 1200 bis", "", null],
    ["n fuga de gas en la paz 1200", "INC-04", "la paz 1200", "", null],
    ["n !1 incendio de vivienda, mitre y rioja, hay gente adentro", "INC-01", "mitre y rioja", "hay gente adentro", "1"],
    ["n mitre y rioja, incendio de vehiculo", "INC-02", "mitre y rioja", "", null],
    ["n mitre y rioja incendio de vehiculo", "INC-02", "mitre y rioja", "", null],
    ["n met-01 entre rios y san juan", "MET-01", "entre rios y san juan", "", null],
    ["n insendio vivienda mitre 300", "INC-01", "mitre 300", "", null],
    ["n arvol caido mitre 300", "MET-01", "mitre 300", "", null],
    ["n riña 9 de julio y paraguay", "SEG-04", "9 de julio y paraguay", "", null],
    ["n perro suelto perú 1200", "ANI-01", "perú 1200", "", null],
    ["n caida de arbol mitre 300", "MET-01", "mitre 300", "", null],
    ["n arbol caido -32.95,-60.66, cruza la calle", "MET-01", "-32.95,-60.66", "cruza la calle", null],
  ])("%s", (text, type, place, note, priority) => {
    const command = read(text);
    expect([value(command, "type"), said(command, "place"), noteOf(command), value(command, "priority")]).toEqual([type, place, note, priority]);
  });

  it("asks between types that the words do not tell apart, those of the priority first", () => {
    const type = pieceOf(read("n choque oroño y pellegrini !3"), "type");
    expect([type?.certainty, type?.value]).toEqual(["ambiguous", null]);
    expect(type?.choices.map((each) => each.value)).toEqual(["SIN-02", "SIN-01"]);
  });

  it("keeps what was chosen while the words stand, and asks again when they change", () => {
    const picks = { [pickKey("type", "choque")]: "SIN-02" };
    expect(value(read("n choque oroño y pellegrini", picks), "type")).toBe("SIN-02");
    expect(value(read("n CHOQUE mitre 300", picks), "type")).toBe("SIN-02");
    expect(pieceOf(read("n incendio mitre 300", picks), "type")?.certainty).toBe("ambiguous");
  });

  it("says that a type is unknown and takes the words for a place", () => {
    const command = read("n mitre y rioja, pasa algo");
    expect([pieceOf(command, "type"), said(command, "place"), noteOf(command)]).toEqual([undefined, "mitre y rioja", "pasa algo"]);
  });

  it("reads priority, units and telephone wherever they stand", () => {
    for (const text of [
      "n arbol caido san martin 2300, cruza la calle !2 >m12,b3 tel 341 471-2233",
      "n !2 tel: 341 471-2233 >m12, b3 arbol caido san martin 2300, cruza la calle",
      "n >M 12, B-3 arbol caido san martin 2300 tel 341 471-2233, cruza la calle !2",
    ]) {
      const command = read(text);
      expect(piecesOf(command, "unit").map((each) => each.value), text).toEqual(["id-M12", "id-B3"]);
      expect([value(command, "priority"), value(command, "phone"), value(command, "type"), said(command, "place"), noteOf(command)], text).toEqual(["2", "341 471-2233", "MET-01", "san martin 2300", "cruza la calle"]);
    }
  });

  it("leaves a number behind a telephone or a unit to the note", () => {
    expect(noteOf(read("n choque mitre 300, tel 3414712233 2 heridos"))).toBe("2 heridos");
    expect(noteOf(read("n choque mitre 300 >m12, 2 heridos"))).toBe("2 heridos");
  });

  it("never takes another priority, and says so", () => expect(pieceOf(read("n choque mitre 300 !7"), "priority")?.certainty).toBe("unknown"));
});

describe("units", () => {
  it.each([["m12", "id-M12"], ["M 12", "id-M12"], ["m-12", "id-M12"], ["gum 7", "id-GUM-07"], ["GUM07", "id-GUM-07"], ["sies4", "id-SIES 4"]])("%s", (text, id) => {
    expect(piecesOf(read(`d ${text}`), "unit").map((each) => each.value)).toEqual([id]);
  });

  it.each([["m2"], ["n12"], ["gum 8"]])("%s is not somebody else", (text) => {
    expect(pieceOf(read(`d ${text}`), "unit")?.value ?? null).toBeNull();
  });

  it("a bare number is asked about", () => {
    const found = pieceOf(read("d 12"), "unit");
    expect([found?.certainty, found?.choices.map(({ label }) => label)]).toEqual(["ambiguous", ["M12", "B12"]]);
    expect(pieceOf(read("d 12", { [pickKey("unit", "12")]: "id-B12" }), "unit")?.value).toBe("id-B12");
  });
});

describe("the other verbs", () => {
  it.each([
    ["d m12 b3 #4711", ["id-M12", "id-B3"], "i1"],
    ["despachar m12, b3 y a7", ["id-M12", "id-B3", "id-A7"], null],
    ["d #4711 m12", ["id-M12"], "i1"],
    ["dspachar m12", ["id-M12"], null],
  ])("%s", (text, units, incident) => {
    const command = read(text);
    expect([piecesOf(command, "unit").map((each) => each.value), value(command, "incident")]).toEqual([units, incident]);
  });

  it.each([
    ["e m12 lugar", "on_scene"], ["e m12 en el lugar", "on_scene"], ["e m 12 llegó", "on_scene"], ["e m12 camino", "en_route"], ["e m12 en camino", "en_route"], ["e m12 traslado", "transporting"],
    ["e m12 libre", "released"], ["e m12 base", "base"], ["e m12 fuera de servicio", "out_of_service"], ["e m12 fuera", "out_of_service"], ["e m12 trslado", "transporting"], ["e lugar m12", "on_scene"],
    ["estado m12 acuse", "acknowledged"], ["e m12 hospital", "at_destination"], ["e m12 descanso", "break"],
  ])("%s", (text, status) => {
    const command = read(text);
    expect([value(command, "unit"), value(command, "status")]).toEqual(["id-M12", status]);
  });

  it("r keeps the words as they are", () => expect(said(read("r m12 llegando, dos personas !"), "text")).toBe("llegando, dos personas !"));
  it.each([["l mitre y rioja", "place", null], ["l -32.95, -60.66", "place", "-60.66,-32.95"], ["l #4711", "incident", "i1"], ["l m12", "unit", "id-M12"], ["l #99", "incident", null]] as const)("%s", (text, kind, found) => {
    const piece = pieceOf(read(text), kind);
    expect(piece).toBeDefined();
    if (found) expect(piece?.value).toBe(found);
  });
  it("v", () => expect([value(read("v #4698"), "incident"), value(read("v 4698"), "incident"), value(read("v #1"), "incident")]).toEqual(["i2", "i2", null]));
  it.each([["c resuelto", "resolved", ""], ["c falsa alarma", "false_alarm", ""], ["c traslado, al HECA", "transported", "al HECA"], ["c reselto", "resolved", ""], ["cerrar duplicado", "duplicate", ""]])("%s", (text, result, note) => {
    const command = read(text);
    expect([value(command, "result"), noteOf(command)]).toEqual([result, note]);
  });
  it.each([["p 2", "2"], ["p !3", "3"], ["prioridad 1", "1"], ["p 5", null], ["p", null]])("%s", (text, level) => expect(value(read(text), "priority")).toBe(level));
  it("knows what it does not know", () => {
    expect(read("xyz m12").verb).toBeNull();
    expect([looksNew("choque oroño", vocabulary), looksNew("zzz oroño", vocabulary)]).toEqual([true, false]);
  });
});

it("codes of incidents", () => expect(["#4711", "4711", "2025-4711", "#2026-004711", "x"].map((text) => codeOf(text, 2026))).toEqual(["2026-004711", "2026-004711", "2025-004711", "2026-004711", null]));
it("points", () => expect(["-32.95,-60.66", "-32.95, -60.66", "200,5", "mitre"].map(lonLatOf)).toEqual([[-60.66, -32.95], [-60.66, -32.95], null, null]));
it("call signs", () => expect(["GUM-007", "gum 7", "M 100", "A.7"].map(callSign)).toEqual(["gum7", "gum7", "m100", "a7"]));
it("slips", () => expect([slips("choque", "chqoue", 1), slips("choque", "chque", 1), slips("a", "abc", 1)]).toEqual([1, 1, 2]));

describe("readings of a place", () => {
  it.each([
    ["san martín 2300 humo negro", "san martín 2300", "humo negro"],
    ["auto mitre y rioja", "mitre y rioja", "auto"],
    ["oroño y pellegrini 2 heridos", "oroño y pellegrini", "2 heridos"],
    ["oroño y pellegrini hay heridos", "oroño y pellegrini", "hay heridos"],
    ["auto san martín 2300 humo", "san martín 2300", "auto humo"],
  ])("%s", (text, place, over) => {
    const found = readings(text);
    expect(found[0]).toEqual({ place: text, over: "" });
    expect(found).toContainEqual({ place, over });
  });
});

const scraps = fc.oneof(
  fc.constantFrom("n", "d", "e", "r", "l", "v", "c", "p", "nuevo", "choque", "arbol", "caido", "incendio", "sin", "heridos", "mitre", "y", "rioja", "300", ",", "!1", "!9", ">m12", ">", "m 12", "#4711", "#", "tel 341 4712233", "tel", "-32.9,-60.6", "lugar", "libre", "resuelto", " ", "\n", "ñandú", "🚒"),
  fc.string({ maxLength: 6, unit: "grapheme" }),
);
const lines = fc.oneof(fc.string({ maxLength: 60, unit: "grapheme" }), fc.array(scraps, { maxLength: 14 }).map((all) => all.join(" ")), fc.array(scraps, { maxLength: 14 }).map((all) => `n ${all.join("")}`));

describe("whatever is typed", () => {
  it("is accounted for: every character that is not blank is in exactly one piece, in order", () => {
    fc.assert(
      fc.property(lines, (text) => {
        let at = 0;
        for (const each of read(text).pieces) {
          expect(each.from).toBeGreaterThanOrEqual(at);
          expect(each.to).toBeGreaterThan(each.from);
          expect(text.slice(at, each.from).trim()).toBe("");
          expect(each.text).toBe(text.slice(each.from, each.to));
          at = each.to;
        }
        expect(text.slice(at).trim()).toBe("");
      }),
      { numRuns: 3000 },
    );
  });

  it("of letters and digits after n none is glue but the words that lead to a place and what calls a telephone", () => {
    fc.assert(
      fc.property(lines, (text) => {
        const command = read(text);
        if (command.verb !== "new") return;
        for (const each of piecesOf(command, "glue")) expect(each.text.replace(/[^\p{L}\p{N}\s]/gu, "").trim().split(/\s+/).filter((word) => word !== "" && !["en", "por", "sobre", "frente", "a", "al", "cerca"].includes(folded(word)))).toEqual([]);
      }),
      { numRuns: 3000 },
    );
  });

  it("means the same in capitals and without accents", () => {
    fc.assert(
      fc.property(fc.array(scraps, { maxLength: 10 }).map((all) => `n ${all.join(" ")}`), (text) => {
        const upper = text.toUpperCase();
        if (folded(upper) !== folded(text)) return; // letters of other alphabets that have no capital, or one of two letters
        expect(read(upper).pieces.map(({ kind, from, to, certainty }) => [kind, from, to, certainty])).toEqual(read(text).pieces.map(({ kind, from, to, certainty }) => [kind, from, to, certainty]));
      }),
    );
  });

  it("never names a unit that was not typed", () => {
    fc.assert(
      fc.property(lines, (text) => {
        for (const each of piecesOf(read(text), "unit")) if (each.certainty === "solid") expect(callSign(each.text)).toBe(callSign(vocabulary.units.find(({ id }) => id === each.value)?.call_sign ?? ""));
      }),
    );
  });
});
