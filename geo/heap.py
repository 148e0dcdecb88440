"""A binary heap for the compiled searches, and how they are compiled. Importing this module imports numba."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np

from geo.kept import sources
from geo.raster import Floats, Ints

Compiled = TypeVar("Compiled", bound=Callable[..., Any])


def compiled(*modules: str) -> Callable[[Compiled], Compiled]:
    """A decorator: the function by numba, kept in its cache where there is a folder for it that can be written.

    modules: all whose code it is made from. numba looks at the function's own file only, and would run old code; so
    their digest is part of the function's name, and thereby of its file's in numba's cache.
    """
    edition = sources(*modules)[:16]

    def made(function: Compiled) -> Compiled:
        function.__qualname__ = f"{function.__qualname__}_{edition}"
        try:
            found = numba.njit(cache=True, nogil=True)(function)
        except RuntimeError:  # no such folder
            found = numba.njit(nogil=True)(function)
        return cast("Compiled", found)

    return made


_compiled = compiled("heap")


# A heap is three arrays: keys, the least first; seconds to the place when it was put in; places. They are passed one by
# one: of a tuple each call would count the references to all. How many are in it, each function is told.


@_compiled
def fresh() -> tuple[Floats, Floats, Ints]:
    """A heap with room for some."""
    return np.empty(1024), np.empty(1024), np.empty(1024, np.int64)


@_compiled
def grown(keys: Floats, sofar: Floats, places: Ints) -> tuple[Floats, Floats, Ints]:
    """With room for as many again."""
    more = np.empty(keys.size)
    return (
        np.concatenate((keys, more)),
        np.concatenate((sofar, more)),
        np.concatenate((places, np.empty(places.size, np.int64))),
    )


@_compiled
def push(keys: Floats, sofar: Floats, places: Ints, size: int, key: float, reached: float, place: int) -> int:
    """Put one in, for which there is room. How many there are then."""
    at = size
    while at > 0 and keys[(at - 1) // 2] > key:
        up = (at - 1) // 2
        keys[at], sofar[at], places[at] = keys[up], sofar[up], places[up]
        at = up
    keys[at], sofar[at], places[at] = key, reached, place
    return size + 1


@_compiled
def sink(keys: Floats, sofar: Floats, places: Ints, size: int, at: int) -> None:
    """Let what is at `at` sink to where it belongs."""
    key, reached, place = keys[at], sofar[at], places[at]
    while 2 * at + 1 < size:
        child = 2 * at + 1
        if child + 1 < size and keys[child + 1] < keys[child]:
            child += 1
        if keys[child] >= key:
            break
        keys[at], sofar[at], places[at] = keys[child], sofar[child], places[child]
        at = child
    keys[at], sofar[at], places[at] = key, reached, place


@_compiled
def drop(keys: Floats, sofar: Floats, places: Ints, size: int) -> int:
    """Take out the first. How many there are then."""
    keys[0], sofar[0], places[0] = keys[size - 1], sofar[size - 1], places[size - 1]
    sink(keys, sofar, places, size - 1, 0)
    return size - 1
