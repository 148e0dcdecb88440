/** Builds the field page's service worker after the pages: one classic script with the list of that page's files in it. */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { build, type Plugin, type Rolldown } from "vite";

const ENTRY = "field.html";
const PUBLIC = ["field.webmanifest", "field-icon.svg", "field-icon-192.png"];

const hash = (content: string | Uint8Array): string => createHash("sha256").update(content).digest("hex").slice(0, 16);

/** Names of all files that a page needs: its chunks, what they import now or later, their styles and assets. */
export function filesOf(page: string, bundle: Rolldown.OutputBundle): string[] {
  const found = new Set<string>();
  const chunks = Object.values(bundle).filter((part) => part.type === "chunk");
  const visit = (name: string): void => {
    if (found.has(name)) return;
    found.add(name);
    const chunk = chunks.find((one) => one.fileName === name);
    if (!chunk) return;
    for (const next of [...chunk.imports, ...chunk.dynamicImports]) visit(next);
    for (const asset of chunk.viteMetadata?.importedCss ?? []) found.add(asset);
    for (const asset of chunk.viteMetadata?.importedAssets ?? []) found.add(asset);
  };
  for (const chunk of chunks) if (chunk.facadeModuleId?.endsWith(page)) visit(chunk.fileName);
  return [...found].sort();
}

export function fieldWorker(): Plugin {
  return {
    name: "onegrid-field-worker",
    apply: "build",
    enforce: "post",
    generateBundle: {
      order: "post",
      async handler(_options, bundle) {
        const html = bundle[ENTRY];
        if (html?.type !== "asset") this.error(`${ENTRY} is not in the build`);
        const root = resolve(import.meta.dirname, "..");
        const shell = [
          { url: "/field", revision: hash(html.source) },
          ...filesOf(ENTRY, bundle).map((name) => `/${name}`),
          ...PUBLIC.map((name) => ({ url: `/${name}`, revision: hash(readFileSync(resolve(root, "public", name))) })),
        ];
        const built = await build({
          configFile: false,
          root,
          logLevel: "warn",
          publicDir: false,
          define: { SHELL: JSON.stringify(shell), "process.env.NODE_ENV": '"production"' },
          build: {
            write: false,
            target: "es2022",
            lib: { entry: resolve(root, "worker/field-sw.ts"), formats: ["iife"], name: "fieldWorker" },
          },
        });
        const [output] = (Array.isArray(built) ? built : [built]) as Rolldown.RolldownOutput[];
        const script = output?.output[0];
        if (!script) this.error("the service worker was not built");
        this.emitFile({ type: "asset", fileName: "field-sw.js", source: script.code });
      },
    },
  };
}
