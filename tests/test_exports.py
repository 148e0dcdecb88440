"""The analyst's files, read back by the programs that will read them."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import geopandas
import numpy as np
import pyogrio
import pytest
import shapely
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from dispatch.district import District
from dispatch.errors import InvalidInput, UnknownFormat, UnknownMatter, UnknownTeam, UnknownZone
from dispatch.ground import Ground, prepare
from dispatch.settings import Settings
from tests.analyst import SAMPLE, cases_at, november, place, renamed, small_district, some_cases
from web.counted import COLUMNS, summary, table
from web.exports import WRITERS, heatmap_file, safe_cell, select, write
from web.tally import tally


@pytest.fixture(scope="module")
def district() -> District:
    return small_district()


@pytest.fixture(scope="module")
def ground(district: District) -> Ground:
    return prepare(district)


# --- what is counted ---------------------------------------------------------------------------------------------


def test_every_case_is_counted_once_and_zones_without_cases_stay(district: District) -> None:
    rows = some_cases(district, 400)
    counted = tally(rows, district, november())
    expected = {zone.code: 0 for zone in district.layers["grid"].zones}
    for code in rows.grid.tolist():
        expected[code] += 1
    columns = table(counted)
    assert dict(zip(columns["code"], columns["count"], strict=True)) == expected
    assert sum(columns["share"]) == pytest.approx(1, abs=1e-6)
    assert 0 in columns["count"]
    assert sum(n for _, n, _ in counted.by_township) == 400
    assert {town.name for town, _, _ in counted.by_township} == {"东镇", "西镇"}


def test_a_case_without_a_known_grid_is_placed_where_it_lies(district: District) -> None:
    inside, edge, outside = place(3.5, 2.5), place(5, 1), (100.0, 20.0)
    lon, lat = np.array([inside, inside, edge, outside]).T
    rows = cases_at(lon, lat, district, ["G000", "of an older edition", "", ""])
    counted = tally(rows, district, november())
    columns = table(counted)
    found = {code: n for code, n in zip(columns["code"], columns["count"], strict=True) if n}
    corner = min(code for code in ("G004", "G005", "G016", "G017"))
    assert found == {"G000": 1, "G027": 1, corner: 1}
    assert counted.counts.nowhere == 1
    assert "1 件不在网格内" in counted.number.zh


@pytest.mark.parametrize("zone", ["900001", "township:900001"])
def test_a_township_counts_on_its_own_grids_alone(district: District, zone: str) -> None:
    counted = tally(some_cases(district, 50), district, november(zone=zone))
    assert [z.code for z in counted.layer.zones] == [f"G{k:03d}" for k in range(96) if k % 12 >= 6]
    assert counted.title.zh == "试验区西镇案件热力图"


def test_a_lake_counts_on_the_grids_that_share_its_ground(district: District) -> None:
    counted = tally(some_cases(district, 50), district, november(zone="W1"))
    assert [z.code for z in counted.layer.zones] == [f"G{r * 12 + c:03d}" for r in (2, 3, 4) for c in (4, 5, 6, 7)]


def test_a_district_without_grids_counts_on_townships(district: District) -> None:
    bare = replace(district, layers={name: layer for name, layer in district.layers.items() if name != "grid"})
    columns = table(tally(some_cases(district, 60), bare, november()))
    assert columns["code"] == ["900000", "900001"]
    assert sum(columns["count"]) == 60


@pytest.mark.parametrize(
    ("chosen", "error"),
    [
        ({"team": "nobody"}, UnknownTeam),
        ({"matter": "9999"}, UnknownMatter),
        ({"zone": "nowhere"}, UnknownZone),
        ({"zone": "water:900001"}, UnknownZone),
        ({"zone": "nolayer:900001"}, UnknownZone),
    ],
)
def test_what_the_district_has_not_is_refused(
    district: District, chosen: dict[str, str], error: type[Exception]
) -> None:
    with pytest.raises(error):
        write("csv", some_cases(district, 3), district, november(**chosen))


# --- files -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [0, 300])
def test_csv_opens_in_excel(district: District, n: int) -> None:
    rows = some_cases(district, n)
    export = write("csv", rows, district, november())
    assert export.content.startswith(b"\xef\xbb\xbf")
    assert export.content.count(b"\r\n") == 97
    assert export.filename == "onegrid-900-heatmap-2026-11-01_2026-11-30.csv"
    header, *lines = csv.reader(io.StringIO(export.content.decode("utf-8-sig")))
    assert [cell.split()[-1] for cell in header] == list(COLUMNS)
    assert header[0].startswith("网格编码")
    columns = table(tally(rows, district, november()))
    assert lines == [[str(columns[name][k]) for name in COLUMNS] for k in range(96)]


@pytest.mark.parametrize("name", ["=1+1", "+86", "-2", "@SUM(A1)", "\tx", "＝1+1", '=HYPERLINK("x")'])
def test_csv_runs_no_formula(district: District, name: str) -> None:
    export = write("csv", some_cases(district, 0), renamed(district, name), november())
    lines = list(csv.reader(io.StringIO(export.content.decode("utf-8-sig"), newline="")))
    assert lines[1][1] == f"'{name}"
    assert lines[1][10] == "0.0"


@given(st.text())
def test_no_text_cell_starts_a_formula(text: str) -> None:
    assert not str(safe_cell(text)).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert str(safe_cell(text)).endswith(text)


def _same_as_counted(frame: geopandas.GeoDataFrame, district: District, n: int) -> None:
    columns = table(tally(some_cases(district, n), district, november()))
    assert len(frame) == 96
    for name in COLUMNS:
        assert frame[name].tolist() == columns[name], name
    assert frame.crs == "EPSG:4326"
    drawn = np.array([zone.geometry for zone in district.layers["grid"].zones])
    assert np.asarray(shapely.area(shapely.symmetric_difference(frame.geometry.to_numpy(), drawn))).max() < 1e-8


@pytest.mark.parametrize("n", [0, 300])
def test_geojson_reads_back_equal(district: District, n: int) -> None:
    export = write("geojson", some_cases(district, n), district, november())
    _same_as_counted(pyogrio.read_dataframe(io.BytesIO(export.content)), district, n)
    document = json.loads(export.content)
    assert (document["from"], document["to"], document["cases"]) == ("2026-11-01", "2026-11-30", n)
    assert "示意" in document["notes"]
    assert "chematic" in document["notes_en"]
    ring = shapely.geometry.shape(document["features"][0]["geometry"]).exterior
    assert ring.is_ccw


@pytest.mark.parametrize("n", [0, 300])
def test_geopackage_reads_back_equal(district: District, tmp_path: Path, n: int) -> None:
    path = tmp_path / "heat.gpkg"
    rows = some_cases(district, n)
    heatmap_file(path, rows, district, november())
    layers = dict(pyogrio.list_layers(path).tolist())
    assert layers == {
        "grid_counts": "MultiPolygon",
        "cases": "Point",
        "township": "MultiPolygon",
        "water": "MultiPolygon",
        "district": "MultiPolygon",
        "summary": None,
    }
    _same_as_counted(pyogrio.read_dataframe(path, layer="grid_counts"), district, n)
    cases = pyogrio.read_dataframe(path, layer="cases")
    assert cases["case"].tolist() == rows.case.tolist()
    assert cases.geometry.x.tolist() == pytest.approx(rows.lon.tolist())
    if n:
        assert cases["received_at"].dt.tz_convert("UTC").iloc[0].isoformat() == "2026-11-03T01:02:03+00:00"
    told = pyogrio.read_dataframe(path, layer="summary")
    expected = summary(tally(rows, district, november()))
    assert dict(zip(told["key"], told["value"], strict=True)) == {key: str(value) for key, value in expected.items()}


def test_hot_spots_are_in_every_table(district: District) -> None:
    rows = some_cases(district, 600)
    counted = tally(rows, district, november())
    assert counted.spots.hot.sum() >= 4
    features = json.loads(write("geojson", rows, district, november()).content)["features"]
    hot = [f["id"] for f in features if f["properties"]["hot_spot"] == "hot"]
    assert hot == [zone.code for zone, flag in zip(counted.layer.zones, counted.spots.hot, strict=True) if flag]
    said = [f["properties"] for f in features if f["id"] in hot]
    assert max(facts["hot_spot_p"] for facts in said) <= 0.05
    assert min(facts["hot_spot_z"] for facts in said) >= 1.9599


def test_made_up_cases_are_said_to_be(district: District) -> None:
    document = json.loads(write("geojson", some_cases(district, 3), district, november(demonstration=True)).content)
    assert document["demonstration"] is True
    assert "虚构" in document["notes"]


def test_an_unknown_suffix_is_refused_and_the_older_file_stays(district: District, tmp_path: Path) -> None:
    path = tmp_path / "heat.shp"
    path.write_text("older")
    with pytest.raises(UnknownFormat):
        heatmap_file(path, some_cases(district, 3), district, november())
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]


# --- the selection -----------------------------------------------------------------------------------------------

NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)  # the 24th in China


def test_the_last_day_is_included(ground: Ground) -> None:
    chosen = select(ground, NOW, since="2026-11-01", until="2026-11-30")
    assert (chosen.since.isoformat(), chosen.until.isoformat()) == (
        "2026-11-01T00:00:00+08:00",
        "2026-12-01T00:00:00+08:00",
    )


def test_thirty_days_when_nothing_is_said(ground: Ground) -> None:
    chosen = select(ground, NOW)
    assert (chosen.since.isoformat(), chosen.until.isoformat()) == (
        "2026-10-26T00:00:00+08:00",
        "2026-11-25T00:00:00+08:00",
    )


def test_a_period_that_is_not_whole_days_says_its_hours(ground: Ground) -> None:
    chosen = select(ground, NOW, since="2026-11-01T08:00:00+08:00", until="2026-11-01T20:00:00+08:00")
    counted = tally(some_cases(ground.district, 0), ground.district, chosen)
    assert counted.period.en == "2026-11-01 08:00 to 2026-11-01 20:00"


@pytest.mark.parametrize(
    ("since", "until"),
    [
        ("2026-11-02", "2026-11-01"),
        ("yesterday", None),
        (None, "2026-13-01"),
        (None, "0001-01-01"),
        ("9999-12-31", None),
    ],
)
def test_a_period_that_cannot_be_is_refused(ground: Ground, since: str | None, until: str | None) -> None:
    with pytest.raises(InvalidInput):
        select(ground, NOW, since=since, until=until)


# --- over HTTP ---------------------------------------------------------------------------------------------------


def test_a_report_is_in_the_files_that_the_server_gives(database_url: str) -> None:
    from web.app import create

    with TestClient(
        create(Settings(database_url=database_url, district=SAMPLE)), base_url="http://127.0.0.1"
    ) as client:
        grid = client.get("/api/zones/grid").json()["features"][0]
        at = shapely.geometry.shape(grid["geometry"]).representative_point()
        matter = client.get("/api/matters").json()["items"][0]["code"]
        sent = client.post("/api/reports", json={"lon": at.x, "lat": at.y, "matter": matter}).json()
        team = sent["team"]["code"]

        def counted(**query: str) -> int:
            answer = client.get("/exports/heatmap.geojson", params=query)
            assert answer.status_code == 200, answer.text
            return sum(f["properties"]["count"] for f in answer.json()["features"])

        code = grid["properties"]["code"]
        features = client.get("/exports/heatmap.geojson").json()["features"]
        assert {f["id"]: f["properties"]["count"] for f in features if f["properties"]["count"]} == {code: 1}
        assert counted(team=team, matter=matter, zone=f"grid:{code}") == 1
        assert counted(matter=matter[:2], zone=code) == 1
        assert counted(zone=f"grid:{code}", **{"from": "2020-01-01", "to": "2020-01-31"}) == 0
        for suffix, (media_type, _) in WRITERS.items():
            answer = client.get(f"/exports/heatmap.{suffix}")
            assert answer.status_code == 200
            assert answer.headers["content-type"] == media_type
            assert f".{suffix}" in answer.headers["content-disposition"]

        def refused(path: str) -> tuple[int, str]:
            answer = client.get(path)
            assert answer.headers["content-type"] == "application/problem+json"
            return answer.status_code, answer.json()["code"]

        assert refused("/exports/heatmap.shp") == (404, "unknown_format")
        assert refused("/exports/heatmap.csv?team=%00") == (422, "unknown_team")
        assert refused("/exports/heatmap.csv?zone=x%22%0d%0a") == (422, "unknown_zone")
        assert refused("/exports/heatmap.csv?matter=77") == (422, "unknown_matter")
        assert refused("/exports/heatmap.csv?from=2026-02-30") == (422, "invalid_input")
