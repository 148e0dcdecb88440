"""Import: the files of an office in, a clean district out, and every difference between the two told."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pyogrio
import pyproj
import pytest
import shapely
from shapely import LineString, Point, Polygon, box
from typer.testing import CliRunner

from dispatch import district
from dispatch.cli import app
from dispatch.errors import BadMapping, DuplicateCodes, GarbledText, OutputNotEmpty, UnreadableSource
from dispatch.importing.run import Imported, import_grids
from dispatch.importing.texts import as_code, as_name, as_text, encoding_of, unscrambled
from geo.datum import Datum, from_wgs84
from geo.grid import Metric
from geo.repair import TOLERANCE_M
from tests.small_district import write_small_district
from tests.surveyed import SAMPLE, Given, layer, tie, write

METRIC = Metric("EPSG:4549")
TIES = ((100, 3), (500, 8))
TWICE = 700
COLUMNS = ("网格编码", "网格名称", "社区代码")
MAPPING = """
[district]
edition = "imported"
enclaves = true

[[layers]]
name = "township"
file = "乡镇.shp"
columns = { code = "XZDM", name = "XZMC" }

[[layers]]
name = "grid"
file = "网格.shp"
columns = { code = "网格编码", name = "网格名称", parent = "社区代码" }
"""

# --- the case of the issue: GBK, 8 townships, 1,000 grids, 0.5 m gaps and overlaps, two bow-ties, a code twice -------


@pytest.fixture(scope="module")
def survey(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Given], list[Given]]:
    folder = tmp_path_factory.mktemp("survey")
    towns, grids = layer("townships.geojson", 1), layer("grids.geojson", 2, 1000)
    assert (len(towns), len(grids)) == (8, 1000)
    for at, near in TIES:
        grids[at] = replace(grids[at], shape=tie(grids[at].shape, near))
    write(folder / "乡镇.shp", towns, ("XZDM", "XZMC", "QXDM"))
    twice = [*grids]
    twice[TWICE] = replace(grids[TWICE], code=grids[300].code)
    write(folder / "网格.shp", twice, COLUMNS)
    return folder, towns, grids


@pytest.fixture(scope="module")
def mended(survey: tuple[Path, list[Given], list[Given]], tmp_path_factory: pytest.TempPathFactory) -> Imported:
    folder, _, grids = survey
    out = tmp_path_factory.mktemp("district")
    mapping = out.parent / "survey.toml"
    mapping.write_text(f'{MAPPING}recode = [{{ row = {TWICE + 1}, code = "{grids[TWICE].code}" }}]\n', encoding="utf-8")
    return import_grids([folder], out, mapping, 1.0, SAMPLE)


def test_the_survey_becomes_a_clean_district_that_loads(mended: Imported) -> None:
    assert [finding.text("en") for finding in mended.findings] == []
    loaded = district.load(mended.folder)
    assert (len(loaded.layers["township"].zones), len(loaded.layers["grid"].zones)) == (8, 1000)
    for name in ("township", "community", "grid"):
        assert shapely.coverage_is_valid([zone.geometry for zone in loaded.layers[name].zones])
    assert loaded.layers["grid"].zones[0].name.endswith("网格")
    assert loaded.layers["township"].zones[0].properties["team"] == "T01"


def test_a_code_that_stands_twice_is_named_with_its_rows_and_nothing_is_written(
    survey: tuple[Path, list[Given], list[Given]], tmp_path: Path
) -> None:
    folder, _, grids = survey
    mapping = tmp_path / "map.toml"
    mapping.write_text(MAPPING, encoding="utf-8")
    with pytest.raises(DuplicateCodes) as refused:
        import_grids([folder], tmp_path / "out", mapping, 1.0, SAMPLE)
    for named in (grids[300].code, "301", str(TWICE + 1), grids[TWICE].name):
        assert named in refused.value.text("zh")
    assert not (tmp_path / "out").exists()


def in_metres(shape: shapely.Geometry) -> shapely.Geometry:
    return shapely.transform(shape, METRIC.points)


def changes_by_zone(folder: Path, name: str) -> dict[str, list[shapely.Geometry]]:
    found: dict[str, list[shapely.Geometry]] = {}
    for feature in json.loads((folder / "import" / "changes.geojson").read_text("utf-8"))["features"]:
        words = feature["properties"]
        if words["layer"] == name:
            for code in {*words["before"], *words["after"]}:
                found.setdefault(code, []).append(in_metres(shapely.geometry.shape(feature["geometry"])))
    return found


@pytest.mark.parametrize(("name", "file"), [("township", "townships.geojson"), ("grid", "grids.geojson")])
def test_nothing_moved_that_is_not_in_the_change_layer(
    name: str, file: str, mended: Imported, survey: tuple[Path, list[Given], list[Given]]
) -> None:
    given = {zone.code: zone for zone in survey[1 if name == "township" else 2]}
    result = json.loads((mended.folder / file).read_text("utf-8"))["features"]
    assert {f["properties"]["code"]: f["properties"]["name"] for f in result} == {c: z.name for c, z in given.items()}
    told = changes_by_zone(mended.folder, name)
    untold, moved, changed = [], 0, 0
    for feature in result:
        code = feature["properties"]["code"]
        was, now = given[code].shape, in_metres(shapely.geometry.shape(feature["geometry"]))
        places = shapely.union_all(told.get(code, []))
        for shape, border in ((now, was.boundary), (was, now.boundary)):
            points = shapely.points(shapely.get_coordinates(shape))
            off = points[shapely.distance(points, border) > TOLERANCE_M]
            moved += len(off)
            untold += [code] * int((~(shapely.distance(off, places) <= TOLERANCE_M)).sum())
        if was.is_valid:
            difference = was.symmetric_difference(now)
            changed += difference.area > 1.0
            assert difference.difference(places).area < TOLERANCE_M * was.length, code
    assert moved > 100
    assert changed >= len(given) // 2
    assert untold == []


def test_the_areas_reconcile_zone_by_zone(mended: Imported, survey: tuple[Path, list[Given], list[Given]]) -> None:
    with (mended.folder / "import" / "zones.csv").open(encoding="utf-8-sig") as stream:
        rows = {(row["layer"], row["code"]): row for row in csv.DictReader(stream)}
    after = {
        f["properties"]["code"]: in_metres(shapely.geometry.shape(f["geometry"])).area
        for f in json.loads((mended.folder / "grids.geojson").read_text("utf-8"))["features"]
    }
    for zone in survey[2]:
        row = {key: float(value) for key, value in rows["grid", zone.code].items() if key not in {"layer", "code"}}
        if zone.shape.is_valid:
            assert row["drawn"] == pytest.approx(zone.shape.area, abs=1.0)
        assert row["after"] == pytest.approx(after[zone.code], abs=0.5)
        assert row["drawn"] + row["redrawn"] + row["gained"] - row["lost"] == pytest.approx(row["after"], abs=1e-3)
        assert abs(row["redrawn"]) < 1.0
    totals = mended.report["balance_m2"]
    assert totals["grid"]["after"] == pytest.approx(totals["township"]["after"], abs=0.1)


def test_bow_ties_the_new_code_and_the_sources_are_in_the_report(
    mended: Imported, survey: tuple[Path, list[Given], list[Given]]
) -> None:
    _, _, grids = survey
    features = json.loads((mended.folder / "import" / "changes.geojson").read_text("utf-8"))["features"]
    rings = {f["properties"]["before"][0]: f["properties"] for f in features if f["properties"]["kind"] == "ring"}
    assert set(rings) == {grids[at].code for at, _ in TIES}
    assert all("Self-intersection" in words["problem"] for words in rings.values())
    for feature in features:
        place = Point(feature["properties"]["lon"], feature["properties"]["lat"])
        assert shapely.geometry.shape(feature["geometry"]).distance(place) < 1e-6
    values = list(csv.DictReader((mended.folder / "import/values.csv").read_text("utf-8-sig").splitlines()))
    (recoded,) = [row for row in values if row["why"] == "recoded"]
    assert (recoded["row"], recoded["before"], recoded["after"]) == (
        str(TWICE + 1), grids[300].code, grids[TWICE].code,
    )  # fmt: skip
    assert mended.report["sources"]["grid"]["encoding"] == "gb18030 (bytes)"
    assert mended.report["repair_m"] == 1.0


# --- small files: formats, coordinates, text -------------------------------------------------------------------------

WEST, EAST = box(119.0, 31.0, 119.05, 31.1), box(119.05, 31.0, 119.1, 31.1)
HEAD = '[district]\ncode = "990001"\nname = "小区"\n\n[[layers]]\nname = "township"\n'
PLAIN = HEAD + 'columns = { code = "code", name = "name" }\n'


def towns(
    names: Sequence[str] = ("西镇", "东镇"), codes: Sequence[Any] = ("990001001", "990001002"), **more: Any
) -> Any:
    shapes = [shapely.segmentize(shape, 0.005) for shape in (WEST, EAST)]
    return geopandas.GeoDataFrame({"code": codes, "name": names, **more}, geometry=shapes, crs=4326)


def run(folder: Path, sources: Sequence[Path], mapping: str = PLAIN, repair_m: float | None = None,
        template: Path | None = None) -> Imported:  # fmt: skip
    (folder / "map.toml").write_text(mapping, encoding="utf-8")
    return import_grids(sources, folder / "out", folder / "map.toml", repair_m, template)


def features(done: Imported, file: str = "townships.geojson") -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = json.loads((done.folder / file).read_text("utf-8"))["features"]
    return found


def is_right(done: Imported, metres: float = 0.01) -> None:
    """Loads, and lies where it should."""
    assert [finding.text("en") for finding in done.findings] == []
    loaded = district.load(done.folder)
    west, east = loaded.layers["township"].zones
    assert (west.name, east.name) == ("西镇", "东镇")
    for zone, shape in ((west, WEST), (east, EAST)):
        assert shapely.hausdorff_distance(zone.geometry, shape) < metres / 90_000


@pytest.mark.parametrize("suffix", [".shp", ".gpkg", ".geojson", ".kml"])
def test_every_format(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"乡镇{suffix}"
    options = {"encoding": "GBK"} if suffix == ".shp" else {"driver": "LIBKML"} if suffix == ".kml" else {}
    pyogrio.write_dataframe(towns(), path, **options)
    is_right(run(tmp_path, [path], PLAIN.replace('"name" }', '"Name" }') if suffix == ".kml" else PLAIN))


def test_a_zip_with_names_in_gbk(tmp_path: Path) -> None:
    inside = tmp_path / "files"
    inside.mkdir()
    pyogrio.write_dataframe(towns(), inside / "a.shp", encoding="GBK")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for file in inside.iterdir():
            info = zipfile.ZipInfo("x" * 6 + "/" + file.name.replace("a.", "yyyy."))
            archive.writestr(info, file.read_bytes())
    raw = (tmp_path / "all.zip").read_bytes()
    (tmp_path / "all.zip").write_bytes(
        raw.replace(b"xxxxxx", "街道图".encode("gbk")).replace(b"yyyy", "乡镇".encode("gbk"))
    )
    done = run(tmp_path, [tmp_path / "all.zip"], HEAD + 'file = "乡镇.shp"\n' + PLAIN.splitlines()[-1])
    is_right(done)


@pytest.mark.parametrize("epsg", [4490, 4549, 4528, 32650])
def test_every_crs(epsg: int, tmp_path: Path) -> None:
    pyogrio.write_dataframe(towns().to_crs(epsg), tmp_path / "towns.gpkg")
    done = run(tmp_path, [tmp_path / "towns.gpkg"])
    is_right(done)
    assert done.warnings == ()


@pytest.mark.parametrize("datum", [Datum.GCJ02, Datum.BD09])
def test_coordinates_of_web_maps(datum: Datum, tmp_path: Path) -> None:
    moved = towns()
    moved["geometry"] = shapely.transform(
        moved.geometry.to_numpy(), lambda xy: np.column_stack(from_wgs84(xy[:, 0], xy[:, 1], datum))
    )
    pyogrio.write_dataframe(moved, tmp_path / "towns.geojson")
    is_right(run(tmp_path, [tmp_path / "towns.geojson"], PLAIN + f'datum = "{datum}"\n'))


def test_beijing_1954_is_said_to_be_coarse_unless_the_parameters_are_given(tmp_path: Path) -> None:
    shift = (15.8, -154.4, -82.3)
    there = pyproj.Transformer.from_crs(
        4326, "+proj=tmerc +lon_0=120 +x_0=500000 +ellps=krass +towgs84=15.8,-154.4,-82.3", always_xy=True
    )
    drawn = towns().to_crs(2437)
    drawn["geometry"] = shapely.transform(
        towns().geometry.to_numpy(), lambda xy: np.column_stack(there.transform(xy[:, 0], xy[:, 1]))
    )
    pyogrio.write_dataframe(drawn, tmp_path / "towns.gpkg")
    done = run(tmp_path, [tmp_path / "towns.gpkg"], PLAIN + f"towgs84 = {list(shift)}\n")
    is_right(done)
    assert done.warnings == ()
    coarse = tmp_path / "coarse"
    coarse.mkdir()
    done = run(coarse, [tmp_path / "towns.gpkg"])
    (warning,) = done.warnings
    assert "Beijing 1954" in warning
    assert "towgs84" in warning
    assert (
        20 < in_metres(shapely.geometry.shape(features(done)[0]["geometry"])).hausdorff_distance(in_metres(WEST)) < 300
    )


def test_a_crs_that_is_missing_or_contradicted_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "towns.shp"
    pyogrio.write_dataframe(towns().to_crs(4549), path, encoding="UTF-8")
    with pytest.raises(BadMapping, match=r"the file says .*4549|the file says CGCS2000"):
        run(tmp_path, [path], PLAIN + 'crs = "EPSG:2437"\n')
    path.with_suffix(".prj").unlink()
    with pytest.raises(BadMapping, match="does not say its CRS"):
        run(tmp_path, [path])
    is_right(run(tmp_path, [path], PLAIN + 'crs = "EPSG:4549"\n'))


DXF = "{}0\nSECTION\n2\nENTITIES\n{}0\nENDSEC\n0\nEOF\n"
NEW = "0\nSECTION\n2\nHEADER\n9\n$ACADVER\n1\nAC1027\n9\n$DWGCODEPAGE\n3\nANSI_936\n0\nENDSEC\n"
BARE = "0\nSECTION\n2\nHEADER\n9\n$ACADVER\n1\nAC1015\n0\nENDSEC\n"
OLD = "0\nSECTION\n2\nHEADER\n9\n$ACADVER\n1\nAC1015\n9\n$DWGCODEPAGE\n3\nANSI_936\n0\nENDSEC\n"


def polyline(on: str, shape: Polygon) -> str:
    points = list(shape.exterior.coords)[:-1]
    return f"0\nLWPOLYLINE\n8\n{on}\n90\n{len(points)}\n70\n1\n" + "".join(f"10\n{x}\n20\n{y}\n" for x, y in points)


def text(on: str, words: str, at: Point) -> str:
    return f"0\nTEXT\n8\n{on}\n10\n{at.x}\n20\n{at.y}\n40\n10\n1\n{words}\n"


LABELS = """
crs = "EPSG:4549"
labels = [{ where = { Layer = "NO" }, into = "code" }, { where = { Layer = "NAME" }, into = "name" }]
"""


def drawing(head: str, *names: str) -> str:
    shapes = towns().to_crs(4549).geometry
    parts = [
        polyline("BORDER", shape) + text("NO", code, shape.centroid) + text("NAME", name, shape.representative_point())
        for shape, code, name in zip(shapes, ("990001001", "990001002"), names, strict=True)
    ]
    return DXF.format(head, "".join(parts))


@pytest.mark.parametrize(
    ("head", "stored", "told"), [(NEW, "utf-8", ""), (OLD, "gbk", ""), (BARE, "gbk", 'encoding = "gbk"\n')]
)
def test_a_drawing_is_named_by_the_texts_in_it(head: str, stored: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "a.dxf").write_text(drawing(head, "西镇", "东镇"), encoding=stored)
    done = run(tmp_path, [tmp_path / "a.dxf"], HEAD + LABELS + told)
    is_right(done)
    assert done.report["values"] == {"line_closed": 2, "labelled": 4, "team_schematic": 2}


def test_a_drawing_of_lines_becomes_the_faces_between_them(tmp_path: Path) -> None:
    whole, wall = shapely.union_all([WEST, EAST]), LineString([(119.05, 31.0), (119.05, 31.1)])
    lines = geopandas.GeoDataFrame({"Layer": ["B"] * 2}, geometry=[whole.exterior, wall], crs=4326)
    points = geopandas.GeoDataFrame(
        {"code": ["990001001", "990001002"]}, geometry=[WEST.centroid, EAST.centroid], crs=4326
    )
    import pandas

    pyogrio.write_dataframe(pandas.concat([lines, points]), tmp_path / "a.geojson")
    told = 'polygonize = true\nvalues = { name = "镇" }\nlabels = [{ column = "code", into = "code" }]\n'
    done = run(tmp_path, [tmp_path / "a.geojson"], HEAD + told)
    assert done.findings == ()
    assert [f["properties"]["code"] for f in features(done)] == ["990001001", "990001002"]


@pytest.mark.parametrize(("said", "stored"), [("UTF-8", "gbk"), ("GBK", "utf-8"), ("ISO-8859-1", "utf-8")])
def test_a_cpg_that_lies_is_noticed(said: str, stored: str, tmp_path: Path) -> None:
    path = tmp_path / "towns.shp"
    pyogrio.write_dataframe(towns(), path, encoding=stored)
    path.with_suffix(".cpg").write_text(said)
    with pytest.raises(GarbledText, match="西镇"):
        run(tmp_path, [path])
    is_right(run(tmp_path, [path], PLAIN + f'encoding = "{stored}"\n'))


@pytest.mark.parametrize("stored", ["gbk", "utf-8"])
def test_without_a_cpg_the_bytes_tell(stored: str, tmp_path: Path) -> None:
    path = tmp_path / "towns.shp"
    pyogrio.write_dataframe(towns(), path, encoding=stored)
    path.with_suffix(".cpg").unlink()
    is_right(run(tmp_path, [path]))


@pytest.mark.parametrize(
    "broken",
    ["西镇".encode().decode("latin-1"), "锟斤拷", "西镇街道办事处".encode().decode("gb18030", "replace"), "????"],
)
def test_text_that_was_garbled_before_is_noticed(broken: str, tmp_path: Path) -> None:
    pyogrio.write_dataframe(towns((broken, "东镇")), tmp_path / "towns.gpkg")
    with pytest.raises(GarbledText):
        run(tmp_path, [tmp_path / "towns.gpkg"])


def test_values_are_put_right_and_each_is_noted(tmp_path: Path) -> None:
    odd = towns((" 西　镇", "东镇\u200b"), ("９９０００１００１ ", "990001 002"))
    pyogrio.write_dataframe(odd, tmp_path / "towns.gpkg")
    done = run(tmp_path, [tmp_path / "towns.gpkg"])
    is_right(done)
    rows = list(csv.DictReader((done.folder / "import/values.csv").read_text("utf-8-sig").splitlines()))
    assert [(r["row"], r["field"], r["after"]) for r in rows if r["why"] == "normalised"] == [
        ("1", "code", "990001001"), ("1", "name", "西镇"), ("2", "code", "990001002"), ("2", "name", "东镇"),
    ]  # fmt: skip


def test_codes_that_are_numbers_stay_whole(tmp_path: Path) -> None:
    pyogrio.write_dataframe(towns(codes=(990001001.0, 990001002.0)), tmp_path / "towns.gpkg")
    is_right(run(tmp_path, [tmp_path / "towns.gpkg"]))


def test_rows_of_one_code_are_joined_if_the_mapping_says_so(tmp_path: Path) -> None:
    grids = towns(("一", "二"), ("990001001001", "990001001002"), town=["990001001"] * 2, called=["合镇"] * 2)
    pyogrio.write_dataframe(grids, tmp_path / "grids.gpkg")
    told = HEAD + 'columns = { code = "town", name = "called" }\nduplicates = "merge"\n'
    told += '[[layers]]\nname = "grid"\ncolumns = { code = "code", name = "name" }\nparent_digits = 9\n'
    done = run(tmp_path, [tmp_path / "grids.gpkg"], told)
    assert done.findings == ()
    (town,) = features(done)
    assert shapely.geometry.shape(town["geometry"]).area == pytest.approx(0.01)
    assert {f["properties"]["parent"] for f in features(done, "grids.geojson")} == {"990001001"}
    assert done.report["values"]["merged"] == 1


def test_a_parent_that_nobody_names_is_where_most_of_the_zone_lies(tmp_path: Path) -> None:
    pyogrio.write_dataframe(towns(), tmp_path / "towns.gpkg")
    grids = geopandas.GeoDataFrame(
        {"code": ["1", "2"], "name": ["一", "二"]}, geometry=[box(119.0, 31.0, 119.051, 31.1), EAST], crs=4326
    )
    pyogrio.write_dataframe(grids, tmp_path / "grids.gpkg")
    told = HEAD + 'file = "towns.gpkg"\n' + PLAIN.splitlines()[-1]
    told += '\n[[layers]]\nname = "grid"\nfile = "grids.gpkg"\ncolumns = { code = "code", name = "name" }\n'
    done = run(tmp_path, [tmp_path / "towns.gpkg", tmp_path / "grids.gpkg"], told)
    assert [f["properties"]["parent"] for f in features(done, "grids.geojson")] == ["990001001", "990001002"]
    assert {finding.code for finding in done.findings} == {"overlap", "outside_parent"}
    assert all(finding.area_km2 and finding.geometry is not None for finding in done.findings)


def test_nothing_is_written_over(tmp_path: Path) -> None:
    pyogrio.write_dataframe(towns(), tmp_path / "towns.gpkg")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(OutputNotEmpty):
        run(tmp_path, [tmp_path / "towns.gpkg"])


@pytest.mark.parametrize(
    ("mapping", "field"),
    [
        ("nonsense", "TOML"),
        ("[district]\n", "layers"),
        (HEAD.replace("township", "town"), "name"),
        (PLAIN + "colour = 1\n", "colour"),
        (HEAD + 'columns = { code = "nothere" }\n', "columns"),
        (HEAD + 'columns = { kode = "code" }\n', "columns.kode"),
        (PLAIN + 'crs = "EPSG:1"\n', "crs"),
        (PLAIN + 'crs = "EPSG:4549"\n', "crs"),
        (PLAIN + "towgs84 = [1]\n", "towgs84"),
        (PLAIN + 'file = "other.gpkg"\n', "file"),
        (PLAIN.replace('code = "990001"\n', ""), "district.code"),
        (PLAIN.replace('"township"', '"grid"'), "layers"),
    ],
)
def test_a_mapping_that_is_wrong_is_told_by_entry(mapping: str, field: str, tmp_path: Path) -> None:
    pyogrio.write_dataframe(towns(), tmp_path / "towns.gpkg")
    with pytest.raises(BadMapping) as refused:
        run(tmp_path, [tmp_path / "towns.gpkg"], mapping)
    assert field in str(refused.value.facts["field"])
    assert not (tmp_path / "out").exists()


def test_sources_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSource, match="no such file"):
        run(tmp_path, [tmp_path / "not.gpkg"])
    (tmp_path / "bad.gpkg").write_bytes(b"not a database")
    with pytest.raises(UnreadableSource, match=r"bad\.gpkg"):
        run(tmp_path, [tmp_path / "bad.gpkg"])
    (tmp_path / "bad.zip").write_bytes(b"PK not a zip")
    with pytest.raises(UnreadableSource, match=r"bad\.zip"):
        run(tmp_path, [tmp_path / "bad.zip"])
    pyogrio.write_dataframe(towns(("西镇", "")), tmp_path / "blank.gpkg")
    with pytest.raises(UnreadableSource, match="1 features have no name: 2"):
        run(tmp_path, [tmp_path / "blank.gpkg"])
    only = tmp_path / "only"
    only.mkdir()
    (only / "teams.csv").write_text("code,name,name_en,kind,base\n")
    pyogrio.write_dataframe(towns(), tmp_path / "towns.gpkg")
    with pytest.raises(UnreadableSource, match="lacks"):
        run(tmp_path, [tmp_path / "towns.gpkg"], template=only)


def test_the_time_of_a_template_is_taken_over_with_its_teams(tmp_path: Path) -> None:
    template = write_small_district(tmp_path / "template")
    with (template / "district.toml").open("a", encoding="utf-8") as file:
        file.write('[working_time]\nhours = ["08:00-12:00"]\nyears = [2027]\n')
        file.write('[deadlines]\nescalation = [{ to = "dispatcher", late_h = 2 }]\n')
    (template / "calendar.csv").write_text("date,day,note\n2027-03-10,off,made\n", encoding="utf-8")
    row = "code,name,name_en,team,units,days,start,end\nZ,班,Z,T1,,,00:00,24:00\n"
    (template / "shifts.csv").write_text(row, encoding="utf-8")
    pyogrio.write_dataframe(towns(), tmp_path / "towns.gpkg")
    before, after = district.load(template), run(tmp_path, [tmp_path / "towns.gpkg"], template=template)
    assert {finding.code for finding in after.findings} == {"base_outside"}  # the towns lie elsewhere
    loaded = district.read(after.folder)[0]
    assert loaded is not None
    assert (loaded.deadlines, loaded.shifts, loaded.calendar) == (before.deadlines, before.shifts, before.calendar)


# --- the command -----------------------------------------------------------------------------------------------------


def test_the_command_prints_what_it_did_and_what_is_left(tmp_path: Path) -> None:
    grown = towns()
    grown["geometry"] = [shapely.affinity.translate(WEST, 0.000002), EAST]
    pyogrio.write_dataframe(grown, tmp_path / "towns.gpkg")
    (tmp_path / "map.toml").write_text(PLAIN, encoding="utf-8")
    given = ["grids", "import", str(tmp_path / "towns.gpkg"), "--map", str(tmp_path / "map.toml"), "--json"]
    done = CliRunner().invoke(app, [*given, "-o", str(tmp_path / "out"), "--repair", "0.5"])
    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout)["figures"]
    assert [(change["kind"], change["count"]) for change in figures["changes"]] == [("overlap", 1)]
    left = CliRunner().invoke(app, [*given, "-o", str(tmp_path / "left")])
    assert left.exit_code == 1
    assert any("overlap" in text for text in json.loads(left.stdout)["figures"]["findings"])


# --- words -----------------------------------------------------------------------------------------------------------


def test_words() -> None:
    assert as_code("３２０１１８ ００１\u3000\ufeff") == "320118001"
    assert as_name(" 东 坝 街 道（１）  No. 2 ") == "东坝街道（1） No. 2"
    assert [as_text(v) for v in (None, float("nan"), 320118001.0, 2.5, 7, "x")] == [
        "",
        "",
        "320118001",
        "2.5",
        "7",
        "x",
    ]
    known = ["联通".encode("gbk"), b"abc", "中".encode(), b"\xff\xff"]
    assert [encoding_of(raw) for raw in known] == ["gb18030", "utf-8", "utf-8", None]
    assert unscrambled("涓滃潩") == "东坝"
    assert unscrambled("å¤§æ¡¥") == "大桥"
    assert unscrambled("固城街道") is None
    assert unscrambled("Café") is None
    assert unscrambled("锟斤拷") == ""


def test_no_name_of_the_sample_is_taken_for_garbled() -> None:
    names = {f["properties"]["name"] for file in SAMPLE.glob("*.geojson")
             for f in json.loads(file.read_text("utf-8"))["features"] if "name" in f["properties"]}  # fmt: skip
    assert len(names) > 1000
    assert [name for name in names if unscrambled(name) is not None] == []
