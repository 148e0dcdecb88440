"""Bands of pixels, each painted by itself, made one: `geo.pixels.Pixels`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np

from geo.band import Band, numbered
from geo.borders import Borders, distinct
from geo.crossings import crossings
from geo.pixels import BLOCK, SHIFT, Bytes, Int32s, Pixels, frozen
from geo.raster import Frame, Ints, ascending
from geo.sets import Sets


def joined(frame: Frame, bands: Sequence[Band], borders: Borders, sets: Sequence[Sets]) -> Pixels:
    """All bands of `frame`, the southernmost first. To `sets` those of several zones that may occur are added."""
    many = crossings([band.meetings for band in bands], sets)
    rows = np.concatenate([band.kinds for band in bands]).astype(np.int64)
    kinds, number = numbered(list(rows.T), [len(own) for own in sets], len(rows))
    kind = _split(number, [len(band.kinds) for band in bands])
    records = np.concatenate(
        [np.column_stack([band.records[:, 0], of[band.records[:, 1:]]]) for band, of in zip(bands, kind, strict=True)]
    )
    record, which = distinct(records.view(np.uint64))
    which_record = _split(which, [len(band.records) for band in bands])
    singles, wedges = record.size, sum(len(band.bends) for band in bands)
    bends, levels = [], []
    bend, meeting, block, entry = 0, 0, 0, 0
    for band, of_kind, of_record in zip(bands, kind, which_record, strict=True):
        bent, met = len(band.bends), len(band.meetings.count)
        bends.append(np.column_stack([band.bends[:, :2], of_kind[band.bends[:, 2:4]], band.bends[:, 4] + meeting]))
        beyond = [singles + bend + np.arange(bent), singles + wedges + meeting + np.arange(met)]
        # What is negative counts from the end, and so do numpy's indices.
        of_answer = np.concatenate([of_kind, ~np.concatenate([of_record, *beyond])[::-1]])
        levels.append(_Levels.of(frame.columns, band.rows, band.places, of_answer[band.answer], block, entry))
        bend, meeting = bend + bent, meeting + met
        block, entry = block + len(levels[-1].heads), entry + len(levels[-1].palette)
    return frozen(
        Pixels(
            west=frame.west,
            south=frame.south,
            size=frame.size_x,
            columns=frame.columns,
            rows=frame.rows,
            coarse=np.concatenate([*(level.coarse for level in levels), np.zeros(1, dtype=np.int32)]),
            pool=np.concatenate([level.pool for level in levels]),
            heads=np.concatenate([level.heads for level in levels]),
            palette=np.concatenate([level.palette for level in levels]),
            kinds=kinds,
            records=records[record].astype(np.int32),
            bends=np.concatenate(bends).astype(np.int32),
            edges=borders.ends,
            crossings=many.crossings,
            references=many.references,
            local=many.local,
            toggles=many.toggles,
            layouts=many.layouts,
            tables=many.tables,
        )
    )


def _split(numbers: Ints, sizes: Sequence[int]) -> list[Ints]:
    """So many of them for each band."""
    return [numbers[begin:end] for begin, end in pairwise(accumulate(sizes, initial=0))]


@dataclass(frozen=True, slots=True)
class _Levels:
    """A band's share of the parts of `Pixels` of the same names."""

    coarse: Int32s
    heads: Int32s
    palette: Int32s
    pool: Bytes

    @classmethod
    def of(cls, columns: int, rows: int, places: Int32s, answer: Ints, block: int, entry: int) -> _Levels:
        """Before the band come so many blocks in the pool, and so many entries of the palette."""
        across, up = columns // BLOCK, rows // BLOCK
        corner = (np.arange(up) * BLOCK * columns)[:, None] + np.arange(across) * BLOCK
        coarse = answer[np.searchsorted(places, corner.reshape(-1), side="right") - 1]
        row, column = np.divmod(places.astype(np.int64), columns)
        touched = answer < 0
        blocks = ascending(row[touched] // BLOCK * across + column[touched] // BLOCK)
        rank = np.full(across * up, -1, dtype=np.int64)
        rank[blocks] = np.arange(blocks.size)
        coarse[blocks] = ~(block + np.arange(blocks.size))

        # Stretches of cells with one answer, within a row of a block; by block, so in the order of the pool.
        block_row, block_column = np.divmod(blocks, across)
        begins = ((block_row[:, None] * BLOCK + np.arange(BLOCK)) * columns + block_column[:, None] * BLOCK).ravel()
        within = rank[row // BLOCK * across + column // BLOCK]
        use = (within >= 0) & (column % BLOCK > 0)
        value = np.concatenate([answer[np.searchsorted(places, begins, side="right") - 1], answer[use]])
        spot = np.concatenate(
            [np.arange(begins.size) * BLOCK, (within[use] * BLOCK + row[use] % BLOCK) * BLOCK + column[use] % BLOCK]
        )
        low = int(value.min(initial=0))
        value -= low
        bits = int(value.max(initial=0)).bit_length()
        both = np.sort(spot << bits | value)
        spot, value = both >> bits, both & (1 << bits) - 1
        length = np.diff(np.append(spot, blocks.size * BLOCK * BLOCK))
        keys = spot >> 2 * SHIFT << bits | value
        pairs = ascending(keys)
        heads = np.searchsorted(pairs, np.arange(blocks.size) << bits)
        code = np.searchsorted(pairs, keys) - heads[spot >> 2 * SHIFT]
        return cls(
            coarse=coarse.astype(np.int32),
            heads=(entry + heads).astype(np.int32),
            palette=((pairs & (1 << bits) - 1) + low).astype(np.int32),
            pool=np.repeat(code.astype(np.uint8), length),
        )
