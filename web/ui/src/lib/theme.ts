/** Light or dark: follows the system until someone chooses, then remembers. The wall is always dark. */
import { createTheme, Modal, type CSSVariablesResolver, type MantineColorsTuple } from "@mantine/core";
import { createStore } from "zustand/vanilla";

export type Tema = "claro" | "oscuro";
const KEY = "vigia:tema";

const root = document.documentElement;
export const tema = createStore<{ tema: Tema }>(() => ({ tema: root.dataset.tema === "claro" ? "claro" : "oscuro" }));

function show(next: Tema): void {
  root.dataset.tema = next;
  root.dataset.mantineColorScheme = next === "oscuro" ? "dark" : "light";
  tema.setState({ tema: next });
}

export const toggleTema = (): void => chooseTema(tema.getState().tema === "oscuro" ? "claro" : "oscuro");

/** Null: as the system is. */
export function chooseTema(next: Tema | null): void {
  try {
    if (next) localStorage.setItem(KEY, next);
    else localStorage.removeItem(KEY);
  } catch {
    // Not remembered, then.
  }
  const shown = next ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "oscuro" : "claro");
  if (tema.getState().tema !== shown) show(shown);
}

/** The look of the map: with its colours, or without them so that only what lives on it has any. */
const LOOK_KEY = "vigia:mapa";
export const mapa = createStore<{ gris: boolean }>(() => ({ gris: remembered() === "gris" }));

function remembered(): string | null {
  try {
    return localStorage.getItem(LOOK_KEY);
  } catch {
    return null;
  }
}

export function toggleMapa(): void {
  const gris = !mapa.getState().gris;
  try {
    localStorage.setItem(LOOK_KEY, gris ? "gris" : "color");
  } catch {
    // Not remembered, then.
  }
  mapa.setState({ gris });
}

export function followSystem(): void {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => {
    if (localStorage.getItem(KEY) === null && !location.pathname.startsWith("/pared")) show(event.matches ? "oscuro" : "claro");
  });
}

/** A token's value now, for what is painted on canvas. */
export const token = (name: string): string => getComputedStyle(root).getPropertyValue(name).trim();

const brand: MantineColorsTuple = ["#eef1f8", "#d9dfee", "#b3bfdd", "#7cc0ff", "#7cc0ff", "#4d5f95", "#3b4c80", "#2f3d68", "#232d4f", "#1a2240"];

export const mantineTheme = createTheme({
  primaryColor: "marca",
  colors: { marca: brand },
  primaryShade: { light: 8, dark: 4 },
  autoContrast: true,
  fontFamily: "var(--face)",
  defaultRadius: 4,
  fontSizes: { xs: "13px", sm: "14px", md: "15px", lg: "16px", xl: "20px" },
  focusClassName: "foco",
  // Its header is no banner of the page.
  components: { Modal: Modal.extend({ defaultProps: { attributes: { header: { role: "presentation" } } } }) },
});

/** Mantine's own variables point at our tokens, so both themes come from one place. */
export const mantineVariables: CSSVariablesResolver = () => {
  const both = {
    "--mantine-color-body": "var(--s1)",
    "--mantine-color-text": "var(--tx)",
    "--mantine-color-dimmed": "var(--tx2)",
    "--mantine-color-placeholder": "var(--tx2)",
    "--mantine-color-anchor": "var(--lk)",
    "--mantine-color-default": "var(--s0)",
    "--mantine-color-default-hover": "var(--s3)",
    "--mantine-color-default-color": "var(--tx)",
    "--mantine-color-default-border": "var(--bd)",
    "--mantine-color-error": "var(--error)",
    "--mantine-color-disabled": "var(--s2)",
    "--mantine-color-disabled-color": "var(--tx2)",
    "--mantine-color-disabled-border": "var(--hairline)",
  };
  return { variables: {}, light: both, dark: both };
};
