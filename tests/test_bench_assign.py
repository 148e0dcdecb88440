"""`onegrid bench assign` measures what it says, on a small stream."""

from __future__ import annotations

from dispatch.bench import assign
from tests.sample import ground


def test_assign_gives_its_figures() -> None:
    result = assign.run(ground(), ground().district.folder, lambda _line: None, cases=20, units=30, rounds=2)
    figures = result.figures
    assert result.name == "bench assign"
    for name in ("crowded", "roomy"):
        assert 0 <= figures[f"{name}_cost_saved_median"] <= figures[f"{name}_cost_saved_max"] < 1
        assert min(figures[f"{name}_served_mean"], figures[f"{name}_served_mean_one_by_one"]) > 0
        assert 0 < figures[f"{name}_took_median_s"] <= figures[f"{name}_took_max_s"]
    assert (figures["crowded_cases"], figures["roomy_cases"]) == (20, 6)
    assert figures["every_pair_s"] > 0
