/** Small geometry of one place on the ground: what its circle looks like, which zones hold it, how far things are. */

import type { Place } from "../outbox/entry";
import { gcj02ToWgs84 } from "./gcj02";

const EARTH_M = 6371008.8;
const rad = (degrees: number): number => (degrees * Math.PI) / 180;

export type LonLat = readonly [number, number];

/** Where a place stands on the page's map (WGS 84). */
export function onMap(place: Place): LonLat {
  return place.datum === "gcj02" ? gcj02ToWgs84(place.lon, place.lat) : [place.lon, place.lat];
}

/** Metres between two places on the sphere (haversine; within 0.5 % of the ellipsoid). */
export function metresBetween([lon1, lat1]: LonLat, [lon2, lat2]: LonLat): number {
  const [a, b] = [rad(lat2 - lat1) / 2, rad(lon2 - lon1) / 2];
  const h = Math.sin(a) ** 2 + Math.cos(rad(lat1)) * Math.cos(rad(lat2)) * Math.sin(b) ** 2;
  return 2 * EARTH_M * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** A circle of `metres` around a place, as a polygon of 64 corners. */
export function circle([lon, lat]: LonLat, metres: number): GeoJSON.Feature<GeoJSON.Polygon> {
  const ring: [number, number][] = [];
  const high = (metres / EARTH_M) * (180 / Math.PI);
  const wide = high / Math.cos(rad(lat));
  for (let i = 0; i <= 64; i++) {
    const turn = (i % 64) * ((2 * Math.PI) / 64);
    ring.push([lon + wide * Math.cos(turn), lat + high * Math.sin(turn)]);
  }
  return { type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [ring] } };
}

function inRing([x, y]: LonLat, ring: GeoJSON.Position[]): boolean {
  let inside = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const [x1 = 0, y1 = 0] = ring[j] ?? [];
    const [x2 = 0, y2 = 0] = ring[i] ?? [];
    if (y1 > y !== y2 > y && x < x1 + ((y - y1) / (y2 - y1)) * (x2 - x1)) inside = !inside;
  }
  return inside;
}

/** The zones that hold a point (even-odd over all rings, so holes count). For the eye only; the server decides. */
export function zonesAt(zones: GeoJSON.FeatureCollection | undefined, at: LonLat): GeoJSON.Feature[] {
  return (zones?.features ?? []).filter(({ geometry }) => {
    if (geometry.type === "Polygon") return geometry.coordinates.filter((ring) => inRing(at, ring)).length % 2 === 1;
    if (geometry.type !== "MultiPolygon") return false;
    return geometry.coordinates.some((part) => part.filter((ring) => inRing(at, ring)).length % 2 === 1);
  });
}

/**
 * How well a finger places a pin: half a fingertip (12 px) in metres at this zoom (512 px tiles), rounded up to 5 m.
 */
export function fingerAccuracy(zoom: number, lat: number): number {
  const metresPerPixel = (2 * Math.PI * 6378137 * Math.cos(rad(lat))) / (512 * 2 ** zoom);
  return Math.max(5, Math.ceil((12 * metresPerPixel) / 5) * 5);
}

const STALE_MS = 20_000;

/** Which of two fixes to use: the sharper one, unless it is old, for the worker walks. */
export function better(current: Place | null, next: Place): Place {
  if (!current || current.by === "hand") return current ?? next;
  return next.accuracy <= current.accuracy || next.at - current.at > STALE_MS ? next : current;
}

/** The zoom at which a circle of so many metres is a sixth of a map so many pixels high; between 11 and 14.5: the
 * district's own layers are all there is to find one's way by, and closer up there is nothing left of them. */
export function zoomFor(accuracy: number, lat: number, pixels: number): number {
  const metresPerPixel = (accuracy * 12) / pixels;
  const zoom = Math.log2((2 * Math.PI * 6378137 * Math.cos(rad(lat))) / (512 * metresPerPixel));
  return Math.min(14.5, Math.max(11, zoom));
}
