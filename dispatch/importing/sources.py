"""Opening what a district has: files, folders and zips of every kind that GDAL reads; text in its encoding."""

from __future__ import annotations

import codecs
import io
import struct
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Final, NoReturn

import pyogrio
import pyproj
import shapely
from shapely.geometry.base import BaseGeometry

from dispatch.errors import BadMapping, GarbledText, UnreadableSource
from dispatch.importing.mapping import LayerMap
from dispatch.importing.texts import as_text, encoding_of, unscrambled

SUFFIXES: Final = (".shp", ".gpkg", ".geojson", ".json", ".kml", ".kmz", ".dxf")
_PARTS: Final = (*SUFFIXES, ".shx", ".dbf", ".prj", ".cpg")
_LARGEST: Final = 2 << 30
"""Bytes that a zip may unpack to."""


@dataclass(frozen=True, slots=True)
class Row:
    """One feature as it was read; `number` counts from 1 in its layer."""

    number: int
    cells: Mapping[str, str]
    shape: BaseGeometry | None
    """In the file's own CRS, without heights."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """One layer of a file."""

    file: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    crs: pyproj.CRS | None
    encoding: str
    """Of its text: what it was read in, and how that was known."""


@contextmanager
def opened(sources: Sequence[Path]) -> Iterator[Mapping[str, Path]]:
    """All files to read, by their names; zips are unpacked for as long. Raises `UnreadableSource`."""
    with TemporaryDirectory() as unpacked:
        found: dict[str, Path] = {}
        for number, source in enumerate(sources):
            if source.suffix.lower() == ".zip":
                folder = Path(unpacked) / str(number)
                _unpack(source, folder)
                files = sorted(folder.iterdir())
            elif source.is_dir():
                files = sorted(source.iterdir())
            elif source.is_file():
                files = [source]
            else:
                raise UnreadableSource(file=source.name, problem_zh="文件不存在。", problem="there is no such file.")
            for file in files:
                if file.suffix.lower() in SUFFIXES:
                    if file.name in found:
                        raise UnreadableSource(
                            file=file.name, problem_zh="有两个同名文件。", problem="two files have this name."
                        )
                    found[file.name] = file
        yield MappingProxyType(found)


def _unpack(source: Path, folder: Path) -> None:
    """The files of a zip that matter, flat in `folder`. Names may be GBK: the older Windows writes them so."""
    folder.mkdir()
    try:
        with zipfile.ZipFile(source) as archive:
            if sum(info.file_size for info in archive.infolist()) > _LARGEST:
                raise UnreadableSource(file=source.name, problem_zh="解压后过大。", problem="it unpacks to too much.")
            for info in archive.infolist():
                name = info.filename
                if not info.flag_bits & 0x800:
                    raw = name.encode("cp437", errors="replace")
                    name = raw.decode(encoding_of(raw) or "cp437", errors="replace")
                base = PurePosixPath(name.replace("\\", "/")).name
                if base.lower().endswith(_PARTS) and not base.startswith("."):
                    (folder / base).write_bytes(archive.read(info))
    except (zipfile.BadZipFile, RuntimeError, OSError) as error:
        raise UnreadableSource(file=source.name, problem_zh=f"不是可读的 zip：{error}", problem=str(error)) from error


def chosen(files: Mapping[str, Path], layer: LayerMap, mapping: str) -> Path:
    """The file that the mapping means. Raises `BadMapping`."""
    name = layer.file or (next(iter(files)) if len(files) == 1 else "")
    if name not in files:
        there = ", ".join(files) or "—"
        raise BadMapping(
            file=mapping,
            field=f"{layer.name}.file",
            problem_zh=f"没有文件“{name}”，有：{there}",
            problem=f"there is no file '{name}'; there are: {there}",
        )
    return files[name]


def read(path: Path, layer: LayerMap) -> Drawing:
    """One layer of the file, as text cells and shapes. Raises `UnreadableSource`, `GarbledText`."""
    encoding, known_by = _encoding(path, layer.encoding)
    if path.suffix.lower() == ".dxf":
        pyogrio.set_gdal_config_options({"DXF_ENCODING": _FOR_GDAL.get(encoding)})
    try:
        with_encoding = {"encoding": encoding} if path.suffix.lower() == ".shp" else {}
        meta, _, shapes, fields = pyogrio.raw.read(path, layer=layer.source_layer, force_2d=True, **with_encoding)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, UnicodeDecodeError) as error:
        layers = _layers(path)
        raise UnreadableSource(
            file=path.name,
            problem_zh=f"{error}" + (f"；其中的图层：{layers}" if layers else ""),
            problem=f"{error}" + (f"; its layers: {layers}" if layers else ""),
        ) from error
    columns = [str(name) for name in meta["fields"]]
    texts = [[as_text(value) for value in column] for column in fields]
    _sound(path.name, columns, texts)
    rows = [
        Row(i, MappingProxyType(dict(zip(columns, cells, strict=True))), shape)
        for i, (shape, *cells) in enumerate(zip(shapely.from_wkb(shapes), *texts, strict=True), 1)
    ]
    crs = pyproj.CRS.from_user_input(meta["crs"]) if meta["crs"] else None
    return Drawing(path.name, tuple(columns), tuple(rows), crs, f"{encoding} ({known_by})".strip())


def _layers(path: Path) -> str:
    try:
        return ", ".join(str(name) for name, _ in pyogrio.list_layers(path))
    except pyogrio.errors.DataSourceError:
        return ""


def _sound(file: str, columns: Sequence[str], texts: Sequence[Sequence[str]]) -> None:
    """Raises `GarbledText` where a column's name or any of its cells was read in a wrong encoding, here or before."""
    for name, cells in zip(columns, texts, strict=True):
        seen = {text: found for text in {name, *cells} if (found := unscrambled(text)) is not None}
        if seen:
            text, found = min(seen.items())
            raise GarbledText(
                file=file,
                column=name,
                count=len(seen),
                example=text[:40],
                guess_zh=f"（似应为“{found[:40]}”）" if found else "（原文已丢失）",
                guess=f" (probably '{found[:40]}')" if found else " (what it was is lost)",
            )


# --- dBASE: the only format that does not say its encoding reliably --------------------------------------------------

_CODEPAGES: Final = {"936": "gb18030", "GBK": "gb18030", "GB2312": "gb18030", "GB18030": "gb18030", "CP936": "gb18030"}
_FOR_GDAL: Final = {"gbk": "CP936", "gb2312": "CP936", "gb18030": "CP936", "utf-8": "UTF-8", "utf8": "UTF-8"}
_UTF8: Final = {"UTF-8": "utf-8", "UTF8": "utf-8", "65001": "utf-8"}


def _encoding(path: Path, told: str | None) -> tuple[str, str]:
    """The encoding of a Shapefile's text, and how it is known. Raises `UnreadableSource`, `GarbledText`."""
    if path.suffix.lower() != ".shp":
        if path.suffix.lower() != ".dxf":
            return "", "format"
        raw = path.read_bytes()
        seen = None if raw.isascii() else encoding_of(raw)
        return (told.lower(), "mapping") if told else (seen, "bytes") if seen else ("", "format")
    table = _beside(path, ".dbf")
    if table is None:
        raise UnreadableSource(file=path.name, problem_zh="缺少 .dbf 文件。", problem="its .dbf file is missing.")
    cells = list(_dbf_texts(table))
    raw = b"\n".join(cells)
    seen = encoding_of(raw)
    page = _beside(path, ".cpg")
    said = page.read_text("ascii", errors="replace").strip().upper().removeprefix("ANSI ") if page else ""
    named = told or _CODEPAGES.get(said) or _UTF8.get(said) or said
    if not named:
        if seen is None:
            _unclear(path, raw)
        return str(seen), "bytes"
    try:
        raw.decode(named)
    except (UnicodeDecodeError, LookupError):
        _unclear(path, raw, named, seen)
    if not told and seen == "utf-8" != named and not raw.isascii():
        _unclear(path, raw, named, seen)
    return named, "mapping" if told else ".cpg"


def _unclear(path: Path, raw: bytes, named: str = "latin-1", seen: str | None = None) -> NoReturn:
    """Raises `GarbledText`: the bytes are not what they are said to be."""
    first = next((line for line in raw.split(b"\n") if not line.isascii()), b"")
    read = first.decode(seen, errors="replace")[:40] if seen else ""
    known = named if _known(named) else "latin-1"
    raise GarbledText(
        file=path.name,
        column=".dbf",
        count=1,
        example=first.decode(known, errors="replace")[:40],
        guess_zh=f"（按 {seen} 读作“{read}”）" if seen else "",
        guess=f" (read as {seen} it says '{read}')" if seen else "",
    )


def _known(encoding: str) -> bool:
    try:
        codecs.lookup(encoding)
    except LookupError:
        return False
    return True


def _beside(path: Path, suffix: str) -> Path | None:
    return next(
        (file for file in path.parent.iterdir() if file.stem == path.stem and file.suffix.lower() == suffix), None
    )


def _dbf_texts(table: Path) -> Iterator[bytes]:
    """The column names and all character cells, undecoded (dBASE III: header of 32 bytes, 32 for each column)."""
    stream = io.BytesIO(table.read_bytes())
    head = stream.read(32)
    if len(head) < 32:
        raise UnreadableSource(file=table.name, problem_zh="文件不完整。", problem="it breaks off.")
    count, begin, width = struct.unpack("<IHH", head[4:12])
    columns: list[tuple[int, int]] = []
    at = 1
    while stream.tell() + 32 <= begin and (column := stream.read(32))[:1] not in (b"\r", b""):
        yield column[:11].split(b"\0")[0]
        if column[11:12] == b"C":
            columns.append((at, column[16]))
        at += column[16]
    stream.seek(begin)
    for _ in range(count):
        record = stream.read(width)
        for start, length in columns:
            if text := record[start : start + length].rstrip(b" \0"):
                yield text
