"""What building takes of memory is measured in a process of its own, and does not pass where it cannot be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dispatch.bench import building, locate
from dispatch.bench.building import one_layer, taken
from geo.locate import Locator
from tests.made import district_layers

SHAPES = np.array([zone.geometry for zone in district_layers(cells=40)["grid"].zones], dtype=object)


def test_a_building_process_is_measured_by_itself() -> None:
    ours = np.ones(60_000_000)  # 480 MB of the process that asks
    found = taken(SHAPES)
    assert found is not None
    assert ours.nbytes / 1e6 > found.peak_mb > found.before_mb > 50, "numpy, GEOS and numba are in it"
    assert found.increase_mb > Locator(one_layer("grid", SHAPES)).pixels.nbytes / 1e6, "what is kept is in it"


def test_too_much_memory_does_not_pass_nor_where_it_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    figures: dict[str, Any] = {"missing": {}}
    assert locate.memory("some", SHAPES, figures)
    assert 0 < figures["some_memory_increase_mb"] < figures["some_memory_mb"] < locate.MEMORY_MB
    monkeypatch.setattr(locate, "MEMORY_MB", 50.0)
    assert not locate.memory("some", SHAPES, figures)
    assert figures["missing"] == {}
    monkeypatch.setattr(building, "_STATUS", Path(__file__) / "none")
    assert not locate.memory("other", SHAPES, figures)
    assert set(figures["missing"]) == {"other_memory"}
