/** What someone typed is never lost: by Esc, by a reload, by the session ending. One entry per screen, person and form. */
import { useCallback, useEffect, useRef, useState } from "react";

const SAVE_EVERY = 500;
const PREFIX = "vigia:borrador";
const KEEP_FOR = 7 * 86_400_000;

let person = "";
export const draftsOf = (id: string): void => {
  person = id;
  forgetOld();
};

const keyOf = (form: string): string => `${PREFIX}:${location.pathname}:${person}:${form}`;

function read<T>(form: string): T | null {
  try {
    const text = localStorage.getItem(keyOf(form));
    return text === null ? null : (JSON.parse(text) as { value: T }).value;
  } catch {
    return null;
  }
}

function write(form: string, value: unknown): void {
  try {
    if (value === null) localStorage.removeItem(keyOf(form));
    else localStorage.setItem(keyOf(form), JSON.stringify({ at: Date.now(), value }));
  } catch {
    // Storage full or blocked: the text still lives in the form.
  }
}

function forgetOld(): void {
  try {
    for (const key of Object.keys(localStorage)) {
      if (!key.startsWith(PREFIX)) continue;
      const { at } = JSON.parse(localStorage.getItem(key) ?? "{}") as { at?: number };
      if (!at || Date.now() - at > KEEP_FOR) localStorage.removeItem(key);
    }
  } catch {
    // Nothing to forget.
  }
}

/** State that survives. `discard` is for when it was sent: back to the start, nothing kept. */
export function useDraft<T>(form: string, initial: T): [T, (next: Partial<T>) => void, () => void, boolean] {
  const [value, setValue] = useState<T>(() => read<T>(form) ?? initial);
  const [kept] = useState(() => read<T>(form) !== null);
  const latest = useRef<{ value: T; dirty: boolean }>({ value, dirty: false });

  useEffect(() => {
    const save = () => {
      if (latest.current.dirty) write(form, latest.current.value);
      latest.current.dirty = false;
    };
    const timer = setInterval(save, SAVE_EVERY);
    addEventListener("pagehide", save);
    return () => {
      save();
      clearInterval(timer);
      removeEventListener("pagehide", save);
    };
  }, [form]);

  const change = useCallback((next: Partial<T>) => {
    latest.current = { value: { ...latest.current.value, ...next }, dirty: true };
    setValue(latest.current.value);
  }, []);

  const discard = useCallback(() => {
    latest.current = { value: initial, dirty: false };
    write(form, null);
    setValue(initial);
    // The start is whatever the form was first drawn with.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [form]);

  return [value, change, discard, kept];
}

/** One line that survives: the reason for an act, mostly. */
export function useDraftLine(form: string): [string, (text: string) => void, () => void] {
  const [{ text }, change, discard] = useDraft(form, { text: "" });
  const write = useCallback((next: string) => change({ text: next }), [change]);
  return [text, write, discard];
}

/** A draft that lives in a store and not in one component: read, kept, and heard when another window of the same person wrote in it. */
export const readDraft = read;
export const keepDraft = write;
export function whenDraftMoves(form: string, act: () => void): () => void {
  const heard = ({ key }: StorageEvent) => key === keyOf(form) && act();
  addEventListener("storage", heard);
  return () => removeEventListener("storage", heard);
}
