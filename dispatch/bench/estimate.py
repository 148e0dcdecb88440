"""What many ratios say together: machines are noisy, and a mean is moved by a single bad second."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Estimate:
    """The median of some ratios, and between which of them it lies in 95 of 100 measurements."""

    low: float
    middle: float
    high: float

    def sure_of(self, bar: float) -> str:
        """Whether all of the interval reaches a bar, none of it does, or that is undecided."""
        return "yes" if self.low >= bar else "no" if self.high < bar else "undecided"

    @staticmethod
    def of(ratios: Sequence[float]) -> Estimate:
        """By order statistics: nothing is assumed of how they are spread, and outliers move nothing. All 0: none.

        Of fewer than six it is the smallest and the largest, which are less sure than that.
        """
        if not ratios:
            return Estimate(0, 0, 0)
        ranked, count = sorted(ratios), len(ratios)
        aside = max(0, math.floor((count - 1.96 * math.sqrt(count)) / 2 - 0.5))
        return Estimate(round(ranked[aside], 3), round(median(ranked), 3), round(ranked[count - 1 - aside], 3))
