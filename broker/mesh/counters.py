"""Packets, bytes and undecodables by second, namespace and packet type."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from broker.clock import SECOND
from broker.mesh.blocks import Block, RowStore
from broker.mesh.span import Span
from broker.observe.journal import COUNTER_COLUMNS

MAX_COUNTERS: Final = 1_000_000
SETTLED_S: Final = 2
"""A second so far behind the newest gets no more rows as a rule, and is written to a block."""

FIELDS: Final = ("packets", "bytes", "undecodable", "ours")
KEYS: Final = ("second", "namespace", "packet_type")


class CounterBlock(Block):
    """Rows of COUNTER_COLUMNS, about in order of their second."""

    __slots__ = ()


class Counters:
    """The counters known at one moment; never changes.

    Attributes:
        blocks: Rows of seconds that are over.
        pending: Rows of COUNTER_COLUMNS of the newest seconds.
    """

    __slots__ = ("blocks", "pending")

    def __init__(self, blocks: tuple[CounterBlock, ...], pending: NDArray[np.void]) -> None:
        self.blocks = blocks
        self.pending = pending

    def columns(self, *names: str) -> tuple[NDArray[np.int64], ...]:
        """These columns of all rows, as int64. Shape (n,) each."""
        return tuple(
            np.concatenate([*(block.column(name) for block in self.blocks), self.pending[name]]).astype(np.int64)
            for name in names
        )

    def total(self, span: Span, field: str) -> dict[tuple[int, int], int]:
        """The sum of a field over the seconds that begin in a span, by (namespace, packet type) numbers."""
        seconds, namespaces, types, values = self.columns("second", "namespace", "packet_type", field)
        inside = seconds_in(seconds, span)
        codes, where = np.unique(namespaces[inside] << 16 | types[inside], return_inverse=True)
        sums = np.zeros(len(codes), np.int64)
        np.add.at(sums, where, values[inside])
        return {(int(code) >> 16, int(code) & 0xFFFF): int(value) for code, value in zip(codes, sums, strict=True)}

    def by_time(self, edges_ns: NDArray[np.int64], field: str) -> NDArray[np.int64]:
        """The sum of a field by buckets of time. Shape (len(edges_ns) - 1,). A second counts where it begins."""
        seconds, values = self.columns("second", field)
        # the session's first second began before the session did
        moments = np.maximum(seconds * SECOND, np.minimum(edges_ns[0], (seconds + 1) * SECOND - 1))
        where = np.searchsorted(edges_ns, moments, side="right") - 1
        sums = np.zeros(len(edges_ns) - 1, np.int64)
        inside = (where >= 0) & (where < len(sums))
        np.add.at(sums, where[inside], values[inside])
        return sums


def seconds_in(seconds: NDArray[np.int64], span: Span) -> NDArray[np.bool_]:
    """Which seconds belong to a span: those that it begins in, and those that begin in it. Shape as given."""
    return (seconds >= span.from_ns // SECOND) & (seconds * SECOND < span.to_ns)


class CounterWriter:
    """Takes in rows, adds up those of one second; gives Counters of them. One thread."""

    def __init__(self, max_rows: int = MAX_COUNTERS) -> None:
        self._store = RowStore(CounterBlock, COUNTER_COLUMNS, "second", max_rows)
        self._pending: dict[tuple[int, int, int], list[int]] = {}
        self._newest = 0

    def take(self, rows: NDArray[np.void]) -> None:
        """Keep rows of COUNTER_COLUMNS."""
        for row in rows.tolist():
            sums = self._pending.setdefault(row[:3], [0] * len(FIELDS))
            for index, value in enumerate(row[3:]):
                sums[index] += value
            self._newest = max(self._newest, row[0])
        self._settle()

    def _settle(self) -> None:
        until = self._newest - SETTLED_S
        over = sorted(key for key in self._pending if key[0] < until)
        if over:
            self._store.append(_rows([(*key, *self._pending.pop(key)) for key in over]))

    @property
    def held_bytes(self) -> int:
        """Bytes of its rows."""
        return len(self._store) * COUNTER_COLUMNS.itemsize

    def view(self) -> Counters:
        """The counters as they are now."""
        pending = [(*key, *sums) for key, sums in sorted(self._pending.items())]
        return Counters(self._store.blocks(), _rows(pending))


def _rows(rows: list[tuple[int, ...]]) -> NDArray[np.void]:
    return np.array(rows, COUNTER_COLUMNS) if rows else np.empty(0, COUNTER_COLUMNS)
