/**
 * What a line of command means: pure, from the text, the words of the city and what was already chosen from a list. Whatever is typed
 * belongs to some piece, so nothing that somebody wrote is silently left out. Words are compared without accents or case; a slip of the
 * hand is forgiven in types, statuses and results, and never in who a unit is.
 */
import { plain } from "./queue";
import type { AssignmentStatus, Level } from "./wire";

export type Verb = "new" | "dispatch" | "state" | "radio" | "go" | "link" | "close" | "priority";
export type PieceKind = "verb" | "type" | "place" | "note" | "priority" | "unit" | "phone" | "incident" | "status" | "text" | "result" | "glue" | "unknown";
export type Certainty = "solid" | "ambiguous" | "unknown";

export interface Choice {
  value: string;
  label: string;
}

export interface Piece {
  kind: PieceKind;
  from: number;
  to: number;
  text: string;
  certainty: Certainty;
  /** A code, an id, a level or words, by kind; null while it is not known. */
  value: string | null;
  choices: Choice[];
}

export interface Command {
  verb: Verb | null;
  pieces: Piece[];
}

export interface Vocabulary {
  /** `words`: what else it is called. */
  types: { code: string; name: string; words: string; priority: Level }[];
  units: { id: string; call_sign: string }[];
  incidents: { id: string; code: string }[];
  results: { code: string; name: string; words?: string }[];
  /** Of the codes that are said without one. */
  year: number;
}

/** What was chosen from a list, by what stood there; it holds while that stands there. */
export type Picks = Readonly<Record<string, string>>;
export const pickKey = (kind: PieceKind, text: string): string => `${kind}:${folded(text)}`;

export const VERBS: Record<Verb, string[]> = {
  new: ["n", "nuevo", "nueva", "crear", "cargar", "alta"],
  dispatch: ["d", "despachar", "despacha", "despacho", "enviar", "mandar"],
  state: ["e", "estado"],
  radio: ["r", "radio", "bitacora"],
  go: ["l", "ir", "lugar", "buscar", "ver", "centrar"],
  link: ["v", "vincular", "enlazar", "unir"],
  close: ["c", "cerrar", "cierre"],
  priority: ["p", "prioridad"],
};

/** What may be heard on the radio: a step of what the unit does, or whether it can be sent at all. */
export type Heard = Exclude<AssignmentStatus, "assigned" | "cancelled"> | "break" | "out_of_service" | "base";
const HEARD: Record<Heard, string[]> = {
  acknowledged: ["acuse", "acusa", "acusado", "recibido", "enterado", "copiado"],
  en_route: ["camino", "en camino", "saliendo", "salio", "sale", "yendo", "va"],
  on_scene: ["lugar", "en el lugar", "en lugar", "llego", "llega", "llegando", "arribo", "arribado", "sitio"],
  transporting: ["traslado", "trasladando", "en traslado", "traslada"],
  at_destination: ["destino", "en destino", "hospital", "en el hospital"],
  released: ["libre", "liberado", "libera", "disponible", "termino", "terminado"],
  refused: ["rechaza", "rechazado", "no va", "no puede"],
  base: ["base", "en base", "servicio", "en servicio", "vuelve", "volviendo"],
  break: ["descanso", "en descanso", "pausa", "refrigerio"],
  out_of_service: ["fuera", "fuera de servicio", "afuera", "roto"],
};
export const STATUSES = Object.keys(HEARD) as Heard[];

/** Lower case and no accents, letter by letter: places in it are places in what was typed. */
export const folded = (text: string): string =>
  Array.from({ length: text.length }, (_, at) => {
    const unit = plain(text.charAt(at));
    return unit.length === 1 ? unit : text.charAt(at);
  }).join("");

interface Word {
  text: string;
  from: number;
  to: number;
}

function wordsOf(text: string, from: number, to: number): Word[] {
  const found: Word[] = [];
  for (const match of text.slice(from, to).matchAll(/[\p{L}\p{N}][\p{L}\p{N}\p{M}'’-]*/gu)) {
    found.push({ text: folded(match[0]), from: from + match.index, to: from + match.index + match[0].length });
  }
  return found;
}

/** Slips between two words: a letter too many, too few, another, or two the wrong way round; more than `most` is not told apart. */
export function slips(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, n) => n);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      next.push(cost);
    }
    if (Math.min(...next) > most) return most + 1;
    before = row;
    row = next;
  }
  return row[b.length] ?? most + 1;
}
const allowed = (word: string): number => (word.length < 5 ? 0 : word.length < 8 ? 1 : 2);

const singular = (word: string): string => (word.length > 4 && word.endsWith("es") ? word.slice(0, -2) : word.length > 3 && word.endsWith("s") ? word.slice(0, -1) : word);
const alike = (a: string, b: string): boolean => a === b || singular(a) === singular(b) || singular(a) === b || a === singular(b);

/** Words that tell nothing apart, and those that lead from what it is to where. */
const EMPTY = new Set(["de", "del", "con", "por", "la", "el", "los", "las", "un", "una", "y", "o", "en", "a", "al", "e", "entre", "que"]);
const LEADS = new Set(["en", "por", "sobre", "frente", "a", "al", "cerca"]);

// ── Types ────────────────────────────────────────────────────────────────────────────────────────

interface Sense {
  word: string;
  /** "sin heridos" is not "heridos". */
  without: boolean;
}

const senses = (words: Word[] | string[]): Sense[] => {
  const found: Sense[] = [];
  let without = false;
  for (const each of words) {
    const word = typeof each === "string" ? each : each.text;
    if (word === "sin") without = true;
    else if (!EMPTY.has(word)) {
      found.push({ word, without });
      without = false;
    }
  }
  return found;
};
const sensesOf = (text: string): Sense[] => senses(wordsOf(text, 0, text.length));
const means = (a: Sense, b: Sense): boolean => a.without === b.without && alike(a.word, b.word);

type Grade = "exact" | "beginning" | "slip";

interface TypeFound {
  from: number;
  to: number;
  types: Vocabulary["types"];
  /** Where else the type's words may end, the nearest first: the rest would then be of the place. */
  ends: number[];
}

const lexicons = new WeakMap<object, Sense[]>();
function lexicon(type: Vocabulary["types"][number]): Sense[] {
  let found = lexicons.get(type);
  if (!found) {
    found = sensesOf(`${type.name} ${type.words}`);
    lexicons.set(type, found);
  }
  return found;
}

function graded(types: Vocabulary["types"], sense: Sense, grade: Grade): Vocabulary["types"] {
  return types.filter((type) =>
    lexicon(type).some((own) => {
      if (own.without !== sense.without) return false;
      if (grade === "exact") return alike(own.word, sense.word);
      if (grade === "beginning") return sense.word.length >= 3 && own.word.startsWith(sense.word);
      return slips(sense.word, own.word, allowed(sense.word)) <= allowed(sense.word);
    }),
  );
}

/** The longest beginning of `words` that some type is called. Only its first telling word may be cut short or misspelt. */
function typeAt(words: Word[], vocabulary: Vocabulary, grades: Grade[]): TypeFound | null {
  const [first] = words;
  if (!first) return null;
  const coded = vocabulary.types.find(({ code }) => folded(code) === first.text);
  if (coded) return { from: first.from, to: first.to, types: [coded], ends: [] };
  let types: Vocabulary["types"] = vocabulary.types;
  let told = 0;
  let without = false;
  const ends: number[] = [];
  for (const word of words) {
    if (word.text === "sin") {
      without = true;
      continue;
    }
    if (EMPTY.has(word.text)) continue;
    const sense = { word: word.text, without };
    without = false;
    let next: Vocabulary["types"] = [];
    for (const grade of told === 0 ? grades : (["exact"] as Grade[])) {
      next = graded(types, sense, grade);
      if (next.length > 0) break;
    }
    if (next.length === 0) break;
    types = next;
    told += 1;
    ends.unshift(word.to);
  }
  const [to, ...others] = ends;
  return to === undefined ? null : { from: first.from, to, types, ends: others };
}

/** Which of several types is meant, by what else was said; the priority only says which is read first. */
function weigh(types: Vocabulary["types"], note: Sense[], level: Level | null): { types: Vocabulary["types"]; sure: boolean } {
  const score = (type: Vocabulary["types"][number]) => note.filter((said) => lexicon(type).some((own) => means(own, said))).length;
  const ranked = types.map((type) => ({ type, score: score(type), level: level !== null && type.priority === level ? 1 : 0 })).sort((a, b) => b.score - a.score || b.level - a.level);
  const [first, second] = ranked;
  return { types: ranked.map(({ type }) => type), sure: first !== undefined && (second === undefined || first.score > second.score) };
}

// ── Units, incidents ─────────────────────────────────────────────────────────────────────────────

/** `GUM-07`, `gum 7` and `gum07` are one call sign. */
export const callSign = (text: string): string => folded(text).replace(/[^\p{L}\p{N}]+/gu, "").replace(/(?<!\d)0+(?=\d)/g, "");

function unitPiece(text: string, from: number, to: number, vocabulary: Vocabulary, picks: Picks): Piece {
  const said = callSign(text.slice(from, to));
  const exact = vocabulary.units.filter(({ call_sign }) => callSign(call_sign) === said);
  const near =
    exact.length > 0
      ? exact
      : /^\d+$/.test(said)
        ? vocabulary.units.filter(({ call_sign }) => /\d+$/.exec(callSign(call_sign))?.[0] === said)
        : vocabulary.units.filter(({ call_sign }) => said !== "" && callSign(call_sign).startsWith(said));
  return chosen(text, "unit", from, to, near.map(({ id, call_sign }) => ({ value: id, label: call_sign })), exact.length === 1, picks);
}

const CALL_SIGN = /^\p{L}{1,8}[\s.-]?\d{1,4}/u;

/** Call signs from `at` on, as far as they go; a letter and its number may stand apart. */
function unitsAt(text: string, at: number, end: number, vocabulary: Vocabulary, picks: Picks, one: boolean): { pieces: Piece[]; to: number } {
  const pieces: Piece[] = [];
  const known = (from: number, to: number) => vocabulary.units.some(({ call_sign }) => callSign(call_sign) === callSign(text.slice(from, to)));
  let to = at;
  for (;;) {
    const gap = /^[\s,]*(?:y\s+)?/.exec(text.slice(to, end))?.[0] ?? "";
    const from = to + gap.length;
    const word = /^[\p{L}\p{N}][\p{L}\p{N}\p{M}.-]*/u.exec(text.slice(from, end))?.[0];
    if (!word) break;
    // "m 12", "gum 7": the longest that is a unit.
    let length = word.replace(/[.-]+$/, "").length || word.length;
    for (const match of [/^\S+\s+\S+\s+\S+/u, /^\S+\s+\S+/u]) {
      const joined = match.exec(text.slice(from, end))?.[0].replace(/[,.;]+$/u, "");
      if (joined && !joined.includes(",") && known(from, from + joined.length)) {
        length = joined.length;
        break;
      }
    }
    const exact = known(from, from + length);
    if (pieces.length > 0 && !exact && !CALL_SIGN.test(word)) break;
    pieces.push(unitPiece(text, from, from + length, vocabulary, picks));
    to = from + length;
    if (one) break;
  }
  return { pieces, to };
}

/** `4711`, `#4711`, `2026-004711`: the code that it stands for. */
export function codeOf(said: string, year: number): string | null {
  const whole = /^#?\s*(\d{4})-(\d{1,9})$/.exec(said.trim());
  if (whole) return `${whole[1]}-${(whole[2] ?? "").padStart(6, "0")}`;
  const number = /^#?\s*(\d{1,9})$/.exec(said.trim());
  return number ? `${year}-${(number[1] ?? "").padStart(6, "0")}` : null;
}

function incidentPiece(text: string, from: number, to: number, vocabulary: Vocabulary): Piece {
  const code = codeOf(text.slice(from, to), vocabulary.year);
  const found = vocabulary.incidents.find((each) => each.code === code);
  return { kind: "incident", from, to, text: text.slice(from, to), certainty: found ? "solid" : "unknown", value: found?.id ?? null, choices: [] };
}

const INCIDENT = /#\s*\d[\d-]*/u;

// ── Words out of a list ──────────────────────────────────────────────────────────────────────────

/** The longest beginning of `words` that one of the lists holds, forgiving slips; whoever begins with it, while nothing is it. */
function listedAt<T>(words: Word[], lists: { value: T; words: string[] }[]): { values: T[]; to: number; sure: boolean } | null {
  for (let length = Math.min(words.length, 6); length > 0; length -= 1) {
    const said = words.slice(0, length).map(({ text }) => text).join(" ");
    const to = words[length - 1]?.to ?? 0;
    const exact = lists.filter(({ words: own }) => own.includes(said));
    if (exact.length > 0) return { values: exact.map(({ value }) => value), to, sure: exact.length === 1 };
  }
  const [first] = words;
  if (!first) return null;
  for (let length = Math.min(words.length, 4); length > 0; length -= 1) {
    const said = words.slice(0, length).map(({ text }) => text).join(" ");
    const to = words[length - 1]?.to ?? 0;
    const most = allowed(said);
    const near = lists.map(({ value, words: own }) => ({ value, slips: Math.min(...own.map((word) => slips(said, word, most))) })).filter((each) => each.slips <= most);
    const least = Math.min(...near.map((each) => each.slips));
    const best = near.filter((each) => each.slips === least);
    if (most > 0 && best.length > 0) return { values: best.map(({ value }) => value), to, sure: best.length === 1 };
  }
  const begun = lists.filter(({ words: own }) => own.some((word) => word.startsWith(first.text) || word.split(" ").some((part) => part.length > 3 && part.startsWith(first.text))));
  return begun.length === 0 ? null : { values: begun.map(({ value }) => value), to: first.to, sure: begun.length === 1 && first.text.length >= 3 };
}

// ── Pieces ───────────────────────────────────────────────────────────────────────────────────────

const piece = (text: string, kind: PieceKind, from: number, to: number, certainty: Certainty = "solid", value: string | null = null, choices: Choice[] = []): Piece => ({
  kind, from, to, text: text.slice(from, to), certainty, value, choices,
});

/** A piece with what it may mean: sure, chosen before, to be chosen, or nothing. */
function chosen(text: string, kind: PieceKind, from: number, to: number, choices: Choice[], sure: boolean, picks: Picks): Piece {
  const picked = picks[pickKey(kind, text.slice(from, to))];
  const held = choices.find(({ value }) => value === picked);
  if (held) return piece(text, kind, from, to, "solid", held.value, choices);
  if (sure && choices[0]) return piece(text, kind, from, to, "solid", choices[0].value, choices);
  return piece(text, kind, from, to, choices.length > 0 ? "ambiguous" : "unknown", null, choices);
}

/** Cut to what is not blank; null when nothing is. */
function trimmed(text: string, from: number, to: number): [number, number] | null {
  while (from < to && /\s/u.test(text.charAt(from))) from += 1;
  while (to > from && /\s/u.test(text.charAt(to - 1))) to -= 1;
  return from < to ? [from, to] : null;
}

/** Every stretch that no piece owns and that is not blank becomes one: commas and the like are glue, words are `left`. */
function filled(text: string, pieces: Piece[], left: PieceKind): Piece[] {
  const sorted = [...pieces].sort((a, b) => a.from - b.from);
  const all: Piece[] = [];
  let at = 0;
  const gap = (to: number) => {
    const span = trimmed(text, at, to);
    if (!span) return;
    const [from, until] = span;
    const words = /[\p{L}\p{N}]/u.test(text.slice(from, until));
    all.push(piece(text, words ? left : "glue", from, until, words && left === "unknown" ? "unknown" : "solid", words ? text.slice(from, until) : null));
  };
  for (const each of sorted) {
    gap(each.from);
    all.push(each);
    at = each.to;
  }
  gap(text.length);
  return all;
}

// ── `n` ──────────────────────────────────────────────────────────────────────────────────────────

const COORDINATES = /^(-?\d{1,2}(?:\.\d+)?)\s*[,;]\s*(-?\d{1,3}(?:\.\d+)?)(?=$|[\s,])/u;

/** "-32.95,-60.66", latitude first as people say it: longitude and latitude. */
export function lonLatOf(said: string): [number, number] | null {
  const match = COORDINATES.exec(said.trim());
  if (!match || match[0].length !== said.trim().length) return null;
  const [lat, lon] = [Number(match[1]), Number(match[2])];
  return Math.abs(lat) <= 90 && Math.abs(lon) <= 180 ? [lon, lat] : null;
}

const PHONE = /(?<![\p{L}\p{N}])(?:tel[eé]fono|telefono|tel|cel(?:ular)?)[.:]?\s*(?=[+(\d])/giu;

function phoneAt(text: string, at: number): number | null {
  let to = at;
  let digits = 0;
  for (;;) {
    const group = /^[\s()./-]{0,3}\+?\d+/u.exec(text.slice(to));
    if (!group) break;
    const length = group[0].replace(/\D/g, "").length;
    // What follows a whole number is not of it: "tel 3414712233 2 heridos".
    if (digits >= 10 || (digits >= 7 && length < 3 && /^\s/u.test(group[0])) || digits + length > 15) break;
    to += group[0].length;
    digits += length;
  }
  if (digits < 3) return null;
  if (text.charAt(to) === ")") to += 1;
  return to;
}

function flags(text: string, start: number, vocabulary: Vocabulary, picks: Picks): Piece[] {
  const found: Piece[] = [];
  const taken = (at: number) => found.some(({ from, to }) => at >= from && at < to);
  for (const match of text.slice(start).matchAll(PHONE)) {
    const from = start + match.index;
    const to = phoneAt(text, from + match[0].length);
    if (to !== null && !taken(from)) found.push(piece(text, "phone", from, to, "solid", text.slice(from + match[0].length, to).trim()));
  }
  for (const match of text.slice(start).matchAll(/!\s*(\d+)/gu)) {
    const from = start + match.index;
    if (taken(from)) continue;
    const right = /^[1-4]$/.test(match[1] ?? "");
    found.push(piece(text, "priority", from, from + match[0].length, right ? "solid" : "unknown", right ? (match[1] ?? null) : null));
  }
  for (let at = text.indexOf(">", start); at >= 0; at = text.indexOf(">", at + 1)) {
    if (taken(at)) continue;
    const { pieces } = unitsAfter(text, at + 1, vocabulary, picks);
    found.push(piece(text, "glue", at, at + 1), ...pieces.filter(({ from }) => !taken(from)));
  }
  return found;
}

/** The units behind a `>`: parted by commas, so that the words behind them are still the note's. */
function unitsAfter(text: string, at: number, vocabulary: Vocabulary, picks: Picks): { pieces: Piece[]; to: number } {
  const pieces: Piece[] = [];
  let to = at;
  for (;;) {
    const gap = (pieces.length === 0 ? /^\s*/u : /^\s*,\s*/u).exec(text.slice(to))?.[0];
    if (gap === undefined) break;
    const behind = text.slice(to + gap.length);
    if (pieces.length > 0 && !CALL_SIGN.test(behind) && !isUnit(behind, vocabulary)) break;
    const end = to + gap.length + (/^[^,!>#]*/u.exec(behind)?.[0].length ?? 0);
    const next = unitsAt(text, to + gap.length, end, vocabulary, picks, true);
    if (next.pieces.length === 0) break;
    pieces.push(...next.pieces);
    to = next.to;
  }
  return { pieces, to };
}
const isUnit = (text: string, vocabulary: Vocabulary): boolean => {
  const word = /^[^\s,]+/u.exec(text)?.[0] ?? "";
  return word !== "" && vocabulary.units.some(({ call_sign }) => callSign(call_sign) === callSign(word));
};

/** What lies between commas and flags. */
function segments(text: string, start: number, taken: Piece[]): [number, number][] {
  const found: [number, number][] = [];
  let from = start;
  const cut = (to: number, next: number) => {
    const span = trimmed(text, from, to);
    if (span) found.push(span);
    from = next;
  };
  for (let at = start; at < text.length; at += 1) {
    const owner = taken.find((each) => at >= each.from && at < each.to);
    if (owner) {
      cut(owner.from, owner.to);
      at = owner.to - 1;
      continue;
    }
    const here = COORDINATES.exec(text.slice(at));
    if (here && (at === start || /\s/u.test(text.charAt(at - 1))) && !taken.some((each) => each.from >= at && each.from < at + here[0].length)) {
      at += here[0].length - 1;
      continue;
    }
    if (/[,;\n]/u.test(text.charAt(at))) cut(at, at + 1);
  }
  cut(text.length, text.length);
  return found;
}

function parseNew(text: string, start: number, vocabulary: Vocabulary, picks: Picks): Piece[] {
  const found = flags(text, start, vocabulary, picks);
  const [head, second, ...rest] = segments(text, start, found);
  const levelText = found.find(({ kind, certainty }) => kind === "priority" && certainty === "solid")?.value;
  const level = levelText ? (Number(levelText) as Level) : null;
  let type: TypeFound | null = null;
  let place: [number, number] | null = null;
  const notes: [number, number][] = [];

  const words = head ? wordsOf(text, head[0], head[1]) : [];
  if (head) {
    type = typeAt(words, vocabulary, ["exact"]);
    const last = [1, 2, 3].map((n) => (words.length > n ? typeAt(words.slice(-n), vocabulary, ["exact"]) : null)).findLast((each) => each !== null && each.to === head[1]);
    const secondFound = second ? typeAt(wordsOf(text, ...second), vocabulary, ["exact"]) : null;
    if (!type && last) {
      // "oroño y pellegrini choque"
      type = last;
      place = trimmed(text, head[0], last.from);
      if (second) notes.push(second);
    } else if (!type && second && secondFound && !typeAt(words, vocabulary, ["beginning", "slip"])) {
      // "oroño y pellegrini, choque"
      type = secondFound;
      place = head;
      const over = trimmed(text, secondFound.to, second[1]);
      if (over) notes.push(over);
    } else {
      type ??= typeAt(words, vocabulary, ["beginning", "slip"]);
      let from = type ? type.to : head[0];
      // "choque en oroño": the word between is of neither.
      for (const word of words) if (word.from >= from && type && LEADS.has(word.text) && /^\s*$/u.test(text.slice(from, word.from))) from = word.to;
      place = trimmed(text, from, head[1]) ?? null;
      if (place && !/[\p{L}\p{N}]/u.test(text.slice(...place))) place = null;
      if (type && !place && second) place = second;
      else if (second) notes.push(second);
    }
    notes.push(...rest);
  }
  const said = notes.flatMap(([from, to]) => sensesOf(text.slice(from, to)));
  if (type) {
    const { types, sure } = weigh(type.types, said, level);
    found.push(chosen(text, "type", type.from, type.to, types.map(({ code, name }) => ({ value: code, label: name })), sure, picks));
  }
  if (place) {
    const point = lonLatOf(text.slice(...place));
    found.push(piece(text, "place", place[0], place[1], point ? "solid" : "unknown", point ? point.join() : text.slice(...place)));
  }
  for (const [from, to] of notes) found.push(piece(text, "note", from, to, "solid", text.slice(from, to)));
  return filled(text, found, "glue");
}

/** Words of a place, and words beside it that belong to the note. */
export interface Reading {
  place: string;
  over: string;
}

/**
 * How the words of a place may be read, the likeliest first: as they stand; ending with the height; beginning one or two words later,
 * because people say "choque auto mitre y rioja" and "san martín 2300 humo negro" without a comma.
 */
export function readings(said: string): Reading[] {
  const words = wordsOf(said, 0, said.length);
  const found: Reading[] = [{ place: said.trim(), over: "" }];
  const add = (first: number, last: number) => {
    const [from, to] = [words[first]?.from, words[last]?.to];
    if (from === undefined || to === undefined || last - first < 1) return;
    const place = said.slice(from, to);
    const over = [said.slice(0, from), said.slice(to)].map((each) => each.replace(/^[\s,.;]+|[\s,.;]+$/gu, "")).filter(Boolean).join(" ");
    if (!found.some((each) => each.place === place)) found.push({ place, over });
  };
  const end = words.length - 1;
  const height = words.findIndex(({ text }, n) => n > 0 && /^\d{2,5}$/.test(text));
  if (height > 0 && height < end) add(0, height);
  const cross = words.findIndex(({ text }, n) => n > 0 && ["y", "e", "esq", "esquina"].includes(text));
  const count = cross > 0 ? words.findIndex(({ text }, n) => n > cross + 1 && /^\d+$/.test(text)) : -1;
  if (count > 0) add(0, count - 1);
  for (let first = 1; first <= 2; first += 1) {
    add(first, end);
    if (height > first && height < end) add(first, height);
  }
  if (cross > 0) for (let last = Math.min(end - 1, cross + 2); last > cross; last -= 1) add(0, last);
  return found.slice(0, 7);
}

// ── The other verbs ──────────────────────────────────────────────────────────────────────────────

function parseState(text: string, start: number, vocabulary: Vocabulary, picks: Picks): Piece[] {
  const { pieces, to } = unitsAt(text, start, text.length, vocabulary, picks, true);
  let unit = pieces;
  let words = wordsOf(text, to, text.length);
  let heard = listedAt(words, STATUSES.map((value) => ({ value, words: HEARD[value] })));
  if (unit[0]?.certainty === "unknown") {
    // "e lugar m12": the other way round.
    const all = wordsOf(text, start, text.length);
    const front = listedAt(all, STATUSES.map((value) => ({ value, words: HEARD[value] })));
    const behind = front ? unitsAt(text, front.to, text.length, vocabulary, picks, true) : null;
    if (front && behind?.pieces.some(({ certainty }) => certainty !== "unknown")) {
      unit = behind.pieces;
      words = all;
      heard = front;
    }
  }
  const found = [...unit];
  const [first] = words;
  if (heard && first) {
    const choices = heard.values.map((value) => ({ value, label: value }));
    found.push(chosen(text, "status", first.from, heard.to, choices, heard.sure, picks));
  } else if (first) found.push(piece(text, "status", first.from, first.to, "unknown"));
  return filled(text, found, "unknown");
}

function parseDispatch(text: string, start: number, vocabulary: Vocabulary, picks: Picks): Piece[] {
  const found: Piece[] = [];
  const hash = INCIDENT.exec(text.slice(start));
  if (hash) found.push(incidentPiece(text, start + hash.index, start + hash.index + hash[0].length, vocabulary));
  const [at, end] = hash && hash.index < 3 ? [start + hash.index + hash[0].length, text.length] : [start, hash ? start + hash.index : text.length];
  found.push(...unitsAt(text, at, end, vocabulary, picks, false).pieces);
  return filled(text, found, "unknown");
}

function parseRadio(text: string, start: number, vocabulary: Vocabulary, picks: Picks): Piece[] {
  const { pieces, to } = unitsAt(text, start, text.length, vocabulary, picks, true);
  let from = to;
  while (from < text.length && /[\s:,]/u.test(text.charAt(from))) from += 1;
  const span = pieces.length > 0 ? trimmed(text, from, text.length) : null;
  return filled(text, span ? [...pieces, piece(text, "text", span[0], span[1], "solid", text.slice(...span))] : pieces, "unknown");
}

function parseGo(text: string, start: number, vocabulary: Vocabulary, picks: Picks): Piece[] {
  const span = trimmed(text, start, text.length);
  if (!span) return filled(text, [], "unknown");
  const [from, to] = span;
  const said = text.slice(from, to);
  if (/^#/.test(said) || /^\d{4}-\d+$/.test(said)) return filled(text, [incidentPiece(text, from, to, vocabulary)], "unknown");
  const unit = unitPiece(text, from, to, vocabulary, picks);
  if (unit.certainty === "solid") return filled(text, [unit], "unknown");
  const point = lonLatOf(said);
  return filled(text, [piece(text, "place", from, to, point ? "solid" : "unknown", point ? point.join() : said)], "unknown");
}

function parseLink(text: string, start: number, vocabulary: Vocabulary): Piece[] {
  const said = /#?\s*\d[\d-]*/u.exec(text.slice(start));
  return filled(text, said ? [incidentPiece(text, start + said.index, start + said.index + said[0].trimEnd().length, vocabulary)] : [], "unknown");
}

function parseClose(text: string, start: number, vocabulary: Vocabulary, picks: Picks): Piece[] {
  const comma = text.indexOf(",", start);
  const end = comma < 0 ? text.length : comma;
  const words = wordsOf(text, start, end);
  const lists = vocabulary.results.map(({ code, name, words: also = "" }) => ({ value: code, words: [plain(name), ...plain(name).split(" o "), folded(code), ...wordsOf(name, 0, name.length).map((each) => each.text), ...wordsOf(also, 0, also.length).map((each) => each.text)].filter((word) => !EMPTY.has(word)) }));
  const found: Piece[] = [];
  const [first] = words;
  const result = listedAt(words, lists);
  if (first && result) {
    const choices = result.values.map((value) => ({ value, label: vocabulary.results.find(({ code }) => code === value)?.name ?? value }));
    found.push(chosen(text, "result", first.from, result.to, choices, result.sure, picks));
  } else if (first) found.push(piece(text, "result", first.from, first.to, "unknown"));
  let from = found[0]?.to ?? text.length;
  while (from < text.length && /[\s,.;:]/u.test(text.charAt(from))) from += 1;
  const note = trimmed(text, from, text.length);
  if (note) found.push(piece(text, "note", note[0], note[1], "solid", text.slice(...note)));
  return filled(text, found, "unknown");
}

function parsePriority(text: string, start: number): Piece[] {
  const span = trimmed(text, start, text.length);
  if (!span) return filled(text, [], "unknown");
  const said = /^[!p]?\s*([1-4])$/iu.exec(text.slice(...span));
  return filled(text, [piece(text, "priority", span[0], span[1], said ? "solid" : "unknown", said?.[1] ?? null)], "unknown");
}

/** Which verb a line begins with, and where its words begin. A long word may be misspelt. */
function verbOf(text: string): { verb: Verb; from: number; to: number } | null {
  const match = /^\s*([\p{L}]+)(?=$|[^\p{L}\p{N}\p{M}])/u.exec(text);
  if (!match) return null;
  const said = folded(match[1] ?? "");
  const [from, to] = [match[0].length - said.length, match[0].length];
  for (const [verb, words] of Object.entries(VERBS) as [Verb, string[]][]) if (words.includes(said)) return { verb, from, to };
  if (said.length < 5) return null;
  for (const [verb, words] of Object.entries(VERBS) as [Verb, string[]][]) if (words.some((word) => word.length > 4 && slips(said, word, 1) <= 1)) return { verb, from, to };
  return null;
}

export function parse(text: string, vocabulary: Vocabulary, picks: Picks = {}): Command {
  const head = verbOf(text);
  if (!head) return { verb: null, pieces: filled(text, [], "unknown") };
  const { verb, from, to } = head;
  // What stands before the words is the verb's; the rest is read as if it began there.
  const blank = " ".repeat(to) + text.slice(to);
  const read = (): Piece[] => {
    switch (verb) {
      case "new": return parseNew(blank, to, vocabulary, picks);
      case "dispatch": return parseDispatch(blank, to, vocabulary, picks);
      case "state": return parseState(blank, to, vocabulary, picks);
      case "radio": return parseRadio(blank, to, vocabulary, picks);
      case "go": return parseGo(blank, to, vocabulary, picks);
      case "link": return parseLink(blank, to, vocabulary);
      case "close": return parseClose(blank, to, vocabulary, picks);
      case "priority": return parsePriority(blank, to);
    }
  };
  return { verb, pieces: [piece(text, "verb", from, to, "solid", verb), ...read()] };
}

/** Whether the first words of a line without a verb are what somebody would say after `n`. */
export const looksNew = (text: string, vocabulary: Vocabulary): boolean => typeAt(wordsOf(text, 0, text.length), vocabulary, ["exact", "slip"]) !== null;

export const pieceOf = ({ pieces }: Command, kind: PieceKind): Piece | undefined => pieces.find((each) => each.kind === kind);
export const piecesOf = ({ pieces }: Command, kind: PieceKind): Piece[] => pieces.filter((each) => each.kind === kind);
export const noteOf = (command: Command): string => piecesOf(command, "note").map(({ text }) => text).join(", ");
