"""Zones and surfaces made ready to be drawn in a page: simplified, rounded, coloured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from scipy.ndimage import map_coordinates
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from geo.grid import Cover, Layer, Zone
from geo.heat import Surface
from web.legend import DENSITY_COLOURS, density_levels, spread

Floats = NDArray[np.float64]
Shapes = list[tuple[str, Polygon | MultiPolygon]]

CORNERS_AT_MOST = 30_000
"""Per layer: some 700 kB of GeoJSON."""
TOLERANCES = (0.0001, 0.0002, 0.0004, 0.0008, 0.0016)
"""Degrees; 0.0001 is some ten metres, less than a line's width on a map of a district."""
NAMED_WATER_RADIUS = 0.01
"""Degrees, about a kilometre: a lake has a name on the map, a polder's ditches have not."""
DECIMALS = 5
"""Of a degree: one metre."""


def simplified(layer: Layer) -> Shapes:
    """Code and geometry of each zone, with as few corners as a page can carry, shared edges still shared (EPSG:4326).

    A layer that stays too heavy at the coarsest tolerance is returned so.
    """
    shapes = [zone.geometry for zone in layer.zones]
    simplify = shapely.coverage_simplify if layer.cover is Cover.PARTITION else shapely.simplify
    drawn = shapes
    for tolerance in TOLERANCES:
        drawn = list(simplify(shapes, tolerance))
        if int(shapely.get_num_coordinates(drawn).sum()) <= CORNERS_AT_MOST:
            break
    return list(zip((zone.code for zone in layer.zones), drawn, strict=True))


def outlines(shapes: Sequence[Polygon | MultiPolygon]) -> list[Polygon]:
    """The outlines around shapes, one for those that touch; none for none. Shapes need not be valid."""
    together = shapely.union_all(shapely.make_valid(np.array(shapes, dtype=object))) if shapes else Polygon()
    return [part for part in shapely.get_parts(together) if isinstance(part, Polygon) and not part.is_empty]


def raster(surface: Surface, place: Polygon | MultiPolygon, columns: int = 720) -> NDArray[np.uint8]:
    """A density surface as an image over the bounds of `place`, in classes; clear outside it and below the lowest.

    (rows, columns, 4) RGBA, row 0 northernmost. Rows are evenly spaced in Web Mercator's northing and columns in
    longitude, as a web map stretches an image.
    """
    west, south, east, north = place.bounds
    to_mercator = Transformer.from_crs("EPSG:4326", "EPSG:3857", always_xy=True)
    (left, right), (low, high) = to_mercator.transform([west, east], [south, north])
    rows = max(1, round(columns * (high - low) / (right - left)))
    x = left + (np.arange(columns) + 0.5) * (right - left) / columns
    y = high - (np.arange(rows) + 0.5) * (high - low) / rows
    grid_x, grid_y = np.meshgrid(x, y)
    lon, lat = to_mercator.transform(grid_x, grid_y, direction="INVERSE")
    metric_x, metric_y = Transformer.from_crs("EPSG:4326", surface.crs, always_xy=True).transform(lon, lat)
    at = [(metric_y - surface.south) / surface.cell_m - 0.5, (metric_x - surface.west) / surface.cell_m - 0.5]
    value = map_coordinates(surface.density, at, order=1, mode="nearest")

    levels = density_levels(float(surface.density.max()))
    colours = [_rgba(colour, 210) for colour in spread(DENSITY_COLOURS, len(levels))] if levels else []
    table = np.array([(0, 0, 0, 0), *colours], dtype=np.uint8)
    image: NDArray[np.uint8] = table[np.searchsorted(np.array(levels), value, side="right")]
    shapely.prepare(place)
    image[~shapely.contains_xy(place, lon, lat)] = 0
    return image


def heat_points(lon: Floats, lat: Floats, at_most: int = 20_000) -> list[list[float]]:
    """Rows of latitude, longitude, number of cases: positions rounded to some 10 m, coarser where they are too many.

    Rounding joins cases at one place and keeps the file small.
    """
    if not len(lon):
        return []
    for step in (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01):
        cells, number = np.unique(np.round(np.column_stack([lat, lon]) / step), axis=0, return_counts=True)
        if len(number) <= at_most:
            break
    places = np.round(cells * step, DECIMALS)
    return [[float(y), float(x), int(n)] for (y, x), n in zip(places, number, strict=True)]


def named(layers: Mapping[str, Layer]) -> list[tuple[Zone, float, float]]:
    """Townships, and waters wide enough to hold a name; with each the longitude and latitude where its name stands."""
    places = [(zone, *_widest(zone.geometry)) for zone in layers["township"].zones]
    if water := layers.get("water"):
        found = [(zone, *_widest(zone.geometry)) for zone in water.zones]
        places += [place for place in found if place[3] >= NAMED_WATER_RADIUS]
    return [(zone, x, y) for zone, x, y, _ in places]


def _widest(shape: Polygon | MultiPolygon) -> tuple[float, float, float]:
    """Middle and radius of the largest circle in a shape's largest part, in degrees."""
    largest = max(shapely.get_parts(shape), key=lambda part: part.area)
    across = max(largest.bounds[2] - largest.bounds[0], largest.bounds[3] - largest.bounds[1])
    circle = shapely.maximum_inscribed_circle(largest, tolerance=across / 200)
    x, y = circle.coords[0]
    return float(x), float(y), float(circle.length)


def rounded(shape: BaseGeometry) -> BaseGeometry:
    """The shape as a page writes it."""
    return shapely.transform(shape, lambda corners: np.round(corners, DECIMALS))


def _rgba(colour: str, alpha: int) -> Sequence[int]:
    return (*bytes.fromhex(colour.removeprefix("#")), alpha)
