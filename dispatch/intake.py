"""From what a client sent to a report that stands somewhere: pure, before anything is asked of the database."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from dispatch import errors
from dispatch.audit import canonical_json, instant
from dispatch.competence import Place
from dispatch.ground import Ground
from dispatch.model import Report, Source
from geo.datum import Datum, to_wgs84
from geo.grid import Cover

CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far a device's clock may run ahead before 'seen in the future' is said."""

DEFAULT_ACCURACY_M: Final = 30.0
"""What is assumed of a position that came without its accuracy: a phone in the open, doubled."""


NO_NUL: Final = r"^[^\x00]*$"
"""PostgreSQL keeps no U+0000 in text, and no device types one."""


class Draft(BaseModel):
    """A report as a client sends it. Only the position and the matter are required."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    id: UUID | None = Field(None, description="Made by the device; the same id twice is the same report.")
    lon: Annotated[float, Field(allow_inf_nan=False)]
    lat: Annotated[float, Field(allow_inf_nan=False)]
    datum: Datum | None = None
    accuracy_m: Annotated[float | None, Field(ge=0, le=10_000, allow_inf_nan=False)] = None
    seen_at: AwareDatetime | None = None
    source: Source | None = None
    matter: Annotated[str, Field(min_length=1, max_length=20, description="A matter's code, or a class's.")]
    text: Annotated[str, Field(max_length=4000, pattern=NO_NUL)] = ""
    contact: Annotated[
        dict[
            Annotated[str, Field(max_length=50, pattern=NO_NUL)], Annotated[str, Field(max_length=200, pattern=NO_NUL)]
        ],
        Field(max_length=5),
    ] = {}
    photos: Annotated[list[Annotated[str, Field(pattern="^[0-9a-f]{64}$")]], Field(max_length=12)] = []
    joins: Annotated[
        str, Field(max_length=50, pattern=NO_NUL, description="The open case that it is the same as, says its sender.")
    ] = ""


class Forwarded(Draft):
    """A report that another system sends (12345, video, …), under its own number; see `dispatch.sources`."""

    source_ref: Annotated[str, Field(min_length=1, max_length=100, pattern=NO_NUL)]
    placed_by: Annotated[tuple[str, str] | None, Field(exclude=True)] = None
    """By what its place was found, where nobody gave a position: a note of the decision, and the name it speaks of."""


@dataclass(frozen=True, slots=True)
class Located:
    """A position in WGS 84 degrees inside the district, with the zones that hold it and what was done to it."""

    lon: float
    lat: float
    accuracy_m: float
    datum: Datum
    place: Place
    notes: tuple[str, ...]
    facts: Mapping[str, float | str]


@dataclass(frozen=True, slots=True)
class Placed:
    """A report with the zones that hold it, and what was filled in or done to it on the way."""

    report: Report
    place: Place
    filled: tuple[str, ...]
    notes: tuple[str, ...]
    facts: Mapping[str, float | str]


def place(ground: Ground, draft: Draft, report_id: UUID, now: datetime, max_age_days: int) -> Placed:
    """Check a draft, bring it to WGS 84, find its zones; snap it when it lies outside by less than its accuracy.

    Raises `CoordinatesZero`, `CoordinatesOutOfRange`, `CoordinatesSwapped`, `OutsideDistrict`, `UnknownMatter`,
    `SeenInFuture`, `SeenTooLongAgo`.
    """
    ground.matter(draft.matter)
    seen_at = _seen(draft.seen_at, now, max_age_days)
    at = locate(ground, draft.lon, draft.lat, draft.datum, draft.accuracy_m)
    report = Report(
        id=report_id,
        lon=at.lon,
        lat=at.lat,
        given_lon=draft.lon,
        given_lat=draft.lat,
        datum=at.datum,
        accuracy_m=at.accuracy_m,
        seen_at=seen_at,
        received_at=now,
        source=draft.source or Source.OTHER,
        matter=draft.matter,
        text=draft.text,
        contact=draft.contact,
        photos=tuple(draft.photos),
        source_ref=draft.source_ref if isinstance(draft, Forwarded) else None,
    )
    if isinstance(draft, Forwarded) and draft.placed_by:
        note, name = draft.placed_by
        at = replace(at, notes=(note, *at.notes), facts={**at.facts, "placed_by": name})
    may_miss = ("id", "datum", "accuracy_m", "seen_at", "source")
    filled = tuple(field for field in may_miss if getattr(draft, field) is None)
    return Placed(report, at.place, filled, at.notes, at.facts)


def locate(ground: Ground, lon: float, lat: float, datum: Datum | None, accuracy_m: float | None) -> Located:
    """Bring a position to WGS 84, find its zones; snap it when it lies outside by less than its accuracy.

    Raises `CoordinatesZero`, `CoordinatesOutOfRange`, `CoordinatesSwapped`, `OutsideDistrict`.
    """
    given = datum or Datum.WGS84
    accuracy = DEFAULT_ACCURACY_M if accuracy_m is None else accuracy_m
    _plausible(ground, lon, lat)
    x, y = (float(value) for value in to_wgs84(lon, lat, given))
    notes: list[str] = []
    facts: dict[str, float | str] = {}
    if given in (Datum.GCJ02, Datum.BD09):
        notes.append("datum_converted")
        facts["datum"] = given.value
    zones = ground.locator.at(x, y)
    for layer in ground.locator.layers.values():  # the district is the first
        if zones[layer.name] or layer.cover is not Cover.PARTITION:
            continue
        snapped_x, snapped_y, metres = ground.locator.snap(x, y, layer.name)
        if layer.name == "district":
            if metres >= accuracy:
                raise _outside(ground, lon, lat, given, metres)
            notes.append("snapped")
            facts["snapped_m"] = round(metres, 1)
        # Else it lies between two zones, in a gap too thin to be a finding: the nearest has it.
        x, y = snapped_x, snapped_y
        zones = ground.locator.at(x, y)
    return Located(x, y, accuracy, given, zones, tuple(notes), facts)


def digest_fields(report: Report) -> dict[str, object]:
    """What of a report is sealed: everything that came from outside, as it came. (A row of it will do.)

    What is not so is not named: reports from before it could be so are sealed without.
    """
    said: dict[str, object] = {
        "id": str(report.id),
        "given_lon": report.given_lon,
        "given_lat": report.given_lat,
        "datum": str(report.datum),
        "accuracy_m": report.accuracy_m,
        "seen_at": instant(report.seen_at),
        "source": str(report.source),
        "matter": report.matter,
        "text": report.text,
        "contact": dict(report.contact),
        "photos": list(report.photos),
    }
    return said if report.source_ref is None else said | {"source_ref": report.source_ref}


def same_content(draft: Draft, stored: Report) -> bool:
    """Whether a draft says what the stored report of the same id says, leaving out what was filled for it then."""
    given = draft.model_dump(exclude_none=True, exclude={"id", "lon", "lat", "joins"}, exclude_defaults=True)
    if (draft.lon, draft.lat) != (stored.given_lon, stored.given_lat):
        return False
    return all(
        canonical_json(_plain(value)) == canonical_json(_plain(getattr(stored, field)))
        for field, value in given.items()
    )


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return instant(value)
    return list(value) if isinstance(value, tuple) else value


def _seen(given: datetime | None, now: datetime, max_age_days: int) -> datetime:
    if given is None:
        return now
    if given > now + CLOCK_SKEW:
        raise errors.SeenInFuture({"field": "seen_at"}, seen_at=given.isoformat())
    if given < now - timedelta(days=max_age_days):
        raise errors.SeenTooLongAgo({"field": "seen_at"}, seen_at=given.isoformat(), days=max_age_days)
    return given.astimezone(UTC)


def _plausible(ground: Ground, lon: float, lat: float) -> None:
    where = {"field": "lon", "lon": lon, "lat": lat}
    if not (math.isfinite(lon) and math.isfinite(lat)):
        raise errors.CoordinatesOutOfRange(where, lon=lon, lat=lat)
    if lon == 0 and lat == 0:
        raise errors.CoordinatesZero(where)
    if abs(lon) <= 90 and ground.locator.at(lat, lon)["district"]:
        raise errors.CoordinatesSwapped(where, lon=lon, lat=lat)
    if abs(lon) > 180 or abs(lat) > 90:
        raise errors.CoordinatesOutOfRange(where, lon=lon, lat=lat)


def _outside(ground: Ground, lon: float, lat: float, given: Datum, metres: float) -> errors.OutsideDistrict:
    """The refusal, with a hint when another datum would have put the point inside."""
    zone, _ = ground.locator.nearest("township", *map(float, to_wgs84(lon, lat, given)))
    hint_zh, hint = "请检查坐标。", "Check the position."
    reading = None
    for datum in (Datum.WGS84, Datum.GCJ02, Datum.BD09):
        if datum is not given and ground.locator.at(*map(float, to_wgs84(lon, lat, datum)))["district"]:
            reading = datum.value
            hint_zh = f"若坐标是 {reading}，则该点在本区内，请注明 datum={reading}。"
            hint = f"Read as {reading} it lies inside: if that is what it is, say datum={reading}."
            break
    return errors.OutsideDistrict(
        {"lon": lon, "lat": lat, "township": zone.code, "distance_m": round(metres), "reads_as": reading},
        metres=round(metres),
        nearest=zone.name,
        nearest_en=zone.name_en,
        hint_zh=hint_zh,
        hint=hint,
    )
