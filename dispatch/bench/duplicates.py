"""Duplicates: right and found on made streams with known truth; reports a second against a real PostGIS."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from statistics import median
from typing import Any, Final

import psycopg

from dispatch.bench import Result, Tell
from dispatch.bench.duplicate_stream import CROWDED, DAILY, DENSE, Made, MadeReport, Setting, made_stream
from dispatch.bench.duplicate_truth import Asked, Point, curve, fit, replayed, sighting_of
from dispatch.bench.serving import private_postgis
from dispatch.district import District
from dispatch.duplicates import FEATURES, OFFER_AT, Sighting, rank
from dispatch.store import duplicates as store
from dispatch.store.engine import connect, migrate, open_engine

FITTED_ON: Final = range(1, 11)
"""The seeds that the weights are fitted on."""
CHOSEN_ON: Final = range(11, 21)
"""And those on which the least score of what is offered was chosen, for `CHOSEN_FOR`."""
CHOSEN_FOR: Final = 0.91
"""A recall a little above the bar."""
SEEDS: Final = range(101, 106)
"""What is measured. Nobody looked at them before weights and least score stood."""
PRECISION: Final = 0.95
RECALL: Final = 0.9
REPORTS_A_SECOND: Final = 100.0
SCORES: Final = tuple(i / 100 for i in range(2, 100, 2))
HOURS: Final = 60.0
OPEN_CASES: Final = (2_000, 20_000)
"""Of the database that is asked: as many as in the streams, and ten times as many in the same square."""
ASKED: Final = 2_000
CLOSED_TOO: Final = 3
"""For each open case, those that are over in the same places, which the index holds as well."""


def run(district: District, tell: Tell, reports: int, *, refit: bool = False) -> Result:
    """Of each seed `reports` reports; refit: the weights and the least score that the fitting seeds give, too."""
    names = _names(district)
    radius = {code: district.sameness.reach(code).radius_m for code in names}

    def asked(seed: int, setting: Setting = DAILY) -> list[Asked]:
        tell(f"seed {seed}")
        made = made_stream(seed, names, radius, setting, hours=HOURS)
        return list(replayed(made, names, district.sameness, reports))

    figures: dict[str, Any] = {"reports_a_seed": reports, "offer_at": OFFER_AT}
    if refit:
        weights = fit((one for seed in FITTED_ON for one in asked(seed)), district.sameness)
        figures["fitted"] = dict(zip(FEATURES, (round(float(one), 2) for one in weights), strict=True))
        points = curve((one for seed in CHOSEN_ON for one in asked(seed)), district.sameness, SCORES)
        figures["chosen"] = _at_recall(points, CHOSEN_FOR)
    by_seed = {seed: curve(asked(seed), district.sameness, (OFFER_AT, *SCORES)) for seed in SEEDS}
    offered = [points[0] for points in by_seed.values()]
    figures["precision"] = round(median(one.precision for one in offered), 4)
    figures["recall"] = round(median(one.recall for one in offered), 4)
    figures["bar"] = {"precision": PRECISION, "recall": RECALL, "reports_a_second": REPORTS_A_SECOND}
    figures["by_seed"] = {seed: _plain(points[0]) for seed, points in by_seed.items()}
    for name, setting in {"many_twins": CROWDED, "as_dense_as_20000_open": DENSE}.items():
        points = curve(asked(SEEDS[0], setting), district.sameness, (OFFER_AT, *SCORES))
        figures[f"harder_{name}"] = {"as_offered": _plain(points[0]), "at_recall_0.9": _at_recall(points[1:], RECALL)}
    speeds = {}
    for many in OPEN_CASES:
        tell(f"{many} open cases")
        speeds[many] = _speed(district, names, radius, tell, many)
    figures["reports_a_second"] = min(one["reports_a_second"] for one in speeds.values())
    figures["by_open_cases"] = speeds
    passed = (
        figures["precision"] >= PRECISION
        and figures["recall"] >= RECALL
        and figures["reports_a_second"] >= REPORTS_A_SECOND
    )
    return Result("bench duplicates", passed, figures)


def _names(district: District) -> dict[str, str]:
    return {code: matter.name for code, matter in district.matters.items()}


def _plain(point: Point) -> dict[str, float]:
    return {"score": point.score, "precision": round(point.precision, 4), "recall": round(point.recall, 4)}


def _at_recall(points: list[Point], recall: float) -> dict[str, float] | None:
    """The strictest point that still finds so many; None: none does."""
    enough = [point for point in points if point.recall >= recall]
    return _plain(enough[-1]) if enough else None


# --- speed -----------------------------------------------------------------------------------------------------------


def _speed(
    district: District, names: Mapping[str, str], radius: Mapping[str, float], tell: Tell, many: int
) -> dict[str, Any]:
    made = made_stream(SEEDS[-1], names, radius, replace(DAILY, open_cases=many), hours=1.0)
    with private_postgis() as running:
        tell("writing the cases")
        asyncio.run(_migrated(running.url))
        with psycopg.connect(running.url.replace("+psycopg", ""), autocommit=True) as connection:
            fill(connection, made, CLOSED_TOO * many)
            counted = connection.execute(
                "SELECT count(*) FILTER (WHERE state <> 'closed'), count(*) FROM case_file"
            ).fetchone()
        new = [sighting_of(report, names) for report in made.reports[-ASKED:]]
        tell("asking")
        return asyncio.run(_asked(running.url, district, names, new)) | {
            "open_cases": counted[0] if counted else 0,
            "cases_in_all": counted[1] if counted else 0,
        }


async def _migrated(url: str) -> None:
    engine = open_engine(url, 1)
    await migrate(engine)
    await engine.dispose()


async def _asked(url: str, district: District, names: Mapping[str, str], new: list[Sighting]) -> dict[str, Any]:
    """One report after the other, by one connection: what is near by the index, and its scores."""
    engine = open_engine(url, 1)
    took: list[float] = []
    near = 0
    name_of = store_name(names)
    async with connect(engine) as connection:
        for sighting in new[:50]:
            await store.open_near(connection, [sighting], district.sameness, name_of)
        began, busy = time.perf_counter(), time.process_time()
        for sighting in new:
            start = time.perf_counter()
            known = await store.open_near(connection, [sighting], district.sameness, name_of)
            rank(sighting, known[0], district.sameness)
            near += len(known[0])
            took.append((time.perf_counter() - start) * 1000)
        seconds, busy = time.perf_counter() - began, time.process_time() - busy
    await engine.dispose()
    return {
        "reports_a_second": round(len(new) / seconds, 1),
        "median_ms": round(median(took), 2),
        "p99_ms": round(sorted(took)[int(len(took) * 0.99)], 2),
        "own_processor_ms": round(busy / len(new) * 1000, 2),
        "near_on_average": round(near / len(new), 1),
    }


def store_name(names: Mapping[str, str]) -> store.NameOf:
    """The names of matters."""
    return lambda code: names.get(code, "")


def fill(connection: psycopg.Connection[Any], made: Made, over: int = 0) -> None:
    """A case for each report of the stream, open, and `over` more that are closed, where others lie.

    The rows alone, without the record of how they came about, which this measurement does not read.
    """
    connection.execute("CREATE TEMPORARY TABLE one (LIKE report INCLUDING ALL, case_no text, thing int)")
    columns = "id, geom, given_lon, given_lat, datum, accuracy_m, seen_at, received_at, source, matter, text, contact"
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY one ({columns}, photos, case_no, thing) FROM STDIN") as copy:
            for number, report in enumerate(made.reports):
                copy.write_row(_row(number, report))
        cursor.execute(f"INSERT INTO report ({columns}, photos) SELECT {columns}, photos FROM one")
        cursor.execute(_CASES)
        if over:
            cursor.execute(_CLOSED, {"over": over})
        cursor.execute("ANALYZE report, case_file")


def _row(number: int, report: MadeReport) -> tuple[Any, ...]:
    return (
        f"00000000-0000-0000-0000-{number:012d}",
        f"SRID=4326;POINT({report.lon} {report.lat})",
        report.lon,
        report.lat,
        "wgs84",
        report.accuracy_m,
        report.seen_at,
        report.seen_at,
        "grid_worker",
        report.matter,
        report.text,
        "{}",
        list(report.photos),
        f"M{number:07d}",
        report.thing,
    )


_CASE_COLUMNS: Final = """case_no, report_id, state, seq, sealed, matter, urgency, team, geom, accuracy_m, zones,
    seen_at, received_at, changed_at, due_at, notes"""
_CASES: Final = f"""
    INSERT INTO case_file ({_CASE_COLUMNS})
    SELECT case_no, id, 'assigned', 1, '', matter, 3, 'made', geom, accuracy_m, '{{}}', seen_at,
           received_at, received_at, received_at, '{{}}' FROM one"""
_CLOSED: Final = f"""
    WITH again AS (
        SELECT gen_random_uuid() AS new_id, o.*, row_number() OVER () AS n
        FROM one o CROSS JOIN generate_series(1, 20) LIMIT %(over)s
    ), reported AS (
        INSERT INTO report SELECT new_id, geom, given_lon, given_lat, datum, accuracy_m, seen_at, received_at, source,
            matter, text, contact, photos FROM again
    )
    INSERT INTO case_file ({_CASE_COLUMNS})
    SELECT 'C' || n, new_id, 'closed', 1, '', matter, 3, 'made', geom, accuracy_m, '{{}}',
           seen_at - n * interval '5 minutes', received_at, received_at, received_at, '{{}}' FROM again"""
