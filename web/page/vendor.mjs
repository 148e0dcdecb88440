// After the build: what the analyst's folium page inlines, taken from npm at its locked version (see web/maps.py).
import { cpSync, mkdirSync } from "node:fs";
import { resolve } from "node:path";

const from = resolve(import.meta.dirname, "node_modules/leaflet");
const to = resolve(import.meta.dirname, "dist/vendor/leaflet");
mkdirSync(to, { recursive: true });
for (const name of ["LICENSE", "dist/leaflet.js", "dist/leaflet.css", "dist/images"]) {
  cpSync(resolve(from, name), resolve(to, name.replace("dist/", "")), { recursive: true });
}
