import "@mantine/core/styles.css";
import "maplibre-gl/dist/maplibre-gl.css";
import "./lib/ui/ui.css";
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { lazy, StrictMode, Suspense, type ReactNode } from "react";
import { createRoot } from "react-dom/client";
import { useStore } from "zustand";
import { Gate } from "./lib/Gate";
import { t } from "./lib/i18n";
import { followSystem, mantineTheme, mantineVariables, tema } from "./lib/theme";
import { SignIn } from "./sign-in/SignIn";

const Console = lazy(() => import("./console/Console").then(({ Console: component }) => ({ default: component })));
const Wall = lazy(() => import("./wall/Wall").then(({ Wall: component }) => ({ default: component })));

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
  return (
    <Gate>
      <Suspense fallback={<p className="page-message">{t("page.loading")}</p>}>{path.startsWith("/pared") ? <Wall /> : <Console />}</Suspense>
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
