"""Which unit goes: against the plain reading of the rule."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dispatch.model import Mode, Unit
from dispatch.routing import Candidate, rank
from geo.travel import Leg

units = st.lists(
    st.tuples(st.integers(0, 30), st.none() | st.integers(1, 20)),
    min_size=0,
    max_size=8,
    unique_by=lambda pair: pair[0],
)


@given(units, st.sets(st.integers(0, 30)))
def test_the_nearest_free_unit_goes_or_it_is_said_why_not(made: list[tuple[int, int | None]], busy: set[int]) -> None:
    candidates = [
        Candidate(
            Unit(f"U{number:02d}", "", "", "T", Mode.VEHICLE, "B", 2),
            None if minutes is None else Leg(minutes * 60.0, minutes * 500.0, "vehicle"),
        )
        for number, minutes in made
    ]
    taken = {f"U{number:02d}" for number in busy}
    verdicts = rank(candidates, taken)
    assert {v.unit for v in verdicts} == {c.unit.code for c in candidates}
    free = [c for c in candidates if c.leg is not None and c.unit.code not in taken]
    chosen = [v for v in verdicts if v.chosen]
    assert len(chosen) == (1 if free else 0)
    if free:
        best = min(free, key=lambda c: (c.leg.seconds, c.unit.code))  # type: ignore[union-attr]
        assert chosen[0].unit == best.unit.code
        assert verdicts[0] is chosen[0]
    for verdict in verdicts:
        candidate = next(c for c in candidates if c.unit.code == verdict.unit)
        expected = (
            "nearest"
            if verdict.chosen
            else "unreachable"
            if candidate.leg is None
            else "busy"
            if verdict.unit in taken
            else "farther"
        )
        assert verdict.reason == expected
        assert (verdict.eta_s is None) == (candidate.leg is None)
