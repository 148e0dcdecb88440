"""The sample district, made ready once for all tests that need it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from dispatch import district
from dispatch.ground import Ground, prepare
from dispatch.rota import Rota


@cache
def as_it_is() -> district.District:
    """Loaded, once; who is on duty depends on the hour."""
    return district.load(Path(__file__).resolve().parents[1] / "data" / "grids" / "gaochun")


@cache
def sample() -> district.District:
    """The same with everybody always on duty, for any number of cases.

    So no test of something else depends on when it runs, or on which others did.
    """
    found = as_it_is()
    teams = {code: replace(team, max_open=None) for code, team in found.teams.items()}
    calendar = found.deadlines.working_time.calendar
    rota = Rota((), teams, found.units.values(), calendar, ZoneInfo(found.timezone))
    return replace(found, teams=teams, shifts={}, rota=rota)


@cache
def ground() -> Ground:
    """Prepared (some seconds, once)."""
    return prepare(sample())
