"""From what a unit's device sent to a position that can be kept: pure, before anything is asked of the database."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import numpy as np
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from dispatch import errors
from dispatch.fleet import Position
from dispatch.ground import Ground
from dispatch.intake import CLOCK_SKEW
from geo.datum import Datum, to_wgs84
from geo.units import placeable

FAR_M: Final = 1_000_000.0
"""From the box around the district: farther, and nobody is on duty there."""
_EARTH_M: Final = 6_371_000.0
_AS_IT_IS: Final = (Datum.WGS84, Datum.CGCS2000)


class PositionIn(BaseModel):
    """Where a unit is, as its device sends it. Only the position is required."""

    model_config = ConfigDict(extra="forbid")

    lon: Annotated[float, Field(allow_inf_nan=False)]
    lat: Annotated[float, Field(allow_inf_nan=False)]
    datum: Datum = Datum.WGS84
    at: AwareDatetime | None = Field(None, description="When it was there (the time of the fix); now, if not said.")
    accuracy_m: Annotated[float | None, Field(ge=0, le=10_000, allow_inf_nan=False)] = None
    on_shift: bool | None = Field(
        None, description="Whether it may be sent. Not said: what was said last holds; at first, that it may."
    )


class UnitPositionIn(PositionIn):
    """One line of many."""

    unit: Annotated[str, Field(min_length=1, max_length=50)]


def positioned(
    ground: Ground, listed: Collection[str], given: Sequence[tuple[str, PositionIn]], now: datetime, track: timedelta
) -> list[Position | errors.DomainError]:
    """Positions in WGS 84, or what is wrong with each; `listed`: the units there are; `track`: how long ways are kept.

    What can be: `UnitNotListed`, `CoordinatesZero`, `CoordinatesOutOfRange`, `CoordinatesSwapped`, `OutsideDistrict`,
    `FixInFuture`, `FixTooOld`. A unit may be outside the district, but not by more than `FAR_M`.
    """
    places = [(one.lon, one.lat) for _, one in given]
    # The way back from GCJ-02 is worked out for all at once: one by one it would take half a millisecond each.
    for datum in {one.datum for _, one in given} - set(_AS_IT_IS):
        which = [i for i, (_, one) in enumerate(given) if one.datum is datum and _in_degrees(one.lon, one.lat)]
        x, y = to_wgs84(np.array([places[i][0] for i in which]), np.array([places[i][1] for i in which]), datum)
        for i, lon, lat in zip(which, x.tolist(), y.tolist(), strict=True):
            places[i] = (lon, lat)
    bounds = ground.district.layers["district"].zones[0].geometry.bounds
    found: list[Position | errors.DomainError] = []
    for (unit, one), place in zip(given, places, strict=True):
        wrong = (
            errors.UnitNotListed({"field": "unit"}, unit=unit)
            if unit not in listed
            else _wrong_place(ground, bounds, one, *place) or _wrong_time(one.at, now, track)
        )
        # Only what is neither ancient nor to come has a time in UTC.
        found.append(wrong or Position(unit, *place, (one.at or now).astimezone(UTC), one.accuracy_m, one.on_shift))
    return found


def _in_degrees(lon: float, lat: float) -> bool:
    return abs(lon) <= 180 and abs(lat) <= 90


def _wrong_place(
    ground: Ground, bounds: tuple[float, float, float, float], one: PositionIn, lon: float, lat: float
) -> errors.DomainError | None:
    """`lon`, `lat`: in WGS 84."""
    where = {"field": "lon", "lon": one.lon, "lat": one.lat}
    if one.lon == 0 and one.lat == 0:
        return errors.CoordinatesZero(where)
    real = _in_degrees(one.lon, one.lat) and _in_degrees(lon, lat)
    metres = _off(bounds, lon, lat) if real else math.inf
    if metres <= FAR_M and placeable(ground.district.metric_crs, lon, lat):
        return None
    if abs(one.lon) <= 90 and abs(one.lat) <= 180 and ground.locator.at(one.lat, one.lon)["district"]:
        return errors.CoordinatesSwapped(where, lon=one.lon, lat=one.lat)
    if not real:
        return errors.CoordinatesOutOfRange(where, lon=one.lon, lat=one.lat)
    zone, _ = ground.locator.nearest("township", lon, lat)
    return errors.OutsideDistrict(
        {**where, "distance_m": round(metres)},
        metres=round(metres),
        nearest=zone.name,
        nearest_en=zone.name_en,
        hint_zh="请检查设备的定位和坐标系。",
        hint="Check the device's fix and its datum.",
    )


def _off(bounds: tuple[float, float, float, float], lon: float, lat: float) -> float:
    """Metres on a sphere from a box in degrees: over its nearest point in degrees, which far away is near enough."""
    west, south, east, north = bounds
    x, y = min(max(lon, west), east), min(max(lat, south), north)
    rise, turn = math.radians(lat - y), math.radians(lon - x)
    chord = math.sin(rise / 2) ** 2 + math.cos(math.radians(lat)) * math.cos(math.radians(y)) * math.sin(turn / 2) ** 2
    return 2 * _EARTH_M * math.asin(min(1.0, math.sqrt(chord)))


def _wrong_time(at: datetime | None, now: datetime, track: timedelta) -> errors.DomainError | None:
    if at is None:
        return None
    if at > now + CLOCK_SKEW:
        return errors.FixInFuture({"field": "at"}, at=at.isoformat())
    if at < now - track:
        return errors.FixTooOld({"field": "at"}, at=at.isoformat(), days=track.days)
    return None
