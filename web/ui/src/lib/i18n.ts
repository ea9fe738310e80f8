/** Every word a person reads comes from the catalogue; a test looks for strays. */
import i18next from "i18next";
import esAR from "../locale/es-AR.json";

export type Language = "es-AR" | "en";

/** The city's own: every word is in it, and what another catalogue lacks is said in it. */
const CITY: Language = "es-AR";
const KEPT = "vigia:idioma";
const OTHERS = { en: () => import("../locale/en.json") };

function chosen(): Language {
  try {
    return localStorage.getItem(KEPT) === "en" ? "en" : CITY;
  } catch {
    return CITY;
  }
}

/** Of this page. It is drawn in one language from its first word: another one is another page. */
export const LANGUAGE = chosen();
/** How numbers, days and hours are written. */
export const LOCALE = LANGUAGE === "en" ? "en-GB" : "es-AR";

export const i18n = i18next.createInstance();
void i18n.init({
  lng: CITY,
  fallbackLng: CITY,
  resources: { [CITY]: { translation: esAR } },
  interpolation: { escapeValue: false },
  initAsync: false,
  returnNull: false,
});

if (LANGUAGE !== CITY) {
  const words = await OTHERS[LANGUAGE]().catch(() => null); // no link: in the city's language, then
  if (words) {
    i18n.addResourceBundle(LANGUAGE, "translation", words.default);
    await i18n.changeLanguage(LANGUAGE);
    document.documentElement.lang = LANGUAGE;
  }
}

/** From now on in this language (null: the city's), at this seat: draws the page anew where it is another one. Drafts come back with it. */
export function speak(wanted: Language | null): void {
  const next = wanted ?? CITY;
  if (next === LANGUAGE) return;
  try {
    localStorage.setItem(KEPT, next);
  } catch {
    return; // a page that cannot keep the choice would be drawn anew for ever
  }
  location.reload();
}

export const t = (key: string, values?: Record<string, unknown>): string => i18n.t(key, values ?? {});
export const has = (key: string): boolean => i18n.exists(key);

/** A coded word of the domain (`state.on_scene`); the code itself when the catalogue has no word yet. */
export const word = (family: string, code: string): string => (has(`${family}.${code}`) ? t(`${family}.${code}`) : code);
