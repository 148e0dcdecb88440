"""Lists page by page: what every list takes (`limit`, `cursor`, `bbox`) and how a cursor is written and read.

A page begins after the key of the last row of the page before, whatever came or went meanwhile: no row that stays is
told twice or left out. A cursor is opaque to clients, belongs to one list, and goes with any filter of it.
"""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Final, TypeVar

import orjson
from fastapi import Query

from dispatch.errors import InvalidCursor, InvalidInput

MOST: Final = 1000
"""Rows of one page, and what a list of the district's own things sends when nothing is said."""

Limit = Annotated[int, Query(ge=1, le=MOST, description="Most rows of this page")]
Cursor = Annotated[str | None, Query(description="`next` of the page before; opaque")]
BoxText = Annotated[str | None, Query(description="west,south,east,north in degrees (WGS 84)")]
Box = tuple[float, float, float, float]

T = TypeVar("T")
Key = tuple[str, ...]


def read_cursor(name: str, parts: int, cursor: str | None) -> Key | None:
    """The key that a page of the list `name` begins after; None for the first. Raises `InvalidCursor`."""
    if not cursor:
        return None
    try:
        found = orjson.loads(base64.b64decode(cursor, b"-_", validate=True))
    except (binascii.Error, ValueError) as error:
        raise InvalidCursor({"field": "cursor"}) from error
    match found:
        case [of, *key] if of == name and len(key) == parts and all(isinstance(part, str) for part in key):
            return tuple(key)
    raise InvalidCursor({"field": "cursor"})


def cut(name: str, rows: Sequence[T], limit: int, key: Callable[[T], Key]) -> tuple[Sequence[T], str | None]:
    """One page of rows that go on beyond it if there are more than `limit`, and the cursor of the next."""
    if len(rows) <= limit:
        return rows, None
    page = rows[:limit]
    return page, cursor_of(name, key(page[-1]))


def cursor_of(name: str, key: Key) -> str:
    """The cursor of a page that begins after this key."""
    return base64.urlsafe_b64encode(orjson.dumps([name, *key])).decode()


def page_by_code(
    name: str, rows: Iterable[T], limit: int, cursor: str | None, code: Callable[[T], str]
) -> tuple[Sequence[T], str | None]:
    """One page of rows at hand, in ascending order of their code. Raises `InvalidCursor`."""
    after = read_cursor(name, 1, cursor)
    ordered = sorted(rows, key=code)
    begin = bisect_right(ordered, after[0], key=code) if after else 0
    return cut(name, ordered[begin : begin + limit + 1], limit, lambda row: (code(row),))


def parse_bbox(given: str | None) -> Box | None:
    """West, south, east, north in degrees. Raises `InvalidInput`."""
    if not given:
        return None
    try:
        west, south, east, north = (float(part) for part in given.split(","))
    except ValueError:
        west, south, east, north = 1, 1, 0, 0
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        problem = "must be west,south,east,north in degrees"
        raise InvalidInput({"field": "bbox"}, field="bbox", problem=problem, problem_zh="应为 西,南,东,北（度）")
    return west, south, east, north


def within(box: Box | None, lon: float, lat: float) -> bool:
    """Whether a position (degrees) lies in the box, its edges included; without a box, always."""
    return box is None or (box[0] <= lon <= box[2] and box[1] <= lat <= box[3])
