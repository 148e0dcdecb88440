"""A report that is sent as the same as an open case: in one go, kept with its reporter, and answered."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest

from dispatch.database import Running
from dispatch.joining import SAID
from tests.life import Json, do, done, opened, refused, small_server, verified, walk, whole
from tests.small_district import TOML, write_small_district


@pytest.fixture(scope="module")
def address(
    postgis: Running, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    folder = write_small_district(tmp_path_factory.mktemp("joining") / "small")
    (folder / "district.toml").write_text(TOML + "\n[duplicates]\nradius_m = 60\nhours = 48\n", encoding="utf-8")
    with small_server(postgis, "joining", folder) as both:
        yield both


@pytest.fixture
def http(address: tuple[str, str]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address[1], timeout=30) as made:
        yield made


def draft(north: float, **more: object) -> Json:
    """Each test has a place of its own."""
    return {"id": str(uuid4()), "lon": 120.02, "lat": 30.0 + north, "accuracy_m": 8, "matter": "0101", **more}


def sent(http: httpx.Client, body: Json, status: int = 201) -> Json:
    answer = http.post("/api/reports", json=body)
    assert answer.status_code == status, answer.text
    found: Json = answer.json()
    return found


def test_it_is_opened_and_merged_in_one_go_and_its_reporter_is_answered(
    http: httpx.Client, address: tuple[str, str]
) -> None:
    lead = sent(http, draft(0.01))
    before = whole(http, lead["case"])
    body = draft(0.01, joins=lead["case"], contact={"name": "示意", "phone": "000"})
    told = sent(http, body)
    assert (told["joined"], told["state"], told["known"]) == (lead["case"], "merged", False)
    assert told["unit"] is None
    assert told["decision"]["notes"][-1] == "joins"
    assert "held" not in told["decision"]["notes"]

    own = whole(http, told["case"])
    assert [one["action"] for one in own["history"]] == ["report", "merge"]
    assert own["history"][1]["note"] == SAID
    after = whole(http, lead["case"])
    assert [one["action"] for one in after["history"]] == [*(one["action"] for one in before["history"]), "joined"]
    for field in ("state", "team", "unit", "due_at", "changed_at"):
        assert after[field] == before[field]
    reporters = done(http.get(f"/api/cases/{lead['case']}/reporters"))["items"]
    assert [(one["report"], one["has_contact"]) for one in reporters] == [
        (lead["report"], False),
        (body["id"], True),
    ]
    assert "随上报并入" in str(done(http.get(f"/api/cases/{told['case']}/why")))

    again = sent(http, body, 200)
    assert (again["case"], again["joined"], again["known"]) == (told["case"], lead["case"], True)
    assert whole(http, lead["case"])["seq"] == after["seq"], "the same report again joins nothing again"
    assert sent(http, {**body, "joins": ""}, 200)["case"] == told["case"]

    walk(http, lead["case"], "accept", "arrive", "handle", "close")
    standing = done(http.get(f"/api/reports/{body['id']}"))
    assert (standing["lead"], standing["state"], standing["over"]) == (lead["case"], "closed", True)
    assert verified(address[0])[0]


def test_no_unit_is_taken_for_it(http: httpx.Client) -> None:
    """Who is free stays free, however many are joined."""
    lead = sent(http, draft(0.02))
    walk(http, lead["case"], "accept", "arrive", "handle")
    on_case = {one["code"]: one["case"] for one in done(http.get("/api/units"))["items"]}
    for _ in range(4):
        assert sent(http, draft(0.02, joins=lead["case"]))["unit"] is None
    assert {one["code"]: one["case"] for one in done(http.get("/api/units"))["items"]} == on_case


def test_what_was_merged_leads_on(http: httpx.Client) -> None:
    lead, other = opened(http, {"lon": 120.02, "lat": 30.03}), opened(http, {"lon": 120.02, "lat": 30.03})
    done(do(http, other, "merge", into=lead))
    assert sent(http, draft(0.03, joins=other))["joined"] == lead


def test_what_cannot_be_joined_opens_its_own_case(http: httpx.Client) -> None:
    """Over, unknown, elsewhere: nothing is refused for it, and nothing is lost."""
    over = opened(http, {"lon": 120.02, "lat": 30.04})
    done(do(http, over, "cancel", note="示意"))
    near = opened(http, {"lon": 120.02, "lat": 30.05})
    for body in (
        draft(0.04, joins=over),
        draft(0.04, joins="none"),
        draft(0.06, joins=near),
    ):
        told = sent(http, body)
        assert told["joined"] is None
        assert told["state"] in ("assigned", "triage")
        assert "joins" not in told["decision"]["notes"]
    assert [one["action"] for one in whole(http, near)["history"]] == ["report"]
    assert refused(http.post("/api/reports", json=draft(0.04, joins="x" * 51)))[0] == 422


def test_many_at_once_are_all_joined(http: httpx.Client, address: tuple[str, str]) -> None:
    lead = opened(http, {"lon": 120.02, "lat": 30.07})
    bodies = [draft(0.07, joins=lead) for _ in range(12)]
    with ThreadPoolExecutor(13) as pool:
        answers = list(pool.map(lambda body: http.post("/api/reports", json=body), [*bodies, bodies[0]]))
    assert sorted(one.status_code for one in answers) == [200, *[201] * 12]
    assert {one.json()["joined"] for one in answers} == {lead}
    assert whole(http, lead)["seq"] == 13
    assert len(done(http.get(f"/api/cases/{lead}/reporters"))["items"]) == 13
    assert verified(address[0])[0]
