"""A case's whole life through the interface and the database: each step once, nobody's work overwritten."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dispatch import enforcement
from dispatch.database import Running
from dispatch.lifecycle import FINAL, HOLDS_UNIT, RUNNING, TRANSITIONS
from dispatch.model import Action, Stage, State
from dispatch.names import Role
from dispatch.orders import ORDERED
from tests.life import EAST, WEST, Json, do, done, opened, refused, small_server, tamper, verified, walk, whole
from tests.small_district import write_small_district


@pytest.fixture(scope="module")
def served(postgis: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    folder = write_small_district(tmp_path_factory.mktemp("desk") / "small")
    manifest = folder / "district.toml"
    listed = manifest.read_text("utf-8").replace("[settings]", '[settings]\ntriage = ["citizen", "hotline_12345"]')
    manifest.write_text(listed, "utf-8")
    with small_server(postgis, "desk", folder) as found:
        yield found


@pytest.fixture
def http(served: tuple[str, str]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served[1], timeout=60) as client:
        yield client
        for row in client.get("/api/cases", params={"open": True, "limit": 1000}).json()["items"]:
            do(client, row["case"], "cancel", note="清场")


def test_the_long_way_from_report_to_close(http: httpx.Client) -> None:
    case = opened(http, WEST)
    for action, state in (
        ("accept", "accepted"),
        ("set_out", "on_the_way"),
        ("arrive", "on_scene"),
        ("handle", "handled"),
        ("verify", "verified"),
        ("close", "closed"),
    ):
        assert done(do(http, case, action, note="说明" if action == "handle" else ""))["state"] == state
    assert [one["action"] for one in whole(http, case)["actions"]] == ["reopen"]
    again = done(do(http, case, "reopen", note="又出现了"))
    assert (again["state"], again["unit"]) == ("assigned", "T1-V1")


def test_what_was_not_done_properly_goes_back(http: httpx.Client) -> None:
    case = opened(http, WEST)
    walk(http, case, "accept", "arrive", "handle")
    assert refused(do(http, case, "close")) == (422, "action_needs"), "unverified, and no reason why"
    assert refused(do(http, case, "rework")) == (422, "action_needs")
    back = done(do(http, case, "rework", note="没有清理干净", role="grid_worker"))
    assert (back["state"], back["team"], back["unit"]) == ("assigned", "T1", "T1-V1")


def test_who_handled_does_not_verify(http: httpx.Client) -> None:
    case = opened(http, WEST)
    walk(http, case, "accept", "arrive")
    done(do(http, case, "handle", note="完成", actor="甲队", role="team"))
    assert refused(do(http, case, "verify", role="team")) == (403, "role_may_not")
    assert refused(do(http, case, "verify", actor="甲队")) == (409, "same_team_verifies")
    assert done(do(http, case, "verify", actor="网格员", role="grid_worker"))["state"] == "verified"
    assert whole(http, case)["history"][-1]["details"] == {"role": "grid_worker"}


def test_some_sources_are_looked_at_first(http: httpx.Client) -> None:
    case = opened(http, WEST, source="citizen")
    held = whole(http, case)
    assert (held["state"], held["team"], held["unit"], held["notes"]) == ("triage", "T1", None, ["held"])
    assert http.get("/api/counters").json()["triage"] == 1
    assert refused(do(http, case, "accept")) == (409, "action_not_allowed")
    moved = done(do(http, case, "relocate", **EAST))
    assert (moved["state"], moved["team"], moved["unit"]) == ("triage", "T2", None)
    sent = done(do(http, case, "assign", role="dispatcher"))
    assert (sent["state"], sent["team"], sent["unit"]) == ("assigned", "T2", "T2-V1")
    assert "审核" in json.dumps(http.get(f"/api/cases/{case}/why").json(), ensure_ascii=False)


def test_a_suspended_case_frees_its_unit_and_goes_on_where_it_stood(http: httpx.Client) -> None:
    case = opened(http, WEST)
    walk(http, case, "accept", "arrive")
    assert refused(do(http, case, "suspend", note="待天晴", until="2020-01-01")) == (422, "until_past")
    held = done(do(http, case, "suspend", note="待天晴", until="2099-01-01"))
    assert (held["state"], held["suspended_until"]) == ("suspended", "2099-01-01")
    other = opened(http, WEST)
    assert whole(http, other)["unit"] == "T1-V1", "it is free for another case meanwhile"
    waits = done(do(http, case, "resume"))
    assert (waits["state"], waits["unit"], waits["suspended_until"]) == ("accepted", None, None), "nobody is there"
    done(do(http, case, "suspend", note="再等", until="2099-01-01"))
    walk(http, other, "return")
    assert done(do(http, case, "resume"))["state"] == "accepted"
    walk(http, case, "cancel")
    alone = opened(http, WEST)
    walk(http, alone, "accept", "arrive", "suspend")
    back = done(do(http, alone, "resume"))
    assert (back["state"], back["unit"]) == ("on_scene", "T1-V1"), "its own unit was free: as it was"


def test_a_case_that_is_the_same_as_another(http: httpx.Client) -> None:
    first, second, third = opened(http, WEST, text="甲"), opened(http, WEST, text="乙"), opened(http, WEST, text="丙")
    assert refused(do(http, second, "merge", into=second)) == (409, "cannot_merge")
    assert refused(do(http, second, "merge", into="none")) == (404, "unknown_case")
    order = str(uuid4())
    merged = done(do(http, third, "merge", into=second, id=order))
    assert (merged["state"], merged["unit"], merged["merged_into"]) == ("merged", None, second)
    assert done(do(http, third, "merge", into=second, id=order))["state"] == "merged", "once"
    done(do(http, second, "merge", into=first))
    assert refused(do(http, first, "merge", into=third)) == (409, "cannot_merge"), "that is over"
    found = whole(http, first)
    assert sorted((one["case"], one["text"]) for one in found["joined"]) == [(second, "乙"), (third, "丙")]
    assert found["history"][-1]["details"] == {"joined": second}
    assert whole(http, second)["history"][-1]["details"] == {"into": first}
    again = done(do(http, third, "reopen", note="不是同一件"))
    assert (again["state"], again["merged_into"]) == ("assigned", None)
    assert [one["case"] for one in whole(http, first)["joined"]] == [second]
    told = whole(http, second)["history"][-1]
    assert (told["action"], told["details"], told["note"]) == ("parted", {"parted": third}, "不是同一件")
    assert whole(http, second)["state"] == "merged", "told whatever has become of it since"


def test_escalation_is_a_level_and_stops_nobody(http: httpx.Client) -> None:
    case = opened(http, WEST)
    before = whole(http, case)["changed_at"]
    for level in (1, 2, 3):
        found = done(do(http, case, "escalate", note="久未处置", role="leader"))
        assert (found["level"], found["state"], found["changed_at"]) == (level, "assigned", before)
    assert refused(do(http, case, "escalate", note="x")) == (409, "highest_level")


def test_a_return_says_why_and_whose(http: httpx.Client) -> None:
    case = opened(http, WEST)
    assert refused(do(http, case, "return", note="x", team="T9")) == (422, "unknown_team")
    done(do(http, case, "return", note="东镇的", reason="not_our_place", team="T2"))
    assert whole(http, case)["history"][-1]["details"] == {"reason": "not_our_place", "whose": "T2"}
    assert refused(do(http, case, "return", note="x", reason="bored")) == (422, "invalid_input")


def test_nobody_orders_what_comes_of_something_else(http: httpx.Client) -> None:
    case = opened(http, WEST)
    for action in ("report", "joined", "parted", "nothing"):
        assert refused(do(http, case, action, note="x")) == (422, "invalid_input")
    assert refused(do(http, case, "accept", procedure={"power": "x"})) == (422, "invalid_input")
    assert refused(do(http, case, "accept", evidence=[{"sha256": "0" * 64}])) == (422, "invalid_input")


def test_many_orders_at_once_each_answered_by_itself(http: httpx.Client) -> None:
    cases = [opened(http, WEST) for _ in range(3)]
    ids = [str(uuid4()) for _ in range(7)]
    orders: list[Json] = [
        {"id": ids[0], "case": cases[0], "action": "cancel", "note": "重复"},
        {"id": ids[1], "case": cases[1], "action": "cancel"},
        {"id": ids[2], "case": cases[2], "action": "cancel", "note": "重复"},
        {"id": ids[3], "case": "none", "action": "cancel", "note": "x"},
        {"id": ids[4], "case": cases[1], "action": "escalate", "note": "x", "seq": 9},
        {"id": ids[5], "case": cases[0], "action": "cancel", "lon": "west"},
        {"case": cases[0], "action": "cancel", "note": "x"},
        {"id": 7, "case": cases[0]},
    ]
    answer = done(http.post("/api/cases/actions", json={"orders": orders}))
    assert [one["status"] for one in answer["answers"]] == [200, 422, 200, 404, 409, 422, 422, 422]
    assert (answer["done"], answer["refused"]) == (2, 6)
    codes = [one["problem"]["code"] for one in answer["answers"] if "problem" in one]
    assert codes == ["action_needs", "unknown_case", "case_moved_on", *["invalid_input"] * 3]
    assert [whole(http, case)["state"] for case in cases] == ["cancelled", "assigned", "cancelled"]
    again = done(http.post("/api/cases/actions", json={"orders": orders}))
    assert [one["status"] for one in again["answers"]] == [one["status"] for one in answer["answers"]]
    assert [whole(http, case)["seq"] for case in cases] == [2, 1, 2], "nothing was done twice"
    many = {"orders": [{}] * 501}
    assert refused(http.post("/api/cases/actions", json=many)) == (413, "batch_too_large")
    english = http.post("/api/cases/actions", json={"orders": orders[3:4]}, params={"lang": "en"}).json()
    assert english["answers"][0]["problem"]["detail"] == "There is no case none."


def test_of_two_at_once_the_second_is_told(http: httpx.Client, served: tuple[str, str]) -> None:
    """Many clients at the same step: one is done, the others learn what happened, and nothing is overwritten."""
    for _ in range(4):
        case = opened(http, WEST)
        with ThreadPoolExecutor(6) as pool:
            orders = [("accept", {}), ("cancel", {"note": "误报"}), ("escalate", {"note": "急"})] * 2
            answers = list(
                pool.map(lambda one, case=case: do(http, case, one[0], seq=1, actor=f"{one[0]}者", **one[1]), orders)
            )
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409, 409]
        won = next(answer.json() for answer in answers if answer.status_code == 200)
        history = whole(http, case)["history"]
        assert [step["seq"] for step in history] == [1, 2]
        for answer in answers:
            if answer.status_code == 409:
                assert answer.json()["code"] == "case_moved_on"
                assert history[-1]["actor"] in answer.json()["detail"]
        assert won["seq"] == 2


def test_two_cases_that_are_merged_into_each_other_at_once(http: httpx.Client) -> None:
    for _ in range(4):
        pair = [opened(http, WEST), opened(http, WEST)]
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda two: do(http, two[0], "merge", into=two[1]), (pair, pair[::-1])))
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        assert sorted(whole(http, case)["state"] for case in pair) == ["assigned", "merged"]


COMPLETE: Json = {
    "note": "测试",
    "until": "2099-01-01",
    "lon": 120.03,
    "lat": 30.05,
}
PROCEDURE: Json = {
    "officers": [{"number": "01"}, {"number": "02"}],
    "minutes": "纪要",
    "power": "示意-01",
    "tier": "较轻",
    "amount": "200.00",
    "way": "direct",
    "served_on": "2026-11-23",
    "to": "police",
    "receipt": "回执1",
}


@pytest.fixture(scope="module")
def proof(served: tuple[str, str]) -> str:
    """The digest of a piece of evidence."""
    with httpx.Client(base_url=served[1], timeout=60) as http:
        sent = http.post("/api/evidence", files={"file": ("a.txt", b"as it was")}, data={"kind": "note"})
    assert sent.status_code == 201, sent.text
    return str(sent.json()["sha256"])


def ordered(action: Action, into: str, proof: str, verdict: str) -> Json:
    """An order with everything that it may need."""
    body: Json = {"id": str(uuid4()), "action": action.value, "note": "测试", "team": "T2"}
    if action is Action.RELOCATE:
        body |= {"lon": COMPLETE["lon"], "lat": COMPLETE["lat"]}
    if action is Action.SUSPEND:
        body["until"] = COMPLETE["until"]
    if action is Action.MERGE:
        body["into"] = into
    if action in enforcement.PROCEDURE:
        body["procedure"] = {**PROCEDURE, "verdict": verdict}
    if action in (Action.EVIDENCE, Action.INQUIRE):
        body["evidence"] = [{"sha256": proof}]
    return body


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data())
def test_any_walk_by_anybody_is_the_tables(data: st.DataObject, http: httpx.Client, proof: str) -> None:
    """Random orders by random roles, most of them possible: what is answered is what the two tables say."""
    case, into = opened(http, WEST), opened(http, EAST)
    state, returns, level, before, seq, team = State.ASSIGNED, 0, 0, State.ASSIGNED, 1, "T1"
    stage: Stage | None = None
    for _ in range(data.draw(st.integers(5, 16))):
        possible = [t.action for t in TRANSITIONS if t.source is state and t.by]
        possible += [s.action for s in enforcement.STEPS if s.source is stage]
        action = data.draw(st.sampled_from([*possible, *sorted(ORDERED)] if seq % 4 == 0 else possible))
        role = data.draw(st.sampled_from([None, None, None, *Role]))
        verdict = data.draw(st.sampled_from(["pass", "major", "back"]))
        answer = do(http, case, **{"role": role, **ordered(action, into, proof, verdict)})
        rows = [t for t in TRANSITIONS if (t.source, t.action) == (state, action)]
        steps = [s for s in enforcement.STEPS if (s.source, s.action) == (stage, action)]
        legal = bool(rows) or (
            bool(steps) and state in (enforcement.BEGINS_IN if action in enforcement.BEGINS else enforcement.GOES_ON_IN)
        )
        barred = action in enforcement.BARRED and enforcement.is_open(stage)
        by = (rows or steps or [None])[0]
        if answer.status_code != 200:
            expected = {
                "procedure_open" if barred else "",
                "" if legal else "action_not_allowed",
                "role_may_not" if legal and by and role and role not in by.by else "",
                "highest_level" if level == 3 else "",
                "not_a_side" if action is Action.STATE_GROUND else "",
            } - {""}
            assert answer.json()["code"] in expected, answer.text
            assert whole(http, case)["seq"] == seq, "nothing was half-done"
            continue
        assert legal
        assert not barred
        assert role is None or (by and role in by.by)
        found, seq = answer.json(), seq + 1
        if steps:
            row = next((s for s in steps if s.when == verdict), steps[0])
            stage = row.target
        elif action is Action.RESUME:
            assert found["state"] in {before.value, "accepted" if before in {State.ON_THE_WAY, State.ON_SCENE} else ""}
            state = State(found["state"])
        else:
            when = {Action.RETURN: "again" if returns else "first"}.get(action, "")
            target = next(t.target for t in rows if t.when == when)
            if action is Action.RELOCATE and found["team"] != team:
                target = State.ASSIGNED if state is not State.TRIAGE else State.TRIAGE
            before = state if action is Action.SUSPEND else before
            state = target
        returns += action is Action.RETURN
        level += action is Action.ESCALATE
        team = found["team"]
        assert found["seq"] == seq
        assert found["state"] == state.value
        assert found["stage"] == (stage.value if stage else None)
        assert found["level"] == level
        if state is State.TRIAGE or state in RUNNING:
            assert (found["due_at"] is None) == (state is State.TRIAGE)
        assert (found["standing"] is None) == (found["left_s"] is None) == (found["due_at"] is None)
        if state in FINAL or state in {State.RETURNED, State.DISPUTED}:
            assert found["unit"] is None or state is State.CLOSED
    do(http, case, "cancel", note="x")


def test_the_record_of_all_that_holds(http: httpx.Client, served: tuple[str, str]) -> None:
    """Runs last: every chain that the tests of this file made, and what they left in the projection."""
    url = served[0]
    passed, figures = verified(url)
    assert passed, figures
    assert figures["cases"] > 20
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        query = "SELECT unit, count(*) FROM case_file WHERE unit IS NOT NULL AND state = ANY(%s) GROUP BY unit"
        assert all(n == 1 for _, n in connection.execute(query, [[one.value for one in HOLDS_UNIT]]))


@pytest.mark.parametrize(
    "change",
    [
        "level = 2",
        "stage = 'archived'",
        "stage = NULL",
        "merged_into = NULL",
        "suspended_until = '2098-01-01'",
        "suspended_from = 'on_scene'",
        "clock = NULL",
        "clock = jsonb_set(clock, '{left_s}', '1e9')",
        "due_at = NULL",
    ],
)
def test_a_projection_that_is_not_the_records_is_found(
    http: httpx.Client, served: tuple[str, str], change: str
) -> None:
    first, second, third = opened(http, WEST), opened(http, WEST), opened(http, WEST)
    walk(http, first, "accept", "arrive", "file")
    done(do(http, second, "merge", into=first))
    walk(http, third, "suspend")
    number = {"stage": first, "merge": second, "suspe": third, "level": first, "clock": third, "due_a": third}[
        change[:5]
    ]
    column = change.split(" ", maxsplit=1)[0]
    row = f"(SELECT {column} FROM case_file WHERE case_no = '{number}')"
    with psycopg.connect(served[0].replace("+psycopg", ""), autocommit=True) as connection:
        was = connection.execute(f"SELECT {row}").fetchone()
        assert was is not None
        connection.execute(f"UPDATE case_file SET {change} WHERE case_no = '{number}'")
        passed, figures = verified(served[0])
        before = psycopg.types.json.Jsonb(was[0]) if column == "clock" else was[0]
        connection.execute(f"UPDATE case_file SET {column} = %s WHERE case_no = '{number}'", [before])
    assert not passed
    assert (figures["broken"]["case"], figures["broken"]["problem"]) == (number, "projection")
    walk(http, first, "drop")


def test_a_forged_merger_in_the_other_chain_is_found(http: httpx.Client, served: tuple[str, str]) -> None:
    first, second = opened(http, WEST), opened(http, WEST)
    done(do(http, second, "merge", into=first))
    tamper(served[0], "event", f"DELETE FROM event WHERE case_no = '{first}' AND action = 'joined'")
    passed, figures = verified(served[0])
    assert not passed
    assert figures["broken"]["case"] == first
