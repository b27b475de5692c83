"""Whole chunks, looked through."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broker.native import IS_COMPILED, compiled


def places_of_slowly(text: bytearray, wanted: bytes) -> array[int]:
    """Where some bytes stand, rising; of those that overlap, the first.

    Args:
        text: Where they are looked for.
        wanted: At least one byte.
    """
    places = array("q")
    at = text.find(wanted)
    while at >= 0:
        places.append(at)
        at = text.find(wanted, at + len(wanted))
    return places


def _places_of(text: bytearray, wanted: bytes) -> array[int]:
    return array("q", compiled.places_of(text, wanted))


places_of: Final[Callable[[bytearray, bytes], array[int]]] = _places_of if IS_COMPILED else places_of_slowly


def rows_of(places: ArrayLike, offsets: NDArray[np.int64]) -> list[int]:
    """In which messages places lie, each said once, rising; offsets are those of the message records."""
    rows: list[int] = np.unique(np.searchsorted(offsets, places, "right") - 1).tolist()
    return rows


def all_below_slowly(octets: NDArray[np.uint8], offsets: NDArray[np.int64], ahead: int, limit: int) -> bool:
    """Whether each byte that lies so far ahead of an offset, or else the last one, is less than a limit."""
    return bool((octets[np.minimum(offsets + ahead, len(octets) - 1)] < limit).all())


all_below: Final = compiled.all_below if IS_COMPILED else all_below_slowly
