"""Searching the power list while one types: each keystroke is a query, answered up to the bytes that are sent."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from statistics import median, quantiles
from types import SimpleNamespace
from typing import Any, Final

from dispatch.bench import Result, Tell
from dispatch.bench.made_powers import ITEMS, departments, made_powers
from dispatch.powers.book import PowerList
from dispatch.powers.model import Power
from dispatch.powers.search import PowerSearch, syllables

BAR_MS: Final = 50.0
LIMIT: Final = 20


def typed(powers: list[Power], seed: int) -> Iterator[str]:
    """What stands in the box after each keystroke of somebody who looks for one item after another."""
    rng = random.Random(seed)  # noqa: S311 - nothing secret
    while True:
        power = rng.choice(powers)
        read = syllables(power.name)
        at = rng.randrange(len(power.name) - 4)
        whole = rng.choice(
            (
                power.code,
                power.name[:8],
                power.name[at : at + 4],
                f"{power.name[:2]} {power.name[-8:-6]}",
                "".join(one[0] for one in read)[:7],
                "".join(one[0] for one in read)[2:7],
                "".join(read[:3]),
                "zzqqxx",
            )
        )
        for length in range(1, len(whole) + 1):
            yield whole[:length]


def run(tell: Tell, items: int = ITEMS, queries: int = 3000) -> Result:
    """Measure `queries` keystrokes on `items` made items."""
    from web.powerlist import found_answer

    tell(f"{items} made items")
    powers = made_powers(items)
    began = time.perf_counter()
    search = PowerSearch(powers, departments())
    built = time.perf_counter() - began
    # What an answer needs of a district: its list, and the names of what the list refers to.
    names = {code: SimpleNamespace(name=name) for code, name in departments().items()}
    district: Any = SimpleNamespace(version="made", powers=PowerList(powers), departments=names, matters={}, classes={})
    tell(f"{queries} queries")
    took: list[float] = []
    worked: list[float] = []
    empty = 0
    keystrokes = typed(powers, seed=2)
    for _ in range(queries):
        query = next(keystrokes)
        began, busy = time.perf_counter(), time.thread_time()
        answer = found_answer(search, district, query, None, LIMIT)
        took.append((time.perf_counter() - began) * 1000)
        worked.append((time.thread_time() - busy) * 1000)
        empty += b'"total":0' in bytes(answer.body)
    p99 = quantiles(took, n=100)[98]
    return Result(
        "bench powers",
        p99 < BAR_MS,
        {
            "p99_ms": round(p99, 2),
            "bar_ms": BAR_MS,
            "median_ms": round(median(took), 2),
            "max_ms": round(max(took), 2),
            "p99_processor_ms": round(quantiles(worked, n=100)[98], 2),
            "items": len(powers),
            "departments": len({power.department for power in powers}),
            "queries": queries,
            "queries_that_found_nothing": empty,
            "made_ready_s": round(built, 2),
        },
    )
