"""Bursts: many cases of one kind close together in space and time are one incident (a flood, a fish kill). Pure.

Density as in DBSCAN (Ester et al. 1996), worked off in the order in which the cases came, as in its incremental form
(Ester et al. 1998): what is found of the first n cases is found again, under the same id, when there are more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from shapely.geometry.base import BaseGeometry

from dispatch.duplicates import degree_m, metres

LOOK_BACK: Final = timedelta(days=30)
"""Cases that came before are not gathered: an incident that lasts longer begins anew."""
AROUND: Final = 0.25
"""Of the radius: how far the outline lies around the outermost cases."""


@dataclass(frozen=True, slots=True)
class Burst:
    """What is dense: a case with so many cases, itself among them, within radius and hours."""

    radius_m: float
    hours: float
    cases: int
    """At least 2."""


@dataclass(frozen=True, slots=True)
class Bursts:
    """A district's: of a matter its own, else its class's (all matters of it together), else the default."""

    default: Burst = Burst(300, 3, 6)
    of: Mapping[str, Burst] = field(default_factory=dict)
    """By matter or class."""

    def kind(self, matter: str) -> tuple[str, Burst]:
        """The matter or class whose cases are counted together, and what is dense there."""
        code = next((code for code in (matter, matter[:2]) if code in self.of), matter)
        return code, self.of.get(code, self.default)


@dataclass(frozen=True, slots=True)
class Member:
    """A case as it came."""

    case: str
    lead: str
    """The case that it was merged into, at the end of all mergers; else itself."""
    is_open: bool
    """The leading one is."""
    counts: bool
    """The leading one is not cancelled."""
    lon: float
    lat: float
    seen_at: datetime
    matter: str


@dataclass(frozen=True, slots=True)
class Incident:
    """Cases that belong together, with a place of their own."""

    id: str
    """Of the first case around which it was dense; it stays when the incident grows. Where two grow into one, the
    older one's."""
    kind: str
    """Matter or class."""
    cases: tuple[str, ...]
    """Leading cases, in the order in which they came."""
    open: int
    """Of them."""
    reports: int
    first_seen: datetime
    last_seen: datetime
    lon: float
    lat: float
    """The middle of its cases, WGS 84 degrees."""
    outline: BaseGeometry
    """In degrees."""


def find(members: Sequence[Member], bursts: Bursts) -> list[Incident]:
    """The incidents that have something open, newest first; members in the order in which they came.

    Several reports of one thing, once they are joined, are one case: a heap of them is no incident.
    """
    kinds: dict[str, list[Member]] = defaultdict(list)
    rules: dict[str, Burst] = {}
    for member in members:
        code, rules[code] = bursts.kind(member.matter)
        kinds[code].append(member)
    found: list[Incident] = []
    for code, those in kinds.items():
        rule = rules[code]
        groups: dict[int, list[Member]] = defaultdict(list)
        for member, first in zip(those, grouped(those, rule), strict=True):
            if first is not None and member.counts:
                groups[first].append(member)
        for first, group in groups.items():
            leads = list(dict.fromkeys(member.lead for member in group))
            still = {member.lead for member in group if member.is_open}
            if still and len(leads) >= rule.cases:
                found.append(_incident(those[first].case, code, group, leads, len(still), rule))
    return sorted(found, key=lambda one: (one.last_seen, one.id), reverse=True)


def _incident(name: str, kind: str, group: list[Member], leads: list[str], still: int, rule: Burst) -> Incident:
    lon = sum(member.lon for member in group) / len(group)
    lat = sum(member.lat for member in group) / len(group)
    north, east = degree_m(lat)
    at = np.array([(member.lon * east, member.lat * north) for member in group])
    outline = shapely.MultiPoint(at).convex_hull.buffer(AROUND * rule.radius_m, quad_segs=4)
    return Incident(
        id=name,
        kind=kind,
        cases=tuple(leads),
        open=still,
        reports=len(group),
        first_seen=min(member.seen_at for member in group),
        last_seen=max(member.seen_at for member in group),
        lon=lon,
        lat=lat,
        outline=shapely.transform(outline, lambda xy: xy / (east, north)),
    )


def grouped(members: Sequence[Member], rule: Burst) -> list[int | None]:
    """For each member the first one around which its group was dense (its place in `members`); None: in no group.

    Who lies on the rim of two groups belongs to the one that reached him first.
    """
    near = _neighbours(members, rule)
    count = [0] * len(members)
    groups = _Groups(len(members))
    for new, around in enumerate(near):
        earlier = [one for one in around if one < new]
        count[new] = len(earlier) + 1
        for one in earlier:
            count[one] += 1
        for core in (*earlier, new):
            if count[core] >= rule.cases and core not in groups.became:
                groups.add(core, [one for one in near[core] if one <= new])
        groups.reach(new, earlier)
    return [None if core is None else groups.root(core) for core in groups.home]


class _Groups:
    """Groups of cores, each by the oldest of them, and who lies near one."""

    def __init__(self, size: int) -> None:
        self.became: dict[int, int] = {}
        """Cores, with the order in which they became so."""
        self.home: list[int | None] = [None] * size
        """Of each the core that it first came near to; itself, where it was one before."""
        self._parent = list(range(size))

    def root(self, core: int) -> int:
        while self._parent[core] != core:
            self._parent[core] = self._parent[self._parent[core]]
            core = self._parent[core]
        return core

    def add(self, core: int, around: Iterable[int]) -> None:
        """One more, with those near it."""
        self.became[core] = len(self.became)
        self.reach(core, (core,))
        for one in around:
            if one in self.became:
                old, young = sorted((self.root(core), self.root(one)), key=self.became.__getitem__)
                self._parent[young] = old
            self.reach(one, (core,))

    def reach(self, one: int, around: Iterable[int]) -> None:
        """Who has no home yet gets the oldest core around."""
        if self.home[one] is None:
            cores = (near for near in around if near in self.became)
            self.home[one] = min(cores, key=self.became.__getitem__, default=None)


def _neighbours(members: Sequence[Member], rule: Burst) -> list[list[int]]:
    """For each the others within radius and hours."""
    near: list[list[int]] = [[] for _ in members]
    for i, j in _close(members, rule):
        one, other = members[i], members[j]
        if abs((one.seen_at - other.seen_at).total_seconds()) <= rule.hours * 3600 and (
            metres(one.lon, one.lat, other.lon, other.lat) <= rule.radius_m
        ):
            near[i].append(j)
            near[j].append(i)
    # In an order of their own, not in that of the search, which changes with what came since.
    return [sorted(those) for those in near]


def _close(members: Sequence[Member], rule: Burst) -> Iterable[tuple[int, int]]:
    """Pairs, a few too many."""
    if len(members) < rule.cases:
        return []
    lat = sum(member.lat for member in members) / len(members)
    north, east = degree_m(lat)
    start = members[0].seen_at
    scaled = np.array(
        [
            (
                member.lon * east / rule.radius_m,
                member.lat * north / rule.radius_m,
                (member.seen_at - start).total_seconds() / 3600 / rule.hours,
            )
            for member in members
        ]
    )
    # Metres of a degree change by less than a hundredth over a district.
    pairs: NDArray[np.intp] = cKDTree(scaled).query_pairs(1.02, p=np.inf, output_type="ndarray")
    return ((int(i), int(j)) for i, j in pairs)
