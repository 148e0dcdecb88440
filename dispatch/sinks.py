"""Where a routed file goes: CSV, GeoJSON, GeoPackage, GeoParquet, by its suffix; whole, or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pyogrio
import shapely
from numpy.typing import NDArray

from dispatch.errors import UnknownFormat

SUFFIXES: Final = (".csv", ".geojson", ".gpkg", ".parquet")
GEOMETRY: Final = "geometry"
BOM: Final = b"\xef\xbb\xbf"
"""Without it Excel takes UTF-8 for the local code page."""

_GEO: Final = {
    "version": "1.1.0",
    "primary_column": GEOMETRY,
    "columns": {GEOMETRY: {"encoding": "WKB", "geometry_types": ["Point"]}},
}
"""GeoParquet 1.1; no `crs` means OGC:CRS84."""


def known(path: Path) -> str:
    """The suffix. Raises `UnknownFormat`."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UnknownFormat(format=path.suffix or path.name, known=" ".join(SUFFIXES))
    return suffix


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A name beside `path` to write to: becomes `path` at the end, and nothing if something goes wrong."""
    part = path.with_name(f".{path.stem}.{uuid4().hex[:8]}.part{path.suffix}")
    try:
        yield part
        part.replace(path)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


def with_points(batch: pa.RecordBatch, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> pa.RecordBatch:
    """The batch and a column of points (WKB, EPSG:4326)."""
    wkb = pa.array(shapely.to_wkb(shapely.points(lon, lat)), pa.binary())
    return batch.append_column(GEOMETRY, wkb)


def has_geometry(path: Path) -> bool:
    """Whether batches for this file need `with_points`."""
    return known(path) != ".csv"


def write(path: Path, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
    """Write every batch to `path`. Raises `UnknownFormat`."""
    match known(path):
        case ".csv":
            _csv(path, schema, batches)
        case ".parquet":
            _parquet(path, schema, batches)
        case suffix:
            reader = pa.RecordBatchReader.from_batches(schema, batches)
            options = {"RFC7946": "YES"} if suffix == ".geojson" else {}
            pyogrio.write_arrow(
                reader,
                os.fspath(path),
                layer="routed",
                driver="GeoJSON" if suffix == ".geojson" else "GPKG",
                geometry_name=GEOMETRY,
                geometry_type="Point",
                crs="EPSG:4326",
                **options,
            )


def _csv(path: Path, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
    with path.open("wb") as file:
        file.write(BOM)
        with pyarrow.csv.CSVWriter(file, schema) as writer:
            for batch in batches:
                writer.write_batch(batch)


def _parquet(path: Path, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
    described = schema.with_metadata({"geo": json.dumps(_GEO)})
    with pyarrow.parquet.ParquetWriter(path, described, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch.replace_schema_metadata(described.metadata))
