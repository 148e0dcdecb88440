import { resolve } from "node:path";
import { defineConfig } from "vitest/config";
import { fieldWorker } from "./worker/build.ts";

const page = (name: string): string => resolve(import.meta.dirname, name);

/** The API's address while the pages are served by `npm run dev`; the built pages are served by the API itself. */
const api = process.env.ONEGRID_API ?? "http://127.0.0.1:8000";

export default defineConfig({
  base: "/",
  plugins: [fieldWorker()],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    chunkSizeWarningLimit: 1500,
    rolldownOptions: {
      input: { console: page("index.html"), field: page("field.html"), exports: page("exports.html") },
    },
  },
  server: { proxy: { "/api": api, "^/exports/.+\\.": api } },
  test: { include: ["src/**/*.test.ts", "src/**/*.test.tsx"], environment: "node" },
});
