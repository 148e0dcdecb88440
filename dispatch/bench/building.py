"""What building a locator takes of memory, told by a process of its own that does nothing else.

In it are this interpreter, numpy, GEOS and numba (which building does not need, but who asks many points does), the
zones, and the building. `ru_maxrss` would not do: a process begins with that of the one that started it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.grid import Cover, Layer, Zone
from geo.locate import Locator

Shapes = NDArray[np.object_]

_STATUS: Final = Path("/proc/self/status")
_LENGTH: Final = 8
"""Bytes of the number that says how many more a shape has."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Resident memory in megabytes (10^6 bytes): the most that a process ever had, and what it had before it built."""

    peak_mb: float
    before_mb: float

    @property
    def increase_mb(self) -> float:
        """What building took on top of the libraries and the zones."""
        return self.peak_mb - self.before_mb


def one_layer(name: str, shapes: Shapes) -> dict[str, Layer]:
    """A layer of zones that exclude each other, coded in their order."""
    zones = tuple(Zone(name, f"{n:06d}", "", "", "", None, shape, 0.0) for n, shape in enumerate(shapes.tolist()))
    return {name: Layer(name, name, name, Cover.DISJOINT, None, False, "made", zones)}


def taken(shapes: Shapes) -> Taken | None:
    """What building the locator of one layer of `shapes` takes; None where the system does not tell (it is not Linux).

    Raises CalledProcessError where that process failed.
    """
    if not _STATUS.exists():
        return None
    with tempfile.TemporaryDirectory(prefix="onegrid-bench-") as folder:
        path = Path(folder) / "shapes"
        with path.open("wb") as file:
            for shape in shapes.tolist():
                form = shapely.to_wkb(shape)
                file.write(len(form).to_bytes(_LENGTH, "little") + form)
        command = [sys.executable, "-m", "dispatch.bench.building", str(path)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return Taken(**json.loads(done.stdout))


def _build(path: Path) -> Taken:
    import_module("geo.kernel")
    layers = one_layer("zone", _read(path))
    before = _resident("VmRSS")
    Locator(layers)
    return Taken(_resident("VmHWM"), before)


def _read(path: Path) -> Shapes:
    """One by one, so that the shapes are in memory once."""
    shapes = []
    with path.open("rb") as file:
        while length := int.from_bytes(file.read(_LENGTH), "little"):
            shapes.append(shapely.from_wkb(file.read(length)))
    return np.array(shapes, dtype=object)


def _resident(what: str) -> float:
    """A line of the kernel's account of this process (kB), in megabytes."""
    lines = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines())
    return int(lines[what].split()[0]) * 1024 / 1e6


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(_build(Path(sys.argv[1])))))
