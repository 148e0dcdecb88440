"""Zones: the sample district's own figures, and the checks on made layers."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj.exceptions import CRSError
from shapely import MultiPolygon, Polygon

from dispatch.district import District, load
from geo.coverage import check_codes, check_layer, union_km2
from geo.findings import WORDS, Finding, findings_geojson
from geo.grid import Cover, Layer, Metric, Zone, in_degrees, read_features, read_zones

SAMPLE = Path(__file__).parents[1] / "data" / "grids" / "gaochun"
METRIC = Metric("EPSG:4549")


@pytest.fixture(scope="module")
def sample() -> District:
    return load(SAMPLE)


# --- the sample ---------------------------------------------------------------------------------------------------


def test_the_water_measures_what_is_published(sample: District) -> None:
    water = sample.layers["water"]
    assert union_km2(water.zones, METRIC) == pytest.approx(191.0, abs=0.5)
    assert sum(zone.area_km2 for zone in water.zones) == pytest.approx(191.0, abs=0.5)  # none counted twice
    assert all(zone.name for zone in water.zones)
    assert {zone.kind for zone in water.zones} == {"lake", "river", "canal", "polder"}


def test_the_boundary_is_the_real_one(sample: District) -> None:
    assert sample.layers["district"].zones[0].area_km2 == pytest.approx(792.6, abs=0.1)
    assert sample.layers["district"].real
    assert not any(layer.real for name, layer in sample.layers.items() if name != "district")


def test_townships_are_as_large_as_published(sample: District) -> None:
    areas = {zone.name: zone.area_km2 for zone in sample.layers["township"].zones}
    assert len(areas) == 8
    assert areas["淳溪街道"] == pytest.approx(82.6, abs=0.4)
    assert areas["固城街道"] == pytest.approx(83.47, abs=0.4)
    assert areas["砖墙镇"] == pytest.approx(75.85, abs=0.4)


@pytest.mark.parametrize("layer", ["township", "community", "grid"])
def test_partitions_share_every_vertex_and_fill_the_district(sample: District, layer: str) -> None:
    shapes = [zone.geometry for zone in sample.layers[layer].zones]
    assert shapely.coverage_is_valid(shapes)
    assert shapely.coverage_union_all(shapes).equals(sample.layers["district"].zones[0].geometry)


def test_grids_nest_in_communities_in_townships(sample: District) -> None:
    assert 800 <= len(sample.layers["grid"].zones) <= 1200
    assert len(sample.layers["community"].zones) == 134
    for layer, holder in (("grid", "community"), ("community", "township")):
        holders = {zone.code: zone.geometry for zone in sample.layers[holder].zones}
        children: dict[str, list[Polygon | MultiPolygon]] = {}
        for zone in sample.layers[layer].zones:
            assert zone.parent
            assert zone.code.startswith(zone.parent)
            children.setdefault(zone.parent, []).append(zone.geometry)
        assert children.keys() == holders.keys()
        for code, shapes in children.items():
            assert shapely.coverage_union_all(shapes).equals(holders[code])


def test_grid_codes_run_from_north_to_south_and_west_to_east(sample: District) -> None:
    """Rows of equal height, round(sqrt(n)) of them; in a row by the centroid from the west."""
    families: dict[str, list[Zone]] = {}
    for zone in sample.layers["grid"].zones:
        assert len(zone.code) == 15
        assert zone.code.isdigit()
        families.setdefault(zone.code[:12], []).append(zone)
    for family in families.values():
        assert [int(zone.code[12:]) for zone in family] == list(range(1, len(family) + 1))
        _, south, _, north = shapely.total_bounds([zone.geometry for zone in family])
        height = (north - south) / round(len(family) ** 0.5)
        middles = [zone.geometry.centroid for zone in family]
        order = [(int((north - at.y) / height + 1e-6), at.x) for at in middles]
        assert order == sorted(order)


def test_joint_areas_lie_in_one_township_and_mostly_on_land(sample: District) -> None:
    (town,) = [zone for zone in sample.layers["township"].zones if zone.name == "淳溪街道"]
    wet = shapely.union_all([zone.geometry for zone in sample.layers["water"].zones])
    areas = sample.layers["joint"].zones
    assert len(areas) == 2
    for area in areas:
        assert town.geometry.covers(area.geometry)
        assert area.geometry.intersection(wet).area < 0.2 * area.geometry.area


def test_boats_can_go_from_every_pier_to_every_lake_and_river(sample: District) -> None:
    """Lakes, rivers and canals hang together (within 5 cm, what rounding leaves)."""
    open_water = [in_metres(z.geometry).buffer(0.05) for z in sample.layers["water"].zones if z.kind != "polder"]
    assert len(shapely.get_parts(shapely.union_all(open_water))) == 1


def in_metres(geometry: Polygon | MultiPolygon) -> shapely.Geometry:
    return shapely.transform(geometry, METRIC.points)


def test_bridges_are_over_water_and_the_other_roads_are_not(sample: District) -> None:
    wet = shapely.union_all([in_metres(zone.geometry) for zone in sample.layers["water"].zones])
    lines = {
        bridge: [shapely.transform(g, METRIC.points) for g, _, b in sample.roads if b == bridge] for bridge in (0, 1)
    }
    assert len(lines[1]) > 20
    wide, narrow = wet.buffer(0.1), wet.buffer(-0.1)
    assert shapely.length(shapely.difference(lines[1], wide)).max() < 0.5
    assert shapely.length(shapely.intersection(lines[0], narrow)).max() < 0.5


# --- made layers --------------------------------------------------------------------------------------------------


def zone(code: str, shape: Polygon, parent: str | None = None, layer: str = "grid") -> Zone:
    return Zone(layer, code, code, "", "", parent, shape, METRIC.area_m2(shape) / 1e6)


def layer(*zones: Zone, cover: Cover = Cover.PARTITION, parent: str | None = None) -> Layer:
    return Layer("grid", "", "", cover, parent, False, "", zones)


DISTRICT = zone("1", shapely.box(120, 30, 120.02, 30.02), layer="district")
WEST, EAST = zone("1", shapely.box(120, 30, 120.01, 30.02)), zone("2", shapely.box(120.01, 30, 120.02, 30.02))


def kinds(findings: list[Finding]) -> Counter[str]:
    return Counter(finding.code for finding in findings)


def test_two_halves_are_a_partition() -> None:
    assert check_layer(layer(WEST, EAST), DISTRICT, None, METRIC) == []


def test_every_gap_is_named_with_place_and_area() -> None:
    holed = Polygon(WEST.geometry.exterior.coords, [shapely.box(120.002, 30.002, 120.004, 30.004).exterior.coords])
    short = shapely.box(120.01, 30, 120.02, 30.019)
    findings = check_layer(layer(zone("1", holed), zone("2", short)), DISTRICT, None, METRIC)
    assert kinds(findings) == {"gap": 2}
    hole = next(f for f in findings if f.geometry is not None and f.geometry.centroid.x < 120.01)
    assert hole.geometry is not None
    assert hole.geometry.equals(shapely.box(120.002, 30.002, 120.004, 30.004))
    assert hole.area_km2 == pytest.approx(METRIC.area_m2(hole.geometry) / 1e6)
    assert "120.003" in hole.text("zh")
    assert "km²" in hole.text("en")


@pytest.mark.parametrize(
    ("inner", "codes"),
    [
        (shapely.box(120.009, 30.001, 120.011, 30.002), [("1", "3"), ("2", "3")]),  # across the common edge
        (shapely.box(120.002, 30.002, 120.003, 30.003), [("1", "3")]),  # wholly inside
        (WEST.geometry, [("1", "3")]),  # the same again
    ],
)
def test_every_overlap_is_named(inner: Polygon, codes: list[tuple[str, str]]) -> None:
    findings = check_layer(layer(WEST, EAST, zone("3", inner)), DISTRICT, None, METRIC)
    assert kinds(findings) == {"overlap": len(codes)}
    assert sorted(f.zones for f in findings) == codes
    assert sum(f.area_km2 or 0 for f in findings) == pytest.approx(METRIC.area_m2(inner) / 1e6)


def test_layers_that_overlap_or_leave_room_may() -> None:
    inner = zone("3", shapely.box(120.002, 30.002, 120.003, 30.003))
    assert check_layer(layer(WEST, inner, cover=Cover.OVERLAP), DISTRICT, None, METRIC) == []
    assert check_layer(layer(inner, cover=Cover.DISJOINT), DISTRICT, None, METRIC) == []


def test_outside_district_and_parent() -> None:
    wide = zone("1", shapely.box(119.999, 30, 120.01, 30.02), parent="1")
    holder = layer(zone("1", shapely.box(119.999, 30, 120.005, 30.02)))
    findings = check_layer(layer(wide, zone("2", EAST.geometry, parent="9")), DISTRICT, holder, METRIC)
    assert kinds(findings) == {"outside_district": 1, "outside_parent": 1, "orphan_parent": 1}
    out = next(f for f in findings if f.code == "outside_district")
    assert out.geometry is not None
    assert out.geometry.equals(shapely.box(119.999, 30, 120, 30.02))


def test_around_an_invalid_ring_no_gap_is_claimed() -> None:
    """The bow-tie is what is wrong; the hole it leaves is judged when it is mended."""
    bow = Polygon([(120, 30), (120.01, 30.02), (120.01, 30), (120, 30.02)])
    zones, findings = read_zones("grid", "g", read_features(collection(bow, EAST.geometry)), METRIC)
    assert kinds(findings) == {"invalid_ring": 1}
    assert findings[0].geometry is not None
    assert findings[0].geometry.distance(shapely.Point(120.005, 30.01)) < 1e-9
    assert check_layer(layer(*zones), DISTRICT, None, METRIC) == []


def collection(*shapes: shapely.Geometry) -> str:
    return json.dumps(
        {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "properties": {"code": str(i), "name": "x"},
                    "geometry": shapely.geometry.mapping(s),
                }
                for i, s in enumerate(shapes, 1)
            ],
        }
    )


def test_features_that_are_no_zones_are_named_each() -> None:
    west, metres = (shapely.geometry.mapping(shape) for shape in (WEST.geometry, shapely.box(4e5, 3.4e6, 5e5, 3.5e6)))
    raw: list[tuple[dict[str, object], object]] = [
        ({"code": "1", "name": "x"}, None),
        ({"code": "2", "name": "x"}, {"type": "Point", "coordinates": [1, 2]}),
        ({"code": "3", "name": "x"}, {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}),
        ({"code": 4, "name": "x"}, west),
        ({"code": "5"}, west),
        ({"code": "6", "name": "x"}, metres),
    ]
    features = [{"type": "Feature", "properties": words, "geometry": shape} for words, shape in raw]
    text = json.dumps({"type": "FeatureCollection", "features": features})
    zones, findings = read_zones("grid", "g", read_features(text), METRIC)
    assert zones == ()
    assert kinds(findings) == {"not_polygon": 3, "bad_property": 2, "outside_degrees": 1}


NO_GEOJSON = ("", "[]", "{}", '{"type":"FeatureCollection"}', '{"type":"FeatureCollection","features":{}}')


@pytest.mark.parametrize("text", [*NO_GEOJSON, '{"type":"FeatureCollection","features":[NaN]}'])
def test_what_is_no_geojson_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_features(text)


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:2263"])
def test_areas_need_a_crs_in_metres(crs: str) -> None:
    with pytest.raises(ValueError, match="not a projected CRS in metres"):
        Metric(crs)
    with pytest.raises(CRSError):
        Metric("nonsense")


def test_grid_codes_have_their_digits_and_their_parents() -> None:
    right, short, strange, other = (
        zone(code, WEST.geometry, parent="320118001001")
        for code in ("320118001001001", "32011800100101", "32011800100100A", "320118001002001")
    )
    findings = check_codes(layer(right, short, strange, other), (6, 3, 3, 3))
    assert [f.zones[0] for f in findings] == [short.code, strange.code, other.code]


@given(cut=st.floats(0.001, 0.019), shift=st.floats(-0.0009, 0.0009))
def test_gap_and_overlap_measure_the_shift(cut: float, shift: float) -> None:
    """Two pieces, the second moved: the gap or the overlap is as large as the strip between them."""
    middle = 120 + cut
    west = zone("1", shapely.box(120, 30, middle, 30.02))
    east = zone("2", shapely.box(middle + shift, 30, 120.02, 30.02))
    strip = shapely.box(min(middle, middle + shift), 30, max(middle, middle + shift), 30.02)
    findings = check_layer(layer(west, east), DISTRICT, None, METRIC)
    area_m2 = METRIC.area_m2(strip)
    if area_m2 > 0.05:
        assert kinds(findings) == {"gap" if shift > 0 else "overlap": 1}
        assert (findings[0].area_km2 or 0) * 1e6 == pytest.approx(area_m2, rel=1e-6, abs=1e-3)
    elif area_m2 < 0.005:
        assert findings == []


def test_findings_read_in_both_languages_and_as_geojson() -> None:
    findings = check_layer(layer(WEST), DISTRICT, None, METRIC)
    (feature,) = findings_geojson(findings)["features"]
    assert shapely.geometry.shape(feature["geometry"]).equals(EAST.geometry)
    assert "空隙" in feature["properties"]["zh"]
    assert "gap" in feature["properties"]["en"]
    assert json.dumps(feature, allow_nan=False)
    assert all(len(words) == 2 and all(words) for words in WORDS.values())


def test_degrees() -> None:
    assert in_degrees(DISTRICT.geometry)
    assert not in_degrees(shapely.box(0, 0, 181, 1))
    assert not in_degrees(Polygon())
