"""Place kinds: the places of a district that its decision table can tell apart, each with its area and a point.

A place is a combination of zones. The zones (or sets of zones, or lying outside all of them) of one layer are alike
where the same cells of the table hold and `@layer` would name the same team; combinations that are alike in every
layer make one place kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import shapely
from shapely import Point, Polygon
from shapely.geometry.base import BaseGeometry

from dispatch.competence import PLACE_LAYERS, DecisionTable, Place
from geo.coverage import GAP_M2
from geo.grid import Cover, Layer, Metric, Zone
from geo.overlay import Held, Spot, areas_m2, overlay

_Side = tuple[int, tuple[str, ...]]
"""What the table sees of one layer: the rows whose cell holds, and the teams that those with `@layer` name."""
_NAMED = 2
"""So many zones are named one by one."""


@dataclass(frozen=True, slots=True)
class PlaceKind:
    """Places that the decision table cannot tell apart."""

    code: str
    """`K001` and on: with area first, then those that occur only on lines and at corners."""
    names: tuple[tuple[str, str], ...]
    """What distinguishes it, a layer each, in Chinese and English."""
    held: tuple[Held, ...]
    """The combinations of zones in it: for each of `PlaceKinds.layers` the numbers of zones."""
    place: Place
    """The zones at `at`."""
    faces: tuple[Polygon, ...]
    """Where it is (EPSG:4326), largest first; none for a kind without area."""
    area_km2: float
    at: tuple[float, float]
    """A point of it: longitude, latitude."""
    exact: bool
    """False: no double names a point of this kind, which is a line; `at` is beside it by less than a rounding."""

    @property
    def name(self) -> str:
        """In Chinese."""
        return " · ".join(zh for zh, _ in self.names) or "全区"

    @property
    def name_en(self) -> str:
        """In English."""
        return " · ".join(en for _, en in self.names) or "everywhere"

    def geometry(self) -> BaseGeometry:
        """All of it, or its point."""
        return shapely.union_all(list(self.faces)) if self.faces else Point(self.at)


@dataclass(frozen=True, slots=True)
class PlaceKinds:
    """All kinds of one district and table."""

    layers: tuple[str, ...]
    kinds: tuple[PlaceKind, ...]
    district_km2: float
    left_m2: float
    """What the faces leave of the district or count twice, measured in degrees, where no projection bends an edge."""

    @property
    def area_km2(self) -> float:
        """Of all kinds together."""
        return sum(kind.area_km2 for kind in self.kinds)


def place_kinds(table: DecisionTable, layers: Mapping[str, Layer], metric: Metric) -> PlaceKinds:
    """Every place kind of the district that occurs. `layers` holds `township` and, if known, `district`."""
    named = [layers[name] for name in PLACE_LAYERS if name in layers]
    whole = layers["district"].zones[0] if "district" in layers else None
    spots = overlay(named, whole.geometry if whole else None)
    areas = areas_m2(spots, metric)
    pairs = [
        (spot, area) for spot, area in zip(spots, areas, strict=True) if area >= GAP_M2 or _covered(named, spot.held)
    ]
    sides = [_sides(table, named, spot.held) for spot, _ in pairs]
    alike: dict[tuple[_Side, ...], list[tuple[Spot, float]]] = {}
    for pair, side in zip(pairs, sides, strict=True):
        alike.setdefault(side, []).append(pair)
    alone = [_apart(table, layer) for layer in named]
    first = [{side: code for code, side in reversed(one.items())} for one in alone]
    order = sorted(alike, key=lambda s: (not alike[s][0][0].faces, [first[n].get(one, "") for n, one in enumerate(s)]))
    kinds = tuple(
        _kind(f"K{number:03d}", _names(named, alone, side, [spot for spot, _ in alike[side]]), alike[side], named)
        for number, side in enumerate(order, 1)
    )
    total = whole.area_km2 if whole else sum(areas) / 1e6
    return PlaceKinds(tuple(layer.name for layer in named), kinds, total, _left_m2(spots, whole))


def _left_m2(spots: Sequence[Spot], whole: Zone | None) -> float:
    if whole is None:
        return 0.0
    degrees = float(whole.geometry.area)
    return (degrees - sum(float(face.area) for spot in spots for face in spot.faces)) / degrees * whole.area_km2 * 1e6


def _covered(layers: Sequence[Layer], held: Held) -> bool:
    """Whether every partition has a zone here; where not, and less than a gap counts, rounding left a sliver."""
    return all(zones or layer.cover is not Cover.PARTITION for layer, zones in zip(layers, held, strict=True))


def _zones(layer: Layer, numbers: Sequence[int]) -> tuple[Zone, ...]:
    return tuple(layer.zones[number] for number in numbers)


def _sides(table: DecisionTable, layers: Sequence[Layer], held: Held) -> tuple[_Side, ...]:
    at = ((layer.name, _zones(layer, numbers)) for layer, numbers in zip(layers, held, strict=True))
    return tuple((table.rows_of_layer(name, zones), table.teams_by_zone(name, zones)) for name, zones in at)


def _apart(table: DecisionTable, layer: Layer) -> dict[str, _Side]:
    """The zones of a layer that are not as if they were not there, by code, each with what the table sees of it."""
    outside: _Side = (table.rows_of_layer(layer.name, ()), ())
    seen = {zone.code: _sides(table, [layer], ((number,),))[0] for number, zone in enumerate(layer.zones)}
    return {code: side for code, side in seen.items() if side != outside or layer.cover is Cover.PARTITION}


def _names(
    layers: Sequence[Layer], alone: Sequence[Mapping[str, _Side]], sides: Sequence[_Side], spots: Sequence[Spot]
) -> tuple[tuple[str, str], ...]:
    """What sets a kind apart, a layer each: the zones by name where they are few, else what they are."""
    names: list[tuple[str, str]] = []
    for n, (layer, side) in enumerate(zip(layers, sides, strict=True)):
        numbers = sorted({number for spot in spots for number in spot.held[n]})
        here = [zone for zone in _zones(layer, numbers) if zone.code in alone[n]]
        alike = [zone for zone in here if alone[n][zone.code] == side] or here
        if alike:
            same = [zone for zone in layer.zones if alone[n].get(zone.code) == alone[n][alike[0].code]]
            names.append(_title(layer, alike, same))
    return tuple(names)


def _title(layer: Layer, here: Sequence[Zone], alike: Sequence[Zone]) -> tuple[str, str]:
    if len(here) <= _NAMED:
        return "、".join(z.name for z in here), ", ".join(z.name_en or z.name for z in here)
    if len(alike) == len(layer.zones):
        return layer.label, layer.label_en
    kinds = "、".join(sorted({zone.kind for zone in here} - {""}))
    what = kinds or f"{here[0].name}…"
    return f"{layer.label}（{what}，{len(here)} 处）", f"{layer.label_en} ({what}, {len(here)})"


def _kind(
    code: str, names: tuple[tuple[str, str], ...], pairs: Sequence[tuple[Spot, float]], layers: Sequence[Layer]
) -> PlaceKind:
    spots = [spot for spot, _ in pairs]
    best = max(spots, key=lambda spot: (spot.exact, spot.faces[0].area if spot.faces else 0.0))
    faces = sorted((face for spot in spots for face in spot.faces), key=lambda face: -float(face.area))
    return PlaceKind(
        code=code,
        names=names,
        held=tuple(spot.held for spot in spots),
        place={layer.name: _zones(layer, held) for layer, held in zip(layers, best.held, strict=True)},
        faces=tuple(faces),
        area_km2=sum(area for _, area in pairs) / 1e6,
        at=best.at,
        exact=best.exact,
    )
