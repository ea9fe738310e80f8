import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
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

const SQUEEZABLE = /\.(js|css|svg)$/;
const WORTH = 1_000; // bytes

/** `app.js.br` and `app.js.gz` beside `app.js`: squeezed once, as well as can be, and not for every visitor. */
function squeeze(folder: string): void {
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const path = join(folder, name);
    const content = SQUEEZABLE.test(name) ? readFileSync(path) : null;
    if (!content || content.length < WORTH) continue;
    writeFileSync(`${path}.br`, brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 10, [constants.BROTLI_PARAM_SIZE_HINT]: content.length } }));
    writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
  }
}

/** Built aside and swapped in whole: whoever is served meanwhile never meets an empty folder. */
function swapIn(): Plugin {
  return {
    name: "vigia-swap-in",
    apply: "build",
    closeBundle() {
      if (!existsSync(`${BUILDING}/index.html`)) return;
      squeeze(BUILDING);
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
    // What several screens share of the components' library is one file: many small ones pack worse than they save.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: "ui", test: /node_modules[\\/]@(mantine|floating-ui)[\\/]/, minShareCount: 2 }] } } },
  },
  worker: { format: "es" },
  server: { proxy: { "/api": BACKEND, "/feed": { target: BACKEND, ws: true } } },
  test: { environment: "happy-dom", include: ["src/**/*.test.{ts,tsx}"], restoreMocks: true },
});
