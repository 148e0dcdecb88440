"""Values as the interface shows them: plain JSON, no personal data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from fastapi import Response

from dispatch import enforcement, lifecycle
from dispatch.audit import Recorded
from dispatch.district import District
from dispatch.enforcement import Step
from dispatch.fleet import Stand
from dispatch.lifecycle import Transition
from dispatch.model import Action, CaseRow, Matter, Report, Team, Unit
from dispatch.reception import Received
from dispatch.store.record import Told


def json_answer(value: object, status: int = 200) -> Response:
    """A response of plain values."""
    return Response(orjson.dumps(value), status, media_type="application/json")


def moment(at: datetime) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def case_view(case: CaseRow, district: District) -> dict[str, Any]:
    """A case for lists, map and stream."""
    matter = district.matters.get(case.matter) or district.classes.get(case.matter)
    return {
        "case": case.case_no,
        "state": case.state.value,
        "matter": case.matter,
        "matter_name": matter.name if matter else case.matter,
        "matter_name_en": matter.name_en if matter else case.matter,
        "urgency": case.urgency,
        "team": case.team,
        "unit": case.unit,
        "lon": case.lon,
        "lat": case.lat,
        "accuracy_m": case.accuracy_m,
        "source": case.source.value,
        "text": case.text,
        "township": case.township,
        "grid": case.grid,
        "zones": case.zones,
        "seen_at": moment(case.seen_at),
        "received_at": moment(case.received_at),
        "changed_at": moment(case.changed_at),
        "due_at": moment(case.due_at),
        "eta_s": case.eta_s,
        "mode": case.mode.value if case.mode else None,
        "seq": case.seq,
        "photos": list(case.photos),
        "notes": list(case.notes),
        "level": case.level,
        "stage": case.stage.value if case.stage else None,
        "merged_into": case.merged_into,
        "suspended_until": case.suspended_until.isoformat() if case.suspended_until else None,
    }


def decision_view(decision: Mapping[str, Any], district: District) -> dict[str, Any]:
    """A decision as it was stored, candidates of both kinds in one list, the teams of its outcomes with their names."""
    return {
        "version": decision["version"],
        "rule": decision["rule"],
        "zones": decision["zones"],
        "candidates": [
            *(
                {"kind": "rule", "code": v["rule"], "team": v["team"], "chosen": v["chosen"], "reason": v["reason"]}
                for v in decision["rules"]
            ),
            *(
                {
                    "kind": "unit",
                    "code": v["unit"],
                    "mode": v["mode"],
                    "eta_s": v["eta_s"],
                    "distance_m": v["distance_m"],
                    "chosen": v["chosen"],
                    "reason": v["reason"],
                    "seen_s": v.get("seen_s"),
                }
                for v in decision["units"]
            ),
        ],
        "notes": decision["notes"],
        "facts": decision["facts"],
        "radius_m": decision.get("radius_m"),
        "kinds": decision.get("kinds", 1),
        "outcomes": [_outcome(one, district) for one in decision.get("outcomes", ())],
        "target": decision.get("target"),
        "circle": decision.get("circle"),
    }


def _outcome(outcome: Mapping[str, Any], district: District) -> dict[str, Any]:
    """With the names that a page needs without a network."""
    team = district.teams.get(outcome["team"])
    names = {
        (layer, zone.code): zone.name_en
        for layer in {zone["layer"] for zone in outcome["zones"]} & district.layers.keys()
        for zone in district.layers[layer].zones
    }
    return {
        **outcome,
        "team_name": team.name if team else outcome["team"],
        "team_name_en": team.name_en if team else outcome["team"],
        "zones": [{**one, "name_en": names.get((one["layer"], one["code"]), "")} for one in outcome["zones"]],
    }


def received_view(received: Received, deciding: District, in_force: District) -> dict[str, Any]:
    """The answer to a report: names as they are now, or as they were in the edition that decided."""
    case = received.case
    team = in_force.teams.get(case.team) or deciding.teams.get(case.team)
    unit = (in_force.units.get(case.unit) or deciding.units.get(case.unit)) if case.unit else None
    return {
        "case": case.case_no,
        "report": str(case.report_id),
        "state": case.state.value,
        "known": received.known,
        "filled": list(received.filled),
        "team": team_name(team) if team else {"code": case.team, "name": case.team, "name_en": case.team, "kind": None},
        "unit": None
        if unit is None
        else {
            **unit_name(unit),
            "eta_s": case.eta_s,
            "distance_m": _distance(case, received.decision),
        },
        "decision": decision_view(received.decision, deciding),
    }


def _distance(case: CaseRow, decision: Mapping[str, Any]) -> float | None:
    """Metres to go for the unit that is on the case, where the decision knew it."""
    return next((v["distance_m"] for v in decision["units"] if v["unit"] == case.unit), None)


def team_name(team: Team) -> dict[str, Any]:
    """A team as it is named."""
    return {"code": team.code, "name": team.name, "name_en": team.name_en, "kind": team.kind.value}


def unit_name(unit: Unit) -> dict[str, Any]:
    """A unit as it is named."""
    return {
        "code": unit.code,
        "name": unit.name,
        "name_en": unit.name_en,
        "team": unit.team,
        "mode": unit.mode.value,
        "base": unit.base,
    }


def team_view(team: Team, district: District, open_cases: Mapping[str, int], now: datetime) -> dict[str, Any]:
    """A team for the lists."""
    base, count = district.bases[team.base], open_cases.get(team.code, 0)
    return {
        **team_name(team),
        "base": {"code": base.code, "name": base.name, "lon": base.lon, "lat": base.lat},
        "open": count,
        "max_open": team.max_open,
        "over_load": district.rota.over_load(team.code, count),
        "stand_in": list(district.rota.watch(team.code, now).stand_in),
    }


def unit_view(stand: Stand, on_case: Mapping[str, str], on_duty: bool) -> dict[str, Any]:
    """A unit for the lists and the map."""
    unit = stand.unit
    where = {name: value for name, value in stand_view(stand).items() if name != "unit"}
    return {**unit_name(unit), "crew": unit.crew, **where, "on_duty": on_duty, "case": on_case.get(unit.code)}


def stand_view(stand: Stand) -> dict[str, Any]:
    """Where a unit is counted from: a fresh position of its own, or its base."""
    return {
        "unit": stand.unit.code,
        "lon": round(stand.lon, 6),
        "lat": round(stand.lat, 6),
        "seen_at": moment(stand.seen_at) if stand.seen_at else None,
        "on_shift": stand.on_shift,
    }


def matter_view(matter: Matter, district: District) -> dict[str, Any]:
    """A matter for the list."""
    return {
        "code": matter.code,
        "class": matter.matter_class,
        "name": matter.name,
        "name_en": matter.name_en,
        "department": matter.department,
        "department_name": district.departments[matter.department].name,
        "urgency": matter.urgency,
        "limit": matter.limit,
        "limit_unit": matter.limit_unit.value,
        "on_water": matter.on_water,
        "legal_basis": matter.legal_basis,
    }


def report_view(report: Report) -> dict[str, Any]:
    """A report without who sent it."""
    return {
        "id": str(report.id),
        "given_lon": report.given_lon,
        "given_lat": report.given_lat,
        "datum": report.datum.value,
        "accuracy_m": report.accuracy_m,
        "seen_at": moment(report.seen_at),
        "received_at": moment(report.received_at),
        "source": report.source.value,
        "matter": report.matter,
        "text": report.text,
        "photos": list(report.photos),
        "has_contact": bool(report.contact),
    }


def _was(before: Any) -> dict[str, Any] | None:
    """Where a case lay, and which row and team that led to, before its place was corrected."""
    if not before:
        return None
    return {**before["place"], "rule": before["decision"]["rule"], "team": before["decision"]["team"]}


DETAILS: Final = (
    "role",
    "reason",
    "whose",
    "sides",
    "side",
    "ruling",
    "into",
    "joined",
    "evidence",
    "procedure",
    "units",
    "despite",
)
"""What only some events tell."""


def event_view(recorded: Recorded) -> dict[str, Any]:
    """One line of a case's history."""
    event = recorded.event
    return {
        "id": event.id,
        "seq": event.seq,
        "at": moment(event.at),
        "action": event.action,
        "actor": event.actor,
        "note": event.data.get("note", ""),
        "after": event.data["after"],
        "photos": event.data.get("photos", []),
        "place": event.data.get("place"),
        "was": _was(event.data.get("was")),
        "details": {name: event.data[name] for name in DETAILS if name in event.data},
        "sealed": recorded.sealed.hex(),
        "prev": event.prev.hex(),
    }


def actions_view(case: CaseRow) -> list[dict[str, Any]]:
    """What may be done now, by whom, needing what."""
    barred = enforcement.BARRED if enforcement.is_open(case.stage) else frozenset[Action]()
    rows: list[Transition | Step] = [row for row in lifecycle.allowed(case.state) if row.action not in barred]
    rows += enforcement.allowed(case)
    return [{"action": t.action.value, "by": sorted(role.value for role in t.by), "needs": list(t.needs)} for t in rows]


def told_view(told: Told, district: District) -> dict[str, Any]:
    """An event for the live stream."""
    return {
        "event": told.event_id,
        "case": case_view(told.case, district),
        "seq": told.seq,
        "action": told.action,
        "at": moment(told.at),
        "actor": told.actor,
        "note": told.note,
    }
