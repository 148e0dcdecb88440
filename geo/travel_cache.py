"""Travel times kept between starts: one file a terrain, mapped by every worker, made anew when it does not belong."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from pyproj import Transformer

from geo import kept
from geo.driving import Land
from geo.gates import Gates
from geo.kept import Array
from geo.network import Network
from geo.raster import Frame
from geo.sailing import Water
from geo.terrain import Terrain
from geo.travel import Mode, Travel
from geo.valhalla import Engine, Roads, tiles_of

NAME: Final = "travel-{}.bin"
TILES: Final = "osm-{}"
FILES_LEFT: Final = 4
"""Of older terrains: so that two editions served in turn do not drive each other out."""


def prepared(terrain: Terrain, folder: Path | None) -> Travel:
    """Travel over the terrain: opened from `folder` if its file is there, else built and kept there.

    A folder that cannot be written does no harm but to the next start. Raises what `Travel.build` raises; where the
    terrain has an extract, also OSError, `ValhallaMissing` and `ExtractUnreadable`.
    """
    if folder is None:
        return Travel.build(terrain, _engine(terrain, None, ""))
    digest = terrain.digest()
    path = folder / NAME.format(digest[:16])
    engine = _engine(terrain, folder, digest[:16])
    found = kept.opened(path, digest)
    if found is not None:
        return _restored(terrain, engine, *found)
    made = Travel.build(terrain, engine)
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        kept.keep(path, digest, *_taken_apart(made))
        _clear(folder)
    return made


def _engine(terrain: Terrain, folder: Path | None, name: str) -> Engine | None:
    if terrain.osm is None:
        return None
    if folder is None:
        # They are needed for as long as the process lives.
        folder = Path(tempfile.mkdtemp(prefix="onegrid-osm-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    tiles = folder / TILES.format(name)
    if not tiles.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=".osm-", dir=folder))
        try:
            tiles_of(terrain.osm, building)
            # Another worker may have been quicker.
            with suppress(OSError):
                building.rename(tiles)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    return Engine(tiles)


def _clear(folder: Path) -> None:
    for pattern in (NAME, TILES):
        found = sorted(folder.glob(pattern.format("*")), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in found[FILES_LEFT:]:
            # Who has it mapped keeps it.
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _taken_apart(travel: Travel) -> tuple[dict[str, Any], dict[str, Array]]:
    values: dict[str, Any] = {"frame": asdict(travel.frame)}
    arrays: dict[str, Array] = {}
    for name, mode in travel.modes.items():
        reach = mode.reach
        values[f"{name}.off_kmh"] = reach.off_kmh
        parts: dict[str, Array] = {part: getattr(mode, part) for part in _OF_MODE}
        if isinstance(reach, Water):
            values[f"{name}.kmh"] = reach.kmh
            networks: dict[str, Network] = {"network": reach.network, "back": reach.back}
            parts |= {"part": reach.part, "cell": reach.cell}
        else:
            land = reach.fields if isinstance(reach, Roads) else reach
            networks = {"network": land.network}
            parts |= {"part": land.part, "place": land.place, "beyond_m": land.beyond_m}
            parts |= {f"gates.{part}": array for part, array in land.gates.arrays().items()}
        if isinstance(reach, Roads):
            parts |= {part: getattr(reach, part) for part in _OF_ROADS}
        arrays |= {f"{name}.{part}": array for part, array in parts.items()}
        for which, network in networks.items():
            arrays |= {f"{name}.{which}.{part}": array for part, array in network.arrays().items()}
    return values, arrays


_OF_MODE: Final = ("berths", "seconds", "metres", "marks")
_OF_ROADS: Final = ("exit", "exit_s", "exit_m", "before", "road")


def _restored(
    terrain: Terrain, engine: Engine | None, values: Mapping[str, Any], arrays: Mapping[str, Array]
) -> Travel:
    def under(name: str) -> dict[str, Array]:
        start = f"{name}."
        return {key.removeprefix(start): one for key, one in arrays.items() if key.startswith(start)}

    def network(name: str) -> Network:
        return Network.restored(under(name))

    def mode(name: str, reach: Land | Water | Roads) -> Mode:
        return Mode(reach, *(arrays[f"{name}.{part}"] for part in _OF_MODE))

    frame = Frame(**values["frame"])
    roads, off_kmh = network("vehicle.network"), values["vehicle.off_kmh"]
    drive: Land | Roads
    drive = land = Land(
        frame=frame,
        network=roads,
        part=arrays["vehicle.part"],
        place=arrays["vehicle.place"],
        beyond_m=arrays["vehicle.beyond_m"],
        off_kmh=off_kmh,
        gates=Gates.restored(under("vehicle.gates"), roads, off_kmh / 3.6),
    )
    if engine:
        to_metres = Transformer.from_crs("EPSG:4326", terrain.metric_crs, always_xy=True)
        drive = Roads(land, engine, to_metres, *(arrays[f"vehicle.{part}"] for part in _OF_ROADS))
    water = Water(
        frame=frame,
        network=network("boat.network"),
        back=network("boat.back"),
        cell=arrays["boat.cell"],
        part=arrays["boat.part"],
        kmh=values["boat.kmh"],
        off_kmh=values["boat.off_kmh"],
    )
    modes = {"vehicle": mode("vehicle", drive), "boat": mode("boat", water)}
    return Travel(frame, terrain.metric_crs, terrain.bases, modes)
