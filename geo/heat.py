"""Where the cases are: counts per zone, density surfaces, and hot spots that are statistically real.

Pure: arrays in, arrays out. Positions are EPSG:4326 degrees; what is measured is measured in the district's own metric
CRS, in metres there and in km² outside.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from scipy.ndimage import gaussian_filter
from scipy.sparse import csr_array

from geo.grid import Layer

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

NOWHERE = -1
"""Zone index of a case that lies in no zone of the layer."""

CELLS_AT_MOST = 25_000_000
TOUCHING_M = 1.0
"""Zones nearer than this are neighbours: borders drawn by hand miss each other by less."""

STANDS_OUT = 1.959964
"""Standard deviations that one in twenty exceeds either way."""


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Cases per zone, in the order of the layer's zones (n zones)."""

    count: Integers
    """(n,) cases."""
    area_km2: Floats
    """(n,) in the district's metric CRS."""
    nowhere: int
    """Cases that lie in no zone of the layer; they are in no count."""

    @property
    def total(self) -> int:
        """Cases in all zones together."""
        return int(self.count.sum())

    @property
    def per_km2(self) -> Floats:
        """(n,) cases per km²."""
        return self.count / self.area_km2

    @property
    def share(self) -> Floats:
        """(n,) part of `total`, 0 to 1; all zero where there are no cases."""
        return self.count / max(self.total, 1)


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """A density on square cells of a metric CRS."""

    density: Floats
    """(rows, columns) cases per km² at the middle of each cell; row 0 is the southernmost, column 0 the westernmost."""
    west: float
    """Metres: left edge of column 0."""
    south: float
    """Metres: lower edge of row 0."""
    cell_m: float
    bandwidth_m: float
    crs: str
    points: int
    """Cases that lay within the bounds and so made the surface."""

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """West, east, south, north, in metres of `crs`."""
        rows, columns = self.density.shape
        return self.west, self.west + columns * self.cell_m, self.south, self.south + rows * self.cell_m


@dataclass(frozen=True, slots=True, eq=False)
class HotSpots:
    """What `hot_spots` found, in the order of the zones (n zones)."""

    z: Floats
    """(n,) Getis-Ord Gi*, in standard deviations; 0 where it is not defined."""
    p: Floats
    """(n,) two-sided, adjusted for the false discovery rate: compare with the rate wanted."""
    hot: Flags
    """(n,) more cases here and next door than chance explains."""
    cold: Flags
    """(n,) fewer."""


def counts(layer: Layer, zone_index: Integers) -> Counts:
    """Count cases per zone of one layer.

    `zone_index` is (m,), for each case the position of its zone in `layer.zones`, or `NOWHERE`. Raises ValueError for
    an index that the layer does not have.
    """
    zone_index = np.asarray(zone_index, dtype=np.int64)
    n = len(layer.zones)
    if zone_index.size and not (int(zone_index.min()) >= NOWHERE and int(zone_index.max()) < n):
        raise ValueError(f"zone index outside -1..{n - 1} in layer {layer.name}")
    inside = zone_index[zone_index != NOWHERE]
    area = np.fromiter((zone.area_km2 for zone in layer.zones), dtype=np.float64, count=n)
    return Counts(np.bincount(inside, minlength=n).astype(np.int64), area, int(zone_index.size - inside.size))


def density(
    lon: Floats,
    lat: Floats,
    bounds: tuple[float, float, float, float],
    metric_crs: str,
    *,
    cell_m: float,
    bandwidth_m: float,
) -> Surface:
    """Gaussian kernel density of points.

    `lon`, `lat` are (m,) degrees, `bounds` west, south, east, north in degrees; `cell_m` and `bandwidth_m` (the
    kernel's standard deviation) are metres of `metric_crs`. The surface covers the bounds and four bandwidths beyond,
    so it integrates to the number of points within the bounds, but for what the kernel's tails lose (under 0.1 %).
    Nothing is made up for at the district's border: there the density is too low rather than too high.

    Points are shared out to the four nearest cell middles by distance (linear binning: Wand 1994, 'Fast computation of
    multivariate kernel estimators', J. Comput. Graph. Statist. 3(4)), then smoothed. Raises ValueError for a cell,
    bandwidth or extent that cannot be computed.
    """
    if not (cell_m > 0 and bandwidth_m >= cell_m / 2):
        raise ValueError(f"cell {cell_m} m must be positive and at most twice the bandwidth {bandwidth_m} m")
    to_metric = Transformer.from_crs("EPSG:4326", metric_crs, always_xy=True)
    west, south, east, north = to_metric.transform_bounds(*bounds)
    margin = 4.0 * bandwidth_m
    west, south = west - margin, south - margin
    columns, rows = int(np.ceil((east + margin - west) / cell_m)), int(np.ceil((north + margin - south) / cell_m))
    if not 0 < rows * columns <= CELLS_AT_MOST:
        raise ValueError(f"{rows} x {columns} cells of {cell_m} m are more than {CELLS_AT_MOST}")

    lon, lat = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    within = (lon >= bounds[0]) & (lon <= bounds[2]) & (lat >= bounds[1]) & (lat <= bounds[3])
    x, y = to_metric.transform(lon[within], lat[within])
    column, row = (np.asarray(x) - west) / cell_m - 0.5, (np.asarray(y) - south) / cell_m - 0.5
    left, low = np.floor(column).astype(np.int64), np.floor(row).astype(np.int64)
    right_part, high_part = column - left, row - low
    binned = np.zeros((rows, columns))
    for up in (0, 1):
        for over in (0, 1):
            weight = (high_part if up else 1 - high_part) * (right_part if over else 1 - right_part)
            np.add.at(binned, (low + up, left + over), weight)
    smooth = gaussian_filter(binned, bandwidth_m / cell_m, mode="constant", truncate=5.0)
    return Surface(
        smooth / (cell_m / 1000.0) ** 2, west, south, cell_m, bandwidth_m, metric_crs, int(np.count_nonzero(within))
    )


def neighbours(layer: Layer, metric_crs: str) -> csr_array:
    """Which zones touch: (n, n), 1 where zones i and j are the same or lie within `TOUCHING_M` of each other."""
    to_metric = Transformer.from_crs("EPSG:4326", metric_crs, always_xy=True)

    def metric(corners: Floats) -> Floats:
        return np.column_stack(to_metric.transform(corners[:, 0], corners[:, 1]))

    shapes = [shapely.transform(zone.geometry, metric) for zone in layer.zones]
    one, other = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=TOUCHING_M)
    n = len(layer.zones)
    return csr_array((np.ones(len(one)), (one, other)), shape=(n, n))


def hot_spots(found: Counts, near: csr_array, rate: float = 0.05) -> HotSpots:
    """Zones where, together with their neighbours, there are more (or fewer) cases than chance explains.

    `near` is (n, n) as `neighbours` gives it, itself included; `rate` is the false discovery rate wanted.

    z is Gi* of Ord and Getis (1995), 'Local spatial autocorrelation statistics', Geographical Analysis 27(4):

        Gi* = (Σj wij xj - X̄ Σj wij) / (S √((n Σj wij² - (Σj wij)²) / (n - 1)))

    with xj the cases per km² of zone j, X̄ their mean and S their standard deviation (over n), and wij the area of zone
    j where it is a neighbour, else 0, so that Σj wij xj is the number of cases in zone i and next door.

    p is not read off the normal curve. With a few hundred cases on a thousand zones the counts are far too skewed for
    that: of simulated months without any hot spot, 95 in 100 would show one. Where a fixed number of cases falls by
    chance, evenly by area, the number in a neighbourhood is binomial; p is that exact tail, doubled, then adjusted by
    Benjamini and Hochberg (1995), 'Controlling the false discovery rate', J. R. Statist. Soc. B 57(1).

    A zone is hot where p is at most `rate` and z is at least `STANDS_OUT`, cold where z is at most its negative. Where
    cases crowd into towns, p alone would call nearly all other land cold, truly but to no purpose; z measures against
    the district's own unevenness.
    """
    n, total = len(found.count), found.total
    if n == 0:
        return HotSpots(np.zeros(0), np.ones(0), np.zeros(0, bool), np.zeros(0, bool))
    weight = near @ found.area_km2
    squares = near @ found.area_km2**2
    local = near @ found.count.astype(np.float64)

    x = found.per_km2
    spread = x.std() * np.sqrt(np.maximum(n * squares - weight**2, 0.0) / max(n - 1, 1))
    defined = spread > 1e-12 * max(float(x.max()), 1.0)
    z = np.divide(local - x.mean() * weight, spread, out=np.zeros(n), where=defined)

    fraction = np.clip(weight / found.area_km2.sum(), 0.0, 1.0)
    from scipy.stats import binom, false_discovery_control  # noqa: PLC0415  (a second to load: only for hot spots)

    tail = np.minimum(binom.sf(local - 1, total, fraction), binom.cdf(local, total, fraction))
    p = np.asarray(false_discovery_control(np.minimum(1.0, 2.0 * tail)))
    return HotSpots(z, p, (p <= rate) & (z >= STANDS_OUT), (p <= rate) & (z <= -STANDS_OUT))
