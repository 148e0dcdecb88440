"""Each field's text as its value. What the text said in another form is noted; what says nothing known is refused."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from dispatch.importing.powers.fault import CellFault
from dispatch.importing.texts import as_code, as_name
from dispatch.model import TeamKind
from dispatch.power_file import BETWEEN, LEADS_TO
from dispatch.powers.model import Origin, PowerKind, Procedure, Tier

T = TypeVar("T")
Note = Callable[[str], None]
"""Takes a code of `report.WHY`: something was understood that stood in another form."""

_SIGNS: Final = re.compile("[、，,；;|\n/]")
_WRAPPED: Final = re.compile("(?<=[\u3400-\u9fff])\\s*\n\\s*|\\s*\n\\s*(?=[\u3400-\u9fff])")
"""A line break in a name beside a Chinese character is the cell's, not the name's."""
_PLACE: Final = re.compile("[\u3400-\u9fff]{1,20}[省市区县旗州]|[省市区县]")
_LINES: Final = re.compile("[\n；;]")
_NUMBERED: Final = re.compile(
    r"^(?:[（(]?[0-9一二三四五六七八九十]{1,2}[)）]|[0-9]{1,2}[.．、](?![0-9])|[一二三四五六七八九十]{1,3}[、.．]|[①-⑳])\s*"
)
_PARTING: Final = re.compile(f"[:：]|{LEADS_TO}|——|—>|->")
_KINDS: Final[Mapping[str, PowerKind]] = {
    **dict.fromkeys(("penalty", "行政处罚", "处罚", "行政处罚类", "处罚类"), PowerKind.PENALTY),
    **dict.fromkeys(
        (
            "coercion",
            "行政强制",
            "强制",
            "行政强制类",
            "强制类",
            "行政强制措施",
            "行政强制执行",
            "强制措施",
            "强制执行",
        ),
        PowerKind.COERCION,
    ),
}
_PROCEDURES: Final[Mapping[str, Procedure]] = {
    **dict.fromkeys(("general", "普通程序", "一般程序", "普通", "一般"), Procedure.GENERAL),
    **dict.fromkeys(("summary", "简易程序", "简易", "当场处罚", "当场", "当场处罚程序"), Procedure.SUMMARY),
}
_TEAM_KINDS: Final[Mapping[str, TeamKind]] = {
    **dict.fromkeys(
        ("township", "街镇", "镇街", "乡镇", "街道", "镇", "街道(镇)", "属地", "镇街大队", "街镇大队"),
        TeamKind.TOWNSHIP,
    ),
    **dict.fromkeys(("water", "水上", "水上大队", "水上队伍"), TeamKind.WATER),
    **dict.fromkeys(("joint", "城警联勤", "联勤", "联勤队"), TeamKind.JOINT),
    **dict.fromkeys(("specialist", "专业", "直属", "专业队伍", "专业大队", "直属大队", "区级"), TeamKind.SPECIALIST),
}
_ORIGINS: Final[Mapping[str, Origin]] = {
    **dict.fromkeys(("law", "法律"), Origin.LAW),
    **dict.fromkeys(("list", "清单"), Origin.LIST),
    **dict.fromkeys(("made", "示意"), Origin.MADE),
}
_YES: Final = frozenset(["是", "√", "✓", "✔", "y", "yes", "true", "1", "赋权", "已赋权", "下放", "已下放", "●"])
_NO: Final = frozenset(
    ["否", "×", "x", "✗", "✘", "n", "no", "false", "0", "未赋权", "不赋权", "未下放", "不下放", "/", "-", "—", "无"]
)


@dataclass(frozen=True, slots=True)
class Known:
    """What a list may name: codes with their names."""

    departments: Mapping[str, str]
    matters: Mapping[str, str]
    """Classes too."""


def free(text: str, note: Note) -> str:
    """A name: half-width letters and digits, no line breaks. Raises `CellFault` for what the file cannot hold."""
    name = as_name(_WRAPPED.sub("", text))
    if name != text:
        note("spelling")
    return unreserved(name)


def unreserved(text: str) -> str:
    """The text, unless it holds a sign that parts entries. Raises `CellFault`."""
    if BETWEEN in text or LEADS_TO in text:
        raise CellFault("reserved_sign", text)
    return text


def code(text: str, note: Note) -> str:
    """A code: half-width, without blanks."""
    found = as_code(text)
    if found != text:
        note("spelling")
    return unreserved(found)


def _word(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def _one(known: Mapping[str, T], why: str) -> Callable[[str], T]:
    def parse(text: str) -> T:
        if (word := _word(text)) not in known:
            raise CellFault(why, text)
        return known[word]

    return parse


kind: Final = _one(_KINDS, "unknown_kind")
origin: Final = _one(_ORIGINS, "unknown_origin")
_team_kind: Final = _one(_TEAM_KINDS, "unknown_team_kind")
_procedure: Final = _one(_PROCEDURES, "unknown_procedure")


def procedure(text: str) -> Procedure:
    """Where both are named the summary one may be used."""
    named = {_procedure(part) for part in _split(text)}
    return Procedure.SUMMARY if Procedure.SUMMARY in named else Procedure.GENERAL


def delegated(text: str) -> bool:
    """Yes or no; a blank is no. Raises `CellFault`."""
    word = _word(text)
    if word in _YES:
        return True
    if word and word not in _NO:
        raise CellFault("not_yes_or_no", text)
    return False


def department(text: str, known: Known, note: Note) -> str:
    """The code of a department, told by its code, its name, or its name behind the district's. Raises `CellFault`."""
    told = as_name(text)
    if as_code(text) in known.departments:
        return as_code(text)
    exact = [code for code, name in known.departments.items() if name == told]
    if len(exact) == 1:
        return exact[0]
    ending = [
        code
        for code, name in known.departments.items()
        if name and told.endswith(name) and _PLACE.fullmatch(told.removesuffix(name))
    ]
    if len(ending) != 1:
        raise CellFault("unknown_department", text)
    note("department_by_ending")
    return ending[0]


def matters(text: str, known: Known) -> list[str]:
    """Codes of matters or classes, told by code or name. Raises `CellFault`."""
    if (whole := _matter(text, known)) is not None:
        return [whole]  # a name may itself hold a sign that parts
    return [_needed(part, known) for part in _split(text)]


def _needed(text: str, known: Known) -> str:
    found = _matter(text, known)
    if found is None:
        raise CellFault("unknown_matter", text)
    return found


def _matter(text: str, known: Known) -> str | None:
    if as_code(text) in known.matters:
        return as_code(text)
    named = [code for code, name in known.matters.items() if name == as_name(text)]
    return named[0] if len(named) == 1 else None


def team_kinds(text: str) -> list[TeamKind]:
    """Kinds of team. Raises `CellFault`."""
    return [_team_kind(part) for part in _split(text)]


def tiers(text: str, note: Note) -> list[Tier]:
    """Lines of circumstances and range. Raises `CellFault` where a part is no such line."""
    found: list[Tier] = []
    for part in _LINES.split(text.replace(BETWEEN, "\n")):
        line = _NUMBERED.sub("", part.strip())
        if line != part.strip():
            note("numbering_left_out")
        if not line:
            continue
        sign = _PARTING.search(line)
        if sign is None or not line[: sign.start()].strip() or not line[sign.end() :].strip():
            raise CellFault("tier_not_understood", part)
        found.append(Tier(free(line[: sign.start()].strip(), note), free(line[sign.end() :].strip(), note)))
    return found


def _split(text: str) -> Iterable[str]:
    return [part.strip() for part in _SIGNS.split(text) if part.strip()]
