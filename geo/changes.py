"""What is different between two layers of the same kind: zones added, removed, moved, given other codes or names.

Zones are paired in this order: by code where they also have the same shape; then by shape alone (the zone was
re-coded); then by code alone (it moved). So zones that only swap their numbers are seen as re-coded, not as moved.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import shapely
from shapely import STRtree
from shapely.geometry.base import BaseGeometry

from geo.grid import Layer, Metric, Zone

SAME_SHAPE: Final = 0.001
"""Two shapes are one when what only one of them has is at most this part of the larger: a border written anew."""
NOWHERE: Final = shapely.MultiPolygon()


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field with its value before and after; None: it was not there, or is no more."""

    field: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class ZoneChange:
    """One zone before (None: it was added) and after (None: removed)."""

    old: Zone | None
    new: Zone | None
    gained: BaseGeometry
    lost: BaseGeometry
    """EPSG:4326."""
    gained_km2: float
    lost_km2: float
    fields: tuple[FieldChange, ...]
    """What is written of the zone, its code aside."""

    @property
    def zone(self) -> Zone:
        """As it is now, or was last."""
        zone = self.new or self.old
        if zone is None:
            raise ValueError("a change of no zone")
        return zone

    @property
    def recoded(self) -> bool:
        """The same shape under another code."""
        return self.old is not None and self.new is not None and self.old.code != self.new.code

    @property
    def moved(self) -> bool:
        """It was there and is there, with another shape, by however little."""
        return self.old is not None and self.new is not None and not (self.gained.is_empty and self.lost.is_empty)

    @property
    def renamed(self) -> bool:
        """Its name is another, in either language."""
        return any(change.field in ("name", "name_en") for change in self.fields)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Of `added`, `removed`, `recoded`, `moved`, `renamed`, `edited` all that it is."""
        if self.old is None or self.new is None:
            return ("added",) if self.old is None else ("removed",)
        edited = any(change.field not in ("name", "name_en") for change in self.fields)
        flags = {"recoded": self.recoded, "moved": self.moved, "renamed": self.renamed, "edited": edited}
        return tuple(name for name, so in flags.items() if so)


@dataclass(frozen=True, slots=True)
class LayerChange:
    """A layer before and after; one of them may be missing."""

    old: Layer | None
    new: Layer | None
    zones: tuple[ZoneChange, ...]
    """Those that differ, the widest change first."""
    same: int
    """Zones that do not."""
    region: BaseGeometry
    """Where the zones that hold a place are others than before, re-coding aside (EPSG:4326)."""
    region_km2: float

    @property
    def layer(self) -> Layer:
        """As it is now, or was last."""
        layer = self.new or self.old
        if layer is None:
            raise ValueError("a change of no layer")
        return layer

    @property
    def gained_km2(self) -> float:
        """Of all zones together."""
        return sum(zone.gained_km2 for zone in self.zones)

    @property
    def lost_km2(self) -> float:
        """Of all zones together."""
        return sum(zone.lost_km2 for zone in self.zones)

    def counts(self) -> dict[str, int]:
        """How many zones were added, removed, and so on; a zone may count twice."""
        kinds = ("added", "removed", "moved", "recoded", "renamed", "edited")
        return {kind: sum(kind in zone.kinds for zone in self.zones) for kind in kinds}


def compare_layers(old: Layer | None, new: Layer | None, metric: Metric) -> LayerChange:
    """Every zone of two layers against each other; areas in square kilometres of `metric`."""
    before, after = (old.zones if old else ()), (new.zones if new else ())
    changes: list[ZoneChange] = []
    same = 0
    for a, b in _pairs(before, after):
        change = _change(a, b, metric)
        if a is not None and b is not None and not change.kinds:
            same += 1
        else:
            changes.append(change)
    changes.sort(key=lambda one: (-(one.gained_km2 + one.lost_km2), one.zone.code))
    pieces = [piece for one in changes for piece in (one.gained, one.lost) if not piece.is_empty]
    region = shapely.union_all(pieces) if pieces else NOWHERE
    return LayerChange(old, new, tuple(changes), same, region, metric.area_m2(region) / 1e6 if pieces else 0.0)


def compare_fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    """The fields that differ; an empty text is as good as none."""
    return tuple(
        FieldChange(name, old.get(name), new.get(name))
        for name in dict.fromkeys((*old, *new))
        if _said(old.get(name)) != _said(new.get(name))
    )


def _said(value: Any) -> Any:
    return None if value == "" else value


def _change(old: Zone | None, new: Zone | None, metric: Metric) -> ZoneChange:
    before = old.geometry if old else NOWHERE
    after = new.geometry if new else NOWHERE
    alike = old is not None and new is not None and _equal(before, after)
    gained = NOWHERE if alike else shapely.difference(after, before)
    lost = NOWHERE if alike else shapely.difference(before, after)
    fields: tuple[FieldChange, ...] = ()
    if old is not None and new is not None:
        fields = compare_fields(_words(old), _words(new))
    km2 = [0.0 if part.is_empty else metric.area_m2(part) / 1e6 for part in (gained, lost)]
    return ZoneChange(old, new, gained, lost, km2[0], km2[1], fields)


def _words(zone: Zone) -> dict[str, Any]:
    return {name: value for name, value in zone.properties.items() if name != "code"}


def _pairs(old: Sequence[Zone], new: Sequence[Zone]) -> Iterator[tuple[Zone | None, Zone | None]]:
    by_code = {zone.code: zone for zone in new}
    moved: list[Zone] = []
    left = dict(by_code)
    for zone in old:
        other = by_code.get(zone.code)
        if other is not None and _same_shape(zone, other):
            yield zone, left.pop(zone.code)
        else:
            moved.append(zone)
    for zone, other in list(_by_shape(moved, list(left.values()))):
        moved.remove(zone)
        yield zone, left.pop(other.code)
    for zone in moved:
        yield zone, left.pop(zone.code, None)
    for zone in left.values():
        yield None, zone


def _by_shape(old: Sequence[Zone], new: Sequence[Zone]) -> Iterator[tuple[Zone, Zone]]:
    """Zones of one shape, each used once, in the order of their codes."""
    if not old or not new:
        return
    tree = STRtree([zone.geometry for zone in new])
    taken: set[int] = set()
    for zone in old:
        near = sorted(set(tree.query(zone.geometry, predicate="intersects").tolist()) - taken)
        found = next((n for n in near if _same_shape(zone, new[n])), None)
        if found is not None:
            taken.add(found)
            yield zone, new[found]


def _same_shape(one: Zone, other: Zone) -> bool:
    a, b = one.geometry, other.geometry
    largest = max(a.area, b.area)
    if min(a.area, b.area) < largest * (1 - SAME_SHAPE):
        return False
    return _equal(a, b) or bool(shapely.symmetric_difference(a, b).area <= largest * SAME_SHAPE)


def _equal(a: BaseGeometry, b: BaseGeometry) -> bool:
    """Whether they are the same set of points, however written."""
    return bool(shapely.equals_identical(a, b) or shapely.equals(a, b))
