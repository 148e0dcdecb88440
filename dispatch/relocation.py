"""The place of an open case is corrected: decided again from there. Pure.

The report stays what it was. The case keeps its team, and its unit if that can get there, where the decision names the
team that it named before; a case that a dispatcher gave to another team by hand therefore stays there. Where the
decision names another team the case goes to it, as if it were reassigned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from pyproj import Geod

from dispatch import routing
from dispatch.errors import UnknownOutcome
from dispatch.fleet import Fleet
from dispatch.ground import Ground
from dispatch.intake import Located, locate
from dispatch.lifecycle import HOLDS_UNIT, Transition
from dispatch.model import CaseRow, State
from dispatch.opening import placed_at, placing
from dispatch.outcomes import Weighed
from geo.datum import Datum

_GEOD: Final = Geod(ellps="WGS84")


@dataclass(frozen=True, slots=True)
class Pin:
    """Where a case is said to be, as it was given (degrees of `datum`, WGS 84 if not said; metres)."""

    lon: float
    lat: float
    datum: Datum | None = None
    accuracy_m: float | None = None


def relocate(
    then: Ground,
    today: Ground,
    fleet: Fleet,
    transition: Transition,
    case: CaseRow,
    before: Mapping[str, Any],
    pin: Pin,
    busy: frozenset[str],
    now: datetime,
) -> tuple[CaseRow, dict[str, object]]:
    """The case as it stands at the new place, and what its event says beside `after`.

    then: of the edition that its report was decided by, and that decides again; today: of the one that holds, whose
    units are sent; before: its decision until now, as `routing.as_json` writes it; busy: units that are on a case.
    Raises the refusals of `intake.locate`.
    """
    at = locate(then, pin.lon, pin.lat, pin.datum, pin.accuracy_m)
    weighed = then.weigh(at.lon, at.lat, at.accuracy_m, at.place, case.matter)
    at = replace(
        at, notes=("relocated", *at.notes), facts={**at.facts, "moved_m": _metres(case.lon, case.lat, at.lon, at.lat)}
    )
    given = {"lon": pin.lon, "lat": pin.lat, "datum": at.datum.value}
    return _again(then, today, fleet, transition, case, before, at, weighed, given, busy, now)


def settle(
    then: Ground,
    today: Ground,
    fleet: Fleet,
    transition: Transition,
    case: CaseRow,
    before: Mapping[str, Any],
    team: str,
    busy: frozenset[str],
    now: datetime,
) -> tuple[CaseRow, dict[str, object]]:
    """As `relocate`, where somebody says whose part of its circle is meant, and nobody where exactly.

    The circle stays the one that was reported; the case is shown where that part is nearest to its middle. Raises
    `UnknownOutcome` where no part of it is the team's.
    """
    middle = before.get("circle") or {"lon": case.lon, "lat": case.lat}
    found = then.settle(middle["lon"], middle["lat"], case.accuracy_m, case.matter, team)
    if found is None:
        raise UnknownOutcome({"field": "settles"}, case=case.case_no, team=team)
    weighed, (lon, lat) = found
    facts: dict[str, float | str] = {"moved_m": _metres(middle["lon"], middle["lat"], lon, lat)}
    at = Located(lon, lat, case.accuracy_m, Datum.WGS84, then.locator.at(lon, lat), (), facts)
    return _again(then, today, fleet, transition, case, before, at, weighed, {"settles": team}, busy, now)


def _again(
    then: Ground,
    today: Ground,
    fleet: Fleet,
    transition: Transition,
    case: CaseRow,
    before: Mapping[str, Any],
    at: Located,
    weighed: Weighed,
    given: Mapping[str, object],
    busy: frozenset[str],
    now: datetime,
) -> tuple[CaseRow, dict[str, object]]:
    """The case as it is decided at `at`; given: what somebody said of its place."""
    named = weighed.ruling.team
    stays = case.state in HOLDS_UNIT and named in (case.team, before["team"])
    team = case.team if stays else named
    held = case.state is State.TRIAGE
    others = busy - {case.unit} if case.unit and case.state in HOLDS_UNIT else busy
    by_hand = team != named
    to = weighed.towards(team, (at.lon, at.lat))
    decision = routing.decide(
        version=then.district.version,
        ruling=weighed.ruling,
        place=at.place,
        candidates=today.candidates(team, *to, fleet, now, others, (stays and case.unit) or "", case.matter),
        busy=others,
        notes=(*at.notes, *(["stays_reassigned"] if by_hand else [])),
        facts=at.facts,
        weighed=weighed,
        on_it=case.unit if stays else None,
        held=held,
        watch=today.district.rota.watch(team, now),
    )
    there = stays and case.state is State.ON_SCENE
    unit = case.unit if there else decision.unit
    moved = replace(
        placed_at(case, at, decision),
        state=transition.target if stays or held else State.ASSIGNED,
        team=team,
        unit=unit,
        eta_s=None if decision.eta_s is None else int(decision.eta_s),
        mode=case.mode if there else today.district.units[unit].mode if unit else None,
    )
    return moved, {
        "given": given,
        **placing(moved),
        "decision": routing.as_json(decision),
        "was": {**placing(case), "decision": before},
    }


def _metres(lon: float, lat: float, to_lon: float, to_lat: float) -> int:
    metres: float = _GEOD.inv(lon, lat, to_lon, to_lat)[2]
    return round(metres)
