/** The map beside the queue: the district's layers, cases, units, the selection; and what a click on it means. */

import type { Map as MapLibre } from "maplibre-gl";
import { lang } from "../shared/i18n";
import { makeMap, makeOverlay } from "../shared/map";
import { nameZones, SWITCHES, type Switch, showZones, switchZones } from "../shared/map-style";
import type { Case, District, Unit } from "../shared/types";
import type { Held } from "./attention";
import type { Book } from "./book";
import { CASE_LAYERS, CaseLayer } from "./case-layer";
import type { Moment } from "./filter";
import { addSigns } from "./icons";
import { UnitLayer } from "./unit-layer";

export class MapView {
  readonly cases: CaseLayer;
  private readonly units: UnitLayer;

  private constructor(
    private readonly map: MapLibre,
    private readonly over: MapLibre,
    private readonly district: District,
    onCase: (id: string) => void,
  ) {
    addSigns(over);
    this.units = new UnitLayer(over);
    this.cases = new CaseLayer(over);
    this.units.addRing();
    map.on("click", (event) => {
      const { x, y } = event.point;
      const near = over.queryRenderedFeatures(
        [
          [x - 6, y - 6],
          [x + 6, y + 6],
        ],
        { layers: ["cases"] },
      );
      // The one on top is the last drawn, which is the most pressing.
      const [hit] = near.sort((a, b) => Number(b.properties.rank) - Number(a.properties.rank));
      if (hit) onCase(String(hit.properties.id));
    });
    map.on("mousemove", (event) => {
      const hit = over.queryRenderedFeatures(event.point, { layers: ["cases"] }).length > 0;
      map.getCanvas().style.cursor = hit ? "pointer" : "";
    });
  }

  /** `container` takes the district, `above` what changes on it. */
  static async make(
    container: HTMLElement,
    above: HTMLElement,
    district: District,
    onCase: (id: string) => void,
  ): Promise<MapView> {
    const map = await makeMap({ container, bbox: district.bbox, paper: "dark", lang: lang() });
    return new MapView(map, await makeOverlay(map, above), district, onCase);
  }

  zones(layer: string, zones: GeoJSON.FeatureCollection): void {
    showZones(this.map, layer, zones);
  }

  updateCases(ids: Iterable<string> | null, book: Book, moment: Moment, test: (held: Held) => boolean): void {
    this.cases.update(ids, book, moment, test);
  }

  updateUnits(units: Iterable<Unit>): void {
    this.units.show(units);
  }

  /** Ring a case and tie its unit to it; move only if it is not comfortably in view. */
  select(c: Case | null, unit: Unit | undefined, centre = false): void {
    this.units.select(c, unit);
    if (!c) return;
    const view = this.map.getBounds();
    const [wide, high] = [(view.getEast() - view.getWest()) * 0.08, (view.getNorth() - view.getSouth()) * 0.08];
    const inside =
      c.lon > view.getWest() + wide &&
      c.lon < view.getEast() - wide &&
      c.lat > view.getSouth() + high &&
      c.lat < view.getNorth() - high;
    const zoom = this.map.getZoom();
    if (centre) this.map.easeTo({ center: [c.lon, c.lat], zoom: Math.max(zoom, 13.5), duration: calm(450) });
    else if (!inside) this.map.easeTo({ center: [c.lon, c.lat], duration: calm(350) });
  }

  switchLayer(name: string, on: boolean): void {
    if (name in SWITCHES) switchZones(this.map, name as Switch, on);
    const own: readonly string[] =
      name === "cases"
        ? [...CASE_LAYERS]
        : name === "units"
          ? ["units", "selection-line", "selection-line-casing"]
          : [];
    for (const layer of own) this.over.setLayoutProperty(layer, "visibility", on ? "visible" : "none");
  }

  home(): void {
    const [west, south, east, north] = this.district.bbox;
    this.map.fitBounds([west, south, east, north], { padding: 24, duration: calm(400) });
  }

  zoom(by: 1 | -1): void {
    if (by > 0) this.map.zoomIn({ duration: calm(200) });
    else this.map.zoomOut({ duration: calm(200) });
  }

  speak(): void {
    nameZones(this.map, lang());
  }

  resize(): void {
    this.map.resize();
  }
}

/** A duration, or none for those who asked for less motion. */
function calm(ms: number): number {
  return matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : ms;
}
