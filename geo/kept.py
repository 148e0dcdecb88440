"""Arrays kept in one file, to be mapped into memory: shared by all processes that open it, read as they are needed.

The file is a line that names it, the length of its header, the header (JSON: some values and the arrays' types), and
the arrays, each at a multiple of 64 bytes. It is written beside itself and renamed, so it is whole or not there. It
is a cache: it can be made again at any time, and it is refused where it was made from something else.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

VERSION: Final = 1
_NAME: Final = b"OneGrid kept arrays\n"
_ALIGN: Final = 64
_KINDS: Final = "biuf"
"""Numbers and truth values, in numpy's letters: nothing that would be run when it is read."""


class Stale(ValueError):
    """A kept file does not belong to what is at hand, or is of another version, or is not whole."""


def sources(*modules: str) -> str:
    """SHA-256 (hexadecimal) of the source of modules of this package: of the code that made what is kept.

    Raises OSError where one cannot be read.
    """
    whole = hashlib.sha256()
    for module in modules:
        whole.update(Path(__file__).with_name(f"{module}.py").read_bytes())
    return whole.hexdigest()


def keep(path: Path, digest: str, values: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
    """Write `values` (what JSON can say) and `arrays`, made from what `digest` stands for. Raises OSError."""
    places: dict[str, dict[str, Any]] = {}
    at = 0
    for name, array in arrays.items():
        places[name] = {"type": array.dtype.str, "shape": array.shape, "at": at}
        at += -(-array.nbytes // _ALIGN) * _ALIGN
    header = {"version": VERSION, "digest": digest, "values": dict(values), "arrays": places, "bytes": at}
    text = json.dumps(header).encode()
    start = _start(len(text))
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, suffix=".part", delete=False) as file:
        beside = Path(file.name)
        try:
            file.write(_NAME + len(text).to_bytes(8, "little") + text)
            for name, array in arrays.items():
                file.seek(start + places[name]["at"])
                file.write(np.ascontiguousarray(array).data)
            file.truncate(start + at)
            file.close()
            beside.chmod(0o644)
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise


def read(path: Path, digest: str) -> tuple[dict[str, Any], dict[str, Array]]:
    """What `keep` wrote: its values, and its arrays mapped into memory, read-only.

    Raises `Stale` where it was not made from what `digest` stands for, OSError where it cannot be opened.
    """
    with path.open("rb") as file:
        if file.read(len(_NAME)) != _NAME:
            raise Stale(f"{path} holds no kept arrays")
        length = int.from_bytes(file.read(8), "little")
        size = os.fstat(file.fileno()).st_size
        header = _header(path, file.read(min(length, size)))
        if header["version"] != VERSION:
            raise Stale(f"{path} is of version {header['version']} of its form, not {VERSION}: build it again")
        if header["digest"] != digest:
            raise Stale(f"{path} was made from something else ({header['digest'][:12]}, not {digest[:12]})")
        start = _start(length)
        if size != start + header["bytes"]:
            raise Stale(f"{path} is damaged: {size} bytes, not {start + header['bytes']}")
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return header["values"], {name: _array(mapped, start, **one) for name, one in header["arrays"].items()}


def clear(folder: Path, pattern: str, leave: int) -> None:
    """Remove the kept files that match, but the newest `leave`. Who has one mapped keeps it. Raises OSError."""
    found = sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in found[leave:]:
        path.unlink(missing_ok=True)


def opened(path: Path, digest: str) -> tuple[dict[str, Any], dict[str, Array]] | None:
    """`read`; None where there is nothing to be opened, or it does not belong."""
    try:
        return read(path, digest)
    except (Stale, OSError):
        return None


def _header(path: Path, text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text)
    except ValueError as error:
        raise Stale(f"{path} is damaged: its header cannot be read") from error
    missing = {"version", "digest", "values", "arrays", "bytes"} - set(header if isinstance(header, dict) else ())
    if missing or any(np.dtype(one["type"]).kind not in _KINDS for one in header["arrays"].values()):
        raise Stale(f"{path} is damaged: its header is not what it was")
    found: dict[str, Any] = header
    return found


def _array(mapped: mmap.mmap, start: int, at: int, shape: list[int], **said: str) -> Array:
    count = int(np.prod(shape))
    return np.frombuffer(mapped, np.dtype(said["type"]), count, start + at if count else 0).reshape(shape)


def _start(length: int) -> int:
    """Where the arrays begin after a header of so many bytes."""
    return -(-(len(_NAME) + 8 + length) // _ALIGN) * _ALIGN
