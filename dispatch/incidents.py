"""Bursts: many cases of one kind close together in space and time are one incident (a flood, a fish kill). Pure.

Density as in DBSCAN (Ester et al. 1996), worked off in the order in which the cases came, as in its incremental form
(Ester et al. 1998): what is found of the first n cases is found again, under the same id, when there are more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from shapely.geometry.base import BaseGeometry

from dispatch.duplicates import degree_m

Places = NDArray[np.intp]
"""Of members, by their order."""

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

    Who lies on the rim of two groups belongs to the one that reached him first. Time and memory grow with the pairs
    that are near each other: a second for a thousand cases in one place.
    """
    near = _neighbours(members, rule)
    count = np.zeros(len(members), dtype=np.intp)
    became = np.full(len(members), -1, dtype=np.intp)  # of cores, the order in which they became so
    home = np.full(len(members), -1, dtype=np.intp)  # of each the core that it first came near to
    group = np.arange(len(members), dtype=np.intp)  # of each core the oldest of its group
    cores_so_far = 0
    for new, around in enumerate(near):
        count[new] = 1
        earlier = around[: np.searchsorted(around, new)]
        if not len(earlier):
            continue
        count[earlier] += 1
        count[new] = len(earlier) + 1
        those = np.append(earlier, new)
        for core in those[(count[those] >= rule.cases) & (became[those] < 0)]:
            became[core] = cores_so_far
            cores_so_far += 1
            known = np.append(near[core][: np.searchsorted(near[core], new, side="right")], core)
            groups = np.unique(group[known[became[known] >= 0]])
            oldest = groups[np.argmin(became[groups])]
            for young in groups[groups != oldest]:
                # The core itself is alone in its group yet.
                group[core if young == core else group == young] = oldest
            home[known[home[known] < 0]] = core
        cores = earlier[became[earlier] >= 0]
        if home[new] < 0 and len(cores):
            home[new] = cores[np.argmin(became[cores])]
    return [None if core < 0 else int(group[core]) for core in home]


def _neighbours(members: Sequence[Member], rule: Burst) -> list[Places]:
    """For each the others within radius and hours, in the order in which they came."""
    size = len(members)
    if size < rule.cases:
        return [np.empty(0, dtype=np.intp)] * size
    lon, lat = (np.array([getattr(member, name) for member in members]) for name in ("lon", "lat"))
    start = members[0].seen_at
    hours = np.array([(member.seen_at - start).total_seconds() / 3600 for member in members])
    middle_north, middle_east = degree_m(float(lat.mean()))
    scaled = np.column_stack(
        (lon * middle_east / rule.radius_m, lat * middle_north / rule.radius_m, hours / rule.hours)
    )
    # Metres of a degree change by less than a hundredth over a district: a few pairs too many.
    pairs = cKDTree(scaled).query_pairs(1.02, p=np.inf, output_type="ndarray")
    one, other = pairs[:, 0], pairs[:, 1]
    north, east = np.array([degree_m(member.lat) for member in members]).T
    metres = np.hypot(
        (lat[one] - lat[other]) * (north[one] + north[other]) / 2,
        (lon[one] - lon[other]) * (east[one] + east[other]) / 2,
    )
    is_near = (metres <= rule.radius_m) & (np.abs(hours[one] - hours[other]) <= rule.hours + 1e-9)
    of = np.concatenate((one[is_near], other[is_near]))
    to = np.concatenate((other[is_near], one[is_near]))
    order = np.lexsort((to, of))
    ends = np.cumsum(np.bincount(of, minlength=size))
    return np.split(to[order], ends[:-1])
