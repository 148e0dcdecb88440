"""Is this the same thing again? Two sightings weighed by place, time, matter, words and photos. Pure.

What is near enough to be weighed at all is the district's (`Sameness`); how much each kind of evidence tells is in
`WEIGHTS`. `docs/duplicates.md` says how both came about.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final

from geo.datum import Datum, to_wgs84


@dataclass(frozen=True, slots=True)
class Reach:
    """How far apart two sightings of one thing of a matter may be."""

    radius_m: float
    """Beyond what the positions themselves are off by."""
    hours: float


@dataclass(frozen=True, slots=True)
class Sameness:
    """A district's reaches: of a matter its own, else its class's, else the default."""

    default: Reach = Reach(80, 120)
    of: Mapping[str, Reach] = field(default_factory=dict)
    """By matter or class."""

    def reach(self, matter: str) -> Reach:
        """Of a matter, or of a class."""
        return self.of.get(matter) or self.of.get(matter[:2]) or self.default

    def widest(self, matter: str) -> Reach:
        """That holds every reach of the matter's class, in metres and in hours: what is looked through."""
        own = [reach for code, reach in self.of.items() if code[:2] == matter[:2]] + [self.reach(matter[:2])]
        return Reach(max(one.radius_m for one in own), max(one.hours for one in own))


@dataclass(frozen=True, slots=True)
class Sighting:
    """What somebody saw: a report, or a draft of one."""

    lon: float
    lat: float
    accuracy_m: float
    seen_at: datetime
    matter: str
    """Or a class."""
    words: frozenset[str]
    """Pairs of characters of the text, without the matter's own name (`words_of`)."""
    numbers: frozenset[str]
    """House numbers, pole numbers, number plates (`numbers_of`)."""
    photos: frozenset[str]
    """Digests."""
    moved_m: float = 0.0
    """As far as it was snapped: the place is less sure by so much."""


@dataclass(frozen=True, slots=True)
class Known:
    """A sighting that is on record: of an open case, or of one that was merged into it."""

    case: str
    """The open one."""
    sighting: Sighting


@dataclass(frozen=True, slots=True)
class Match:
    """An open case that a sighting may be of."""

    case: str
    score: float
    """0 to 1."""
    distance_m: float
    minutes: float
    """Between the two sightings."""
    text: float | None
    """How alike the texts are, 0 to 1; None: one of them says nothing."""
    why: tuple[str, ...]
    """Codes: `REASONS`."""


REASONS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "same_place": ("位置在误差范围内", "no farther than the positions are off"),
        "near": ("位置相近", "near"),
        "same_matter": ("事项相同", "the same matter"),
        "same_class": ("事项同属一类", "a matter of the same class"),
        "soon": ("时间相近", "soon after one another"),
        "same_words": ("描述相似", "said in like words"),
        "same_number": ("门牌、杆号或车牌相同", "the same house, pole or plate number"),
        "other_number": ("门牌、杆号或车牌不同", "another house, pole or plate number"),
        "same_photo": ("照片相同", "the same photo"),
    }
)

MOST_ACCURACY_M: Final = 150.0
"""A position that is off by more says as little as one that is off by this: farther is not looked."""
EXTENT: Final = 0.15
"""Of a matter's radius: how far from each other two people stand who report the same thing (one sigma)."""
FAR: Final = 9.0
"""Of the squared distance in sigmas: what is more says no more, as some positions are off by more than they say."""
SOON_MIN: Final = 180.0
"""Minutes: what is told as 'soon after one another'."""
ALIKE: Final = 0.35
"""What is told as 'in like words'."""
OFFER_AT: Final = 0.54
"""The least score of what is offered: chosen on seeds 11 to 20 of the made stream, for a recall of 0.91."""

FEATURES: Final = (
    "constant",
    "distance",
    "far",
    "unsure",
    "gap",
    "since",
    "class_only",
    "text",
    "no_text",
    "several",
    "same_number",
    "other_number",
    "same_photo",
)
WEIGHTS: Final = (3.41, -1.09, -0.54, -1.61, -0.52, -0.83, -2.25, 4.8, 1.26, 0.75, 8.17, -0.02, 7.76)
"""Of `FEATURES`, in the log of the odds. Fitted on seeds 1 to 10 of the made stream (`onegrid bench duplicates`)."""

_NOT_WORDS: Final = re.compile(r"[\W_]+")
_NUMBER: Final = re.compile(
    r"(?<![\d月a-z])(\d{1,5})(?=\s*号(?!线)|[栋幢杆弄#]|单元)|([\u4e00-\u9fff][a-z][a-z0-9]{5,6})(?![a-z0-9])"
)

_A: Final = 6_378_137.0
_E2: Final = 6.694_379_990_141_317e-3
"""Of the WGS 84 ellipsoid: half axis (m) and eccentricity squared (NIMA TR8350.2)."""


def metres(lon: float, lat: float, other_lon: float, other_lat: float) -> float:
    """Between two points in degrees; by the radii of curvature halfway, to a millimetre over some kilometres."""
    north, east = degree_m((lat + other_lat) / 2)
    return math.hypot((lat - other_lat) * north, (lon - other_lon) * east)


def degrees_around(lat: float, far_m: float) -> tuple[float, float]:
    """Half width and half height in degrees of a box that holds all that is within `far_m` metres; a little more."""
    north, east = degree_m(lat)
    return far_m / east * 1.001, far_m / north * 1.001


def degree_m(lat: float) -> tuple[float, float]:
    """Metres of a degree of latitude and of longitude at a latitude in degrees."""
    w = 1 - _E2 * math.sin(math.radians(lat)) ** 2
    return math.radians(_A * (1 - _E2) / w**1.5), math.radians(_A * math.cos(math.radians(lat)) / math.sqrt(w))


def words_of(text: str, named: str = "") -> frozenset[str]:
    """The pairs of characters in a text, without those of `named` (what everybody says of a matter tells nothing).

    Width and case do not count, nor do blanks and punctuation, across which no pair goes. Pairs serve Chinese, where
    nothing parts the words, and do no harm elsewhere.
    """
    return _pairs(text) - _pairs(named)


def _pairs(text: str) -> frozenset[str]:
    runs = _NOT_WORDS.split(unicodedata.normalize("NFKC", text).casefold())
    return frozenset(run[i : i + 2] for run in runs for i in range(len(run) - 1))


def numbers_of(text: str) -> frozenset[str]:
    """House, building and pole numbers and number plates in a text; no days of a month."""
    found = _NUMBER.findall(unicodedata.normalize("NFKC", text).casefold())
    return frozenset(number or plate for number, plate in found)


def moved_m(lon: float, lat: float, given_lon: float, given_lat: float, datum: Datum) -> float:
    """How far a report that was given there was snapped to where it lies (WGS 84)."""
    x, y = to_wgs84(given_lon, given_lat, datum)
    return metres(lon, lat, x, y)


def look_through(sighting: Sighting, sameness: Sameness) -> Reach:
    """How far from a sighting, in space and time, anything can lie that `rank` would find."""
    widest = sameness.widest(sighting.matter)
    return Reach(widest.radius_m + _unsure(sighting) + MOST_ACCURACY_M, widest.hours)


def rank(new: Sighting, known: Iterable[Known], sameness: Sameness, at_least: float = OFFER_AT) -> list[Match]:
    """The open cases that it may be of, likeliest first."""
    cases: dict[str, list[Sighting]] = {}
    for one in known:
        cases.setdefault(one.case, []).append(one.sighting)
    found = (weigh(new, case, sightings, sameness) for case, sightings in cases.items())
    offered = [match for match in found if match and match.score >= at_least]
    return sorted(offered, key=lambda match: (-match.score, match.distance_m, match.case))


def weigh(new: Sighting, case: str, sightings: Sequence[Sighting], sameness: Sameness) -> Match | None:
    """How likely a sighting is of a case, by all sightings of that which are within reach; None: none of them is."""
    told = evidence(new, sightings, sameness)
    if told is None:
        return None
    features = told.features
    odds = sum(weight * value for weight, value in zip(WEIGHTS, features.values(), strict=True))
    why = [
        "same_place" if told.distance_m <= told.unsure_m else "near",
        "same_class" if features["class_only"] else "same_matter",
        *(["soon"] if told.minutes <= SOON_MIN else []),
        *(["same_words"] if features["text"] >= ALIKE else []),
        *(name for name in ("same_number", "other_number", "same_photo") if features[name]),
    ]
    text = None if features["no_text"] else features["text"]
    return Match(case, 1 / (1 + math.exp(-odds)), told.distance_m, told.minutes, text, tuple(why))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for and against a sighting's being of a case."""

    features: Mapping[str, float]
    """By `FEATURES`, in their order."""
    distance_m: float
    """To the middle of the case's sightings, the surer ones counting more."""
    unsure_m: float
    """How far off both may be together."""
    minutes: float
    """To the nearest sighting of the case."""


def evidence(new: Sighting, sightings: Sequence[Sighting], sameness: Sameness) -> Evidence | None:
    """From the sightings of a case that are within reach; None where none is."""
    those = [other for other in sightings if within(new, other, sameness)]
    if not those:
        return None
    reach = min((_reach(new, other, sameness) for other in those), key=lambda one: (one.radius_m, one.hours))
    extent = EXTENT * reach.radius_m
    sure = [1 / (_unsure(other) ** 2 + extent**2) for other in those]
    whole = sum(sure)
    lon = sum(weight * other.lon for weight, other in zip(sure, those, strict=True)) / whole
    lat = sum(weight * other.lat for weight, other in zip(sure, those, strict=True)) / whole
    distance = metres(new.lon, new.lat, lon, lat)
    spread = math.sqrt(_unsure(new) ** 2 + extent**2 + 1 / whole)
    apart = (distance / spread) ** 2
    hours = [abs((new.seen_at - other.seen_at).total_seconds()) / 3600 for other in those]
    texts = [text for other in those if (text := alike(new.words, other.words)) is not None]
    numbers = frozenset[str]().union(*(other.numbers for other in those))
    agree = bool(numbers & new.numbers)
    features = (
        1.0,
        math.log1p(apart),
        min(apart, FAR),
        math.log(spread / reach.radius_m),
        math.sqrt(min(hours) / reach.hours),
        math.log1p(max(hours)),
        float(all(other.matter != new.matter for other in those)),
        max(texts, default=0.0),
        float(not texts),
        math.log(len(those)),
        float(agree),
        float(bool(numbers and new.numbers) and not agree),
        float(any(other.photos & new.photos for other in those)),
    )
    return Evidence(dict(zip(FEATURES, features, strict=True)), distance, spread, min(hours) * 60)


def within(new: Sighting, other: Sighting, sameness: Sameness) -> bool:
    """Whether two sightings are near enough in place, time and matter to be of one thing."""
    if new.matter[:2] != other.matter[:2]:
        return False
    reach = _reach(new, other, sameness)
    if abs((new.seen_at - other.seen_at).total_seconds()) > reach.hours * 3600:
        return False
    far = metres(new.lon, new.lat, other.lon, other.lat)
    return far <= reach.radius_m + _unsure(new) + _unsure(other)


def _reach(a: Sighting, b: Sighting, sameness: Sameness) -> Reach:
    """The narrower of both matters'."""
    one, other = sameness.reach(a.matter), sameness.reach(b.matter)
    return Reach(min(one.radius_m, other.radius_m), min(one.hours, other.hours))


def alike(words: frozenset[str], others: frozenset[str]) -> float | None:
    """Dice's coefficient of two sets of pairs, 0 to 1; None where one is empty."""
    if not words or not others:
        return None
    return 2 * len(words & others) / (len(words) + len(others))


def _unsure(sighting: Sighting) -> float:
    return min(math.hypot(sighting.accuracy_m, sighting.moved_m), MOST_ACCURACY_M)
