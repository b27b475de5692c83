"""Tuples of the hot path to columns of the journal, many at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broker.clock import SECOND
from broker.observe.buckets import NO_BUCKET, buckets_of
from broker.observe.ids import ids64
from broker.observe.journal import CALL_COLUMNS, EVENT_COLUMNS, Outcome
from broker.observe.lanes import CallRoute, EventRoute

_MOST_SIZE = 2**32 - 1


class OpenCallEntry(NamedTuple):
    """A call that waits for its answer. On the hot path it is made as a plain tuple of this shape.

    Attributes:
        begin_ns: When its request was heard.
        route: What it has in common with others.
        level: Its depth; 256 is added where it is sampled.
        request_size: Bytes of its request.
        span, trace, parent: Its ids as texts, "" for none.
        request_frame: FrameNumber of its request, 0 for none.
        deadline_ns: When it times out, 0 if it has no timeout.
    """

    begin_ns: int
    route: CallRoute
    level: int
    request_size: int
    span: str
    trace: str
    parent: str
    request_frame: int
    deadline_ns: int


SAMPLED_LEVEL = 256

Entry = tuple[int, CallRoute, int, int, str, str, str, int, int]
CallRow = tuple[int, CallRoute, int, int, str, str, str, int, int, int, int, int, int, int]
"""An Entry, and: end_ns, outcome, error, response_size, response_frame."""

EventRow = tuple[int, EventRoute, int, str, str, str, int]
"""at_ns, route, size, span, trace, parent, frame."""


def call_columns(rows: list[CallRow]) -> NDArray[np.void]:
    """Ended calls as CALL_COLUMNS, in the order given."""
    table = np.zeros(len(rows), CALL_COLUMNS)
    if not rows:
        return table
    (
        begins,
        routes,
        levels,
        sizes,
        spans,
        traces,
        parents,
        frames,
        _,
        ends,
        outcomes,
        errors,
        answer_sizes,
        answers,
    ) = zip(*rows, strict=True)
    begin_ns = np.array(begins, np.int64)
    end_ns = np.array(ends, np.int64)
    duration_s = (end_ns - begin_ns) / SECOND
    outcome = np.array(outcomes, np.uint8)
    level = np.array(levels, np.uint16)
    table["end_ns"] = end_ns
    table["duration_s"] = duration_s
    table["bucket"] = np.where(outcome <= Outcome.FAILED, buckets_of(duration_s), NO_BUCKET)
    table["outcome"] = outcome
    table["level"] = level & 0xFF
    pairs = np.array(routes, np.uint64)
    table["action"] = pairs[:, 0]
    _spread_edges(table, pairs[:, 1])
    table["flags"] |= (level >> 8) << 3  # SAMPLED
    table["error"] = errors
    table["request_size"] = np.minimum(sizes, _MOST_SIZE)
    table["response_size"] = np.minimum(answer_sizes, _MOST_SIZE)
    table["trace"] = ids64(traces)
    table["span"] = ids64(spans)
    table["parent"] = ids64(parents)
    table["request_frame"] = frames
    table["response_frame"] = answers
    return table


def event_columns(rows: list[EventRow]) -> NDArray[np.void]:
    """Events as EVENT_COLUMNS, in the order given."""
    table = np.zeros(len(rows), EVENT_COLUMNS)
    if not rows:
        return table
    moments, routes, sizes, spans, traces, parents, frames = zip(*rows, strict=True)
    triples = np.array([route[:3] for route in routes], np.uint64)
    table["at_ns"] = moments
    table["event"] = triples[:, 0]
    table["groups"] = triples[:, 2]
    _spread_edges(table, triples[:, 1])
    table["size"] = np.minimum(sizes, _MOST_SIZE)
    table["trace"] = ids64(traces)
    table["span"] = ids64(spans)
    table["parent"] = ids64(parents)
    table["frame"] = frames
    return table


def _spread_edges(table: NDArray[np.void], edges: NDArray[np.uint64]) -> None:
    """Take edges apart into flags, caller, source and target."""
    table["flags"] = edges >> np.uint64(48)
    table["caller"] = (edges >> np.uint64(32)) & np.uint64(0xFFFF)
    table["source"] = (edges >> np.uint64(16)) & np.uint64(0xFFFF)
    table["target"] = edges & np.uint64(0xFFFF)
