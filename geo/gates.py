"""Ways by road without a search over the fields: which roads each place leads to is worked out once.

A place where one gets faster than over fields is a gate: the places of the roads. A quickest way either leads over
fields alone, or over fields to a gate, from gate to gate, and over fields from one. Few gates are the first of any
quickest way from a place (about five in the sample district): they are its entries. So the way between two places is
found among the gates alone, a tenth of all places, from the entries of one to those of the other; and whether fields
alone are quicker is asked only where they could be (transit nodes: Bast, Funke, Matijevic 2006).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra

from geo.network import Labels, Network
from geo.raster import Floats, Ints

_SEED: Final = 1
"""The gates are gone through in a random order: of two near each other the later is spared what the earlier saw."""


class Graph(NamedTuple):
    """A network, as compiled code takes it: compressed rows of steps, seconds; places, metres."""

    indptr: Labels
    indices: Labels
    data: Floats
    xy: Floats


class Access(NamedTuple):
    """Entries and steps, in compressed rows."""

    gate: Labels
    """The number of the gate at each place of the network, or -1."""
    entry_first: Labels
    """(places + 1): from here to the next are a place's entries in the three arrays below; a gate's own is the gate."""
    entry_gate: Labels
    entry_s: Floats
    entry_m: Floats
    """Seconds and metres over fields between the place and the gate."""
    step_first: Labels
    """(gates + 1): from here to the next are the steps from a gate in the three arrays below."""
    step_to: Labels
    step_s: Floats
    step_m: Floats
    """By road, or over fields between two roads."""


class Scratch(NamedTuple):
    """What a question is worked out in. Between questions all is as here."""

    gate_s: Floats
    """Infinite."""
    gate_m: Floats
    gates_seen: Labels
    place_s: Floats
    """Infinite."""
    place_m: Floats
    places_seen: Labels
    wanted: Labels
    """-1."""


@dataclass(frozen=True)
class Gates:
    """Of a network whose steps take as long in either direction. For several threads at once."""

    network: Network
    field_ms: float
    """Metres a second at most where one is at no gate."""
    access: Access
    _scratch: list[Scratch] = field(default_factory=list, compare=False, repr=False)

    @classmethod
    def of(cls, network: Network, field_ms: float) -> Gates:
        """Worked out in about half a second for 66,000 places of which 5,900 are gates."""
        graph, count = network.seconds, len(network.xy)
        starts = np.repeat(np.arange(count), np.diff(graph.indptr))
        step_m = np.hypot(*(network.xy[starts] - network.xy[graph.indices]).T)
        places = np.unique(starts[step_m > graph.data * field_ms * (1 + 1e-9)])
        gate = np.full(count, -1, dtype=np.int32)
        gate[places] = np.arange(places.size)
        road = (gate[starts] >= 0) & (gate[graph.indices] >= 0)
        nothing = np.zeros(places.size)
        entries: list[tuple[Any, ...]] = [(places, np.arange(places.size), nothing, nothing)]
        steps: list[tuple[Any, ...]] = [
            (gate[starts[road]], gate[graph.indices[road]], graph.data[road], step_m[road]),
        ]
        if places.size:
            from geo.entries import explored  # noqa: PLC0415  (numba: only for who builds where there are roads)

            near_s, _, near = dijkstra(graph, indices=places, min_only=True, return_predecessors=True)
            order = np.random.default_rng(_SEED).permutation(places.size)
            near_gate = gate[np.maximum(near, 0)] * (near >= 0).astype(np.int32)
            found, over = explored(_graph(network), field_ms, gate, places, order, near_gate, near_s)
            entries.append(found)
            steps.append(over)
        return cls(network, field_ms, Access(gate, *_rows(count, entries), *_rows(places.size, steps)))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All it consists of besides the network, by name."""
        return self.access._asdict()

    @classmethod
    def restored(cls, arrays: Mapping[str, NDArray[Any]], network: Network, field_ms: float) -> Gates:
        """What `arrays` gave, none of them copied."""
        return cls(network, field_ms, Access(**arrays))

    def reached(self, root: int, goals: Ints) -> tuple[Floats, Floats]:
        """Seconds and metres of the quickest ways between a place and others; infinite where there is none."""
        from geo.access import reached  # noqa: PLC0415  (numba: only for who asks for a way)

        # Each question has its own scratch; taking one from the list and putting it back are each one step of Python.
        try:
            scratch = self._scratch.pop()
        except IndexError:
            scratch = _made(self.access.gate.size, self.access.step_first.size - 1)
        found: tuple[Floats, Floats] = reached(*self._given, self.field_ms, root, goals, scratch)
        self._scratch.append(scratch)
        return found

    @cached_property
    def _given(self) -> tuple[Graph, Access]:
        return _graph(self.network), Access(*(_frozen(one) for one in self.access))


def _graph(network: Network) -> Graph:
    graph = network.seconds
    return Graph(*(_frozen(one) for one in (graph.indptr, graph.indices, graph.data, network.xy)))


def _rows(count: int, parts: list[tuple[Any, ...]]) -> tuple[Labels, Labels, Floats, Floats]:
    """As compressed rows: where each begins, and the rest in their order."""
    row, gate, seconds, metres = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(row, kind="stable")
    first = np.append(0, np.cumsum(np.bincount(row, minlength=count))).astype(np.int32)
    return first, gate[order].astype(np.int32), seconds[order], metres[order]


def _made(places: int, gates: int) -> Scratch:
    return Scratch(
        *(np.full(gates, np.inf), np.zeros(gates), np.zeros(gates, np.int32)),
        *(np.full(places, np.inf), np.zeros(places), np.zeros(places, np.int32)),
        np.full(gates, -1, np.int32),
    )


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    """Whether an array is mapped or was just made, the same compiled function takes it."""
    view = array.view()
    view.flags.writeable = False
    return view
