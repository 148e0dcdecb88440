"""Classes and colours that the page and the plate share, so that both say the same thing of the same number."""

from __future__ import annotations

import math
from dataclasses import dataclass

COUNT_COLOURS = ("#ffffb2", "#fecc5c", "#fd8d3c", "#f03b20", "#bd0026")
"""ColorBrewer YlOrRd, 5 classes (C. Brewer, colorbrewer2.org): light to dark, safe for the colour-blind and in grey."""
DENSITY_COLOURS = ("#ffffb2", "#fed976", "#feb24c", "#fd8d3c", "#fc4e2a", "#e31a1c", "#b10026")
"""ColorBrewer YlOrRd, 7 classes."""
HOT_COLOUR = "#6a0dad"
COLD_COLOUR = "#0a5e94"


@dataclass(frozen=True, slots=True)
class CountClass:
    """Zones with `low` to `high` cases, both included."""

    low: int
    high: int
    colour: str

    @property
    def label(self) -> str:
        """As the legend writes it."""
        return f"{self.low}" if self.low == self.high else f"{self.low}–{self.high}"


def count_classes(most: int) -> list[CountClass]:
    """At most five classes from 1 to `most`, each about as many times the last: counts per zone are skewed."""
    if most < 1:
        return []
    steps = min(len(COUNT_COLOURS), most)
    tops: list[int] = []
    for k in range(1, steps + 1):
        tops.append(max(round(most ** (k / steps)), tops[-1] + 1 if tops else 1))
    tops[-1] = most
    lows = [1, *(top + 1 for top in tops[:-1])]
    kept = [(low, top) for low, top in zip(lows, tops, strict=True) if low <= top]
    return [
        CountClass(low, top, colour) for (low, top), colour in zip(kept, spread(COUNT_COLOURS, len(kept)), strict=True)
    ]


def density_levels(peak: float) -> list[float]:
    """Lower bounds of the density classes, cases per km²: round numbers, at most one a colour; none for a peak of 0."""
    if peak <= 0:
        return []
    rough = peak / len(DENSITY_COLOURS)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * nice for nice in (1, 2, 5, 10) if power * nice >= rough * 0.999)
    return [step / 5, *(step * k for k in range(1, len(DENSITY_COLOURS)) if step * k < peak)]


def spread(colours: tuple[str, ...], n: int) -> list[str]:
    """`n` of the colours, from the lightest to the darkest; the middle one alone."""
    if n == 1:
        return [colours[len(colours) // 2]]
    return [colours[round(k * (len(colours) - 1) / (n - 1))] for k in range(n)]


def number(value: float) -> str:
    """A density as a legend writes it: two significant digits, no exponent."""
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"
