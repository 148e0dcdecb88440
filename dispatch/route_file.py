"""A file of places in, the same file with the responsible team and its nearest unit out. Needs no database."""

from __future__ import annotations

import csv
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dispatch import fields, sinks
from dispatch.blocks import NOTES, Block, Blocks, Rejected
from dispatch.bulk import DATUMS, Routed, Router
from dispatch.errors import EmptyFile
from dispatch.ground import Ground
from dispatch.rows import Reader
from dispatch.tabular import read
from geo.datum import Datum
from geo.grid import Zone

CHUNK: Final = 65_536
ZONES: Final = ("water", "joint", "dedicated")

_TEXT: Final = pa.string()
ANSWER: Final = (
    ("township", _TEXT),
    ("township_name", _TEXT),
    ("grid", _TEXT),
    ("water", _TEXT),
    ("joint", _TEXT),
    ("dedicated", _TEXT),
    ("team", _TEXT),
    ("team_name", _TEXT),
    ("team_kind", _TEXT),
    ("rule", _TEXT),
    ("unit", _TEXT),
    ("eta_s", pa.int32()),
    ("distance_m", pa.int32()),
    ("mode", _TEXT),
    ("notes", _TEXT),
    ("version", _TEXT),
    ("lon_wgs84", pa.float64()),
    ("lat_wgs84", pa.float64()),
)
"""Columns that are added to those of the file; several zones of one layer are joined by `|`."""
REJECTED: Final = ("row", "code", "reason_zh", "reason_en")

Progress = Callable[[int, int], None]
"""Told the rows done and the rows expected."""


@dataclass(slots=True)
class Summary:
    """What became of a file. Were `rows`, those that were read, not `routed + rejected`, some would be lost."""

    rows: int = 0
    routed: int = 0
    rejected: int = 0
    snapped: int = 0
    without_unit: int = 0
    seconds: float = 0.0
    version: str = ""
    by_team: dict[str, int] = field(default_factory=dict)
    by_reason: dict[str, int] = field(default_factory=dict)
    rejected_file: str | None = None

    def figures(self) -> dict[str, Any]:
        """As JSON tells it."""
        return {**asdict(self), "seconds": round(self.seconds, 3)}


def route_file(source: Path, out: Path, ground: Ground, progress: Progress, now: datetime) -> Summary:
    """Route every row of `source` (CSV or GeoJSON) into `out` (by suffix); nothing of `out` is seen until all is there.

    Rows that cannot be routed go to `OUT.rejected.csv`, which is there only if there are any. Raises `UnknownFormat`,
    `EmptyFile`, `UnreadableFile`, `MissingColumn`, OSError.
    """
    began = time.perf_counter()
    sinks.known(out)
    sheet = read(source.read_bytes())
    columns = fields.columns(sheet.header, geometry=sheet.geometry)
    router = Router(ground)
    blocks = Blocks(Reader(ground.district), router, columns, len(sheet.header), now)
    summary = Summary(version=ground.district.version)
    refused = out.with_name(f"{out.name}.rejected.csv")
    schema = pa.schema([*((name, _TEXT) for name in kept_names(sheet.header)), *ANSWER])
    geometry = sinks.has_geometry(out)
    with ExitStack() as stack:
        part = stack.enter_context(sinks.replacing(out))
        refused_part = stack.enter_context(sinks.replacing(refused))
        file = stack.enter_context(refused_part.open("w", encoding="utf-8-sig", newline=""))
        rejects = csv.writer(file)
        rejects.writerow((*REJECTED, *sheet.header))
        answers = _Answers(router)

        def batches() -> Iterator[pa.RecordBatch]:
            while chunk := list(islice(sheet.records, CHUNK)):
                summary.rows += len(chunk)
                block = blocks.read(chunk)
                routed = router.route(block.points, now=now)
                batch, lost = answers.batch(block, routed, schema, summary)
                rejects.writerows(map(_rejection, sorted([*block.rejected, *lost], key=lambda one: one.number)))
                _count(summary, [*block.rejected, *lost])
                progress(summary.rows, max(sheet.expected, summary.rows))
                held = np.flatnonzero(routed.place >= 0)
                yield sinks.with_points(batch, routed.lon[held], routed.lat[held]) if geometry else batch

        full = schema.append(pa.field(sinks.GEOMETRY, pa.binary())) if geometry else schema
        sinks.write(part, full, batches())
        if not summary.rows:
            raise EmptyFile
    if summary.rejected:
        summary.rejected_file = refused.name
    else:
        refused.unlink()
    summary.seconds = time.perf_counter() - began
    return summary


def kept_names(header: Sequence[str]) -> list[str]:
    """Names for the file's own columns beside ours: none empty, none twice (in any case, as GeoPackage asks)."""
    taken = {name for name, _ in ANSWER} | {"fid", "ogc_fid", "geom", sinks.GEOMETRY}
    kept = []
    for place, name in enumerate(header, 1):
        chosen = base = name or f"column_{place}"
        if chosen.casefold() in taken:
            chosen = base = f"in_{base}"
        again = 2
        while chosen.casefold() in taken:
            chosen, again = f"{base}_{again}", again + 1
        taken.add(chosen.casefold())
        kept.append(chosen)
    return kept


def _rejection(one: Rejected) -> list[object]:
    def said(language: Any) -> str:
        return " ".join(filter(None, (one.error.text(language), one.error.hint(language))))

    return [one.number, one.error.code(), said("zh"), said("en"), *one.cells]


def _count(summary: Summary, rejected: Sequence[Rejected]) -> None:
    summary.rejected += len(rejected)
    for code, count in Counter(one.error.code() for one in rejected).items():
        summary.by_reason[code] = summary.by_reason.get(code, 0) + count


class _Answers:
    """Numbers of a `Routed` as the words of the answer: each word once, then spread."""

    def __init__(self, router: Router) -> None:
        self._router = router
        layers = router.ground.locator.layers
        self._grids = [zone.code for zone in layers["grid"].zones] if "grid" in layers else []

    def batch(
        self, block: Block, routed: Routed, schema: pa.Schema, summary: Summary
    ) -> tuple[pa.RecordBatch, list[Rejected]]:
        """The routed rows with their answer, and the rows that were refused."""
        held = np.flatnonzero(routed.place >= 0)
        own = block.columns
        if routed.refused:
            mask = pa.array(routed.place >= 0)
            own = [column.filter(mask) for column in own]
        answer = self._columns(routed, held, block.notes[held], block.points.datum[held])
        self._tell(summary, routed, held)
        lost = [
            Rejected(int(block.numbers[at]), error, [column[at].as_py() for column in block.columns])
            for at, error in routed.refused.items()
        ]
        return pa.RecordBatch.from_arrays([*own, *answer], schema=schema), lost

    def _columns(
        self, routed: Routed, held: NDArray[np.intp], notes: NDArray[np.int64], datum: NDArray[np.int8]
    ) -> list[pa.Array]:
        district, router = self._router.ground.district, self._router
        place, ruling, unit = routed.place[held], routed.ruling[held], routed.unit[held]
        teams = [district.teams[one.team] for one in router.rulings]
        none = unit < 0
        shifted = np.isin(datum, [DATUMS.index(Datum.GCJ02), DATUMS.index(Datum.BD09)])
        notes = notes | _flag("datum_converted", shifted) | _flag("snapped", routed.snapped_m[held] > 0)
        notes = notes | _flag("no_unit_can_reach", none)
        zones: Mapping[str, list[list[Zone]]] = {
            layer: [list(one.get(layer, ())) for one in router.places] for layer in ("township", *ZONES)
        }
        return [
            _spread([_codes(one) for one in zones["township"]], place),
            _spread(["|".join(zone.name for zone in one) for one in zones["township"]], place),
            _spread(self._grids, routed.grid[held]),
            *(_spread([_codes(one) for one in zones[layer]], place) for layer in ZONES),
            _spread([team.code for team in teams], ruling),
            _spread([team.name for team in teams], ruling),
            _spread([team.kind.value for team in teams], ruling),
            _spread([one.rule.code for one in router.rulings], ruling),
            _spread([one.code for one in router.units], unit),
            pa.array(np.where(none, 0, routed.eta_s[held]).astype(np.int32), mask=none),
            pa.array(np.where(none, 0, routed.distance_m[held]).astype(np.int32), mask=none),
            _spread([one.mode.value for one in router.units], unit),
            _spread([_notes(bits) for bits in range(1 << len(NOTES))], notes),
            _spread([district.version], np.zeros(held.size, dtype=np.int64)),
            pa.array(routed.lon[held]),
            pa.array(routed.lat[held]),
        ]

    def _tell(self, summary: Summary, routed: Routed, held: NDArray[np.intp]) -> None:
        summary.routed += held.size
        summary.snapped += int(np.count_nonzero(routed.snapped_m[held] > 0))
        summary.without_unit += int(np.count_nonzero(routed.unit[held] < 0))
        for number, count in enumerate(np.bincount(routed.ruling[held], minlength=0).tolist()):
            if count:
                team = self._router.rulings[number].team
                summary.by_team[team] = summary.by_team.get(team, 0) + count


def _spread(words: Sequence[str], which: NDArray[Any]) -> pa.Array:
    """Word number `which[i]` for each i; empty text where that is -1."""
    numbers = pa.array(np.where(which < 0, len(words), which).astype(np.int32))
    return pa.DictionaryArray.from_arrays(numbers, pa.array([*words, ""], _TEXT)).cast(_TEXT)


def _codes(zones: Sequence[Zone]) -> str:
    return "|".join(zone.code for zone in zones)


def _flag(note: str, where: NDArray[np.bool_]) -> NDArray[np.int64]:
    return where.astype(np.int64) << NOTES.index(note)


def _notes(bits: int) -> str:
    return "|".join(note for place, note in enumerate(NOTES) if bits >> place & 1)
