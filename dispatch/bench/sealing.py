"""What sealing costs intake: the same server with it, and without it (in this measurement alone)."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any, Final

import psycopg

from dispatch import opening
from dispatch.audit import Entry, Event, canonical_json
from dispatch.bench import Result, Tell
from dispatch.bench.intake import CONNECTIONS, MOST_PER_S, load
from dispatch.bench.points import bodies
from dispatch.bench.serving import private_postgis, server
from dispatch.ground import Ground
from dispatch.model import Report

BAR: Final = 0.9
KINDS: Final = ("real", "unsealed")


def run(ground: Ground, district: Path, tell: Tell, rounds: int = 15, seconds: float = 1.0) -> Result:
    """Load both in turn, `rounds` times, each first every other time; the median of the ratios counts."""
    found: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    with private_postgis() as postgis, ExitStack() as servers:
        with psycopg.connect(postgis.conninfo("postgres"), autocommit=True) as connection:
            for kind in KINDS:
                connection.execute(f"CREATE DATABASE {kind} TEMPLATE onegrid")
        ports = {kind: servers.enter_context(server(kind, postgis.url_of(kind), district)) for kind in KINDS}
        for number in range(rounds + 1):
            tell(f"round {number} of {rounds}" if number else "warming up")
            for place, kind in enumerate(KINDS if number % 2 else reversed(KINDS)):
                some = bodies(ground, int(MOST_PER_S * seconds), seed=100 + len(KINDS) * number + place)
                answer = load(ports[kind], seconds if number else 1.0, some)
                if number:
                    found[kind].append(answer)
    ratios = [round(a["per_s"] / b["per_s"], 3) for a, b in zip(found["real"], found["unsealed"], strict=True)]
    refused = sum(one["refused"] for each in found.values() for one in each)
    figures: dict[str, Any] = {
        "ratio": round(median(ratios), 3),
        "bar": BAR,
        "ratios": ratios,
        "connections": CONNECTIONS,
        "seconds_each": seconds,
        "refused": refused,
        "sealed_per_s": round(median(one["per_s"] for one in found["real"])),
        "unsealed_per_s": round(median(one["per_s"] for one in found["unsealed"])),
    }
    return Result("bench sealing", median(ratios) >= BAR and not refused, figures)


def unseal() -> None:
    """Take sealing out of this process: no digest of the report, no canonical form of the event, no hash of it.

    The event's data is written as the JSON that it is in any case: that takes as long in any order of its keys.
    """
    opening.enter = _entered  # type: ignore[attr-defined]
    opening.report_digest = _undigested  # type: ignore[assignment]


def _undigested(_: Report) -> str:
    return ""


def _entered(event: Event) -> Entry:
    return Entry(event, canonical_json(event.data).decode(), bytes(32))
