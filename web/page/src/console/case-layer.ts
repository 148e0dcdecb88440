/**
 * Cases on the map: one GeoJSON source, changed by differences only, at most one difference a frame and one on its way
 * to the worker at a time. Five thousand points stay cheap because nothing is sent twice.
 */

import type { GeoJSONSource, Map as MapLibre } from "maplibre-gl";
import { type Held, LOOKS, type Look, look } from "./attention";
import type { Book } from "./book";
import type { Moment } from "./filter";

const SOURCE = "cases";
export const CASE_LAYERS = ["cases-halo", "cases"] as const;

/** How many of the latest moments of drawing are kept for measuring. */
const KEPT = 20_000;

export class CaseLayer {
  private readonly drawn = new Map<string, Look>();
  private readonly moments = new Map<string, number>();
  private readonly add = new Map<string, GeoJSON.Feature>();
  private readonly remove = new Set<string>();
  /** Cases of the difference that is on its way, until a frame has shown them. */
  private showing: string[] = [];
  /** A difference is on its way: to the worker, then (`inSource`) to the screen. */
  private busy = false;
  private inSource = false;

  constructor(private readonly map: MapLibre) {
    map.addSource(SOURCE, {
      type: "geojson",
      data: { type: "FeatureCollection", features: [] },
      promoteId: "key",
      // Few, large tiles: a change makes them again, and at this zoom one unit is still only 4 metres.
      maxzoom: 10,
      buffer: 0,
    });
    const urgent = ["match", ["get", "look"], ["late", "unclaimed", "returned"], true, false];
    map.addLayer({
      id: "cases-halo",
      type: "circle",
      source: SOURCE,
      filter: ["==", ["get", "look"], "late"],
      paint: {
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 9, 9, 12, 15, 15, 20],
        "circle-color": "#ff5a4f",
        "circle-opacity": 0.2,
      },
    });
    map.addLayer({
      id: "cases",
      type: "symbol",
      source: SOURCE,
      layout: {
        "icon-image": ["concat", "case-", ["get", "look"]],
        "icon-allow-overlap": true,
        "icon-ignore-placement": true,
        "symbol-sort-key": ["get", "rank"],
        "icon-size": [
          "interpolate",
          ["linear"],
          ["zoom"],
          9,
          ["case", ["==", ["get", "look"], "late"], 0.62, urgent as never, 0.52, 0.36],
          11.5,
          ["case", ["==", ["get", "look"], "late"], 0.85, urgent as never, 0.72, 0.58],
          14,
          ["case", ["==", ["get", "look"], "late"], 1.1, urgent as never, 0.95, 0.85],
        ],
      },
    });
    map.on("render", () => this.rendered());
  }

  /** Look again at these cases (all, when none are named) and put what changed into the next difference. */
  update(ids: Iterable<string> | null, book: Book, moment: Moment, test: (held: Held) => boolean): void {
    for (const id of ids ?? new Set([...this.drawn.keys(), ...keys(book)])) {
      const held = book.get(id);
      const now = held && test(held) ? look(held, moment.now, moment.unclaimedAfter) : null;
      if (now === (this.drawn.get(id) ?? null)) continue;
      if (held && now) {
        this.drawn.set(id, now);
        this.remove.delete(id);
        this.add.set(id, feature(held, now));
      } else {
        this.drawn.delete(id);
        this.add.delete(id);
        this.remove.add(id);
      }
    }
    void this.send();
  }

  /** Milliseconds since the epoch at which a case was first on the screen. */
  shownAt(id: string): number | undefined {
    return this.moments.get(id);
  }

  private async send(): Promise<void> {
    if (this.busy || (this.add.size === 0 && this.remove.size === 0)) return;
    this.busy = true;
    const diff = { add: [...this.add.values()], remove: [...this.remove].map(key) };
    this.showing = [...this.add.keys()];
    this.add.clear();
    this.remove.clear();
    await this.map.getSource<GeoJSONSource>(SOURCE)?.updateData(diff);
    this.inSource = true;
    this.map.triggerRepaint();
  }

  /**
   * A frame was drawn. Only once it holds the last difference is the next one sent: sent earlier, each would make the
   * worker throw away the tiles it is at work on, and a busy hour would never be drawn.
   */
  private rendered(): void {
    if (!this.inSource || !this.map.isSourceLoaded(SOURCE)) return;
    const now = performance.timeOrigin + performance.now();
    for (const id of this.showing) if (!this.moments.has(id)) this.moments.set(id, now);
    this.showing = [];
    this.inSource = false;
    this.busy = false;
    for (const oldest of this.moments.keys()) {
      if (this.moments.size <= KEPT) break;
      this.moments.delete(oldest);
    }
    void this.send();
  }
}

function* keys(book: Book): Iterable<string> {
  for (const held of book.all()) yield held.c.case;
}

/** A key that is no number: a case number has more digits than the map's tiles can hold as one. */
function key(id: string): string {
  return `case ${id}`;
}

export function feature({ c }: Held, now: Look): GeoJSON.Feature {
  return {
    type: "Feature",
    properties: { key: key(c.case), id: c.case, look: now, rank: LOOKS.length - LOOKS.indexOf(now) },
    geometry: { type: "Point", coordinates: [c.lon, c.lat] },
  };
}
