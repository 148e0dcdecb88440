"""A district folder as one file, so that an edition can be kept in the database and loaded wherever it is needed."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

_STAMP: Final = (1980, 1, 1, 0, 0, 0)
"""The same contents are the same bytes whenever they are packed."""


def pack(contents: Mapping[str, bytes]) -> bytes:
    """Files by name, as a zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name in sorted(contents):
            archive.writestr(zipfile.ZipInfo(name, _STAMP), contents[name], zipfile.ZIP_DEFLATED)
    return out.getvalue()


@contextmanager
def unpacked(bundle: bytes, name: str) -> Iterator[Path]:
    """The folder again, called `name`, for as long as it is read. Raises ValueError for what `pack` did not make."""
    with TemporaryDirectory(prefix="onegrid-edition-") as above:
        folder = Path(above) / name
        folder.mkdir()
        with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
            for entry in archive.infolist():
                if Path(entry.filename).name != entry.filename:
                    raise ValueError(f"a bundle holds files and no folders: {entry.filename}")
                (folder / entry.filename).write_bytes(archive.read(entry))
        yield folder
