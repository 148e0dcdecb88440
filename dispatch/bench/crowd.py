"""Many made units that move about a district, for measuring."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from dispatch.bench.points import Floats, inside
from dispatch.district import District
from dispatch.ground import Ground
from dispatch.model import Unit

EVERY_S: Final = 5.0
"""So often each says where it is."""
SPEED_MS: Final = 9.0


def write_units(ground: Ground, folder: Path, count: int) -> None:
    """A district folder with so many units: its own, over and over, under new codes. Made, for measuring."""
    own = list(ground.district.units.values())
    rows = [
        f"{one.code}-{number},{one.name},{one.name_en},{one.team},{one.mode.value},{one.base},{one.crew}"
        for number, one in ((n, own[n % len(own)]) for n in range(count))
    ]
    text = "code,name,name_en,team,mode,base,crew\n" + "\n".join(rows) + "\n"
    (folder / "units.csv").write_text(text, encoding="utf-8")
    # It speaks of the district's own units; without it everybody is on duty.
    (folder / "shifts.csv").unlink(missing_ok=True)


def crowded(ground: Ground, many: District) -> Ground:
    """The same ground with the units of another folder of the same district."""
    units: dict[str, list[Unit]] = {}
    for unit in many.units.values():
        units.setdefault(unit.team, []).append(unit)
    return replace(ground, district=many, units_of={team: tuple(found) for team, found in units.items()})


@dataclass(slots=True)
class Moving:
    """Made units that drive about: shape (n,) of each coordinate, degrees."""

    codes: list[str]
    lon: Floats
    lat: Floats
    heading: Floats
    """Radians, from east."""
    rng: np.random.Generator

    @classmethod
    def of(cls, ground: Ground) -> Moving:
        """All units of a `crowded` ground, spread over the district."""
        codes, rng = list(ground.district.units), np.random.default_rng(12)
        return cls(codes, *inside(ground, len(codes), seed=11), rng.uniform(0, 2 * np.pi, len(codes)), rng)

    def step(self, part: slice) -> None:
        """Each of a part goes on for `EVERY_S`, as a road bends."""
        self.heading[part] += self.rng.normal(0, 0.2, len(self.heading[part]))
        self.lon[part] += SPEED_MS * EVERY_S * np.cos(self.heading[part]) / 95_000
        self.lat[part] += SPEED_MS * EVERY_S * np.sin(self.heading[part]) / 111_000
