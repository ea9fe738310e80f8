/** Every word a person reads comes from the catalogue; a test looks for strays. */
import i18next from "i18next";
import esAR from "../locale/es-AR.json";

export const i18n = i18next.createInstance();
void i18n.init({
  lng: "es-AR",
  fallbackLng: "es-AR",
  resources: { "es-AR": { translation: esAR } },
  interpolation: { escapeValue: false },
  initAsync: false,
  returnNull: false,
});

export const t = (key: string, values?: Record<string, unknown>): string => i18n.t(key, values ?? {});
export const has = (key: string): boolean => i18n.exists(key);

/** A coded word of the domain (`state.on_scene`); the code itself when the catalogue has no word yet. */
export const word = (family: string, code: string): string => (has(`${family}.${code}`) ? t(`${family}.${code}`) : code);
