import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import english from "./en.json";
import catalogue from "./es-AR.json";

const ROOT = join(import.meta.dirname, "..");
const files = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? files(join(folder, entry.name)) : /\.tsx?$/.test(entry.name) && !/\.test\./.test(entry.name) ? [join(folder, entry.name)] : [],
  );
const sources = files(ROOT).map((path) => ({ path: path.slice(ROOT.length + 1), tree: ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true, path.endsWith("x") ? ts.ScriptKind.TSX : ts.ScriptKind.TS) }));

const flat = (value: unknown, prefix = ""): [string, string][] =>
  typeof value === "string" ? [[prefix, value]] : Object.entries(value as object).flatMap(([key, inner]) => flat(inner, prefix ? `${prefix}.${key}` : key));
const entries = flat(catalogue);
const keys = new Set(entries.map(([key]) => key));
const known = (key: string): boolean => keys.has(key) || (keys.has(`${key}_one`) && keys.has(`${key}_other`));

function walk(node: ts.Node, see: (node: ts.Node) => void): void {
  see(node);
  node.forEachChild((child) => walk(child, see));
}

const SPOKEN = new Set(["label", "title", "placeholder", "aria-label", "alt", "description", "nothingFoundMessage"]);
const HAS_WORD = /\p{L}{2,}/u;
/** Names of keys are the same on every keyboard here. */
const isKeyName = (node: ts.Node): boolean => {
  const parent = node.parent.parent;
  return ts.isJsxElement(parent) && parent.openingElement.tagName.getText() === "kbd";
};

describe("the catalogue", () => {
  it("has every key that the code asks for by name", () => {
    const missing: string[] = [];
    for (const { path, tree } of sources)
      walk(tree, (node) => {
        if (!ts.isCallExpression(node) || node.expression.getText() !== "t") return;
        const [first] = node.arguments;
        const asked = first === undefined ? [] : ts.isConditionalExpression(first) ? [first.whenTrue, first.whenFalse] : [first];
        for (const each of asked) if (ts.isStringLiteral(each) && !known(each.text)) missing.push(`${path}: ${each.text}`);
        // `link.chip.${name}`: at least its family must exist.
        for (const each of asked)
          if (ts.isTemplateExpression(each) && ![...keys].some((key) => key.startsWith(each.head.text))) missing.push(`${path}: ${each.head.text}*`);
      });
    expect(missing).toEqual([]);
  });

  it("leaves no word for people in the components", () => {
    const strays: string[] = [];
    for (const { path, tree } of sources)
      walk(tree, (node) => {
        if (ts.isJsxText(node) && HAS_WORD.test(node.text)) strays.push(`${path}: ${node.text.trim()}`);
        if (ts.isJsxAttribute(node) && SPOKEN.has(node.name.getText()) && node.initializer && ts.isStringLiteral(node.initializer) && HAS_WORD.test(node.initializer.text))
          strays.push(`${path}: ${node.name.getText()}="${node.initializer.text}"`);
        if (ts.isJsxExpression(node) && node.expression && ts.isStringLiteral(node.expression) && HAS_WORD.test(node.expression.text) && (ts.isJsxElement(node.parent) || ts.isJsxFragment(node.parent)) && !isKeyName(node.expression))
          strays.push(`${path}: {"${node.expression.text}"}`);
        // Spanish gives itself away anywhere else.
        if ((ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) && /[áéíóúñ¿¡]/i.test(node.text)) strays.push(`${path}: "${node.text}"`);
      });
    expect(strays).toEqual([]);
  });

  it("says each word of the domain that the wire may bring", () => {
    const families: Record<string, string[]> = {
      state: ["received", "classified", "waiting", "dispatched", "en_route", "on_scene", "under_control", "finished", "closed", "cancelled", "referred", "merged"],
      unit: ["available", "assigned", "acknowledged", "en_route", "on_scene", "transporting", "at_destination", "break", "out_of_service"],
      "assignment.status": ["assigned", "acknowledged", "en_route", "on_scene", "transporting", "at_destination", "released", "refused", "cancelled"],
      kind: ["patrol", "motorcycle", "traffic", "civil_protection", "works", "lighting", "trees", "control", "social", "zoonosis", "monitoring", "ambulance", "fire", "police"],
      channel: ["phone", "web", "radio", "camera", "panic_button", "agency", "app"],
      role: ["call_taker", "dispatcher", "supervisor", "crew", "neighbourhood", "agency", "government", "wall", "administrator"],
    };
    for (const [family, codes] of Object.entries(families)) for (const code of codes) expect(known(`${family}.${code}`), `${family}.${code}`).toBe(true);
  });

  it("speaks to people in voseo, shortly", () => {
    const tuteo = /\b(puedes|tienes|elige|escribe|haz|intenta de nuevo|presiona|selecciona)\b/i;
    for (const [key, text] of entries) expect(tuteo.test(text), `${key}: ${text}`).toBe(false);
  });
});

describe("the English catalogue", () => {
  const other = new Map(flat(english));
  const placeholders = (text: string): string[] => [...text.matchAll(/{{[^}]*}}/g)].map(([found]) => found).sort();

  it("says everything that the Spanish one says, and nothing else", () => {
    expect([...other.keys()].filter((key) => !keys.has(key))).toEqual([]);
    expect([...keys].filter((key) => !other.has(key))).toEqual([]);
  });

  it("fills in the same facts", () => {
    for (const [key, text] of entries) expect(placeholders(other.get(key) ?? ""), key).toEqual(placeholders(text));
  });

  it("was translated", () => {
    // The product's name, languages by their own names, and the columns of a spreadsheet, which are what they are.
    const asTheyAre = /^(prefs\.languages\.|resources\.import\.columns$)/;
    for (const [key, text] of other) if (!asTheyAre.test(key)) expect(/[áéíóúñ¿¡]/i.test(text.replaceAll("Vigía", "")), `${key}: ${text}`).toBe(false);
  });
});
