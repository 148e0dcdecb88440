"""Bulk against single: the same answer for every point, wherever it lies and however it was written."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import geopandas as gpd
import numpy as np
import pyarrow.parquet as pq
import pytest

from dispatch import routing
from dispatch.bulk import ANY_AGE_DAYS, DATUMS, Points, Router
from dispatch.errors import DomainError, EmptyFile, MissingColumn, UnknownFormat
from dispatch.fleet import Fleet
from dispatch.intake import place
from dispatch.model import Decision
from dispatch.rota import Rota
from dispatch.route_file import ANSWER, Summary, kept_names, route_file
from dispatch.rows import Reader
from geo.datum import Datum, from_wgs84
from tests.points import near_edges, of_every_kind, on_edges, uniform
from tests.sample import ground, sample

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
FLEET = Fleet(sample(), timedelta(minutes=5))
"""Nobody has said where he is: all are counted from their bases."""


def single(router: Router, points: Points, at: int) -> tuple[Decision, Any] | DomainError:
    """What the desk would decide of one report with nobody busy."""
    g = router.ground
    try:
        placed = place(g, router.draft(points, at), uuid4(), NOW, ANY_AGE_DAYS)
    except DomainError as error:
        return error
    ruling = g.table.decide(placed.place, placed.report.matter)
    matter = placed.report.matter
    candidates = g.candidates(ruling.team, placed.report.lon, placed.report.lat, FLEET, NOW, matter=matter)
    decision = routing.decide(
        version=g.district.version,
        ruling=ruling,
        place=placed.place,
        candidates=candidates,
        busy=(),
        notes=placed.notes,
        facts=placed.facts,
    )
    return decision, placed


def assert_same(router: Router, points: Points) -> dict[str, int]:
    routed = router.route(points, now=NOW)
    grids = router.ground.locator.layers["grid"].zones
    seen = {"routed": 0, "refused": 0, "snapped": 0, "unreachable": 0}
    for at in range(len(points)):
        expected = single(router, points, at)
        if isinstance(expected, DomainError):
            assert routed.place[at] == -1
            assert routed.refused[at].code() == expected.code()
            assert routed.refused[at].text("zh") == expected.text("zh")
            seen["refused"] += 1
            continue
        decision, placed = expected
        assert at not in routed.refused
        ruling = router.rulings[routed.ruling[at]]
        assert (ruling.rule.code, ruling.team) == (decision.rule, decision.team)
        unit = None if routed.unit[at] < 0 else router.units[routed.unit[at]].code
        assert unit == decision.unit
        if unit is None:
            assert np.isnan(routed.eta_s[at])
            seen["unreachable"] += 1
        else:
            assert (routed.eta_s[at], routed.distance_m[at]) == (decision.eta_s, decision.distance_m)
            assert router.units[routed.unit[at]].mode == decision.mode
        held = router.places[routed.place[at]]
        assert {k: tuple(v) for k, v in held.items()} == {k: placed.place[k] for k in held}
        grid = placed.place["grid"]
        assert (grids[routed.grid[at]].code if routed.grid[at] >= 0 else None) == (grid[0].code if grid else None)
        assert (routed.lon[at], routed.lat[at]) == (placed.report.lon, placed.report.lat)
        assert (routed.snapped_m[at] > 0) == ("snapped" in decision.notes)
        seen["snapped"] += "snapped" in decision.notes
        seen["routed"] += 1
    return seen


def points_of(
    router: Router, rng: np.random.Generator, xy: np.ndarray, datum: Datum = Datum.WGS84, accuracy: float = 30.0
) -> Points:
    n = len(xy)
    return Points(
        np.ascontiguousarray(xy[:, 0]),
        np.ascontiguousarray(xy[:, 1]),
        rng.integers(0, len(router.matters), n).astype(np.int32),
        np.full(n, DATUMS.index(datum), dtype=np.int8),
        np.full(n, accuracy),
    )


@pytest.fixture(scope="module")
def router() -> Router:
    return Router(ground())


def shapes(*layers: str) -> list[Any]:
    return [zone.geometry for name in layers for zone in ground().locator.layers[name].zones]


def test_inside_and_on_every_kind_of_edge(router: Router) -> None:
    rng = np.random.default_rng(7)
    special = shapes("township", "water", "dedicated", "joint")
    xy = np.concatenate(
        [
            uniform(rng, shapes("district"), 400),
            on_edges(rng, special, 1200),
            near_edges(rng, special, 1200),
            rng.permutation(of_every_kind(rng, shapes("joint"), 300))[:500],
        ]
    )
    seen = assert_same(router, points_of(router, rng, xy))
    assert seen["routed"] > 2500
    assert seen["refused"] > 100


def test_who_has_not_the_skill_does_not_come() -> None:
    district = sample()
    matters = {code: replace(one, skill="diving" if one.on_water else "") for code, one in district.matters.items()}
    matters["0101"] = replace(matters["0101"], skill="drone")
    skills = {"W01-B4": "diving", "T01-V2": "drone | diving", "W01-V2": "drone"}
    units = {code: replace(one, skills=skills.get(code, "")) for code, one in district.units.items()}
    rota = Rota((), district.teams, units.values(), district.deadlines.working_time.calendar, ground().zone_info)
    of = {team: tuple(units[one.code] for one in those) for team, those in ground().units_of.items()}
    router = Router(replace(ground(), district=replace(district, matters=matters, units=units, rota=rota), units_of=of))
    rng = np.random.default_rng(9)
    points = points_of(router, rng, uniform(rng, shapes("district", "water"), 900))
    seen = assert_same(router, points)
    assert seen["unreachable"] > 10, "most teams have nobody for the first matter"
    routed = router.route(points, now=NOW)
    sent = {router.units[n].code for n in routed.unit[routed.unit >= 0]}
    assert {"W01-B4", "T01-V2"} <= sent


@pytest.mark.parametrize("datum", [Datum.GCJ02, Datum.BD09, Datum.CGCS2000])
def test_other_datums(router: Router, datum: Datum) -> None:
    rng = np.random.default_rng(8)
    xy = np.stack(from_wgs84(*uniform(rng, shapes("district"), 250).T, datum), axis=1)
    seen = assert_same(router, points_of(router, rng, xy, datum))
    assert seen["routed"] > 80


def test_just_outside_is_snapped_and_farther_out_refused(router: Router) -> None:
    rng = np.random.default_rng(9)
    xy = near_edges(rng, shapes("district"), 500)
    seen = assert_same(router, points_of(router, rng, xy, accuracy=2.0))
    assert seen["snapped"] > 50
    assert seen["refused"] > 20


def test_what_is_no_position(router: Router) -> None:
    inside = shapes("district")[0].representative_point()
    odd = [(0, 0), (inside.y, inside.x), (np.nan, 31.3), (np.inf, np.inf), (200, 100), (-118.9, 31.3), (31.3, 0)]
    rng = np.random.default_rng(10)
    seen = assert_same(router, points_of(router, rng, np.array(odd, dtype=float)))
    assert seen["refused"] == len(odd)


def test_nothing_at_all(router: Router) -> None:
    routed = router.route(points_of(router, np.random.default_rng(1), np.zeros((0, 2))))
    assert routed.place.size == 0


# --- files --------------------------------------------------------------------------------------------------------


def run(source: Path, out: Path) -> Summary:
    return route_file(source, out, ground(), lambda _done, _all: None, NOW)


def table(out: Path) -> list[dict[str, str]]:
    with out.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def written(tmp_path: Path, rows: Sequence[Sequence[str]], encoding: str = "utf-8", name: str = "in.csv") -> Path:
    path = tmp_path / name
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows(rows)
    return path


INSIDE = (118.881, 31.336)
MESSY = [
    ["编号", "经度", "纬度", "事项", "发现时间", "坐标系", "精度", "来源", "team"],
    ["1", "118.881", "31.336", "0101", "2026/11/20 9:05", "", "", "网格员", "红队"],
    ["2", "118.881", "31.336", "101", "45981.375", "wgs84", "40米", "", "x"],
    ["3", "１１８.８８１", " 31.336 ", "暴露垃圾", "2026年11月20日 09:05", "", "12.5", "12345", ""],
    ["4", "31.336", "118.881", "0101", "", "", "", "", ""],
    ["5", "0", "0", "0101", "", "", "", "", ""],
    ["6", "118.881", "31.336", "9999", "", "", "", "", ""],
    ["7", "116.4", "39.9", "0101", "", "", "", "", ""],
    ["8", "118.881", "31.336", "0101", "2026-12-24 09:00", "", "", "", ""],
    ["9", "118.881", "31.336", "0101", "1999-12-24 09:00", "", "", "", ""],
    ["10", "118.881", "31.336", "0101", "昨天", "", "", "", ""],
    ["11", "118.881", "31.336", "0101", "", "wgs72", "", "", ""],
    ["12", "118.881", "31.336", "0101", "", "", "-1", "", ""],
    ["13", "118.881", "31.336", "0101", "2026-11-23T03:00:00Z", "火星坐标系", "", "", ""],
    ["14", "", "31.336", "0101", "", "", "", "", ""],
    ["15", "118.881", "31.336", "0101"],
]


def test_a_messy_file_is_routed_and_rejected_row_by_row(tmp_path: Path) -> None:
    source = written(tmp_path, MESSY, "gb18030")
    summary = run(source, tmp_path / "out.csv")
    rows = table(tmp_path / "out.csv")
    assert [row["编号"] for row in rows] == ["1", "2", "3", "9", "13"]
    assert [row["notes"] for row in rows] == ["", "matter_zeros_restored", "matter_by_name", "", "datum_converted"]
    assert [row["in_team"] for row in rows] == ["红队", "x", "", "", ""]
    assert {row["township_name"] for row in rows} == {"淳溪街道"}
    refused = table(tmp_path / "out.csv.rejected.csv")
    assert [(row["row"], row["code"]) for row in refused] == [
        ("5", "coordinates_swapped"),
        ("6", "coordinates_zero"),
        ("7", "unknown_matter"),
        ("8", "outside_district"),
        ("9", "seen_in_future"),
        ("11", "invalid_input"),
        ("12", "invalid_input"),
        ("13", "invalid_input"),
        ("15", "invalid_input"),
        ("16", "ragged_row"),
    ]
    assert refused[0]["reason_zh"].startswith("坐标 (31.336, 118.881) 似乎把经度和纬度写反了")
    assert refused[0]["编号"] == "4"
    assert (summary.rows, summary.routed, summary.rejected) == (15, 5, 10)
    assert sum(summary.by_team.values()) == 5
    assert sum(summary.by_reason.values()) == 10


def test_the_fast_way_reads_what_the_slow_way_reads(tmp_path: Path) -> None:
    """Every row of a file of all sorts is accepted with the same point, or refused with the same code, as by Reader."""
    rng = np.random.default_rng(11)
    lons = ["118.881", "118.95", "118.9000000001", "1.189e2", "118,9", "+118.9", "118.9°", "nan", "1_1", "0118.9", ""]
    lats = ["31.336", "31.35", " 31.30", "３１.３", "31.", ".5", "-31.3", "abc"]
    matters = ["0101", "101", "101.0", "01", "1", "暴露垃圾", "Exposed rubbish", "", "00101", "2103 "]
    times = ["", "2026-11-20 09:00", "2026-11-23T03:59:00Z", "2026-02-30 10:00", "0000-01-01 00:00", "1000-01-01 00:00"]
    times += ["2026-11-24T00:00:00+14:00", "45981", "9.5", "2026-11-20 9:5", "2026-11-20", "2026年11月20日下午3时5分"]
    datums = ["", "wgs84", "GCJ-02", "百度", "EPSG:4490", "?"]
    accuracies = ["", "30", "1e3", "40 m", "999999", "-3", "x"]
    header = ["lon", "lat", "matter", "seen_at", "datum", "accuracy_m", "text", "编号"]
    columns = [lons, lats, matters, times, datums, accuracies, ["", "a" * 4000, "b" * 4001]]
    weights = [[0.6] + [0.4 / (len(c) - 1)] * (len(c) - 1) for c in columns]
    rows = [
        [*(str(rng.choice(c, p=w)) for c, w in zip(columns, weights, strict=True)), str(line)]
        for line in range(2, 2500)
    ]
    source = written(tmp_path, [header, *rows])
    run(source, tmp_path / "o.csv")
    got: dict[int, str] = {int(r["row"]): r["code"] for r in table(tmp_path / "o.csv.rejected.csv")}
    accepted = {int(row["编号"]): row for row in table(tmp_path / "o.csv")}
    refused: dict[int, str] = {}
    for one in Reader(ground().district).rows(source.read_bytes()):
        outcome = one.outcome
        try:
            if isinstance(outcome, DomainError):
                raise outcome
            placed = place(ground(), outcome, uuid4(), NOW, ANY_AGE_DAYS)
        except DomainError as error:
            refused[one.number] = error.code()
        else:
            answer = accepted.pop(one.number)
            assert (float(answer["lon_wgs84"]), float(answer["lat_wgs84"])) == (placed.report.lon, placed.report.lat)
            team = ground().table.decide(placed.place, placed.report.matter).team
            assert answer["team"] == team
            expected = [n for n in (*one.notes, *placed.notes) if n != "id_not_uuid"]
            assert answer["notes"].split("|")[: len(expected)] == expected or (not expected and not answer["notes"])
    assert got == refused
    assert not accepted
    assert {"invalid_input", "unknown_matter", "outside_district", "seen_in_future"} <= set(refused.values())


@pytest.mark.parametrize("suffix", [".csv", ".geojson", ".gpkg", ".parquet"])
def test_every_format_says_the_same(tmp_path: Path, suffix: str) -> None:
    source = written(tmp_path, MESSY)
    out = tmp_path / f"out{suffix}"
    summary = run(source, out)
    if suffix == ".csv":
        assert out.read_bytes().startswith(b"\xef\xbb\xbf")
        assert len(table(out)) == summary.routed
        return
    frame = gpd.read_parquet(out) if suffix == ".parquet" else gpd.read_file(out)
    assert len(frame) == summary.routed == 5
    assert frame.crs.to_epsg() in (4326, None) or frame.crs.to_authority() == ("OGC", "CRS84")
    assert frame["team"].tolist() == [row["team"] for row in _csv_of(source, tmp_path)]
    assert frame["eta_s"].tolist() == [int(row["eta_s"]) for row in _csv_of(source, tmp_path)]
    assert frame.geometry.x.to_numpy() == pytest.approx(frame["lon_wgs84"].to_numpy(), abs=1e-7)
    assert set(frame["编号"]) == {"1", "2", "3", "9", "13"}
    if suffix == ".parquet":
        assert json.loads(pq.read_schema(out).metadata[b"geo"])["primary_column"] == "geometry"


def _csv_of(source: Path, tmp_path: Path) -> list[dict[str, str]]:
    out = tmp_path / "again.csv"
    run(source, out)
    return table(out)


def test_geojson_in(tmp_path: Path) -> None:
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": list(INSIDE)},
            "properties": {"matter": "0101"},
        },
        {"type": "Feature", "geometry": None, "properties": {"matter": "0101"}},
        {
            "type": "Feature",
            "id": 7,
            "geometry": {"type": "Point", "coordinates": [118.9, 31.33, 4]},
            "properties": {"事项": None, "matter": 101, "lon": "other"},
        },
    ]
    source = tmp_path / "in.geojson"
    source.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    with pytest.raises(Exception, match="mean the same"):
        run(source, tmp_path / "out.csv")
    del features[2]["properties"]["事项"]
    source.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    summary = run(source, tmp_path / "out.csv")
    assert (summary.routed, summary.rejected) == (2, 1)
    assert table(tmp_path / "out.csv")[1]["notes"] == "matter_zeros_restored"
    assert table(tmp_path / "out.csv.rejected.csv")[0]["row"] == "2"


def test_nothing_is_left_half_written(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.write_text("the old one", encoding="utf-8")
    for bad, error in (("lon,lat,matter\n", EmptyFile), ("", EmptyFile), ("lon,lat\n1,2\n", MissingColumn)):
        (tmp_path / "in.csv").write_text(bad, encoding="utf-8")
        with pytest.raises(error):
            run(tmp_path / "in.csv", out)
    with pytest.raises(UnknownFormat):
        run(written(tmp_path, MESSY), tmp_path / "out.xlsx")

    class Stop(Exception): ...

    def stop(_done: int, _all: int) -> None:
        raise Stop

    with pytest.raises(Stop):
        route_file(written(tmp_path, MESSY), out, ground(), stop, NOW)
    assert out.read_text(encoding="utf-8") == "the old one"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]


def test_an_old_file_of_rejections_does_not_outlive_its_reason(tmp_path: Path) -> None:
    run(written(tmp_path, MESSY), tmp_path / "out.csv")
    assert (tmp_path / "out.csv.rejected.csv").exists()
    summary = run(written(tmp_path, MESSY[:2]), tmp_path / "out.csv")
    assert summary.rejected_file is None
    assert not (tmp_path / "out.csv.rejected.csv").exists()


def test_kept_names_are_never_twice() -> None:
    header = ["Team", "team", "", "geom", "x", "X", "编号", "in_team"]
    names = kept_names(header)
    everything = [name.casefold() for name in (*names, *(name for name, _ in ANSWER))]
    assert len(set(everything)) == len(everything)
    assert names[6] == "编号"
