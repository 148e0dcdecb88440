"""Which row of a sheet is the header, and which of its columns is what: by the spellings that are about."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dispatch.importing.powers.sheets import Row

SPELLINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "code": (
        "code",
        "编码",
        "编号",
        "代码",
        "{item}编码",
        "{item}编号",
        "{item}代码",
        "基本编码",
        "实施编码",
        "项目编码",
    ),
    "name": ("name", "名称", "{item}名称", "项目名称", "{item}"),
    "name_en": ("nameen", "英文名称", "英文名"),
    "department": (
        "department",
        "部门",
        "单位",
        "实施主体",
        "行使主体",
        "责任主体",
        "执法主体",
        "实施部门",
        "行使部门",
        "责任部门",
        "主管部门",
        "执法部门",
        "所属部门",
        "实施机关",
        "行使机关",
        "责任单位",
        "原实施部门",
        "原行使部门",
        "原实施主体",
    ),
    "kind": ("kind", "类别", "类型", "种类", "性质", "{item}类别", "{item}类型", "{item}种类", "执法类别", "行为类别"),
    "bases": (
        "bases",
        "依据",
        "法律依据",
        "法定依据",
        "实施依据",
        "设定依据",
        "{item}依据",
        "处罚依据",
        "执法依据",
        "法律法规依据",
        "法律法规规章依据",
        "主要依据",
        "实施依据及条款",
    ),
    "law": ("law", "法律名称", "法规名称", "依据名称", "法律法规名称", "依据文件"),
    "article": ("article", "条款", "条文", "依据条款", "法律条款", "条款号", "具体条款"),
    "tiers": ("tiers", "裁量基准", "自由裁量基准", "裁量标准", "行政裁量基准", "处罚裁量基准", "裁量权基准"),
    "circumstances": (
        "circumstances",
        "情节",
        "情形",
        "违法情节",
        "裁量情节",
        "适用情形",
        "裁量情形",
        "违法情形",
        "违法程度",
        "裁量阶次",
        "适用条件",
        "违法行为情节",
        "情节与后果",
    ),
    "range": ("range", "幅度", "裁量幅度", "处罚幅度", "处罚标准", "裁量结果", "处罚结果", "具体标准", "处理幅度"),
    "procedure": ("procedure", "程序", "适用程序", "办案程序", "执法程序", "处罚程序", "程序类型"),
    "matters": (
        "matters",
        "事项小类",
        "对应事项",
        "关联事项",
        "涉及事项",
        "上报事项",
        "案由",
        "对应案由",
        "对应小类",
        "关联案由",
    ),
    "team_kinds": ("teamkinds", "执法队伍", "队伍类型", "队伍", "承担队伍", "行使队伍", "执法队伍类型", "实施队伍"),
    "delegated": (
        "delegated",
        "赋权",
        "是否赋权",
        "赋权镇街",
        "是否赋权镇街",
        "赋权街镇",
        "是否赋权街镇",
        "赋权乡镇",
        "是否赋权乡镇",
        "是否下放",
        "下放镇街",
        "赋权情况",
        "镇街赋权",
    ),
    "origin": ("origin", "来源", "数据来源", "数据性质"),
}
"""Field -> how its column is called; `{item}` stands for each of `ITEMS`."""
ITEMS: Final = (
    "权力",
    "职权",
    "事项",
    "权力事项",
    "职权事项",
    "行政权力",
    "行政职权",
    "执法事项",
    "行政执法事项",
    "行政权力事项",
    "权责事项",
    "处罚事项",
)
MANY: Final = frozenset({"bases", "law", "article", "tiers", "circumstances", "range", "matters", "team_kinds"})
"""Fields of which an item may have several, one below the other."""
NEEDED: Final = ("code", "name", "department", "kind")
LOOKED_AT: Final = 40
"""Rows in which a header is looked for."""

_BRACKETS: Final = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】")
_NOISE: Final = re.compile(r"[\s_\-*:、/]+")


def plain(text: str) -> str:
    """A heading without blanks, line breaks, signs and what stands in brackets."""
    return _NOISE.sub("", _BRACKETS.sub("", unicodedata.normalize("NFKC", text).casefold()))


def _fields() -> dict[str, str]:
    out: dict[str, str] = {}
    for field, names in SPELLINGS.items():
        for name in names:
            for spelled in [name.format(item=item) for item in ITEMS] if "{item}" in name else [name]:
                out.setdefault(spelled, field)
    return out


_FIELD: Final[Mapping[str, str]] = _fields()


@dataclass(frozen=True, slots=True)
class Header:
    """Where the items begin, and what the columns are."""

    rows: tuple[int, ...]
    """Numbers of its rows: one, or two where headings stand over headings."""
    columns: Mapping[str, int]
    """Field -> index into a row's cells."""
    titles: tuple[str, ...]
    """Each column's heading as it is told."""
    begins: int
    """Index of the first row below it."""
    unread: tuple[str, ...]
    """Headings that are none of ours."""

    def title(self, field: str) -> str:
        """The heading of a field's column; the field's own name where there is no such column."""
        return self.titles[self.columns[field]] if field in self.columns else field


def find(rows: Sequence[Row]) -> Header | None:
    """The first row that is a header: it has a column of names and at least two more that are known."""
    for index, row in enumerate(rows[:LOOKED_AT]):
        first = _known(row)
        if len(first) >= 3 and "name" in first.values():
            return _header(rows, index, first)
    return None


def is_heading(row: Row, header: Header) -> bool:
    """Whether all that stands in the row are headings, two known ones at least: the header printed once more."""
    texts = {plain(cell.text) for cell in row.cells if cell.text.strip()}
    ours = {plain(title) for title in header.titles}
    return sum(text in _FIELD for text in texts) >= 2 and all(text in _FIELD or text in ours for text in texts)


def _known(row: Row) -> dict[int, str]:
    """Index -> field; a merged heading counts once for each of its columns."""
    return {i: _FIELD[plain(cell.text)] for i, cell in enumerate(row.cells) if plain(cell.text) in _FIELD}


def _header(rows: Sequence[Row], index: int, first: dict[int, str]) -> Header:
    over = rows[index].cells
    numbers, begins = [rows[index].number], index + 1
    titles = [" ".join(cell.text.split()) for cell in over]
    known = dict(first)
    if begins < len(rows) and is_heading_below(rows[begins], first, len(over)):
        for i, cell in enumerate(rows[begins].cells):
            if cell.text.strip() and plain(cell.text) in _FIELD:
                known[i] = _FIELD[plain(cell.text)]
                titles += [""] * (i + 1 - len(titles))
                titles[i] = " ".join(cell.text.split())
        numbers.append(rows[begins].number)
        begins += 1
    columns: dict[str, int] = {}
    for i, field in sorted(known.items()):
        columns.setdefault(field, i)
    read = set(columns.values())
    unread = tuple(title for i, title in enumerate(titles) if title and i not in read)
    return Header(tuple(numbers), columns, tuple(titles), begins, unread)


def is_heading_below(row: Row, above: Mapping[int, str], width: int) -> bool:
    """Whether the row under a header belongs to it: nothing but headings, and one that is not the one above it."""
    texts = [(i, plain(cell.text)) for i, cell in enumerate(row.cells) if cell.text.strip()]
    known = all(text in _FIELD or (i < width and i not in above) for i, text in texts)
    return known and any(text in _FIELD and _FIELD[text] != above.get(i) for i, text in texts)
