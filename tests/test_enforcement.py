"""Enforcement: its own table, two officers, a tier's range, and a case that is not closed while it is open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import product
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch import enforcement
from dispatch.database import Running
from dispatch.enforcement import OVER, STEPS, Officer, Papers, Range, proceed
from dispatch.errors import (
    ActionNeeds,
    ActionNotAllowed,
    AmountOutsideTier,
    DomainError,
    RoleMayNot,
    TooFewOfficers,
    UnknownPower,
)
from dispatch.lifecycle import OPEN, Role
from dispatch.model import Action, CaseRow, Stage, State
from tests.life import WEST, Json, do, done, opened, refused, small_server, verified, walk, whole
from tests.small_district import write_small_district

TWO = (Officer("01", "示意甲"), Officer("02", "示意乙"))
FULL = Papers(
    officers=TWO,
    verdict="pass",
    minutes="纪要",
    power="示意-01",
    tier="一般",
    amount=Decimal(500),
    way="direct",
    to="police",
    receipt="1",
)
GIVEN = {"note": "n", "evidence": "given"}


def at(stage: Stage | None, state: State = State.ON_SCENE) -> CaseRow:
    """A case of which only its stage matters."""
    blank = dict.fromkeys(CaseRow.__slots__)
    return CaseRow(**{**blank, "case_no": "1", "state": state, "stage": stage})  # type: ignore[arg-type]


def full() -> Papers:
    from datetime import date

    return replace(FULL, served_on=date(2026, 11, 23))


def test_every_stage_is_reached_and_leads_to_an_end() -> None:
    assert {s.target for s in STEPS} == set(Stage)
    for start in (None, *Stage):
        found: set[Stage | None] = {start}
        while more := {s.target for s in STEPS if s.source in found} - found:
            found |= more
        assert found & OVER, f"{start} leads nowhere"
    assert [s for s in STEPS if s.source is Stage.ARCHIVED] == []


@pytest.mark.parametrize(("stage", "action"), list(product((None, *Stage), sorted(enforcement.PROCEDURE))))
def test_what_the_table_does_not_hold_is_refused(stage: Stage | None, action: Action) -> None:
    rows = [s for s in STEPS if (s.source, s.action) == (stage, action)]
    if not rows:
        with pytest.raises(ActionNotAllowed):
            proceed(at(stage), action, full(), GIVEN, None)
        return
    for row in rows:
        papers = replace(full(), verdict=row.when or "pass")
        assert proceed(at(stage), action, papers, GIVEN, None)[0] is row.target
        for field in row.needs:
            empty = {
                "officers": {"officers": ()},
                "amount": {"amount": None},
                "served_on": {"served_on": None},
            }.get(field, {field: "  "} if field in Papers.__slots__ else {})
            lacking = {**GIVEN, **({field: ""} if field in GIVEN else {})}
            with pytest.raises(ActionNeeds) as refusal:
                proceed(at(stage), action, replace(papers, **empty), lacking, None)  # type: ignore[arg-type]
            assert refusal.value.where == {"field": field}
        for role in set(Role) - row.by:
            with pytest.raises(RoleMayNot):
                proceed(at(stage), action, papers, GIVEN, role)


@pytest.mark.parametrize("state", list(State))
def test_it_begins_where_somebody_has_been_and_goes_on_while_a_team_has_it(state: State) -> None:
    begins = {step.action for step in enforcement.allowed(at(None, state))} & enforcement.BEGINS
    assert bool(begins) == (state in enforcement.BEGINS_IN)
    assert bool(enforcement.allowed(at(Stage.FILED, state))) == (state in enforcement.GOES_ON_IN)
    assert enforcement.GOES_ON_IN < OPEN


@pytest.mark.parametrize("action", [Action.INQUIRE, Action.PENALISE])
@pytest.mark.parametrize("officers", [(TWO[0],), (TWO[0], TWO[0]), (TWO[0], replace(TWO[0], name="另名"))])
def test_one_officer_is_not_two(action: Action, officers: tuple[Officer, ...]) -> None:
    stage = Stage.FILED if action is Action.INQUIRE else None
    with pytest.raises(TooFewOfficers):
        proceed(at(stage), action, replace(full(), officers=officers), GIVEN, None)


LIST = {
    ("P1", "轻微", False): Range(Decimal(0), Decimal(200)),
    ("P1", "严重", False): Range(Decimal(200), Decimal(5000)),
}


def listed(power: str, tier: str, on_the_spot: bool) -> Range | None:
    """A made list of one power, which is not for the spot."""
    if (power, tier, on_the_spot) not in LIST:
        raise UnknownPower(power=power)
    return LIST[power, tier, on_the_spot]


@given(st.decimals(0, 6000, places=2), st.sampled_from(["轻微", "严重"]))
def test_an_amount_lies_within_its_tier(amount: Decimal, tier: str) -> None:
    papers = replace(full(), power="P1", tier=tier, amount=amount)
    allows = LIST["P1", tier, False]
    if allows.low <= amount <= allows.high:
        stage, told = proceed(at(Stage.REVIEWED), Action.DECIDE, papers, GIVEN, None, listed)
        assert stage is Stage.DECIDED
        assert told["range"] == [f"{allows.low:.2f}", f"{allows.high:.2f}"]
        assert told["amount"] == f"{amount:.2f}"
    else:
        with pytest.raises(AmountOutsideTier):
            proceed(at(Stage.REVIEWED), Action.DECIDE, papers, GIVEN, None, listed)


def test_what_the_list_says_of_a_power_is_asked_and_without_a_list_that_is_said() -> None:
    with pytest.raises(DomainError):
        proceed(at(None), Action.PENALISE, replace(full(), power="P1", tier="轻微"), GIVEN, None, listed)
    assert proceed(at(Stage.REVIEWED), Action.DECIDE, full(), GIVEN, None)[1]["range"] is None


# --- through the interface ---

POWERS = """code,name,name_en,department,kind,bases,tiers,procedure,matters,team_kinds,delegated,origin
示意-01,甲事的处罚（示意）,,D1,penalty,,轻微（示意）→警告|一般→处50元以上5000元以下罚款|严重→按违法所得计算（示意）,summary,0101,township,true,made
示意-02,乙事的处罚（示意）,,D1,penalty,,一般→五百元以上二千元以下,general,0101,township,true,made
示意-03,丙事的处罚（示意）,,D1,penalty,,,summary,0101,township,true,made
"""


@pytest.fixture(scope="module")
def served(postgis: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    folder: Path = write_small_district(tmp_path_factory.mktemp("enforcement") / "small")
    (folder / "powers.csv").write_text(POWERS, "utf-8")
    with small_server(postgis, "enforcement", folder) as found:
        yield found


@pytest.fixture
def http(served: tuple[str, str]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served[1], timeout=60) as client:
        yield client


OFFICERS: Json = {"officers": [{"number": "01", "name": "示意甲"}, {"number": "02"}]}
DECISION: Json = {"power": "示意-01", "tier": "一般", "amount": "1200.50"}
SERVICE: Json = {"way": "left", "served_on": "2026-11-23"}


def step(http: httpx.Client, case: str, action: str, role: str, more: Json | None = None, **rest: object) -> Json:
    sent = {"procedure": more} if more else {}
    return done(do(http, case, action, note="示意", role=role, **sent, **rest))


def evidence(http: httpx.Client) -> list[Json]:
    sent = http.post("/api/evidence", files={"file": ("a.mp4", b"film")}, data={"kind": "video"}).json()
    return [{"sha256": sent["sha256"], "officer": "01"}]


def on_scene(http: httpx.Client) -> str:
    case = opened(http, WEST)
    walk(http, case, "accept", "arrive")
    return case


def test_a_major_case_from_filing_to_archive(http: httpx.Client, served: tuple[str, str]) -> None:
    case = on_scene(http)
    assert step(http, case, "file", "team")["stage"] == "filed"
    assert refused(do(http, case, "inquire", note="x", procedure=OFFICERS)) == (422, "action_needs"), "no evidence"
    one = {"officers": [OFFICERS["officers"][0]]}
    alone = do(http, case, "inquire", note="x", procedure=one, evidence=evidence(http))
    assert refused(alone) == (422, "too_few_officers")
    step(http, case, "inquire", "team", OFFICERS, evidence=evidence(http))
    walk(http, case, "handle")
    assert step(http, case, "review", "legal", {"verdict": "back"})["stage"] == "filed"
    step(http, case, "inquire", "team", OFFICERS, evidence=evidence(http))
    assert step(http, case, "review", "legal", {"verdict": "major"})["stage"] == "major"
    assert refused(do(http, case, "decide", note="x", procedure=DECISION)) == (409, "action_not_allowed")
    assert step(http, case, "deliberate", "leader", {"minutes": "集体讨论纪要（示意）"})["stage"] == "deliberated"
    assert refused(do(http, case, "decide", note="x", procedure=DECISION, role="team")) == (403, "role_may_not")
    assert step(http, case, "decide", "leader", DECISION)["stage"] == "decided"
    assert refused(do(http, case, "transfer", note="x", procedure={"to": "police", "receipt": "1"}))[0] == 409
    for action in ("close", "merge", "cancel", "return"):
        assert refused(do(http, case, action, note="x", into=opened(http, WEST)))[1] == "procedure_open"
    assert refused(do(http, case, "close", note="x")) == (409, "procedure_open")
    assert "close" not in [one["action"] for one in whole(http, case)["actions"]]
    step(http, case, "serve", "team", SERVICE)
    step(http, case, "execute", "team")
    assert step(http, case, "archive", "legal")["stage"] == "archived"
    assert done(do(http, case, "verify"))["state"] == "verified"
    assert done(do(http, case, "close"))["state"] == "closed"
    told = [one["details"]["procedure"] for one in whole(http, case)["history"] if "procedure" in one["details"]]
    assert [one["stage"] for one in told] == [
        "filed", "inquiry", "filed", "inquiry", "major", "deliberated", "decided", "served", "executed", "archived",
    ]  # fmt: skip
    assert told[6] == {**DECISION, "range": ["50.00", "5000.00"], "stage": "decided"}
    assert [one["number"] for one in told[1]["officers"]] == ["01", "02"]
    assert verified(served[0])[0]


def test_on_the_spot_is_the_short_form(http: httpx.Client) -> None:
    case = on_scene(http)
    spot = {**OFFICERS, **DECISION, "amount": 100}
    assert step(http, case, "penalise", "team", spot)["stage"] == "decided"
    assert refused(do(http, case, "return", note="x")) == (409, "procedure_open")
    step(http, case, "serve", "team", {**SERVICE, "way": "on_the_spot"})
    step(http, case, "execute", "team")
    step(http, case, "archive", "team")
    assert done(do(http, case, "handle", note="x"))["state"] == "handled"
    assert done(do(http, case, "close", note="当场处理完毕"))["state"] == "closed"


def test_a_penalty_is_held_against_the_power_list(http: httpx.Client) -> None:
    case = on_scene(http)

    def on_the_spot(**more: object) -> tuple[int, str]:
        return refused(do(http, case, "penalise", note="示意", procedure={**OFFICERS, **DECISION, **more}))

    assert on_the_spot(power="没有") == (404, "unknown_power")
    assert on_the_spot(tier="特别严重") == (422, "unknown_tier")
    assert on_the_spot(power="示意-02", amount=500) == (422, "not_on_the_spot")
    for amount in ("49.99", "5000.01", "0"):
        assert on_the_spot(amount=amount) == (422, "amount_outside_tier")
    assert on_the_spot(tier="轻微（示意）", amount=1) == (422, "amount_outside_tier"), "a warning is no fine"
    assert whole(http, case)["stage"] is None
    # what the list says nothing of that can be counted is recorded, and that nothing was held against it
    step(http, case, "penalise", "team", {**OFFICERS, **DECISION, "tier": " 严重 ", "amount": "99999"})
    told = whole(http, case)["history"][-1]["details"]["procedure"]
    assert (told["range"], told["amount"]) == (None, "99999.00")


def test_the_general_procedure_decides_what_the_spot_does_not(http: httpx.Client) -> None:
    case = on_scene(http)
    step(http, case, "file", "team")
    step(http, case, "inquire", "team", OFFICERS, evidence=evidence(http))
    step(http, case, "review", "legal", {"verdict": "pass"})
    second = {"power": "示意-02", "tier": "一般", "amount": 2000.01}
    assert refused(do(http, case, "decide", note="x", procedure=second)) == (422, "amount_outside_tier")
    found = step(http, case, "decide", "leader", {**second, "amount": 2000})
    assert found["stage"] == "decided"
    assert whole(http, case)["history"][-1]["details"]["procedure"]["range"] == ["500.00", "2000.00"]


def test_what_is_somebody_elses_is_transferred_with_a_receipt(http: httpx.Client) -> None:
    case = on_scene(http)
    step(http, case, "file", "team")
    assert refused(do(http, case, "transfer", note="x", procedure={"to": "police"})) == (422, "action_needs")
    found = step(http, case, "transfer", "legal", {"to": "police", "receipt": "回执（示意）1"})
    assert found["stage"] == "transferred"
    assert done(do(http, case, "cancel", note="已移送"))["state"] == "cancelled"


def test_bad_papers_are_refused_by_name(http: httpx.Client) -> None:
    case = on_scene(http)
    for bad in ({"amount": -1}, {"amount": "1.234"}, {"way": "pigeon"}, {"officers": [{"name": "无号"}]}, {"x": 1}):
        assert refused(do(http, case, "file", note="x", procedure=bad)) == (422, "invalid_input")
    assert whole(http, case)["stage"] is None
