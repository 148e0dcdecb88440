"""Intake against bare FastAPI routes that only insert the same row; and a file of many rows.

The servers are `dispatch.bench.server`. The bar is held against the harder bare one, tuned as our own writes are.

One second differs from the next by a fifth, whatever a server does: each is loaded for one short slice after the
other, in an order that is drawn for every round, and what counts is the median of the rounds' ratios.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any, Final

import httpx
import psycopg

from dispatch.bench import Result, Tell
from dispatch.bench.estimate import Estimate
from dispatch.bench.points import bodies, inside
from dispatch.bench.serving import private_postgis, server
from dispatch.ground import Ground

BAR: Final = 0.6
KINDS: Final = ("real", "plain", "tuned")
CONNECTIONS: Final = 16
MOST_PER_S: Final = 6000
"""Bodies made ready for each second: more than any server here takes."""
BATCH_ROWS: Final = 10_000


def run(ground: Ground, district: Path, tell: Tell, rounds: int = 30, seconds: float = 1.0) -> Result:
    """Load all three in turn, `rounds` times; the median of the ratios counts. Then one file of `BATCH_ROWS` rows."""
    found: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    order = random.Random(1)  # noqa: S311  (nothing secret: the same order in every run)
    with private_postgis() as postgis, ExitStack() as servers:
        with psycopg.connect(postgis.conninfo("postgres"), autocommit=True) as connection:
            for kind in KINDS:
                connection.execute(f"CREATE DATABASE {kind} TEMPLATE onegrid")
        ports = {kind: servers.enter_context(server(kind, postgis.url_of(kind), district)) for kind in KINDS}
        for number in range(rounds + 1):
            tell(f"round {number} of {rounds}" if number else "warming up")
            for place, kind in enumerate(order.sample(KINDS, len(KINDS))):
                some = bodies(ground, int(MOST_PER_S * seconds), seed=len(KINDS) * number + place)
                answer = load(ports[kind], seconds, some)
                if number:
                    found[kind].append(answer)
        tell(f"a file of {BATCH_ROWS} rows")
        batch_rows_per_s = _batch(ground, ports["real"])
    refused = sum(one["refused"] for each in found.values() for one in each)
    to_tuned, to_plain = _ratio(found, "tuned"), _ratio(found, "plain")
    figures: dict[str, Any] = {
        "ratio": to_tuned.middle,
        "bar": BAR,
        "ratio_95_percent_sure": [to_tuned.low, to_tuned.high],
        "sure": to_tuned.sure_of(BAR),
        "ratio_to_plain": to_plain.middle,
        "ratio_to_plain_95_percent_sure": [to_plain.low, to_plain.high],
        "rounds": rounds,
        "batch_rows_per_s": round(batch_rows_per_s),
        "connections": CONNECTIONS,
        "seconds_each": seconds,
        "refused": refused,
    }
    for kind, each in found.items():
        for figure in ("per_s", "p50_ms", "p99_ms"):
            figures[f"{kind}_{figure}"] = round(median(one[figure] for one in each), 2)
    if refused:
        figures["first_refusal"] = next(o["first_refusal"] for each in found.values() for o in each if o["refused"])
    return Result("bench intake", to_tuned.middle >= BAR and not refused, figures)


def _ratio(found: dict[str, list[dict[str, Any]]], bare: str) -> Estimate:
    return Estimate.of([a["per_s"] / b["per_s"] for a, b in zip(found["real"], found[bare], strict=True)])


def load(port: int, seconds: float, some: list[bytes]) -> dict[str, Any]:
    """What a client found (`dispatch.bench.client`) that sent some of these bodies for so long."""
    command = [sys.executable, "-m", "dispatch.bench.client", str(port), str(seconds), str(CONNECTIONS)]
    done = subprocess.run(command, input=b"\n".join(some), capture_output=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _batch(ground: Ground, port: int) -> float:
    """Rows a second of one CSV, from the first byte sent to the answer."""
    lon, lat = inside(ground, BATCH_ROWS, seed=0)
    matter = next(iter(ground.district.matters))
    rows = (f"{x:.7f},{y:.7f},{matter},measured 测量" for x, y in zip(lon, lat, strict=True))
    sheet = "\n".join(("lon,lat,matter,text", *rows)).encode()
    began = time.perf_counter()
    answer = httpx.post(
        f"http://127.0.0.1:{port}/api/reports/batch", content=sheet, headers={"Content-Type": "text/csv"}, timeout=600
    )
    took = time.perf_counter() - began
    accepted: int = answer.raise_for_status().json()["accepted"]
    if accepted != BATCH_ROWS:
        raise RuntimeError(f"of {BATCH_ROWS} rows {accepted} became cases")
    return accepted / took
