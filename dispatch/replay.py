"""Past cases decided once more, by the tables of two editions: which of them would go to another team. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from dispatch.comparison import Comparison
from dispatch.competence import PLACE_LAYERS
from dispatch.district import District
from dispatch.handover import table_of
from dispatch.model import Matter, Past
from dispatch.outcomes import WATER, Spot, weigh
from geo.circle import Circles
from geo.grid import Metric
from geo.locate import Locator

OUTSIDE, UNLISTED = "outside", "unlisted"
_METRES_PER_DEGREE: Final = 110_500.0
"""At least so many for a degree of latitude on the ellipsoid, anywhere."""
_BOX: Final = 1.1
"""A box so much wider than a circle holds it, however the district's metric CRS is scaled and turned."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an edition says of a case."""

    team: str | None
    """None: it would not take it."""
    why_none: str = ""
    """`outside` (of its district) or `unlisted` (the matter)."""


@dataclass(frozen=True, slots=True)
class Rerouted:
    """A case of which two editions say different things."""

    case: Past
    old: Answer
    new: Answer


@dataclass(frozen=True, slots=True)
class Unlike:
    """A case of which the old edition says now something else than was decided then."""

    case: Past
    old: Answer
    same_edition: bool
    """Whether the old edition itself decided it then; where another did, this is no wonder."""


class Answers:
    """One edition's answers."""

    def __init__(self, district: District) -> None:
        """Takes about a second."""
        layers = {name: district.layers[name] for name in ("district", *PLACE_LAYERS) if name in district.layers}
        self.version = district.version
        self._table = table_of(district)
        self._names = [name for name in layers if name != "district"]
        self._locator = Locator(layers)
        self._circles = Circles(self._locator, Metric(district.metric_crs), PLACE_LAYERS)
        self._share = district.settings.confirm_share
        self._matters: dict[str, bool] = dict.fromkeys(district.classes, False)
        self._matters |= {code: isinstance(one, Matter) and one.on_water for code, one in district.matters.items()}

    def at_points(self, cases: Sequence[Past]) -> list[Answer]:
        """What this edition says of each case's point."""
        if not cases:
            return []
        lon = np.array([case.lon for case in cases], dtype=np.float64)
        lat = np.array([case.lat for case in cases], dtype=np.float64)
        hits = self._locator.at_many(lon, lat)
        matters, matter = np.unique([case.matter for case in cases], return_inverse=True)
        key: NDArray[np.int64] = (hits["district"].index > 0).astype(np.int64) * len(matters) + matter
        for name in self._names:
            key = key * len(hits[name].sets) + hits[name].index
        _, first, which = np.unique(key, return_index=True, return_inverse=True)
        kinds = []
        for at in first.tolist():
            held = [hits[name].sets[hits[name].index[at]] for name in self._names]
            inside = bool(hits["district"].index[at])
            kinds.append(self._said(held, str(matters[matter[at]])) if inside else Answer(None, OUTSIDE))
        return [kinds[kind] for kind in which.tolist()]

    def _said(self, held: Sequence[tuple[int, ...]], matter: str) -> Answer:
        if matter not in self._matters:
            return Answer(None, UNLISTED)
        layers = self._locator.layers
        place = {
            name: tuple(layers[name].zones[number] for number in numbers)
            for name, numbers in zip(self._names, held, strict=True)
        }
        return Answer(self._table.team(place, matter))

    def weighed(self, case: Past, at_point: Answer) -> Answer:
        """What this edition says of the case's circle; `at_point`: of its middle."""
        radius_m = case.radius_m
        if at_point.team is None or not radius_m or self._circles.clear(case.lon, case.lat, radius_m):
            return at_point
        place = self._locator.at(case.lon, case.lat)
        spot = Spot(case.lon, case.lat, radius_m, place, case.matter, self._matters[case.matter])
        parts = self._circles.parts(case.lon, case.lat, radius_m)
        return Answer(weigh(self._table, spot, parts, self._share).ruling.team)


class Replay:
    """What comes of past cases by the two editions of a comparison."""

    def __init__(self, comparison: Comparison) -> None:
        """Takes some seconds."""
        self.cases = 0
        self.rerouted: list[Rerouted] = []
        self.unlike: list[Unlike] = []
        self._version = comparison.old.version
        self._old, self._new = Answers(comparison.old), Answers(comparison.new)
        water = [one.region for one in comparison.layers if one.layer.name == WATER]
        faces = [face for one in comparison.handover.transfers for face in one.faces]
        self._changed = shapely.STRtree([*faces, *shapely.get_parts(water)])

    def take(self, cases: Sequence[Past]) -> None:
        """Decide some more."""
        self.cases += len(cases)
        both = zip(self._old.at_points(cases), self._new.at_points(cases), strict=True)
        for case, (old, new), near in zip(cases, both, self._near(cases), strict=True):
            before = self._old.weighed(case, old)
            # All over a circle that meets no change both say the same of each place, and as much of it is water.
            after = self._new.weighed(case, new) if near or old != new else before
            if before != after:
                self.rerouted.append(Rerouted(case, before, after))
            if before.team != case.team:
                self.unlike.append(Unlike(case, before, case.version == self._version))

    def _near(self, cases: Sequence[Past]) -> list[bool]:
        """Whether a case's circle may meet a place where the editions differ."""
        lat = np.array([case.lat for case in cases])
        reach = np.array([[case.lon, case.lat, (case.radius_m or 0.0) * _BOX / _METRES_PER_DEGREE] for case in cases])
        wide = reach[:, 2] / np.cos(np.radians(lat))
        boxes = shapely.box(
            reach[:, 0] - wide, reach[:, 1] - reach[:, 2], reach[:, 0] + wide, reach[:, 1] + reach[:, 2]
        )
        near = np.zeros(len(cases), dtype=np.bool_)
        near[self._changed.query(boxes, predicate="intersects")[0]] = True
        found: list[bool] = near.tolist()
        return found

    def pairs(self) -> dict[tuple[Answer, Answer], int]:
        """How many go from one team to another, the most first."""
        return dict(Counter((one.old, one.new) for one in self.rerouted).most_common())
