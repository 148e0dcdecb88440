"""The legal bases of one cell: several laws, several articles each, with or without marks, numbers and quotations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from dispatch.importing.powers.fault import CellFault
from dispatch.importing.texts import WIDE_WORDS, as_name
from dispatch.powers.model import Basis

_NUMBER: Final = "[0-9〇零一二三四五六七八九十百千两]+"
_STEP: Final = rf"第\s*{_NUMBER}\s*"
_ARTICLE: Final = re.compile(
    rf"{_STEP}条(?:\s*之\s*{_NUMBER})?(?:\s*{_STEP}款)?(?:\s*第?\s*[（(]?\s*{_NUMBER}\s*[)）]?\s*项)?(?:\s*{_STEP}目)?"
)
_PART: Final = re.compile(rf"(?:{_STEP}款)?(?:\s*第?\s*[（(]?\s*{_NUMBER}\s*[)）]?\s*项)?(?:\s*{_STEP}目)?")
"""A paragraph or item that leaves out its article, which is then the one before: 第十条第一款、第二款."""
_MARKED: Final = re.compile(r"《((?:[^《》]|《[^《》]*》)+)》\s*(?:[（(]([^（）()]*)[）)])?")
_BARE: Final = re.compile(rf"([\u3400-\u9fff]{{2,40}}?(?:法|条例|办法|规定|规则|细则|决定|标准|解释))\s*(?={_STEP}条)")
_NUMBERING: Final = re.compile(
    r"\s*(?:[（(]\s*[0-9一二三四五六七八九十]{1,3}\s*[)）]|[0-9]{1,3}\s*[.．、)）](?![0-9])|[一二三四五六七八九十]{1,3}\s*[、.．]|[①-⑳])\s*"
)
_JOIN: Final = re.compile(r"[、，,；;。和及与\s]*")
_ROW_ENDS: Final = re.compile(r"[\n；;]")
_NEXT_LAW: Final = re.compile(rf"(?:{_NUMBERING.pattern})?《")


def parse_bases(text: str) -> tuple[list[Basis], list[str]]:
    """The bases of a cell in their order, each once, and what was left out or completed (codes of `report.WHY`).

    After a colon comes the law's own words, up to the next line or semicolon that begins with another 《law》.
    Raises `CellFault` where anything is left that is none of all this.
    """
    found: dict[Basis, None] = {}
    narrow = text.translate(WIDE_WORDS)
    notes: dict[str, None] = {} if narrow == text else {"spelling": None}
    for citation, quoted in _citations(narrow):
        if quoted:
            notes["quotation_left_out"] = None
        for basis in _cited(citation, notes):
            if basis in found:
                notes["twice"] = None
            found[basis] = None
    return list(found), list(notes)


def _citations(text: str) -> Iterator[tuple[str, bool]]:
    """What cites, and whether the law's own words stood behind it."""
    at, begun = 0, 0
    while at < len(text):
        if text[at] in ":：":
            after = _end_of_quotation(text, at + 1)
            yield text[begun:at], bool(text[at + 1 : after].strip())
            at = begun = after
        else:
            at += 1
    if text[begun:].strip():
        yield text[begun:], False


def _end_of_quotation(text: str, at: int) -> int:
    for end in _ROW_ENDS.finditer(text, at):
        rest = text[end.end() :].lstrip()
        if _NEXT_LAW.match(rest):
            return end.end()
    return len(text)


def _cited(text: str, notes: dict[str, None]) -> Iterator[Basis]:
    """Law by law; each with its articles, or with none."""
    at = _skip(text, 0, notes)
    while at < len(text):
        law, at = _law(text, at, notes)
        articles: list[str] = []
        at = _past_join(text, at)
        while found := _article(text, at, articles, notes):
            article, at = found
            articles.append(article)
            at = _past_join(text, at)
        if not articles:
            notes["without_article"] = None
        yield from (Basis(law, article) for article in articles or [""])
        at = _skip(text, at, notes)


def _past_join(text: str, at: int) -> int:
    found = _JOIN.match(text, at)
    return found.end() if found else at


def _skip(text: str, at: int, notes: dict[str, None]) -> int:
    at = _past_join(text, at)
    if numbering := _NUMBERING.match(text, at):
        notes["numbering_left_out"] = None
        at = numbering.end()
    return at


def _law(text: str, at: int, notes: dict[str, None]) -> tuple[str, int]:
    if marked := _MARKED.match(text, at):
        law = as_name(marked[1]) + (f"（{as_name(marked[2])}）" if marked[2] else "")
        if law != marked[1]:
            notes["spelling"] = None  # an edition behind the marks becomes part of the name
        return law, marked.end()
    if bare := _BARE.match(text, at):
        notes["law_without_marks"] = None
        return bare[1], bare.end()
    raise CellFault("basis_not_understood", text[at:])


def _article(text: str, at: int, before: list[str], notes: dict[str, None]) -> tuple[str, int] | None:
    if whole := _ARTICLE.match(text, at):
        return _tight(whole[0]), whole.end()
    part = _PART.match(text, at)
    if part is None or not part[0].strip() or not before:
        return None
    notes["article_completed"] = None
    upto = "款" if "款" not in part[0] and "款" in before[-1] else "条"
    return before[-1][: before[-1].index(upto) + 1] + _tight(part[0]), part.end()


def _tight(text: str) -> str:
    return re.sub(r"\s", "", as_name(text)).replace("(", "（").replace(")", "）")
