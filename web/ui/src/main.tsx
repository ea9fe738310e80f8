import "@mantine/core/styles.css";
import "maplibre-gl/dist/maplibre-gl.css";
import "./lib/wallToken";
import "./lib/ui/ui.css";
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { lazy, StrictMode, Suspense, type ComponentType, type ReactNode } from "react";
import { createRoot } from "react-dom/client";
import { useStore } from "zustand";
import { Gate } from "./lib/Gate";
import { t } from "./lib/i18n";
import { followSystem, mantineTheme, mantineVariables, tema } from "./lib/theme";
import { SignIn } from "./sign-in/SignIn";

const Console = lazy(() => import("./console/Console").then(({ Console: component }) => ({ default: component })));
const MapWindow = lazy(() => import("./console/layout/MapWindow").then(({ MapWindow: component }) => ({ default: component })));
const Wall = lazy(() => import("./wall/WallScreen").then(({ WallScreen: component }) => ({ default: component })));

const Shifts = lazy(() => import("./shifts/Shifts").then(({ Shifts: component }) => ({ default: component })));
const Resources = lazy(() => import("./resources/Resources").then(({ Resources: component }) => ({ default: component })));
const RunCards = lazy(() => import("./run-cards/RunCards").then(({ RunCards: component }) => ({ default: component })));
const Attendance = lazy(() => import("./attendance/Attendance").then(({ Attendance: component }) => ({ default: component })));

/** Screens by the beginning of their path; the console is for everything else. */
const SCREENS: [string, ComponentType][] = [
  ["/consola/mapa", MapWindow],
  ["/turnos", Shifts],
  ["/recursos", Resources],
  ["/tarjetas", RunCards],
];

const queries = new QueryClient({
  defaultOptions: { queries: { retry: 2, refetchOnWindowFocus: false, networkMode: "always" }, mutations: { retry: 0, networkMode: "always" } },
});

function Themed({ children }: { children: ReactNode }) {
  const dark = useStore(tema, (state) => state.tema === "oscuro");
  return (
    <MantineProvider theme={mantineTheme} cssVariablesResolver={mantineVariables} forceColorScheme={dark ? "dark" : "light"}>
      {children}
    </MantineProvider>
  );
}

function Page() {
  const path = location.pathname;
  if (path.startsWith("/ingresar")) return <SignIn />;
  const loading = <p className="page-message">{t("page.loading")}</p>;
  if (path.startsWith("/fichar"))
    return (
      <Suspense fallback={loading}>
        <Attendance />
      </Suspense>
    );
  if (path.startsWith("/pared"))
    return (
      <Suspense fallback={loading}>
        <Wall />
      </Suspense>
    );
  const Screen = SCREENS.find(([start]) => path.startsWith(start))?.[1] ?? Console;
  return (
    <Gate>
      <Suspense fallback={loading}>
        <Screen />
      </Suspense>
    </Gate>
  );
}

followSystem();
const root = document.getElementById("vigia");
if (root)
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queries}>
        <Themed>
          <Page />
        </Themed>
      </QueryClientProvider>
    </StrictMode>,
  );
