"""Takes reports in: decides each, and writes those together that came while the last ones were being written.

Under load a report would otherwise wait for a round trip, a commit and a journey through the driver of its own. Nobody
waits for company: a report that comes alone is written alone, at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dispatch import errors, routing
from dispatch.editions import Editions
from dispatch.enactment import seen
from dispatch.fleet import Fleet
from dispatch.ground import Ground
from dispatch.intake import Draft, Placed, place, same_content
from dispatch.model import CaseRow
from dispatch.opening import opening
from dispatch.outcomes import Weighed
from dispatch.rota import Watch
from dispatch.routing import Candidate
from dispatch.store import cases, moves
from dispatch.store.engine import connect

log = logging.getLogger(__name__)

COUNT_EVERY_S: Final = 30.0
"""How old a count of a team's open cases can be."""
TOGETHER: Final = 64
"""Most reports of one group, and how many case numbers a worker sets aside; those left when it stops are never used."""


@dataclass(frozen=True, slots=True)
class Received:
    """What the client is told of its report."""

    case: CaseRow
    decision: Mapping[str, Any]
    known: bool
    """The report had come before; nothing was written."""
    filled: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Gathered:
    """Who may be sent."""

    watch: Watch
    candidates: list[Candidate]
    passed: frozenset[str]
    """Those of a large team who were believed to be on a case: of the others, the nearest are the candidates."""
    is_all: bool
    """Nobody who may go for the team was left out."""
    load: Mapping[str, float]
    """`open_cases` and `max_open` of a team that has more than it should."""

    def holds(self, busy: Collection[str]) -> bool:
        """Whether the same would be gathered with these on a case."""
        return all(code in busy for code in self.passed) and not any(
            one.unit.code in busy and one.unit.code not in self.passed for one in self.candidates
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """A report of which all is known but who is busy."""

    draft: Draft
    ground: Ground
    """By which it is decided."""
    today: Ground
    """Of the edition that holds now: its units are sent."""
    enacted: int
    """The last enactment that was known when the ground was chosen."""
    placed: Placed
    weighed: Weighed
    gathered: _Gathered
    answer: asyncio.Future[Received | None]
    """None: its id is there already, and nothing was written."""

    @property
    def id(self) -> UUID:
        return self.placed.report.id


class _NewEdition(Exception):
    """Another edition was enacted than those that were known when the report was decided."""


class Reception:
    """One per worker.

    It remembers from one report to the next which units are busy, to save a read: that is believed, and checked by the
    write.
    """

    def __init__(self, engine: AsyncEngine, editions: Editions, fleet: Fleet, max_age_days: int) -> None:
        self._engine, self._editions, self._fleet, self._max_age_days = engine, editions, fleet, max_age_days
        self._busy: frozenset[str] = frozenset()
        self._open: Mapping[str, int] = {}
        self._numbers: deque[int] = deque()
        self._waiting: deque[_Waiting] = deque()
        self._writing: asyncio.Task[None] | None = None

    async def receive(self, draft: Draft, now: datetime) -> Received:
        """A report becomes a case, once; it is committed when this returns.

        Raises the refusals of `intake.place`, `UnknownPhoto`, `ReportConflicts`, `DatabaseUnavailable`.
        """
        report_id = draft.id or uuid4()
        for _ in range(moves.TRIES):
            enacted = self._editions.number
            try:
                return await self._decided(draft, report_id, now, enacted)
            except _NewEdition:
                await self._editions.catch_up(enacted)
            except errors.DatabaseUnavailable:
                raise
            except errors.DomainError:
                # A refusal writes nothing by which it would come out that another edition may take it.
                if not await self._editions.superseded(enacted):
                    raise
        raise errors.DatabaseUnavailable

    async def keep_count(self) -> None:
        """Until cancelled: count the teams' open cases now and then, so that no report has to."""
        while True:
            try:
                await self.count()
            except (errors.DatabaseUnavailable, SQLAlchemyError) as error:
                log.warning("the open cases could not be counted: %s", error)
            await asyncio.sleep(COUNT_EVERY_S)

    async def count(self) -> None:
        """Count them. Raises `DatabaseUnavailable`."""
        async with connect(self._engine) as connection:
            self._open = await cases.open_cases_by_team(connection)

    async def _decided(self, draft: Draft, report_id: UUID, now: datetime, enacted: int) -> Received:
        """Raises `_NewEdition` when another edition was enacted before the case was written."""
        ground, today = await self._editions.at(seen(draft.seen_at, now)), await self._editions.at(now)
        try:
            placed = place(ground, draft, report_id, now, self._max_age_days)
        except errors.DomainError:
            if draft.id:
                async with connect(self._engine) as connection:
                    if await moves.known(connection, [report_id]):
                        return await _as_known(connection, report_id, draft)
            raise
        if draft.photos:
            async with connect(self._engine) as connection:
                await moves.photos_are_here(connection, draft.photos)
        report = placed.report
        weighed = ground.weigh(report.lon, report.lat, report.accuracy_m, placed.place, draft.matter)
        gathered = self._gather(today, weighed, draft.matter, now, self._busy)
        answer: asyncio.Future[Received | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(draft, ground, today, enacted, placed, weighed, gathered, answer))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_waiting())
        if received := await answer:
            return received
        async with connect(self._engine) as connection:
            return await _as_known(connection, report_id, draft)

    def _gather(self, today: Ground, weighed: Weighed, matter: str, now: datetime, busy: Collection[str]) -> _Gathered:
        """Whoever was responsible when it was seen: sent are the units that go for it today, from where they are."""
        team, fleet = weighed.ruling.team, self._fleet
        watch = today.district.rota.watch(team, now)
        candidates = today.candidates(team, weighed.lon, weighed.lat, fleet, now, busy, matter=matter)
        teams = [today.units_of.get(code, ()) for code in watch.teams]
        passed = frozenset(u.code for units in teams if len(units) > fleet.MOST for u in units if u.code in busy)
        return _Gathered(watch, candidates, passed, len(candidates) == sum(map(len, teams)), self._load(today, team))

    def _load(self, today: Ground, team: str) -> Mapping[str, float]:
        there, count = today.district.teams.get(team), self._open.get(team, 0)
        if there is None or there.max_open is None or not today.district.rota.over_load(team, count):
            return {}
        return {"open_cases": count, "max_open": there.max_open}

    async def _write_waiting(self) -> None:
        """One group after the other, until nobody waits."""
        while self._waiting:
            group = self._next_group()
            try:
                async with connect(self._engine) as connection:
                    await self._register(connection, group)
            except Exception as error:
                for one in group:
                    _tell(one, error)
        self._writing = None

    def _next_group(self) -> list[_Waiting]:
        """Those who came first; an id that comes twice waits for what becomes of the first."""
        group: dict[UUID, _Waiting] = {}
        while self._waiting and len(group) < TOGETHER and self._waiting[0].id not in group:
            one = self._waiting.popleft()
            group[one.id] = one
        return list(group.values())

    async def _register(self, connection: AsyncConnection, group: list[_Waiting]) -> None:
        """Write a group whole. If one of it cannot be written, nothing was: then each has its own answer."""
        while len(self._numbers) < len(group):
            self._numbers.extend(await moves.take_numbers(connection, TOGETHER))
        numbers = [self._numbers.popleft() for _ in group]
        for _ in range(moves.TRIES):
            try:
                if await self._write(connection, group, numbers):
                    return
            except moves.UnitTaken:
                continue
            except (_NewEdition, psycopg.OperationalError, DBAPIError):
                raise  # everybody's
            except Exception as refused:
                if len(group) > 1:
                    await self._register_apart(connection, group)
                elif isinstance(refused, moves.AlreadyThere):
                    _tell(group[0], None)
                else:
                    _tell(group[0], refused)
                return
        raise errors.DatabaseUnavailable

    async def _register_apart(self, connection: AsyncConnection, group: list[_Waiting]) -> None:
        """Nothing of a group was written because of one of it: who is known is told, the others try once more."""
        known = await moves.known(connection, [one.id for one in group])
        for one in group:
            if one.id in known:
                _tell(one, None)
        others = [one for one in group if one.id not in known]
        for part in [others] if known and others else [[one] for one in others]:
            await self._register(connection, part)

    async def _write(self, connection: AsyncConnection, group: list[_Waiting], numbers: list[int]) -> bool:
        """Decide and write by what is believed of the units. False: it was not so, and what is so is remembered."""
        busy, units = set(self._busy), set[str]()
        openings, answers = [], []
        for one, number in zip(group, numbers, strict=True):
            gathered = one.gathered
            if not gathered.is_all:
                # Of a large team some were left out, which others of the group or a corrected belief may change.
                if not gathered.holds(busy):
                    report = one.placed.report
                    gathered = self._gather(one.today, one.weighed, report.matter, report.received_at, busy)
                # Nobody is passed over for a belief that is not checked.
                units |= gathered.passed
            units |= {candidate.unit.code for candidate in gathered.candidates}
            decision = routing.decide(
                version=one.ground.district.version,
                ruling=one.weighed.ruling,
                place=one.placed.place,
                candidates=gathered.candidates,
                busy=busy,
                notes=(*one.placed.notes, "over_load") if gathered.load else one.placed.notes,
                facts={**one.placed.facts, **gathered.load},
                weighed=one.weighed,
                held=one.ground.looks_first(one.placed.report.source),
                watch=gathered.watch,
            )
            decided = routing.as_json(decision)
            case, entry = opening(one.ground, one.placed, decision, decided, number)
            openings.append(moves.Opening(one.placed.report, case, entry))
            answers.append(Received(case, decided, known=False, filled=one.placed.filled))
            if decision.unit:
                busy.add(decision.unit)
        assumed = moves.Assumed(frozenset(units), self._busy & units, min(one.enacted for one in group))
        truth = await moves.open_cases(connection, openings, assumed)
        if truth is not None:
            self._busy = self._busy - units | truth.busy
            if truth.enacted != assumed.enacted:
                raise _NewEdition
            return False
        self._busy |= busy
        for one, answer in zip(group, answers, strict=True):
            _tell(one, answer)
        return True


async def _as_known(connection: AsyncConnection, report_id: UUID, draft: Draft) -> Received:
    if not await moves.known(connection, [report_id]):
        # The id is an action's.
        raise errors.ReportConflicts({"field": "id"}, report=str(report_id), case="—")
    stored = await cases.which_report(connection, report_id)
    case = await cases.case_of_report(connection, report_id)
    if not same_content(draft, stored):
        raise errors.ReportConflicts({"field": "id"}, report=str(report_id), case=case.case_no)
    return Received(case, await cases.which_decision(connection, case.case_no), known=True)


def _tell(one: _Waiting, outcome: Received | Exception | None) -> None:
    if one.answer.done():
        return  # whoever asked is gone
    if isinstance(outcome, Exception):
        one.answer.set_exception(outcome)
    else:
        one.answer.set_result(outcome)
