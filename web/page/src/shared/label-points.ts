/** Where to write a zone's name: one point inside each zone, so that a name stands once and not once a tile. */

type Ring = GeoJSON.Position[];

function ringArea(ring: Ring): number {
  let twice = 0;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const [x1 = 0, y1 = 0] = ring[j] ?? [];
    const [x2 = 0, y2 = 0] = ring[i] ?? [];
    twice += x1 * y2 - x2 * y1;
  }
  return twice / 2;
}

function crossings(rings: Ring[], y: number): number[] {
  const at: number[] = [];
  for (const ring of rings) {
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
      const [x1 = 0, y1 = 0] = ring[j] ?? [];
      const [x2 = 0, y2 = 0] = ring[i] ?? [];
      if (y1 > y !== y2 > y) at.push(x1 + ((y - y1) / (y2 - y1)) * (x2 - x1));
    }
  }
  return at.sort((a, b) => a - b);
}

/**
 * A point inside the largest part of a polygon, away from its edges: the middle of the widest stretch among
 * horizontal cuts, nearer cuts to the middle of the polygon being preferred. Degrees in, degrees out; null when empty.
 */
export function pointInside(geometry: GeoJSON.Geometry): [number, number] | null {
  const parts =
    geometry.type === "Polygon" ? [geometry.coordinates] : geometry.type === "MultiPolygon" ? geometry.coordinates : [];
  let largest: Ring[] | null = null;
  let most = 0;
  for (const part of parts) {
    const area = Math.abs(ringArea(part[0] ?? []));
    if (area > most) {
      most = area;
      largest = part;
    }
  }
  if (!largest?.[0]) return null;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const [, y = 0] of largest[0]) {
    low = Math.min(low, y);
    high = Math.max(high, y);
  }
  let best: [number, number] | null = null;
  let worth = 0;
  for (const share of [0.5, 0.42, 0.58, 0.34, 0.66, 0.25, 0.75]) {
    const y = low + (high - low) * share;
    const at = crossings(largest, y);
    for (let i = 0; i + 1 < at.length; i += 2) {
      const [west = 0, east = 0] = [at[i], at[i + 1]];
      const value = (east - west) * (1 - Math.abs(share - 0.5));
      if (value > worth) {
        worth = value;
        best = [(west + east) / 2, y];
      }
    }
  }
  return best;
}

/** One labelled point a zone, with the zone's properties. */
export function labelPoints(zones: GeoJSON.FeatureCollection): GeoJSON.FeatureCollection<GeoJSON.Point> {
  const features: GeoJSON.Feature<GeoJSON.Point>[] = [];
  for (const zone of zones.features) {
    const coordinates = pointInside(zone.geometry);
    if (coordinates)
      features.push({ type: "Feature", properties: zone.properties, geometry: { type: "Point", coordinates } });
  }
  return { type: "FeatureCollection", features };
}
