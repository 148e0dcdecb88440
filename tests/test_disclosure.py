"""Who reported a case: told to whoever says why, recorded, and in nobody's way."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from dispatch.audit import Event, seal
from dispatch.disclosure import RETRY, Asking, entry, is_again
from dispatch.settings import Settings
from dispatch.store.disclosures import Done, Facts
from tests.recorded import driver
from tests.sample import sample
from tests.serving import serving

CONTACT = {"name": "某人", "phone": "000"}


@pytest.fixture(scope="module")
def url(postgis: Any) -> str:
    with psycopg.connect(postgis.conninfo("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE asked TEMPLATE onegrid")
    return str(postgis.url_of("asked"))


@pytest.fixture(scope="module")
def asked(url: str) -> Iterator[httpx.Client]:
    with serving(Settings(database_url=url)) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield client


@pytest.fixture
def case(asked: httpx.Client) -> str:
    point = sample().layers["township"].zones[0].geometry.representative_point()
    sent = {"lon": point.x, "lat": point.y, "matter": "0101", "contact": CONTACT}
    return str(asked.post("/api/reports", json=sent).json()["case"])


def ask(client: httpx.Client, case: str, **more: str) -> httpx.Response:
    return client.post(f"/api/cases/{case}/contact", json={"actor": "值班员", "reason": "回访处置结果", **more})


def act(client: httpx.Client, case: str, action: str, **more: object) -> httpx.Response:
    return client.post(f"/api/cases/{case}/actions", json={"id": str(uuid4()), "action": action, **more})


def test_it_is_answered_and_recorded(asked: httpx.Client, case: str) -> None:
    before = asked.get(f"/api/cases/{case}").json()
    assert "某人" not in str(before)
    answer = ask(asked, case)
    assert (answer.status_code, answer.json()) == (200, {"case": case, "contact": CONTACT})
    assert answer.headers["Cache-Control"] == "no-store"
    after = asked.get(f"/api/cases/{case}").json()
    step = after["history"][-1]
    assert (step["action"], step["actor"], step["note"], step["seq"]) == ("disclose", "值班员", "回访处置结果", 2)
    assert step["after"] == before["history"][-1]["after"]
    unchanged = set(before) - {"history", "seq"}
    assert {name: after[name] for name in unchanged} == {name: before[name] for name in unchanged}
    assert "某人" not in str(after)


def test_without_a_reason_or_a_name_nothing_is_told(asked: httpx.Client, case: str) -> None:
    for given in ({"reason": " "}, {"actor": ""}, {"reason": "\x00"}):
        assert ask(asked, case, **given).status_code == 422
    assert ask(asked, "0").json()["code"] == "unknown_case"
    assert asked.get(f"/api/cases/{case}").json()["seq"] == 1


def test_who_acts_meanwhile_is_not_refused_for_it(asked: httpx.Client, case: str) -> None:
    ask(asked, case)
    ask(asked, case)
    assert act(asked, case, "accept", seq=1).status_code == 200
    refused = act(asked, case, "return", note="x", seq=1)
    assert refused.json()["code"] == "case_moved_on"
    ask(asked, case)
    again = act(asked, case, "return", note="x", seq=3)
    assert again.json()["code"] == "case_moved_on", "somebody accepted it in step 4"
    assert "接受" in again.json()["detail"], "what is told is what was done, not who read it"
    assert act(asked, case, "arrive", seq=6).json()["code"] == "case_moved_on", "no such step yet"
    assert act(asked, case, "arrive", seq=5).status_code == 200


def test_many_who_read_and_one_who_acts_all_get_their_way(asked: httpx.Client, case: str) -> None:
    with ThreadPoolExecutor(5) as pool:
        reading = [pool.submit(ask, asked, case) for _ in range(4)]
        acting = pool.submit(act, asked, case, "accept", seq=1)
        assert acting.result().status_code == 200
        assert [one.result().status_code for one in reading] == [200] * 4
    history = asked.get(f"/api/cases/{case}").json()["history"]
    assert sorted(step["action"] for step in history) == ["accept", *["disclose"] * 4, "report"]


def test_the_same_id_asks_once(asked: httpx.Client, case: str, url: str) -> None:
    given = str(uuid4())
    assert [ask(asked, case, id=given).status_code for _ in range(2)] == [200, 200]
    assert asked.get(f"/api/cases/{case}").json()["seq"] == 2
    assert ask(asked, case, id=given, actor="别人").json()["code"] == "action_conflicts"
    assert ask(asked, case, id=given, reason="别的").json()["code"] == "action_conflicts"
    with psycopg.connect(driver(url)) as connection:
        row = connection.execute("SELECT id FROM report LIMIT 1").fetchone()
    assert row is not None
    assert ask(asked, case, id=str(row[0])).json()["code"] == "action_conflicts"


def test_after_some_minutes_the_same_id_is_no_excuse() -> None:
    now = datetime.now(UTC)
    asking = Asking(UUID(int=1), "1", "甲", "回访")
    done = Done("1", "disclose", "甲", "回访", now)
    facts = Facts(2, bytes(32), {"state": "assigned"}, done)
    assert is_again(asking, facts, now + RETRY - timedelta(seconds=1))
    assert not is_again(asking, facts, now + RETRY)
    for other in (
        replace(done, case="2"),
        replace(done, action="accept"),
        replace(done, actor=""),
        replace(done, note=""),
    ):
        assert not is_again(asking, replace(facts, done=other), now)


def test_the_event_says_what_stood_there_before() -> None:
    now = datetime.now(UTC)
    after = {"state": "assigned", "whatever": [1, {"else": None}]}
    made = entry(Asking(UUID(int=1), "1", "甲", "回访"), Facts(2, b"p" * 32, after, None), now)
    event = Event(str(UUID(int=1)), "1", 3, now, "disclose", "甲", {"after": after, "note": "回访"}, b"p" * 32)
    assert (made.event, made.sealed) == (event, seal(event))
