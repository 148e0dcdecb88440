/** Units on the map, free or on a case; and the line from the unit to the case that is open. */

import type { GeoJSONSource, Map as MapLibre } from "maplibre-gl";
import type { Case, Unit } from "../shared/types";
import { unitSign } from "./icons";

const EMPTY: GeoJSON.FeatureCollection = { type: "FeatureCollection", features: [] };

/** Width on the screen that one unit takes where several stand in one place. */
const STEP = 20;

/** Units with the place each has in the row of those that stand at the same spot. */
export function rowsOf(units: Iterable<Unit>): GeoJSON.Feature<GeoJSON.Point>[] {
  const spots = new Map<string, Unit[]>();
  for (const unit of units) {
    const spot = `${unit.lon.toFixed(4)},${unit.lat.toFixed(4)}`;
    const there = spots.get(spot);
    if (there) there.push(unit);
    else spots.set(spot, [unit]);
  }
  const features: GeoJSON.Feature<GeoJSON.Point>[] = [];
  for (const there of spots.values()) {
    there.sort((a, b) => (a.code < b.code ? -1 : 1));
    there.forEach((unit, i) => {
      features.push({
        type: "Feature",
        properties: {
          code: unit.code,
          sign: unitSign(unit.mode, unit.case !== null),
          shift: [(i - (there.length - 1) / 2) * STEP, 0],
          busy: unit.case === null ? 0 : 1,
        },
        geometry: { type: "Point", coordinates: [unit.lon, unit.lat] },
      });
    });
  }
  return features;
}

export class UnitLayer {
  constructor(private readonly map: MapLibre) {
    map.addSource("units", { type: "geojson", data: EMPTY });
    map.addSource("selection", { type: "geojson", data: EMPTY });
    map.addLayer({
      id: "selection-line-casing",
      type: "line",
      source: "selection",
      filter: ["==", ["geometry-type"], "LineString"],
      layout: { "line-cap": "round" },
      paint: { "line-color": "#0d1317", "line-width": 6, "line-opacity": 0.75 },
    });
    map.addLayer({
      id: "selection-line",
      type: "line",
      source: "selection",
      filter: ["==", ["geometry-type"], "LineString"],
      layout: { "line-cap": "round" },
      paint: { "line-color": "#ffd166", "line-width": 2.4, "line-dasharray": [2, 1.6] },
    });
    map.addLayer({
      id: "units",
      type: "symbol",
      source: "units",
      minzoom: 9.4,
      layout: {
        "icon-image": ["get", "sign"],
        "icon-offset": ["get", "shift"],
        "icon-size": ["interpolate", ["linear"], ["zoom"], 9.4, 0.42, 12, 0.75, 14, 1],
        "icon-allow-overlap": true,
        "icon-ignore-placement": true,
        "symbol-sort-key": ["get", "busy"],
      },
    });
  }

  /** The ring goes over everything, so it is added after the cases. */
  addRing(): void {
    this.map.addLayer({
      id: "selection-ring",
      type: "circle",
      source: "selection",
      filter: ["==", ["geometry-type"], "Point"],
      paint: {
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 9, 13, 14, 20],
        "circle-color": "#ffd166",
        "circle-opacity": 0.12,
        "circle-stroke-color": "#ffd166",
        "circle-stroke-width": 2.5,
      },
    });
  }

  show(units: Iterable<Unit>): void {
    const data: GeoJSON.FeatureCollection = { type: "FeatureCollection", features: rowsOf(units) };
    void this.map.getSource<GeoJSONSource>("units")?.setData(data);
  }

  /** Ring the case, and draw a straight line from its unit: who comes, not the road taken. */
  select(c: Case | null, unit: Unit | undefined): void {
    const features: GeoJSON.Feature[] = [];
    if (c) {
      const at: GeoJSON.Position = [c.lon, c.lat];
      features.push({ type: "Feature", properties: {}, geometry: { type: "Point", coordinates: at } });
      if (unit && unit.case === c.case) {
        const way: GeoJSON.Position[] = [[unit.lon, unit.lat], at];
        features.push({ type: "Feature", properties: {}, geometry: { type: "LineString", coordinates: way } });
      }
    }
    void this.map.getSource<GeoJSONSource>("selection")?.setData({ type: "FeatureCollection", features });
  }
}
