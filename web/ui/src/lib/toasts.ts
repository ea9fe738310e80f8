/** Short words at the foot of the screen, with ten seconds to undo. */
import { createStore } from "zustand/vanilla";
import { explain } from "./explain";
import { t } from "./i18n";
import { inPast } from "./moment";
import { undo } from "./verbs";
import type { UndoOffer } from "./wire";

export interface Toast {
  id: number;
  text: string;
  tone: "done" | "failed";
  undo?: () => Promise<unknown>;
  /** When it goes, in the time of `performance.now()`. */
  until: number;
}

const STAYS = 10_000;
let last = 0;
export const toasts = createStore<{ all: Toast[] }>(() => ({ all: [] }));

export const dropToast = (id: number): void => toasts.setState(({ all }) => ({ all: all.filter((toast) => toast.id !== id) }));

export function say(text: string, undo?: () => Promise<unknown>, tone: Toast["tone"] = "done"): void {
  last += 1;
  const id = last;
  toasts.setState(({ all }) => ({ all: [...all.slice(-2), { id, text, tone, undo, until: performance.now() + STAYS }] }));
  setTimeout(() => dropToast(id), STAYS);
}

export const sayFailed = (error: unknown): void => say(explain(error), undefined, "failed");

/** What the toast's button does, where the server offers a way back. */
export const undoOf = (answer: { undo?: UndoOffer | null } | null): (() => Promise<unknown>) | undefined => {
  const offer = answer?.undo;
  return offer ? () => undo(offer) : undefined;
};

export async function undoLast(): Promise<void> {
  const toast = toasts.getState().all.findLast(({ undo }) => undo);
  if (toast) await undoToast(toast);
}

export async function undoToast({ id, undo }: Toast): Promise<void> {
  if (inPast()) return say(t("replay.refused"), undefined, "failed"); // it can still be taken back once one has returned
  dropToast(id);
  if (!undo) return;
  try {
    await undo();
    say(t("undo.done"));
  } catch (error) {
    sayFailed(error);
  }
}
