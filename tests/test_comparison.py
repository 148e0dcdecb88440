"""Two editions compared: each kind of change told as what it is, and responsibility against slow, independent ways."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from shapely import Polygon, box

from dispatch.comparison import Comparison, compare
from dispatch.competence import PLACE_LAYERS
from dispatch.district import District, load
from dispatch.handover import Handover, Said, handover, table_of
from dispatch.model import Matter, MatterClass, Rule, Team, TeamKind
from dispatch.proof import prove
from geo.changes import ZoneChange, compare_layers
from geo.grid import Cover, Layer, Metric, Zone
from geo.locate import Locator
from tests.sample import sample
from tests.small_district import TABLES, TOML, feature, square, write_features, write_small_district

METRIC = Metric("EPSG:4549")
WEST, EAST = "990001001", "990001002"
STRAIGHT = 1e-5
"""An edge that is straight in degrees is bent in metres: areas agree so far when one writes more corners of it."""
WATER_LAYER = """
[[layers]]
name = "water"
file = "water.geojson"
label = "水域"
label_en = "Waters"
cover = "disjoint"
real = false
"""


def km2(west: float, south: float, east: float, north: float) -> float:
    return METRIC.area_m2(box(west, south, east, north)) / 1e6


def townships(folder: Path, *parts: tuple[str, str, float, float, str]) -> None:
    """Bands from west to east: code, name, from, to, team."""
    write_features(
        folder / "townships.geojson",
        *(feature(square(a, 30, b, 30.1), code=code, name=name, team=team) for code, name, a, b, team in parts),
    )


def rows(folder: Path, file: str, *more: str, without: str = "\0") -> None:
    kept = [line for line in TABLES[file].splitlines() if not line.startswith(without)]
    (folder / file).write_text("\n".join([*kept, *more]) + "\n", encoding="utf-8")


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[Callable[[Path], None]], Comparison]:
    """The small district against itself after something was done to its folder."""

    def against(change: Callable[[Path], None]) -> Comparison:
        old, new = write_small_district(tmp_path / "old"), write_small_district(tmp_path / "new")
        change(new)
        return compare(load(old), load(new))

    return against


Changed = Callable[[Callable[[Path], None]], Comparison]


def only_layer(found: Comparison) -> list[ZoneChange]:
    assert found.tables == ()
    (layer,) = found.layers
    return list(layer.zones)


def test_a_border_that_moved(changed: Changed) -> None:
    found = changed(lambda new: townships(new, (WEST, "西镇", 120, 120.06, "T1"), (EAST, "东镇", 120.06, 120.1, "T2")))
    zones = only_layer(found)
    strip = km2(120.05, 30, 120.06, 30.1)
    assert [(zone.zone.code, zone.kinds) for zone in zones] == [(WEST, ("moved",)), (EAST, ("moved",))]
    assert [zone.gained_km2 for zone in zones] == pytest.approx([strip, 0])
    assert [zone.lost_km2 for zone in zones] == pytest.approx([0, strip])
    assert found.layers[0].region_km2 == pytest.approx(strip)
    assert found.layers[0].region.equals(box(120.05, 30, 120.06, 30.1))
    (transfer,) = found.handover.transfers
    assert (transfer.old, transfer.new, transfer.matters) == ("T2", "T1", ("01", "0101"))
    assert transfer.km2 == pytest.approx(strip)
    assert transfer.townships == (WEST,)
    assert 120.05 < transfer.at[0] < 120.06
    assert found.handover.changed_km2 == transfer.km2
    assert found.handover.same_km2 + transfer.km2 == pytest.approx(km2(120, 30, 120.1, 30.1), rel=STRAIGHT)


def test_a_name_and_a_property(changed: Changed) -> None:
    found = changed(
        lambda new: townships(new, (WEST, "西街道", 120, 120.05, "T1"), (EAST, "东镇", 120.05, 120.1, "T1"))
    )
    assert [
        (zone.zone.code, zone.kinds, [(f.field, f.old, f.new) for f in zone.fields]) for zone in only_layer(found)
    ] == [
        (WEST, ("renamed",), [("name", "西镇", "西街道")]),
        (EAST, ("edited",), [("team", "T2", "T1")]),
    ]
    assert found.layers[0].region_km2 == 0
    (transfer,) = found.handover.transfers
    assert (transfer.old, transfer.new) == ("T2", "T1")
    assert transfer.km2 == pytest.approx(km2(120.05, 30, 120.1, 30.1))


def test_another_code_for_the_same_shape(changed: Changed) -> None:
    """And what that does: the border between two is the lower code's, so that line alone changes hands."""
    other = "990001003"
    found = changed(lambda new: townships(new, (other, "西镇", 120, 120.05, "T1"), (EAST, "东镇", 120.05, 120.1, "T2")))
    (zone,) = only_layer(found)
    assert (zone.kinds, zone.old and zone.old.code, zone.new and zone.new.code) == (("recoded",), WEST, other)
    (transfer,) = found.handover.transfers
    assert (transfer.old, transfer.new, transfer.km2, transfer.faces, transfer.exact) == ("T1", "T2", 0, (), True)
    assert transfer.at[0] == 120.05
    assert found.handover.changed_km2 == 0


def test_codes_that_were_swapped(changed: Changed) -> None:
    found = changed(lambda new: townships(new, (EAST, "西镇", 120, 120.05, "T1"), (WEST, "东镇", 120.05, 120.1, "T2")))
    assert [(zone.kinds, zone.zone.name) for zone in only_layer(found)] == [
        (("recoded",), "东镇"),
        (("recoded",), "西镇"),
    ]
    assert found.handover.changed_km2 == 0


def test_a_zone_that_was_parted_and_one_that_is_no_more(changed: Changed) -> None:
    parts = (
        (WEST, "西镇", 120, 120.05, "T1"),
        (EAST, "东镇", 120.05, 120.07, "T2"),
        ("990001003", "新镇", 120.07, 120.1, "T2"),
    )
    found = changed(lambda new: townships(new, *parts))
    assert {zone.zone.code: zone.kinds for zone in only_layer(found)} == {EAST: ("moved",), "990001003": ("added",)}
    assert found.handover.transfers == ()
    back = compare(found.new, found.old)
    assert {zone.zone.code: zone.kinds for zone in only_layer(back)} == {EAST: ("moved",), "990001003": ("removed",)}
    assert back.layers[0].gained_km2 == pytest.approx(found.layers[0].lost_km2)


def test_a_district_that_grew(changed: Changed) -> None:
    def grow(new: Path) -> None:
        write_features(new / "district.geojson", feature(square(120, 30, 120.12, 30.1), code="990001", name="小区"))
        townships(new, (WEST, "西镇", 120, 120.05, "T1"), (EAST, "东镇", 120.05, 120.12, "T2"))

    found = changed(grow)
    assert [layer.layer.name for layer in found.layers] == ["district", "township"]
    (transfer,) = found.handover.transfers
    assert (transfer.old, transfer.new) == (None, "T2")
    assert transfer.km2 == pytest.approx(km2(120.1, 30, 120.12, 30.1))
    (shrunk,) = compare(found.new, found.old).handover.transfers
    assert (shrunk.old, shrunk.new, shrunk.townships) == ("T2", None, (EAST,))


def test_a_layer_that_is_new(changed: Changed) -> None:
    def flood(new: Path) -> None:
        (new / "district.toml").write_text(TOML + WATER_LAYER, encoding="utf-8")
        write_features(
            new / "water.geojson", feature(square(120.04, 30, 120.06, 30.02), code="L", name="湖", team="T2")
        )
        rows(new, "rules.csv", "R2,,,*,,,@water,,")

    found = changed(flood)
    (layer,) = found.layers
    assert (layer.old, layer.counts()["added"]) == (None, 1)
    assert {change.field for change in found.settings} == {
        f"layers.water.{name}" for name in ("file", "label", "label_en", "cover", "real")
    }
    (transfer,) = found.handover.transfers
    assert (transfer.old, transfer.new) == ("T1", "T2")
    assert transfer.km2 == pytest.approx(km2(120.04, 30, 120.05, 30.02))


def test_rows_of_tables(changed: Changed) -> None:
    def change(new: Path) -> None:
        rows(new, "teams.csv", "T2,东大队,East,township,B1", "T3,专队,Special,specialist,B1", without="T2")
        rows(new, "matters.csv", "0102,乱堆,Litter,D1,,3,24,false")
        rows(new, "units.csv", "T2-V2,三号车,Car 3,T2,vehicle,B1,2", without="T1-V1")
        rows(new, "rules.csv", "R2,,,,,0101,T3,,")

    found = changed(change)
    assert found.layers == ()
    told = {table.name: {row.code: row.kind for row in table.rows} for table in found.tables}
    assert told == {
        "matters": {"0102": "added"},
        "teams": {"T2": "changed", "T3": "added"},
        "units": {"T1-V1": "removed", "T2-V2": "added"},
        "rules": {"R2": "added"},
    }
    team = next(table for table in found.tables if table.name == "teams").rows[0]
    assert [(field.field, field.old, field.new) for field in team.fields] == [("name", "东队", "东大队")]
    assert (found.handover.only_old, found.handover.only_new) == ((), ("0102",))
    assert {(one.old, one.new, one.matters) for one in found.handover.transfers} == {
        ("T1", "T3", ("0101",)),
        ("T2", "T3", ("0101",)),
    }
    assert found.handover.same_km2 == 0


def test_settings_roads_and_bases(changed: Changed) -> None:
    def change(new: Path) -> None:
        text = TOML.replace("main = 50", "main = 40").replace('edition = "1"', 'edition = "2"\nholds_from = 2026-12-01')
        (new / "district.toml").write_text(text, encoding="utf-8")
        line: dict[str, object] = {"type": "LineString", "coordinates": [[120.01, 30.05], [120.09, 30.05]]}
        features = [{"type": "Feature", "properties": {"class": "main"}, "geometry": line}]
        (new / "roads.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
        base: dict[str, object] = {"type": "Point", "coordinates": [120.03, 30.05]}
        write_features(new / "bases.geojson", feature(base, code="B1", name="驻地", name_en="Base"))

    found = changed(change)
    assert {change.field: (change.old, str(change.new)) for change in found.settings} == {
        "district.edition": ("1", "2"),
        "district.holds_from": (None, "2026-12-01"),
        "settings.speeds_kmh.main": (50, "40"),
    }
    (table,) = found.tables
    assert [(table.name, row.code, [field.field for field in row.fields]) for row in table.rows] == [
        ("bases", "B1", ["lon"])
    ]
    assert (found.roads.added, found.roads.removed) == (1, 0)
    assert found.roads.added_km == pytest.approx(7.72, abs=0.02)
    assert found.handover.transfers == ()
    assert not found.nothing


def test_only_the_editions_name_is_another(changed: Changed) -> None:
    text = TOML.replace('edition = "1"', 'edition = "2"')
    found = changed(lambda new: (new / "district.toml").write_text(text, encoding="utf-8") and None)
    assert found.nothing


def test_a_border_written_anew_is_the_same_shape() -> None:
    """Rounded to a centimetre under another code it is re-coded, and what moved of it is told."""
    shape = shapely.Point(120, 30).buffer(0.01)
    again = shapely.transform(shape, lambda xy: np.round(xy, 7))

    def layer(code: str, polygon: Polygon) -> Layer:
        zone = Zone("grid", code, code, "", "", None, polygon, 1.0, {})
        return Layer("grid", "", "", Cover.DISJOINT, None, real=False, source="", zones=(zone,))

    (zone,) = compare_layers(layer("A", shape), layer("B", again), METRIC).zones
    assert zone.kinds == ("recoded", "moved")
    assert 0 < zone.gained_km2 + zone.lost_km2 < 1e-4
    assert compare_layers(layer("A", shape), layer("A", shapely.reverse(shape)), METRIC).zones == ()


# --- against a slow, obvious model ----------------------------------------------------------------------------------

SIDE = 6
"""The made districts are squares of so many cells a side; every border runs along cells."""
STEP = 0.0005


def cells(west: int, south: int, east: int, north: int) -> Polygon:
    return box(120 + west * STEP, 30 + south * STEP, 120 + east * STEP, 30 + north * STEP)


def _layer(name: str, cover: Cover, shapes: Sequence[tuple[str, Polygon, str]]) -> Layer:
    zones = tuple(Zone(name, code, code, "", "", None, shape, 0.0, {"team": team}) for code, shape, team in shapes)
    return Layer(name, name, name, cover, None, real=False, source="", zones=tuple(sorted(zones, key=lambda z: z.code)))


@cache
def plain() -> District:
    """Everything but layers and rules of the made editions."""
    with tempfile.TemporaryDirectory() as folder:
        return load(write_small_district(Path(folder) / "plain"))


CODES = ("T1", "T2", "T3", "T4")
RULES = ("0101", "01", "21", "2102", "0105|2103")


@st.composite
def editions(draw: st.DrawFn) -> District:
    """A made edition: townships in bands, a lake, overlapping areas, rules of which each is settled by a third."""
    teams = st.sampled_from(CODES)
    cut = sorted(draw(st.sets(st.integers(1, SIDE - 1), min_size=1, max_size=2)))
    edges = [0, *cut, SIDE]
    codes = draw(st.permutations(["A", "B", "C"]))
    bands = [(code, cells(a, 0, b, SIDE), draw(teams)) for code, a, b in zip(codes, edges, edges[1:], strict=False)]
    corner = st.integers(0, SIDE - 2)

    def area(code: str) -> tuple[str, Polygon, str]:
        west, south = draw(corner), draw(corner)
        east, north = draw(st.integers(west + 1, SIDE)), draw(st.integers(south + 1, SIDE))
        return code, cells(west, south, east, north), draw(teams)

    whole = cells(0, 0, SIDE - draw(st.integers(0, 1)), SIDE)
    bands = [(code, shape.intersection(whole), team) for code, shape, team in bands]
    layers = {
        "district": _layer("district", Cover.PARTITION, [("D", whole, "")]),
        "township": _layer("township", Cover.PARTITION, [band for band in bands if not band[1].is_empty]),
        "joint": _layer("joint", Cover.OVERLAP, [area(code) for code in draw(st.sampled_from(["", "J", "JK"]))]),
        "water": _layer("water", Cover.DISJOINT, [area("W")]),
    }
    layers = {
        name: replace(layer, zones=tuple(replace(z, geometry=z.geometry.intersection(whole)) for z in layer.zones))
        for name, layer in layers.items()
    }
    assume(all(isinstance(z.geometry, Polygon) and z.geometry.area for layer in layers.values() for z in layer.zones))
    rules = [_rule("R0", "@township")]
    rules += [_rule(f"R{n}", draw(teams), matter=m) for n, m in enumerate(draw(st.sets(st.sampled_from(RULES))), 1)]
    if layers["joint"].zones and draw(st.booleans()):
        rules.append(_rule("J1", "@joint", joint="*", matter="0105"))
    if draw(st.booleans()):
        rules.append(_rule("W1", "@water", water="*", matter="2103"))
    made = replace(
        plain(),
        layers=layers,
        rules=tuple(rules),
        teams={code: Team(code, code, code, TeamKind.TOWNSHIP, "") for code in CODES},
        classes={code: MatterClass(code, code, code) for code in ("01", "21")},
        matters={
            code: Matter(code, code, code, "D", "", 3, 24, on_water=code == "2103")
            for code in draw(st.sampled_from(LISTS))
        },
    )
    table = table_of(made)
    assume(not table.faults)
    assume(not prove(table, layers, METRIC).unsettled)
    return made


LISTS = (("0101", "0105", "2102", "2103"), ("0101", "0105", "2103"))


def _rule(code: str, team: str, **given: str) -> Rule:
    row = dict.fromkeys((*PLACE_LAYERS, "matter"), "") | given
    return Rule(code=code, team=team, note="", note_en="", **row)


def held(layers: Mapping[str, Layer], lon: float, lat: float) -> Mapping[str, tuple[Zone, ...]]:
    found = {}
    for name, layer in layers.items():
        zones = tuple(zone for zone in layer.zones if shapely.intersects_xy(zone.geometry, lon, lat))
        found[name] = zones if layer.cover is Cover.OVERLAP else zones[:1]
    return found


def said(district: District, lon: float, lat: float, matter: str) -> str | None:
    place = held(district.layers, lon, lat)
    return table_of(district).team(place, matter) if place["district"] else None


def told_at(found: Handover, lon: float, lat: float) -> dict[str, Said]:
    """What the transfers whose faces hold a point say, matter by matter."""
    here = [one for one in found.transfers if any(shapely.intersects_xy(face, lon, lat) for face in one.faces)]
    told = {matter: (one.old, one.new) for one in here for matter in one.matters}
    assert len(told) == sum(len(one.matters) for one in here), "two transfers say different things of one place"
    return told


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(editions(), editions())
def test_responsibility_cell_by_cell(old: District, new: District) -> None:
    found = handover(old, new)
    both = sorted(({*old.matters, *old.classes}) & ({*new.matters, *new.classes}))
    changed = same = 0.0
    moved: dict[Said, float] = {}
    tables = (table_of(old), table_of(new))
    for x in range(SIDE):
        for y in range(SIDE):
            lon, lat = 120 + (x + 0.5) * STEP, 30 + (y + 0.5) * STEP
            places = [held(one.layers, lon, lat) for one in (old, new)]
            if not any(place["district"] for place in places):
                continue
            answers = {
                matter: tuple(
                    table.team(place, matter) if place["district"] else None
                    for table, place in zip(tables, places, strict=True)
                )
                for matter in both
            }
            differing = {matter: pair for matter, pair in answers.items() if pair[0] != pair[1]}
            assert told_at(found, lon, lat) == differing
            area = METRIC.area_m2(cells(x, y, x + 1, y + 1)) / 1e6
            changed, same = (changed + area, same) if differing else (changed, same + area)
            for pair in set(differing.values()):
                moved[pair] = moved.get(pair, 0.0) + area
    assert found.changed_km2 == pytest.approx(changed, rel=STRAIGHT, abs=1e-7)
    assert found.same_km2 == pytest.approx(same, rel=STRAIGHT, abs=1e-7)
    assert found.left_m2 == 0
    for one in found.transfers:
        if one.exact:
            assert all((said(old, *one.at, m), said(new, *one.at, m)) == (one.old, one.new) for m in one.matters)
        if not one.faces:
            assert one.km2 == 0
    areas: dict[Said, list[Any]] = {}
    for one in found.transfers:
        areas.setdefault((one.old, one.new), []).extend(one.faces)
    for pair, faces in areas.items():
        union = METRIC.area_m2(shapely.union_all(faces)) / 1e6 if faces else 0.0
        assert union == pytest.approx(moved.get(pair, 0.0), rel=STRAIGHT, abs=1e-7)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(editions())
def test_an_edition_does_not_differ_from_itself(one: District) -> None:
    found = compare(one, one)
    assert found.nothing
    assert (found.layers, found.tables, found.settings, found.handover.transfers) == ((), (), (), ())
    assert found.handover.changed_km2 == 0


def test_the_sample_does_not_differ_from_itself() -> None:
    found = compare(sample(), sample())
    assert found.nothing
    assert found.handover.transfers == ()
    assert found.handover.same_km2 == pytest.approx(sample().layers["district"].zones[0].area_km2, rel=1e-9)


# --- the sample district, changed ------------------------------------------------------------------------------------


def altered() -> District:
    """The sample: a joint area moved, a lake a little smaller, a strip from one township to the next, one other row."""
    layers = dict(sample().layers)
    layers["joint"] = _with(
        layers["joint"], 0, lambda g: shapely.transform(g, lambda xy: xy + np.array([0.004, 0.001]))
    )
    layers["water"] = _with(layers["water"], 0, lambda g: shapely.buffer(g, -0.001))
    towns = list(layers["township"].zones)
    strip = towns[0].geometry.intersection(box(*towns[1].geometry.bounds))
    towns[0] = replace(towns[0], geometry=shapely.difference(towns[0].geometry, strip))
    towns[1] = replace(towns[1], geometry=shapely.union(towns[1].geometry, strip))
    layers["township"] = replace(layers["township"], zones=tuple(towns))
    rules = tuple(replace(rule, team="D01") if rule.code == "R060" else rule for rule in sample().rules)
    return replace(sample(), layers=layers, rules=rules, version=f"{sample().version}-altered")


def _with(layer: Layer, number: int, change: Callable[[Any], Any]) -> Layer:
    zones = list(layer.zones)
    zones[number] = replace(zones[number], geometry=change(zones[number].geometry))
    return replace(layer, zones=tuple(zones))


def test_the_sample_against_the_locators_own_answers() -> None:
    old, new = sample(), altered()
    found = handover(old, new)
    rng = np.random.default_rng(20)
    whole = old.layers["district"].zones[0]
    west, south, east, north = whole.geometry.bounds
    lon, lat = rng.uniform((west, south), (east, north), (6000, 2)).T
    inside = shapely.contains_xy(whole.geometry, lon, lat)
    lon, lat = lon[inside], lat[inside]
    names = ("district", *PLACE_LAYERS)
    faces = [(face, one) for one in found.transfers for face in one.faces]
    tree = shapely.STRtree([face for face, _ in faces])
    told: list[dict[str, Said]] = [{} for _ in lon]
    for point, face in tree.query(shapely.points(lon, lat), predicate="intersects").T.tolist():
        told[point] |= dict.fromkeys(faces[face][1].matters, (faces[face][1].old, faces[face][1].new))
    tables = (table_of(old), table_of(new))
    locators = [Locator({name: one.layers[name] for name in names}) for one in (old, new)]
    codes = sorted({*old.matters, *old.classes})
    differing = 0
    for point, (x, y) in enumerate(zip(lon.tolist(), lat.tolist(), strict=True)):
        places = [locator.at(x, y) for locator in locators]
        answers = {m: tuple(t.team(p, m) for t, p in zip(tables, places, strict=True)) for m in codes}
        changed = {m: pair for m, pair in answers.items() if pair[0] != pair[1]}
        assert told[point] == changed
        differing += bool(changed)
    share = found.changed_km2 / (found.changed_km2 + found.same_km2)
    off = abs(differing / lon.size - share)
    assert off < 4 * (share * (1 - share) / lon.size) ** 0.5 + 1e-9
    assert found.changed_km2 + found.same_km2 == pytest.approx(whole.area_km2, rel=1e-9)
    assert {"R060"} == {r.code for r, s in zip(old.rules, new.rules, strict=True) if r != s}
