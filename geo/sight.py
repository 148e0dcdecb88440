"""What a camera looks at: the part of a circle before it, and the smallest circle that covers that part."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from pyproj import Geod

_EARTH: Final = Geod(ellps="WGS84")


@dataclass(frozen=True, slots=True)
class Sight:
    """Where a camera stands (WGS 84 degrees), where it looks, and how far."""

    lon: float
    lat: float
    bearing_deg: float
    """Of the middle of its field of view, clockwise from north."""
    fov_deg: float
    """How wide it is, above 0 to 360."""
    range_m: float

    def middle(self) -> tuple[float, float, float]:
        """Longitude, latitude and radius in metres of the smallest circle that covers the whole field."""
        half = math.radians(self.fov_deg / 2)
        if half <= math.pi / 4:
            # Through the camera and the two far corners.
            ahead = radius = self.range_m / (2 * math.cos(half))
        elif half <= math.pi / 2:
            # From one far corner to the other.
            ahead, radius = self.range_m * math.cos(half), self.range_m * math.sin(half)
        else:
            ahead, radius = 0.0, self.range_m
        lon, lat = ahead_of(self.lon, self.lat, self.bearing_deg, ahead)
        return lon, lat, radius


def ahead_of(lon: float, lat: float, bearing_deg: float, metres: float) -> tuple[float, float]:
    """The point so many metres from another in a direction (clockwise from north), on the WGS 84 ellipsoid."""
    x, y, _ = _EARTH.fwd(lon, lat, bearing_deg, metres)
    return float(x), float(y)


def metres_between(lon: float, lat: float, other_lon: float, other_lat: float) -> float:
    """Metres between two points along the ellipsoid."""
    return float(_EARTH.inv(lon, lat, other_lon, other_lat)[2])
