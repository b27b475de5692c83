"""The strip below the views: all that the timeline holds, by time."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from broker.clock import SECOND
from broker.mesh.answers import Activity
from broker.mesh.blocks import CallBlock
from broker.mesh.comings import comings
from broker.mesh.latency import gaps_in
from broker.mesh.span import Span
from broker.mesh.timeline import Snapshot
from broker.observe.journal import COUNTED_OUTCOMES, CallFlag, Outcome

WIDTHS_NS: Final = tuple(
    round(width * SECOND)
    for width in (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200)
)
"""Buckets have round widths and begin at round moments, so that they stay where they are while time goes on."""

MARKS: Final = 500
MARKED: Final = frozenset({"node", "breaker", "clock", "gap"})

Counts = NDArray[np.int64]


def activity(snapshot: Snapshot, *, buckets: int = 300) -> Activity:
    """Calls, failures and packets over everything held.

    Args:
        snapshot: Where to look.
        buckets: How many buckets of time at most; there are fewer where a round width needs fewer.
    """
    everything = snapshot.everything()
    if not snapshot.through_ns:
        nothing = np.zeros(0, np.int64)
        return Activity(Span(0, 0), nothing, nothing, nothing, [], [])
    width_ns = _width_ns(everything, max(1, buckets))
    first = everything.from_ns // width_ns
    count = -(-everything.to_ns // width_ns) - first
    span = Span(first * width_ns, (first + count) * width_ns)
    calls, failed = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for block in snapshot.call_blocks:
        begin, block_calls, block_failed = _of_block(block, width_ns)
        place = slice(begin - first, begin - first + len(block_calls))
        calls[place] += block_calls
        failed[place] += block_failed
    edges_ns = span.from_ns + width_ns * np.arange(count + 1)
    marks = [one for one in comings(snapshot, everything, MARKS, with_found=False) if one.kind in MARKED]
    return Activity(
        span, calls, failed, snapshot.counters.by_time(edges_ns, "packets"), gaps_in(snapshot, everything), marks
    )


def _width_ns(span: Span, buckets: int) -> int:
    for width_ns in WIDTHS_NS:
        if -(-span.to_ns // width_ns) - span.from_ns // width_ns <= buckets:
            return width_ns
    days = 2 * WIDTHS_NS[-1]
    return -(-(span.to_ns - span.from_ns) // (max(1, buckets - 1) * days)) * days


def _of_block(block: CallBlock, width_ns: int) -> tuple[int, Counts, Counts]:
    """The number of the first bucket that a block reaches into, and its calls and failures from there on."""
    kept: tuple[int, Counts, Counts] | None = block.memo.get(("activity", width_ns))
    if kept is None:
        first = block.from_ns // width_ns
        count = block.to_ns // width_ns - first + 1
        where = _buckets(block, first, count, width_ns)
        outcome = block.column("outcome")
        counted = (outcome < COUNTED_OUTCOMES) & (block.column("flags") & np.uint16(CallFlag.OURS) == 0)
        kept = first, np.bincount(where[counted], minlength=count), _failures(where, outcome, counted, count)
        block.memo.clear()
        block.memo["activity", width_ns] = kept
    return kept


def _failures(where: NDArray[np.intp], outcome: NDArray[np.uint8], counted: NDArray[np.bool_], count: int) -> Counts:
    return np.bincount(where[counted & (outcome != Outcome.OK)], minlength=count)


def _buckets(block: CallBlock, first: int, count: int, width_ns: int) -> NDArray[np.intp]:
    edges_ns = (first + np.arange(1, count)) * width_ns
    if block.is_sorted:
        ends = np.searchsorted(block.times, edges_ns, side="left")
        return np.repeat(np.arange(count), np.diff([0, *ends.tolist(), block.count]))
    return np.searchsorted(edges_ns, block.times, side="right")
