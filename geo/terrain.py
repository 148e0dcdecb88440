"""What travel times are made from, and its digest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyproj
import scipy
import shapely
from shapely import LineString, MultiPolygon, Polygon

_MAKERS: Final = (
    *("raster", "network", "heap", "gates", "entries", "driving", "sailing"),
    *("terrain", "travel", "travel_cache", "valhalla"),
)
"""The modules whose change may change what is kept."""


@dataclass(frozen=True, slots=True)
class Terrain:
    """A district as travel sees it; shapes and positions in EPSG:4326.

    Raises ValueError for a speed or a cell that is not positive.
    """

    district: Polygon | MultiPolygon
    water: Sequence[Polygon | MultiPolygon]
    roads: Sequence[tuple[LineString, str, bool]]
    """Line, class, whether it is a bridge."""
    bases: Mapping[str, tuple[float, float]]
    """Code to longitude, latitude."""
    metric_crs: str
    cell_m: float
    speeds_kmh: Mapping[str, float]
    """`field`, `boat`, `foot` and every class of road."""
    osm: Path | None = None
    """An OpenStreetMap extract (.osm.pbf): vehicles go over its roads by Valhalla."""

    def __post_init__(self) -> None:
        if not all(speed > 0 for speed in (*self.speeds_kmh.values(), self.cell_m)):
            raise ValueError(f"speeds and cell size must be positive: {dict(self.speeds_kmh)}, {self.cell_m}")

    def digest(self) -> str:
        """SHA-256 (hex) of all of it, of the code that works on it and of the libraries beneath. Raises OSError."""
        whole = hashlib.sha256()
        for module in _MAKERS:
            whole.update(Path(__file__).with_name(f"{module}.py").read_bytes())
        versions = (np.__version__, scipy.__version__, shapely.geos_version_string, pyproj.__version__)
        ways = [(kind, bridge) for _, kind, bridge in self.roads]
        bases, speeds = sorted(self.bases.items()), sorted(self.speeds_kmh.items())
        plain = (versions, len(self.water), ways, bases, self.metric_crs, self.cell_m, speeds)
        whole.update(repr(plain).encode())
        for shape in (self.district, *self.water, *(line for line, _, _ in self.roads)):
            whole.update(shapely.to_wkb(shape))
        if self.osm is not None:
            # An extract may have gigabytes: what it is known by are its size, its time and its first megabyte.
            found = self.osm.stat()
            whole.update(repr((found.st_size, found.st_mtime_ns)).encode())
            with self.osm.open("rb") as file:
                whole.update(file.read(2**20))
        return whole.hexdigest()
