/**
 * GCJ-02 to WGS 84, only so that the pin stands where the worker is on the page's own map: the report itself carries
 * the position as the device gave it, with its datum, and the server converts. The formula has no published
 * definition; it is the one that leaked in 2010 (Krasovsky 1940 ellipsoid), as in `geo/datum.py`.
 */

const A = 6378245.0;
const E2 = 0.006693421622965943;
const rad = (degrees: number): number => (degrees * Math.PI) / 180;
const deg = (radians: number): number => (radians * 180) / Math.PI;
const { sin, cos, sqrt, abs, PI } = Math;

/** GCJ-02 minus WGS 84, degrees, at a WGS 84 position inside China. */
function shift(lon: number, lat: number): [number, number] {
  const x = lon - 105;
  const y = lat - 35;
  const waves = 20 * sin(6 * PI * x) + 20 * sin(2 * PI * x);
  const wavesY = 20 * sin(PI * y) + 40 * sin((PI * y) / 3) + 160 * sin((PI * y) / 12) + 320 * sin((PI * y) / 30);
  const wavesX = 20 * sin(PI * x) + 40 * sin((PI * x) / 3) + 150 * sin((PI * x) / 12) + 300 * sin((PI * x) / 30);
  const root = sqrt(abs(x));
  const north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + ((waves + wavesY) * 2) / 3;
  const east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + ((waves + wavesX) * 2) / 3;
  const w2 = 1 - E2 * sin(rad(lat)) ** 2;
  const meridian = (A * (1 - E2)) / (w2 * sqrt(w2));
  const parallel = (A / sqrt(w2)) * cos(rad(lat));
  return [deg(east / parallel), deg(north / meridian)];
}

/** WGS 84 degrees of a GCJ-02 position in China, by solving the forward formula (to well under a millimetre). */
export function gcj02ToWgs84(lon: number, lat: number): [number, number] {
  let [x, y] = [lon, lat];
  for (let step = 0; step < 12; step++) {
    const [east, north] = shift(x, y);
    [x, y] = [lon - east, lat - north];
  }
  return [x, y];
}
