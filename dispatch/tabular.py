"""Bytes of a file to a header and records of text cells: CSV as people really save it, and GeoJSON points.

Nothing is guessed quietly. UTF-8 (with or without a byte order mark) is tried strictly, then UTF-16 by its mark, then
GB18030 (which holds GBK and GB2312); text that is damaged UTF-8 is said to be that, and not read as something else.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Literal

from dispatch.errors import DomainError, EmptyFile, InvalidInput, RaggedRow, UnreadableFile

DELIMITERS: Final = ",;\t"
WGS84_NAMES: Final = ("CRS84", "4326", "4490")
"""A GeoJSON `crs` member (RFC 7946 has none, older files do) must end with one of these."""

_CHINESE: Final = re.compile("[\u0800-\U0010ffff]")
_FOREIGN: Final = re.compile("[\u0100-\u07ff]")

Record = tuple[int, "list[str] | DomainError"]
"""Its number (the line on which it begins, or the feature's place from 1), and its cells or what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A header and its records, read once, in order. Rows without a single filled cell are left out."""

    header: tuple[str, ...]
    records: Iterator[Record]
    expected: int
    """About how many records there will be, for a progress bar."""
    geometry: bool
    """The first two columns are longitude and latitude of the feature's own geometry."""


def read(data: bytes, kind: Literal["csv", "geojson"] | None = None) -> Sheet:
    """A CSV or GeoJSON file; without `kind` its first character tells. Raises `EmptyFile`, `UnreadableFile`."""
    text = decode(data)
    if not text.strip():
        raise EmptyFile
    kind = kind or ("geojson" if text.lstrip()[:1] in "{[" else "csv")
    return _geojson(text) if kind == "geojson" else _csv(text)


def decode(data: bytes) -> str:
    """Text of the bytes. Raises `UnreadableFile` rather than take one encoding for another."""
    if data[:4] == b"PK\x03\x04" or data[:4] == b"\xd0\xcf\x11\xe0":
        raise UnreadableFile(
            problem_zh="这是 Excel 工作簿，请另存为“CSV UTF-8（逗号分隔）”。",
            problem="it is an Excel workbook; save it as 'CSV UTF-8 (comma delimited)'.",
        )
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _decoded(data, "utf-16")
    if b"\x00" in data:
        raise UnreadableFile(problem_zh="这不是文本文件。", problem="it is not a text file.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if _is_damaged_utf8(data):
            line = data.count(b"\n", 0, error.start) + 1
            raise UnreadableFile(
                {"row": line},
                problem_zh=f"UTF-8 编码在第 {line} 行损坏。",
                problem=f"its UTF-8 is damaged on line {line}.",
            ) from error
    else:
        if not _is_short_gbk(text):
            return text
    return _decoded(data, "gb18030")


def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UnreadableFile(
            {"row": line},
            problem_zh=f"第 {line} 行既不是 UTF-8 也不是 GBK/GB18030 编码。",
            problem=f"line {line} is neither UTF-8 nor GBK/GB18030.",
        ) from error


def _is_damaged_utf8(data: bytes) -> bool:
    """Most of what is not ASCII is Chinese when read as UTF-8: real GBK text hardly ever is."""
    tried = data.decode("utf-8", errors="replace")
    broken = tried.count("\ufffd")
    sound = sum(1 for character in tried if character >= "\u0800") - broken
    return sound > 4 * broken


def _is_short_gbk(text: str) -> bool:
    """Few words of GBK can be valid UTF-8 by chance (联通 is the famous one): Greek to Syriac, never Chinese."""
    return not text.isascii() and not _CHINESE.search(text) and bool(_FOREIGN.search(text))


# --- CSV ----------------------------------------------------------------------------------------------------------


def _csv(text: str) -> Sheet:
    lines = list(io.StringIO(text, newline=""))
    found = records(lines, delimiter(next(line for line in lines if line.strip())))
    first = next(found, None)
    if first is None:
        raise EmptyFile
    if isinstance(first[1], DomainError):
        raise UnreadableFile({"row": first[0]}, problem_zh="表头无法读取。", problem="its header cannot be read.")
    header = [cell.strip() for cell in first[1]]
    while header and not header[-1]:
        header.pop()
    return Sheet(tuple(header), _fitted(found, len(header)), max(len(lines) - first[0], 0), geometry=False)


def delimiter(header: str) -> str:
    """Whichever of the three stands most often in the header, outside quotes; a comma when none does."""
    bare = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=bare.count)


def records(lines: Sequence[str], delimiter: str) -> Iterator[Record]:
    """Every record with the line on which it begins. One that cannot be read costs its first line only."""
    start = 0
    while start < len(lines):
        reader = csv.reader(islice(lines, start, None), delimiter=delimiter, strict=True)
        begun = 0
        try:
            for cells in reader:
                if any(cells):
                    yield start + begun + 1, cells
                begun = reader.line_num
        except csv.Error:
            number = start + begun + 1
            where: dict[str, object] = {"row": number, "cells": [lines[start + begun].rstrip("\r\n")]}
            yield number, InvalidInput(where, field='"', problem="a quote is not closed", problem_zh="引号没有配对")
            start = number
        else:
            return


def _fitted(records: Iterable[Record], width: int) -> Iterator[Record]:
    """Rows as wide as the header; empty cells beyond it are no fault."""
    for number, cells in records:
        if isinstance(cells, DomainError) or len(cells) == width:
            yield number, cells
        elif len(cells) > width and not any(cell.strip() for cell in cells[width:]):
            if any(cells[:width]):
                yield number, cells[:width]
        else:
            yield number, RaggedRow({"row": number, "cells": cells}, row=number, found=len(cells), expected=width)


# --- GeoJSON ------------------------------------------------------------------------------------------------------


def _geojson(text: str) -> Sheet:
    try:
        found = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise UnreadableFile(
            {"row": line}, problem_zh=f"不是有效的 JSON：{error}", problem=f"not valid JSON: {error}"
        ) from error
    features = found.get("features") if isinstance(found, Mapping) else None
    if not isinstance(found, Mapping) or found.get("type") != "FeatureCollection" or not isinstance(features, list):
        raise UnreadableFile(
            problem_zh="不是 GeoJSON FeatureCollection。", problem="it is not a GeoJSON FeatureCollection."
        )
    _same_crs(found.get("crs"))
    if not features:
        raise EmptyFile
    names: dict[str, None] = {}
    for feature in features:
        if isinstance(feature, Mapping):
            if "id" in feature:
                names["id"] = None
            names.update(dict.fromkeys(_properties(feature) or ()))
    if not all(map(_is_text, names)):
        raise UnreadableFile(problem_zh="属性名不是有效文本。", problem="a property's name is not valid text.")
    header = ("lon", "lat", *names)
    records = ((number, _cells(feature, list(names))) for number, feature in enumerate(features, 1))
    return Sheet(header, records, len(features), geometry=True)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _same_crs(crs: Any) -> None:
    if crs is None:
        return
    name = str((crs.get("properties") or {}).get("name", "")) if isinstance(crs, Mapping) else str(crs)
    if not name.endswith(WGS84_NAMES):
        raise UnreadableFile(
            problem_zh=f"坐标参照系 {name} 不是经纬度，请转换为 EPSG:4326。",
            problem=f"its coordinates are in {name}; convert them to EPSG:4326.",
        )


def _cells(feature: Any, names: Sequence[str]) -> list[str] | DomainError:
    if not isinstance(feature, Mapping) or feature.get("type") != "Feature":
        return InvalidInput({"field": "type"}, field="type", problem="not a Feature", problem_zh="不是 Feature")
    geometry = feature.get("geometry")
    position = geometry.get("coordinates") if isinstance(geometry, Mapping) else None
    is_point = isinstance(geometry, Mapping) and geometry.get("type") == "Point" and isinstance(position, list)
    if not is_point or not isinstance(position, list) or len(position) < 2 or not all(map(_is_number, position[:2])):
        return InvalidInput(
            {"field": "geometry"}, field="geometry", problem="not a Point with two numbers", problem_zh="不是点坐标"
        )
    told = _properties(feature)
    if told is None:
        return InvalidInput({"field": "properties"}, field="properties", problem="not an object", problem_zh="不是对象")
    if "id" in feature:
        told.setdefault("id", feature["id"])
    cells = [repr(position[0]), repr(position[1]), *(as_text(told.get(name)) for name in names)]
    if bad := next((name for name, cell in zip(names, cells[2:], strict=True) if not _is_text(cell)), None):
        return InvalidInput({"field": bad}, field=bad, problem="not valid text", problem_zh="不是有效文本")
    return cells


def _properties(feature: Mapping[str, Any]) -> dict[str, object] | None:
    told = feature.get("properties")
    return dict(told) if isinstance(told, Mapping) else {} if told is None else None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text(text: str) -> bool:
    """Whether it can be stored: JSON can spell NUL and halves of characters, which no database takes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in text


_TEXT: Final[Mapping[type, Callable[[Any], str]]] = {
    str: str,
    type(None): lambda _: "",
    bool: lambda value: "true" if value else "false",
    int: str,
    float: repr,
}


def as_text(value: object) -> str:
    """A JSON value as the cell of a table."""
    write = _TEXT.get(type(value))
    return write(value) if write else json.dumps(value, ensure_ascii=False)
