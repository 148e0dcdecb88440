"""A report that goes to its function at once is taken, or refused, as by the framework's own way."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import httpx
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.sample import sample

POINT = sample().layers["township"].zones[0].geometry.representative_point()
GOOD: dict[str, Any] = {"lon": POINT.x, "lat": POINT.y, "matter": "0101"}
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["118.9", " 0101 ", "2026-01-01T00:00:00Z", "2026-01-01", "wgs84", "WGS84", "grid_worker", "0x1f"]),
    st.lists(st.text(max_size=3), max_size=2),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
)
NAMES = ["id", "lon", "lat", "datum", "accuracy_m", "seen_at", "source", "matter", "text", "contact", "photos", "else"]


def said(client: httpx.Client, body: bytes, media_type: str) -> tuple[int, Any]:
    answer = client.post("/api/reports", content=body, headers={"Content-Type": media_type})
    found = answer.json()
    if answer.status_code == 201:
        return 201, (found["filled"], found["team"], found["decision"]["zones"], found["decision"]["radius_m"])
    # Of a report that conflicts with one before the numbers of the cases differ.
    return answer.status_code, found if answer.status_code != 409 else found["code"]


def both_ways(client: httpx.Client, body: bytes) -> None:
    assert said(client, body, "application/json") == said(client, body, "application/json; charset=utf-8")


@given(st.dictionaries(st.sampled_from(NAMES), ODD, max_size=3), st.sets(st.sampled_from(["lon", "lat", "matter"])))
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@example({"text": "\x00"}, set())
@example({"lon": float("nan")}, set())
@example({"seen_at": 1e300}, set())
def test_both_ways_say_the_same(client: httpx.Client, odd: dict[str, Any], missing: set[str]) -> None:
    body = {name: value for name, value in GOOD.items() if name not in missing} | odd
    if body.get("id"):
        body["id"] = str(body["id"])
    both_ways(client, json.dumps(body, ensure_ascii=False).encode(errors="surrogatepass"))


def test_what_is_not_json_is_refused_alike(client: httpx.Client) -> None:
    good = json.dumps(GOOD)
    bodies = [b"", b"{", b"[]", b"null", b"\xff\xfe", good.encode("utf-16"), good.encode("utf-8-sig"), b"1"]
    bodies += [good.replace("}", ",}").encode(), good.replace("0101", "\\ud800").encode(), (good + " x").encode()]
    bodies.append(good[:-1].encode() + b',"matter":"0102"}')  # the last of two of a name counts
    for body in bodies:
        both_ways(client, body)


def test_the_same_id_again_is_known_either_way(client: httpx.Client) -> None:
    body = json.dumps({**GOOD, "id": str(uuid4())}).encode()
    answers = [
        client.post("/api/reports", content=body, headers={"Content-Type": media_type})
        for media_type in ("application/json", "application/json; charset=utf-8", "application/json")
    ]
    assert [one.status_code for one in answers] == [201, 200, 200]
    assert len({one.json()["case"] for one in answers}) == 1
