"""A folder's power list, or one in a file of its own, held against the district: read, proved, checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dispatch import district as districts
from dispatch import power_file
from dispatch.competence import DecisionTable
from dispatch.district import District
from dispatch.errors import BrokenDistrict
from dispatch.folder import CODE, Reading, Table
from dispatch.powers.book import PowerList
from dispatch.powers.check import Lines, Sent, check
from dispatch.proof import UNSETTLED, prove
from geo.findings import Finding
from geo.grid import Metric


@dataclass(frozen=True, slots=True)
class Checked:
    """A list that was read as far as it can be, and everything that is wrong with it."""

    powers: PowerList
    findings: tuple[Finding, ...]


def check_powers(folder: Path, file: Path | None = None) -> Checked:
    """The list of a district's folder, or that in `file` held against the folder.

    Raises `BrokenDistrict` where anything else in the folder is wrong: nothing can be held against it then.
    """
    district, findings = districts.read(folder)
    own = [finding for finding in findings if finding.layer == power_file.FILE]
    others = [finding for finding in findings if finding.layer != power_file.FILE]
    if district is None or others:
        raise BrokenDistrict(folder.name, others or findings)
    if file is None:
        reading = Reading(folder)
        table = reading.table(power_file.FILE, power_file.COLUMNS)
        found = own or reading.findings
    else:
        reading = Reading(file.parent)
        table = reading.table(file.name, power_file.COLUMNS)
        known = frozenset(district.departments), frozenset({*district.matters, *district.classes})
        power_file.references(reading, file.name, table, *known)
        found = reading.findings
    powers = power_file.power_list(table)
    lines = Lines(file.name if file else power_file.FILE, table.numbers if table else {})
    if table is None:
        return Checked(powers, tuple(found))
    named = {code: matter.name for code, matter in district.matters.items()}
    rules = Lines("rules.csv", _numbers(district.folder, "rules.csv"))
    # A row that cannot be read may be the power that a team lacks: that is judged when the row is mended.
    comes = sent(district) if len(table.rows) == len(table.codes) else {}
    return Checked(powers, (*found, *check(powers, lines, district.teams, named, comes, rules)))


def _numbers(folder: Path, file: str) -> dict[str, int]:
    table: Table | None = Reading(folder).table(file, {"code": CODE})
    return dict(table.numbers) if table else {}


def sent(district: District) -> Sent:
    """What the decision table sends whom, somewhere in the district: by the proof, so that only rows that win count.

    Classes are left out: a report that names only a class leads to what its matter turns out to be.
    """
    table = DecisionTable(district.rules, district.layers, district.classes, district.matters, district.teams)
    proof = prove(table, district.layers, Metric(district.metric_crs))
    found: dict[tuple[str, str], dict[str, None]] = {}
    for kind in range(len(proof.places.kinds)):
        for group, matters in enumerate(proof.groups):
            team = proof.team(kind, group)
            row = proof.winners[kind][group]
            if team is None or row == UNSETTLED:
                continue
            for matter in matters:
                if matter in district.matters:
                    found.setdefault((team, matter), {})[table.rules[row].code] = None
    return {key: tuple(sorted(rows)) for key, rows in found.items()}
