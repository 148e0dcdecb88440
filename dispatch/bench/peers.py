"""The engines that one could pick instead of our locator, each asked the same: which zone holds each of these points?

Each is given one layer's polygons and answers how many (point, zone) pairs it found and in how many seconds. Where a
peer's own form of the points has to be made first (a table, a frame), `ready` says that this was not counted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import psycopg
import shapely
from numpy.typing import NDArray

from dispatch.bench.serving import private_postgis

Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]
Join = Callable[[Floats, Floats], tuple[int, float]]
"""Positions (degrees) to the pairs found and the seconds that took."""


@dataclass(frozen=True, slots=True)
class Peer:
    """An engine by name; `open` gives its join on some polygons and raises where it cannot be had."""

    name: str
    ready: bool
    open: Callable[[Shapes, ExitStack], Join]
    share: float = 1.0
    """Of the points that are asked: where it is slow, fewer."""


def _timed(work: Callable[[], int]) -> tuple[int, float]:
    began = time.perf_counter()
    found = work()
    return found, time.perf_counter() - began


def sjoin(*, ready: bool) -> Callable[[Shapes, ExitStack], Join]:
    """geopandas.sjoin(predicate="within"), from plain coordinates or from a frame of points."""

    def opened(shapes: Shapes, _: ExitStack) -> Join:
        import geopandas as gpd

        zones = gpd.GeoDataFrame(geometry=list(shapes), crs="EPSG:4326")

        def frame(x: Floats, y: Floats) -> gpd.GeoDataFrame:
            return gpd.GeoDataFrame(geometry=gpd.points_from_xy(x, y), crs="EPSG:4326")

        def join(x: Floats, y: Floats) -> tuple[int, float]:
            if not ready:
                return _timed(lambda: len(gpd.sjoin(frame(x, y), zones, predicate="within")))
            points = frame(x, y)
            return _timed(lambda: len(gpd.sjoin(points, zones, predicate="within")))

        return join

    return opened


def strtree(shapes: Shapes, _: ExitStack) -> Join:
    """A tree of the points asked with the zones, which GEOS then prepares: quicker by far than the other way round."""

    def join(x: Floats, y: Floats) -> tuple[int, float]:
        return _timed(
            lambda: shapely.STRtree(np.asarray(shapely.points(x, y))).query(shapes, predicate="intersects").shape[1],
        )

    return join


def duckdb(shapes: Shapes, stack: ExitStack) -> Join:
    """DuckDB's spatial join, one thread; its extension from a package, for it would be downloaded otherwise."""
    import duckdb as engine
    import duckdb_extension_spatial as extension
    import pyarrow as pa

    file = next(Path(extension.__path__[0]).rglob("spatial.duckdb_extension"))
    connection = stack.enter_context(engine.connect(config={"threads": 1}))
    connection.execute(f"LOAD '{file}'")
    connection.register("given", pa.table({"id": np.arange(shapes.size), "wkb": shapely.to_wkb(shapes)}))
    connection.execute("CREATE TABLE zone AS SELECT id, ST_GeomFromWKB(wkb) AS geom FROM given")

    def join(x: Floats, y: Floats) -> tuple[int, float]:
        connection.register("positions", pa.table({"x": x, "y": y}))
        connection.execute("CREATE OR REPLACE TABLE asked AS SELECT ST_Point(x, y) AS geom FROM positions")
        query = "SELECT count(*), sum(zone.id) FROM asked JOIN zone ON ST_Intersects(zone.geom, asked.geom)"
        return _timed(lambda: int(connection.execute(query).fetchall()[0][0]))

    return join


def sedonadb(shapes: Shapes, _: ExitStack) -> Join:
    """SedonaDB's spatial join; the one processor that the measurement is held to is its one thread."""
    import geopandas as gpd
    import pyarrow as pa
    import sedonadb as engine

    session = engine.connect()
    zones = gpd.GeoDataFrame({"id": np.arange(shapes.size)}, geometry=list(shapes), crs="EPSG:4326")
    session.create_data_frame(zones).to_memtable().to_view("zone")
    query = (
        "SELECT count(*) AS pairs, sum(zone.id) AS total "
        "FROM asked JOIN zone ON ST_Intersects(zone.geometry, asked.geometry)"
    )

    def join(x: Floats, y: Floats) -> tuple[int, float]:
        points = gpd.GeoDataFrame({"n": np.arange(x.size)}, geometry=gpd.points_from_xy(x, y), crs="EPSG:4326")
        session.create_data_frame(points).to_memtable().to_view("asked", overwrite=True)
        return _timed(
            lambda: int(pa.RecordBatchReader.from_stream(session.sql(query)).read_all().to_pylist()[0]["pairs"])
        )

    return join


def postgis(shapes: Shapes, stack: ExitStack) -> Join:
    """PostGIS: ST_Covers with a GiST index on the zones, all points in one statement, no parallel workers."""
    running = stack.enter_context(private_postgis())
    connection = stack.enter_context(psycopg.connect(running.conninfo("onegrid"), autocommit=True))
    connection.execute("SET max_parallel_workers_per_gather = 0")
    connection.execute("CREATE TABLE asked_zone (id int, geom geometry(Geometry, 4326))")
    with connection.cursor() as cursor, cursor.copy("COPY asked_zone FROM STDIN") as copy:
        for number, shape in enumerate(shapely.to_wkb(shapely.set_srid(shapes, 4326), hex=True, include_srid=True)):
            copy.write_row((number, shape))
    connection.execute("CREATE INDEX ON asked_zone USING gist (geom)")
    connection.execute("ANALYZE asked_zone")

    def join(x: Floats, y: Floats) -> tuple[int, float]:
        connection.execute("DROP TABLE IF EXISTS asked")
        connection.execute("CREATE UNLOGGED TABLE asked (geom geometry(Point, 4326))")
        places = shapely.set_srid(np.asarray(shapely.points(x, y)), 4326)
        points = np.asarray(shapely.to_wkb(places, hex=True, include_srid=True))
        with connection.cursor() as cursor, cursor.copy("COPY asked FROM STDIN") as copy:
            for point in points.tolist():
                copy.write_row((point,))
        connection.execute("ANALYZE asked")
        query = "SELECT count(*), sum(z.id) FROM asked a JOIN asked_zone z ON ST_Covers(z.geom, a.geom)"

        def ask() -> int:
            row = connection.execute(query).fetchone()
            return int(row[0]) if row else 0

        return _timed(ask)

    return join


REFERENCE: Final = "geopandas.sjoin(within)"
PEERS: Final = (
    Peer(REFERENCE, ready=False, open=sjoin(ready=False)),
    Peer("geopandas.sjoin(within), points ready-made", ready=True, open=sjoin(ready=True)),
    Peer("shapely.STRtree.query", ready=False, open=strtree),
    Peer("duckdb spatial, points ready-made", ready=True, open=duckdb),
    Peer("sedonadb, points ready-made", ready=True, open=sedonadb),
    Peer("postgis ST_Covers, GiST, points ready-made", ready=True, open=postgis, share=0.25),
)


@contextmanager
def opened(shapes: Shapes, peers: Sequence[Peer] = PEERS) -> Iterator[tuple[dict[str, Join], dict[str, str]]]:
    """The joins of the peers that can be had on these polygons, and of each of the others why not."""
    with ExitStack() as stack:
        joins: dict[str, Join] = {}
        missing: dict[str, str] = {}
        for peer in peers:
            try:
                joins[peer.name] = peer.open(shapes, stack)
            except Exception as error:  # whatever keeps a peer from being had is its reason, and is reported
                missing[peer.name] = f"{type(error).__name__}: {error}"
        yield joins, missing
