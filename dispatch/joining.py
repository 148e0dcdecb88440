"""A report whose sender says that it is the same as an open case: opened and merged into that, in one go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import UUID, uuid5

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dispatch import duplicates, errors, routing
from dispatch.district import District
from dispatch.duplicates import Sighting
from dispatch.ground import Ground
from dispatch.intake import Placed
from dispatch.model import Action, CaseRow
from dispatch.opening import opening, timing_of
from dispatch.orders import Order
from dispatch.outcomes import Weighed
from dispatch.steps import decide_merger
from dispatch.store import duplicates as store
from dispatch.store import moves
from dispatch.store.engine import connect

_JOINS: Final = UUID("0b0f4f0a-3d8e-4a53-8a51-5c7d1b6e9f27")
"""For the id of the merger, which follows from the report's."""
SAID: Final = "上报人确认为同一件 / the reporter says it is the same"
JOINS: Final = "joins"
"""Of a decision's notes."""


async def join(
    engine: AsyncEngine, ground: Ground, placed: Placed, weighed: Weighed, case: str, enacted: int
) -> tuple[CaseRow, Mapping[str, Any]] | None:
    """The case of a report as it was merged into `case`, or into what that was merged into; and its decision.

    None, and nothing written: that is over by now, or not within reach of the report. Then it opens a case as any does.
    enacted: the last enactment that was known when the ground was chosen. Raises `AnotherEdition`, `AlreadyThere`,
    `DatabaseUnavailable`.
    """
    # Nobody is sent: who is on the leading case sees to it.
    decision = routing.decide(
        version=ground.district.version,
        ruling=weighed.ruling,
        place=placed.place,
        candidates=(),
        busy=(),
        notes=placed.notes,
        facts=placed.facts,
        weighed=weighed,
        held=True,
    )
    decision = replace(decision, notes=tuple(JOINS if note == "held" else note for note in decision.notes))
    decided = routing.as_json(decision)
    report = placed.report
    async with connect(engine) as connection, store.as_one(connection):
        lead = await store.lock_open_lead(connection, case)
        if lead is None or not await _within_reach(connection, ground.district, placed, lead):
            return None
        [number] = await moves.take_numbers(connection, 1)
        opened, entry = opening(ground, placed, decision, decided, number, held=True)
        order = Order(
            id=uuid5(_JOINS, str(report.id)),
            case_no=opened.case_no,
            action=Action.MERGE,
            actor=report.source.value,
            note=SAID,
            into=lead.case_no,
        )
        timing = timing_of(ground.district, report.matter)
        moved, merged, joined, told = decide_merger(order, opened, lead, timing, report.received_at)
        assumed = moves.Assumed(frozenset(), frozenset(), enacted)
        if await moves.open_cases(connection, [moves.Opening(report, opened, entry)], assumed) is not None:
            raise moves.AnotherEdition
        if not await moves.merge_case(connection, moved, merged, joined, told):
            raise errors.DatabaseUnavailable  # it is locked: nobody can have moved it
    return moved, decided


async def _within_reach(connection: AsyncConnection, district: District, placed: Placed, lead: CaseRow) -> bool:
    sighting = sighting_of(placed, district)
    [known] = await store.open_near(connection, [sighting], district.sameness, names_of(district))
    those = (one.sighting for one in known if one.case == lead.case_no)
    return any(duplicates.within(sighting, one, district.sameness) for one in those)


def sighting_of(placed: Placed, district: District) -> Sighting:
    """What a report, or a draft of one, saw."""
    report = placed.report
    return Sighting(
        lon=report.lon,
        lat=report.lat,
        accuracy_m=report.accuracy_m,
        seen_at=report.seen_at,
        matter=report.matter,
        words=duplicates.words_of(report.text, names_of(district)(report.matter)),
        numbers=duplicates.numbers_of(report.text),
        photos=frozenset(report.photos),
        moved_m=float(placed.facts.get("snapped_m", 0.0)),
    )


def names_of(district: District) -> Callable[[str], str]:
    """The name of a matter or class; empty: there is none."""

    def named(code: str) -> str:
        found = district.matters.get(code) or district.classes.get(code)
        return found.name if found else ""

    return named
