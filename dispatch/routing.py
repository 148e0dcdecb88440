"""Who is responsible for a report, and which unit goes: a pure function of what was gathered."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dispatch.competence import Place, Ruling
from dispatch.model import Decision, Unit, UnitVerdict, ZoneRef
from geo.travel import Leg


@dataclass(frozen=True, slots=True)
class Candidate:
    """A unit with how it would get there (None: it cannot)."""

    unit: Unit
    leg: Leg | None


def rank(candidates: Sequence[Candidate], busy: Collection[str]) -> tuple[UnitVerdict, ...]:
    """Every candidate judged: the first is the one to send, if its `chosen` is true.

    Nearest by travel time wins among the free; ties go to the lower code, so that the same facts always give the
    same answer.
    """

    def order(candidate: Candidate) -> tuple[bool, float, str]:
        seconds = candidate.leg.seconds if candidate.leg else float("inf")
        return (candidate.leg is None or candidate.unit.code in busy, seconds, candidate.unit.code)

    verdicts = []
    for place, candidate in enumerate(sorted(candidates, key=order)):
        leg, code = candidate.leg, candidate.unit.code
        chosen = place == 0 and leg is not None and code not in busy
        verdicts.append(
            UnitVerdict(
                unit=code,
                mode=candidate.unit.mode,
                eta_s=round(leg.seconds) if leg else None,
                distance_m=round(leg.metres) if leg else None,
                chosen=chosen,
                reason="nearest" if chosen else "unreachable" if leg is None else "busy" if code in busy else "farther",
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
) -> Decision:
    """The decision for one report.

    ruling: the row of the table that won here; place: the zones that hold the report; candidates: the responsible
    team's units with their way there; busy: codes of units that are on a case.
    """
    units = rank(candidates, busy)
    sent = units[0] if units and units[0].chosen else None
    why_none = [] if sent else ["no_unit_free" if any(u.reason == "busy" for u in units) else "no_unit_can_reach"]
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
        notes=(*notes, *why_none),
        facts=dict(facts or {}),
    )


def as_json(decision: Decision) -> dict[str, Any]:
    """A decision as it is stored, sealed and served: plain values under the names of its fields."""
    return {
        "version": decision.version,
        "rule": decision.rule,
        "team": decision.team,
        "unit": decision.unit,
        "eta_s": decision.eta_s,
        "distance_m": decision.distance_m,
        "mode": decision.mode,
        "zones": [{"layer": zone.layer, "code": zone.code, "name": zone.name} for zone in decision.zones],
        "rules": [
            {"rule": row.rule, "team": row.team, "chosen": row.chosen, "reason": row.reason} for row in decision.rules
        ],
        "units": [
            {
                "unit": row.unit,
                "mode": row.mode,
                "eta_s": row.eta_s,
                "distance_m": row.distance_m,
                "chosen": row.chosen,
                "reason": row.reason,
            }
            for row in decision.units
        ],
        "notes": list(decision.notes),
        "facts": dict(decision.facts),
    }
