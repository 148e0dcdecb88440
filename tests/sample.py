"""The sample district, made ready once for all tests that need it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from dispatch import district
from dispatch.ground import Ground, prepare


@cache
def sample() -> district.District:
    """Loaded, once."""
    return district.load(Path(__file__).resolve().parents[1] / "data" / "grids" / "gaochun")


@cache
def ground() -> Ground:
    """Prepared (some seconds, once)."""
    return prepare(sample())
