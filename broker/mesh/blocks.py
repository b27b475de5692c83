"""Rows in blocks of columns, immutable when full; a row's address is (block id, row) for ever.

A block that still grows is shown as a read-only view of its first rows:
rows below that number never change, so a reader needs no lock and no copy.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from broker.mesh.span import Span

BLOCK_ROWS: Final = 65_536
SMALLEST_SHARE: Final = 8  # a store of few rows is cut in at least so many blocks, so that forgetting is gentle

FIRST_ROWS: Final = 256
"""Room of a new block; it doubles until the block is full, so that a store of little costs little."""

Column = NDArray[Any]


class Block:
    """Rows of a store, one read-only array a column.

    Attributes:
        id: Its number in the store, from 0; blocks in order have numbers in order.
        count: Its rows.
        from_ns: The earliest moment in it, in ns since the epoch.
        to_ns: The latest moment in it (a row lies on it).
        is_sorted: Whether its rows are in order of time. Rows of two batches may overlap a little.
        memo: Answers about this block that a question keeps for the next time; a growing block loses them.
    """

    __slots__ = ("_columns", "_time", "count", "from_ns", "id", "is_sorted", "memo", "to_ns")

    def __init__(self, number: int, columns: dict[str, Column], time: str, *, is_sorted: bool = True) -> None:
        self.id = number
        self._columns = columns
        self._time = time
        times = columns[time]
        self.count = len(times)
        self.is_sorted = is_sorted
        self.memo: dict[Any, Any] = {}
        if is_sorted:
            self.from_ns, self.to_ns = int(times[0]), int(times[-1])
        else:
            self.from_ns, self.to_ns = int(times.min()), int(times.max())

    def column(self, name: str) -> Column:
        """One column, read-only. Shape (count,). KeyError for a name that the journal does not have."""
        return self._columns[name]

    @property
    def times(self) -> NDArray[np.int64]:
        """The column that the block is in order of, in ns since the epoch."""
        return self._columns[self._time]

    @property
    def held_bytes(self) -> int:
        """Bytes of its columns."""
        return sum(column.nbytes for column in self._columns.values())

    def meets(self, span: Span) -> bool:
        """Whether any of its rows may lie in the span."""
        return self.from_ns < span.to_ns and self.to_ns >= span.from_ns

    def lies_in(self, span: Span) -> bool:
        """Whether all of its rows lie in the span."""
        return self.from_ns >= span.from_ns and self.to_ns < span.to_ns

    def rows_in(self, span: Span) -> slice | NDArray[np.intp]:
        """The rows that lie in the span: a slice where the order allows it, else their indices, rising."""
        if self.lies_in(span):
            return slice(0, self.count)
        if self.is_sorted:
            first, last = np.searchsorted(self.times, [span.from_ns, span.to_ns], side="left")
            return slice(int(first), int(last))
        return np.flatnonzero((self.times >= span.from_ns) & (self.times < span.to_ns))


class CallBlock(Block):
    """Rows of CALL_COLUMNS, about in order of end."""

    __slots__ = ()


class EventBlock(Block):
    """Rows of EVENT_COLUMNS, in order of arrival."""

    __slots__ = ()


BlockT = TypeVar("BlockT", bound=Block)


class RowStore(Generic[BlockT]):
    """Rows of one dtype, at most ``max_rows`` of them; the oldest block goes first.

    Args:
        make: What its blocks are.
        columns: Their dtype.
        time: The column that rows are in order of.
        max_rows: How many rows are kept at most.
        block_rows: Rows of a full block.
    """

    def __init__(
        self, make: type[BlockT], columns: np.dtype[np.void], time: str, max_rows: int, block_rows: int = BLOCK_ROWS
    ) -> None:
        self._make = make
        self._dtype = columns
        self._names = columns.names or ()
        self._time = time
        self._max_rows = max(1, max_rows)
        self._block_rows = max(1, min(block_rows, self._max_rows // SMALLEST_SHARE))
        self._full: deque[BlockT] = deque()
        self._next_id = 0
        self._held = 0  # rows of full blocks
        self.forgotten = 0  # rows
        self.forgotten_to_ns: int | None = None  # the latest moment that was forgotten
        self._begin_block()

    def _begin_block(self) -> None:
        self._growing = {name: np.empty(0, self._dtype[name]) for name in self._names}
        self._room = 0
        self._count = 0
        self._is_sorted = True

    def _make_room(self, rows: int) -> None:
        """Room for so many rows in the growing block. Views of the smaller arrays stay as they are."""
        if rows <= self._room:
            return
        self._room = min(self._block_rows, max(rows, 2 * self._room, FIRST_ROWS))
        for name, column in self._growing.items():
            grown = np.empty(self._room, column.dtype)
            grown[: self._count] = column[: self._count]
            self._growing[name] = grown

    def __len__(self) -> int:
        return self._held + self._count

    def append(self, rows: NDArray[np.void]) -> None:
        """Keep these rows, and forget the oldest blocks where there is no room.

        Args:
            rows: Shape (n,), of the store's dtype, about in order of time.
        """
        done = 0
        while done < len(rows):
            self._forget(min(len(rows) - done, self._block_rows - self._count))
            taken = min(len(rows) - done, self._block_rows - self._count)
            self._write(rows[done : done + taken])
            done += taken
            if self._count == self._block_rows:
                self._close_block()

    def _write(self, rows: NDArray[np.void]) -> None:
        end = self._count + len(rows)
        self._make_room(end)
        for name in self._names:
            self._growing[name][self._count : end] = rows[name]
        if self._is_sorted:
            times = self._growing[self._time][max(0, self._count - 1) : end]
            self._is_sorted = bool((times[1:] >= times[:-1]).all())
        self._count = end

    def _close_block(self) -> None:
        block = self._view()
        self._full.append(block)
        self._held += block.count
        self._next_id += 1
        self._begin_block()

    def _forget(self, coming: int) -> None:
        while self._full and len(self) + coming > self._max_rows:
            block = self._full.popleft()
            self._held -= block.count
            self.forgotten += block.count
            self.forgotten_to_ns = max(block.to_ns, self.forgotten_to_ns or block.to_ns)

    def _view(self) -> BlockT:
        columns = {name: column[: self._count] for name, column in self._growing.items()}
        for column in columns.values():
            column.setflags(write=False)
        return self._make(self._next_id, columns, self._time, is_sorted=self._is_sorted)

    def blocks(self) -> tuple[BlockT, ...]:
        """The blocks as they are now, oldest first; none of them is empty."""
        return (*self._full, self._view()) if self._count else tuple(self._full)
