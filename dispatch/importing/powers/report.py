"""What became of each row: refused, put into another form, passed over. Everything has its row, column and reason."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal


class What(StrEnum):
    """What was done with a cell or a row."""

    REFUSED = "refused"
    """Not understood: the item is not in the list that was written."""
    NORMALISED = "normalised"
    """Understood, and written in another form than it stood."""
    PASSED_OVER = "passed_over"
    """No item: a title, a section, a total, a column that is not ours."""


WHY: Final[Mapping[str, tuple[str, str]]] = {
    # refused
    "missing": ("空白", "is blank"),
    "unreadable": ("无法读取", "cannot be read"),
    "error_value": ("是公式错误值", "is a formula's error"),
    "formula_without_value": ("是未计算的公式", "is a formula that was never computed"),
    "date_for_text": ("被 Excel 改成了日期", "was turned into a date by Excel"),
    "precision_lost": ("超过 15 位，末尾数字已被 Excel 改掉", "has over 15 digits: Excel changed the last ones"),
    "merged_across": ("与别的列合并，不知属于哪一列", "is merged with another column: whose text is it?"),
    "unknown_department": ("不是本区部门的编号或名称", "is no department's code or name"),
    "unknown_matter": ("不是清单中事项的编号或名称", "is no matter's code or name"),
    "unknown_kind": ("既不是行政处罚也不是行政强制", "is neither penalty nor coercion"),
    "unknown_procedure": ("不是普通程序或简易程序", "is no procedure"),
    "unknown_team_kind": ("不是队伍类型", "is no kind of team"),
    "unknown_origin": ("不是 law、list、made 之一", "is none of law, list, made"),
    "not_yes_or_no": ("看不出是否赋权", "does not say yes or no"),
    "basis_not_understood": ("看不出是哪部法的哪一条", "does not say which law and article"),
    "tier_not_understood": ("看不出情节与幅度（应为“情节：幅度”）", "is not 'circumstances: range'"),
    "tier_half": ("只有情节或只有幅度", "has circumstances without a range, or a range without"),
    "reserved_sign": ("含有保留的符号 | 或 →", "holds one of the reserved signs | and →"),
    "differs_within_item": ("同一事项的几行写法不同", "differs between the rows of one item"),
    "duplicate_code": ("编号已用于别的事项", "already is another item's code"),
    "part_of_refused": ("属于未被理解的事项", "belongs to an item that was refused"),
    "no_item_above": (
        "没有编号和名称，也不能并入上面的事项",
        "has no code and name, and does not go on with an item above",
    ),
    # normalised
    "spelling": ("全角字符、空格、换行已规整", "full-width characters, blanks or line breaks were put in order"),
    "number_as_text": (
        "Excel 存为数字，开头的零可能已丢失",
        "Excel holds a number: zeros at its beginning may be lost",
    ),
    "filled_down": (
        "空白，取自上一行（合并单元格导出后如此）",
        "is blank: taken from the row above, as merged cells are exported",
    ),
    "continued": ("并入上面的事项", "goes on with the item above"),
    "department_by_ending": ("部门名称前有地名", "has a place's name before the department's"),
    "law_without_marks": ("法名没有书名号", "names the law without 《》"),
    "without_article": ("只有法名，没有条款", "names no article"),
    "quotation_left_out": ("条文引文未录入", "the quoted text of the law was left out"),
    "numbering_left_out": ("序号未录入", "the numbering was left out"),
    "article_completed": ("款项补上所属的条", "a paragraph was given the article it belongs to"),
    "procedure_assumed": ("未写明，按普通程序", "is not told: taken as general"),
    "twice": ("同一格内重复，只录一次", "stands twice in the item: written once"),
    # passed over
    "above_header": ("表头以上", "above the header"),
    "header": ("表头", "the header"),
    "section": ("小标题、合计或注", "a section, a total or a note"),
    "hidden_sheet": ("隐藏的工作表", "a hidden sheet"),
    "no_header": ("没有认得的表头", "has no header that is known"),
    "column_not_read": ("此列不录入", "a column that is not read"),
}
"""Each reason's code -> Chinese, English."""


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the report."""

    what: What
    sheet: str
    row: int
    """As the file's own program numbers it (CSV: the line on which it begins); 0: the whole sheet."""
    column: str
    """As the header has it; empty: the whole row."""
    why: str
    """A code of `WHY`."""
    before: str = ""
    after: str = ""

    def text(self, language: Literal["zh", "en"]) -> str:
        """One line."""
        words = WHY[self.why][0 if language == "zh" else 1]
        sheet = f"{self.sheet}!" if self.sheet else ""
        column = f" {self.column}" if self.column else ""
        before = f"“{shortened(self.before)}”" if self.before else ""
        after = f" → “{shortened(self.after)}”" if self.after else ""
        where = f"第 {self.row} 行" if language == "zh" else f"row {self.row}"
        return (
            f"{sheet}{where}{column}: {before}{words}{after}"
            if language == "zh"
            else (f"{sheet}{where}{column}: {before} {words}{after}".replace(":  ", ": "))
        )


def shortened(text: str) -> str:
    """At most 60 characters, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:59]}…"


def counts(told: Iterable[Told], what: What) -> dict[str, int]:
    """How many of each reason."""
    return dict(Counter(one.why for one in told if one.what is what))


def as_csv(told: Iterable[Told]) -> str:
    """The whole report as a table."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(("what", "sheet", "row", "column", "why", "before", "after", "zh", "en"))
    for one in told:
        rows.writerow((one.what, one.sheet, one.row, one.column, one.why, one.before, one.after, *WHY[one.why]))
    return out.getvalue()
