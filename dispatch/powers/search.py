"""Finding an item while one types: by code, by words, by the initials or the whole of its name in pinyin.

What is looked in is written out once, when the list is taken up; a query then only compares texts. The order of
what is found: code begins so, name begins so, all words are in it, initials begin so, initials hold it, whole pinyin.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from dispatch.powers.model import Power

MOST: Final = 100
"""Items of one answer."""
_ENDS: Final = "\n"
_WITHIN: Final = "\x1f"
"""Both count as blanks, so that no word of a query holds them."""


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


def folded(text: str) -> str:
    """Half-width, lower case, single blanks: what a query and a list are compared in."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def syllables(name: str) -> list[str]:
    """Each character's reading without its tone, by the phrase it stands in; letters and digits as they are."""
    from pypinyin import lazy_pinyin  # noqa: PLC0415 - its dictionaries take half a second, which nobody else waits for

    apart: Any = list  # what is no Chinese, character by character; its stub knows only texts
    read = lazy_pinyin(folded(name), errors=apart)
    return [one for one in read if one.isascii() and one.isalnum()]


class _Texts:
    """One text an item, laid end to end: what holds a word is found by scanning once, not item by item."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._begins: list[int] = []
        parts: list[str] = []
        length = 0
        for text in texts:
            self._begins.append(length)
            parts.append(f"{_ENDS}{text}")
            length += len(text) + 1
        self._begins.append(length)
        self._whole = "".join(parts)

    def holding(self, word: str, allowed: bytes | None = None) -> Iterator[int]:
        """The numbers of the items whose text holds the word, in order; only where `allowed` is set, if given."""
        at = self._whole.find(word)
        while at >= 0:
            if allowed is not None and not allowed[at]:
                at = self._whole.find(word, at + 1)
                continue
            item = bisect_right(self._begins, at) - 1
            yield item
            at = self._whole.find(word, self._begins[item + 1])

    def beginning(self, word: str) -> Iterator[int]:
        """Those whose text begins with it."""
        return self.holding(_ENDS + word)


class PowerSearch:
    """A list made ready to be searched. `departments`: code -> name."""

    def __init__(self, powers: Iterable[Power], departments: Mapping[str, str]) -> None:
        self._powers = sorted(powers, key=lambda power: power.code)
        codes = [folded(power.code) for power in self._powers]
        names = [folded(power.name) for power in self._powers]
        self._codes, self._names = _Texts(codes), _Texts(names)
        self._english = _Texts(f" {folded(power.name_en)}" for power in self._powers)
        self._texts = _Texts(
            _WITHIN.join((code, name, folded(departments.get(power.department, "")), _laws(power)))
            for code, name, power in zip(codes, names, self._powers, strict=True)
        )
        read = [syllables(power.name) for power in self._powers]
        self._initials = _Texts("".join(one[0] for one in name) for name in read)
        self._pinyin = _Texts("".join(name) for name in read)
        self._syllables = b"".join(b"\0" + b"".join(b"\1" + bytes(len(one) - 1) for one in name) for name in read)

    def find(self, query: str, department: str | None = None, limit: int = 20) -> Found:
        """The items that the query finds, in the order above and then by code; all of them when it is empty.

        `department`: only those of that code. Words are parted by blanks, and each of them must be found.
        """
        reasons = self._reasons(query)
        ranked: list[list[int]] = [[] for _ in Why]
        for item in sorted(reasons):
            if department is None or self._powers[item].department == department:
                ranked[reasons[item]].append(item)
        every = [item for same in ranked for item in same]
        return Found(len(every), tuple(Hit(self._powers[item], reasons[item]) for item in every[:limit]))

    def _reasons(self, query: str) -> dict[int, Why]:
        whole = folded(query)
        words = whole.split()
        compact = "".join(words)
        if not compact:
            return dict.fromkeys(range(len(self._powers)), Why.CODE)
        reasons = dict.fromkeys(self._codes.beginning(compact), Why.CODE)
        for found in (
            self._names.beginning(whole),
            self._names.beginning(compact),
            self._english.beginning(f" {whole}"),
        ):
            for item in found:
                reasons.setdefault(item, Why.NAME)
        for item, why in self._of_all([self._of(word) for word in dict.fromkeys(words)]):
            reasons.setdefault(item, why)
        return reasons

    @staticmethod
    def _of_all(words: Sequence[Mapping[int, Why]]) -> Iterator[tuple[int, Why]]:
        """The items that all words find, each by its weakest."""
        first, *rest = words
        for item, why in first.items():
            if all(item in word for word in rest):
                yield item, max([why, *(word[item] for word in rest)])

    def _of(self, word: str) -> dict[int, Why]:
        """The items that one word finds."""
        reasons = dict.fromkeys(self._texts.holding(word), Why.WORDS)
        reasons |= dict.fromkeys(self._english.holding(f" {word}"), Why.WORDS)
        if not (word.isascii() and word.isalnum()):
            return reasons
        spelled = (
            (Why.INITIALS, self._initials.beginning(word)),
            (Why.INITIALS_WITHIN, self._initials.holding(word)),
            (Why.PINYIN, self._pinyin.holding(word, self._syllables) if len(word) > 1 else iter(())),
        )
        for why, found in spelled:
            for item in found:
                reasons.setdefault(item, why)
        return reasons


def _laws(power: Power) -> str:
    return _WITHIN.join(folded(basis.text()) for basis in power.bases)
