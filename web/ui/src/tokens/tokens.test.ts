import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

/** WCAG ratios and colour distance under colour-vision deficiency (Machado 2009, severity 1; CIEDE2000), as reference/ux.md §3 measured. */
const css = readFileSync(join(import.meta.dirname, "tokens.css"), "utf8");
const block = (from: string): Record<string, string> => {
  const body = css.slice(css.indexOf(from)).split("{")[1]?.split("}")[0] ?? "";
  return Object.fromEntries([...body.matchAll(/(--[\w-]+):\s*(#[\da-f]{6})/g)].map(([, name = "", value = ""]) => [name, value]));
};
const light = block(":root");
const themes = { claro: light, oscuro: { ...light, ...block('[data-tema="oscuro"]') } };

type Rgb = [number, number, number];
const rgb = (hex: string): Rgb => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255) as Rgb;
const linear = (c: number) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
const encoded = (c: number) => (c <= 0.0031308 ? c * 12.92 : 1.055 * Math.max(0, c) ** (1 / 2.4) - 0.055);
const luminance = (hex: string) => rgb(hex).map(linear).reduce((sum, c, i) => sum + c * ([0.2126, 0.7152, 0.0722][i] ?? 0), 0);
const ratio = (a: string, b: string) => {
  const [hi, lo] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (hi + 0.05) / (lo + 0.05);
};

const VISION: Record<string, number[][]> = {
  normal: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protan: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deutan: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritan: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};

function lab(hex: string, vision: string): Rgb {
  const seen = (VISION[vision] ?? []).map((row) => rgb(hex).map(linear).reduce((sum, c, i) => sum + c * (row[i] ?? 0), 0)).map((c) => linear(encoded(Math.min(1, Math.max(0, c)))));
  const [r = 0, g = 0, b = 0] = seen;
  const f = (v: number) => (v > 216 / 24389 ? Math.cbrt(v) : ((24389 / 27) * v + 16) / 116);
  const [x, y, z] = [
    f((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047),
    f(0.2126729 * r + 0.7151522 * g + 0.072175 * b),
    f((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883),
  ];
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

function ciede2000([l1, a1, b1]: Rgb, [l2, a2, b2]: Rgb): number {
  const rad = Math.PI / 180;
  const mean = (Math.hypot(a1, b1) + Math.hypot(a2, b2)) / 2;
  const g = 0.5 * (1 - Math.sqrt(mean ** 7 / (mean ** 7 + 25 ** 7)));
  const [p1, p2] = [a1 * (1 + g), a2 * (1 + g)];
  const [c1, c2] = [Math.hypot(p1, b1), Math.hypot(p2, b2)];
  const hue = (a: number, b: number) => (a === 0 && b === 0 ? 0 : (Math.atan2(b, a) / rad + 360) % 360);
  const [h1, h2] = [hue(p1, b1), hue(p2, b2)];
  const dl = l2 - l1;
  const dc = c2 - c1;
  let dh = c1 * c2 === 0 ? 0 : h2 - h1;
  if (dh > 180) dh -= 360;
  if (dh < -180) dh += 360;
  const dH = 2 * Math.sqrt(c1 * c2) * Math.sin((dh / 2) * rad);
  const [lm, cm] = [(l1 + l2) / 2, (c1 + c2) / 2];
  let hm = h1 + h2;
  if (c1 * c2 !== 0) hm = Math.abs(h1 - h2) <= 180 ? hm / 2 : (hm + (hm < 360 ? 360 : -360)) / 2;
  const t = 1 - 0.17 * Math.cos((hm - 30) * rad) + 0.24 * Math.cos(2 * hm * rad) + 0.32 * Math.cos((3 * hm + 6) * rad) - 0.2 * Math.cos((4 * hm - 63) * rad);
  const sl = 1 + (0.015 * (lm - 50) ** 2) / Math.sqrt(20 + (lm - 50) ** 2);
  const sc = 1 + 0.045 * cm;
  const sh = 1 + 0.015 * cm * t;
  const rt = -2 * Math.sqrt(cm ** 7 / (cm ** 7 + 25 ** 7)) * Math.sin(60 * Math.exp(-(((hm - 275) / 25) ** 2)) * rad);
  return Math.sqrt((dl / sl) ** 2 + (dc / sc) ** 2 + (dH / sh) ** 2 + rt * (dc / sc) * (dH / sh));
}

const distance = (a: string, b: string, vision: string) => ciede2000(lab(a, vision), lab(b, vision));
const pairs = <T,>(all: T[]): [T, T][] => all.flatMap((a, i) => all.slice(i + 1).map((b): [T, T] => [a, b]));

describe.each(Object.entries(themes))("tokens, %s", (_, tokens) => {
  const of = (name: string) => tokens[name] ?? "#000000";
  it("are readable as text on every surface", () => {
    for (const ground of ["--s0", "--s1", "--s2", "--s3"])
      for (const text of ["--tx-hi", "--tx", "--tx2", "--lk"]) expect(ratio(of(text), of(ground)), `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5);
    for (const ground of ["--s0", "--s1"]) for (const text of ["--ok", "--error"]) expect(ratio(of(text), of(ground)), `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5);
    expect(ratio(of("--link-late-text"), of("--link-late"))).toBeGreaterThanOrEqual(7);
    expect(ratio(of("--brand-text"), of("--brand"))).toBeGreaterThanOrEqual(4.5);
  });
  it("bound controls and focus at 3:1", () => {
    for (const ground of ["--s0", "--s1", "--s2"]) expect(ratio(of("--bd"), of(ground))).toBeGreaterThanOrEqual(3);
    for (const ground of ["--s0", "--s1", "--s2", "--s3"]) expect(Math.max(ratio(of("--focus"), of(ground)), ratio(of("--ink"), of(ground)))).toBeGreaterThanOrEqual(3);
  });
  it("write a readable number on every priority and letter on every unit", () => {
    for (const p of ["--p1", "--p2", "--p3", "--p4", "--pi"]) expect(ratio(of(`${p}-text`), of(p)), p).toBeGreaterThanOrEqual(4.5);
    for (const u of ["--u-libre", "--u-tarea", "--u-no"]) expect(ratio(of("--u-text"), of(u)), u).toBeGreaterThanOrEqual(4.5);
  });
  it.each(Object.keys(VISION))("keep priorities and units apart in %s vision", (vision) => {
    for (const [a, b] of pairs(["--p1", "--p2", "--p3", "--p4"])) expect(distance(of(a), of(b), vision), `${a} ${b}`).toBeGreaterThanOrEqual(10);
    for (const [a, b] of pairs(["--u-libre", "--u-tarea", "--u-no"])) expect(distance(of(a), of(b), vision), `${a} ${b}`).toBeGreaterThanOrEqual(10);
  });
});

/** Hue within red's and not washed out: what anybody at a desk would call red. */
function isRed(hex: string): boolean {
  const [r, g, b] = rgb(hex);
  const [hi, lo] = [Math.max(r, g, b), Math.min(r, g, b)];
  if (hi !== r || hi - lo < 0.25) return false;
  const hue = (60 * (g - b)) / (hi - lo);
  return hue > -15 && hue < 20;
}

/** Each step of an animation by the animation's name, so that it can be judged alone. */
const named = (sheet: string): string => sheet.replace(/@keyframes ([\w-]+) \{((?:[^{}]*\{[^{}]*\})*)\s*\}/g, (_, name: string, steps: string) => steps.replace(/[^{}]+\{/g, `${name} {`));

describe("red", () => {
  it.each(Object.entries(themes))("is the first priority's token alone, %s", (_, tokens) => {
    expect(Object.keys(tokens).filter((name) => isRed(tokens[name] ?? ""))).toEqual(["--p1"]);
  });

  it("is drawn only for a P1 or an SOS", () => {
    const root = join(import.meta.dirname, "..");
    const sheets = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".css") && !name.endsWith("tokens.css"));
    const meant = /p1|sos|danger|grave|alarm|replay-now|strip-fold|watch-scope-1/;
    const strays: string[] = [];
    for (const name of sheets)
      for (const [, selector = "", body = ""] of named(readFileSync(join(root, name), "utf8")).matchAll(/([^{}]+)\{([^{}]*)\}/g)) {
        const red = body.includes("var(--p1)") || [...body.matchAll(/#([\da-f]{6})\b/gi)].some(([hex]) => isRed(hex));
        if (red && !meant.test(selector)) strays.push(`${name}: ${selector.trim()}`);
      }
    expect(strays).toEqual([]);
  });
});
