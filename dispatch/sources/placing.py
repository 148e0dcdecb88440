"""Where something is that came without a position: in a zone that was named, or before a camera."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import shapely

from dispatch.district import District
from dispatch.errors import InvalidInput, PlaceAmbiguous, PlaceNotSaid, UnknownCamera
from dispatch.fields import plain
from geo.grid import Zone
from geo.sight import ahead_of, metres_between

LAYERS: Final = ("grid", "community", "township")
"""In which a place may be named, the smallest first."""
BY_ZONE: Final = "placed_by_zone"
BY_CAMERA: Final = "placed_by_camera"
SHORTEST: Final = 2
"""Characters of a name that is looked for in an address; codes are not: they stand in house numbers."""
MOST_M: Final = 10_000.0
"""A report's accuracy is at most that: a zone that is larger is covered as far as it goes."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place that was worked out: WGS 84 degrees, the metres within which it may be, and from what."""

    lon: float
    lat: float
    accuracy_m: float | None
    """None: the report's own, or what is assumed of any position."""
    placed_by: tuple[str, str]
    """`BY_ZONE` or `BY_CAMERA`, and what it is called."""


class Places:
    """The zones and cameras of a district by code and by name. One per edition."""

    def __init__(self, district: District) -> None:
        self._district = district
        self._zones: dict[str, dict[str, Zone]] = {}
        self._called: dict[str, dict[str, list[Zone]]] = {}
        for layer in LAYERS:
            held = district.layers.get(layer)
            self._zones[layer] = {zone.code: zone for zone in held.zones} if held else {}
            called = self._called[layer] = {}
            for zone in self._zones[layer].values():
                for name in {_bare(zone.code), _bare(zone.name), _bare(zone.name_en)} - {""}:
                    called.setdefault(name, []).append(zone)
        self._circle = lru_cache(maxsize=4096)(self._circle_of)

    def zone(self, told: Mapping[str, str], address: str = "") -> Spot:
        """The smallest zone that was named, as a circle around a point of it that covers it.

        `told`: by layer, its code or name as it was said; where none of them is known, `address` is searched for names.
        Raises `PlaceNotSaid`, `PlaceAmbiguous`.
        """
        for said in (told, self._named_in(address)):
            for number, layer in enumerate(LAYERS):
                found = self._called[layer].get(_bare(said.get(layer, "")), [])
                if len(found) > 1:
                    found = [zone for zone in found if self._lies_in(zone, said, LAYERS[number + 1 :])] or found
                if len(found) > 1:
                    codes = ", ".join(sorted(zone.code for zone in found))
                    raise PlaceAmbiguous({"field": layer}, name=plain(said[layer]), codes=codes)
                if found:
                    lon, lat, radius = self._circle(layer, found[0].code)
                    return Spot(lon, lat, min(radius, MOST_M), (BY_ZONE, found[0].name))
        raise PlaceNotSaid({"said": {layer: told[layer] for layer in LAYERS if told.get(layer)}, "address": address})

    def camera(self, code: str, bearing_deg: float | None, distance_m: float | None) -> Spot:
        """The middle of what a camera looks at; with bearing and distance that point.

        Raises `UnknownCamera`, and `InvalidInput` for half of the two, or a point beyond its range.
        """
        found = self._district.cameras.get(plain(code))
        if found is None:
            raise UnknownCamera({"field": "camera"}, camera=plain(code))
        by = (BY_CAMERA, found.name)
        if bearing_deg is None and distance_m is None:
            lon, lat, radius = found.sight.middle()
            return Spot(lon, lat, min(math.ceil(radius), MOST_M), by)
        if bearing_deg is None or not -360 <= bearing_deg <= 360:
            raise _invalid("bearing_deg", "方位角应与距离同时给出，0–360 度", "it must come with a distance, 0 to 360")
        if distance_m is None or not 0 <= distance_m <= found.range_m:
            zh, en = f"应为 0–{found.range_m:g} 米", f"it must be from 0 to the camera's range, {found.range_m:g} m"
            raise _invalid("distance_m", zh, en)
        lon, lat = ahead_of(found.lon, found.lat, bearing_deg, distance_m)
        return Spot(lon, lat, None, by)

    def _named_in(self, address: str) -> dict[str, str]:
        """By layer the one name that stands in an address; of names within each other the longest."""
        text, found = _bare(address), dict[str, str]()
        for layer in LAYERS if text else ():
            every = {_bare(zone.name) for zone in self._zones[layer].values()}
            names = [name for name in every if len(name) >= SHORTEST and name in text]
            longest = [name for name in names if not any(name in other for other in names if other != name)]
            if len(longest) > 1:
                raise PlaceAmbiguous({"field": "address"}, name=plain(address), codes=", ".join(sorted(longest)))
            found |= {layer: longest[0]} if longest else {}
        return found

    def _lies_in(self, zone: Zone, said: Mapping[str, str], above: Sequence[str]) -> bool:
        """Whether one of the zones above it was named."""
        at = zone.parent
        for layer in above:
            parent = self._zones[layer].get(at or "")
            if parent and _bare(said.get(layer, "")) in {_bare(parent.code), _bare(parent.name)}:
                return True
            at = parent.parent if parent else at
        return False

    def _circle_of(self, layer: str, code: str) -> tuple[float, float, float]:
        """A point inside the zone (degrees), and the metres around it that cover the zone."""
        shape = self._zones[layer][code].geometry
        # Degrees of longitude as long as those of latitude: the circle need not be the very smallest.
        scale = np.array([math.cos(math.radians(shape.centroid.y)), 1.0])
        even = shapely.transform(shape, lambda lonlat: lonlat * scale)
        middle = shapely.centroid(shapely.minimum_bounding_circle(even))
        if not even.contains(middle):
            middle = shapely.point_on_surface(even)
        lon, lat = float(middle.x / scale[0]), float(middle.y)
        radius = max(metres_between(lon, lat, x, y) for x, y in shapely.get_coordinates(shape).tolist())
        # One more: a district's own metres are some ten thousandths shorter or longer.
        return round(lon, 7), round(lat, 7), math.ceil(radius) + 1.0


def _bare(text: str) -> str:
    return re.sub(r"\s+", "", plain(text)).casefold()


def _invalid(field: str, zh: str, en: str) -> InvalidInput:
    return InvalidInput({"field": field}, field=field, problem=en, problem_zh=zh)
