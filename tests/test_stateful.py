"""Anything, by anybody, at any time, against the real database: after each step all is as a slow model says.

Reports (the same ones again, bad ones), every action of both tables by any role with what it needs or without, orders
sent again, two at once on one case, two cases that want the same unit, mergers into each other, readings of contacts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import closing
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from itertools import permutations
from typing import Any, TypeVar
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from psycopg.rows import namedtuple_row

from dispatch import district, lifecycle
from dispatch.audit import verify
from dispatch.database import DATABASE, Running
from dispatch.desk import act, stands
from dispatch.disclosure import Asking, disclose
from dispatch.editions import Editions
from dispatch.enforcement import PROCEDURE, Officer, Papers
from dispatch.errors import DomainError
from dispatch.evidence import Item
from dispatch.fleet import Fleet
from dispatch.ground import prepare
from dispatch.intake import Draft
from dispatch.lifecycle import BEGUN, FINAL
from dispatch.model import Action, CaseRow, Source, Stage, State
from dispatch.names import Role
from dispatch.orders import CARRIES, NO_PAPERS, ORDERED, Order
from dispatch.reception import Received, Reception
from dispatch.relocation import Pin
from dispatch.store import record
from dispatch.store.engine import migrate, open_engine
from tests.modelled import BETWEEN, DAY, EAST, HERE, OUTSIDE, TEAMS, TRIAGED, WEST, Case, Model
from tests.small_district import write_small_district

BEGIN = datetime(2025, 3, 3, 1, tzinfo=UTC)
PROOF = sha256(b"as it was").hexdigest()
FULL = Papers(
    officers=(Officer("01"), Officer("02")),
    verdict="pass",
    minutes="纪要",
    power="示意-01",
    tier="较轻",
    amount=Decimal(200),
    way="direct",
    served_on=BEGIN.date(),
    to="police",
    receipt="回执",
)

ONWARDS = {
    State.TRIAGE: (Action.ASSIGN,),
    State.ASSIGNED: (Action.ACCEPT, Action.ACCEPT, Action.ACCEPT, Action.RETURN),
    State.ACCEPTED: (Action.ARRIVE, Action.ARRIVE, Action.SET_OUT, Action.SUSPEND),
    State.ON_THE_WAY: (Action.ARRIVE, Action.ARRIVE, Action.RETURN),
    State.ON_SCENE: (Action.HANDLE, Action.RETURN, Action.SUSPEND),
    State.HANDLED: (Action.VERIFY, Action.REWORK, Action.CLOSE),
    State.VERIFIED: (Action.CLOSE,),
    State.RETURNED: (Action.REASSIGN,),
    State.DISPUTED: (Action.STATE_GROUND, Action.RULE),
    State.SUSPENDED: (Action.RESUME,),
    **dict.fromkeys(FINAL, (Action.REOPEN,)),
}
"""What brings a case on."""
PAPERWORK = (
    *(Action.FILE, Action.INQUIRE, Action.REVIEW, Action.DELIBERATE, Action.DECIDE, Action.PENALISE, Action.SERVE),
    *(Action.EXECUTE, Action.ARCHIVE),
)


class World:
    """The desk with its database, for all machines one after the other; on a loop of its own."""

    def __init__(self, url: str, folder: Any) -> None:
        self.runner = asyncio.Runner()
        self.driver = psycopg.connect(url.replace("+psycopg", ""), autocommit=True, options="-c timezone=UTC")
        self.engine = open_engine(url, 6)
        self.ground = prepare(district.load(folder))
        self.runner.run(migrate(self.engine))
        self.editions = Editions(self.engine, self.ground)
        self.runner.run(self.editions.start(BEGIN - DAY))
        self.driver.execute(
            "INSERT INTO evidence VALUES (%s, 'note', 'text/plain', 9, %s, 'as it was')", [PROOF, BEGIN]
        )
        self.begin()

    def begin(self) -> None:
        """Nothing ever happened."""
        with self.driver.transaction():
            self.driver.execute("SET LOCAL session_replication_role = replica")
            for table in ("event", "case_file", "report"):
                self.driver.execute(f"DELETE FROM {table}")
        self.fleet = Fleet(self.ground.district, timedelta(minutes=5))
        self.reception = Reception(self.engine, self.editions, self.fleet, 366)

    async def act(self, order: Order, now: datetime) -> CaseRow | str:
        """The case, or the code of the refusal."""
        try:
            return await act(self.engine, self.editions, self.fleet, order, now)
        except DomainError as refusal:
            return refusal.code()

    async def receive(self, draft: Draft, now: datetime) -> Received | str:
        """As `act`."""
        try:
            return await self.reception.receive(draft, now)
        except DomainError as refusal:
            return refusal.code()

    def close(self) -> None:
        self.runner.run(self.engine.dispose())
        self.runner.close()
        self.driver.close()


@pytest.fixture(scope="module")
def world(postgis: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = write_small_district(tmp_path_factory.mktemp("stateful") / "small")
    manifest = folder / "district.toml"
    manifest.write_text(
        manifest.read_text("utf-8").replace("[settings]", f"[settings]\ntriage = {list(TRIAGED)}"), "utf-8"
    )
    with (folder / "units.csv").open("a", encoding="utf-8") as units:
        units.write("T1-V2,三号车,Car 3,T1,vehicle,B1,2\n")
    (folder / "matters.csv").write_text(
        "code,name,name_en,department,legal_basis,urgency,limit,limit_unit,on_water\n"
        "0101,私搭乱建,Illegal building,D1,,3,72,h,false\n0102,暴露垃圾,Rubbish,D1,,2,8,working_h,false\n"
        "0103,道路不洁,Dirty road,D1,,3,2,working_d,false\n",
        "utf-8",
    )
    with psycopg.connect(postgis.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE stateful TEMPLATE {DATABASE}")
    with closing(World(postgis.url_of("stateful"), folder)) as made:
        yield made


class Dice:
    """What was drawn for one order or report: as many numbers, whatever they come to mean.

    Of two at once either may win: what is drawn next must not depend on it, or nothing could be drawn again.
    """

    def __init__(self, numbers: list[int]) -> None:
        self._all, self._numbers = numbers, iter(numbers)

    def __repr__(self) -> str:
        return f"Dice({self._all})"

    def again(self) -> Dice:
        """The same, from the first on."""
        return Dice(self._all)

    def one(self, options: Sequence[T]) -> T:
        """One of these; the first are the simplest."""
        return options[next(self._numbers) % len(options)]

    def often(self, of: int) -> bool:
        """All but once in so many times."""
        return next(self._numbers) % of < of - 1


T = TypeVar("T")
DICE = st.lists(st.integers(0, 2**16 - 1), min_size=20, max_size=20).map(Dice)


class Desk(RuleBasedStateMachine):
    """One world, from its first report on."""

    def __init__(self, world: World) -> None:
        super().__init__()
        world.begin()
        self.world, self.model, self.now = world, Model(evidence=frozenset({PROOF})), BEGIN
        self.sent: list[Order] = []
        self.drafts: list[Draft] = []
        self.asked = 0

    def _later(self, dice: Dice) -> None:
        self.now += timedelta(minutes=dice.one([1, 7, 90, 3000]))

    # --- what is drawn -------------------------------------------------------------------------------------------

    def _draft(self, dice: Dice) -> Draft:
        good = dice.often(4)
        lon = dice.one([WEST, EAST, BETWEEN] if good else [WEST, EAST, BETWEEN, OUTSIDE])
        return Draft(
            id=UUID(int=2**40 + len(self.drafts) * 4 + dice.one([0, 1, 2, 3]), version=4),
            lon=lon,
            lat=30.05,
            accuracy_m=300.0 if lon == BETWEEN else 5.0,
            matter=dice.one(["0101", "0102", "0103"] if good else ["0101", "9999"]),
            source=dice.one([Source.GRID_WORKER, Source.GRID_WORKER, Source.CITIZEN]),
            text=dice.one(["", "有人搭棚"]),
            contact={"name": "示意 made"},
        )

    def _case(self, dice: Dice) -> str:
        return dice.one(sorted(self.model.cases))

    def _order(self, dice: Dice, number: str, *, onwards: bool = False, action: Action | None = None) -> Order:
        """Most are such as the tables have; of the others anything may be missing, wrong or somebody else's to do."""
        case = self.model.cases[number]
        careful = dice.often(4) or onwards or action is not None
        possible = case.possible()
        if onwards:
            wanted = (*ONWARDS[case.state], *PAPERWORK, *PAPERWORK)
            possible = [one for one in wanted if one in possible] or possible
        drawn = dice.one(possible if careful and possible else sorted(ORDERED))
        action = action or drawn
        rows = [*case.rows(action), *case.steps(action)]
        by = [role for role in Role if rows and role in rows[0].by]
        today = self.now.astimezone(HERE).date()
        others = [one for one in sorted(self.model.cases) if one != number]
        alive = [one for one in others if self.model.cases[one].state not in FINAL]

        def some(good: Sequence[Any], bad: Sequence[Any]) -> Any:
            return dice.one(([*good] if careful else [*good, *bad]) or bad)

        papers = [replace(FULL, verdict=verdict) for verdict in ("pass", "major", "back")]
        given: dict[str, Any] = {
            "case_no": some([number], [number, number, number, "none"]),
            "actor": some(["网格员"] if action is Action.VERIFY else ["甲队", "网格员"], ["甲队", ""]),
            "note": some(["说明"], ["", "  "]),
            "team": some(self._teams(action, case), ["", "T9", "T1", "T2"]),
            "unit": some(["", "", *TEAMS[case.team]], ["T1-V1", "T1-V2", "T2-V1", "T9-V9"]),
            "photos": some([()], [(), (), ("0" * 64,)]),
            "pin": some([Pin(WEST, 30.05), Pin(EAST, 30.05), None], [Pin(OUTSIDE, 30.05)]),
            "settles": some(["T1", "T2"], ["T9", ""]),
            "seq": some([None, case.seq, case.acted], [None, case.acted - 1, case.seq + 1]),
            "role": some([None, *by], list(Role)),
            "until": some([today + 5 * DAY, today + DAY], [today, today - DAY, None]),
            "into": some(alive, [number, *others, "none", ""]),
            "evidence": some([(Item(PROOF),)], [(), (Item("0" * 64),)]),
            "papers": some(papers, [NO_PAPERS, Papers(officers=(Officer("01"), Officer("01")))]),
        }
        used = {
            "unit": action in lifecycle.RESTS_ON_EDITION,
            "pin": action is Action.RELOCATE,
            "settles": action is Action.RELOCATE and given["pin"] is None,
            "until": action is Action.SUSPEND,
            "into": action is Action.MERGE,
            "evidence": action in CARRIES,
            "papers": action in PROCEDURE,
        }
        given = {name: value for name, value in given.items() if used.get(name, True)}
        return Order(id=UUID(int=2**50 + len(self.sent), version=4), action=action, **given)

    @staticmethod
    def _teams(action: Action, case: Case) -> list[str]:
        if action is Action.STATE_GROUND:
            return list(case.sides)
        return ["T1", "T2"] if action in (Action.REASSIGN, Action.RULE) else ["", "T1", "T2"]

    # --- what is done --------------------------------------------------------------------------------------------

    @initialize(one=DICE, other=DICE)
    def first(self, one: Dice, other: Dice) -> None:
        """There is always something to act on."""
        for dice, lon in ((one, WEST), (other, EAST)):
            self._receive([self._draft(dice).model_copy(update={"lon": lon, "accuracy_m": 5.0, "matter": "0101"})])

    @rule(dice=DICE)
    def report(self, dice: Dice) -> None:
        self._later(dice)
        self._receive([self._draft(dice)])

    @rule(dice=DICE)
    def report_again(self, dice: Dice) -> None:
        """As it was, or with something else under its id; or under that of something that was done."""
        old = dice.one(self.drafts)
        ids = [old.id, *(one.id for one in self.sent[-3:])]
        self._receive([old.model_copy(update={"text": dice.one([old.text, "别的"]), "id": dice.one(ids)})])

    @rule(one=DICE, other=DICE)
    def reports_at_once(self, one: Dice, other: Dice) -> None:
        twice = self._draft(one)
        self.drafts.append(twice)
        self._receive([twice, twice, self._draft(other)])

    def _receive(self, drafts: list[Draft]) -> None:
        async def all_of_them() -> list[Received | str]:
            return await asyncio.gather(*(self.world.receive(one, self.now) for one in drafts))

        answers = self.world.runner.run(all_of_them())
        self.drafts += [one for one in drafts if one not in self.drafts]
        self._in_some_order(
            [
                lambda model, draft=draft, answer=answer: model.reported(
                    draft,
                    answer if isinstance(answer, str) else answer.case,
                    self.now,
                    known=not isinstance(answer, str) and answer.known,
                )
                for draft, answer in zip(drafts, answers, strict=True)
            ]
        )

    @rule(dice=DICE)
    def act(self, dice: Dice) -> None:
        self._later(dice)
        self._do([self._order(dice, self._case(dice))])

    @rule(which=DICE, dice=st.lists(DICE, min_size=4, max_size=8))
    def go_on(self, which: Dice, dice: list[Dice]) -> None:
        """Several steps of one case: what lies deep in the tables is reached, too."""
        number = self._case(which)
        for each in dice:
            self._later(each)
            self._do([self._order(each, number, onwards=True)])
        if which.one([True, False]):
            self._nothing_else(which, number)

    @rule(dice=DICE)
    def nothing_else(self, dice: Dice) -> None:
        """Whatever must be refused of a case, all at once: it changes nothing."""
        self._nothing_else(dice, self._case(dice))

    def _nothing_else(self, dice: Dice, number: str) -> None:
        every = [self._order(dice.again(), number, action=action) for action in sorted(ORDERED)]
        ids = (UUID(int=2**55 + n, version=4) for n in range(len(every)))
        wrong = [replace(one, id=id_) for one, id_ in zip(every, ids, strict=True) if self.model.reasons(one, self.now)]
        for order, answer in zip(wrong, self._answers(wrong), strict=True):
            self.model.saw(order, answer, self.now)
        self._compare(self.model)

    @precondition(lambda self: self.sent)
    @rule(dice=DICE)
    def act_again(self, dice: Dice) -> None:
        """An order that comes a second time, or another one under its id."""
        old, again = dice.one(self.sent), dice.one([True, False])
        self._do([old if again else replace(self._order(dice, self._case(dice)), id=old.id)])

    @rule(one=DICE, other=DICE)
    def two_at_once(self, one: Dice, other: Dice) -> None:
        """Both at the same case."""
        self._later(one)
        number = self._case(one)
        self._at_once([(one, number), (other, number)])

    @rule(dice=st.tuples(DICE, DICE, DICE))
    def rivals(self, dice: tuple[Dice, ...]) -> None:
        """Several cases at once: they may want the same unit, or be merged into each other."""
        self._later(dice[0])
        numbers = sorted(self.model.cases)
        start = dice[0].one(range(len(numbers)))
        self._at_once(list(zip(dice, [*numbers[start:], *numbers[:start]], strict=False)))

    def _at_once(self, drawn: list[tuple[Dice, str]]) -> None:
        orders = []
        for dice, number in drawn:
            orders.append(self._order(dice, number))
            self.sent.append(orders[-1])
        self._do(orders)

    @rule(dice=DICE)
    def ask_who_reported(self, dice: Dice) -> None:
        """Whoever acts then, having seen what stood there before, is not refused for it."""
        number, self.asked = self._case(dice), self.asked + 1
        asking = Asking(UUID(int=2**60 + self.asked, version=4), number, "甲队", "核实地点")
        assert self.world.runner.run(disclose(self.world.engine, asking, self.now)) == {"name": "示意 made"}
        self.model.disclosed(number, asking.id)
        self._do([replace(self._order(dice, number), seq=self.model.cases[number].acted)])

    def _answers(self, orders: list[Order]) -> list[CaseRow | str]:
        async def all_of_them() -> list[CaseRow | str]:
            return await asyncio.gather(*(self.world.act(one, self.now) for one in orders))

        return self.world.runner.run(all_of_them())

    def _do(self, orders: list[Order]) -> None:
        answers = self._answers(orders)
        self.sent += [one for one in orders if one not in self.sent]
        beside = len(orders) > 1
        self._in_some_order(
            [
                lambda model, order=order, answer=answer: model.saw(order, answer, self.now, beside=beside)
                for order, answer in zip(orders, answers, strict=True)
            ]
        )

    def _in_some_order(self, told: list[Any]) -> None:
        """What was done at once is what comes of it one by one, in one order or another."""
        wrong = []
        for order in permutations(told):
            model = deepcopy(self.model)
            try:
                for tell in order:
                    tell(model)
                self._compare(model)
            except AssertionError as error:
                wrong.append(str(error))
                continue
            self.model = model
            return
        raise AssertionError("\n".join(wrong))

    # --- what always holds ---------------------------------------------------------------------------------------

    def _compare(self, model: Model) -> None:
        """The database has what the model has, and nothing else."""
        with self.world.driver.cursor(row_factory=namedtuple_row) as cursor:
            rows = cursor.execute(
                "SELECT c.* FROM case_file c JOIN report r ON r.id = report_id ORDER BY case_no"
            ).fetchall()
        assert [row.case_no for row in rows] == sorted(model.cases), "a report's case is there for ever"
        assert {row.report_id: row.case_no for row in rows} == {id_: no for id_, (_, no) in model.reports.items()}
        for row in rows:
            case = model.cases[row.case_no]
            stands = (State(row.state), row.team, row.unit, row.seq, row.level, row.stage and Stage(row.stage))
            assert stands == (case.state, case.team, case.unit, case.seq, case.level, case.stage), row.case_no
            waits = (row.merged_into, row.suspended_until, row.suspended_from and State(row.suspended_from))
            assert waits == (case.into, case.until, case.before), row.case_no
            assert (row.due_at, row.changed_at) == (case.due_at, case.changed_at), row.case_no
            assert row.unit or (row.eta_s, row.mode) == (None, None), "nobody has no time of arrival"
        query = "SELECT case_no, action_id, action FROM event ORDER BY case_no, seq"
        events: dict[str, list[tuple[UUID, Action]]] = {}
        for number, id_, action in self.world.driver.execute(query):
            events.setdefault(number, []).append((id_, Action(action)))
        for number, case in model.cases.items():
            found = events.pop(number)
            assert [action for _, action in found] == [action for _, action in case.events], number
            assert all(known in (None, id_) for (id_, _), (known, _) in zip(found, case.events, strict=True))
        assert not events

    @invariant()
    def every_chain_holds_and_goes_by_the_table(self) -> None:
        chains = record.chains(self.world.driver, ("", None))
        for row in chains.heads:
            chain = chains.events[row.case_no]
            assert verify(stands(row), chain) is None
            _by_the_table([(Action(event.action), event.said()["after"]) for event in chain])

    @invariant()
    def a_unit_is_its_teams_and_on_one_case(self) -> None:
        at_work = [case for case in self.model.cases.values() if case.unit and case.state in BEGUN]
        assert len({case.unit for case in at_work}) == len(at_work)
        for case in self.model.cases.values():
            assert case.team in TEAMS, "one team has it"
            assert case.unit is None or case.unit in TEAMS[case.team]


def _by_the_table(chain: list[tuple[Action, Any]]) -> None:
    """Each step of a record has a row, and leaves the state of that row behind."""
    (first, opened), *steps = chain
    assert first is Action.REPORT
    assert State(opened["state"]) in lifecycle.OPENS_AS
    before = opened
    for action, after in steps:
        state, target = State(before["state"]), State(after["state"])
        if action is Action.DISCLOSE or action in PROCEDURE:
            assert {**after, "stage": ""} == {**before, "stage": ""}, action
        else:
            targets = {t.target for t in lifecycle.TRANSITIONS if (t.source, t.action) == (state, action)}
            assert targets, f"{action} from {state}"
            if action is Action.RELOCATE and after["team"] != before["team"] and state is not State.TRIAGE:
                targets = {State.ASSIGNED}
            assert target in targets, f"{action} from {state} to {target}"
        before = after


def test_anything_by_anybody_is_as_the_model_says(world: World) -> None:
    run_state_machine_as_test(
        lambda: Desk(world),
        settings=settings(
            max_examples=25,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            # To make a failure smaller takes longer than a test may: what it prints is read instead.
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
        ),
    )
