"""Responsibility, proved: every kind of place and every matter against the teams, and against how they get there.

What is proved of an edition of a district, and what is not, with a witness for each failure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from dispatch.competence import DecisionTable
from dispatch.errors import BrokenDistrict
from dispatch.ground import Ground, terrain
from dispatch.model import Rule
from dispatch.place_kinds import PlaceKind
from dispatch.proof import UNSETTLED, Proof, prove, shortened
from dispatch.reach import Net, Reach
from dispatch.spare_rows import Spare, spare_rows
from geo import kept
from geo.grid import Metric

MARK: Final = "proved-{}"
MARKS_LEFT: Final = 8
"""Of other folders, or of this one as it was."""
LEFT_M2: Final = 1.0
"""The kinds' areas may miss the district's by rounding, not by more."""

WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "rule_hole": (
        "{place}：没有规则规定由谁负责 {matters}",
        "{place_en}: no row says who is responsible for {matters}",
    ),
    "rule_tie": (
        "{place}：{matters} 有规则 {rules} 同时适用，不分先后",
        "{place_en}: rows {rules} both speak of {matters}, neither more specific",
    ),
    "no_unit": (
        "{place}：{matters} 依规则 {rules} 由 {team} 负责，但该队没有任何单元",
        "{place_en}: {matters} by row {rules} fall to {team_en}, which has no unit at all",
    ),
    "out_of_reach": (
        "{place}：{matters} 依规则 {rules} 由 {team} 负责，但其车船到不了其中 {km2}（最远离可达处 {off}）",
        "{place_en}: {matters} by {rules} fall to {team_en}; no unit gets to {km2} of it (at worst {off} off)",
    ),
    "area_left": ("各类地点面积之和与区域面积相差 {km2}", "the kinds of place and the district differ by {km2}"),
}


@dataclass(frozen=True, slots=True)
class Failure:
    """One way in which responsibility is not settled or not met."""

    code: str
    """One of `WORDS`."""
    matters: tuple[str, ...]
    rules: tuple[str, ...]
    """The rows at issue; none where no row speaks."""
    team: str | None
    kinds: tuple[str, ...]
    """Codes of the kinds of place."""
    at: tuple[float, float] | None
    """The witness: longitude, latitude of a point where it is so."""
    facts: Mapping[str, str]

    def text(self, language: Literal["zh", "en"]) -> str:
        """One line."""
        words = WORDS[self.code][0 if language == "zh" else 1].format_map(self.facts)
        if self.at is None:
            return words
        place = f"{self.at[0]:.6f}, {self.at[1]:.6f}"
        return f"{words}，例如 {place}" if language == "zh" else f"{words}, e.g. at {place}"


@dataclass(frozen=True, slots=True)
class Duties:
    """The matrix of one edition, with what is wrong in it."""

    ground: Ground
    proof: Proof
    reach: Mapping[tuple[str, int], Reach]
    """For each team and each number of a kind that it is responsible in."""
    within_m: float
    """A place counts as reached if a unit gets as near as this."""
    failures: tuple[Failure, ...]
    spare: tuple[Spare, ...]

    @property
    def passed(self) -> bool:
        """Whether every kind of place and every matter have exactly one team, and a unit of it that gets there."""
        return not self.failures

    def figures(self) -> dict[str, Any]:
        """What was looked at and what was found, as plain values."""
        places, kinds = self.proof.places, self.proof.places.kinds
        district = self.ground.district
        asked = len(district.matters) + len(district.classes)
        return {
            "version": district.version,
            "place_kinds": len(kinds),
            "without_area": sum(not kind.faces for kind in kinds),
            "matters": len(district.matters),
            "classes": len(district.classes),
            "pairs": len(kinds) * asked,
            "treated_alike": len(self.proof.groups),
            "teams": len({team for team, _ in self.reach}),
            "area_km2": round(places.area_km2, 6),
            "district_km2": round(places.district_km2, 6),
            "left_m2": round(places.left_m2, 6),
            "within_m": round(self.within_m, 1),
            "kinds": [
                {"code": k.code, "name": k.name, "name_en": k.name_en, "km2": round(k.area_km2, 6), "at": k.at}
                for k in kinds
            ],
            "clauses": [
                {"matters": list(matters), "rule": rule, "team": team, "kinds": codes}
                for matters, rule, team, codes in self.clauses()
            ],
            "failures": [
                {
                    "code": one.code,
                    "matters": list(one.matters),
                    "rules": list(one.rules),
                    "team": one.team,
                    "kinds": list(one.kinds),
                    "at": one.at,
                    "zh": one.text("zh"),
                    "en": one.text("en"),
                }
                for one in self.failures
            ],
            "spare_rows": [
                {"code": one.code, "rules": list(one.rules), "others": list(one.others), "column": one.column}
                for one in self.spare
            ],
        }

    def clauses(self) -> list[tuple[tuple[str, ...], str, str, list[str]]]:
        """The matrix without repetition: for matters treated alike, row and team, the kinds of place where it is so."""
        found: dict[tuple[int, int, str], list[str]] = {}
        for number, kind in enumerate(self.proof.places.kinds):
            for group, row in enumerate(self.proof.winners[number]):
                team = self.proof.team(number, group)
                if team is not None:
                    found.setdefault((group, row, team), []).append(kind.code)
        rules = self.proof.table.rules
        return [(self.proof.groups[g], rules[row].code, team, kinds) for (g, row, team), kinds in found.items()]


def refuse_if_unproved(ground: Ground) -> None:
    """Raises `BrokenDistrict` with every `Failure`: some place and matter has no one team, or no unit gets there.

    What an edition must pass before it is enacted for the first time; about a second.
    """
    *_, failures = _proved(ground)
    if failures:
        raise BrokenDistrict(ground.district.version, failures)


def refuse_unless_proved(ground: Ground, marks: Path, osm: Path | None = None) -> None:
    """As `refuse_if_unproved`, for who decides by a folder without enacting it: proved once, and marked so in `marks`.

    The mark is of every byte of the folder, of what travel is made from (`osm`: the extract whose roads count) and of
    this program's own source: when any of it is another, it is proved again. What is not proved is never marked.
    """
    contents = ground.district.contents
    whole = hashlib.sha256(_source().encode())
    whole.update(terrain(ground.district, osm).digest().encode())
    for file, raw in sorted(contents.items()):
        whole.update(f"\0{file}\0{len(raw)}\0".encode() + raw)
    digest = whole.hexdigest()
    mark = marks / MARK.format(digest[:16])
    if kept.opened(mark, digest) is not None:
        return
    refuse_if_unproved(ground)
    with suppress(OSError):  # a folder that cannot be written costs the proof once more
        marks.mkdir(parents=True, exist_ok=True)
        kept.keep(mark, digest, {"version": ground.district.version}, {})
        kept.clear(marks, MARK.format("*"), MARKS_LEFT)


@cache
def _source() -> str:
    """SHA-256 of all that proves and of all that it is proved on: the source of `geo` and of `dispatch` itself."""
    whole = hashlib.sha256()
    for folder in (Path(kept.__file__).parent, Path(__file__).parent):
        for path in sorted(folder.glob("*.py")):
            whole.update(path.read_bytes())
    return whole.hexdigest()


def prove_duties(ground: Ground) -> Duties:
    """The whole proof for a district that is ready (a few seconds)."""
    district = ground.district
    proof, reach, within_m, failures = _proved(ground)

    def compiled(rules: Sequence[Rule]) -> DecisionTable:
        return DecisionTable(rules, district.layers, district.classes, district.matters, district.teams)

    return Duties(ground, proof, reach, within_m, failures, tuple(spare_rows(proof, compiled)))


def _proved(ground: Ground) -> tuple[Proof, dict[tuple[str, int], Reach], float, tuple[Failure, ...]]:
    """As the parts of `Duties` of these names."""
    district = ground.district
    proof = prove(ground.table, district.layers, Metric(district.metric_crs))
    units, cell_m = list(district.units.values()), district.settings.travel_cell_m
    net = Net(proof.places, ground.locator, ground.travel, units, district.metric_crs, cell_m)
    work: dict[tuple[str, int], list[int]] = {}
    for kind in range(len(proof.places.kinds)):
        for group in range(len(proof.groups)):
            team = proof.team(kind, group)
            if team is not None:
                work.setdefault((team, kind), []).append(group)
    reach = {(team, kind): net.reach(ground.units_of.get(team, ()), kind) for team, kind in work}
    failures = (*_area(proof), *_unsettled(proof), *_unreached(ground, proof, work, reach))
    return proof, reach, net.within_m, failures


def _area(proof: Proof) -> list[Failure]:
    left = proof.places.left_m2
    return (
        [Failure("area_left", (), (), None, (), None, {"km2": _area_text(left / 1e6)})] if abs(left) > LEFT_M2 else []
    )


def _place_facts(kinds: Sequence[PlaceKind]) -> dict[str, str]:
    more = len(kinds) - 1
    return {
        "place": kinds[0].name + (f" 等 {len(kinds)} 类地点" if more else ""),
        "place_en": kinds[0].name_en + (f" and {more} kinds of place more" if more else ""),
    }


def _unsettled(proof: Proof) -> list[Failure]:
    found = []
    for one in proof.unsettled:
        facts = {**_place_facts(one.kinds), "matters": shortened(one.matters), "rules": "、".join(one.rules)}
        best = max(one.kinds, key=lambda kind: (kind.exact, kind.area_km2))
        codes = tuple(kind.code for kind in one.kinds)
        found.append(Failure(one.code, one.matters, one.rules, None, codes, best.at, facts))
    return found


def _unreached(
    ground: Ground,
    proof: Proof,
    work: Mapping[tuple[str, int], Sequence[int]],
    reach: Mapping[tuple[str, int], Reach],
) -> list[Failure]:
    found = []
    for (team, number), groups in work.items():
        way = reach[team, number]
        if way.good:
            continue
        kind = proof.places.kinds[number]
        matters = tuple(sorted(matter for group in groups for matter in proof.groups[group]))
        rows = sorted({row for group in groups for row in [proof.winners[number][group]] if row != UNSETTLED})
        rules = tuple(proof.table.rules[row].code for row in rows)
        body = ground.district.teams[team]
        facts = {
            **_place_facts([kind]),
            "matters": shortened(matters),
            "rules": shortened(rules),
            "team": f"{team} {body.name}",
            "team_en": f"{team} {body.name_en}",
            "km2": _area_text(way.out_km2),
            "off": f"{way.off_m:.0f} m" if way.modes or way.off_m < float("inf") else "∞",
        }
        code = "out_of_reach" if ground.units_of.get(team) else "no_unit"
        found.append(Failure(code, matters, rules, team, (kind.code,), way.farthest, facts))
    return found


def _area_text(km2: float) -> str:
    return f"{km2:.3f} km²" if abs(km2) >= 0.001 else f"{km2 * 1e6:.1f} m²"
