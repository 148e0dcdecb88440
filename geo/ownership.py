"""Who owns which face of an arrangement, layer by layer; narrow disputes are settled, wide ones left as drawn.

The rule for two zones with borders that nearly meet: the border of the zone with the lower code is kept, and the other
zone's is laid on it. So an overlap stays with the lower code and a gap goes to the higher one. A gap between more
zones is cut into triangles between its own corners first: no new vertex is made.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from geo.arrangement import Indexes, Shapes, Sides, are_narrow, as_shapes, claims, groups, joined, sides
from geo.grid import Metric

Owners = list[tuple[int, ...]]
"""For each face the numbers of the zones that own it, ascending: none in a gap, several in an overlap."""
NOWHERE: Final = -1
"""The face lies in no zone of the parent layer (or outside the district)."""
UNSETTLED: Final = -2
"""The face lies in several zones of the parent layer, or the zone names no parent that is there."""
_ROUNDS: Final = 4
"""Parts cut off are handed on at most so often; what is left then was drawn so."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A place that changed hands."""

    kind: str
    """outside, overlap, gap, ring, stray."""
    before: tuple[int, ...]
    after: tuple[int, ...]
    shape: Polygon | MultiPolygon


@dataclass(slots=True)
class Claims:
    """One layer's zones and the faces they claim, while it is being settled."""

    owners: Owners
    homes: Sequence[int]
    """The number of each zone's parent zone, or `UNSETTLED`; 0 for all where there is no parent layer."""
    fills: bool
    """A partition: gaps are closed."""
    overlaps: bool
    """Zones may lie over each other."""
    loose: Mapping[int, BaseGeometry]
    """Of zones with crossing edges, where nothing can be told from the drawing."""
    settled: list[Settled] = field(default_factory=list)
    drawn: Owners = field(default_factory=list)
    """As it was before anything was settled, face by face."""

    @classmethod
    def of_district(cls, owners: Owners) -> Claims:
        """The one zone that holds all others."""
        return cls(owners, [0], fills=False, overlaps=True, loose={})

    def holders(self) -> list[int]:
        """Of each face the zone it lies in, `NOWHERE` or `UNSETTLED`."""
        return [own[0] if len(own) == 1 else UNSETTLED if own else NOWHERE for own in self.owners]


class Plan:
    """All faces, the sides between them, and the layers settled so far (each in ascending order of its parents)."""

    def __init__(self, shapes: Shapes, metric: Metric, width_m: float) -> None:
        self.metric, self.width_m = metric, width_m
        self.layers: list[Claims] = []
        self._take(shapes)

    def _take(self, shapes: Shapes) -> None:
        self.shapes = shapes
        self.sides: Sides = sides(shapes)
        of = np.concatenate([self.sides.one, self.sides.other])
        order = np.argsort(of, kind="stable")
        self._by_face = order % max(self.sides.one.size, 1)
        self._begin = np.searchsorted(of[order], np.arange(len(shapes) + 1))
        ends = self.metric.points(self.sides.points) if len(self.sides.points) else np.empty((0, 2))
        self._length = np.hypot(*(ends[self.sides.end] - ends[self.sides.start]).T)

    def owners(self, zones: Shapes) -> Owners:
        """Which of these zones hold each face."""
        found: list[list[int]] = [[] for _ in range(len(self.shapes))]
        for face, zone in zip(*(pair.tolist() for pair in claims(self.shapes, zones)), strict=True):
            found[face].append(zone)
        return [tuple(zones) for zones in found]

    def add(self, layer: Claims) -> Claims:
        """From now on the layer's faces are kept in step with the plan's."""
        layer.drawn = list(layer.owners)
        self.layers.append(layer)
        return layer

    def settle(self, layer: Claims, above: Claims) -> None:
        """Settle one layer inside the zones of the one above, which is settled."""
        self._outside(layer, above.holders())
        if not layer.overlaps:
            self._overlaps(layer)
        if layer.fills:
            self._gaps(layer, above.holders())
            holders = above.holders()
            for _ in range(_ROUNDS):
                if not self._strays(layer, holders):
                    break

    # --- one dispute after the other ------------------------------------------------------------------------------

    def _outside(self, layer: Claims, holders: Sequence[int]) -> None:
        """What reaches out of its parent by less than the width is cut off."""
        wrong = {
            face: tuple(z for z in owners if layer.homes[z] != UNSETTLED and layer.homes[z] != holders[face])
            for face, owners in enumerate(layer.owners)
            if owners and holders[face] != UNSETTLED
        }
        for key, region, shape in self._narrow({f: zones for f, zones in wrong.items() if zones}, layer.loose):
            zone = cast("int", key)
            for face in region:
                layer.owners[face] = tuple(z for z in layer.owners[face] if z != zone)
            layer.settled.append(Settled("outside", (zone,), (), shape))

    def _overlaps(self, layer: Claims) -> None:
        """What several own goes to the lowest code; where one of them has crossing edges, to another."""
        shared = {face: (owners,) for face, owners in enumerate(layer.owners) if len(owners) > 1}
        for key, region, shape in self._narrow(shared, layer.loose):
            owners = cast("tuple[int, ...]", key)
            sound = [z for z in owners if not _lies_in(shape, layer.loose.get(z))] or list(owners)
            for face in region:
                layer.owners[face] = (sound[0],)
            layer.settled.append(Settled("overlap", owners, (sound[0],), shape))

    def _gaps(self, layer: Claims, holders: Sequence[int]) -> None:
        """What nobody owns inside a parent is given to the zones around it."""
        free = {f: (holders[f],) for f, owners in enumerate(layer.owners) if not owners and holders[f] >= 0}
        regions, narrow = self._judged(free, layer.loose)
        origin = self._cut(free)
        now: dict[int, list[int]] = {}
        for face, old in enumerate(origin):
            now.setdefault(old, []).append(face)
        for (key, region, shape), small in zip(regions, narrow, strict=True):
            holder, cut = cast("int", key), [face for old in region for face in now[old]]
            for strip in [cut] if small else self._tails(layer, holder, cut, shape):
                given = self._give(layer, holder, strip)
                for zone in sorted(set(given.values())):
                    part = [face for face, to in given.items() if to == zone]
                    layer.settled.append(Settled("gap", (), (zone,), joined(self.shapes[part])))
                for face, zone in given.items():
                    layer.owners[face] = (zone,)

    def _tails(self, layer: Claims, holder: int, cut: Sequence[int], shape: BaseGeometry) -> list[list[int]]:
        """The narrow strips that only begin at a wide gap and go on between other zones than the gap lies between."""
        metric = shapely.transform(as_shapes([shape, *self.shapes[cut]]), self.metric.points)
        core = shapely.buffer(shapely.buffer(metric[0], -self.width_m / 2), self.width_m / 2)
        shapely.prepare(core)
        share = shapely.area(shapely.intersection(metric[1:], core)) / shapely.area(metric[1:])
        inside = set(cut)
        wide = {face for face, part in zip(cut, share.tolist(), strict=True) if part > 0.5}

        def zones(faces: Iterable[int]) -> set[int]:
            return {zone for face in faces for _, zone in self._beside(layer, holder, face, inside)}

        around = zones(wide)
        strips = self._regions(dict.fromkeys(inside - wide, (0,)))
        return [strip for _, strip in strips if zones(strip) - around]

    def _cut(self, faces: Iterable[int]) -> list[int]:
        """Cut these faces into triangles; for each face there is now, the face it was."""
        chosen = set(faces)
        whole = [face for face in range(len(self.shapes)) if face not in chosen]
        cut = sorted(chosen)
        triangles, of = shapely.get_parts(
            shapely.constrained_delaunay_triangles(self.shapes[cut]) if cut else as_shapes([]), return_index=True
        )
        origin = whole + [cut[i] for i in of]
        if cut:
            for layer in self.layers:
                layer.owners = [layer.owners[face] for face in origin]
                layer.drawn = [layer.drawn[face] for face in origin]
            self._take(as_shapes([*self.shapes[whole], *triangles]))
        return origin

    def _give(self, layer: Claims, holder: int, region: Sequence[int]) -> dict[int, int]:
        """Each triangle of a gap to one of the zones at its base and its tip; the rest go with a neighbour."""
        inside = set(region)
        bases = {face: self._beside(layer, holder, face, inside) for face in region}
        tips: dict[int, set[int]] = {}
        for found in bases.values():
            for point, zone in found:
                tips.setdefault(point, set()).add(zone)
        given: dict[int, int] = {}
        for face, found in bases.items():
            ends = {point for point, _ in found}
            names = {zone for _, zone in found}
            corners = {int(n) for k in self._of(face) for n in (self.sides.start[k], self.sides.end[k])}
            across = [tips[point] for point in corners - ends if point in tips]
            if names and all(len(zones) == 1 for zones in across):
                names |= set().union(*across)
            elif not names:
                names = set().union(*across)
            if names:
                loose = [z for z in names if _lies_in(self.shapes[face], layer.loose.get(z))]
                given[face] = max(loose or names)
        self._spread(given, inside)
        return given

    def _beside(self, layer: Claims, holder: int, face: int, inside: set[int]) -> list[tuple[int, int]]:
        """(end point, zone) for every side of the face at which a zone of the same parent lies."""
        found: list[tuple[int, int]] = []
        for k in self._of(face):
            other = self._across(k, face)
            if other < 0 or other in inside:
                continue
            zones = [z for z in layer.owners[other] if layer.homes[z] in (holder, UNSETTLED)]
            found += [(int(n), z) for z in zones[:1] for n in (self.sides.start[k], self.sides.end[k])]
        return found

    def _spread(self, given: dict[int, int], inside: set[int]) -> None:
        """Triangles that touch no zone go with a neighbour."""
        waiting = list(given)
        while waiting:
            following: list[int] = []
            for face in waiting:
                for k in self._of(face):
                    other = self._across(k, face)
                    if other in inside and other not in given:
                        given[other] = given[face]
                        following.append(other)
            waiting = following

    def _strays(self, layer: Claims, holders: Sequence[int]) -> bool:
        """Narrow parts that settling cut off from their zone go to the neighbour with the longest common border."""
        keys = {face: owners for face, owners in enumerate(layer.owners) if owners}
        regions = self._regions(keys)
        counts: dict[Hashable, int] = {}
        for zone, _ in regions:
            counts[zone] = counts.get(zone, 0) + 1
        drawn = self._parts(layer)
        loose = [
            (zone, region)
            for zone, region in regions
            if counts[zone] > 1 and drawn.get((region[0], zone)) != len(region)
        ]
        shapes = [joined(self.shapes[region]) for _, region in loose]
        moved = False
        for (zone, region), shape, narrow in zip(
            loose, shapes, are_narrow(shapes, self.metric, self.width_m), strict=True
        ):
            to = self._longest(layer, holders, region) if narrow else None
            if to is None or any(layer.owners[face] != (zone,) for face in region):
                continue
            for face in region:
                layer.owners[face] = (to,)
            layer.settled.append(Settled("stray", (cast("int", zone),), (to,), shape))
            moved = True
        return moved

    def _parts(self, layer: Claims) -> dict[tuple[int, Hashable], int]:
        """Of each face and each zone that drew it: how many faces the part of the zone has that it belongs to."""
        regions = self._regions({face: owners for face, owners in enumerate(layer.drawn) if owners})
        return {(face, zone): len(region) for zone, region in regions for face in region}

    def _longest(self, layer: Claims, holders: Sequence[int], region: Sequence[int]) -> int | None:
        inside = set(region)
        metres: dict[int, float] = {}
        for face in region:
            for k in self._of(face):
                other = self._across(k, face)
                if other >= 0 and other not in inside and holders[other] == holders[face]:
                    for zone in layer.owners[other][:1]:
                        metres[zone] = metres.get(zone, 0.0) + float(self._length[k])
        return max(metres, key=lambda zone: (metres[zone], -zone)) if metres else None

    # --- regions --------------------------------------------------------------------------------------------------

    def _of(self, face: int) -> list[int]:
        sides: list[int] = self._by_face[self._begin[face] : self._begin[face + 1]].tolist()
        return sides

    def _across(self, side: int, face: int) -> int:
        one, other = int(self.sides.one[side]), int(self.sides.other[side])
        return other if one == face else one

    def _regions(self, keys: Mapping[int, tuple[Hashable, ...]]) -> list[tuple[Hashable, list[int]]]:
        """Connected faces of one key; a face may have several keys."""
        names = {key: i for i, key in enumerate(dict.fromkeys(key for found in keys.values() for key in found))}
        nodes = [(face, names[key]) for face in sorted(keys) for key in keys[face]]
        if not nodes:
            return []
        face, name = np.array(nodes, dtype=np.intp).T
        one, of_one = _nodes_at(face, self.sides.one)
        other, of_other = _nodes_at(face, self.sides.other)
        _, a, b = np.intersect1d(
            of_one * len(names) + name[one], of_other * len(names) + name[other], True, return_indices=True
        )
        words = list(names)
        return [(words[name[g[0]]], face[g].tolist()) for g in groups(face.size, one[a], other[b])]

    def _judged(
        self, keys: Mapping[int, tuple[Hashable, ...]], loose: Mapping[int, BaseGeometry]
    ) -> tuple[list[tuple[Hashable, list[int], Polygon | MultiPolygon]], NDArray[np.bool_]]:
        """The regions (key, faces, shape), and which are narrower than the width, but for where edges cross."""
        regions = self._regions(keys)
        shapes = as_shapes([joined(self.shapes[region]) for _, region in regions])
        narrow = are_narrow(shapes, self.metric, self.width_m)
        if loose and not narrow.all():
            anywhere = shapely.union_all(list(loose.values()))
            wide = np.flatnonzero(~narrow)
            narrow[wide] = are_narrow(shapely.difference(shapes[wide], anywhere), self.metric, self.width_m)
        return [(*region, shape) for region, shape in zip(regions, shapes, strict=True)], narrow

    def _narrow(
        self, keys: Mapping[int, tuple[Hashable, ...]], loose: Mapping[int, BaseGeometry]
    ) -> list[tuple[Hashable, list[int], Polygon | MultiPolygon]]:
        """The narrow regions only."""
        regions, narrow = self._judged(keys, loose)
        return [region for region, small in zip(regions, narrow, strict=True) if small]


def _nodes_at(face: Indexes, at: Indexes) -> tuple[Indexes, Indexes]:
    """Every (node, side) where the side's face `at` is the node's; `face` ascends."""
    low, high = np.searchsorted(face, at), np.searchsorted(face, at, side="right")
    count = high - low
    side = np.repeat(np.arange(at.size), count)
    first = np.repeat(low - np.concatenate([[0], np.cumsum(count)[:-1]]), count)
    return np.arange(side.size) + first, side


def _lies_in(shape: BaseGeometry, hull: BaseGeometry | None) -> bool:
    """Whether most of the shape lies in the hull."""
    return hull is not None and hull.intersects(shape) and bool(hull.intersection(shape).area > shape.area / 2)
