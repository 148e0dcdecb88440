"""Excel and CSV as rows of cells, each with where it was merged and what is wrong with it; nothing is guessed."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import Any, Final

from openpyxl import load_workbook

from dispatch.errors import DomainError, EmptyFile, UnreadableFile
from dispatch.tabular import decode, delimiter, records

EXACT: Final = 10**15
"""Excel keeps 15 digits of a number: what is longer was changed before it came here."""

At = tuple[int, int]
"""Row and column of a cell, both from 1."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell. Every cell of a merged range has the text of its first."""

    text: str
    at: At
    """Where its text stands: elsewhere than the cell itself inside a merged range."""
    problem: str = ""
    """A code of `report.WHY`, of a cell whose text cannot be trusted."""
    number: bool = False
    """Excel holds a number, not text: what stood before its first digit is lost."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row that is not blank, by the number that the file's own program shows."""

    number: int
    cells: tuple[Cell, ...]
    broken: DomainError | None = None
    """It could not be read at all."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table of the file. CSV has no name."""

    name: str
    rows: tuple[Row, ...]
    merges: bool
    """Whether the format can say that cells are merged; where it cannot, a merged cell's others are blank."""


@dataclass(slots=True)
class Book:
    """All sheets that can be seen, and the names of those that are hidden."""

    sheets: list[Sheet] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)


def read(data: bytes) -> Book:
    """The file's sheets, by what its bytes are. Raises `UnreadableFile`, `EmptyFile`."""
    if not data.strip():
        raise EmptyFile
    if data[:4] == b"\xd0\xcf\x11\xe0":
        raise UnreadableFile(
            problem_zh="这是旧式 Excel（.xls）或加密的工作簿，请另存为不加密的 .xlsx。",
            problem="it is an old workbook (.xls) or an encrypted one; save it as .xlsx without a password.",
        )
    book = _workbook(data) if data[:4] == b"PK\x03\x04" else Book([_csv(data)])
    if not any(sheet.rows for sheet in book.sheets):
        raise EmptyFile
    return book


# --- CSV --------------------------------------------------------------------------------------------------------------


def _csv(data: bytes) -> Sheet:
    lines = list(io.StringIO(decode(data), newline=""))
    sign = delimiter("".join([line for line in lines if line.strip()][:10]))
    rows: list[Row] = []
    for number, cells in records(lines, sign):
        if isinstance(cells, DomainError):
            rows.append(Row(number, (), cells))
        elif any(cell.strip() for cell in cells):
            rows.append(Row(number, tuple(Cell(text, (number, i)) for i, text in enumerate(cells, 1))))
    return Sheet("", tuple(rows), merges=False)


# --- Excel ------------------------------------------------------------------------------------------------------------


def _workbook(data: bytes) -> Book:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what it leaves out: validations, pictures
            book = load_workbook(io.BytesIO(data))
            computed: Any = None
            if any(cell.data_type == "f" for sheet in book.worksheets for row in sheet.iter_rows() for cell in row):
                computed = load_workbook(io.BytesIO(data), data_only=True)
    except (
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        OSError,
        EOFError,
        SyntaxError,
    ) as error:
        # openpyxl has no error of its own for a broken workbook; its XML parser's is a SyntaxError.
        raise UnreadableFile(
            problem_zh=f"不是可读的 .xlsx 工作簿：{error}", problem=f"not a workbook that can be read: {error}"
        ) from error
    found = Book()
    for sheet in book.worksheets:
        if sheet.sheet_state != "visible":
            found.hidden.append(sheet.title)
        else:
            found.sheets.append(_sheet(sheet, computed[sheet.title] if computed else sheet))
    return found


def _sheet(sheet: Any, computed: Any) -> Sheet:
    own: dict[At, Cell] = {}
    for row in sheet.iter_rows():
        for cell in row:
            if cell.value is not None:
                at = (cell.row, cell.column)
                formula = cell.data_type == "f"
                told = computed.cell(*at) if formula else cell
                own[at] = _cell(told.value, told.data_type, at, formula)
    last = max((row for row, _ in own), default=0)
    everywhere = {**own, **_spread(own, [span.bounds for span in sheet.merged_cells.ranges], last)}
    return Sheet(sheet.title, _rows(everywhere), merges=True)


def _cell(value: Any, kind: str, at: At, formula: bool) -> Cell:
    if kind == "e":
        return Cell(str(value), at, "error_value")
    if value is None:
        return Cell("", at, "formula_without_value") if formula else Cell("", at)
    if isinstance(value, bool):
        return Cell("是" if value else "否", at)
    if isinstance(value, date | time | timedelta):  # a datetime is a date
        return Cell(str(value), at, "date_for_text")
    if isinstance(value, int | float):
        whole = isinstance(value, int) or value.is_integer()
        problem = "precision_lost" if abs(value) >= EXACT else ""
        return Cell(str(int(value)) if whole else repr(value), at, problem, number=True)
    return Cell(str(value), at)


def _spread(own: Mapping[At, Cell], spans: Iterable[tuple[int, int, int, int]], last: int) -> dict[At, Cell]:
    """The other cells of merged ranges, down to the last row with a text: a range may go on to the sheet's end."""
    out: dict[At, Cell] = {}
    for west, north, east, south in spans:
        first = own.get((north, west), Cell("", (north, west)))
        for row in range(north, max(north, min(south, last)) + 1):
            out.update({(row, column): first for column in range(west, east + 1)})
    return out


def _rows(cells: Mapping[At, Cell]) -> tuple[Row, ...]:
    by_row: dict[int, dict[int, Cell]] = {}
    for (row, column), cell in cells.items():
        by_row.setdefault(row, {})[column] = cell
    return tuple(
        Row(number, tuple(found.get(i, Cell("", (number, i))) for i in range(1, max(found) + 1)))
        for number, found in sorted(by_row.items())
        if any(cell.text.strip() or cell.problem for cell in found.values())
    )
