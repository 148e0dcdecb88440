"""Who is sent goes by shifts, skills and stand-ins: against the rules read slowly, and over a year of the sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch import errors
from dispatch.competence import Ruling
from dispatch.district import District, load
from dispatch.fleet import Fleet, Known, Position
from dispatch.ground import Ground, prepare
from dispatch.history import History, Step
from dispatch.model import Action, CaseRow, Decision, Matter, Mode, Source, State, Team, TeamKind, Unit
from dispatch.names import Role
from dispatch.orders import Order
from dispatch.rota import Rota, Shift
from dispatch.routing import as_json, decide
from dispatch.steps import decide_sending
from tests.sample import as_it_is
from tests.small_district import write_small_district
from tests.test_rota import CALENDAR, SHANGHAI, here, moments, slow_crew, tables
from web import wording

HERE: Final = (120.02, 30.05)
AWAY: Final = ((120.021, 30.051), (120.04, 30.02), (120.07, 30.08), (120.09, 30.01), (120.01, 30.09))
CODES: Final = ("A1", "A2", "B1", "C1", "C2", "C3")
SKILLED: Final = {"A2": "diving", "C1": "drone|diving"}
STALE: Final = timedelta(hours=1)


@cache
def small() -> Ground:
    with TemporaryDirectory() as folder:
        return prepare(load(write_small_district(Path(folder) / "small")))


def units() -> dict[str, Unit]:
    return {code: Unit(code, code, code, code[0], Mode.VEHICLE, "B1", 2, SKILLED.get(code, "")) for code in CODES}


def ground(rows: Sequence[Shift], stand_in: str, skill: str = "") -> Ground:
    """The small district with three teams; `stand_in` goes for A."""
    teams = {
        code: Team(code, f"{code}队", f"Team {code}", TeamKind.TOWNSHIP, "B1", stand_in if code == "A" else "")
        for code in "ABC"
    }
    matter = Matter("0101", "事项", "Matter", "D1", "", 3, 72, on_water=False, skill=skill)
    listed, base = units(), small()
    district = replace(
        base.district,
        teams=MappingProxyType(teams),
        units=MappingProxyType(listed),
        matters=MappingProxyType({"0101": matter}),
        rota=Rota(rows, teams, listed.values(), CALENDAR, SHANGHAI),
    )
    of = {code: tuple(unit for unit in listed.values() if unit.team == code) for code in teams}
    return replace(base, district=district, units_of=of)


def fleet(district: District, at: datetime, where: dict[str, int], off: set[str], most: int = 24) -> Fleet:
    """Units that said where they are; those in `off` said that they go home."""

    class Short(Fleet):
        MOST = most  # type: ignore[misc]

    found = Short(district, STALE)
    said = {code: AWAY[place] for code, place in where.items()} | {code: HERE for code in off if code not in where}
    positions = [Position(code, *place, at, on_shift=code not in off) for code, place in said.items()]
    found.learn([Known(one, one) for one in positions], at)
    return found


def sent(made: Ground, moving: Fleet, at: datetime, busy: set[str]) -> Decision:
    found = made.candidates("A", *HERE, moving, at, busy, matter="0101")
    watch = made.district.rota.watch("A", at)
    ruling = Ruling(made.district.rules[0], "A", ())
    return decide(version="v", ruling=ruling, place={}, candidates=found, busy=busy, watch=watch)


def slow(rows: Sequence[Shift], stand_in: str, at: datetime) -> tuple[set[str], list[str], set[str]]:
    """Whose units are asked, who stands in, and which of them are on duty."""

    def crew(team: str) -> set[str]:
        own = {code for code in CODES if code[0] == team}
        return slow_crew(list(rows), team, at) & own if any(row.team == team for row in rows) else own

    others = [] if crew("A") else [team for team in stand_in.split("|") if team in ("B", "C") and crew(team)]
    teams = {"A", *others}
    return {c for c in CODES if c[0] in teams}, others, set[str]().union(*(crew(team) for team in teams))


some = st.sets(st.sampled_from(CODES))
WORLD = {
    "rows": tables(),
    "stand_in": st.sampled_from(["", "-", "B", "C", "B|C", "C|B"]),
    "skill": st.sampled_from(["", "", "diving", "drone"]),
    "at": moments,
    "where": st.dictionaries(st.sampled_from(CODES), st.integers(0, len(AWAY) - 1)),
    "off": some,
    "busy": some,
}


@settings(deadline=None, max_examples=150)
@given(**WORLD)
def test_who_goes_is_what_the_rules_say_read_slowly(
    rows: list[Shift], stand_in: str, skill: str, at: datetime, where: dict[str, int], off: set[str], busy: set[str]
) -> None:
    made = ground(rows, stand_in, skill)
    moving = fleet(made.district, at, where, off)
    decision = sent(made, moving, at, busy)
    asked, others, on_duty = slow(rows, stand_in, at)
    seconds = {}
    for code in asked:
        place = AWAY[where[code]] if code in where else HERE
        leg = (
            made.travel.legs("vehicle", {code: place}, *HERE)[code]
            or made.travel.legs_to([("B1", "vehicle")], *HERE)[0]
        )
        assert leg is not None
        seconds[code] = leg.seconds
    reasons = {}
    for code in asked:
        able = not skill or skill in SKILLED.get(code, "").split("|")
        hindered = [("unskilled", not able), ("off_shift", code in off), ("off_duty", code not in on_duty)]
        hindered.append(("busy", code in busy))
        reasons[code] = next((reason for reason, so in hindered if so), "")
    free = sorted((seconds[code], code) for code, reason in reasons.items() if not reason)
    assert {one.unit for one in decision.units} == asked
    assert decision.team == "A", "whoever goes, the responsible team stays"
    assert decision.unit == (free[0][1] if free else None)
    for one in decision.units:
        assert one.reason == (reasons[one.unit] or ("nearest" if one.chosen else "farther"))
    assert ("stand_in" in decision.notes) == bool(others)
    assert decision.facts.get("stand_in", "") == "|".join(others)
    said = set(reasons.values())
    waits = "no_unit_free" if said & {"busy", "off_shift"} else "off_duty" if "off_duty" in said else "no_unit_able"
    assert [note for note in decision.notes if note != "stand_in"] == ([] if free else [waits])
    if "next_crew_at" in decision.facts:
        assert not on_duty
        assert datetime.fromisoformat(str(decision.facts["next_crew_at"])) > at


@settings(deadline=None, max_examples=60)
@given(**WORLD)
def test_of_a_large_team_somebody_goes_if_anybody_can(
    rows: list[Shift], stand_in: str, skill: str, at: datetime, where: dict[str, int], off: set[str], busy: set[str]
) -> None:
    """`Fleet.nearest` looks for those who can go alone: none of the others takes a place of theirs."""
    made = ground(rows, stand_in, skill)
    short = sent(made, fleet(made.district, at, where, off, most=2), at, busy)
    whole = sent(made, fleet(made.district, at, where, off), at, busy)
    assert (short.unit is None) == (whole.unit is None)
    assert {one.unit for one in short.units} <= {one.unit for one in whole.units}


# --- by hand ---------------------------------------------------------------------------------------------------------

DAY: Final = [Shift("d", "", "", "A", "", "working", "08:00", "18:00")]
ROUND: Final = [*DAY, Shift("c", "", "", "C", "C1", "", "00:00", "24:00")]


def case(unit: str | None, state: State = State.ASSIGNED) -> CaseRow:
    at = here("03-11 09:00")
    return CaseRow(
        case_no="1", report_id=UUID(int=1), state=state, seq=1, sealed=bytes(32), matter="0101", urgency=3, team="A",
        unit=unit, eta_s=60, mode=Mode.VEHICLE, lon=HERE[0], lat=HERE[1], township=None, grid=None, zones={},
        seen_at=at, received_at=at, changed_at=at, due_at=at, notes=(), accuracy_m=5, source=Source.PATROL, text="",
        photos=(), suspended_from=State.ASSIGNED if state is State.SUSPENDED else None,
    )  # fmt: skip


def test_at_night_the_stand_in_goes_and_the_words_say_so() -> None:
    made = ground(ROUND, "B|C")
    at = here("03-12 03:00")
    decision = sent(made, Fleet(made.district, STALE), at, {"B1"})
    assert (decision.team, decision.unit) == ("A", "C1")
    assert decision.notes == ("stand_in",)
    told = [
        wording.why(case("C1"), as_json(decision), made.district, made.district, one)["steps"] for one in ("zh", "en")
    ]
    assert any("由B队、C队替班出动" in step for step in told[0])
    assert any("units of Team B, Team C stand in" in step for step in told[1])
    assert any("此时不当班" in step for step in told[0])
    assert any("is not on duty at that hour" in step for step in told[1])


def test_where_nobody_stands_in_it_waits_and_says_until_when() -> None:
    made = ground(DAY, "-")
    decision = sent(made, Fleet(made.district, STALE), here("09-30 22:00"), set())
    assert (decision.unit, decision.notes) == (None, ("off_duty",))
    words = as_json(decision)
    steps = {one: wording.why(case(None), words, made.district, made.district, one)["steps"] for one in ("zh", "en")}
    # National Day takes a week.
    assert "能去的单元此时都不当班，等待派遣。下一班 10-08 08:00 到岗。" in steps["zh"]
    assert "Those who could go are not on duty: it waits for one. The next crew comes on at 10-08 08:00." in steps["en"]
    assert sent(made, Fleet(made.district, STALE), here("10-10 09:00"), set()).unit, "a Saturday that is worked"


def test_nobody_with_the_skill_is_said_as_such() -> None:
    made = ground([], "", "drone")
    decision = sent(made, Fleet(made.district, STALE), here("03-11 09:00"), set())
    assert (decision.unit, decision.notes) == (None, ("no_unit_able",))
    said = wording.why(case(None), as_json(decision), made.district, made.district, "zh")["steps"]
    assert "该队伍没有具备此事项要求技能的单元。" in said


def test_a_unit_stays_on_its_case_when_its_shift_ends() -> None:
    made = ground(ROUND, "C")
    at = here("03-11 19:00")
    found = made.candidates("A", *HERE, Fleet(made.district, STALE), at, frozenset(), "A1", "0101")
    ruling, watch = Ruling(made.district.rules[0], "A", ()), made.district.rota.watch("A", at)
    again = decide(version="v", ruling=ruling, place={}, candidates=found, busy=(), on_it="A1", watch=watch)
    assert (again.unit, again.notes) == ("A1", ()), "nobody else goes for it"


def send(at: str, action: Action, *, skill: str = "", was: str | None = None, **given: Any) -> tuple[CaseRow, Any]:
    """What comes of an order: the case, and what its event says beside what every one says."""
    made, now = ground(ROUND, "C", skill), here(at)
    moving = Fleet(made.district, STALE)
    stands = case(was, State.SUSPENDED if action is Action.RESUME else State.ASSIGNED)
    order = Order(
        UUID(int=2), "1", action, "", **({"team": "A", "note": "x"} if action is Action.REASSIGN else {}), **given
    )
    history = History((Step("1", Action.REPORT, "", State.ASSIGNED, "A", {}),))
    before = as_json(sent(made, moving, now, set()))
    moved, entry = decide_sending(made, moving, order, stands, history, before, frozenset(), now)
    return moved, entry.event.data


@pytest.mark.parametrize("role", [None, Role.DISPATCHER])
@pytest.mark.parametrize(
    ("at", "skill", "unit", "despite"),
    [
        ("03-11 22:00", "", "A1", "off_duty"),
        ("03-11 09:00", "", "C1", None),
        ("03-11 09:00", "", "C2", "off_duty"),
        ("03-11 09:00", "diving", "A1", "unskilled"),
        ("03-11 09:00", "diving", "A2", None),
    ],
)
def test_the_command_centre_may_name_whom_it_calls_out(
    role: Role | None, at: str, skill: str, unit: str, despite: str | None
) -> None:
    moved, said = send(at, Action.REASSIGN, skill=skill, unit=unit, role=role)
    assert (moved.team, moved.unit, moved.mode) == ("A", unit, Mode.VEHICLE)
    assert said.get("despite") == despite


def test_others_name_only_who_can_go_and_nobody_names_another_teams() -> None:
    with pytest.raises(errors.UnitOffDuty):
        send("03-11 22:00", Action.ACCEPT, unit="A1", role=Role.TEAM)
    with pytest.raises(errors.UnitUnskilled):
        send("03-11 09:00", Action.ACCEPT, skill="diving", unit="A1", role=Role.TEAM)
    assert send("03-11 09:00", Action.ACCEPT, unit="A1", role=Role.TEAM)[0].unit == "A1"
    with pytest.raises(errors.UnknownUnit):
        send("03-11 22:00", Action.REASSIGN, unit="B1")


def test_a_suspended_case_gets_its_unit_back_only_while_that_goes_for_the_team() -> None:
    assert send("03-11 09:00", Action.RESUME, was="A2")[0].unit == "A2"
    assert send("03-11 22:00", Action.RESUME, was="A2")[0].unit == "C1", "it went home"
    assert send("03-11 22:00", Action.RESUME, was="C1")[0].unit == "C1"
    assert send("03-11 09:00", Action.RESUME, was="C1")[0].unit == "A1", "the team itself is there again"
    assert send("03-11 22:00", Action.ACCEPT)[0].unit == "C1"


def test_the_sample_has_somebody_to_go_at_every_hour_of_working_days_and_holidays() -> None:
    district, went = as_it_is(), dict[str, set[str]]()
    for first in ("02-10", "04-30", "09-20", "12-08"):
        for n in range(48 * 14):
            at = here(f"{first} 00:10") + timedelta(minutes=30 * n)
            for team in district.teams:
                watch = district.rota.watch(team, at)
                assert watch.on_duty, (team, at)
                went.setdefault(team, set()).update(watch.stand_in)
    assert went["T01"] == {"J01", "J02", "D01"}
    assert went["T02"] == {"T03", "D01"}
    assert went["W01"] == set()
