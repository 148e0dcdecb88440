"""Routing in bulk against `geopandas.sjoin` of the same points on the same layers.

sjoin only says which zones hold each point; routing also finds the team, the unit and its way. Both ways round of
sjoin are measured, and the quicker one is what routing is held against: GEOS prepares whatever it asks with, so asking
with the zones is far quicker than asking with the points, which is what most people write.
"""

from __future__ import annotations

import csv
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Final

import geopandas as gpd
import numpy as np

from dispatch.bench import Result, Tell
from dispatch.bench.points import inside, matters
from dispatch.bulk import DATUMS, Points, Router
from dispatch.ground import Ground
from dispatch.intake import DEFAULT_ACCURACY_M
from dispatch.route_file import route_file
from geo.datum import Datum

BAR: Final = 3.0
POINTS_LEFT: Final = 10_000
"""Of the slow way round only so many points are measured: its time grows with them one to one."""


def run(ground: Ground, tell: Tell, points: int = 1_000_000, rounds: int = 5) -> Result:
    """Measure; `rounds` of each in turn."""
    tell(f"{points} points, {sum(len(layer.zones) for layer in ground.locator.layers.values())} zones")
    lon, lat = inside(ground, points, seed=1)
    chosen = matters(ground, points, seed=2)
    codes = list(ground.district.matters)
    frame = gpd.GeoDataFrame(geometry=gpd.points_from_xy(lon, lat), crs="EPSG:4326")
    zones = [
        gpd.GeoDataFrame(
            {"code": [zone.code for zone in layer.zones]}, geometry=[z.geometry for z in layer.zones], crs="EPSG:4326"
        )
        for layer in ground.locator.layers.values()
    ]

    def join(left_points: gpd.GeoDataFrame | None) -> None:
        for layer in zones:
            if left_points is None:
                gpd.sjoin(layer, frame, predicate="intersects")
            else:
                gpd.sjoin(left_points, layer, predicate="intersects")

    def route() -> None:
        router = Router(ground)
        numbers = np.array([router.matters.index(code) for code in codes], dtype=np.int32)
        datum = np.full(points, DATUMS.index(Datum.WGS84), dtype=np.int8)
        routed = router.route(Points(lon, lat, numbers[chosen], datum, np.full(points, DEFAULT_ACCURACY_M)))
        if routed.refused or routed.place.min() < 0:
            raise RuntimeError("a point inside the district was refused")

    routing: list[float] = []
    joining: list[float] = []
    for number in range(rounds):
        tell(f"round {number + 1} of {rounds}")
        routing.append(_timed(route))
        joining.append(_timed(lambda: join(None)))
    tell(f"sjoin the other way round, {POINTS_LEFT} points")
    few = frame.iloc[:: max(points // POINTS_LEFT, 1)]
    slow = _timed(lambda: join(few)) / len(few) * points
    best = min(median(joining), slow)
    tell("a whole file")
    with tempfile.TemporaryDirectory(prefix="onegrid-bench-") as folder:
        source, out = Path(folder) / "points.csv", Path(folder) / "routed.csv"
        with source.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(("lon", "lat", "matter", "text"))
            rows.writerows((f"{x:.7f}", f"{y:.7f}", codes[m], "测量") for x, y, m in zip(lon, lat, chosen, strict=True))
        summary = route_file(source, out, ground, lambda _done, _expected: None, datetime.now(UTC))
    ratios = [join_s / route_s for join_s, route_s in zip(joining, routing, strict=True)]
    ratio = min(median(ratios), slow / median(routing))
    return Result(
        "bench route",
        ratio >= BAR and summary.rows == points,
        {
            "ratio": round(ratio, 2),
            "bar": BAR,
            "points": points,
            "layers": len(zones),
            "zones": sum(map(len, zones)),
            "route_s": round(median(routing), 3),
            "route_points_per_s": round(points / median(routing)),
            "sjoin_s": round(best, 3),
            "sjoin_zones_left_s": round(median(joining), 3),
            "sjoin_points_left_s_from_sample": round(slow, 1),
            "ratio_to_points_left": round(slow / median(routing), 1),
            "ratios": [round(one, 2) for one in ratios],
            "file_s": round(summary.seconds, 2),
            "file_rows_per_s": round(summary.rows / summary.seconds),
        },
    )


def _timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
