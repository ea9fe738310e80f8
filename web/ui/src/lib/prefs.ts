/** What this person likes. Kept on the server, so that it follows them to another seat, and here for the first paint. */
import { createStore } from "zustand/vanilla";
import { useStore } from "zustand";
import { speak } from "./i18n";
import { keys, setKeys, setKeyMap } from "./keys";
import { keepPreferences, myPreferences, type Preferences } from "./seat";
import { session } from "./session";
import { chooseTema, tema } from "./theme";
import { sayFailed } from "./toasts";

export const FACTORY: Preferences = { volume: 80, vibration: false, letters: true, keys: {}, theme: "system", language: null, desk: "" };
const SAVE_AFTER = 400;

interface Kept {
  preferences: Preferences;
  /** Said here and not yet on the server. */
  unsent: boolean;
}

const keyOf = (): string => `vigia:preferencias:${session.getState().session?.person.id ?? ""}`;

function remembered(): Kept {
  try {
    const found = JSON.parse(localStorage.getItem(keyOf()) ?? "null") as Kept | null;
    if (found) return { preferences: { ...FACTORY, ...found.preferences }, unsent: found.unsent };
  } catch {
    // Not remembered, then.
  }
  return { preferences: { ...FACTORY, letters: keys.getState().on }, unsent: false };
}

function remember(kept: Kept): void {
  try {
    localStorage.setItem(keyOf(), JSON.stringify(kept));
  } catch {
    // It holds until this window closes, and on the server.
  }
}

export const prefs = createStore<Preferences>(() => FACTORY);
export const usePrefs = <T,>(select: (state: Preferences) => T): T => useStore(prefs, select);

function apply(preferences: Preferences): void {
  prefs.setState(preferences, true);
  setKeys(preferences.letters);
  setKeyMap(preferences.keys);
  if (preferences.theme !== "system") chooseTema(preferences.theme === "light" ? "claro" : "oscuro");
  speak(preferences.language);
}

let timer: ReturnType<typeof setTimeout> | null = null;

/** From now on like this: at once here, soon on the server. */
export function prefer(change: Partial<Preferences>): void {
  const preferences = { ...prefs.getState(), ...change };
  if (change.theme === "system") chooseTema(null);
  remember({ preferences, unsent: true }); // first: another language is another page
  apply(preferences);
  if (timer) clearTimeout(timer);
  timer = setTimeout(send, SAVE_AFTER);
}

function send(): void {
  timer = null;
  const preferences = prefs.getState();
  keepPreferences(preferences).then(() => {
    if (prefs.getState() === preferences) remember({ preferences, unsent: false });
  }, sayFailed);
}

let begun = false;

/** With a session: what is remembered here at once, then what the server knows. What was said here without a link goes there. */
export function startPreferences(): void {
  if (begun) return;
  begun = true;
  const kept = remembered();
  apply(kept.preferences);
  if (kept.unsent) send();
  else
    myPreferences().then(
      (found) => {
        if (timer !== null) return; // something was said meanwhile
        remember({ preferences: found, unsent: false });
        apply(found);
      },
      () => undefined, // as it is remembered, then
    );
  // Whoever chose a theme for all seats and presses the theme's button chooses again.
  tema.subscribe(({ tema: now }) => {
    const chosen = now === "claro" ? "light" : "dark";
    const { theme } = prefs.getState();
    if (theme !== "system" && theme !== chosen) prefer({ theme: chosen });
  });
  keys.subscribe(({ on }) => {
    if (prefs.getState().letters !== on) prefer({ letters: on });
  });
}
