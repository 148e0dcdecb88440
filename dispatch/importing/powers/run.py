"""Import: every sheet read, every row an item or told why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dispatch.errors import BrokenDistrict, UnreadableFile
from dispatch.folder import CODE, Reading
from dispatch.importing.powers import headers, sheets
from dispatch.importing.powers.build import Builder
from dispatch.importing.powers.cells import Known
from dispatch.importing.powers.headers import NEEDED, Header
from dispatch.importing.powers.items import Gathering
from dispatch.importing.powers.report import Told, What
from dispatch.powers.model import Power, PowerKind


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file."""

    powers: tuple[Power, ...]
    """In the order of the file."""
    told: tuple[Told, ...]

    @property
    def refused(self) -> tuple[Told, ...]:
        """What was not understood."""
        return tuple(one for one in self.told if one.what is What.REFUSED)


def read_known(folder: Path) -> Known:
    """The departments and matters that a district's folder lists. Raises `BrokenDistrict`."""
    reading = Reading(folder)
    named: list[Mapping[str, str]] = []
    for file in ("departments.csv", "matters.csv", "classes.csv"):
        table = reading.table(file, {"code": CODE, "name": CODE})
        named.append({code: row["name"] for code, row in table.rows.items()} if table else {})
    if reading.findings:
        raise BrokenDistrict(folder.name, reading.findings)
    departments, matters, classes = named
    return Known(departments, {**classes, **matters})


def import_powers(data: bytes, known: Known, kind: PowerKind | None = None) -> Imported:
    """The items of an Excel or CSV file. `kind`: of items whose sheet has no column that says it.

    Raises `UnreadableFile` where no sheet has a header with the columns that are needed, `EmptyFile`.
    """
    book = sheets.read(data)
    told = [Told(What.PASSED_OVER, name, 0, "", "hidden_sheet") for name in book.hidden]
    powers: list[Power] = []
    taken: dict[str, int] = {}
    some = False
    for sheet in book.sheets:
        header = headers.find(sheet.rows)
        if header is None:
            told.append(Told(What.PASSED_OVER, sheet.name, 0, "", "no_header"))
            continue
        some = True
        _complete(sheet.name, header, kind)
        told += _above(sheet, header)
        builder = Builder(sheet.name, header, known, None if "kind" in header.columns else kind, told)
        for group in Gathering(sheet, header, told.append).groups():
            power = builder.build(group, taken)
            if power is not None:
                taken[power.code] = group.number
                powers.append(power)
    if not some:
        raise UnreadableFile(
            problem_zh="没有找到表头：至少要有编码、名称、部门等列。",
            problem="no header was found: columns such as 编码 (code), 名称 (name), 部门 (department) are needed.",
        )
    return Imported(tuple(powers), tuple(told))


def _complete(name: str, header: Header, kind: PowerKind | None) -> None:
    lacking = [field for field in NEEDED if field not in header.columns and not (field == "kind" and kind)]
    if lacking:
        said = [f"{headers.SPELLINGS[field][1]} ({field})" for field in lacking]
        where = f"{name}!" if name else ""
        raise UnreadableFile(
            {"row": header.rows[0], "columns": lacking},
            problem_zh=f"{where}第 {header.rows[0]} 行的表头缺少列：{'、'.join(said)}",
            problem=f"the header in {where}row {header.rows[0]} lacks the columns {', '.join(said)}",
        )


def _above(sheet: sheets.Sheet, header: Header) -> list[Told]:
    """What stands above the header, and the columns that are not read."""
    out = [
        Told(
            What.PASSED_OVER,
            sheet.name,
            row.number,
            "",
            "above_header",
            " ".join(dict.fromkeys(cell.text.strip() for cell in row.cells if cell.text.strip())),
        )
        for row in sheet.rows
        if row.number < header.rows[0]
    ]
    return out + [
        Told(What.PASSED_OVER, sheet.name, header.rows[-1], title, "column_not_read") for title in header.unread
    ]
