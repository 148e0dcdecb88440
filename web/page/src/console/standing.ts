/** Where units stand: those at one spot beside each other in a row, and the room that each row takes on the map. */

import type { GeoJSONSource, Map as MapLibre } from "maplibre-gl";
import type { Unit } from "../shared/types";
import { type Spot, spot } from "./place";

/** Zoom and size of a unit's sign in CSS pixels. */
export const UNIT_SIZES = [
  [9.4, 11],
  [12, 18],
  [14, 24],
] as const;
/** Further out than this, units are too many for their size. */
export const UNITS_FROM = 9.4;
/** From one sign to the next in a row, in sizes of a sign. */
export const STEP = 0.92;

export interface Standing {
  readonly at: Spot;
  readonly sign: `${Unit["mode"]}-${"busy" | "free"}`;
  /** Its place in the row of units that stand at one spot: 0 in the middle. */
  readonly place: number;
  /** It is there itself; else this is its base. */
  readonly live: boolean;
  readonly onShift: boolean;
}

/** The units of each spot, by code. */
function bySpot(units: Iterable<Unit>): Unit[][] {
  const spots = new Map<string, Unit[]>();
  for (const unit of units) {
    const key = `${unit.lon.toFixed(4)},${unit.lat.toFixed(4)}`;
    const there = spots.get(key);
    if (there) there.push(unit);
    else spots.set(key, [unit]);
  }
  return [...spots.values()].map((there) => there.sort((a, b) => (a.code < b.code ? -1 : 1)));
}

/** Units with the place each has in the row of those that stand at the same spot. */
export function inRows(units: Iterable<Unit>): Standing[] {
  return bySpot(units).flatMap((there) =>
    there.map((unit, i) => ({
      at: spot(unit.lon, unit.lat),
      sign: `${unit.mode}-${unit.case === null ? "free" : "busy"}` as const,
      place: i - (there.length - 1) / 2,
      live: unit.seen_at !== null,
      onShift: unit.on_shift,
    })),
  );
}

const ROOM = "unit-room";
/** A picture's height in pixels, and so the sign's size at an `icon-size` of one. */
const SIGN = 16;

/** Tells the map below where signs stand above it, so that it writes no name there. */
export class UnitRoom {
  private known = "";

  constructor(private readonly map: MapLibre) {
    const sizes = UNIT_SIZES.flatMap(([zoom, size]) => [zoom, size / SIGN]);
    map.addSource(ROOM, { type: "geojson", data: { type: "FeatureCollection", features: [] } });
    map.addLayer({
      id: ROOM,
      type: "symbol",
      source: ROOM,
      minzoom: UNITS_FROM,
      layout: {
        "icon-image": ["concat", `${ROOM}-`, ["get", "n"]],
        "icon-size": ["interpolate", ["linear"], ["zoom"], ...sizes],
        "icon-allow-overlap": true,
        "icon-padding": 0,
      },
    });
  }

  /** Costs the map a frame only when a unit has come to its base or left it: names do not give way to one in passing. */
  show(units: Iterable<Unit>): void {
    const rows = bySpot([...units].filter((unit) => unit.seen_at === null));
    const features = rows.map(([first, ...others]): GeoJSON.Feature => {
      const n = others.length + 1;
      return {
        type: "Feature",
        properties: { n },
        geometry: { type: "Point", coordinates: [first?.lon ?? 0, first?.lat ?? 0] },
      };
    });
    const now = JSON.stringify(features);
    if (now === this.known) return;
    this.known = now;
    for (const { length } of rows) this.picture(length);
    void this.map.getSource<GeoJSONSource>(ROOM)?.setData({ type: "FeatureCollection", features });
  }

  switchOn(on: boolean): void {
    this.map.setLayoutProperty(ROOM, "visibility", on ? "visible" : "none");
  }

  /** As wide as a row of so many, and with nothing on it. */
  private picture(n: number): void {
    const id = `${ROOM}-${n}`;
    if (this.map.hasImage(id)) return;
    const width = Math.ceil(SIGN * (1 + (n - 1) * STEP));
    this.map.addImage(id, { width, height: SIGN, data: new Uint8Array(width * SIGN * 4) });
  }
}
