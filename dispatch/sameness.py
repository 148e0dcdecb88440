"""How near one thing is to itself, and what is a burst: the sections `duplicates` and `incidents` of `district.toml`.

Both are optional; the format is `docs/data-format.md`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from dispatch.duplicates import Reach, Sameness
from dispatch.folder import Reading
from dispatch.incidents import Burst, Bursts
from dispatch.manifest import Manifest, Section


def read_sameness(reading: Reading, manifest: Manifest, codes: Collection[str]) -> Sameness:
    """The section `duplicates`; codes: of matters and classes. What is wrong is noted."""
    usual = Sameness().default
    default = _reach(Section(reading, "duplicates", manifest.raw.get("duplicates")), usual)
    of = {code: _reach(section, default) for code, section in _each(reading, manifest, "duplicates", codes)}
    return Sameness(default, MappingProxyType(of))


def read_bursts(reading: Reading, manifest: Manifest, codes: Collection[str]) -> Bursts:
    """The section `incidents`; codes: of matters and classes. What is wrong is noted."""
    default = _burst(Section(reading, "incidents", manifest.raw.get("incidents")), Bursts().default)
    of = {code: _burst(section, default) for code, section in _each(reading, manifest, "incidents", codes)}
    return Bursts(default, MappingProxyType(of))


def _reach(section: Section, default: Reach) -> Reach:
    return Reach(section.number("radius_m", default.radius_m), section.number("hours", default.hours))


def _burst(section: Section, default: Burst) -> Burst:
    cases = section.raw.get("cases", default.cases)
    if not (isinstance(cases, int) and not isinstance(cases, bool) and 2 <= cases <= 1000):
        section.bad("cases", "2–1000")
        cases = default.cases
    radius_m, hours = section.number("radius_m", default.radius_m), section.number("hours", default.hours)
    return Burst(radius_m, hours, cases)


def _each(reading: Reading, manifest: Manifest, name: str, codes: Collection[str]) -> Iterator[tuple[str, Section]]:
    """The sections of single matters and classes."""
    above = Section(reading, name, manifest.raw.get(name))
    given: Mapping[str, Any] = above.raw.get("of", {})
    if not isinstance(given, dict):
        above.bad("of", '{ "04" = { radius_m = 100 } }')
        return
    for code, raw in given.items():
        if code in codes and isinstance(raw, dict):
            yield code, Section(reading, f"{name}.of.{code}", raw)
        else:
            above.bad(f"of.{code}", "matters.csv | classes.csv: { radius_m = 100, … }")
