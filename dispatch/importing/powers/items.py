"""The rows of a sheet gathered into items: merged cells, blank ones below them, and what is no item at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from dispatch.importing.powers.headers import MANY, NEEDED, Header, is_heading
from dispatch.importing.powers.report import Told, What
from dispatch.importing.powers.sheets import Cell, Row, Sheet
from dispatch.importing.texts import as_code, as_name

FILLED: Final = ("department", "kind")
"""Columns whose cells are merged over many items: in a CSV only the first of them has a text."""
_NO_ITEM: Final = re.compile(
    r"^(?:[一二三四五六七八九十百]+、|[（(][一二三四五六七八九十]+[)）]|第[一二三四五六七八九十]+(?:部分|章|类)"
    r"|合\s*计|总\s*计|小\s*计|共\s*计|注\s*[:：]|备注|说明\s*[:：]|填表|制表|审核|单位\s*[:：]|第\s*[0-9]+\s*页)"
)
_TOTAL: Final = re.compile(r"^(?:合|总|小|共)\s*计")

Tell = Callable[[Told], None]


@dataclass(slots=True)
class Group:
    """The rows of one item, and its cells by field, blank ones and repetitions left out."""

    rows: list[Row]
    cells: dict[str, list[tuple[int, Cell]]] = field(default_factory=dict)
    """Field -> row number and cell."""

    @property
    def number(self) -> int:
        """Of its first row."""
        return self.rows[0].number

    def text(self, name: str) -> str:
        """The first text of a field, or none."""
        return next((cell.text for _, cell in self.cells.get(name, ())), "")


@dataclass(frozen=True, slots=True)
class Gathering:
    """What a sheet's rows are gathered with."""

    sheet: Sheet
    header: Header
    tell: Tell

    def groups(self) -> Iterator[Group]:
        """Item by item. Rows that are none, and rows that cannot belong to any, are told."""
        group: Group | None = None
        above: dict[str, Cell] = {}
        for row in self.sheet.rows[self.header.begins :]:
            if row.broken is not None:
                self._told(What.REFUSED, row, "", "unreadable", str(row.broken.facts.get("problem_zh", "")))
                continue
            if why := self._no_item(row):
                self._told(What.PASSED_OVER, row, "", why, _said(row))
                continue
            cells = self._cells(row)
            if group is not None and self._goes_on(group, row, cells):
                if not self._shares(group, "code", cells):
                    self._told(What.NORMALISED, row, "", "continued", "", group.text("code"))
                group.rows.append(row)
                self._add(group, row, cells)
                continue
            if group is not None:
                yield group
                group = None
            if not self._has(cells, "code") and not self._has(cells, "name"):
                self._told(What.REFUSED, row, "", "no_item_above", _said(row))
                continue
            group = Group([row])
            if not self.sheet.merges:
                self._fill_down(row, cells, above)
            self._add(group, row, cells)
        if group is not None:
            yield group

    def _told(self, what: What, row: Row, column: str, why: str, before: str = "", after: str = "") -> None:
        self.tell(Told(what, self.sheet.name, row.number, column, why, before, after))

    def _cells(self, row: Row) -> dict[str, Cell]:
        blank = Cell("", (row.number, 0))
        return {name: row.cells[i] if i < len(row.cells) else blank for name, i in self.header.columns.items()}

    @staticmethod
    def _has(cells: Mapping[str, Cell], name: str) -> bool:
        return name in cells and bool(cells[name].text.strip() or cells[name].problem)

    def _goes_on(self, group: Group, row: Row, cells: Mapping[str, Cell]) -> bool:
        """Whether the row is more of the item above.

        Merged code; neither code nor name; or the same code and name once more, right below.
        """
        if not self._has(cells, "code") and not self._has(cells, "name"):
            return any(self._has(cells, name) for name in MANY)
        if self._shares(group, "code", cells):
            return True
        return (
            self._has(cells, "code")
            and as_code(cells["code"].text) == as_code(group.text("code"))
            and as_name(cells["name"].text) in {as_name(group.text("name")), ""}
            and row.number > group.number
        )

    @staticmethod
    def _shares(group: Group, name: str, cells: Mapping[str, Cell]) -> bool:
        """Whether the field's cell is merged with the item's."""
        cell = cells.get(name)
        return (
            cell is not None
            and bool(cell.text.strip())
            and any(cell.at == other.at for _, other in group.cells.get(name, ()))
        )

    def _add(self, group: Group, row: Row, cells: Mapping[str, Cell]) -> None:
        for name, cell in cells.items():
            kept = group.cells.setdefault(name, [])
            if (cell.text.strip() or cell.problem) and all(cell.at != other.at for _, other in kept):
                kept.append((row.number, cell))

    def _fill_down(self, row: Row, cells: dict[str, Cell], above: dict[str, Cell]) -> None:
        for name in FILLED:
            if self._has(cells, name):
                above[name] = cells[name]
            elif name in cells and name in above:
                cells[name] = above[name]
                title = self.header.title(name)
                self._told(What.NORMALISED, row, title, "filled_down", "", above[name].text)

    def _no_item(self, row: Row) -> str:
        """Why the row is none; empty where it may be one."""
        if is_heading(row, self.header):
            return "header"
        texts = [cell for cell in row.cells if cell.text.strip()]
        first = texts[0].text.strip() if texts else ""
        alone = len({cell.at for cell in texts}) == 1 or len({cell.text.strip() for cell in texts}) == 1
        if (alone and _NO_ITEM.match(first)) or _TOTAL.match(first):
            return "section"
        return ""


def merged_across(group: Group, header: Header) -> str | None:
    """The field whose cell is merged with that of another column; None where there is none."""
    for name, found in group.cells.items():
        if any(cell.at[1] != header.columns[name] + 1 for _, cell in found if cell.at[1]):
            return name
    return None


def missing(group: Group, columns: Sequence[str] = NEEDED) -> list[str]:
    """The needed fields that are blank in all rows of the item."""
    return [name for name in columns if not group.cells.get(name)]


def _said(row: Row) -> str:
    return " ".join(dict.fromkeys(cell.text.strip() for cell in row.cells if cell.text.strip()))
