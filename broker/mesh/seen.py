"""When each name was first and last seen in a row, kept while rows come in."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from broker.observe.journal import NameKind

NEVER_NS: Final = -1
"""First and last moment of what was never seen."""

Moments = NDArray[np.int64]

CALL_NAMES: Final = (
    (NameKind.ACTION, "action"),
    (NameKind.SERVICE, "caller"),
    (NameKind.NODE, "source"),
    (NameKind.NODE, "target"),
)
EVENT_NAMES: Final = (
    (NameKind.EVENT, "event"),
    (NameKind.SERVICE, "caller"),
    (NameKind.NODE, "source"),
    (NameKind.NODE, "target"),
)


class Seen:
    """First and last moments by kind and number; never changes."""

    __slots__ = ("_first", "_last")

    def __init__(self, first: dict[NameKind, Moments], last: dict[NameKind, Moments]) -> None:
        self._first = first
        self._last = last

    def first_ns(self, kind: NameKind, number: int) -> int:
        """When a name was first in a row, in ns since the epoch; NEVER_NS if it never was."""
        moments = self._first.get(kind)
        return int(moments[number]) if moments is not None and number < len(moments) else NEVER_NS

    def last_ns(self, kind: NameKind, number: int) -> int:
        """When a name was last in a row, in ns since the epoch; NEVER_NS if it never was."""
        moments = self._last.get(kind)
        return int(moments[number]) if moments is not None and number < len(moments) else NEVER_NS

    def moments_ns(self, kind: NameKind, count: int) -> tuple[list[int], list[int]]:
        """First and last moments of the numbers below ``count``; NEVER_NS for those that never were in a row."""
        both = (self._first.get(kind), self._last.get(kind))
        first, last = ((moments if moments is not None else np.empty(0, np.int64))[:count].tolist() for moments in both)
        return first + [NEVER_NS] * (count - len(first)), last + [NEVER_NS] * (count - len(last))


class SeenWriter:
    """Takes in rows; gives a Seen of them. One thread."""

    def __init__(self) -> None:
        self._first: dict[NameKind, Moments] = {}
        self._last: dict[NameKind, Moments] = {}

    def take_calls(self, rows: NDArray[np.void]) -> None:
        """Note the names in rows of CALL_COLUMNS."""
        self._take(rows, CALL_NAMES, "end_ns")

    def take_events(self, rows: NDArray[np.void]) -> None:
        """Note the names in rows of EVENT_COLUMNS."""
        self._take(rows, EVENT_NAMES, "at_ns")

    def _take(self, rows: NDArray[np.void], columns: tuple[tuple[NameKind, str], ...], time: str) -> None:
        if not len(rows):
            return
        times = np.ascontiguousarray(rows[time])
        for kind, column in columns:
            numbers = rows[column].astype(np.intp)
            first, last = self._room(kind, int(numbers.max()) + 1)
            np.minimum.at(first, numbers, times)
            np.maximum.at(last, numbers, times)

    def _room(self, kind: NameKind, count: int) -> tuple[Moments, Moments]:
        first = self._first.get(kind, np.empty(0, np.int64))
        last = self._last.get(kind, np.empty(0, np.int64))
        if len(first) < count:
            missing = max(count, 2 * len(first)) - len(first)
            first = np.concatenate([first, np.full(missing, np.iinfo(np.int64).max)])
            last = np.concatenate([last, np.full(missing, NEVER_NS)])
            self._first[kind], self._last[kind] = first, last
        return first, last

    def view(self) -> Seen:
        """The moments as they are now, copied."""
        return Seen(
            {kind: np.where(self._last[kind] == NEVER_NS, NEVER_NS, first) for kind, first in self._first.items()},
            {kind: last.copy() for kind, last in self._last.items()},
        )
