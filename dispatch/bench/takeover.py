"""An edition is loaded while reports come: how long they wait, and that none is lost or decided by half of it.

A real server, `grids load` as anybody runs it, and a client that sends at a steady pace, each in a process of its own.
The edition is the district's own with the teams of its townships changed round and two neighbouring grids made one.
What became of each report is read from the database, and held against what the edition that its decision names says.
Beside it one row at a time is committed by somebody else: when that takes long too, it was the disk or the machine.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import combinations
from pathlib import Path
from shutil import copytree
from statistics import median
from typing import Any, Final

import psycopg
from psycopg.rows import namedtuple_row
from shapely.geometry import mapping, shape

from dispatch.bench import Result, Tell
from dispatch.bench.points import bodies
from dispatch.bench.serving import private_postgis, server
from dispatch.bench.steady import Sent
from dispatch.district import load
from dispatch.ground import Ground, prepare

PER_S: Final = 20.0
BEFORE_S: Final = 10.0
AFTER_S: Final = 5.0
"""So long it goes on after the edition began to hold."""
COMMIT_EVERY_S: Final = 0.05
MOST_S: Final = 300.0
"""Reports made ready for so long: more than loading and its grace take."""
BAR_MS: Final = 1000.0
"""No report may take longer while an edition is taken over."""
FAULTS: Final = ("refused", "lost", "wrong_edition", "mixed")
CREATED: Final = 201

_CASES: Final = """
    SELECT r.id, least(r.seen_at, r.received_at) AS decided_at, e.data->'decision'->>'version' AS version,
           e.data->'decision'->>'team' AS team, e.data->'decision'->>'rule' AS rule, c.grid, r.matter, r.accuracy_m,
           ST_X(r.geom) AS lon, ST_Y(r.geom) AS lat
    FROM event e JOIN case_file c USING (case_no) JOIN report r ON r.id = c.report_id WHERE e.seq = 1"""


def run(ground: Ground, district: Path, tell: Tell, per_s: float = PER_S, before_s: float = BEFORE_S) -> Result:
    """Send, load, send on: one bar, and nothing lost, refused or mixed."""
    some = bodies(ground, round(per_s * MOST_S), seed=21)
    with tempfile.TemporaryDirectory(prefix="onegrid-bench-") as made, private_postgis() as postgis:
        folder, data_dir = Path(made) / "next" / district.name, Path(made) / "data"
        data_dir.mkdir()
        change(copytree(district, folder))
        after = prepare(load(folder))
        with (
            server("real", postgis.url, district, data_dir) as port,
            _committing(postgis.conninfo()) as commits,
            _sending(port, per_s, some) as client,
        ):
            tell(f"{per_s:g} reports a second")
            time.sleep(before_s)
            tell("an edition is loaded")
            began = time.time()
            _load(folder, postgis.url, data_dir)
            holds_from, enacted_at = _last(postgis.conninfo())
            tell(f"it holds from {holds_from:%H:%M:%S} on")
            time.sleep(max(0.0, holds_from.timestamp() + AFTER_S - time.time()))
            client.terminate()
            sent: list[Sent] = json.loads(client.communicate()[0])
        with psycopg.connect(postgis.conninfo(), row_factory=namedtuple_row) as connection:
            cases = connection.execute(_CASES).fetchall()
    ids = [json.loads(body)["id"] for body in some[: len(sent)]]
    became = judged(ground, after, holds_from, dict(zip(ids, (one[2] for one in sent), strict=True)), cases)
    enacted = enacted_at.timestamp()
    spans = {"before": (0.0, began), "loading": (began, enacted), "takeover": (enacted, time.time())}
    times = {f"{name}_{figure}": value for name, span in spans.items() for figure, value in within(sent, *span).items()}
    alone = {f"{name}_commit_longest_ms": within(commits, *span)["longest_ms"] for name, span in spans.items()}
    return Result(
        "bench takeover",
        times["takeover_longest_ms"] < BAR_MS and not any(became[fault] for fault in FAULTS) and became["by_new"] > 0,
        {
            **times,
            **alone,
            "bar_ms": BAR_MS,
            **became,
            "reports_per_s": per_s,
            "loading_s": round(enacted - began, 1),
            "grids": len(ground.locator.layers["grid"].zones) if "grid" in ground.locator.layers else 0,
        },
    )


def within(sent: Sequence[Sequence[float]], begin: float, end: float) -> dict[str, float]:
    """How many were under way at any time from `begin` to `end`, and how long they took (milliseconds).

    sent: when each began and how long it took, in seconds.
    """
    took = sorted(seconds * 1000 for at, seconds, *_ in sent if at < end and at + seconds > begin)
    if not took:
        return {"reports": 0, "median_ms": 0.0, "p99_ms": 0.0, "longest_ms": 0.0}
    return {
        "reports": len(took),
        "median_ms": round(median(took), 1),
        "p99_ms": round(took[int(len(took) * 0.99)], 1),
        "longest_ms": round(took[-1], 1),
    }


def judged(
    before: Ground, after: Ground, holds_from: datetime, answered: Mapping[str, int], cases: Sequence[Any]
) -> dict[str, int]:
    """What became of the reports: how many of them each edition decided, and `FAULTS`.

    answered: the status of each report's answer; cases: rows of `_CASES`. A decision is mixed where its team, its row
    or its grid is not what the edition says that it names.
    """
    found = Counter(dict.fromkeys(("by_old", "by_new", *FAULTS), 0))
    found["refused"] = sum(status != CREATED for status in answered.values())
    opened = Counter(str(case.id) for case in cases)
    found["lost"] = sum(opened[one] != 1 for one, status in answered.items() if status == CREATED)
    for case in cases:
        new = case.decided_at >= holds_from
        ground = after if new else before
        found["by_new" if new else "by_old"] += 1
        if case.version != ground.district.version:
            found["wrong_edition"] += 1
            continue
        place = ground.locator.at(case.lon, case.lat)
        ruling = ground.weigh(case.lon, case.lat, case.accuracy_m, place, case.matter).ruling
        grid = place["grid"][0].code if place.get("grid") else None
        found["mixed"] += (case.team, case.rule, case.grid) != (ruling.team, ruling.rule.code, grid)
    return dict(found)


def change(folder: Path) -> None:
    """Make the folder another edition: the townships' teams change round, and two neighbouring grids become one."""
    manifest = folder / "district.toml"
    text = manifest.read_text("utf-8")
    manifest.write_text(re.sub(r'(?m)^(edition = ".*)"', r'\1-next"', text, count=1), "utf-8")
    for entry in tomllib.loads(text)["layers"]:
        path = folder / entry["file"]
        collection = json.loads(path.read_text("utf-8"))
        if entry["name"] == "township":
            teams = [feature["properties"]["team"] for feature in collection["features"]]
            for feature, team in zip(collection["features"], [*teams[1:], *teams[:1]], strict=True):
                feature["properties"]["team"] = team
        elif entry["name"] == "grid":
            _join(collection["features"])
        path.write_text(json.dumps(collection, ensure_ascii=False), "utf-8")


def _join(features: list[dict[str, Any]]) -> None:
    """Make one of the first two of the same parent that share an edge."""
    for one, two in combinations(features, 2):
        if one["properties"].get("parent") == two["properties"].get("parent"):
            whole = shape(one["geometry"]).union(shape(two["geometry"]))
            if whole.geom_type == "Polygon":
                one["geometry"] = mapping(whole)
                features.remove(two)
                return


@contextmanager
def _sending(port: int, per_s: float, some: Sequence[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "dispatch.bench.steady", str(port), str(per_s)]
    with tempfile.TemporaryFile() as file:
        file.write(b"\n".join(some))
        file.seek(0)
        client = subprocess.Popen(command, stdin=file, stdout=subprocess.PIPE)
        try:
            yield client
        finally:
            client.kill()
            client.wait()


@contextmanager
def _committing(conninfo: str) -> Iterator[list[tuple[float, float]]]:
    """One row after the other, in a table of its own; when each was written and how long that took (seconds)."""
    found: list[tuple[float, float]] = []
    stop = threading.Event()

    def commit() -> None:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute("CREATE TABLE measured (at float8)")
            while not stop.wait(COMMIT_EVERY_S):
                at = time.time()
                connection.execute("INSERT INTO measured VALUES (%s)", [at])
                found.append((at, time.time() - at))

    thread = threading.Thread(target=commit)
    thread.start()
    try:
        yield found
    finally:
        stop.set()
        thread.join()


def _load(folder: Path, database_url: str, data_dir: Path) -> None:
    command = [sys.executable, "-c", "from dispatch.cli import main; main()", "grids", "load", str(folder), "--json"]
    names = {"ONEGRID_DATABASE_URL": database_url, "ONEGRID_DATA_DIR": str(data_dir)}
    subprocess.run(command, env={**os.environ, **names}, stdout=subprocess.DEVNULL, check=True)


def _last(conninfo: str) -> tuple[datetime, datetime]:
    """From when the last enactment holds, and when it was made."""
    with psycopg.connect(conninfo) as connection:
        query = "SELECT holds_from, enacted_at FROM enactment ORDER BY number DESC LIMIT 1"
        (found,) = connection.execute(query).fetchall()
    return found
