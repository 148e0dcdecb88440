"""Driving over the roads of an OpenStreetMap extract, by Valhalla; off them over our own fields.

A place off the roads is reached by the road that is nearest to it over fields, water in between minded; or all the way
over fields, where that is quicker. Speeds on roads, one-way streets and turns are Valhalla's. Its times are whole
seconds. Needs the package `valhalla` (optional group `valhalla`); https://valhalla.github.io/valhalla/api/matrix/.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer
from scipy.sparse.csgraph import dijkstra

from geo.driving import Footing, Land
from geo.network import Labels, Route, Singles, Spread, clear
from geo.raster import Floats, Ints

NEAR_ROAD_CELLS: Final = 0.75
"""A dry centre this near a road is where one leaves it."""
TARGETS_AT_ONCE: Final = 1000
COSTING: Final = "auto"
NO_WAY: Final = ("No path could be found", "Locations are in unconnected regions")
"""How Valhalla's message begins where no way leads; every other is a fault."""

log = logging.getLogger(__name__)


class ValhallaMissing(RuntimeError):
    """The package `valhalla` is not installed."""


class ExtractUnreadable(ValueError):
    """Valhalla can make nothing of the extract; its last words are the message."""


class EngineFailed(RuntimeError):
    """Valhalla did not answer, for another reason than that no way leads there; its words are the message."""


class _Actor:
    """One of Valhalla's; it serves one thread at a time."""

    def __init__(self, tiles: Path) -> None:
        self._actor = _package().Actor(_config(tiles))
        self._lock = threading.Lock()

    def ask(self, what: str, asked: dict[str, Any]) -> Any:
        """Its answer; None where no way leads. Raises `EngineFailed`."""
        try:
            with self._lock:
                return getattr(self._actor, what)(asked)
        except RuntimeError as error:
            if str(error).startswith(NO_WAY):
                return None
            raise EngineFailed(f"{what}: {error}") from error


class Engine:
    """Valhalla over the tiles in a folder, for any number of threads: who draws a way keeps no other waiting."""

    def __init__(self, tiles: Path) -> None:
        """Raises `ValhallaMissing`."""
        self._times, self._lines = _Actor(tiles), _Actor(tiles)

    def matrix(self, starts: Floats, ends: Floats) -> tuple[Floats, Floats]:
        """Seconds and metres between positions, (n, 2) and (m, 2) degrees: (n, m) each, infinite where no way leads.

        Raises `EngineFailed`.
        """
        seconds = np.full((len(starts), len(ends)), np.inf)
        metres = seconds.copy()
        for first in range(0, len(ends), TARGETS_AT_ONCE):
            some = ends[first : first + TARGETS_AT_ONCE]
            asked = {"sources": _locations(starts), "targets": _locations(some), "costing": COSTING}
            answer = self._times.ask("matrix", asked)
            for row, found in enumerate(answer["sources_to_targets"] if answer else ()):
                for one in found:
                    if one["time"] is not None:
                        column = first + one["to_index"]
                        seconds[row, column], metres[row, column] = one["time"], one["distance"] * 1000
        return seconds, metres

    def on_roads(self, lonlat: Floats) -> Floats:
        """For each position the nearest one on a road, NaN where Valhalla knows none. Raises `EngineFailed`."""
        out = np.full((len(lonlat), 2), np.nan)
        for first in range(0, len(lonlat), TARGETS_AT_ONCE):
            asked = {"locations": _locations(lonlat[first : first + TARGETS_AT_ONCE]), "costing": COSTING}
            for number, one in enumerate(self._times.ask("locate", asked), first):
                if one["edges"]:
                    edge = one["edges"][0]
                    out[number] = edge["correlated_lon"], edge["correlated_lat"]
        return out

    def line(self, start: Floats, end: Floats) -> Floats:
        """Longitude, latitude of the corners of the way between two positions on roads: (n, 2).

        Where Valhalla draws none, which the log then says, just the two.
        """
        asked = {"locations": _locations(np.stack([start, end])), "costing": COSTING, "directions_type": "none"}
        try:
            answer = self._lines.ask("route", asked)
        except EngineFailed:
            log.exception("a way is drawn straight")
            answer = None
        if answer is None:
            return np.stack([start, end])
        return np.concatenate([_decoded(leg["shape"]) for leg in answer["trip"]["legs"]])


def tiles_of(extract: Path, folder: Path) -> None:
    """Build Valhalla's tiles of an extract in an empty folder. Raises `ValhallaMissing`, `ExtractUnreadable`."""
    _package()
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "valhalla.json"
    config.write_text(json.dumps(_config(folder)), encoding="utf-8")
    where = subprocess.run(
        [sys.executable, "-m", "valhalla", "print_bin_path"], capture_output=True, text=True, check=True
    )
    tool = Path(where.stdout.strip(), "valhalla_build_tiles")
    # It leaves notes in its working folder.
    command: list[str | Path] = [tool, "-c", config.absolute(), extract.absolute()]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode or not any(folder.rglob("*.gph")):
        raise ExtractUnreadable((done.stderr or done.stdout).strip()[-300:] or extract.name)


@dataclass(frozen=True, slots=True)
class Roads:
    """Driving. Places are those of `fields`: the dry centres."""

    fields: Land
    engine: Engine
    to_metres: Transformer
    exit: Labels
    """Of each place the one by which it is left for the roads, -1: none."""
    exit_s: Floats
    exit_m: Floats
    """Over fields to there, and from there to the road."""
    before: Labels
    """The place before each on that way, seen from the road; negative at the road."""
    road: Floats
    """Of each place at a road the position on it, longitude and latitude; NaN of the others."""

    @property
    def part(self) -> Labels:
        """All one: the roads may join whatever fields do not."""
        return np.zeros(self.exit.size, dtype=np.int32)

    @property
    def off_kmh(self) -> float:
        """The speed off the roads."""
        return self.fields.off_kmh

    def berth(self, xy: Floats) -> tuple[int, float]:
        """As of `Land`."""
        return self.fields.start(xy)

    def start(self, xy: Floats) -> tuple[int, float]:
        """As of `Land`."""
        return self.fields.start(xy)

    def spread(self, starts: Ints, offs_m: Floats) -> Spread:
        """As of `Land`; `marks` are of the fields. Raises `EngineFailed`."""
        out = self.fields.spread(starts, offs_m)
        seconds, metres = out.seconds, out.metres
        gates = np.flatnonzero(np.isfinite(self.road[:, 0]))
        rows = np.flatnonzero(np.where(starts >= 0, self.exit[starts] if self.exit.size else -1, -1) >= 0)
        cells = np.flatnonzero(self.fields.place >= 0)
        cells = cells[self.exit[self.fields.place[cells]] >= 0]
        if not rows.size or not cells.size:
            return out
        begins = starts[rows]
        by_road_s, by_road_m = self.engine.matrix(self.road[self.exit[begins]], self.road[gates])
        place, gate = self.fields.place[cells], np.searchsorted(gates, self.exit[self.fields.place[cells]])
        more = self.fields.beyond_m[cells] + offs_m[rows, None]
        off = self.off_kmh / 3.6
        found_s = by_road_s[:, gate] + self.exit_s[begins, None] + self.exit_s[place] + more / off
        found_m = by_road_m[:, gate] + self.exit_m[begins, None] + self.exit_m[place] + more
        at = np.ix_(rows, cells)
        sooner = found_s < seconds[at]
        seconds[at], metres[at] = np.where(sooner, found_s, seconds[at]), np.where(sooner, found_m, metres[at])
        return out

    def routes(self, starts: Ints, cell: int, marks: Singles) -> list[Route | None]:
        """As of `Land`: for each start the quicker of the way by road and the way over fields.

        When Valhalla fails, which the log then says, the way over fields.
        """
        out = self.fields.routes(starts, cell, marks)
        place = int(self.fields.place[cell])
        rows = np.flatnonzero(np.where(starts >= 0, self.exit[starts] if self.exit.size else -1, -1) >= 0)
        if place < 0 or self.exit[place] < 0 or not rows.size:
            return out
        begins, end = self.exit[starts[rows]], self.road[self.exit[place]]
        try:
            by_road_s, by_road_m = self.engine.matrix(self.road[begins], end[None])
        except EngineFailed:
            log.exception("ways are told over fields alone")
            return out
        more = float(self.fields.beyond_m[cell])
        for row, road_s, road_m in zip(rows.tolist(), by_road_s[:, 0].tolist(), by_road_m[:, 0].tolist(), strict=True):
            start = int(starts[row])
            seconds = road_s + self.exit_s[start] + self.exit_s[place] + more / (self.off_kmh / 3.6)
            best = out[row]
            if np.isfinite(seconds) and (best is None or seconds < best.seconds):
                metres = road_m + self.exit_m[start] + self.exit_m[place] + more
                out[row] = Route(float(seconds), float(metres), partial(self._corners, start, place))
        return out

    def _corners(self, start: int, place: int) -> Floats:
        from geo.search import back  # noqa: PLC0415  (numba: only for who asks for one way)

        xy = self.fields.network.xy
        lonlat = self.engine.line(self.road[self.exit[start]], self.road[self.exit[place]])
        by_road = np.stack(self.to_metres.transform(lonlat[:, 0], lonlat[:, 1]), axis=1)
        return np.concatenate([xy[back(self.before, start)], by_road, xy[back(self.before, place)[::-1]]])

    def left_to_boats(self, sailed: NDArray[np.bool_]) -> Roads:
        """As of `Land`."""
        fields = self.fields.left_to_boats(sailed)
        return Roads(fields, self.engine, self.to_metres, self.exit, self.exit_s, self.exit_m, self.before, self.road)


def over_roads(fields: Land, footing: Footing, engine: Engine, to_metres: Transformer) -> Roads:
    """Driving over the engine's roads; `fields` and `footing` as `driving.land` makes them of no roads at all."""
    xy = fields.network.xy
    lonlat = np.stack(to_metres.transform(xy[:, 0], xy[:, 1], direction="INVERSE"), axis=1)
    road = engine.on_roads(lonlat)
    there = np.stack(to_metres.transform(road[:, 0], road[:, 1]), axis=1)
    off_m = np.hypot(*(there - xy).T)
    gates = np.flatnonzero(off_m <= NEAR_ROAD_CELLS * fields.frame.size_x)
    gates = gates[clear(footing.closed, there[gates], xy[gates])]
    at_road = np.full_like(road, np.nan)
    at_road[gates] = road[gates]
    exits, before = np.full(len(xy), -1, dtype=np.int32), np.full(len(xy), -1, dtype=np.int32)
    seconds = np.full(len(xy), np.inf)
    if gates.size:
        seconds, before, exits = dijkstra(
            fields.network.seconds, indices=gates, min_only=True, return_predecessors=True
        )
    by = np.where(exits >= 0, exits, 0)
    exit_s = seconds + off_m[by] / (fields.off_kmh / 3.6)
    return Roads(
        fields=fields,
        engine=engine,
        to_metres=to_metres,
        exit=np.where(exits >= 0, exits, -1).astype(np.int32),
        exit_s=exit_s,
        exit_m=exit_s * (fields.off_kmh / 3.6),
        before=before.astype(np.int32),
        road=at_road,
    )


def _package() -> Any:
    try:
        import valhalla  # noqa: PLC0415  (optional)
    except ImportError as error:
        raise ValhallaMissing(str(error)) from error
    return valhalla


def _config(tiles: Path) -> dict[str, Any]:
    config: dict[str, Any] = _package().get_config(tile_extract="", tile_dir=str(tiles))
    limits = config["service_limits"]
    limits[COSTING] |= {"max_locations": 10**6, "max_matrix_location_pairs": 10**7}
    limits["max_radius"] = 0
    config["mjolnir"]["concurrency"] = 1
    return config


def _locations(lonlat: Floats) -> Sequence[dict[str, float]]:
    return [{"lon": lon, "lat": lat} for lon, lat in lonlat.tolist()]


def _decoded(shape: str) -> Floats:
    """Google's encoded polyline with six digits: (n, 2), longitude and latitude."""
    numbers, value, shift = [], 0, 0
    for letter in shape.encode():
        value |= (letter - 63 & 0x1F) << shift
        shift += 5
        if letter - 63 < 0x20:
            numbers.append(~(value >> 1) if value & 1 else value >> 1)
            value = shift = 0
    steps = np.array(numbers, dtype=np.float64).reshape(-1, 2)
    return np.cumsum(steps, axis=0)[:, ::-1] / 1e6
