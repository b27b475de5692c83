"""The load that nodes tell in their heartbeats, by time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np

from broker.mesh.blocks import Block, RowStore
from broker.mesh.span import Span
from broker.observe.journal import StateChange

MAX_LOADS: Final = 1_000_000
LOAD_COLUMNS: Final = np.dtype([("at_ns", np.int64), ("node", np.uint32), ("cpu", np.float32)])


class LoadBlock(Block):
    """Rows of LOAD_COLUMNS."""

    __slots__ = ()


class Loads:
    """The loads known at one moment; never changes.

    Attributes:
        blocks: Their rows; ``node`` is an index of ``nodes``.
        nodes: (namespace, node id) of each.
    """

    __slots__ = ("blocks", "nodes")

    def __init__(self, blocks: tuple[LoadBlock, ...], nodes: tuple[tuple[str, str], ...]) -> None:
        self.blocks = blocks
        self.nodes = nodes

    def last(self, span: Span) -> dict[tuple[str, str], float]:
        """The newest CPU percent of each node in a span, by (namespace, node id)."""
        newest = np.full(len(self.nodes), np.nan)
        for block in self.blocks:
            if block.meets(span):
                rows = block.rows_in(span)
                newest[block.column("node")[rows]] = block.column("cpu")[rows]  # the last one written stays
        return {self.nodes[index]: float(newest[index]) for index in np.flatnonzero(~np.isnan(newest))}


class LoadWriter:
    """Takes in ``load`` changes; gives Loads of them. One thread."""

    def __init__(self, max_rows: int = MAX_LOADS) -> None:
        self._store = RowStore(LoadBlock, LOAD_COLUMNS, "at_ns", max_rows)
        self._indices: dict[tuple[str, str], int] = {}

    def take(self, changes: Iterable[StateChange]) -> None:
        """Keep the CPU of these changes; those without one are passed over."""
        rows = []
        for change in changes:
            cpu = _percent((change.value or {}).get("cpu"))
            if cpu is not None:
                index = self._indices.setdefault((change.namespace, change.key), len(self._indices))
                rows.append((change.at_ns, index, cpu))
        if rows:
            self._store.append(np.array(rows, LOAD_COLUMNS))

    @property
    def held_bytes(self) -> int:
        """Bytes of its rows."""
        return len(self._store) * LOAD_COLUMNS.itemsize

    def view(self) -> Loads:
        """The loads as they are now."""
        return Loads(self._store.blocks(), tuple(self._indices))


def _percent(value: Any) -> float | None:
    """A CPU as nodes tell it; None for what is no number."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
