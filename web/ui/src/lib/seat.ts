/** What a seat asks and tells of its sounds, and what its person likes: types and verbs (docs/api.md). */
import { api } from "./api";
import type { Language } from "./i18n";
import type { Feature, Incident } from "./wire";

export interface Preferences {
  /** Percent. */
  volume: number;
  vibration: boolean;
  /** Single-letter keys (WCAG 2.1.4). */
  letters: boolean;
  /** Which letter does another's work: `{a: "q"}` — Q does what A did. */
  keys: Record<string, string>;
  theme: "system" | "light" | "dark";
  language: Language | null;
  /** The desk that this person sits at, as zones name it; "" hears of every zone. */
  desk: string;
}

export interface Told {
  id: string;
  earcon: "sos" | "p1" | "unit" | "soft" | "lost" | "back" | "test" | "seat";
  at: string;
  about?: string;
  sounded?: boolean;
}

export interface SeatTest {
  name: string;
  role: string;
  seen_at: string;
  tested_at: string | null;
  heard: boolean | null;
}

export const myPreferences = () => api<Preferences>("/preferences");
export const keepPreferences = (preferences: Preferences) => api<Preferences>("/preferences", { body: preferences });
export const tellSoundings = (soundings: Told[]) => api<{ kept: number }>("/soundings", { body: { soundings } });
export const soundTests = () => api<{ seats: SeatTest[] }>("/soundings/tests");
export const hear = (incident: Incident) => api<Feature<Incident>>(`/incidents/${incident.id}/heard`, { method: "POST" });
