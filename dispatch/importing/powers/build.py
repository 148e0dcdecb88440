"""An item made of its rows: each field by its column, every fault of it told, nothing half understood."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from dispatch.importing.powers import cells
from dispatch.importing.powers.bases import parse_bases
from dispatch.importing.powers.cells import Known
from dispatch.importing.powers.fault import CellFault
from dispatch.importing.powers.headers import Header
from dispatch.importing.powers.items import Group, merged_across, missing
from dispatch.importing.powers.report import Told, What
from dispatch.importing.powers.sheets import Cell
from dispatch.powers.model import Basis, Origin, Power, PowerKind, Procedure, Tier

T = TypeVar("T")
_UNTRUSTED_NUMBER: Final = ("code",)
"""Fields in which a number that should be text may have lost zeros."""


@dataclass(slots=True)
class Builder:
    """Makes items of one sheet; what it refuses and what it changed goes to `told`."""

    sheet: str
    header: Header
    known: Known
    kind: PowerKind | None
    """Of items whose sheet has no such column."""
    told: list[Told]

    def build(self, group: Group, taken: Mapping[str, int]) -> Power | None:
        """The item, or None with every fault told. `taken`: codes that are taken, with the row they stand in."""
        notes: list[Told] = []
        faults: list[Told] = []
        made = _Fields(self, group, notes, faults)
        made.whole()
        code = made.one("code", cells.code)
        values = {
            "code": code,
            "name": made.one("name", cells.free),
            "name_en": made.one("name_en", cells.free) or "",
            "department": made.one("department", lambda text, note: cells.department(text, self.known, note)),
            "kind": made.one("kind", lambda text, _: cells.kind(text)) or self.kind,
            "bases": made.bases(),
            "tiers": made.tiers(),
            "procedure": made.procedure(),
            "matters": made.many("matters", lambda text, _: cells.matters(text, self.known)),
            "team_kinds": made.many("team_kinds", lambda text, _: cells.team_kinds(text)),
            "delegated": made.one("delegated", lambda text, _: cells.delegated(text)) or False,
            "origin": made.one("origin", lambda text, _: cells.origin(text)) or Origin.LIST,
        }
        if code is not None and code in taken:
            made.fault("duplicate_code", "code", group.number, f"{code} ({taken[code]})")
        if faults:
            self.told += faults
            told_rows = {fault.row for fault in faults}
            rest = [row.number for row in group.rows if row.number not in told_rows]
            self.told += [Told(What.REFUSED, self.sheet, row, "", "part_of_refused", code or "") for row in rest]
            return None
        self.told += notes
        return Power(**values)  # type: ignore[arg-type]  # by name from the columns; none is left out: that would be a fault


@dataclass(slots=True)
class _Fields:
    """One item's fields, asked one by one."""

    builder: Builder
    group: Group
    notes: list[Told]
    faults: list[Told]

    def fault(self, why: str, name: str, row: int, text: str = "") -> None:
        title = self.builder.header.title(name)
        self.faults.append(Told(What.REFUSED, self.builder.sheet, row, title, why, text))

    def note(self, why: str, name: str, row: int, before: str, after: str = "") -> None:
        title = self.builder.header.title(name)
        self.notes.append(Told(What.NORMALISED, self.builder.sheet, row, title, why, before, after))

    def whole(self) -> None:
        """Faults of the item as it stands: needed cells that are blank, cells that are of two columns."""
        across = merged_across(self.group, self.builder.header)
        if across is not None:
            self.fault("merged_across", across, self.group.number, self.group.text(across))
            del self.group.cells[across]
        needed = ["code", "name", "department"] + (["kind"] if self.builder.kind is None else [])
        for name in missing(self.group, needed):
            self.fault("missing", name, self.group.number)

    def found(self, name: str) -> list[tuple[int, Cell]]:
        """The field's cells that can be trusted, with their rows; the others are faults."""
        out = []
        for row, cell in self.group.cells.get(name, ()):
            if cell.problem:
                self.fault(cell.problem, name, row, cell.text)
            else:
                out.append((row, cell))
        return out

    def read(self, name: str, row: int, text: str, parse: Callable[[str, cells.Note], T]) -> T | None:
        """What the text says; None and a fault where it says nothing known."""
        said: dict[str, None] = {}
        try:
            value = parse(text, lambda why: said.update({why: None}))
        except CellFault as fault:
            self.fault(fault.why, name, row, fault.text)
            return None
        for why in said:
            self.note(why, name, row, text, _shown(value))
        return value

    def one(self, name: str, parse: Callable[[str, cells.Note], T]) -> T | None:
        """The value of a field that an item has once."""
        values: list[tuple[int, str, T]] = []
        for row, cell in self.found(name):
            value = self.read(name, row, cell.text, parse)
            if value is None:
                return None
            if cell.number and name in _UNTRUSTED_NUMBER:
                self.note("number_as_text", name, row, cell.text, str(value))
            values.append((row, cell.text, value))
        other = next(((row, text) for row, text, value in values if value != values[0][2]), None)
        if other is not None:
            self.fault("differs_within_item", name, *other)
        return values[0][2] if values else None

    def many(self, name: str, parse: Callable[[str, cells.Note], Sequence[T]]) -> tuple[T, ...]:
        """The values of a field that an item may have several of, each once."""
        out: dict[T, None] = {}
        for row, cell in self.found(name):
            for value in self.read(name, row, cell.text, parse) or ():
                if value in out:
                    self.note("twice", name, row, cell.text, _shown(value))
                out[value] = None
        return tuple(out)

    def bases(self) -> tuple[Basis, ...]:
        """From one column, or from one of laws and one of articles; a law stands for the articles below it too."""
        out = dict.fromkeys(self.many("bases", _bases))
        laws, articles = dict(self.found("law")), dict(self.found("article"))
        law = ""
        for row in sorted({*laws, *articles}):
            law = laws[row].text.strip() if row in laws else law
            article = articles[row].text if row in articles else ""
            cited = f"{law if law.startswith('《') else f'《{law}》'}{article}"
            if not law:
                self.fault("basis_not_understood", "article", row, article)
            else:
                out |= dict.fromkeys(self.read("law" if row in laws else "article", row, cited, _bases) or ())
        return tuple(out)

    def tiers(self) -> tuple[Tier, ...]:
        """From one column, or row by row from one of circumstances and one of ranges."""
        out = dict.fromkeys(self.many("tiers", cells.tiers))
        when, what = dict(self.found("circumstances")), dict(self.found("range"))
        for row in sorted({*when, *what}):
            if row not in when or row not in what:
                lacking = "circumstances" if row not in when else "range"
                self.fault("tier_half", lacking, row, (when.get(row) or what[row]).text)
                continue
            left = self.read("circumstances", row, when[row].text, cells.free)
            right = self.read("range", row, what[row].text, cells.free)
            if left is not None and right is not None:
                out[Tier(left, right)] = None
        return tuple(out)

    def procedure(self) -> Procedure:
        """General where nothing is said, which is noted."""
        told = self.one("procedure", lambda text, _: cells.procedure(text))
        if told is None:
            self.note("procedure_assumed", "procedure", self.group.number, "", Procedure.GENERAL.value)
        return told or Procedure.GENERAL


def _bases(text: str, note: cells.Note) -> list[Basis]:
    found, notes = parse_bases(cells.unreserved(text))
    for why in notes:
        note(why)
    return found


def _shown(value: Any) -> str:
    if isinstance(value, Basis):
        return value.text()
    if isinstance(value, Tier):
        return f"{value.circumstances}→{value.range}"
    if isinstance(value, list | tuple):
        return "|".join(_shown(one) for one in value)
    return str(value)
