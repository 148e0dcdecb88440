"""Files of reports over HTTP: each row a case, once."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from tests.sample import sample

PLACE = sample().layers["township"].zones[0].geometry.representative_point()
HEADER = "编号,经度,纬度,事项,来源,描述\n"


def line(mark: str = "", matter: str = "0101", lon: float = PLACE.x, text: str = "") -> str:
    return f"{mark},{lon!r},{PLACE.y!r},{matter},网格员,{text or uuid4()}\n"


def send(client: httpx.Client, data: str | bytes, kind: str | None = "text/csv", **more: Any) -> httpx.Response:
    headers = {"Content-Type": kind} if kind else {}
    content = data.encode() if isinstance(data, str) else data
    return client.post("/api/reports/batch", content=content, headers=headers, **more)


def test_each_row_is_a_case_and_a_bad_one_stops_no_other(client: httpx.Client) -> None:
    text = HEADER + line() + line(matter="9999") + line(lon=1.0) + line(matter="101") + "short\n"
    answer = send(client, text)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["accepted"], body["known"]) == (2, 0)
    assert [(row["row"], row["code"]) for row in body["rejected"]] == [
        (3, "unknown_matter"),
        (4, "outside_district"),
        (6, "ragged_row"),
    ]
    assert [row["row"] for row in body["cases"]] == [2, 5]
    assert body["cases"][1]["notes"] == ["matter_zeros_restored"]
    case = client.get(f"/api/cases/{body['cases'][0]['case']}").json()
    assert case["team"] == body["cases"][0]["team"]
    assert case["matter"] == "0101"
    assert case["source"] == "grid_worker"


def test_the_same_file_again_makes_no_second_cases(client: httpx.Client, server_database: str) -> None:
    text = HEADER + line() + line() + line(text="twice") + line(text="twice")
    first = send(client, text).json()
    again = send(client, text).json()
    assert (first["accepted"], first["known"]) == (4, 0)
    assert (again["accepted"], again["known"]) == (0, 4)
    assert [row["case"] for row in again["cases"]] == [row["case"] for row in first["cases"]]
    assert len({row["case"] for row in first["cases"]}) == 4
    with psycopg.connect(server_database.replace("postgresql+psycopg", "postgresql")) as connection:
        wanted = [row["case"] for row in first["cases"]]
        found = connection.execute("SELECT count(*) FROM case_file WHERE case_no = ANY(%s)", (wanted,)).fetchone()
    assert found == (4,)


def test_ids_of_the_device_are_kept_and_conflicts_said(client: httpx.Client) -> None:
    mark = str(uuid4())
    body = send(client, HEADER + line(mark, text="a") + line(mark, text="a") + line(mark, text="b")).json()
    assert (body["accepted"], body["known"]) == (1, 1)
    assert [(row["row"], row["code"]) for row in body["rejected"]] == [(4, "report_conflicts")]


@pytest.mark.parametrize("kind", ["application/geo+json", "application/json; charset=utf-8", None, "text/plain"])
def test_geojson_by_its_type_or_by_its_look(client: httpx.Client, kind: str | None) -> None:
    point = {"type": "Point", "coordinates": [PLACE.x, PLACE.y]}
    properties = {"matter": "0101", "text": str(uuid4())}
    feature = {"type": "Feature", "geometry": point, "properties": properties}
    body = send(client, json.dumps({"type": "FeatureCollection", "features": [feature]}), kind).json()
    assert (body["accepted"], body["cases"][0]["row"]) == (1, 1)


def test_gbk_and_no_type_at_all(client: httpx.Client) -> None:
    body = send(client, (HEADER + line(text=f"占道经营{uuid4()}")).encode("gbk"), None).json()
    case = client.get(f"/api/cases/{body['cases'][0]['case']}").json()
    assert case["text"].startswith("占道经营")


@pytest.mark.parametrize(
    ("data", "kind", "status", "code"),
    [
        ("", "text/csv", 422, "empty_file"),
        (HEADER, "text/csv", 422, "empty_file"),
        ("lon,lat\n1,2\n", "text/csv", 422, "missing_column"),
        (HEADER + line(), "application/geo+json", 422, "unreadable_file"),
        (b"PK\x03\x04", "text/csv", 422, "unreadable_file"),
        (HEADER + line(text="x") * 10_001, "text/csv", 413, "batch_too_large"),
    ],
)
def test_files_that_are_refused_whole(
    client: httpx.Client, data: str | bytes, kind: str, status: int, code: str
) -> None:
    answer = send(client, data, kind)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_reasons_come_in_the_language_asked_for(client: httpx.Client) -> None:
    text = HEADER + line(matter="9999")
    assert "清单中没有" in send(client, text).json()["rejected"][0]["detail"]
    assert "No matter" in send(client, text, params={"lang": "en"}).json()["rejected"][0]["detail"]
