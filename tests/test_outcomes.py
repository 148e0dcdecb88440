"""What a circle comes to: in the sample district on its shores and borders, and for made shares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from dispatch.competence import PLACE_LAYERS, Place
from dispatch.errors import BrokenDistrict
from dispatch.outcomes import Spot, Weighed, weigh
from geo.circle import Part
from geo.grid import Zone
from tests.sample import ground, sample
from tests.small_district import TOML, write_small_district

WGS84 = Geod(ellps="WGS84")

ANYWHERE = "0101"
"""The township's, on land and water alike, outside all other layers."""
IN_WATER = "0114"
"""Dead animals: the water team's on water, another's on land. Not a matter of water only."""
OF_WATER = "0111"
"""Disorder on the water: only makes sense there."""
OF_WATER_EVERYWHERE = "2103"
"""Illegal fishing: the water team's wherever it is seen."""


def shore(count: int = 40, away: float = 0.0) -> list[tuple[float, float]]:
    """Places on the bank of the largest lake, within the district and `away` degrees from the bank."""
    lake = max(sample().layers["water"].zones, key=lambda zone: zone.area_km2)
    whole = sample().layers["district"].zones[0].geometry.buffer(-0.005)
    line = shapely.boundary(lake.geometry.buffer(away) if away else lake.geometry).intersection(whole)
    points = [line.interpolate(share, normalized=True) for share in np.linspace(0.01, 0.99, count)]
    return [(point.x, point.y) for point in points]


def weighed(lon: float, lat: float, radius: float, matter: str) -> Weighed:
    return ground().weigh(lon, lat, radius, ground().locator.at(lon, lat), matter)


def is_wet(place: Place) -> bool:
    return bool(place.get("water"))


def test_one_team_all_over_is_routed_by_the_point() -> None:
    for lon, lat in shore():
        found = weighed(lon, lat, 60, OF_WATER_EVERYWHERE)
        assert found.kinds > 1
        assert (found.outcomes, found.notes, found.facts) == ((), (), {})
        assert (found.lon, found.lat) == (lon, lat)
        assert found.ruling == ground().table.decide(ground().locator.at(lon, lat), OF_WATER_EVERYWHERE)


@pytest.mark.parametrize("radius", [15, 40, 300, 2000])
def test_a_choice_shows_the_nearest_point_of_what_was_chosen(radius: float) -> None:
    for lon, lat in shore(30):
        for one in weighed(lon, lat, radius, IN_WATER).outcomes:
            found = ground().settle(lon, lat, radius, IN_WATER, one.team)
            assert found is not None
            chosen, (x, y) = found
            assert (chosen.ruling.team, chosen.outcomes[0], chosen.notes) == (one.team, one, ("settled_by_choice",))
            assert ground().table.team(ground().locator.at(x, y), IN_WATER) == one.team
            _, _, metres = WGS84.inv(lon, lat, x, y)
            _, _, middle = WGS84.inv(lon, lat, one.lon, one.lat)
            assert metres <= min(middle, radius) + 0.5
            # Nothing of that piece is much nearer: a metre is what the point is moved inside.
            part = next(p for p in ground().circles.parts(lon, lat, radius) if p.middle()[:2] == (one.lon, one.lat))
            assert part.face is not None
            corner = shapely.shortest_line(part.face, shapely.Point(lon, lat)).coords[0]
            _, _, nearest = WGS84.inv(lon, lat, *corner)
            assert metres <= nearest + 5
            assert chosen.circle == (None if (x, y) == (lon, lat) else (lon, lat))


def test_nobody_elses_part_can_be_chosen() -> None:
    [(lon, lat)] = shore(1)
    teams = {one.team for one in weighed(lon, lat, 40, IN_WATER).outcomes}
    assert teams
    for team in set(sample().teams) - teams:
        assert ground().settle(lon, lat, 40, IN_WATER, team) is None


def test_a_circle_without_a_boundary_is_its_point() -> None:
    lake = max(sample().layers["water"].zones, key=lambda zone: zone.area_km2)
    middle = shapely.maximum_inscribed_circle(lake.geometry).coords[0]
    found = weighed(*middle, 200, IN_WATER)
    assert (found.kinds, found.outcomes, found.notes) == (1, (), ())
    assert found.radius_m == 200


def test_on_the_bank_the_shares_are_told_and_a_close_one_is_to_be_confirmed() -> None:
    confirmed = 0
    for lon, lat in shore():
        found = weighed(lon, lat, 40, IN_WATER)
        teams = Counter[str]()
        for part in ground().circles.parts(lon, lat, 40):
            teams[ground().table.team(part.place, IN_WATER)] += part.share  # type: ignore[assignment]
        assert {one.team: one.share for one in found.outcomes} == pytest.approx(dict(teams), abs=1e-4)
        assert found.outcomes[0].share == max(one.share for one in found.outcomes)
        assert found.ruling.team == found.outcomes[0].team
        assert ("confirm_place" in found.notes) == (found.outcomes[0].share < 0.7)
        assert "water_decides" not in found.notes
        for one in found.outcomes:
            there = ground().locator.at(one.lon, one.lat)
            assert ground().table.decide(there, IN_WATER).rule.code == one.rule
            assert weighed(one.lon, one.lat, min(5, one.clear_m), IN_WATER).ruling.team == one.team
            assert {zone.code for zone in one.zones} == {z.code for name in PLACE_LAYERS for z in there.get(name, ())}
        confirmed += "confirm_place" in found.notes
    assert confirmed > 20


def test_a_matter_of_water_goes_to_the_water_from_either_side_of_the_bank() -> None:
    ashore = afloat = 0
    for lon, lat in [*shore(away=2e-4), *shore(away=-2e-4)]:
        here = ground().locator.at(lon, lat)
        parts = ground().circles.parts(lon, lat, 60)
        if not any(is_wet(part.place) for part in parts) or all(is_wet(part.place) for part in parts):
            continue
        found = weighed(lon, lat, 60, OF_WATER)
        assert sample().teams[found.ruling.team].kind.value == "water"
        assert found.notes[0] == "water_decides"
        assert "confirm_place" not in found.notes or len([one for one in found.outcomes if one.share]) > 1
        assert is_wet(ground().locator.at(found.lon, found.lat)), "the boat goes to the water"
        dry = [one for one in found.outcomes if one.team != found.ruling.team and one.share == 0]
        assert dry, "what lost its share is still told"
        if is_wet(here):
            afloat += 1
            assert (found.lon, found.lat) == (lon, lat)
        else:
            ashore += 1
    assert ashore > 5
    assert afloat > 5


def test_without_water_in_the_circle_dry_land_has_its_share() -> None:
    for lon, lat in shore(away=3e-3):
        parts = ground().circles.parts(lon, lat, 30)
        if not any(is_wet(part.place) for part in parts):
            assert "water_decides" not in weighed(lon, lat, 30, OF_WATER).notes


def township_parts(shares: Sequence[float]) -> list[Part]:
    """A part of each township, of these shares; made, for no circle meets so many."""
    zones: list[Zone] = list(sample().layers["township"].zones)[: len(shares)]
    found = []
    for zone, share in zip(zones, shares, strict=True):
        at = zone.geometry.representative_point()
        found.append(Part({"township": (zone,)}, share, at.x, at.y, None))
    return sorted(found, key=lambda part: -part.share)


@given(st.lists(st.integers(1, 100), min_size=2, max_size=8), st.integers(0, 7), st.floats(0.05, 1))
def test_the_largest_share_wins_and_of_equals_where_the_point_is(
    weights: list[int], here: int, confirm_share: float
) -> None:
    shares = [weight / sum(weights) for weight in weights]
    parts = township_parts(shares)
    at = parts[here % len(parts)]
    spot = Spot(at.lon, at.lat, 30, at.place, ANYWHERE, on_water=False)
    found = weigh(ground().table, spot, parts, confirm_share)
    team_here = ground().table.team(at.place, ANYWHERE)
    assert sum(one.share for one in found.outcomes) == pytest.approx(1, abs=1e-3)
    largest = max(shares)
    leaders = {
        ground().table.team(part.place, ANYWHERE) for part in parts if part.share == pytest.approx(largest, abs=1e-10)
    }
    assert found.ruling.team == (team_here if team_here in leaders else min(leaders))
    assert ("confirm_place" in found.notes) == (round(largest, 4) < confirm_share)
    if found.ruling.team == team_here:
        assert (found.lon, found.lat) == (at.lon, at.lat)


@pytest.mark.parametrize("value", ["0", "-0.5", "1.01", '"much"', "true", "nan"])
def test_a_share_is_more_than_nothing_and_at_most_all(tmp_path_factory: pytest.TempPathFactory, value: str) -> None:
    from dispatch.district import load

    folder = write_small_district(tmp_path_factory.mktemp("district") / "small")
    assert load(folder).settings.confirm_share == 0.7
    toml = TOML.replace("travel_cell_m = 100", f"travel_cell_m = 100\nconfirm_share = {value}")
    (folder / "district.toml").write_text(toml, encoding="utf-8")
    with pytest.raises(BrokenDistrict) as refused:
        load(folder)
    [finding] = refused.value.findings
    assert "settings.confirm_share" in str(finding)
    (folder / "district.toml").write_text(toml.replace(f"confirm_share = {value}", "confirm_share = 0.9"))
    assert load(folder).settings.confirm_share == 0.9
