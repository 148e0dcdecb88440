"""Past cases decided once more, by the tables of two editions: which of them would go to another team. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dispatch.competence import PLACE_LAYERS, Place
from dispatch.district import District
from dispatch.handover import table_of
from dispatch.model import Matter
from dispatch.outcomes import Spot, weigh
from geo.circle import POINT_M, Circles
from geo.grid import Metric
from geo.locate import Locator

OUTSIDE, UNLISTED = "outside", "unlisted"


@dataclass(frozen=True, slots=True)
class Past:
    """A case as it is, and what was decided of it: not who has it now, after returns and reassignments."""

    case_no: str
    lon: float
    lat: float
    """WGS 84 degrees."""
    matter: str
    radius_m: float | None
    """As far as the accuracy of its position was weighed when it was decided; None: the point decided alone."""
    team: str
    version: str
    """The edition that decided it."""


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
    """One edition's answers; keeps what it has decided. Not for several threads."""

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
        self._known: dict[tuple[tuple[tuple[int, ...], ...], str], Answer] = {}

    def of(self, cases: Sequence[Past]) -> list[Answer]:
        """What this edition says of each."""
        if not cases:
            return []
        lon = np.array([case.lon for case in cases], dtype=np.float64)
        lat = np.array([case.lat for case in cases], dtype=np.float64)
        hits = self._locator.at_many(lon, lat)
        inside = hits["district"].index > 0
        matters, matter = np.unique([case.matter for case in cases], return_inverse=True)
        key: NDArray[np.int64] = matter.astype(np.int64)
        for name in self._names:
            key = key * len(hits[name].sets) + hits[name].index
        _, first, which = np.unique(key, return_index=True, return_inverse=True)
        kinds = []
        for at in first.tolist():
            held = tuple(hits[name].sets[hits[name].index[at]] for name in self._names)
            kinds.append((held, str(matters[matter[at]])))
        return [
            self._answer(case, *kinds[kind], inside=within)
            for case, kind, within in zip(cases, which.tolist(), inside.tolist(), strict=True)
        ]

    def _answer(self, case: Past, held: tuple[tuple[int, ...], ...], matter: str, *, inside: bool) -> Answer:
        if matter not in self._matters:
            return Answer(None, UNLISTED)
        if not inside:
            return Answer(None, OUTSIDE)
        radius = case.radius_m
        if radius is not None and radius >= POINT_M and not self._circles.clear(case.lon, case.lat, radius):
            return self._weighed(case, radius, self._place(held))
        found = self._known.get((held, matter))
        if found is None:
            found = self._known[held, matter] = Answer(self._table.team(self._place(held), matter))
        return found

    def _weighed(self, case: Past, radius_m: float, place: Place) -> Answer:
        spot = Spot(case.lon, case.lat, radius_m, place, case.matter, self._matters[case.matter])
        parts = self._circles.parts(case.lon, case.lat, radius_m)
        return Answer(weigh(self._table, spot, parts, self._share).ruling.team)

    def _place(self, held: tuple[tuple[int, ...], ...]) -> Place:
        layers = self._locator.layers
        return {
            name: tuple(layers[name].zones[number] for number in numbers)
            for name, numbers in zip(self._names, held, strict=True)
        }


@dataclass(slots=True)
class Replay:
    """What came of the cases that were given so far."""

    old: Answers
    new: Answers
    cases: int = 0
    rerouted: list[Rerouted] = field(default_factory=list)
    unlike: list[Unlike] = field(default_factory=list)

    def take(self, cases: Sequence[Past]) -> None:
        """Decide some more."""
        self.cases += len(cases)
        for case, before, after in zip(cases, self.old.of(cases), self.new.of(cases), strict=True):
            if before != after:
                self.rerouted.append(Rerouted(case, before, after))
            if before.team != case.team:
                self.unlike.append(Unlike(case, before, case.version == self.old.version))

    def pairs(self) -> dict[tuple[Answer, Answer], int]:
        """How many go from one team to another, the most first."""
        return dict(Counter((one.old, one.new) for one in self.rerouted).most_common())
