"""Made power lists drawn at random, and the shapes in which such lists circulate: Excel and CSV of the same items."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from hypothesis import strategies as st
from openpyxl import Workbook

from dispatch.bench.made_powers import departments
from dispatch.importing.powers.cells import Known
from dispatch.model import TeamKind
from dispatch.powers.model import Basis, Origin, Power, PowerKind, Procedure, Tier

MATTERS = {"05": "街面秩序", "0501": "无照经营游商", "0504": "店外经营", "0112": "焚烧垃圾、树叶", "2103": "非法捕捞"}
KNOWN = Known(departments(), MATTERS)
HEADINGS = {
    "code": ("职权编码", "权力编码", "编 码", "事项编码（新）", "code", "项目\n编码"),
    "name": ("职权名称", "权力名称", "权力事项名称", "名  称", "name", "执法事项名称"),
    "department": ("实施主体", "部门", "责任部门", "行使主体（22个）", "department"),
    "kind": ("职权类型", "权力类别", "类别", "kind"),
    "bases": ("法律依据", "实施依据", "设定依据", "bases"),
    "tiers": ("裁量基准", "自由裁量基准", "tiers"),
    "circumstances": ("违法情节", "适用情形"),
    "range": ("裁量幅度", "处罚幅度"),
    "procedure": ("适用程序", "程序", "procedure"),
    "matters": ("对应事项", "matters"),
    "team_kinds": ("执法队伍", "队伍类型", "team_kinds"),
    "delegated": ("是否赋权", "赋权", "delegated"),
    "origin": ("来源", "origin"),
}
WORDS = {
    PowerKind.PENALTY: ("行政处罚", "处罚", "penalty"),
    PowerKind.COERCION: ("行政强制", "强制", "coercion"),
    Procedure.GENERAL: ("普通程序", "一般程序", "general"),
    Procedure.SUMMARY: ("简易程序", "简易程序、普通程序", "当场", "summary"),
    TeamKind.TOWNSHIP: ("街镇", "township"),
    TeamKind.WATER: ("水上", "water"),
    TeamKind.JOINT: ("城警联勤", "joint"),
    TeamKind.SPECIALIST: ("专业", "specialist"),
    True: ("是", "√", "Y", "true"),
    False: ("否", "×", "", "false"),
    Origin.LAW: ("law", "法律"),
    Origin.LIST: ("list", "清单"),
    Origin.MADE: ("made", "示意"),
}
WIDE = {i: i + 0xFEE0 for i in (*range(0x30, 0x3A), *range(0x41, 0x5B), *range(0x61, 0x7B))}

_chinese = st.text("擅自占用城市道路堆放物料未经批准排污水建设工程行为整治五十一二三", min_size=2, max_size=8)
_mixed = st.builds(lambda a, b, c: a + b + c, _chinese, st.sampled_from(("", "5吨", "A类", "100平方米")), _chinese)
_numbers = st.sampled_from(("一", "十", "二十三", "一百一十五", "9", "64"))
_articles = st.builds(
    lambda n, tail: f"第{n}条{tail}",
    _numbers,
    st.sampled_from(("", "之一", "第一款", "第（二）项", "第二款第（三）项")),
)
_laws = st.builds(
    lambda where, what, edition: where + what + edition,
    st.sampled_from(("示意", "江苏省示意", "示意3号")),
    st.sampled_from(("管理条例", "保护法", "实施〈示意法〉办法")),
    st.sampled_from(("", "（2019年修正）")),
)
_bases = st.lists(st.builds(Basis, _laws, st.one_of(_articles, st.just(""))), max_size=3, unique=True)
_tiers = st.lists(st.builds(Tier, _mixed, st.sampled_from(("警告", "处500元以上1000元以下罚款", "没收，并处罚款"))),
                  max_size=3, unique=True)  # fmt: skip


def _unique(kinds: Sequence[Any], most: int = 3) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(st.sampled_from(list(kinds)), max_size=most, unique=True).map(tuple)


@st.composite
def power_lists(draw: st.DrawFn) -> list[Power]:
    """A handful of made items, codes unique, those of a department mostly together."""
    count = draw(st.integers(1, 9))
    codes = draw(
        st.lists(
            st.from_regex(r"[A-Z]{0,3}[0-9]{3,14}(-[0-9]{1,3})?", fullmatch=True),
            min_size=count,
            max_size=count,
            unique=True,
        )
    )
    made = [
        Power(
            code,
            draw(_mixed) + draw(st.sampled_from(("的处罚", "的处罚（示意）", ""))),
            "",
            draw(st.sampled_from(sorted(departments()))),
            draw(st.sampled_from(PowerKind)),
            tuple(draw(_bases)),
            tuple(draw(_tiers)),
            draw(st.sampled_from(Procedure)),
            draw(_unique(list(MATTERS))),
            draw(_unique(list(TeamKind))),
            draw(st.booleans()),
            draw(st.sampled_from(Origin)),
        )
        for code in codes
    ]
    return sorted(made, key=lambda power: power.department) if draw(st.booleans()) else made


@dataclass(frozen=True)
class Shape:
    """How a list is laid out. Every choice that is left is drawn from the seed."""

    seed: int
    split: bool
    """Tiers and bases row by row, the item's other cells merged over them; else all in one cell."""
    two_columns: bool
    """Circumstances and ranges in columns of their own, under a heading of two levels."""
    merged_departments: bool
    wide: bool
    rubbish: bool
    """Titles, blank rows, sections, repeated headers, totals, columns that are not ours."""


shapes = st.builds(Shape, st.integers(0, 10**6), *(st.booleans() for _ in range(5)))

Grid = list[list[str]]
Span = tuple[int, int, int, int]
"""Rows and columns of a merged range, from 0: first row, first column, last row, last column."""


LOOSE = frozenset({"bases", "tiers", "circumstances", "range"})
"""Columns of which an item that is split has a cell in each of its rows."""


def laid_out(powers: Sequence[Power], shape: Shape, matters: Mapping[str, str] = MATTERS) -> tuple[Grid, list[Span]]:
    """The cells as they are seen, merged ones at their first, and the merged ranges of more than one cell."""
    layout = _Layout(shape, matters)
    for department, group in groupby(powers, key=lambda power: power.department):
        layout.department(department, list(group))
    if shape.rubbish:
        layout.grid.append(["合计", str(len(powers))])
    return layout.grid, layout.spans


class _Layout:
    """A sheet while it is being written, from its title down."""

    def __init__(self, shape: Shape, matters: Mapping[str, str]) -> None:
        self.shape, self.matters = shape, matters
        self.rng = random.Random(shape.seed)
        self.grid: Grid = []
        self.spans: list[Span] = []
        left_out = {"tiers"} if shape.two_columns else {"circumstances", "range"}
        head, tail = [f for f in HEADINGS if f not in left_out][:3], list(HEADINGS)[3:]
        tail = [f for f in tail if f not in {*left_out, "circumstances", "range"}]
        self.rng.shuffle(tail)
        if shape.two_columns:
            at = self.rng.randrange(len(tail) + 1)
            tail[at:at] = ["circumstances", "range"]
        self.columns = ["序号", *head, *tail, "备注"] if shape.rubbish else [*head, *tail]
        self.heading = {c: self.rng.choice(HEADINGS[c]) if c in HEADINGS else c for c in self.columns}
        self._top()

    def _top(self) -> None:
        if self.shape.rubbish:
            self.grid += [["某区行政权力事项清单（示意）"], []]
            self.spans.append((0, 0, 0, len(self.columns) - 1))
        if not self.shape.two_columns:
            self.grid.append(list(self.heading.values()))
            return
        top, below = len(self.grid), ("circumstances", "range")
        over = {"circumstances": "裁量基准", "range": ""}
        self.grid.append([over.get(c, self.heading[c]) for c in self.columns])
        self.grid.append([self.heading[c] if c in below else "" for c in self.columns])
        at = self.columns.index("circumstances")
        self.spans.append((top, at, top, at + 1))
        self.spans += [(top, i, top + 1, i) for i, c in enumerate(self.columns) if c not in below]

    def department(self, code: str, powers: Sequence[Power]) -> None:
        first, name = len(self.grid), departments()[code]
        merged = self.shape.merged_departments
        told = self.rng.choice((code, name, f"某市某区{name}"))
        for power in powers:
            self._item(power, told if merged else self.rng.choice((code, name)))
        if merged:
            self._merge(first, self.columns.index("department"))
        if self.shape.rubbish:
            self._rubbish()

    def _item(self, power: Power, department: str) -> None:
        begin = len(self.grid)
        matters = [self.rng.choice((code, self.matters[code])) for code in power.matters]
        for cells in _rows_of(power, self.shape, self.rng, (department, matters)):
            more = {"序号": str(len(self.grid)), "备注": self.rng.choice(("", "见附件"))}
            self.grid.append([more.get(c) or cells.get(c, "") for c in self.columns])
        for i, c in enumerate(self.columns):
            if c in HEADINGS and c not in LOOSE and not (c == "department" and self.shape.merged_departments):
                self._merge(begin, i)

    def _merge(self, first: int, column: int) -> None:
        for row in range(first + 1, len(self.grid)):
            self.grid[row][column] = ""
        if len(self.grid) - first > 1:
            self.spans.append((first, column, len(self.grid) - 1, column))

    def _rubbish(self) -> None:
        match self.rng.randrange(4):
            case 0:
                self.grid.append([])
            case 1 if not self.shape.two_columns:
                self.grid.append(list(self.heading.values()))
            case 2:
                self.grid.append([f"（{self.rng.choice('一二三')}）其他类（共 {self.rng.randrange(9)} 项）"])
                self.spans.append((len(self.grid) - 1, 0, len(self.grid) - 1, len(self.columns) - 1))


def _rows_of(power: Power, shape: Shape, rng: random.Random, told: tuple[str, list[str]]) -> Iterator[dict[str, str]]:
    wide: Callable[[str], str] = (lambda text: text.translate(WIDE)) if shape.wide else str
    department, matters = told
    two = shape.two_columns
    if len(matters) > 1:  # a name that holds a sign that parts can only stand alone
        matters = [code if "、" in name else name for code, name in zip(power.matters, matters, strict=True)]
    own = {
        "code": wide(power.code) + (" " if shape.wide else ""),
        "name": wide(power.name[:2]) + ("\n" if shape.wide else "") + wide(power.name[2:]),
        "department": department,
        "kind": rng.choice(WORDS[power.kind]),
        "procedure": rng.choice(WORDS[power.procedure]),
        "matters": rng.choice("、；\n").join(matters),
        "team_kinds": rng.choice("、,/").join(rng.choice(WORDS[kind]) for kind in power.team_kinds),
        "delegated": rng.choice(WORDS[power.delegated]),
        "origin": rng.choice(WORDS[power.origin]),
    }
    bases = [wide(cited(basis, rng)) for basis in power.bases]
    tiers = [(wide(tier.circumstances), wide(tier.range)) for tier in power.tiers]
    sign = rng.choice("：:→")
    if not shape.split and not (two and len(tiers) > 1):
        one = dict(own, bases=joined_bases(power.bases, bases, rng))
        if two and tiers:
            one |= {"circumstances": tiers[0][0], "range": tiers[0][1]}
        elif tiers:
            numbered = rng.random() < 0.5
            one["tiers"] = rng.choice(("\n", "；")).join(
                (f"{i}." if numbered and not what[0].isdigit() else "") + what + sign + then
                for i, (what, then) in enumerate(tiers, 1)
            )
        yield one
        return
    for i in range(max(1, len(bases), len(tiers))):
        row = dict(own) if i == 0 else {}
        row["bases"] = bases[i] if i < len(bases) else ""
        if i < len(tiers):
            row |= {"circumstances": tiers[i][0], "range": tiers[i][1]} if two else {"tiers": sign.join(tiers[i])}
        yield row


def cited(basis: Basis, rng: random.Random) -> str:
    """A basis as somebody writes it."""
    law, _, edition = basis.law.partition("（")
    text = f"《{law}》（{edition}" if edition and rng.random() < 0.5 else f"《{basis.law}》"
    quote = rng.choice(("", "", "：违反本法第三条规定的，处罚款；情节严重的，加倍。"))
    return text + basis.article + (quote if basis.article else "")


def joined_bases(bases: Sequence[Basis], told: Sequence[str], rng: random.Random) -> str:
    """Several in one cell."""
    if len({basis.law for basis in bases}) == 1 and len(bases) > 1 and all(basis.article for basis in bases):
        return f"《{bases[0].law}》" + rng.choice("、，").join(basis.article for basis in bases)
    style = rng.randrange(4)
    if style == 0:
        return "\n".join(f"{i}.{text}" for i, text in enumerate(told, 1))
    if style == 1:
        return "；".join(told)
    if style == 2 and not any("：" in text for text in told):
        return "、".join(told)
    return "\n".join(told)


def as_csv(grid: Grid, encoding: str) -> bytes:
    """The grid as Excel exports it: what was merged is blank but for its first cell."""
    out = io.StringIO()
    width = max(map(len, grid))
    csv.writer(out).writerows([*row, *[""] * (width - len(row))] for row in grid)
    return out.getvalue().encode(encoding)


def as_workbook(grid: Grid, spans: Sequence[Span], *, numbers: bool = False) -> bytes:
    """The grid as a workbook with its merged ranges."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for i, row in enumerate(grid, 1):
        for j, text in enumerate(row, 1):
            if text:
                sheet.cell(i, j, int(text) if numbers and text.isdigit() else text)
    for north, west, south, east in spans:
        sheet.merge_cells(start_row=north + 1, start_column=west + 1, end_row=south + 1, end_column=east + 1)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
