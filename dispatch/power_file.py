"""`powers.csv`: the power list as a district folder keeps it, read strictly and written back the same."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from dispatch.errors import BrokenDistrict
from dispatch.folder import CODE, TEXT, TRUTH, Column, Reading, Table, one_of
from dispatch.model import TeamKind
from dispatch.powers.book import PowerList
from dispatch.powers.model import Basis, Origin, Power, PowerKind, Procedure, Tier

FILE: Final = "powers.csv"
BETWEEN: Final = "|"
"""Between the entries of one cell; no entry may hold it."""
LEADS_TO: Final = "→"
"""Between a tier's circumstances and its range; neither may hold it."""

_BASIS: Final = re.compile(r"《(.+)》([^《》]*)")
T = TypeVar("T")


def _entries(parse: Callable[[str], T]) -> Callable[[str], tuple[T, ...]]:
    """Of a cell with any number of entries, none twice."""

    def parse_all(text: str) -> tuple[T, ...]:
        found = tuple(parse(entry.strip()) for entry in text.split(BETWEEN)) if text else ()
        if len(set(found)) < len(found):
            raise ValueError(text)
        return found

    return parse_all


def _code(text: str) -> str:
    if not text:
        raise ValueError(text)
    return text


def _basis(text: str) -> Basis:
    found = _BASIS.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return Basis(found[1], found[2])


def _tier(text: str) -> Tier:
    circumstances, _, amount = (part.strip() for part in text.partition(LEADS_TO))
    if not circumstances or not amount or LEADS_TO in amount:
        raise ValueError(text)
    return Tier(circumstances, amount)


def _parsed(column: Column, kind: Callable[[Any], T]) -> Column:
    return Column(lambda text: kind(column.parse(text)), column.expected)


_KINDS: Final = " | ".join(TeamKind)
COLUMNS: Final[Mapping[str, Column]] = {
    "code": CODE,
    "name": CODE,
    "name_en": TEXT,
    "department": CODE,
    "kind": _parsed(one_of(list(PowerKind)), PowerKind),
    "bases": Column(_entries(_basis), "《law》article|…"),
    "tiers": Column(_entries(_tier), f"circumstances{LEADS_TO}range|…"),
    "procedure": _parsed(one_of(list(Procedure)), Procedure),
    "matters": Column(_entries(_code), "code|…"),
    "team_kinds": Column(_entries(TeamKind), f"{_KINDS}, …|…"),
    "delegated": TRUTH,
    "origin": _parsed(one_of(list(Origin)), Origin),
}
"""The file's columns, in the order in which they are written; their names are `Power`'s."""


def power_of(row: Mapping[str, Any]) -> Power:
    """The item of a row that `Reading.table` read by `COLUMNS`."""
    return Power(**{name: row[name] for name in COLUMNS})


def power_list(table: Table | None) -> PowerList:
    """The items of the table; none where there is no table."""
    return PowerList(power_of(row) for row in table.rows.values()) if table else PowerList()


def references(
    reading: Reading, file: str, table: Table | None, departments: frozenset[str] | None, matters: frozenset[str] | None
) -> None:
    """Name every row whose department or matter is not there; `matters` has the classes too. None: not to be judged."""
    reading.refer(file, table, "department", "departments.csv", departments)
    for code, row in table.rows.items() if table and matters is not None else ():
        for matter in row["matters"]:
            if matters is not None and matter not in matters:
                line = table.numbers[code] if table else 0
                told = {"where": f"{code} ({file}:{line})", "field": "matters", "target": "matters.csv", "row": line}
                reading.wrong("unknown_reference", file, code, **told, value=matter)


def read_list(folder: Path) -> tuple[PowerList, Mapping[str, str]]:
    """A folder's power list and the names of its departments, without the rest. Raises `BrokenDistrict`."""
    reading = Reading(folder)
    departments = reading.table("departments.csv", {"code": CODE, "name": CODE})
    table = reading.table(FILE, COLUMNS)
    if reading.findings:
        raise BrokenDistrict(folder.name, reading.findings)
    return power_list(table), {code: row["name"] for code, row in departments.rows.items()} if departments else {}


def cells(power: Power) -> dict[str, str]:
    """The item's row, by column."""
    return {
        "code": power.code,
        "name": power.name,
        "name_en": power.name_en,
        "department": power.department,
        "kind": power.kind.value,
        "bases": BETWEEN.join(basis.text() for basis in power.bases),
        "tiers": BETWEEN.join(f"{tier.circumstances}{LEADS_TO}{tier.range}" for tier in power.tiers),
        "procedure": power.procedure.value,
        "matters": BETWEEN.join(power.matters),
        "team_kinds": BETWEEN.join(power.team_kinds),
        "delegated": "true" if power.delegated else "false",
        "origin": power.origin.value,
    }


def written(powers: Iterable[Power]) -> str:
    """The file's text."""
    out = io.StringIO()
    rows = csv.DictWriter(out, list(COLUMNS), lineterminator="\n")
    rows.writeheader()
    rows.writerows(cells(power) for power in powers)
    return out.getvalue()
