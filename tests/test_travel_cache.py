"""What is kept is what was built; what does not belong, or is broken, is built anew; many may do so at once."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from shapely import LineString

from geo.terrain import Terrain
from geo.travel import Travel
from geo.travel_cache import FILES_LEFT, prepared
from tests.test_travel import at, degrees, terrain

LAKE = shapely.box(2000, 2000, 4000, 4000)
ROAD = LineString([(500, 500), (5500, 700), (5600, 5500)])
PLACES = {"A": (500.0, 500.0), "B": (5600.0, 5500.0), "C": (1950.0, 3000.0)}


@pytest.fixture
def land() -> Terrain:
    return terrain([LAKE], [(ROAD, "main", False)], PLACES, cell_m=200.0)


def same(one: Travel, other: Travel) -> bool:
    for mode in ("vehicle", "boat"):
        a, b = one.surface(mode), other.surface(mode)
        if a.bases != b.bases or not np.array_equal(a.seconds, b.seconds) or not np.array_equal(a.metres, b.metres):
            return False
    return True


def test_what_is_opened_is_what_was_built(land: Terrain, tmp_path: Path) -> None:
    folder = tmp_path / "not" / "yet"
    built, first, opened = Travel.build(land), prepared(land, folder), prepared(land, folder)
    assert same(built, first)
    assert same(built, opened)
    assert not opened.surface("boat").seconds.flags.writeable, "mapped, not read"
    assert [path.name[:7] for path in folder.iterdir()] == ["travel-"]
    for mode in ("vehicle", "boat"):
        for x, y in [(3000, 3000), (100, 5000), (1990, 2500), (5000, 5000)]:
            starts = {"u": at(2100, 2100), "v": at(1900, 2500)}
            assert built.legs(mode, starts, *at(x, y)) == opened.legs(mode, starts, *at(x, y))
            ways = built.way_from_base("C", mode, *at(x, y)), opened.way_from_base("C", mode, *at(x, y))
            assert (ways[0] is None) == (ways[1] is None)
            if ways[0] and ways[1]:
                assert np.array_equal(ways[0].lonlat, ways[1].lonlat)


@pytest.mark.parametrize(
    "change",
    [
        {"water": [degrees(LAKE.buffer(1))]},
        {"roads": [(degrees(ROAD), "minor", False)]},
        {"roads": [(degrees(ROAD), "main", True)]},
        {"roads": []},
        {"bases": {"A": at(500, 501)}},
        {"cell_m": 201.0},
        {"metric_crs": "EPSG:4548"},
        {"speeds_kmh": {"main": 50.0, "minor": 30.0, "field": 5.0, "boat": 18.0, "foot": 4.5}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_digest_knows_all_that_it_is_made_from(land: Terrain, change: dict[str, object]) -> None:
    assert replace(land).digest() == land.digest()
    assert replace(land, **change).digest() != land.digest()  # type: ignore[arg-type]


@pytest.mark.parametrize("broken", [b"", b"nonsense", None])
def test_a_broken_file_is_built_anew(land: Terrain, tmp_path: Path, broken: bytes | None) -> None:
    built = prepared(land, tmp_path)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if broken is None else broken)
    assert same(built, prepared(land, tmp_path))
    assert file.read_bytes() == whole


def test_another_terrain_is_not_taken_for_this_one(land: Terrain, tmp_path: Path) -> None:
    prepared(land, tmp_path)
    (file,) = tmp_path.iterdir()
    other = replace(land, cell_m=250.0)
    file.rename(file.with_name(f"travel-{other.digest()[:16]}.bin"))
    assert same(prepared(other, tmp_path), Travel.build(other))


def test_a_folder_that_cannot_be_written_does_no_harm(land: Terrain, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    assert same(prepared(land, tmp_path / "file" / "derived"), Travel.build(land))


def test_old_ones_go_and_what_is_open_stays(land: Terrain, tmp_path: Path) -> None:
    prepared(land, tmp_path)
    opened = prepared(land, tmp_path)
    for number in range(FILES_LEFT + 1):
        prepared(replace(land, cell_m=400.0 + number), tmp_path)
    assert len(list(tmp_path.iterdir())) == FILES_LEFT
    assert same(opened, Travel.build(land))


def test_many_at_once_all_get_it(land: Terrain, tmp_path: Path) -> None:
    made: list[Travel] = []
    threads = [threading.Thread(target=lambda: made.append(prepared(land, tmp_path))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 6
    assert all(same(made[0], one) for one in made)
    assert len(list(tmp_path.iterdir())) == 1, "nothing half-written stays"
