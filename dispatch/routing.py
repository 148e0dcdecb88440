"""Who is responsible for a report, and which unit goes: a pure function of what was gathered."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dispatch.competence import Place, Ruling
from dispatch.model import Decision, Outcome, Unit, UnitVerdict, ZoneRef
from dispatch.outcomes import Weighed
from dispatch.rota import Watch
from geo.travel import Leg


@dataclass(frozen=True, slots=True)
class Candidate:
    """A unit with how it would get there (None: it cannot)."""

    unit: Unit
    leg: Leg | None
    seen_s: int | None = None
    """The way is from where the unit was so many seconds ago; None: from its base."""
    on_shift: bool = True
    """It did not say itself that it is off shift."""
    on_duty: bool = True
    """By the shifts of its team."""
    able: bool = True
    """It has the skill that the matter asks for."""

    @property
    def unfit(self) -> str:
        """Why it would not be sent, free or not: what does not pass first. Empty: it would."""
        if not self.able:
            return "unskilled"
        return "off_shift" if not self.on_shift else "" if self.on_duty else "off_duty"


def hindrance(candidate: Candidate, busy: Collection[str], on_it: str | None = None) -> str:
    """Why a candidate may not go, as a code; empty: it may. `on_it`: as of `rank`."""
    if candidate.leg is None:
        return "unreachable"
    if candidate.unit.code == on_it:
        return ""
    return candidate.unfit or ("busy" if candidate.unit.code in busy else "")


def rank(candidates: Sequence[Candidate], busy: Collection[str], on_it: str | None = None) -> tuple[UnitVerdict, ...]:
    """Every candidate judged: the first is the one to send, if its `chosen` is true.

    Nearest by travel time wins among the free; ties go to the lower code, so that the same facts always give the
    same answer. `on_it`: the unit that is on the case already, and goes on with it if it can get there.
    """

    def order(judged: tuple[Candidate, str]) -> tuple[bool, bool, float, str]:
        candidate, hindered = judged
        seconds, code = candidate.leg.seconds if candidate.leg else float("inf"), candidate.unit.code
        return (hindered != "", code != on_it, seconds, code)

    judged = [(candidate, hindrance(candidate, busy, on_it)) for candidate in candidates]
    verdicts = []
    for place, (candidate, hindered) in enumerate(sorted(judged, key=order)):
        leg, code = candidate.leg, candidate.unit.code
        chosen = place == 0 and not hindered
        verdicts.append(
            UnitVerdict(
                unit=code,
                mode=candidate.unit.mode,
                eta_s=round(leg.seconds) if leg else None,
                distance_m=round(leg.metres) if leg else None,
                chosen=chosen,
                reason=hindered or ("farther" if not chosen else "on_it" if code == on_it else "nearest"),
                seen_s=candidate.seen_s,
            )
        )
    return tuple(verdicts)


def decide(
    *,
    version: str,
    ruling: Ruling,
    place: Place,
    candidates: Sequence[Candidate],
    busy: Collection[str],
    notes: Sequence[str] = (),
    facts: Mapping[str, float | str] | None = None,
    weighed: Weighed | None = None,
    on_it: str | None = None,
    held: bool = False,
    watch: Watch | None = None,
) -> Decision:
    """The decision for one report.

    ruling: the row of the table that won here; place: the zones that hold the report; candidates: the responsible
    team's units with their way there, and those of who stands in for it; busy: codes of units that are on a case;
    weighed: what the circle that the position is came to, and where `ruling` is from; on_it: the unit that stays on the
    case if it can; held: nobody is sent yet, because somebody looks at the report first; watch: who goes for the team
    that has the case (None: nobody asks who is on duty).
    """
    units = () if held else rank(candidates, busy, on_it)
    sent = units[0] if units and units[0].chosen else None
    why_none = [] if sent else ["held" if held else _why_none(units)]
    on_duty: dict[str, str] = {}
    if watch and watch.stand_in and not held:
        theirs = {one.unit.code for one in candidates if one.unit.team == watch.team}
        if sent is None or sent.unit not in theirs:
            why_none = ["stand_in", *why_none]
            on_duty["stand_in"] = "|".join(watch.stand_in)
    if watch and watch.next_crew_at and "off_duty" in why_none:
        on_duty["next_crew_at"] = watch.next_crew_at.isoformat()
    return Decision(
        version=version,
        rule=ruling.rule.code,
        team=ruling.team,
        unit=sent.unit if sent else None,
        eta_s=sent.eta_s if sent else None,
        distance_m=sent.distance_m if sent else None,
        mode=sent.mode if sent else None,
        zones=tuple(ZoneRef(layer, zone.code, zone.name) for layer, zones in place.items() for zone in zones),
        rules=ruling.verdicts,
        units=units,
        notes=(*notes, *(weighed.notes if weighed else ()), *why_none),
        facts={**(facts or {}), **(weighed.facts if weighed else {}), **on_duty},
        radius_m=weighed.radius_m if weighed else None,
        kinds=weighed.kinds if weighed else 1,
        outcomes=weighed.outcomes if weighed else (),
        target=weighed.target if weighed else None,
        circle=weighed.circle if weighed else None,
    )


def _why_none(units: Sequence[UnitVerdict]) -> str:
    """What keeps a case waiting: that which passes soonest."""
    reasons = {unit.reason for unit in units}
    if reasons & {"busy", "off_shift"}:
        return "no_unit_free"
    return "off_duty" if "off_duty" in reasons else "no_unit_able" if "unskilled" in reasons else "no_unit_can_reach"


def as_json(decision: Decision) -> dict[str, Any]:
    """A decision as it is stored, sealed and served: plain values under the names of its fields.

    `target` and `circle` only where they are not the place itself.
    """
    points = {"target": decision.target, "circle": decision.circle}
    return {
        "version": decision.version,
        "rule": decision.rule,
        "team": decision.team,
        "unit": decision.unit,
        "eta_s": decision.eta_s,
        "distance_m": decision.distance_m,
        "mode": decision.mode,
        "zones": _zones(decision.zones),
        "rules": [
            {"rule": row.rule, "team": row.team, "chosen": row.chosen, "reason": row.reason} for row in decision.rules
        ],
        "units": units_as_json(decision.units),
        "notes": list(decision.notes),
        "facts": dict(decision.facts),
        "radius_m": decision.radius_m,
        "kinds": decision.kinds,
        "outcomes": [_outcome(one) for one in decision.outcomes],
        **{name: {"lon": at[0], "lat": at[1]} for name, at in points.items() if at},
    }


def units_as_json(units: Sequence[UnitVerdict]) -> list[dict[str, Any]]:
    """Units that were weighed, as they stand in a decision."""
    return [
        {
            "unit": row.unit,
            "mode": row.mode,
            "eta_s": row.eta_s,
            "distance_m": row.distance_m,
            "chosen": row.chosen,
            "reason": row.reason,
            "seen_s": row.seen_s,
        }
        for row in units
    ]


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "team": outcome.team,
        "rule": outcome.rule,
        "share": outcome.share,
        "lon": outcome.lon,
        "lat": outcome.lat,
        "clear_m": outcome.clear_m,
        "zones": _zones(outcome.zones),
    }


def _zones(zones: Sequence[ZoneRef]) -> list[dict[str, str]]:
    return [{"layer": zone.layer, "code": zone.code, "name": zone.name} for zone in zones]
