"""Finding an item while one types: by code, by words, by the initials or the whole of its name in pinyin.

What is looked in is written out once, when the list is taken up; a query then only compares texts. The order of
what is found: code begins so, name begins so, all words are in it, initials begin so, initials hold it, whole pinyin.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from dispatch.powers.model import Power

MOST: Final = 100
"""Items of one answer."""


class Why(IntEnum):
    """Why an item was found; the lower, the earlier it stands."""

    CODE = 0
    NAME = 1
    WORDS = 2
    INITIALS = 3
    INITIALS_WITHIN = 4
    PINYIN = 5


@dataclass(frozen=True, slots=True)
class Hit:
    """An item that was found."""

    power: Power
    why: Why


@dataclass(frozen=True, slots=True)
class Found:
    """The first hits, and how many there are in all."""

    total: int
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    power: Power
    code: str
    names: tuple[str, str]
    text: str
    """Everything Chinese, where any word may stand anywhere."""
    english: str
    """The English name after a blank, where a word must begin as one does."""
    initials: str
    joined: str
    """Its whole pinyin."""
    begins: frozenset[int]
    """Where in `joined` a syllable begins."""


def folded(text: str) -> str:
    """Half-width, lower case, single blanks: what a query and a list are compared in."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def syllables(name: str) -> list[str]:
    """Each character's reading without its tone, by the phrase it stands in; letters and digits as they are."""
    from pypinyin import lazy_pinyin  # noqa: PLC0415 - its dictionaries take half a second, which nobody else waits for

    apart: Any = list  # what is no Chinese, character by character; its stub knows only texts
    read = lazy_pinyin(folded(name), errors=apart)
    return [one for one in read if one.isascii() and one.isalnum()]


class PowerSearch:
    """A list made ready to be searched. `departments`: code -> name."""

    def __init__(self, powers: Iterable[Power], departments: Mapping[str, str]) -> None:
        ordered = sorted(powers, key=lambda power: power.code)
        self._entries = tuple(_entry(power, departments.get(power.department, "")) for power in ordered)

    def find(self, query: str, department: str | None = None, limit: int = 20) -> Found:
        """The items that the query finds, in the order above and then by code; all of them when it is empty.

        `department`: only those of that code. Words are parted by blanks, and each of them must be found.
        """
        whole = folded(query)
        words = whole.split()
        compact = "".join(words)
        hits: list[list[Hit]] = [[] for _ in Why]
        for entry in self._entries:
            if department is not None and entry.power.department != department:
                continue
            why = _why(entry, whole, compact, words)
            if why is not None:
                hits[why].append(Hit(entry.power, why))
        every = [hit for same in hits for hit in same]
        return Found(len(every), tuple(every[:limit]))


def _entry(power: Power, department: str) -> _Entry:
    read = syllables(power.name)
    begins: list[int] = []
    length = 0
    for one in read:
        begins.append(length)
        length += len(one)
    laws = "\n".join(basis.text() for basis in power.bases)
    code, name, english = folded(power.code), folded(power.name), folded(power.name_en)
    return _Entry(
        power,
        code,
        (name, english),
        "\n".join((code, name, folded(department), folded(laws))),
        f" {english}",
        "".join(one[0] for one in read),
        "".join(read),
        frozenset(begins),
    )


def _why(entry: _Entry, whole: str, compact: str, words: list[str]) -> Why | None:
    if entry.code.startswith(compact):
        return Why.CODE
    if entry.names[0].startswith((whole, compact)) or entry.names[1].startswith(whole):
        return Why.NAME
    spelled = [word for word in words if not (word in entry.text or f" {word}" in entry.english)]
    if not spelled:
        return Why.WORDS
    if not all(word.isascii() and word.isalnum() for word in spelled):
        return None
    worst = Why.INITIALS
    for word in spelled:
        why = _spelled(entry, word)
        if why is None:
            return None
        worst = max(worst, why)
    return worst


def _spelled(entry: _Entry, word: str) -> Why | None:
    if entry.initials.startswith(word):
        return Why.INITIALS
    if word in entry.initials:
        return Why.INITIALS_WITHIN
    at = entry.joined.find(word)
    while at >= 0:
        if at in entry.begins:
            return Why.PINYIN
        at = entry.joined.find(word, at + 1)
    return None
