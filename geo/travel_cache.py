"""Travel times kept between starts: one file a terrain, mapped by every worker, made anew when it does not belong."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from geo import kept
from geo.driving import Land
from geo.kept import Array
from geo.network import Network
from geo.raster import Frame
from geo.sailing import Water
from geo.terrain import Terrain
from geo.travel import Mode, Travel

NAME: Final = "travel-{}.bin"
FILES_LEFT: Final = 4
"""Of older terrains: so that two editions served in turn do not drive each other out."""


def prepared(terrain: Terrain, folder: Path | None) -> Travel:
    """Travel over the terrain: opened from `folder` if its file is there, else built and kept there.

    A folder that cannot be written does no harm but to the next start. Raises what `Travel.build` raises.
    """
    if folder is None:
        return Travel.build(terrain)
    digest = terrain.digest()
    path = folder / NAME.format(digest[:16])
    found = kept.opened(path, digest)
    if found is not None:
        return _restored(terrain, *found)
    made = Travel.build(terrain)
    with suppress(OSError):
        kept.keep(path, digest, *_taken_apart(made))
        _clear(folder)
    return made


def _clear(folder: Path) -> None:
    files = sorted(folder.glob(NAME.format("*")), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in files[FILES_LEFT:]:
        # Who has it mapped keeps it.
        path.unlink(missing_ok=True)


def _taken_apart(travel: Travel) -> tuple[dict[str, Any], dict[str, Array]]:
    values: dict[str, Any] = {"frame": asdict(travel.frame)}
    arrays: dict[str, Array] = {}
    for name, mode in travel.modes.items():
        reach = mode.reach
        values[f"{name}.off_kmh"] = reach.off_kmh
        parts: dict[str, Array] = {
            "part": reach.part,
            "berths": mode.berths,
            "seconds": mode.seconds,
            "metres": mode.metres,
        }
        if isinstance(reach, Land):
            networks: dict[str, Network] = {"network": reach.network}
            parts |= {"place": reach.place, "beyond_m": reach.beyond_m}
        else:
            networks = {"network": reach.network, "back": reach.back, "afloat": reach.afloat}
            parts["cell"] = reach.cell
        arrays |= {f"{name}.{part}": array for part, array in parts.items()}
        for which, network in networks.items():
            arrays |= {f"{name}.{which}.{part}": array for part, array in network.arrays().items()}
    return values, arrays


def _restored(terrain: Terrain, values: Mapping[str, Any], arrays: Mapping[str, Array]) -> Travel:
    def network(name: str) -> Network:
        start = f"{name}."
        return Network.restored({key.removeprefix(start): one for key, one in arrays.items() if key.startswith(start)})

    def mode(name: str, reach: Land | Water) -> Mode:
        return Mode(reach, *(arrays[f"{name}.{part}"] for part in ("berths", "seconds", "metres")))

    frame = Frame(**values["frame"])
    land = Land(
        frame=frame,
        network=network("vehicle.network"),
        part=arrays["vehicle.part"],
        place=arrays["vehicle.place"],
        beyond_m=arrays["vehicle.beyond_m"],
        off_kmh=values["vehicle.off_kmh"],
    )
    water = Water(
        frame=frame,
        network=network("boat.network"),
        back=network("boat.back"),
        afloat=network("boat.afloat"),
        cell=arrays["boat.cell"],
        part=arrays["boat.part"],
        off_kmh=values["boat.off_kmh"],
    )
    modes = {"vehicle": mode("vehicle", land), "boat": mode("boat", water)}
    return Travel(frame, terrain.metric_crs, terrain.bases, modes)
