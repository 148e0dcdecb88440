"""A folder is loaded whole or refused whole: each way to break it is named, exactly, with its place."""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import shapely

from dispatch.competence import DecisionTable
from dispatch.district import check, findings_geojson, load
from dispatch.errors import BrokenDistrict
from dispatch.model import Mode, TeamKind
from geo.findings import Finding
from geo.grid import Metric
from tests.small_district import feature, square, write_features, write_small_district

SAMPLE = Path(__file__).parents[1] / "data" / "grids" / "gaochun"
METRIC = Metric("EPSG:4549")
Edit = Callable[[Path], object]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The sample district, to be broken."""
    return Path(shutil.copytree(SAMPLE, tmp_path / "copy", ignore=shutil.ignore_patterns("*.py", "__pycache__")))


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return write_small_district(tmp_path / "small")


def edited(file: Path, change: Callable[[list[dict[str, Any]]], object]) -> None:
    """Change the features of a GeoJSON file."""
    document = json.loads(file.read_text("utf-8"))
    change(document["features"])
    file.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")


def replaced(file: Path, old: str, new: str) -> None:
    """Change the text of a file, which must be there."""
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def kinds(findings: list[Finding]) -> Counter[tuple[str, str]]:
    return Counter((finding.code, finding.layer) for finding in findings)


# --- what is right ------------------------------------------------------------------------------------------------


def test_the_sample_is_right_and_loads_soon() -> None:
    assert check(SAMPLE) == []
    start = time.process_time()
    district = load(SAMPLE)
    assert time.process_time() - start < 2.0
    assert list(district.layers) == ["district", "township", "community", "grid", "dedicated", "water", "joint"]
    assert len(district.departments) == 22
    assert Counter(team.kind for team in district.teams.values()) == {
        TeamKind.TOWNSHIP: 8,
        TeamKind.WATER: 1,
        TeamKind.JOINT: 2,
        TeamKind.SPECIALIST: 6,
    }
    boats = [unit for unit in district.units.values() if unit.mode is Mode.BOAT]
    assert len(boats) >= 6
    assert {district.teams[unit.team].kind for unit in boats} == {TeamKind.WATER}
    assert {unit.team for unit in district.units.values()} == set(district.teams)
    assert all(not matter.legal_basis for matter in district.matters.values())


@pytest.mark.parametrize(
    ("where", "matter", "rule", "team"),
    [
        ((118.92, 31.29), "2103", "R002", "W01"),  # illegal fishing on the lake
        ((118.92, 31.29), "0105", "R002", "W01"),  # dirty water on it
        ((118.92, 31.29), "0101", "R002", "W01"),  # whatever else: only the water brigade gets there
        ((119.14, 31.36), "2103", "R020", "W01"),  # illegal fishing, seen from ashore
        ((119.14, 31.36), "0105", "R001", "T06"),  # on land: the township
        ((118.881, 31.336), "2102", "R010", "J"),  # zombie cars in the old town
        ((119.14, 31.36), "2102", "R001", "T06"),
        ((119.14, 31.36), "0403", "R031", "S03"),
    ],
)
def test_the_sample_decides_as_it_says(where: tuple[float, float], matter: str, rule: str, team: str) -> None:
    district = load(SAMPLE)
    at = shapely.Point(where)
    place = {n: [z for z in layer.zones if z.geometry.covers(at)] for n, layer in district.layers.items()}
    table = DecisionTable(district.rules, district.layers, district.classes, district.matters, district.teams)
    ruling = table.decide(place, matter)
    assert ruling.rule.code == rule
    assert ruling.team.startswith(team)


def test_a_small_district_loads(small: Path) -> None:
    assert [finding.text("en") for finding in check(small)] == []
    district = load(small)
    assert list(district.layers) == ["district", "township"]
    assert [zone.properties["team"] for zone in district.layers["township"].zones] == ["T1", "T2"]
    assert district.roads == ()
    assert district.settings.speeds_kmh["boat"] == 18
    assert district.version.startswith("990001@1+")


def test_the_version_is_of_the_content(small: Path, tmp_path: Path) -> None:
    twin = Path(shutil.copytree(small, tmp_path / "twin"))
    (twin / "notes.txt").write_text("not read")
    assert load(twin).version == load(small).version
    replaced(twin / "rules.csv", "default", "the default")
    assert load(twin).version != load(small).version


def test_a_byte_order_mark_and_blank_lines_do_no_harm(small: Path) -> None:
    file = small / "teams.csv"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n") + b"\r\n\r\n")
    assert check(small) == []


# --- what is broken in the sample ----------------------------------------------------------------------------------


def test_a_removed_grid_is_a_gap_of_its_own_size(folder: Path) -> None:
    gone: list[dict[str, Any]] = []
    edited(folder / "grids.geojson", lambda features: gone.append(features.pop(500)))
    (finding,) = check(folder)
    assert (finding.code, finding.layer) == ("gap", "grid")
    shape = shapely.geometry.shape(gone[0]["geometry"])
    assert finding.geometry is not None
    assert finding.geometry.symmetric_difference(shape).area < 1e-12
    assert finding.area_km2 == pytest.approx(METRIC.area_m2(shape) / 1e6, abs=1e-6)
    at = finding.geometry.representative_point()
    assert f"{at.x:.6f}, {at.y:.6f}" in finding.text("zh")


def test_a_grown_township_overlaps_its_neighbours_and_leaves_the_district(folder: Path) -> None:
    def grow(features: list[dict[str, Any]]) -> None:
        shape = shapely.geometry.shape(features[3]["geometry"]).buffer(0.001)
        features[3]["geometry"] = shapely.geometry.mapping(shape)

    edited(folder / "townships.geojson", grow)
    found = check(folder)
    assert {finding.code for finding in found} == {"overlap", "outside_district"}
    assert all("320118004" in finding.zones for finding in found)
    assert all(finding.area_km2 and finding.geometry is not None for finding in found)
    assert {z for f in found if f.code == "overlap" for z in f.zones} >= {"320118001", "320118003", "320118005"}


def test_a_vertex_moved_by_a_metre_is_found(folder: Path) -> None:
    """Somewhere inside the district, so that one neighbour loses what the other gains."""

    def move(features: list[dict[str, Any]]) -> None:
        ring = features[500]["geometry"]["coordinates"][0]
        ring[5][0] += 1e-5

    edited(folder / "grids.geojson", move)
    found = check(folder)
    assert {finding.code for finding in found} <= {"gap", "overlap", "outside_parent"}
    assert found
    assert all((finding.area_km2 or 0) < 0.001 for finding in found)


def test_a_bow_tie_is_named_once_with_the_crossing(folder: Path) -> None:
    def twist(features: list[dict[str, Any]]) -> None:
        w, s, e, n = shapely.geometry.shape(features[0]["geometry"]).bounds
        features[0]["geometry"] = {"type": "Polygon", "coordinates": [[[w, s], [e, n], [e, s], [w, n], [w, s]]]}

    edited(folder / "dedicated.geojson", twist)
    (finding,) = check(folder)
    assert (finding.code, finding.layer) == ("invalid_ring", "dedicated")
    assert finding.geometry is not None
    assert finding.geometry.geom_type == "Point"
    assert "Self-intersection" in finding.text("en")


def test_orphans_duplicates_and_missing_teams_are_all_named(folder: Path) -> None:
    """Ten faults in one folder: all of them are found, not the first."""

    def zones(features: list[dict[str, Any]]) -> None:
        features[0]["properties"]["parent"] = "320118999"
        features[1]["properties"]["code"] = features[2]["properties"]["code"]
        features[3]["properties"]["team"] = "T77"

    edited(folder / "dedicated.geojson", zones)
    replaced(folder / "rules.csv", ",S03,", ",S99,")
    replaced(folder / "units.csv", "T02-V1,古柏综合行政执法大队1号车,Gubai brigade vehicle 1,T02", "T02-V1,a,b,T88")
    replaced(folder / "units.csv", "vehicle,B03", "vehicle,B99")
    replaced(folder / "teams.csv", "specialist,B22", "specialist,B98")
    replaced(folder / "matters.csv", "D06", "D96")
    replaced(folder / "district.toml", "expect_union_km2 = 191.0", "expect_union_km2 = 150.0")
    found = check(folder)
    assert kinds(found) == {
        ("orphan_parent", "dedicated"): 1,
        ("duplicate_code", "dedicated"): 1,
        ("unknown_reference", "dedicated"): 1,
        ("rule_team_unknown", "rules.csv"): 1,
        ("unknown_reference", "units.csv"): 2,
        ("unknown_reference", "shifts.csv"): 2,
        ("unknown_reference", "teams.csv"): 1,
        ("unknown_reference", "matters.csv"): 1,
        ("union_area_off", "water"): 1,
    }
    texts = "\n".join(finding.text("zh") for finding in found)
    for word in ("320118999", "T77", "S99", "T88", "B99", "B98", "D96", "191.0"):
        assert word in texts
    with pytest.raises(BrokenDistrict) as refused:
        load(folder)
    assert len(refused.value.findings) == len(found)
    assert len(findings_geojson(found)["features"]) == len(found)
    assert json.dumps(findings_geojson(found), allow_nan=False)


def test_a_tie_is_named_with_the_place_where_it_bites(folder: Path) -> None:
    replaced(folder / "rules.csv", "R052,,", "R052,320118006,")  # it settled the market in the joint area
    found = check(folder)
    (tie,) = [finding for finding in found if finding.zones == ("R011", "R051")]
    assert tie.code == "rule_tie"
    assert tie.geometry is not None
    joint = shapely.union_all([zone.geometry for zone in load(SAMPLE).layers["joint"].zones])
    assert joint.covers(tie.geometry)
    assert tie.area_km2


def test_a_place_without_a_rule_is_named(small: Path) -> None:
    replaced(small / "rules.csv", "R1,,", "R1,990001001,")
    (hole,) = check(small)
    assert hole.code == "rule_hole"
    assert hole.geometry is not None
    assert hole.geometry.equals(shapely.box(120.05, 30, 120.1, 30.1))


def test_a_pier_on_land_is_named(folder: Path) -> None:
    def ashore(features: list[dict[str, Any]]) -> None:
        (pier,) = [f for f in features if f["properties"]["code"] == "P05"]
        pier["geometry"]["coordinates"] = [119.1, 31.4]

    edited(folder / "bases.geojson", ashore)
    (finding,) = check(folder)
    assert finding.code == "pier_ashore"
    assert finding.data["code_"] == "P05"


# --- what is broken in any folder ----------------------------------------------------------------------------------

TOML = "district.toml"
BREAKS: list[tuple[str, Edit, dict[tuple[str, str], int]]] = [
    ("missing csv", lambda d: (d / "units.csv").unlink(), {("file_missing", "units.csv"): 1}),
    ("missing layer", lambda d: (d / "townships.geojson").unlink(), {("file_missing", "townships.geojson"): 1}),
    ("missing district", lambda d: (d / "district.geojson").unlink(), {("file_missing", "district.geojson"): 1}),
    ("missing toml", lambda d: (d / "district.toml").unlink(), {("file_missing", "district.toml"): 1}),
    ("bad toml", lambda d: replaced(d / TOML, "[settings]", "[settings"), {("bad_toml", TOML): 1}),
    (
        "gbk",
        lambda d: (d / "teams.csv").write_bytes((d / "teams.csv").read_text("utf-8").encode("gbk")),
        {("not_utf8", "teams.csv"): 1},
    ),
    (
        "ragged",
        lambda d: replaced(d / "units.csv", "T1-V1,一号车,Car 1,T1,vehicle,B1,2", "T1-V1,一号车,T1,vehicle,B1,2"),
        {("ragged_row", "units.csv"): 1},
    ),
    ("no column", lambda d: replaced(d / "units.csv", "crew", "crews"), {("columns_missing", "units.csv"): 1}),
    ("bad number", lambda d: replaced(d / "units.csv", "B1,2", "B1,two"), {("bad_value", "units.csv"): 1}),
    ("bad hours", lambda d: replaced(d / "matters.csv", ",3,72,", ",9,-1,"), {("bad_value", "matters.csv"): 2}),
    ("nan hours", lambda d: replaced(d / "matters.csv", ",72,", ",nan,"), {("bad_value", "matters.csv"): 1}),
    ("bad mode", lambda d: replaced(d / "units.csv", "vehicle", "helicopter"), {("bad_value", "units.csv"): 1}),
    ("open quote", lambda d: replaced(d / "teams.csv", "西队", '"西队'), {("bad_csv", "teams.csv"): 1}),
    ("empty csv", lambda d: (d / "rules.csv").write_text(""), {("columns_missing", "rules.csv"): 1}),
    ("same unit", lambda d: replaced(d / "units.csv", "2\n", "2\nT1-V1,二号车,Car 2,T1,vehicle,B1,2\n"),
     {("duplicate_code", "units.csv"): 1}),
    ("class", lambda d: replaced(d / "matters.csv", "0101", "0201"), {("unknown_reference", "matters.csv"): 1}),
    ("json", lambda d: (d / "bases.geojson").write_text("{"), {("bad_json", "bases.geojson"): 1}),
    ("base far", lambda d: edited(d / "bases.geojson", lambda f: f[0]["geometry"].update(coordinates=[121, 30.05])),
     {("base_outside", "bases.geojson"): 1}),
    ("base line", lambda d: edited(d / "bases.geojson", lambda f: f[0].update(geometry=square(120, 30, 120.1, 30.1))),
     {("not_point", "bases.geojson"): 1, ("unknown_reference", "teams.csv"): 2, ("unknown_reference", "units.csv"): 2}),
    ("no crs", lambda d: replaced(d / TOML, "EPSG:4549", "EPSG:4326"), {("bad_setting", TOML): 1}),
    ("time zone", lambda d: replaced(d / TOML, "Asia/Shanghai", "Asia/Nowhere"), {("bad_setting", TOML): 1}),
    ("speed", lambda d: replaced(d / "district.toml", "boat = 18, ", ""), {("bad_setting", "district.toml"): 1}),
    ("settings", lambda d: replaced(d / "district.toml", "= 20", '= "20"'), {("bad_setting", "district.toml"): 1}),
    ("escape", lambda d: replaced(d / "district.toml", '"townships.geojson"', '"../townships.geojson"'),
     {("bad_setting", "district.toml"): 2}),
    ("two districts", lambda d: edited(d / "district.geojson", lambda f: f.append(
        feature(square(120, 30, 120.1, 30.1), code="2", name="x"))), {("not_one", "district"): 1}),
    ("no districts", lambda d: write_features(d / "district.geojson"),
     {("empty_layer", "district"): 1, ("not_one", "district"): 1}),
    ("boat", lambda d: replaced(d / "units.csv", "vehicle", "boat"), {("pier_ashore", "units.csv"): 1}),
    ("road", lambda d: write_features(d / "roads.geojson", feature(
        {"type": "LineString", "coordinates": [[120, 30], [120.1, 30.1]]}, **{"class": "ferry", "bridge": "no"})),
     {("bad_property", "roads.geojson"): 2}),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "expected"), [b[1:] for b in BREAKS], ids=[b[0] for b in BREAKS])
def test_each_fault_is_named_and_nothing_else(small: Path, edit: Edit, expected: dict[tuple[str, str], int]) -> None:
    edit(small)
    found = check(small)
    assert kinds(found) == expected
    for finding in found:
        assert finding.text("zh")
        assert finding.text("en")
        assert "{" not in finding.text("en").replace("{'", "")
    assert json.dumps(findings_geojson(found), allow_nan=False)
    with pytest.raises(BrokenDistrict, match=small.name):
        load(small)


def test_rows_are_counted_as_an_editor_does(small: Path) -> None:
    replaced(small / "teams.csv", "\nT1", '\n\n"T0","two\nlines",x,township,B1\nT1')
    replaced(small / "teams.csv", "township,B1\nT2", "navy,B1\nT2")
    (finding,) = check(small)
    assert finding.data == {
        "row": 5,
        "field": "kind",
        "value": "navy",
        "expected": "township | water | joint | specialist",
    }


def test_gbk_is_recognised(small: Path) -> None:
    (small / "teams.csv").write_bytes((small / "teams.csv").read_text("utf-8").encode("gbk"))
    (finding,) = check(small)
    assert "GBK" in finding.text("zh")
    assert finding.data["row"] == 2


def test_no_folder(tmp_path: Path) -> None:
    assert kinds(check(tmp_path / "none")) == {("folder_missing", str(tmp_path / "none")): 1}
    with pytest.raises(BrokenDistrict):
        load(tmp_path / "none")
