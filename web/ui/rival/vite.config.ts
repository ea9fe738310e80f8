import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** Built for one measurement, into a folder that the command line names. */
export default defineConfig({ root: import.meta.dirname, base: "/rival/", plugins: [react()], build: { target: "es2022", assetsInlineLimit: 0, chunkSizeWarningLimit: 1400 }, worker: { format: "es" } });
