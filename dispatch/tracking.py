"""From what a unit's device sent to a position that can be kept: pure, before anything is asked of the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Final

import numpy as np
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from dispatch import errors
from dispatch.fleet import Position
from dispatch.ground import Ground
from dispatch.intake import CLOCK_SKEW
from geo.datum import Datum, to_wgs84

_AS_IT_IS: Final = (Datum.WGS84, Datum.CGCS2000)


class PositionIn(BaseModel):
    """Where a unit is, as its device sends it. Only the position is required."""

    model_config = ConfigDict(extra="forbid")

    lon: Annotated[float, Field(allow_inf_nan=False)]
    lat: Annotated[float, Field(allow_inf_nan=False)]
    datum: Datum = Datum.WGS84
    at: AwareDatetime | None = Field(None, description="When it was there (the time of the fix); now, if not said.")
    accuracy_m: Annotated[float | None, Field(ge=0, le=10_000, allow_inf_nan=False)] = None
    on_shift: bool = Field(True, description="Whether it may be sent. What was said last holds until said otherwise.")


class UnitPositionIn(PositionIn):
    """One line of many."""

    unit: Annotated[str, Field(min_length=1, max_length=50)]


def positioned(
    ground: Ground, given: Sequence[tuple[str, PositionIn]], now: datetime
) -> list[Position | errors.DomainError]:
    """Positions in WGS 84, or what is wrong with each.

    What can be: `UnitNotListed`, `CoordinatesZero`, `CoordinatesOutOfRange`, `CoordinatesSwapped`, `FixInFuture`. A
    unit may be outside the district.
    """
    places = [(one.lon, one.lat) for _, one in given]
    # The way back from GCJ-02 is worked out for all at once: one by one it would take half a millisecond each.
    for datum in {one.datum for _, one in given} - set(_AS_IT_IS):
        which = [i for i, (_, one) in enumerate(given) if one.datum is datum and _in_degrees(one)]
        x, y = to_wgs84(np.array([places[i][0] for i in which]), np.array([places[i][1] for i in which]), datum)
        for i, lon, lat in zip(which, x.tolist(), y.tolist(), strict=True):
            places[i] = (lon, lat)
    return [
        _wrong_with(ground, unit, one, now)
        or Position(unit, *place, (one.at or now).astimezone(UTC), one.accuracy_m, one.on_shift)
        for (unit, one), place in zip(given, places, strict=True)
    ]


def _in_degrees(one: PositionIn) -> bool:
    return abs(one.lon) <= 180 and abs(one.lat) <= 90


def _wrong_with(ground: Ground, unit: str, one: PositionIn, now: datetime) -> errors.DomainError | None:
    where = {"field": "lon", "lon": one.lon, "lat": one.lat}
    if unit not in ground.district.units:
        return errors.UnitNotListed({"field": "unit"}, unit=unit)
    if one.lon == 0 and one.lat == 0:
        return errors.CoordinatesZero(where)
    if not _in_degrees(one):
        swapped = abs(one.lon) <= 90 and bool(ground.locator.at(one.lat, one.lon)["district"])
        wrong = errors.CoordinatesSwapped if swapped else errors.CoordinatesOutOfRange
        return wrong(where, lon=one.lon, lat=one.lat)
    if one.at is not None and one.at > now + CLOCK_SKEW:
        return errors.FixInFuture({"field": "at"}, at=one.at.isoformat())
    return None
