import { readFileSync } from "node:fs";
import { join } from "node:path";
import { layers } from "@protomaps/basemaps";
import type { StyleSpecification } from "maplibre-gl";
import { describe, expect, it } from "vitest";
import { baseStyle, flavor, grayOf } from "./style";
import words from "./words.json";

const css = readFileSync(join(import.meta.dirname, "../../tokens/tokens.css"), "utf8");
const block = (from: string): Record<string, string> => {
  const body = css.slice(css.indexOf(from)).split("{")[1]?.split("}")[0] ?? "";
  return Object.fromEntries([...body.matchAll(/(--[\w-]+):\s*(#[\da-f]{6})/g)].map(([, name = "", value = ""]) => [name, value]));
};
const light = block(":root");
const dark = { ...light, ...block('[data-tema="oscuro"]') };
const paintOf = (tokens: Record<string, string>) => (name: string) => {
  const colour = tokens[name];
  if (!colour) throw new Error(`no token ${name}`);
  return colour;
};
const style = (tokens: Record<string, string>, look = { big: false, gray: false }) => baseStyle(paintOf(tokens), "/tiles/{z}/{x}/{y}.mvt", look);

const linear = (c: number) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
const luminance = (hex: string) => [1, 3, 5].reduce((sum, at, i) => sum + linear(parseInt(hex.slice(at, at + 2), 16) / 255) * ([0.2126, 0.7152, 0.0722][i] ?? 0), 0);
const ratio = (a: string, b: string) => {
  const [hi, lo] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (hi + 0.05) / (lo + 0.05);
};

/** Of each source layer: the attributes that the style asks for, and the kinds that it tells apart. */
function asked({ layers }: StyleSpecification): Record<string, { attributes: string[]; kinds: string[] }> {
  const found: Record<string, { attributes: Set<string>; kinds: Set<string> }> = {};
  for (const layer of layers) {
    if (!("source-layer" in layer) || !layer["source-layer"]) continue;
    const { attributes, kinds } = (found[layer["source-layer"]] ??= { attributes: new Set(), kinds: new Set() });
    const walk = (part: unknown): void => {
      if (!Array.isArray(part)) return;
      const [name, key, ...rest] = part as [string, unknown, ...unknown[]];
      const old = ["==", "!=", "<=", ">=", "in", "has", "!has", "get"].includes(name) && typeof key === "string" && !key.startsWith("$");
      if (old) attributes.add(key);
      const compared = key === "kind" || (Array.isArray(key) && key[0] === "get" && key[1] === "kind");
      if (compared && (name === "in" || name === "=="))
        for (const word of rest.flatMap((each) => (Array.isArray(each) && each[0] === "literal" ? (each[1] as unknown[]) : [each]))) kinds.add(String(word));
      for (const each of part as unknown[]) walk(each);
    };
    if ("filter" in layer) walk(layer.filter);
    for (const value of [...Object.values(layer.layout ?? {}), ...Object.values(layer.paint ?? {})]) walk(value);
  }
  return Object.fromEntries(
    Object.entries(found).map(([name, { attributes, kinds }]) => [name, { attributes: [...attributes].filter(isOurs).sort(), kinds: [...kinds].sort() }]),
  );
}

/** Names in other scripts and languages are what one city's map has no use for. */
const isOurs = (attribute: string) => !/^(pgf:|name:|name\d|script|ref)/.test(attribute);

describe("the style of the base map", () => {
  it("asks for what words.json says, which tests/geo/test_map.py holds the tiles to", () => {
    expect(asked(style(light))).toEqual(words);
  });
  it("needs no glyphs, no sprite, and no image that nobody paints", () => {
    for (const tokens of [light, dark]) {
      const made = style(tokens);
      expect(made.glyphs).toBeUndefined();
      expect(made.sprite).toBeUndefined();
      const images = JSON.stringify(made.layers.map((layer) => (layer.type === "symbol" ? layer.layout?.["icon-image"] : undefined)).filter(Boolean));
      expect(images.replace(/"(poi|way):\w*"/g, "").match(/"(capital|townspot|arrow|[\w-]*shield[\w-]*|train_station)"/)).toBeNull();
      expect(JSON.stringify(made)).not.toMatch(/Italic|Medium|:\/\//);
    }
  });
  it("leaves nothing of Protomaps' own colours", () => {
    const colours = (tokens: Record<string, string>) => new Set(JSON.stringify(style(tokens).layers).match(/#[\da-f]{6}/gi) ?? []);
    for (const tokens of [light, dark]) for (const colour of colours(tokens)) expect(Object.values(tokens), colour).toContain(colour);
  });
  it("has a flavour for every word that the package knows", () => {
    const made = JSON.stringify(layers("base", flavor(paintOf(light)), { lang: "es" }));
    expect(made).not.toContain("undefined");
    expect(made).not.toContain('-color":null');
  });
  it("is the same map in gray, as bright as it was", () => {
    const made = JSON.stringify(style(light, { big: false, gray: true }).layers).match(/#[\da-f]{6}/gi) ?? [];
    expect(made.length).toBeGreaterThan(40);
    for (const colour of made) expect(new Set([colour.slice(1, 3), colour.slice(3, 5), colour.slice(5, 7)]).size, colour).toBe(1);
    expect(grayOf("#ffffff")).toBe("#ffffff");
    expect(grayOf("#0000ff")).toBe("#1d1d1d");
  });
  it("writes larger on the wall", () => {
    const sizes = (big: boolean) => style(light, { big, gray: false }).layers.flatMap((layer) => (layer.type === "symbol" && layer.layout?.["text-size"] ? [JSON.stringify(layer.layout["text-size"])] : []));
    const [small, large] = [sizes(false), sizes(true)];
    expect(large).toHaveLength(small.length);
    large.forEach((size, i) => expect(size).not.toBe(small[i]));
  });
  it.each([["claro", light], ["oscuro", dark]])("can be read: names on the ground that they stand on, %s", (_, tokens) => {
    const of = paintOf(tokens);
    for (const label of ["--map-label", "--map-label-place", "--map-poi", "--map-label-zone"])
      for (const ground of ["--map-halo", "--map-earth", "--map-building", "--map-minor"]) expect(ratio(of(label), of(ground)), `${label} on ${ground}`).toBeGreaterThanOrEqual(3);
    for (const label of ["--map-label", "--map-label-place", "--map-poi"]) expect(ratio(of(label), of("--map-halo")), label).toBeGreaterThanOrEqual(4.5);
    for (const ground of ["--map-earth", "--map-green", "--map-building"]) expect(ratio(of("--p1"), of(ground)), ground).toBeGreaterThanOrEqual(3);
  });
});
