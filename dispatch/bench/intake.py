"""Intake of single reports against a bare FastAPI route that only inserts the same row. See `dispatch.bench.server`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any, Final

import psycopg

from dispatch.bench import Result, Tell
from dispatch.bench.points import bodies
from dispatch.bench.serving import private_postgis, server
from dispatch.ground import Ground

BAR: Final = 0.6
CONNECTIONS: Final = 16
MOST_PER_S: Final = 6000
"""Bodies made ready for each second: more than any server here takes."""


def run(ground: Ground, district: Path, tell: Tell, rounds: int = 5, seconds: float = 4.0) -> Result:
    """Load both in turn, `rounds` times; the median of the ratios counts."""
    found: dict[str, list[dict[str, Any]]] = {"real": [], "bare": []}
    with private_postgis() as postgis:
        with psycopg.connect(postgis.conninfo("postgres"), autocommit=True) as connection:
            for kind in found:
                connection.execute(f"CREATE DATABASE {kind} TEMPLATE onegrid")
        with (
            server("real", postgis.url_of("real"), district) as real,
            server("bare", postgis.url_of("bare"), district) as plain,
        ):
            ports = {"real": real, "bare": plain}
            for number in range(rounds + 1):
                tell(f"round {number} of {rounds}" if number else "warming up")
                for kind, port in ports.items():
                    some = bodies(ground, int(MOST_PER_S * seconds), seed=2 * number + (kind == "real"))
                    answer = _load(port, seconds if number else 1.0, some)
                    if number:
                        found[kind].append(answer)
    ratios = [a["per_s"] / b["per_s"] for a, b in zip(found["real"], found["bare"], strict=True)]
    refused = sum(one["refused"] for each in found.values() for one in each)
    figures: dict[str, Any] = {
        "ratio": round(median(ratios), 3),
        "bar": BAR,
        "ratios": [round(one, 3) for one in ratios],
        "connections": CONNECTIONS,
        "seconds_each": seconds,
        "refused": refused,
    }
    for kind, each in found.items():
        for figure in ("per_s", "p50_ms", "p99_ms"):
            figures[f"{kind}_{figure}"] = round(median(one[figure] for one in each), 2)
    if refused:
        figures["first_refusal"] = next(o["first_refusal"] for each in found.values() for o in each if o["refused"])
    return Result("bench intake", median(ratios) >= BAR and not refused, figures)


def _load(port: int, seconds: float, some: list[bytes]) -> dict[str, Any]:
    command = [sys.executable, "-m", "dispatch.bench.client", str(port), str(seconds), str(CONNECTIONS)]
    done = subprocess.run(command, input=b"\n".join(some), capture_output=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
