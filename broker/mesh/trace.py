"""The calls of one trace, as the bus showed them: what called what, and when."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from broker.mesh.answers import CallRecord
from broker.mesh.calls import record
from broker.mesh.timeline import Snapshot

MOST_CALLS: Final = 300


class TracedCall(NamedTuple):
    """A call of a trace.

    Attributes:
        call: The call.
        depth: Calls above it: 0 for who began.
        is_bridged: Whether what called it was local and so not seen; it stands below the call that contains it.
    """

    call: CallRecord
    depth: int
    is_bridged: bool = False


class _Row(NamedTuple):
    call: CallRecord
    span: int
    parent: int


def trace_calls(snapshot: Snapshot, trace: int, *, limit: int = MOST_CALLS) -> list[TracedCall]:
    """The ended calls of a trace, ours too, callers before what they called, each in order of begin.

    Args:
        snapshot: Where to look.
        trace: As `broker.observe.ids.id64` makes it of the request id.
        limit: How many at most; the earliest to end come first.
    """
    rows = _rows(snapshot, trace, limit)
    spans = {row.span for row in rows}
    below: dict[int, list[tuple[_Row, bool]]] = {}
    roots: list[_Row] = []
    for row in rows:
        parent, is_bridged = row.parent, False
        if parent not in spans or parent == row.span:
            around = _around(row, rows)
            if around is None:
                roots.append(row)
                continue
            parent, is_bridged = around.span, True
        below.setdefault(parent, []).append((row, is_bridged))
    found: list[TracedCall] = []
    seen: set[int] = set()

    def add(row: _Row, depth: int, *, is_bridged: bool) -> None:
        if row.span in seen:
            return
        seen.add(row.span)
        found.append(TracedCall(row.call, depth, is_bridged))
        for inner, is_inner_bridged in sorted(below.get(row.span, ()), key=lambda pair: pair[0].call.begin_ns):
            add(inner, depth + 1, is_bridged=is_inner_bridged)

    for row in sorted(roots, key=lambda row: row.call.begin_ns):
        add(row, 0, is_bridged=False)
    return found


def _rows(snapshot: Snapshot, trace: int, limit: int) -> list[_Row]:
    found: list[_Row] = []
    if not trace:
        return found
    for block in snapshot.call_blocks:
        hits = np.flatnonzero(block.column("trace") == np.uint64(trace))
        for number in hits.tolist():
            call = record(snapshot, (block.id, number))
            if call is not None and call.outcome not in ("late", "orphan", "double"):
                span, parent = (int(block.column(name)[number]) for name in ("span", "parent"))
                found.append(_Row(call, span, parent))
                if len(found) >= limit:
                    return found
    return found


def _around(row: _Row, rows: list[_Row]) -> _Row | None:
    """The shortest call that was served where this one was sent, and lasted as long."""
    holding = [
        other
        for other in rows
        if other.span != row.span
        and other.call.target == row.call.source
        and other.call.begin_ns <= row.call.begin_ns
        and other.call.end_ns >= row.call.end_ns
        and other.call.duration_ms > row.call.duration_ms
    ]
    return min(holding, key=lambda other: other.call.duration_ms, default=None)
