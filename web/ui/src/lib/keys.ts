/** Single-letter keys (WCAG 2.1.4): never inside a field, and a person may turn them off. The newest handler of a key wins. */
import { useEffect, useRef } from "react";
import { createStore } from "zustand/vanilla";

type Handler = (event: KeyboardEvent) => void;

const KEY = "vigia:teclas";
const stacks = new Map<string, Handler[]>();
export const keys = createStore<{ on: boolean }>(() => ({ on: localStorage.getItem(KEY) !== "no" }));

export function setKeys(on: boolean): void {
  localStorage.setItem(KEY, on ? "si" : "no");
  keys.setState({ on });
}

const FIELDS = "input, textarea, select, [contenteditable], [role=combobox], [role=listbox], [role=option]";
const isField = (target: EventTarget | null): boolean =>
  target instanceof Element && target.closest(FIELDS) !== null && !(target instanceof HTMLInputElement && /^(radio|checkbox)$/.test(target.type));

/** `ctrl+z`, `alt+m`, `escape`, `n`, `?`: one spelling for each stroke. */
export function stroke(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "code">): string {
  const key = event.altKey && event.code.startsWith("Key") ? event.code.slice(3).toLowerCase() : event.key.toLowerCase();
  return `${event.ctrlKey || event.metaKey ? "ctrl+" : ""}${event.altKey ? "alt+" : ""}${key}`;
}

function onKeyDown(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing || event.repeat) return;
  const name = stroke(event);
  const handler = stacks.get(name)?.at(-1);
  if (!handler) return;
  const bare = [...name].length === 1;
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
