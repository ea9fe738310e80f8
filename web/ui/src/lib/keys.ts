/**
 * Single-letter keys (WCAG 2.1.4): never inside a field, and a person may turn them off. The newest handler of a key wins.
 * `g s` is a sequence: G, then S before one has thought of something else.
 */
import { useEffect, useRef } from "react";
import { createStore } from "zustand/vanilla";
import { inPast } from "./moment";

type Handler = (event: KeyboardEvent) => void;

const KEY = "vigia:teclas";
const stacks = new Map<string, Handler[]>();
export const keys = createStore<{ on: boolean }>(() => ({ on: localStorage.getItem(KEY) !== "no" }));

export function setKeys(on: boolean): void {
  localStorage.setItem(KEY, on ? "si" : "no");
  keys.setState({ on });
}

/** Which letter does another's work, as this person likes it: `{a: "q"}` — Q does what A did, and A does nothing. */
let keyMap: Readonly<Record<string, string>> = {};
export const keyOf = (letter: string): string => keyMap[letter.toLowerCase()]?.toUpperCase() ?? letter;

export function setKeyMap(map: Readonly<Record<string, string>>): void {
  keyMap = map;
  keys.setState((state) => ({ ...state }));
}

/** The letter whose work a stroke does; null where its own was given to another. */
function translated(name: string): string | null {
  const action = Object.keys(keyMap).find((each) => keyMap[each] === name);
  return action ?? (name in keyMap ? null : name);
}

/** A letter that cannot be given to an action, and why: another has it. */
export function takenBy(letter: string, action: string, actions: readonly string[], map: Readonly<Record<string, string>>): string | null {
  return actions.find((each) => each !== action && (map[each] ?? each) === letter) ?? null;
}

const FIELDS = "input, textarea, select, [contenteditable], [role=combobox], [role=listbox], [role=option]";
const isField = (target: EventTarget | null): boolean =>
  target instanceof Element && target.closest(FIELDS) !== null && !(target instanceof HTMLInputElement && /^(radio|checkbox)$/.test(target.type));

/** `ctrl+z`, `alt+m`, `escape`, `n`, `shift+n`, `?`: one spelling for each stroke. */
export function stroke(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey" | "code">): string {
  const key = event.altKey && event.code.startsWith("Key") ? event.code.slice(3).toLowerCase() : event.key.toLowerCase();
  const shift = event.shiftKey && /^\p{L}$/u.test(key);
  return `${event.ctrlKey || event.metaKey ? "ctrl+" : ""}${event.altKey ? "alt+" : ""}${shift ? "shift+" : ""}${key}`;
}

const SEQUENCE = 1_500;
const MODIFIERS: ReadonlySet<string> = new Set(["shift", "control", "alt", "meta"]);
let begun: { key: string; until: number } | null = null;

/** What a stroke means after the one before: a sequence's end, its beginning (null), or itself. */
function meaning(event: KeyboardEvent): string | null {
  const struck = stroke(event);
  const before = begun;
  begun = null;
  if (isField(event.target)) return struck;
  const name = translated(struck);
  if (name === null) return null;
  if (before && event.timeStamp < before.until && held(`${before.key} ${name}`)) return `${before.key} ${name}`;
  if (![...stacks].some(([each, handlers]) => each.length > 1 && each.startsWith(`${name} `) && handlers.length > 0)) return name;
  if (keys.getState().on) begun = { key: name, until: event.timeStamp + SEQUENCE };
  return held(name) ? name : null;
}
const held = (name: string): Handler | undefined => stacks.get(name)?.at(-1);

/** What keys may do while the screen shows the past: look around in it, move in it, and leave it. */
const LOOKS: ReadonlySet<string> = new Set([
  "j", "k", "shift+n", "enter", "escape", "m", " ", "l", "alt+m", "u", "t", "?", "f2", "f3", "f4", "f8", "f11", "tab", "g p", "f", "h", "shift+h", "backspace", ",", ".", "-", "+",
]);
let onRefused: () => void = () => {};
export const whenKeyRefused = (act: () => void): void => {
  onRefused = act;
};

/** Whether a stroke would act, while the screen shows what is not so any more. */
export const refusedInPast = (name: string, handled: boolean): boolean => !LOOKS.has(name) && (handled || /^(shift\+)?[\p{L}\d]$/u.test(name));

function onKeyDown(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing || event.repeat || MODIFIERS.has(event.key.toLowerCase())) return;
  const name = meaning(event);
  const handler = name === null ? undefined : held(name);
  if (name !== null && inPast() && !isField(event.target) && refusedInPast(name, handler !== undefined)) {
    event.preventDefault();
    return onRefused();
  }
  if (name === null || !handler) return;
  const bare = /^(shift\+)?.( .)?$/u.test(name);
  if (name !== "escape" && isField(event.target)) {
    if (bare || name === "ctrl+z" || name === "enter") return;
  }
  if (bare && !keys.getState().on) return;
  // A dialog has its own keys.
  if (document.querySelector("[aria-modal=true]") && name !== "escape") return;
  // What Enter and the space bar do on a button or a switch is the button's business.
  if ((name === "enter" || name === " ") && event.target instanceof Element && event.target.closest("button, a, summary, label, input, [role=option]")) return;
  handler(event);
}

addEventListener("keydown", onKeyDown);

export function useKey(name: string | readonly string[], handler: Handler, enabled = true): void {
  const latest = useRef(handler);
  useEffect(() => {
    latest.current = handler;
  });
  const names = typeof name === "string" ? name : name.join("\n"); // the space bar is a key like others
  useEffect(() => {
    if (!enabled) return;
    const act: Handler = (event) => {
      event.preventDefault();
      latest.current(event);
    };
    const all = names.split("\n");
    for (const each of all) stacks.set(each, [...(stacks.get(each) ?? []), act]);
    return () => {
      for (const each of all) stacks.set(each, (stacks.get(each) ?? []).filter((held) => held !== act));
    };
  }, [names, enabled]);
}

const DIGITS = ["1", "2", "3", "4", "5", "6", "7", "8", "9"] as const;
export const useDigits = (pick: (index: number) => void, enabled = true): void =>
  useKey(DIGITS, (event) => pick(Number(event.key) - 1), enabled);
