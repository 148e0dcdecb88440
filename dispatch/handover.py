"""Where and for which matters another team is responsible by a new edition than by an old one: exactly, by overlay.

All layers that the decision tables speak of, of both editions, are laid over each other. All of a face lies in the same
zones of either edition, so each table says one thing of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from dispatch.competence import PLACE_LAYERS, DecisionTable, Place
from dispatch.district import District
from geo.grid import Cover, Layer, Metric
from geo.overlay import Held, Spot, areas_m2, overlay

Said = tuple[str | None, str | None]
"""Who is responsible before and after; None: the place lies outside that edition's district."""
_Pieces = list[tuple[Spot, float, str]]
"""Spots with their square metres and the township they are in."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """Places where the same matters go from one team to another."""

    old: str | None
    """None: was outside the district."""
    new: str | None
    """None: is outside the district."""
    matters: tuple[str, ...]
    """Matters and classes, of those that both editions list."""
    faces: tuple[Polygon, ...]
    """Where (EPSG:4326), largest first; none where it is so only on lines."""
    km2: float
    at: tuple[float, float]
    """The witness, a point of it: longitude, latitude."""
    exact: bool
    """False: it is a line that no double names a point of; `at` is beside it by less than a rounding."""
    townships: tuple[str, ...]
    """Codes of the townships it lies in, by the new edition, or by the old one where it is left."""

    def geometry(self) -> BaseGeometry:
        """All of it, or its witness."""
        return shapely.union_all(list(self.faces)) if self.faces else shapely.Point(self.at)


@dataclass(frozen=True, slots=True)
class Handover:
    """What two editions say of every place and every matter that both list."""

    transfers: tuple[Transfer, ...]
    """The widest first."""
    changed_km2: float
    """Where another team is responsible for at least one matter, or the district begins or ends."""
    same_km2: float
    left_m2: float
    """Slivers of rounding where a partition has no zone, left out."""
    only_old: tuple[str, ...]
    only_new: tuple[str, ...]
    """Matters and classes that one of the editions does not list."""

    def pairs(self) -> dict[Said, tuple[float, frozenset[str]]]:
        """For each two teams the area that goes from one to the other for at least one matter, and those matters."""
        found: dict[Said, tuple[float, frozenset[str]]] = {}
        for one in self.transfers:
            km2, matters = found.get((one.old, one.new), (0.0, frozenset()))
            found[one.old, one.new] = km2 + one.km2, matters | frozenset(one.matters)
        return dict(sorted(found.items(), key=lambda item: -item[1][0]))


def table_of(district: District) -> DecisionTable:
    """Its decision table, compiled."""
    return DecisionTable(district.rules, district.layers, district.classes, district.matters, district.teams)


def handover(old: District, new: District) -> Handover:
    """Compare responsibility; both must be proved (`dispatch.district.load`). Areas in the new edition's metric CRS."""
    sides = (_Side(old), _Side(new))
    whole = (old.layers["district"].zones[0], new.layers["district"].zones[0])
    both = Layer("district", "", "", Cover.OVERLAP, None, real=False, source="", zones=whole)
    spots = overlay([both, *sides[0].layers, *sides[1].layers], None)
    groups = _alike(sides[0].table, sides[1].table)
    found: dict[tuple[Said, frozenset[int]], _Pieces] = {}
    changed = same = left = 0.0
    for spot, area in zip(spots, areas_m2(spots, Metric(new.metric_crs)), strict=True):
        cut = 1 + len(sides[0].layers)
        held = (spot.held[1:cut], spot.held[cut:])
        answers = [
            side.answers(held[n], [group[n] for group in groups]) if n in spot.held[0] else None
            for n, side in enumerate(sides)
        ]
        if any(n in spot.held[0] and answer is None for n, answer in enumerate(answers)):
            left += area
            continue
        differing = _differing(answers, len(groups))
        changed, same = (changed + area, same) if differing else (changed, same + area)
        township = next(sides[n].township(held[n]) for n in (1, 0) if answers[n] is not None)
        for said, those in differing.items():
            found.setdefault((said, frozenset(those)), []).append((spot, area, township))
    codes = list(groups.values())
    transfers = [_transfer(said, [codes[n] for n in those], pieces) for (said, those), pieces in found.items()]
    transfers.sort(key=lambda one: (-one.km2, one.old or "", one.new or "", one.matters))
    lists = [{*district.matters, *district.classes} for district in (old, new)]
    return Handover(
        transfers=tuple(transfers),
        changed_km2=changed / 1e6,
        same_km2=same / 1e6,
        left_m2=left,
        only_old=tuple(sorted(lists[0] - lists[1])),
        only_new=tuple(sorted(lists[1] - lists[0])),
    )


class _Side:
    """One of the editions."""

    def __init__(self, district: District) -> None:
        self.table = table_of(district)
        self.layers = [district.layers[name] for name in PLACE_LAYERS if name in district.layers]
        self._winner: dict[int, tuple[int, ...]] = {}

    def answers(self, held: Held, masks: Sequence[int]) -> list[str] | None:
        """The team for each mask of rows; None where a partition has no zone."""
        if any(not zones and layer.cover is Cover.PARTITION for layer, zones in zip(self.layers, held, strict=True)):
            return None
        place: Place = {
            layer.name: tuple(layer.zones[number] for number in numbers)
            for layer, numbers in zip(self.layers, held, strict=True)
        }
        here = self.table.rows_of(place)
        return [self.table.team_of(self._wins(here & mask), place) for mask in masks]

    def _wins(self, speaking: int) -> int:
        if speaking not in self._winner:
            self._winner[speaking] = self.table.lowest(speaking)
        return self._winner[speaking][0]

    def township(self, held: Held) -> str:
        """The code of the township of a place."""
        return next(
            layer.zones[numbers[0]].code
            for layer, numbers in zip(self.layers, held, strict=True)
            if layer.name == "township"
        )


def _alike(old: DecisionTable, new: DecisionTable) -> dict[tuple[int, int], tuple[str, ...]]:
    """The matters that both list, by the rows of either that speak of them."""
    rows = [{code: mask for mask, codes in table.matters_by_rows().items() for code in codes} for table in (old, new)]
    alike: dict[tuple[int, int], list[str]] = {}
    for code in sorted(rows[0].keys() & rows[1].keys()):
        alike.setdefault((rows[0][code], rows[1][code]), []).append(code)
    return {masks: tuple(codes) for masks, codes in alike.items()}


def _differing(answers: Sequence[list[str] | None], groups: int) -> dict[Said, list[int]]:
    """For each two teams that differ the groups of matters that go from one to the other."""
    differing: dict[Said, list[int]] = {}
    nobody: list[str | None] = [None] * groups
    before, after = (nobody if answer is None else answer for answer in answers)
    for group, said in enumerate(zip(before, after, strict=True)):
        if said[0] != said[1]:
            differing.setdefault(said, []).append(group)
    return differing


def _transfer(said: Said, matters: Sequence[tuple[str, ...]], pieces: _Pieces) -> Transfer:
    best = max((spot for spot, _, _ in pieces), key=lambda spot: (spot.exact, spot.faces[0].area if spot.faces else 0))
    faces = sorted((face for spot, _, _ in pieces for face in spot.faces), key=lambda face: -float(face.area))
    return Transfer(
        old=said[0],
        new=said[1],
        matters=tuple(sorted(code for codes in matters for code in codes)),
        faces=tuple(faces),
        km2=sum(area for _, area, _ in pieces) / 1e6,
        at=best.at,
        exact=best.exact,
        townships=tuple(sorted({township for _, _, township in pieces})),
    )
