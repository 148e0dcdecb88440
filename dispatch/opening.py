"""The case that a report opens, and the event that opens it: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from dispatch import deadlines
from dispatch.audit import GENESIS, Entry, Event, canonical_json, enter, instant
from dispatch.competence import Place
from dispatch.ground import Ground
from dispatch.intake import Located, Placed, digest_fields
from dispatch.model import Action, CaseRow, Decision, Limit, Matter, MatterClass, Report, Stage, State


def opening(
    ground: Ground,
    placed: Placed,
    decision: Decision,
    decided: Mapping[str, Any],
    number: int,
    *,
    held: bool = False,
) -> tuple[CaseRow, Entry]:
    """The case as it is opened, and the event that opens it; held: nobody is sent, whatever its source."""
    report, zones = placed.report, placed.place
    state = State.TRIAGE if held or ground.looks_first(report.source) else State.ASSIGNED
    rules = ground.district.deadlines
    urgency, limit = limits(ground.matter(report.matter), rules)
    day = report.received_at.astimezone(ground.zone_info).strftime("%Y%m%d")
    case_no = f"{ground.district.code}{day}{number:06d}"
    clock = deadlines.started(limit, report.received_at, rules)
    due_at, assumed = clock.due_at, {"calendar_assumed": list(clock.assumed)} if clock.assumed else {}
    township, grid = _lowest(zones.get("township", ())), _lowest(zones.get("grid", ()))
    entry = enter(
        Event(
            id=str(report.id),
            case=case_no,
            seq=1,
            at=report.received_at,
            action=Action.REPORT.value,
            actor=report.source.value,
            data={
                "report_digest": report_digest(report),
                "place": {"lon": report.lon, "lat": report.lat, "accuracy_m": report.accuracy_m},
                "decision": decided,
                "case": {"matter": report.matter, "urgency": urgency, "township": township, "grid": grid},
                **assumed,
                "after": after(state, decision.team, decision.unit, due_at),
            },
            prev=GENESIS,
        )
    )
    case = CaseRow(
        case_no=case_no,
        report_id=report.id,
        state=state,
        seq=1,
        sealed=entry.sealed,
        matter=report.matter,
        urgency=urgency,
        team=decision.team,
        unit=decision.unit,
        eta_s=None if decision.eta_s is None else int(decision.eta_s),
        mode=decision.mode,
        lon=report.lon,
        lat=report.lat,
        township=township,
        grid=grid,
        zones=_codes(zones),
        seen_at=report.seen_at,
        received_at=report.received_at,
        changed_at=report.received_at,
        due_at=due_at,
        notes=(*decision.notes, *assumed),
        accuracy_m=report.accuracy_m,
        source=report.source,
        text=report.text,
        photos=report.photos,
    )
    return case, entry


def placed_at(case: CaseRow, at: Located, decision: Decision) -> CaseRow:
    """The case where its place was corrected to, with the notes of the decision from there."""
    return replace(
        case,
        lon=at.lon,
        lat=at.lat,
        accuracy_m=at.accuracy_m,
        township=_lowest(at.place.get("township", ())),
        grid=_lowest(at.place.get("grid", ())),
        zones=_codes(at.place),
        notes=(*decision.notes, *(note for note in case.notes if note == "calendar_assumed")),
    )


def placing(case: CaseRow) -> dict[str, object]:
    """What an event that says where a case lies says of it."""
    return {
        "place": {"lon": case.lon, "lat": case.lat, "accuracy_m": case.accuracy_m},
        "case": {"matter": case.matter, "urgency": case.urgency, "township": case.township, "grid": case.grid},
    }


def report_digest(report: Report) -> str:
    """SHA-256 over the canonical form of the report as it came, hexadecimal."""
    return sha256(canonical_json(digest_fields(report))).hexdigest()


def limits(matter: Matter | MatterClass, rules: deadlines.Rules) -> tuple[int, Limit]:
    """Urgency, and the limit from assignment to handled."""
    if isinstance(matter, Matter):
        return matter.urgency, Limit(matter.limit, matter.limit_unit)
    return deadlines.ORDINARY, rules.class_limit()


def _codes(place: Place) -> dict[str, list[str]]:
    return {layer: [zone.code for zone in held] for layer, held in place.items() if held and layer != "district"}


def _lowest(zones: Sequence[Any]) -> str | None:
    return zones[0].code if zones else None


def after(
    state: State,
    team: str,
    unit: str | None,
    due_at: datetime,
    level: int = 0,
    stage: Stage | None = None,
    merged_into: str | None = None,
    suspended_until: date | None = None,
    suspended_from: State | None = None,
) -> dict[str, object]:
    """What every event says of the case it leaves behind.

    What is not so is not named: cases from before it could be so say the same of themselves.
    """
    more = {
        "level": level,
        "stage": stage and stage.value,
        "merged_into": merged_into,
        "suspended_until": suspended_until and suspended_until.isoformat(),
        "suspended_from": suspended_from and suspended_from.value,
    }
    said = {"state": state.value, "team": team, "unit": unit, "due_at": instant(due_at)}
    return said | {name: value for name, value in more.items() if value}
