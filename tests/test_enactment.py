"""Which edition holds when: against the slow and obvious, and the folder that comes out of a bundle again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch import district
from dispatch.bundle import pack, unpacked
from dispatch.editions import read
from dispatch.enactment import Enactment, in_force, next_change, seen
from dispatch.errors import BrokenDistrict
from tests.sample import sample
from tests.small_district import write_small_district

START = datetime(2026, 11, 1, tzinfo=UTC)
hours = st.integers(0, 12).map(lambda hour: START + timedelta(hours=hour))


@st.composite
def histories(draw: st.DrawFn) -> Sequence[Enactment]:
    begins = draw(st.lists(hours, min_size=1, max_size=8))
    return [Enactment(number, f"v{number % 3}", at, START) for number, at in enumerate(begins, 1)]


@given(histories(), hours)
def test_what_holds_is_what_a_calendar_says_that_is_filled_in_hour_by_hour(
    history: Sequence[Enactment], moment: datetime
) -> None:
    holds = None
    for hour in range(13):
        at = START + timedelta(hours=hour)
        for one in history:
            if one.holds_from == at:
                holds = one
        if at == moment:
            break
    earliest = min(one.holds_from for one in history)
    expected = holds or next(one for one in history if one.holds_from == earliest)
    assert in_force(history, moment) == expected


@given(histories(), hours)
def test_nothing_changes_before_the_next_change(history: Sequence[Enactment], moment: datetime) -> None:
    change = next_change(history, moment)
    for hour in range(13):
        at = START + timedelta(hours=hour)
        if moment <= at and (change is None or at < change):
            assert in_force(history, at) == in_force(history, moment)


def test_without_any_edition_none_holds() -> None:
    with pytest.raises(ValueError, match="no edition"):
        in_force([], START)


def test_a_clock_that_is_fast_does_not_choose_an_edition_of_tomorrow() -> None:
    assert seen(START + timedelta(minutes=4), START) == START
    assert seen(START - timedelta(days=4), START) == START - timedelta(days=4)
    assert seen(None, START) == START


def test_a_bundle_is_the_same_edition_again() -> None:
    bundle = pack(sample().contents)
    assert bundle == pack(sample().contents)
    again = read(bundle, sample().version)
    assert again.version == sample().version
    assert again.rules == sample().rules
    assert len(bundle) < 0.5 * sum(map(len, sample().contents.values()))


def test_a_bundle_that_is_not_what_it_is_kept_as_is_refused(tmp_path: Path) -> None:
    small = district.load(write_small_district(tmp_path / "small"))
    with pytest.raises(BrokenDistrict):
        read(pack(small.contents), sample().version)


def test_a_bundle_writes_nowhere_but_into_its_folder() -> None:
    with pytest.raises(ValueError, match="no folders"), unpacked(pack({"../elsewhere": b""}), "x"):
        pass


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("2026-12-01", "2026-12-01T00:00:00+08:00"),
        ("2026-12-01T08:30:00", "2026-12-01T08:30:00+08:00"),
        ("2026-12-01T08:30:00Z", "2026-12-01T08:30:00+00:00"),
    ],
)
def test_a_folder_says_from_when_it_holds(tmp_path: Path, said: str, expected: str) -> None:
    folder = write_small_district(tmp_path / "small")
    manifest = folder / "district.toml"
    manifest.write_text(manifest.read_text().replace('edition = "1"', f'edition = "1"\nholds_from = {said}'))
    assert district.load(folder).holds_from == datetime.fromisoformat(expected)


def test_a_date_that_is_none_is_a_finding(tmp_path: Path) -> None:
    folder = write_small_district(tmp_path / "small")
    manifest = folder / "district.toml"
    manifest.write_text(manifest.read_text().replace('edition = "1"', 'edition = "1"\nholds_from = "soon"'))
    assert [finding.code for finding in district.check(folder)] == ["bad_setting"]
