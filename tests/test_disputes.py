"""Disputes: opened by the second return, ruled by the coordination office, and not coming twice."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import anyio
import httpx
import pytest
from typer.testing import CliRunner

from dispatch import disputes, district, editions
from dispatch.cli import app
from dispatch.database import Running
from dispatch.disputes import Ruling, draft, grown
from dispatch.district import District
from dispatch.handover import table_of
from dispatch.model import Rule
from dispatch.proof import prove
from dispatch.store.engine import open_engine
from geo.grid import Metric
from geo.locate import Locator
from tests.life import EAST, WEST, Json, do, done, opened, refused, small_server, verified, whole
from tests.sample import sample
from tests.small_district import write_small_district
from tests.small_tables import BASE, CLASSES, LAYERS, MATTERS, TEAMS, at, rule


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = write_small_district(tmp_path_factory.mktemp("disputes") / "small")
    matters = made / "matters.csv"
    matters.write_text(matters.read_text("utf-8") + "0102,占道,Obstruction,D1,,3,72,false\n", "utf-8")
    return made


@pytest.fixture(scope="module")
def served(postgis: Running, folder: Path) -> Iterator[tuple[str, str]]:
    with small_server(postgis, "disputes", folder) as found:
        yield found


@pytest.fixture
def http(served: tuple[str, str]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served[1], timeout=60) as client:
        yield client


def disputed(http: httpx.Client, **more: object) -> str:
    """A case of the west that both teams returned."""
    case = opened(http, WEST, **more)
    done(do(http, case, "return", note="是东镇的", team="T2", reason="not_our_place", actor="西队"))
    done(do(http, case, "reassign", team="T2", note="改派"))
    assert done(do(http, case, "return", note="是西镇的", actor="东队"))["state"] == "disputed"
    return case


def of(http: httpx.Client, case: str) -> Json:
    rows = [one for one in http.get("/api/disputes").json()["items"] if one["case"] == case]
    found: Json = rows[0]
    return found


def test_the_second_return_opens_a_dispute_between_the_two(http: httpx.Client) -> None:
    case = disputed(http)
    assert whole(http, case)["unit"] is None
    assert refused(do(http, case, "reassign", team="T1", note="x")) == (409, "action_not_allowed")
    found = of(http, case)
    assert (found["sides"], found["open"], found["ruling"], found["grounds"]) == (["T2", "T1"], True, None, [])
    assert [(one["team"], one.get("reason")) for one in found["returns"]] == [("T1", "not_our_place"), ("T2", None)]
    assert refused(do(http, case, "state_ground", note="x", team="T9")) == (409, "not_a_side")
    for team in ("T1", "T2"):
        done(do(http, case, "state_ground", team=team, note=f"{team}的理由", role="team"))
    assert refused(do(http, case, "rule", team="T1", note="x", role="dispatcher")) == (403, "role_may_not")
    assert refused(http.get(f"/api/disputes/{found['id']}/draft-row")) == (409, "not_ruled")
    ruled = done(do(http, case, "rule", team="T1", note="按属地", role="coordinator", actor="协调机构"))
    assert (ruled["state"], ruled["team"], ruled["unit"]) == ("assigned", "T1", "T1-V1")
    found = http.get(f"/api/disputes/{found['id']}").json()
    assert (found["open"], found["ended_by"], found["ruling"]["team"], found["ruling"]["note"]) == (
        False,
        "rule",
        "T1",
        "按属地",
    )
    assert [(one["team"], one["note"]) for one in found["grounds"]] == [("T1", "T1的理由"), ("T2", "T2的理由")]
    assert http.get(f"/api/disputes/{found['id']}/draft-row").json()["status"] == "covered", "the table says so already"
    do(http, case, "cancel", note="x")


def test_a_ruled_case_that_is_returned_once_more_is_in_dispute_again(http: httpx.Client) -> None:
    case = disputed(http)
    done(do(http, case, "rule", team="T1", note="按属地"))
    assert done(do(http, case, "return", note="仍非本队", team="T2"))["state"] == "disputed"
    ids = [one["id"] for one in http.get("/api/disputes").json()["items"] if one["case"] == case]
    assert len(ids) == 2
    moved = done(do(http, case, "relocate", **EAST))
    assert (moved["state"], moved["team"]) == ("assigned", "T2"), "the place was wrong: nothing is left to rule"
    assert http.get(f"/api/disputes/{ids[0]}").json()["ended_by"] == "relocate"
    assert refused(http.get(f"/api/disputes/{ids[0]}/draft-row")) == (409, "not_ruled")
    do(http, case, "cancel", note="x")


def test_the_list_is_paged_and_filtered(http: httpx.Client) -> None:
    cases = [disputed(http) for _ in range(3)]
    done(do(http, cases[0], "rule", team="T1", note="x"))
    every: list[Json] = []
    cursor: str | None = None
    while True:
        page = http.get("/api/disputes", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        every, cursor = every + page["items"], page["next"]
        if cursor is None:
            break
    assert [one["id"] for one in every] == [one["id"] for one in http.get("/api/disputes").json()["items"]]
    open_ones = {one["case"] for one in http.get("/api/disputes", params={"open": True}).json()["items"]}
    assert open_ones & set(cases) == set(cases[1:])
    over = {one["case"] for one in http.get("/api/disputes", params={"open": False}).json()["items"]}
    assert cases[0] in over
    assert refused(http.get("/api/disputes", params={"cursor": "x"})) == (422, "invalid_cursor")
    assert refused(http.get(f"/api/disputes/{uuid4()}")) == (404, "unknown_dispute")
    for case in cases:
        do(http, case, "cancel", note="x")


def test_the_same_dispute_does_not_come_twice(http: httpx.Client, served: tuple[str, str], folder: Path) -> None:
    """The ruling as a row, enacted: a new report at the same place and matter goes to the ruled team at once."""
    case = disputed(http, matter="0102")
    done(do(http, case, "rule", team="T2", note="占道由东队负责"))
    drafted = http.get(f"/api/disputes/{of(http, case)['id']}/draft-row").json()
    assert drafted["status"] == "new"
    assert {name: drafted["row"][name] for name in ("township", "water", "matter", "team")} == {
        "township": "990001001",
        "water": "",
        "matter": "0102",
        "team": "T2",
    }
    url = served[0]
    out = folder.with_name("rules-draft.csv")
    environment = {"ONEGRID_DATABASE_URL": url, "ONEGRID_DISTRICT": str(folder)}
    result = CliRunner().invoke(app, ["disputes", "drafts", "-o", str(out), "--json"], env=environment)
    assert result.exit_code == 0, result.output
    items = json.loads(result.stdout)["items"]
    assert {one["status"] for one in items} == {"new", "covered"}
    rows = list(csv.DictReader(io.StringIO(out.read_text("utf-8"))))
    assert rows == [drafted["row"]]
    again = folder.with_name("again")
    again.mkdir()
    for path in folder.iterdir():
        (again / path.name).write_bytes(path.read_bytes())
    rules = again / "rules.csv"
    rules.write_text(rules.read_text("utf-8") + out.read_text("utf-8").split("\n", 1)[1], "utf-8")
    (again / "district.toml").write_text(
        (again / "district.toml").read_text("utf-8").replace('edition = "1"', 'edition = "2"'), "utf-8"
    )

    async def enact() -> None:
        engine = open_engine(url, 1)
        try:
            now = datetime.now(UTC)
            await editions.enact(engine, district.load(again), now - timedelta(seconds=1), now)
        finally:
            await engine.dispose()

    anyio.run(enact)
    new, other = opened(http, WEST, matter="0102"), opened(http, WEST, matter="0101")
    assert (whole(http, new)["team"], whole(http, new)["decision"]["rule"]) == ("T2", drafted["row"]["code"])
    assert whole(http, other)["team"] == "T1"
    assert http.get(f"/api/disputes/{of(http, case)['id']}/draft-row").json()["status"] == "covered"
    for one in (case, new, other):
        do(http, one, "cancel", note="x")


def test_the_record_of_all_that_holds(served: tuple[str, str]) -> None:
    passed, figures = verified(served[0])
    assert passed, figures


# --- the row that a ruling comes to, on the sample district ---


@pytest.fixture(scope="module")
def locator() -> Locator:
    return Locator(sample().layers)


def settled(given: District) -> bool:
    """The slow proof."""
    table = table_of(given)
    return not table.faults and not prove(table, given.layers, Metric(given.metric_crs)).unsettled


def ruling(matter: str, team: str) -> Ruling:
    return Ruling(str(uuid4()), "C1", matter, team, "2026-11-23")


def middle_of(layer: str, kind: str = "") -> tuple[float, float]:
    shape = next(zone for zone in sample().layers[layer].zones if not kind or zone.kind == kind).geometry
    point = shape.representative_point()
    return point.x, point.y


@pytest.mark.parametrize(
    ("layer", "kind", "matter"),
    [("township", "", "0102"), ("water", "", "2103"), ("joint", "", "2102"), ("dedicated", "market", "0501")],
)
def test_a_drafted_row_is_right_everywhere(locator: Locator, layer: str, kind: str, matter: str) -> None:
    place = locator.at(*middle_of(layer, kind))
    before = table_of(sample())
    team = next(code for code in sample().teams if code != before.team(place, matter))
    given = ruling(matter, team)
    found = draft(sample(), place, given)
    if found.status == "tie":
        assert layer == "dedicated", "only zones that overlap each other can stand in the way"
        assert found.against
        return
    assert found.status == "new"
    assert found.row is not None
    with_it = grown(sample(), found)
    assert settled(with_it)
    after = table_of(with_it)
    assert after.team(place, matter) == team
    others = [code for code in (*sample().matters, *sample().classes) if code != matter]
    assert all(after.team(place, code) == before.team(place, code) for code in others)
    assert draft(with_it, place, given).status == "covered"
    changed = draft(with_it, place, ruling(matter, before.team(place, matter)))
    assert (changed.status, changed.against) == ("replaces", (found.row.code,))
    assert settled(grown(with_it, changed))


def test_a_row_that_would_tie_is_not_offered(locator: Locator) -> None:
    """Two rows that cross at the place's own zone and matter: any row for the place meets one of them."""
    place = locator.at(*middle_of("township"))
    assert draft(sample(), place, ruling("nothing", "T01")).status == "unknown"
    assert draft(sample(), place, ruling("0101", "T99")).status == "unknown"
    assert draft(sample(), {}, ruling("0101", "T01")).status == "unknown"


def test_zones_that_overlap_can_make_a_row_impossible() -> None:
    """A school that reaches into a market: a row for the school alone ties with the market's where both are."""
    crossing = (BASE[0], BASE[1], rule("M", "W", dedicated="~market", water="-", matter="0101"))
    given = replace(
        sample(), layers=LAYERS, rules=crossing, classes=CLASSES, matters=MATTERS, teams=dict.fromkeys(TEAMS)
    )
    assert settled(given)
    place = at(1.2, 1.2)
    assert [zone.code for zone in place["dedicated"]] == ["S1"]
    found = draft(given, place, ruling("0101", "J"))
    assert (found.status, found.against) == ("tie", ("M",))


def test_csv_has_the_columns_of_the_folder() -> None:
    row = Rule("Z1", "A", "", "-", "", "0101", "T1", "备注, 逗号", "note")
    (back,) = csv.DictReader(io.StringIO(disputes.as_csv([row])))
    assert back == disputes.as_row(row)
    header = (sample().folder / "rules.csv").read_text("utf-8").splitlines()[0]
    assert disputes.as_csv([]).strip() == header
