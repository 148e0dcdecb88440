"""The case that a report opens, and the event that opens it: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from dispatch import deadlines
from dispatch.audit import GENESIS, Entry, Event, digest, enter, instant
from dispatch.competence import Place
from dispatch.district import District
from dispatch.ground import Ground
from dispatch.intake import Located, Placed, digest_fields
from dispatch.model import Action, CaseRow, Decision, Limit, Matter, MatterClass, Report, State
from dispatch.timing import Timing


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
    # Held until somebody looked, it is not dispatched: its clock starts with `assign`.
    clock = None if state is State.TRIAGE else deadlines.started(limit, report.received_at, rules)
    due_at, kept = (clock.due_at, deadlines.as_data(clock)) if clock else (None, None)
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
                **({"clock": kept} if kept else {}),
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
        notes=decision.notes,
        accuracy_m=report.accuracy_m,
        source=report.source,
        text=report.text,
        photos=report.photos,
        clock=kept,
        # From then on it may go up a level, which the overseer sees when it looks: to count when costs every report.
        next_at=due_at,
        source_ref=report.source_ref,
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
        notes=decision.notes,
    )


def placing(case: CaseRow) -> dict[str, object]:
    """What an event that says where a case lies says of it."""
    return {
        "place": {"lon": case.lon, "lat": case.lat, "accuracy_m": case.accuracy_m},
        "case": {"matter": case.matter, "urgency": case.urgency, "township": case.township, "grid": case.grid},
    }


def report_digest(report: Report) -> str:
    """SHA-256 over the canonical form of the report as it came, hexadecimal."""
    return digest(digest_fields(report))


def limits(matter: Matter | MatterClass, rules: deadlines.Rules) -> tuple[int, Limit]:
    """Urgency, and the limit from assignment to handled."""
    if isinstance(matter, Matter):
        return matter.urgency, Limit(matter.limit, matter.limit_unit)
    return deadlines.ORDINARY, rules.class_limit()


def timing_of(district: District, matter: str) -> Timing:
    """What the clock of a case of that matter goes by; of one that the edition does not know, as of a class."""
    known = district.matters.get(matter)
    limit = limits(known, district.deadlines)[1] if known else district.deadlines.class_limit()
    return Timing(district.deadlines, limit)


def _codes(place: Place) -> dict[str, list[str]]:
    return {layer: [zone.code for zone in held] for layer, held in place.items() if held and layer != "district"}


def _lowest(zones: Sequence[Any]) -> str | None:
    return zones[0].code if zones else None


def after(
    state: str,
    team: str,
    unit: str | None,
    due_at: datetime | None,
    level: int = 0,
    stage: str | None = None,
    merged_into: str | None = None,
    suspended_until: date | None = None,
    suspended_from: str | None = None,
) -> dict[str, object]:
    """What every event says of the case it leaves behind.

    What is not so is not named: cases from before it could be so say the same of themselves.
    """
    said: dict[str, object] = {"state": str(state), "team": team, "unit": unit, "due_at": due_at and instant(due_at)}
    if level:
        said["level"] = level
    if stage:
        said["stage"] = str(stage)
    if merged_into:
        said["merged_into"] = merged_into
    if suspended_until:
        said["suspended_until"] = suspended_until.isoformat()
    if suspended_from:
        said["suspended_from"] = str(suspended_from)
    return said
