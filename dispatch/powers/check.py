"""What is wrong with a power list among the teams and the decision table of a district. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dispatch.model import Team, TeamKind
from dispatch.powers.book import PowerList
from dispatch.powers.model import Power
from geo.findings import Finding

Sent = Mapping[tuple[str, str], Sequence[str]]
"""Team and matter -> the rows of the decision table by which the one gets the other somewhere."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Where things stand: a file, and the line of each code in it."""

    file: str
    numbers: Mapping[str, int]

    def of(self, code: str) -> str:
        """E.g. `P001 (powers.csv:12)`."""
        return f"{code} ({self.file}:{self.numbers.get(code, 0)})"


def check(
    powers: PowerList, lines: Lines, teams: Mapping[str, Team], matters: Mapping[str, str], sent: Sent, rules: Lines
) -> Iterator[Finding]:
    """Items that no team holds, items that stand twice, matters that come to a team with no power for them.

    `matters`: code -> name.
    """
    kinds = {team.kind for team in teams.values()}
    for power in powers.values():
        if not any(power.held_by(kind) for kind in kinds):
            told = ", ".join(power.team_kinds)
            yield _at(Finding("power_without_team", lines.file, (power.code,), {"kinds": told}), lines, power.code)
    yield from _twice(powers, lines)
    yield from _powerless(powers, teams, matters, sent, rules)


def _at(finding: Finding, lines: Lines, code: str) -> Finding:
    facts = {**finding.data, "where": lines.of(code), "row": lines.numbers.get(code, 0)}
    return Finding(finding.code, finding.layer, finding.zones, facts)


def _twice(powers: PowerList, lines: Lines) -> Iterator[Finding]:
    """Same name, department and basis under several codes."""
    same: dict[tuple[object, ...], list[Power]] = {}
    for power in powers.values():
        key = ("".join(power.name.split()), power.department, frozenset(power.bases))
        same.setdefault(key, []).append(power)
    for several in same.values():
        if len(several) > 1:
            codes = tuple(power.code for power in several)
            places = ", ".join(lines.of(code) for code in codes)
            found = Finding("power_twice", lines.file, codes, {"name": several[0].name, "places": places})
            yield _at(found, lines, max(codes, key=lambda code: lines.numbers.get(code, 0)))


def _powerless(
    powers: PowerList, teams: Mapping[str, Team], matters: Mapping[str, str], sent: Sent, rules: Lines
) -> Iterator[Finding]:
    """Team by team and matter by matter; teams of one kind that get it by the same rows are one finding."""
    lacking: dict[tuple[str, TeamKind, tuple[str, ...]], list[str]] = {}
    for (team, matter), rows in sorted(sent.items()):
        if not powers.powers_for(matter, teams[team].kind):
            lacking.setdefault((matter, teams[team].kind, tuple(rows)), []).append(team)
    for (matter, kind, rows), names in sorted(lacking.items()):
        others = powers.powers_for(matter)
        facts = {
            "matter": f"{matter} {matters.get(matter, '')}".strip(),
            "teams": ", ".join(f"{code} {teams[code].name}" for code in names),
            "kind": kind.value,
            "rows": ", ".join(rules.of(row) for row in rows),
            "items": ", ".join(power.code for power in others[:3]) or "—",
            "row": rules.numbers.get(rows[0], 0),
        }
        yield Finding("team_without_power", rules.file, tuple(names), facts)
