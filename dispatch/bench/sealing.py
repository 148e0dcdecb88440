"""What sealing costs intake: one server under one load, that seals in some slices of a second and not in others.

Two servers that are loaded in turn differ by a fifth from second to second, whatever they do. Here both ways of a pair
of slices have the same server, database, connections and clients, a moment apart, in an order that is drawn; what
counts is the median of the ratios of all pairs, with its interval.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final
from unittest.mock import patch

import orjson
import uvicorn

from dispatch import audit, opening
from dispatch.audit import Entry, Event
from dispatch.bench import Result, Tell
from dispatch.bench.estimate import Estimate
from dispatch.bench.intake import CONNECTIONS, MOST_PER_S, load
from dispatch.bench.points import bodies
from dispatch.bench.serving import PATIENCE_S, private_postgis
from dispatch.ground import Ground
from dispatch.model import Report
from dispatch.settings import Settings

BAR: Final = 0.9
SLICE_S: Final = 0.2
SETTLING_S: Final = 0.02
"""Of each slice, which does not count: what is under way then was begun the other way."""
WARMING_S: Final = 1.5


def run(ground: Ground, district: Path, tell: Tell, rounds: int = 10, seconds: float = 8.0) -> Result:
    """Load one server `rounds` times for so long; each pair of slices in it gives a ratio."""
    switch, found, answers = Switch(), list[Pair](), list[dict[str, Any]]()
    order = random.Random(1)  # noqa: S311  (nothing secret: the same order in every run)
    with private_postgis() as postgis, switch.installed():
        settings = Settings(database_url=postgis.url, district=district, checkpoint_minutes=0)
        with _serving(settings, ground) as port, ThreadPoolExecutor(1) as beside:
            for number in range(rounds):
                tell(f"round {number + 1} of {rounds}")
                some = bodies(ground, int(MOST_PER_S * seconds), seed=100 + number)
                loading = beside.submit(load, port, seconds, some)
                found += _pairs(switch, loading, order)
                answers.append(loading.result())
    throughput = Estimate.of([pair.sealed.per_s / pair.unsealed.per_s for pair in found])
    work = Estimate.of([pair.unsealed.work_us / pair.sealed.work_us for pair in found])
    refused = sum(answer["refused"] for answer in answers)
    figures: dict[str, Any] = {
        "ratio": throughput.middle,
        "bar": BAR,
        "ratio_95_percent_sure": [throughput.low, throughput.high],
        "sure": throughput.sure_of(BAR),
        "pairs": len(found),
        "slice_s": SLICE_S,
        "ratio_by_processor_time": work.middle,
        "ratio_by_processor_time_95_percent_sure": [work.low, work.high],
        "sealed_per_s": round(median(pair.sealed.per_s for pair in found)),
        "unsealed_per_s": round(median(pair.unsealed.per_s for pair in found)),
        "sealed_processor_us": round(median(pair.sealed.work_us for pair in found)),
        "unsealed_processor_us": round(median(pair.unsealed.work_us for pair in found)),
        "connections": CONNECTIONS,
        "refused": refused,
    }
    return Result("bench sealing", throughput.middle >= BAR and not refused, figures)


@dataclass(frozen=True, slots=True)
class Slice:
    """What the server did in one slice."""

    per_s: float
    """Reports opened as cases."""
    work_us: float
    """Processor time of the server for each, in all its threads."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two slices, one after the other."""

    sealed: Slice
    unsealed: Slice


class Switch:
    """Takes sealing out of this process and puts it in again: the digest of the report, the canonical form, the hash.

    Without it the event's data is written as the JSON that it is in any case, in the order in which its keys came.
    """

    def __init__(self) -> None:
        self.sealing = True
        self.opened = 0

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Under it, cases are opened by way of the switch.

        By changing the module from here: the product has no place where sealing could be left out, and is not to get
        one for a measurement.
        """
        with patch.multiple(opening, enter=self._enter, report_digest=self._digest):
            yield

    def _enter(self, event: Event) -> Entry:
        self.opened += 1
        return audit.enter(event) if self.sealing else Entry(event, orjson.dumps(event.data).decode(), bytes(32))

    def _digest(self, report: Report) -> str:
        return _report_digest(report) if self.sealing else ""


_report_digest: Final = opening.report_digest


def _pairs(switch: Switch, loading: Future[dict[str, Any]], order: random.Random) -> Iterator[Pair]:
    """Slices for as long as the load goes on, two and two."""
    time.sleep(WARMING_S)
    while not loading.done():
        ways = [True, False]
        order.shuffle(ways)
        made = {way: _slice(switch, way) for way in ways}
        sealed, unsealed = made[True], made[False]
        # What the end of the load cut short is no slice.
        if sealed and unsealed and not loading.done():
            yield Pair(sealed, unsealed)
    switch.sealing = True


def _slice(switch: Switch, sealing: bool) -> Slice | None:
    switch.sealing = sealing
    time.sleep(SETTLING_S)
    before, began, worked = switch.opened, time.perf_counter(), time.process_time()
    time.sleep(SLICE_S - SETTLING_S)
    opened, took, work = switch.opened - before, time.perf_counter() - began, time.process_time() - worked
    return Slice(opened / took, work / opened * 1e6) if opened else None


@contextmanager
def _serving(settings: Settings, ground: Ground) -> Iterator[int]:
    """The port of a server in a thread of this process, where the switch is."""
    from web.app import create

    config = uvicorn.Config(
        create(settings, ground), port=0, log_level="warning", access_log=False, timeout_graceful_shutdown=3
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    limit = time.monotonic() + PATIENCE_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > limit:
            raise RuntimeError("the server did not start")
        time.sleep(0.05)
    try:
        yield int(server.servers[0].sockets[0].getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(20)
