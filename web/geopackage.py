"""Counts, cases and the layers beneath them as one GeoPackage."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas
import pandas as pd
import pyogrio

from geo.grid import Layer
from web.counted import summary, table
from web.tally import Tally


def geopackage(tally: Tally) -> bytes:
    """Layers `grid_counts`, `cases`, those of the district to draw beneath, and the table `summary`."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "heatmap.gpkg"
        counted = geopandas.GeoDataFrame(
            table(tally), geometry=[zone.geometry for zone in tally.layer.zones], crs="EPSG:4326"
        )
        _add(path, counted, "grid_counts", "MultiPolygon")
        _add(path, _points(tally), "cases", "Point")
        for name in ("township", "water", "district"):
            if layer := tally.district.layers.get(name):
                _add(path, _zones(layer), name, "MultiPolygon")
        told = pd.DataFrame([(key, str(value)) for key, value in summary(tally).items()], columns=["key", "value"])
        pyogrio.write_dataframe(told, path, layer="summary", driver="GPKG")
        return path.read_bytes()


def _add(path: Path, frame: geopandas.GeoDataFrame, layer: str, geometry_type: str) -> None:
    pyogrio.write_dataframe(
        frame, path, layer=layer, driver="GPKG", geometry_type=geometry_type, promote_to_multi=geometry_type != "Point"
    )


def _points(tally: Tally) -> geopandas.GeoDataFrame:
    rows, district = tally.rows, tally.district
    names = {code: found.name for code, found in district.classes.items()}
    names |= {code: matter.name for code, matter in district.matters.items()}
    teams = {code: team.name for code, team in district.teams.items()}
    columns = {
        "case": rows.case.tolist(),
        "matter": rows.matter.tolist(),
        "matter_name": [names.get(code, "") for code in rows.matter.tolist()],
        "team": rows.team.tolist(),
        "team_name": [teams.get(code, "") for code in rows.team.tolist()],
        "state": rows.state.tolist(),
        "received_at": pd.to_datetime(rows.received_at, utc=True).astype("datetime64[ms, UTC]"),
        "grid": rows.grid.tolist(),
    }
    return geopandas.GeoDataFrame(columns, geometry=geopandas.points_from_xy(rows.lon, rows.lat), crs="EPSG:4326")


def _zones(layer: Layer) -> geopandas.GeoDataFrame:
    columns = {
        "code": [zone.code for zone in layer.zones],
        "name": [zone.name for zone in layer.zones],
        "name_en": [zone.name_en for zone in layer.zones],
        "area_km2": [zone.area_km2 for zone in layer.zones],
        "schematic": [not layer.real] * len(layer.zones),
        "source": [layer.source] * len(layer.zones),
    }
    return geopandas.GeoDataFrame(columns, geometry=[zone.geometry for zone in layer.zones], crs="EPSG:4326")
