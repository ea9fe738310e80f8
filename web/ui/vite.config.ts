import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const require = createRequire(import.meta.url);

/** Files with stable names beside the hashed ones: server-rendered pages link these. */
const STABLE: Record<string, string> = {
  "tokens.css": "./src/tokens/tokens.css",
  "fonts.css": "./src/tokens/fonts.css",
  "theme.js": "./src/tokens/theme.js",
  "vigia.svg": "./src/tokens/vigia.svg",
  "fonts/noto-sans-variable.woff2": require.resolve("@fontsource-variable/noto-sans/files/noto-sans-latin-wght-normal.woff2"),
  "fonts/noto-sans-regular.woff2": require.resolve("@fontsource/noto-sans/files/noto-sans-latin-400-normal.woff2"),
  "fonts/noto-sans-bold.woff2": require.resolve("@fontsource/noto-sans/files/noto-sans-latin-700-normal.woff2"),
};

const TYPES: Record<string, string> = { css: "text/css", js: "text/javascript", svg: "image/svg+xml", woff2: "font/woff2" };

function stableFiles(): Plugin {
  return {
    name: "vigia-stable-files",
    generateBundle() {
      for (const [fileName, path] of Object.entries(STABLE)) this.emitFile({ type: "asset", fileName, source: readFileSync(path) });
    },
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const name = (request.url ?? "").replace(/^\/static\//, "").split("?")[0] ?? "";
        const path = STABLE[name];
        if (path) {
          response.setHeader("Content-Type", TYPES[name.split(".").pop() ?? ""] ?? "text/plain");
          response.end(readFileSync(path));
          return;
        }
        if (/^\/(consola|pared|ingresar)/.test(request.url ?? "")) request.url = "/static/index.html";
        next();
      });
    },
  };
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const BUILDING = here(`./node_modules/.static-${process.pid}`);
const SERVED = here("../static");

/** Built aside and swapped in whole: whoever is served meanwhile never meets an empty folder. */
function swapIn(): Plugin {
  return {
    name: "vigia-swap-in",
    apply: "build",
    closeBundle() {
      if (!existsSync(`${BUILDING}/index.html`)) return;
      const old = `${BUILDING}-old`;
      if (existsSync(SERVED)) renameSync(SERVED, old);
      renameSync(BUILDING, SERVED);
      rmSync(old, { recursive: true, force: true });
    },
  };
}

const BACKEND = process.env.VIGIA_BACKEND ?? "http://127.0.0.1:8000";

export default defineConfig({
  base: "/static/",
  plugins: [react(), stableFiles(), swapIn()],
  build: {
    outDir: BUILDING,
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1400,
    modulePreload: { polyfill: false },
  },
  worker: { format: "es" },
  server: { proxy: { "/api": BACKEND, "/feed": { target: BACKEND, ws: true } } },
  test: { environment: "happy-dom", include: ["src/**/*.test.{ts,tsx}"], restoreMocks: true },
});
