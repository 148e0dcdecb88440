/** Where a position stands on the screen: web mercator, north up, no tilt, as the map below shows it. */

/** Of the whole world, 0 to 1, east and south. */
export interface Spot {
  readonly x: number;
  readonly y: number;
}

export interface View {
  /** The middle of the screen. */
  readonly centre: Spot;
  /** CSS pixels that the whole world is wide. */
  readonly world: number;
  /** CSS pixels. */
  readonly width: number;
  readonly height: number;
}

/** Web mercator (EPSG:3857) scaled to one, from degrees. */
export function spot(lon: number, lat: number): Spot {
  const north = Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360));
  return { x: (lon + 180) / 360, y: (1 - north / Math.PI) / 2 };
}

/** The view of a map at a zoom, whose world is 512 pixels wide at zoom 0. */
export function viewAt(lon: number, lat: number, zoom: number, width: number, height: number): View {
  return { centre: spot(lon, lat), world: 512 * 2 ** zoom, width, height };
}

export function left(view: View, at: Spot): number {
  return (at.x - view.centre.x) * view.world + view.width / 2;
}

export function top(view: View, at: Spot): number {
  return (at.y - view.centre.y) * view.world + view.height / 2;
}

/** Between the stops of a scale (zoom, value), held at its ends. */
export function between(stops: readonly (readonly [number, number])[], zoom: number): number {
  let [lowZoom, low] = stops[0] ?? [0, 0];
  for (const [nextZoom, next] of stops) {
    if (zoom < nextZoom) {
      return nextZoom === lowZoom ? next : low + ((next - low) * Math.max(0, zoom - lowZoom)) / (nextZoom - lowZoom);
    }
    [lowZoom, low] = [nextZoom, next];
  }
  return low;
}
