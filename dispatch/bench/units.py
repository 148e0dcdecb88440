"""Units on the move: 10,000 of them, each sending its position every five seconds, through real workers.

Two workers on one database, each in a process of its own, and someone who listens to each. A gateway sends what came
in each half second to the first worker, as lines of JSON. Measured: whether every line is answered before the next ones
are due, how much of one core each worker and PostgreSQL need meanwhile (from /proc), and how long it takes until the
other worker's listeners know of a position, counted from before it was sent. Then how many single positions a second
(one `PUT` each, what 10,000 trackers without a gateway would send) the first worker takes: a figure, with no bar.
Beside that, in this process, what a nearest query takes with as many units moving: by ruler, and all of it, ranked by
the time from where they are.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from shutil import copytree
from statistics import median
from typing import Any, Final

import httpx
import numpy as np
import psycopg

from dispatch.bench import Result, Tell
from dispatch.bench.crowd import EVERY_S, Moving, crowded, write_units
from dispatch.bench.nearest import nearest
from dispatch.bench.serving import private_postgis, server
from dispatch.district import load
from dispatch.fleet import Fleet
from dispatch.ground import Ground

UNITS: Final = 10_000
PART_S: Final = 0.5
CORE_BAR: Final = 0.5
NEAR_BAR_US: Final = 1000.0
RANKED_BAR_US: Final = 1000.0
PUT_CONNECTIONS: Final = 32
PUT_S: Final = 4.0
AGREE_BAR_S: Final = 1.0
BEHIND_BAR_S: Final = 1.0
"""So late at most the sender may be with the next part because the last one was not answered."""
STALE: Final = timedelta(minutes=5)


def run(ground: Ground, district: Path, tell: Tell, units: int = UNITS, seconds: float = 20) -> Result:
    """Measure all; five bars."""
    with tempfile.TemporaryDirectory() as folder:
        many = copytree(district, Path(folder) / district.name)
        write_units(ground, many, units)
        tell(f"nearest queries among {units} units")
        crowd = crowded(ground, load(many))
        near = nearest(crowd, Fleet(crowd.district, STALE))
        with (
            private_postgis() as postgis,
            server("real", postgis.url, many) as first,
            server("real", postgis.url, many) as second,
        ):
            tell(f"{units} units move every {EVERY_S:g} s for {seconds:g} s")
            with psycopg.connect(postgis.conninfo()) as connection:
                (cluster,) = connection.execute("SHOW data_directory").fetchone() or ("",)
            moved = _drive(crowd, (first, second), Path(cluster), seconds)
            tell(f"single positions, {PUT_CONNECTIONS} connections")
            single = _single(crowd, first)
    kept_up = moved["not_taken"] == 0 and moved["late_s"] < BEHIND_BAR_S
    passed = (
        kept_up
        and moved["first_worker_core"] <= CORE_BAR
        and near["near_p99_us"] < NEAR_BAR_US
        and near["ranked_median_us"] < RANKED_BAR_US
        and moved["agree_max_s"] < AGREE_BAR_S
    )
    bars = {"core_bar": CORE_BAR, "near_p99_bar_us": NEAR_BAR_US, "ranked_median_bar_us": RANKED_BAR_US}
    bars |= {"agree_bar_s": AGREE_BAR_S, "late_bar_s": BEHIND_BAR_S}
    return Result("bench units", passed, {"units": units, "every_s": EVERY_S, **bars, **near, **moved, **single})


def _single(ground: Ground, port: int) -> dict[str, Any]:
    """Single positions as fast as they are taken, while nothing else comes; by the clock, all on this machine."""
    moving = Moving.of(ground)
    moving.step(slice(None))
    places = zip(moving.codes, moving.lon.tolist(), moving.lat.tolist(), strict=True)
    lines = "\n".join(f"{code} {lon:.6f} {lat:.6f}" for code, lon, lat in places)
    worker = _worker_of(port)
    spent, began = _cpu_s(worker), time.monotonic()
    command = [sys.executable, "-m", "dispatch.bench.puts", str(port), str(PUT_S), str(PUT_CONNECTIONS)]
    done = subprocess.run(command, input=lines.encode(), capture_output=True, check=True)
    spent, took = _cpu_s(worker) - spent, time.monotonic() - began
    answer: dict[str, Any] = json.loads(done.stdout)
    return {
        "single_puts_per_s": round(answer["per_s"]),
        "single_puts_would_be_per_s": round(len(moving.codes) / EVERY_S),
        "single_put_p50_ms": round(answer["p50_ms"], 1),
        "single_put_p99_ms": round(answer["p99_ms"], 1),
        "single_put_connections": PUT_CONNECTIONS,
        "single_put_not_taken": answer["not_taken"],
        "single_put_worker_core": round(spent / took, 2),
        "processors": os.cpu_count(),
    }


def _drive(ground: Ground, ports: tuple[int, int], cluster: Path, seconds: float) -> dict[str, Any]:
    """Send what moved, part by part, to the first worker; ask what it cost."""
    moving = Moving.of(ground)
    parts = [slice(int(a), int(b)) for a, b in _cuts(len(moving.codes), round(EVERY_S / PART_S))]
    ears = [_Ear(port) for port in ports]
    answers: list[float] = []
    not_taken, late = 0, 0.0
    with httpx.Client(base_url=f"http://127.0.0.1:{ports[0]}", timeout=30) as client:
        _send(client, moving, slice(None))  # everybody once: from then on they move
        time.sleep(2)
        workers = [_worker_of(port) for port in ports]
        before, start = [_cpu_s(pid) for pid in workers], time.monotonic()
        database = _cluster_cpu_s(cluster)
        for number in range(round(seconds / PART_S)):
            due = start + number * PART_S
            time.sleep(max(0.0, due - time.monotonic()))
            late = max(late, time.monotonic() - due)
            part = parts[number % len(parts)]
            moving.step(part)
            for ear in ears:
                ear.watch(moving.codes[part.start])
            began = time.monotonic()
            taken = _send(client, moving, part)
            answers.append(time.monotonic() - began)
            not_taken += part.stop - part.start - taken
        took = time.monotonic() - start
        spent = [_cpu_s(pid) - old for pid, old in zip(workers, before, strict=True)]
        database = _cluster_cpu_s(cluster) - database
        time.sleep(1)
    heard = [ear.took() for ear in ears]
    return {
        "moves_per_s": round(sum(p.stop - p.start for p in parts) / EVERY_S),
        "seconds": round(took, 1),
        "median_answer_s": round(median(answers), 3),
        "longest_answer_s": round(max(answers), 3),
        "late_s": round(late, 3),
        "not_taken": not_taken,
        "first_worker_core": round(spent[0] / took, 3),
        "second_worker_core": round(spent[1] / took, 3),
        "postgis_core": round(database / took, 3),
        "agree_median_s": round(median(heard[1]), 3) if heard[1] else None,
        "agree_max_s": round(max(heard[1]), 3) if len(heard[1]) == len(answers) else float("inf"),
        "same_worker_median_s": round(median(heard[0]), 3) if heard[0] else None,
        "probes": len(answers),
    }


def _cuts(count: int, parts: int) -> Iterator[tuple[int, int]]:
    edges = np.linspace(0, count, parts + 1).astype(int).tolist()
    return pairwise(edges)


def _send(client: httpx.Client, moving: Moving, part: slice) -> int:
    """How many of the part were taken."""
    at = datetime.now(UTC).isoformat()
    lines = [
        f'{{"unit":"{code}","lon":{lon:.6f},"lat":{lat:.6f},"at":"{at}","accuracy_m":8}}'
        for code, lon, lat in zip(moving.codes[part], moving.lon[part].tolist(), moving.lat[part].tolist(), strict=True)
    ]
    answer = client.post("/api/units/positions", content="\n".join(lines))
    answer.raise_for_status()
    taken: int = json.loads(answer.content)["taken"]
    return taken


@dataclass(slots=True)
class _Ear:
    """Someone who listens to a worker, and notes when it is told of the units that are watched."""

    port: int
    _sent: dict[str, float] = field(default_factory=dict)
    _took: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        threading.Thread(target=self._listen, daemon=True).start()

    def watch(self, code: str) -> None:
        self._sent[code] = time.monotonic()

    def took(self) -> list[float]:
        return list(self._took)

    def _listen(self) -> None:
        url = f"http://127.0.0.1:{self.port}/api/events"
        with suppress(httpx.HTTPError), httpx.stream("GET", url, timeout=60) as stream:
            for line in stream.iter_lines():
                if not line.startswith('data: {"positions"'):
                    continue
                now = time.monotonic()
                for code in [code for code in list(self._sent) if f'"{code}"' in line]:
                    self._took.append(now - self._sent.pop(code))


def _worker_of(port: int) -> int:
    """The process that listens on a port of loopback (Linux: /proc)."""
    wanted = f"0100007F:{port:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    inode = next(row[9] for row in rows if row[1] == wanted and row[3] == "0A")
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if any(str(one.readlink()) == f"socket:[{inode}]" for one in (process / "fd").iterdir()):
                return int(process.name)
    raise RuntimeError(f"nobody listens on {port}")


def _cpu_s(pid: int) -> float:
    """Processor seconds that a process has used, and its children that ended."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(int(fields[n]) for n in (11, 12, 13, 14)) / os.sysconf("SC_CLK_TCK")


def _cluster_cpu_s(cluster: Path) -> float:
    """Processor seconds of all that works in a cluster's folder."""
    total = 0.0
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if cluster in (here := (process / "cwd").readlink()).parents or here == cluster:
                total += _cpu_s(int(process.name))
    return total
