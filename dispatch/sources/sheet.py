"""A file as a source exports it (Excel or CSV): every row a report, or what is wrong with it, by its number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dispatch.errors import DomainError, InvalidInput, UnreadableFile
from dispatch.importing.powers.report import WHY
from dispatch.importing.powers.sheets import Cell, Sheet, read
from dispatch.importing.powers.sheets import Row as Line
from dispatch.intake import Forwarded
from dispatch.sources.adapt import Adapter
from dispatch.sources.forms import Form

HEADER_WITHIN: Final = 20
"""Lines in which the header must be: titles and notes may stand above it."""
_MAY_BE_DATES: Final = "date_for_text"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the file."""

    sheet: str
    """Empty for CSV."""
    number: int
    """As the file's own program shows it; of CSV the line on which it begins."""
    ref: str
    """The source's number, as far as it could be read."""
    outcome: Forwarded | DomainError


def rows(data: bytes, form: Form, adapter: Adapter) -> Iterator[Row]:
    """Every row below the header of each sheet that can be seen and has one.

    Raises `EmptyFile`, and `UnreadableFile` also where no sheet has a header with what the form needs.
    """
    found = [(sheet, head) for sheet in read(data).sheets if (head := _header(sheet, form)) is not None]
    if not found:
        raise _without(form, form.needs[0], 0)
    for sheet, (at, columns) in found:
        lacking = next((field for field in form.needs if field not in columns), None)
        if lacking:
            raise _without(form, lacking, at)
        for line in sheet.rows:
            if line.number > at:
                yield _row(sheet, line, columns, form, adapter)


def _header(sheet: Sheet, form: Form) -> tuple[int, dict[str, int]] | None:
    """The line that knows most of the form's fields, if it knows its first and another."""
    best: tuple[int, dict[str, int]] | None = None
    for line in sheet.rows[:HEADER_WITHIN]:
        columns = form.columns([cell.text for cell in line.cells])
        if form.needs[0] in columns and len(columns) > max(1, len(best[1]) if best else 1):
            best = line.number, columns
    return best


def _row(sheet: Sheet, line: Line, columns: dict[str, int], form: Form, adapter: Adapter) -> Row:
    if line.broken is not None:
        return Row(sheet.name, line.number, "", line.broken)
    cells = {field: line.cells[at] for field, at in columns.items() if at < len(line.cells)}
    ref = cells["ref"].text.strip() if "ref" in cells else ""
    try:
        for field, cell in cells.items():
            _trust(field, cell)
        return Row(sheet.name, line.number, ref, adapter.read(form, {name: cell.text for name, cell in cells.items()}))
    except DomainError as error:
        return Row(sheet.name, line.number, ref, error)


def _trust(field: str, cell: Cell) -> None:
    """Raises `InvalidInput` for a cell whose text is not what somebody wrote."""
    if cell.problem and not (cell.problem == _MAY_BE_DATES and field == "seen_at"):
        zh, en = WHY[cell.problem]
        raise InvalidInput({"field": field}, field=field, problem=en, problem_zh=zh)


def _without(form: Form, field: str, row: int) -> UnreadableFile:
    names = form.fields[field].split()
    chinese = "、".join([name for name in names if not name.isascii()][:3])
    return UnreadableFile(
        {"field": field, "row": row},
        problem_zh=f"没有找到含“{chinese}”等列的表头。",
        problem=f"no header was found with a column such as {names[0]} ({chinese}).",
    )
