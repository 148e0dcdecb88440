"""Measurements that the project is held to: ratios within one run, so that any machine may judge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Tell = Callable[[str], None]
"""Takes a line that says what is being measured."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a measurement found, and whether it is what was promised."""

    name: str
    passed: bool
    figures: dict[str, Any]
