"""A ruler against travel times: the study's figures, asked again one by one; its map; the error on a plain."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pyproj import Transformer

from dispatch.bench.points import inside
from dispatch.bench.ruler import compared
from dispatch.bench.ruler_map import draw
from dispatch.bench.travel import plain_pct
from dispatch.model import Mode
from tests.sample import ground
from tests.test_travel import leg_of


def test_each_point_is_judged_as_its_legs_say() -> None:
    lon, lat = inside(ground(), 3000, seed=21)
    travel, units = ground().travel, ground().district.units.values()
    to_metres = Transformer.from_crs("EPSG:4326", ground().district.metric_crs, always_xy=True)
    seen = {True: 0, False: 0}
    for mode, found in zip((Mode.VEHICLE, Mode.BOAT), compared(ground(), lon, lat), strict=True):
        bases = sorted({unit.base for unit in units if unit.mode is mode})
        assert found.bases == len(bases)
        assert (found.wrong == (found.late_s > 0)).all()
        for number in range(0, found.lon.size, 7):
            x, y = found.lon[number], found.lat[number]
            here = to_metres.transform(x, y)
            nearest = min(bases, key=lambda base: math.dist(to_metres.transform(*travel.positions[base]), here))
            legs = {base: leg_of(travel, base, mode.value, x, y) for base in bases}
            soonest = min(leg.seconds for leg in legs.values() if leg)
            by_ruler = legs[nearest]
            late = by_ruler.seconds - soonest if by_ruler else math.inf
            assert found.late_s[number] == pytest.approx(late, abs=1e-3)
            seen[bool(found.wrong[number])] += 1
    assert min(seen.values()) > 5, "right and wrong both occur"


def test_on_a_plain_sixteen_directions_are_nearly_straight() -> None:
    longest, mean = plain_pct()
    # Between a straight move and a knight's: 1 / cos(half of atan(1/2)), less 1.
    assert longest == pytest.approx(100 * (1 / math.cos(math.atan(0.5) / 2) - 1), abs=0.01)
    assert 1.0 < mean < 1.6


def test_the_map_is_a_picture_with_both_colours(tmp_path: Path) -> None:
    file = tmp_path / "ruler.png"
    draw(ground(), file)
    pixels = np.asarray(Image.open(file).convert("RGB")).reshape(-1, 3)
    for colour in ((0xC6, 0x5D, 0x21), (0x5B, 0x2A, 0x9D)):
        assert (pixels == colour).all(axis=1).sum() > 50
