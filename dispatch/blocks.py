"""Records of a file, some ten thousand at a time, as arrays for `dispatch.bulk`.

What is written plainly is read by column; every other row is read by `rows.Reader` and checked by `intake.place`, as a
single report would be. So there is one truth of what a row means, and a fast way to most of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dispatch import fields
from dispatch.bulk import ANY_AGE_DAYS, DATUMS, Points, Router
from dispatch.errors import DomainError
from dispatch.intake import CLOCK_SKEW, DEFAULT_ACCURACY_M, place
from dispatch.rows import Reader
from dispatch.tabular import Record
from geo.datum import Datum

T = TypeVar("T")
Flags = NDArray[np.bool_]

NOTES: Final = ("matter_by_name", "matter_zeros_restored", "datum_converted", "snapped", "no_unit_can_reach")
"""What a routed row may say of itself; a row's notes are a sum of powers of two of their places."""

_PLAIN_NUMBER: Final = r"^-?[0-9]{1,3}(\.[0-9]{1,17})?$"
_PLAIN_INSTANT: Final = (
    r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])[ T]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?"
    r"(Z|[+-](0[0-9]|1[0-2]):[0-5][0-9])?$"
)
_LONGEST: Final = {"text": 4000, "contact_name": 200, "contact_phone": 200}
"""Characters, as `intake.Draft` has it."""
_NOBODY: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that cannot be routed."""

    number: int
    error: DomainError
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class Block:
    """The rows of a chunk that could be read, as the columns they were and as points; and those that could not."""

    numbers: NDArray[np.int64]
    columns: list[pa.Array]
    points: Points
    notes: NDArray[np.int64]
    rejected: list[Rejected]


class Blocks:
    """Turns chunks of records into blocks."""

    def __init__(self, reader: Reader, router: Router, columns: fields.Columns, width: int, now: datetime) -> None:
        self._reader, self._router, self._columns, self._width, self._now = reader, router, columns, width, now
        self._matter = {code: number for number, code in enumerate(router.matters)}
        self._known: dict[str, tuple[int, int] | None] = {}
        self._datum = DATUMS.index(columns.datum or Datum.WGS84)

    def read(self, records: Iterable[Record]) -> Block:
        """One block."""
        numbers: list[int] = []
        cells: list[list[str]] = []
        rejected: list[Rejected] = []
        for number, found in records:
            if isinstance(found, DomainError):
                rejected.append(Rejected(number, found, _cells(found)))
            else:
                numbers.append(number)
                cells.append(found)
        table = [pa.array(column, pa.string()) for column in zip(*cells, strict=True)] if cells else []
        columns = table or [pa.array([], pa.string())] * self._width
        points, notes, plain = self._plainly(columns, len(cells))
        keep = np.ones(len(cells), dtype=np.bool_)
        for at in np.flatnonzero(~plain).tolist():
            try:
                self._singly(cells[at], points, notes, at)
            except DomainError as error:
                keep[at] = False
                rejected.append(Rejected(numbers[at], error, cells[at]))
        kept = np.array(numbers, dtype=np.int64)
        if not keep.all():
            mask = pa.array(keep)
            columns = [column.filter(mask) for column in columns]
            points, notes, kept = points.take(np.flatnonzero(keep)), notes[keep], kept[keep]
        return Block(kept, columns, points, notes, rejected)

    def _singly(self, cells: Sequence[str], points: Points, notes: NDArray[np.int64], at: int) -> None:
        """One row as a single report. Raises its `DomainError`."""
        draft, said = self._reader.draft(cells, self._columns)
        place(self._router.ground, draft, _NOBODY, self._now, ANY_AGE_DAYS)
        points.lon[at], points.lat[at] = draft.lon, draft.lat
        points.matter[at] = self._matter[draft.matter]
        points.datum[at] = DATUMS.index(draft.datum or Datum.WGS84)
        points.accuracy_m[at] = DEFAULT_ACCURACY_M if draft.accuracy_m is None else draft.accuracy_m
        notes[at] = sum(1 << NOTES.index(note) for note in said if note in NOTES)

    # --- by column ------------------------------------------------------------------------------------------------

    def _plainly(self, columns: Sequence[pa.Array], count: int) -> tuple[Points, NDArray[np.int64], Flags]:
        """Every row as a point, and for which rows that holds."""
        trimmed = {field: pc.utf8_trim_whitespace(columns[at]) for field, at in self._columns.of.items()}
        lon, plain_lon = _numbers(trimmed["lon"])
        lat, plain_lat = _numbers(trimmed["lat"])
        matter, plain = _each(trimmed["matter"], self._read_matter, (0, 0))
        plain &= plain_lon & plain_lat
        datum = np.full(count, self._datum, dtype=np.int8)
        if "datum" in trimmed:
            found, known = _each(trimmed["datum"], self._read_datum, self._datum)
            datum, plain = found.astype(np.int8), plain & known
        accuracy = np.full(count, DEFAULT_ACCURACY_M)
        if "accuracy_m" in trimmed:
            found, known = _each(trimmed["accuracy_m"], _read_accuracy, DEFAULT_ACCURACY_M)
            accuracy, plain = found.astype(np.float64), plain & known
        if "source" in trimmed:
            _, known = _each(trimmed["source"], lambda text: text == "" or bool(fields.source(text)), default=False)
            plain &= known
        if "seen_at" in trimmed:
            plain &= self._long_past(trimmed["seen_at"])
        for field, longest in _LONGEST.items():
            if field in trimmed:
                plain &= pc.less_equal(pc.utf8_length(columns[self._columns.of[field]]), longest).to_numpy(False)
        points = Points(lon, lat, matter[:, 0].astype(np.int32), datum, accuracy)
        return points, matter[:, 1].astype(np.int64), plain

    def _read_matter(self, text: str) -> tuple[int, int]:
        code, note = self._reader.matters.read(text)
        return self._matter[code], 1 << NOTES.index(note) if note else 0

    def _read_datum(self, text: str) -> int:
        return DATUMS.index(fields.datum(text)) if text else self._datum

    def _long_past(self, texts: pa.Array) -> Flags:
        """Where a time is empty, or plainly written and two days past in any time zone."""
        bound = (self._now - CLOCK_SKEW - timedelta(days=2)).strftime("%Y-%m-%d")
        written = pc.and_(
            pc.match_substring_regex(texts, _PLAIN_INSTANT), pc.less(pc.utf8_slice_codeunits(texts, 0, 10), bound)
        )
        # Python's calendar begins with year 1, and a zone may reach back before it.
        written = pc.and_(written, pc.greater(texts, "1000"))
        return np.asarray(pc.or_(written, pc.equal(texts, "")).to_numpy(zero_copy_only=False))


def _numbers(texts: pa.Array) -> tuple[NDArray[np.float64], Flags]:
    """Values, and where the text is a plain decimal number (elsewhere the value is 0)."""
    plain = pc.match_substring_regex(texts, _PLAIN_NUMBER)
    values = pc.cast(pc.if_else(plain, texts, "0"), pa.float64())
    return values.to_numpy(zero_copy_only=False).copy(), plain.to_numpy(zero_copy_only=False)


def _each(texts: pa.Array, read: Callable[[str], T], default: T) -> tuple[NDArray[np.generic], Flags]:
    """`read` of each different text once, spread over all; and where it raised nothing (elsewhere `default`)."""
    coded = texts.dictionary_encode()
    values: list[T] = []
    sound: list[bool] = []
    for text in coded.dictionary.to_pylist():
        try:
            values.append(read(text))
            sound.append(True)
        except DomainError:
            values.append(default)
            sound.append(False)
    which = coded.indices.to_numpy(zero_copy_only=False)
    return np.array([*values, default])[which], np.array([*sound, False])[which]


def _read_accuracy(text: str) -> float:
    """Metres. What the draft refuses is left to the draft."""
    if not text:
        return DEFAULT_ACCURACY_M
    value = fields.number(text, "accuracy_m")
    if not 0 <= value <= 100_000:
        raise DomainError
    return value


def _cells(error: DomainError) -> list[str]:
    """What the row held, as far as it could be read."""
    cells = error.where.get("cells")
    return [str(cell) for cell in cells] if isinstance(cells, list) else []
