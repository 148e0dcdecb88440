"""What came in a file, row by row: a draft of a report, or what is wrong with the row. One bad row stops no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from dispatch import fields
from dispatch.district import District
from dispatch.errors import DomainError, InvalidInput
from dispatch.intake import Draft
from dispatch.tabular import Sheet, read


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it was read."""

    number: int
    """CSV: the line of the file on which it begins, the header being line 1. GeoJSON: the feature's place, from 1."""
    outcome: Draft | DomainError
    notes: tuple[str, ...]
    """What reading had to assume: `matter_by_name`, `matter_zeros_restored`, `id_not_uuid`."""
    original: Mapping[str, str]


class Reader:
    """Reads rows in the words of one district: its list of matters, its time zone."""

    def __init__(self, district: District) -> None:
        self.zone = ZoneInfo(district.timezone)
        self.matters = fields.Matters(district.classes.values(), district.matters.values())

    def rows(self, data: bytes, kind: Literal["csv", "geojson"] | None = None) -> Iterator[Row]:
        """Every row of a CSV or GeoJSON file. Raises `EmptyFile`, `UnreadableFile`, `MissingColumn`."""
        sheet = read(data, kind)
        columns = fields.columns(sheet.header, geometry=sheet.geometry)
        return self._rows(sheet, columns)

    def _rows(self, sheet: Sheet, columns: fields.Columns) -> Iterator[Row]:
        for number, cells in sheet.records:
            if isinstance(cells, DomainError):
                yield Row(number, cells, (), {})
                continue
            original = dict(zip(sheet.header, cells, strict=True))
            try:
                draft, notes = self.draft(cells, columns)
            except DomainError as error:
                yield Row(number, error, (), original)
            else:
                yield Row(number, draft, notes, original)

    def draft(self, cells: Sequence[str], columns: fields.Columns) -> tuple[Draft, tuple[str, ...]]:
        """One row's cells as a draft, and what had to be assumed. Raises the row's `DomainError`."""
        told = {field: cells[place] for field, place in columns.of.items() if cells[place].strip()}
        notes: list[str] = []
        code, note = self.matters.read(told.get("matter") or told.get("matter_name") or "")
        values: dict[str, Any] = {
            "lon": fields.number(told.get("lon", ""), "lon"),
            "lat": fields.number(told.get("lat", ""), "lat"),
            "matter": code,
            "datum": fields.datum(told["datum"]) if "datum" in told else columns.datum,
            "text": told.get("text", ""),
            "contact": {part: told[f"contact_{part}"] for part in ("name", "phone") if f"contact_{part}" in told},
        }
        if "id" in told:
            values["id"] = as_uuid(told["id"])
        if "accuracy_m" in told:
            values["accuracy_m"] = fields.number(told["accuracy_m"], "accuracy_m")
        if "seen_at" in told:
            values["seen_at"] = fields.instant(told["seen_at"], self.zone)
        if "source" in told:
            values["source"] = fields.source(told["source"])
        if note:
            notes.append(note)
        if "id" in told and values["id"] is None:
            notes.append("id_not_uuid")
        try:
            return Draft(**values), tuple(notes)
        except ValidationError as error:
            raise refused(error) from error


def as_uuid(text: str) -> UUID | None:
    """The id, where it is one. A number that only counts the rows of a file is no id of a report."""
    try:
        return UUID(fields.plain(text))
    except ValueError:
        return None


_SAID: Final[Mapping[str, Callable[[Mapping[str, Any]], tuple[str, str]]]] = {
    "greater_than_equal": lambda about: (f"必须不小于 {about['ge']:g}", f"it must be at least {about['ge']:g}"),
    "less_than_equal": lambda about: (f"必须不大于 {about['le']:g}", f"it must be at most {about['le']:g}"),
    "string_too_long": lambda about: (
        f"超过 {about['max_length']} 个字",
        f"it is longer than {about['max_length']} characters",
    ),
}


def refused(error: ValidationError) -> InvalidInput:
    """What is wrong with a draft's first wrong field."""
    first = error.errors()[0]
    field = str(first["loc"][0])
    say = _SAID.get(first["type"])
    zh, en = say(first.get("ctx", {})) if say else ("不符合要求", first["msg"])
    return InvalidInput({"field": field}, field=field, problem=en, problem_zh=zh)
