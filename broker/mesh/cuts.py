"""The rows that a question is about: those of a span that pass a filter, block by block."""
# ruff: noqa: A002 - `filter` is the word of the views

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from broker.mesh.blocks import Block, CallBlock
from broker.mesh.filter import EMPTY, Filter
from broker.mesh.select import subject_mask
from broker.mesh.span import Span
from broker.mesh.subject import Subject
from broker.mesh.timeline import Snapshot
from broker.observe.journal import CallFlag

Rows = slice | NDArray[np.intp]
Mask = NDArray[np.bool_]
OURS = np.uint16(CallFlag.OURS)  # the same bit in EventFlag


@dataclass(frozen=True, slots=True)
class Cut:
    """Some rows of a block, rising."""

    block: Block
    rows: Rows

    def column(self, name: str) -> NDArray[Any]:
        """One column of these rows. Shape (count,)."""
        return self.block.column(name)[self.rows]

    @property
    def times(self) -> NDArray[np.int64]:
        """When they were: of calls, when they ended."""
        return self.block.times[self.rows]

    @property
    def count(self) -> int:
        """How many rows."""
        return self.rows.stop - self.rows.start if isinstance(self.rows, slice) else len(self.rows)

    def numbers(self) -> NDArray[np.intp]:
        """Their rows' numbers in the block."""
        return np.arange(self.rows.start, self.rows.stop) if isinstance(self.rows, slice) else self.rows

    def where(self, mask: Mask) -> Cut:
        """Those of them for which this is true. The mask is of the cut, not of the block."""
        return self if mask.all() else Cut(self.block, self.numbers()[mask])


def call_cuts(
    snapshot: Snapshot,
    span: Span,
    filter: Filter = EMPTY,
    *,
    subject: Subject | None = None,
    side: Literal["target", "either"] = "target",
    show_ours: bool = False,
) -> Iterator[Cut]:
    """The calls that ended in a span and pass a filter, oldest block first; no cut is empty.

    Args:
        snapshot: Where to look.
        span: When they ended.
        filter: What they have to pass.
        subject: Only calls that belong to it.
        side: Whether a node has only the calls that it received, or those that it sent too.
        show_ours: Whether calls made by this program count.
    """
    for block in snapshot.call_blocks:
        cut = cut_of(snapshot, block, span, filter, subject=subject, side=side, show_ours=show_ours)
        if cut is not None:
            yield cut


def cut_of(
    snapshot: Snapshot,
    block: CallBlock,
    span: Span,
    filter: Filter = EMPTY,
    *,
    subject: Subject | None = None,
    side: Literal["target", "either"] = "target",
    show_ours: bool = False,
) -> Cut | None:
    """The calls of one block, as ``call_cuts`` has them; None where there are none."""
    if not block.meets(span):
        return None
    mask = _both(filter.mask(snapshot, block), subject_mask(snapshot, block, subject, side))
    return _cut(block, span, mask, show_ours)


def event_cuts(
    snapshot: Snapshot,
    span: Span,
    filter: Filter = EMPTY,
    *,
    show_ours: bool = False,
) -> Iterator[Cut]:
    """The event packets of a span that pass a filter, oldest block first; no cut is empty."""
    for block in snapshot.event_blocks:
        cut = _cut(block, span, filter.mask(snapshot, block), show_ours) if block.meets(span) else None
        if cut is not None:
            yield cut


def _both(one: Mask | None, other: Mask | None) -> Mask | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other


def _cut(block: Block, span: Span, mask: Mask | None, show_ours: bool) -> Cut | None:
    ours = block.column("flags") & OURS
    if not show_ours and ours.any():
        mask = _both(mask, ours == 0)
    rows = block.rows_in(span)
    if mask is not None:
        rows = np.flatnonzero(mask[rows]) + rows.start if isinstance(rows, slice) else rows[mask[rows]]
    cut = Cut(block, rows)
    return cut if cut.count else None


def time_edges_ns(span: Span, buckets: int) -> NDArray[np.int64]:
    """The edges of equal buckets of a span, in ns since the epoch. Shape (buckets + 1,), rising."""
    length = max(0, span.to_ns - span.from_ns)
    return np.array([span.from_ns + length * index // buckets for index in range(buckets + 1)], np.int64)


def time_buckets(cut: Cut, edges_ns: NDArray[np.int64]) -> NDArray[np.intp]:
    """The bucket of time that each row lies in; rows outside the edges get the nearest. Shape (count,)."""
    if cut.block.is_sorted:
        firsts = np.searchsorted(cut.times, edges_ns[1:-1], side="left")
        return np.repeat(np.arange(len(edges_ns) - 1), np.diff([0, *firsts, cut.count]))
    return np.searchsorted(edges_ns[1:-1], cut.times, side="right")
