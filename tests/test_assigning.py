"""A plan for all who wait, by HTTP: accepted whole or in part, once, and never over another's head."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dispatch import assigning, district
from dispatch.database import Running
from dispatch.editions import Editions
from dispatch.fleet import Fleet, Known, Position
from dispatch.ground import Ground, prepare
from dispatch.offering import Hold, offer_waiting
from dispatch.store import cases
from dispatch.store.engine import connect, migrate, open_engine
from tests.life import Json, do, done, small_server, verified, whole
from tests.small_district import TABLES, write_small_district
from tests.waiting import wait

LAT = 30.05
NEAR, FAR = 120.02, 120.045
"""Where the two units of the western team stand."""
BETWEEN, BEYOND = 120.03, 120.005
"""The first is nearer to the near unit, the second can only be reached from there soon."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    folder = write_small_district(tmp_path_factory.mktemp("assigning") / "small")
    urgent = "0102,路面塌陷,Road collapse,D1,,1,4,false\n"
    (folder / "matters.csv").write_text(TABLES["matters.csv"] + urgent, encoding="utf-8")
    more = "T1-V2,三号车,Car 3,T1,vehicle,B1,2\n"
    (folder / "units.csv").write_text(TABLES["units.csv"] + more, encoding="utf-8")
    return prepare(district.load(folder))


@pytest.fixture(scope="module")
def served(postgis: Running, made: Ground) -> Iterator[tuple[str, str]]:
    with small_server(postgis, "assigning", made.district.folder, made) as found:
        yield found


@pytest.fixture
def http(served: tuple[str, str]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served[1], timeout=60) as client:
        stand(client, "T1-V1", NEAR)
        stand(client, "T1-V2", FAR)
        yield client
        for row in client.get("/api/cases", params={"open": True, "limit": 1000}).json()["items"]:
            do(client, row["case"], "cancel", note="清场")


@pytest.fixture
def two(http: httpx.Client, served: tuple[str, str], made: Ground) -> tuple[str, str]:
    """Two cases that wait: the first in the middle, longer; the second beyond."""
    first, second = wait(served[0], made, [at(BETWEEN), at(BEYOND)], [30, 1])
    return first, second


def at(lon: float) -> Json:
    return {"lon": lon, "lat": LAT}


def stand(http: httpx.Client, unit: str, lon: float, **more: Any) -> None:
    answer = http.put(f"/api/units/{unit}/position", json={"lon": lon, "lat": LAT, "on_shift": True, **more})
    assert answer.status_code == 200, answer.text


def planned(http: httpx.Client) -> Json:
    return done(http.get("/api/assignment"))


def goes(plan: Json) -> dict[str, str]:
    return {pair["case"]: pair["unit"] for pair in plan["pairs"]}


def taken(plan: Json, *cases: str, **more: Any) -> Json:
    """The plan, or its pairs of these cases, accepted."""
    pairs = [
        {name: pair[name] for name in ("case", "unit", "seq")}
        for pair in plan["pairs"]
        if not cases or pair["case"] in cases
    ]
    return {"id": str(uuid4()), "token": plan["token"], "pairs": pairs, "actor": "指挥席", **more}


def accepted(http: httpx.Client, body: Json) -> list[tuple[str, int, str]]:
    answer = done(http.post("/api/assignment", json=body))
    found = [
        (one["case"], one["status"], (one["problem"] or {}).get("code", "")) for one in map(_whole, answer["answers"])
    ]
    assert answer["done"] == sum(status == 200 for _, status, _ in found) == len(found) - answer["refused"]
    return found


def _whole(answer: Json) -> Json:
    return {"problem": None, **answer}


def test_a_plan_says_who_goes_and_what_is_gained(http: httpx.Client, two: tuple[str, str]) -> None:
    first, second = two
    plan = planned(http)
    assert (plan["waiting"], plan["planned"], plan["left"]) == (2, 2, [])
    assert goes(plan) == {first: "T1-V2", second: "T1-V1"}
    case = plan["pairs"][0]
    assert (case["case"], case["unit_name_en"], case["mode"], case["from"]) == (first, "Car 3", "vehicle", at(FAR))
    assert case["why"]["code"] == "needed_elsewhere"
    assert (case["why"]["unit"], case["why"]["case"]) == ("T1-V1", second)
    assert case["one_by_one"]["unit"] == "T1-V1"
    assert case["waited_s"] >= 1800
    gain = plan["gain"]
    assert not gain["as_good"]
    assert gain["saved"] > 0
    assert gain["all_at_once"]["total_s"] < gain["one_by_one"]["total_s"]
    assert gain["all_at_once"]["served"] == gain["one_by_one"]["served"] == 2
    assert gain["all_at_once"]["by_urgency"]["3"]["served"] == 2
    assert planned(http)["token"] == plan["token"], "asking changes nothing"


def test_it_is_accepted_in_part_then_whole_and_once(
    http: httpx.Client, two: tuple[str, str], served: tuple[str, str]
) -> None:
    first, second = two
    plan = planned(http)
    due_at = whole(http, second)["due_at"]
    part = taken(plan, second, note="先近后远")
    assert accepted(http, part) == [(second, 200, "")]
    after = planned(http)
    assert after["token"] != plan["token"]
    assert goes(after) == {first: "T1-V2"}
    assert accepted(http, taken(plan)) == [(first, 200, ""), (second, 409, "case_moved_on")]
    found = whole(http, second)
    assert (found["state"], found["unit"], found["seq"]) == ("assigned", "T1-V1", 2)
    assert found["due_at"] == due_at
    assert accepted(http, part) == [(second, 200, "")], "the same again is known"
    assert whole(http, second)["seq"] == 2
    step = found["history"][-1]
    assert (step["action"], step["actor"], step["details"]) == ("reassign", "指挥席", {"role": "dispatcher"})
    assert plan["token"][:8] in step["note"]
    assert step["note"].endswith("先近后远")
    passed, figures = verified(served[0])
    assert passed, figures


def test_what_changed_meanwhile_is_told_and_stays(http: httpx.Client, two: tuple[str, str]) -> None:
    first, second = two
    plan = planned(http)
    done(do(http, first, "reassign", team="T1", unit="T1-V1", note="我去", actor="二号席"))
    answers = done(http.post("/api/assignment", json=taken(plan), params={"lang": "zh"}))["answers"]
    assert [(one["case"], one["status"], one["problem"]["code"]) for one in answers] == [
        (first, 409, "case_moved_on"),
        (second, 409, "unit_busy"),
    ]
    assert "二号席" in answers[0]["problem"]["detail"]
    assert first in answers[1]["problem"]["detail"], "whose it is now"
    assert (whole(http, first)["unit"], whole(http, second)["unit"]) == ("T1-V1", None)


def test_a_unit_that_may_not_go_any_more_is_not_sent(http: httpx.Client, two: tuple[str, str]) -> None:
    first, second = two
    plan = planned(http)
    stand(http, "T1-V2", FAR, on_shift=False)
    assert accepted(http, taken(plan)) == [(first, 409, "unit_cannot_go"), (second, 200, "")]
    assert whole(http, first)["unit"] is None
    left = planned(http)["left"]
    assert [(one["case"], one["why"]["code"], one["why"]["hindered"]) for one in left] == [
        (first, "no_unit", {"busy": 1, "off_shift": 1})
    ]


def test_only_cases_that_wait_are_given_a_unit(http: httpx.Client, two: tuple[str, str]) -> None:
    first, _ = two
    plan = planned(http)
    sent = done(do(http, first, "reassign", team="T1", unit="T1-V1", note="我去", actor="二号席"))
    pairs = [
        {"case": first, "unit": "T1-V2", "seq": sent["seq"]},
        {"case": "none", "unit": "T1-V2", "seq": 1},
        {"case": plan["pairs"][1]["case"], "unit": "T2-V1", "seq": 1},
    ]
    body = {"id": str(uuid4()), "token": plan["token"], "pairs": pairs}
    assert [code for _, _, code in accepted(http, body)] == ["case_moved_on", "unknown_case", "unknown_unit"]
    assert whole(http, first)["unit"] == "T1-V1"


def test_two_who_accept_at_once_never_send_one_unit_twice(http: httpx.Client, two: tuple[str, str]) -> None:
    first, second = two
    straight, crossed = {first: "T1-V1", second: "T1-V2"}, {first: "T1-V2", second: "T1-V1"}
    token = planned(http)["token"]
    bodies = [
        {
            "id": str(uuid4()),
            "token": token,
            "pairs": [{"case": case, "unit": unit, "seq": 1} for case, unit in pairs.items()],
            "actor": actor,
        }
        for actor, pairs in (("甲席", straight), ("乙席", crossed), ("丙席", straight))
    ]
    with ThreadPoolExecutor(3) as pool:
        answers = [one for found in pool.map(lambda body: accepted(http, body), bodies) for one in found]
    cases = [whole(http, case) for case in two]
    units = [case["unit"] for case in cases if case["unit"]]
    assert len(units) == len(set(units)) == sum(status == 200 for _, status, _ in answers)
    assert {code for _, status, code in answers if status != 200} <= {"case_moved_on", "unit_busy"}
    assert all(case["seq"] == (2 if case["unit"] else 1) for case in cases)


async def migrated(url: str) -> None:
    engine = open_engine(url, 1)
    await migrate(engine)
    await engine.dispose()


def test_the_command_centre_has_a_moment_where_that_is_worth_it(database_url: str, made: Ground) -> None:
    """And no longer; and nobody urgent waits for it."""
    asyncio.run(migrated(database_url))
    first, second = wait(database_url, made, [at(BETWEEN), at(BEYOND)], [30, 1])
    now = datetime.now(UTC)
    fleet = Fleet(made.district, timedelta(minutes=5))
    stands = [Position("T1-V1", NEAR, LAT, now), Position("T1-V2", FAR, LAT, now)]
    fleet.learn([Known(one, one) for one in stands], now)

    async def look(hold_s: float) -> None:
        engine = open_engine(database_url, 3)
        editions = Editions(engine, made)
        await editions.start(now)
        worth = partial(assigning.worth_holding, engine, editions, fleet, hold_s)
        hold = Hold(worth, hold_s)
        assert not await worth_at(engine, editions, 1e6), "for so long it is not"
        assert await hold.holds(now)
        assert await offer_waiting(engine, editions, fleet, now, urgent_only=True) == 0
        (third,) = await asyncio.to_thread(wait, database_url, made, [{**at(BEYOND), "matter": "0102"}])
        assert await hold.holds(now + timedelta(seconds=hold_s - 1))
        assert await offer_waiting(engine, editions, fleet, now, urgent_only=True) == 1
        assert not await worth(now), "with one unit left there is nothing to choose"
        assert not await hold.holds(now + timedelta(seconds=hold_s + 1))
        assert await offer_waiting(engine, editions, fleet, now) == 1
        async with connect(engine) as connection:
            found = [await cases.which_case(connection, number) for number in (first, second, third)]
        assert [one.unit if one else "" for one in found] == ["T1-V2", None, "T1-V1"]
        await engine.dispose()

    async def worth_at(engine: AsyncEngine, editions: Editions, wait_s: float) -> bool:
        return await assigning.worth_holding(engine, editions, fleet, wait_s, now)

    asyncio.run(look(60))


def test_what_is_no_acceptance_is_refused_whole(http: httpx.Client) -> None:
    pair = {"case": "1", "unit": "U", "seq": 1}
    good = {"id": str(uuid4()), "token": "0" * 32, "pairs": [pair]}
    wrongs: list[Json] = [{"pairs": []}, {"token": "x"}, {"pairs": [{**pair, "seq": 0}]}, {"id": "1"}]
    for wrong in (*wrongs, {"pairs": [pair] * 501}):
        answer = http.post("/api/assignment", json={**good, **wrong})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
