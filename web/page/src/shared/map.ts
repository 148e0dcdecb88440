/** A map of the district on a page: MapLibre with its worker in the build, its controls named in the page's language. */

import { Map as MapLibre, type MapOptions, setWorkerUrl } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import { addHatch, districtStyle, MAP_FONTS, type Paper } from "./map-style";
import type { Lang } from "./types";

setWorkerUrl(workerUrl);

export interface DistrictMap {
  container: HTMLElement;
  bbox: readonly [number, number, number, number];
  paper: Paper;
  lang: Lang;
  padding?: number;
  more?: Partial<MapOptions>;
}

/** Resolves once the style stands (its zones come by `showZones`). */
export function makeMap({ container, bbox, paper, lang, padding = 24, more = {} }: DistrictMap): Promise<MapLibre> {
  const [west, south, east, north] = bbox;
  // Room enough that a tall, narrow screen can still show the whole district.
  const [wide, high] = [(east - west) * 1.2, (north - south) * 1.8];
  const map = new MapLibre({
    container,
    style: districtStyle(paper, lang),
    bounds: [west, south, east, north],
    fitBoundsOptions: { padding },
    maxBounds: [west - wide, south - high, east + wide, north + high],
    maxZoom: 18,
    localIdeographFontFamily: MAP_FONTS,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    fadeDuration: 0,
    ...more,
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  addHatch(map, paper);
  return new Promise((done) => map.once("load", () => done(map)));
}
