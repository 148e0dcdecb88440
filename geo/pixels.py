"""What a locator knows, as flat arrays: they are written to a file as they are, mapped, shared, compiled against.

Two levels: the district in pixels, `BLOCK` x `BLOCK` of them in a block. A block that no border touches has one answer
for all of it (`coarse`); of the others each pixel has one byte (`pool`), a number into the block's own stretch of
`palette` (it begins at `heads`): so a whole block is four lines of the processor's cache. A block has 256 pixels and
each number in its palette is some pixel's, so a byte always suffices.

An answer for all layers at once is a *kind*: a row of `kinds`, the number of the set of zones in each layer. What is
negative in the palette is the complement of a number:

- below the number of `records`, *one*: one straight edge crosses the pixel and does not end in it. A record is
  `(edge, kind right of it, kind on it, kind left of it)`; all pixels along an edge between two zones share it.
- else, less that number, below the number of `bends`: two edges meet in it, with the same zones on either side. A row
  is `(edge, edge, kind in the wedge, kind outside it, number)`; in the wedge is what lies left of both edges, or right
  of one that is given as its complement. What is on an edge is looked up by the number in `crossings`.
- else, less that number too, *many*: a row of `crossings`.

Answers are exact because `geo.raster` errs on the side of touching by a thousandth of a pixel, far above any rounding
of a position to its pixel: whatever lies in a pixel, or is taken to, meets no border that the pixel does not know.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Int8s = NDArray[np.int8]
Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]

SHIFT: Final = 3
BLOCK: Final = 1 << SHIFT
ACROSS: Final = 1 << 62
"""In `Pixels.toggles`: the edge crosses the upright line through the reference."""
LEFT: Final = 1 << 61
"""In `Pixels.toggles`: the reference lies to the left of the edge."""
MOST_ZONES: Final = 60
"""So many zones may have a border in one pixel, over all layers; one bit each in `Pixels.toggles`."""
WIDEST: Final = 6
"""So many zones of one layer may have a border in one pixel: the table of its sets has 2 ** that many entries."""
CROWDED: Final = -1
"""In `Pixels.crossings`, for the count: too much is in this pixel; its points are settled one by one."""


class Pixels(NamedTuple):
    """Read-only arrays; a named tuple because the compiled kernel takes it as it is. Coordinates in degrees.

    Of a pixel with many edges, `crossings` holds (first, count, layout): its edges are `local[first:first + count]`
    (numbers into `edges`), each with the zones whose border it is as bits of `toggles`. Before them stands one that is
    none, whose bits are the zones that hold the pixel's reference: a position that lies on no edge's line. Walking from
    a point straight across to the reference's longitude (`references`) and then up or down to it, each edge that is
    crossed turns its zones on or off.

    A layout gives, for each layer, (shift, mask, offset): the layer's zones are `bits >> shift & mask`, and
    `tables[offset + that]` is the number of their set, with those that cover all of the pixel.
    """

    west: float
    south: float
    size: float
    columns: int
    rows: int
    coarse: Int32s
    """Kind of each block, row by row; or the complement of its number in `pool`. One more at the end: outside."""
    pool: Bytes
    heads: Int32s
    """Where the palette of each block begins."""
    palette: Int32s
    kinds: Int32s
    """(kinds, layers): the number of the set of zones. The first is empty; of one layer, each is its own number."""
    records: Int32s
    """(records, 4)."""
    bends: Int32s
    """(bends, 5)."""
    edges: Floats
    """(edges, 4): from ax, ay to bx, by, upwards, a level one eastwards."""
    crossings: Int32s
    """(many, 3)."""
    references: Floats
    local: Int32s
    toggles: Int64s
    layouts: Int32s
    """(layouts, layers, 3)."""
    tables: Int32s

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(part.nbytes for part in self if isinstance(part, np.ndarray))


def frozen(pixels: Pixels) -> Pixels:
    """The same, with every array read-only and contiguous, so that the kernel is compiled for one kind of array."""
    for part in pixels:
        if isinstance(part, np.ndarray):
            part.setflags(write=False)
    return pixels
