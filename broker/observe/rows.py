"""Tuples of the hot path to columns of the journal, many at once."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from broker.clock import SECOND
from broker.native import compiled
from broker.observe.buckets import NO_BUCKET, buckets_of
from broker.observe.ids import id64, ids64
from broker.observe.journal import CALL_COLUMNS, EVENT_COLUMNS, Outcome
from broker.observe.routes import CALL_ROUTE, EVENT_ROUTE, namespace_of

BEGIN: Final = 0
"""Of an Entry: when its request was heard."""
ROUTE: Final = 1
"""Of an Entry: who calls what where; see routes.py."""
SIZE: Final = 2
"""Of an Entry: bytes of its request."""
SPAN: Final = 3
"""Of an Entry: the request's id."""
TRACE: Final = 4
"""Of an Entry: requestID as it came, whatever it is."""
PARENT: Final = 5
"""Of an Entry: parentID as it came, whatever it is."""
FRAME: Final = 6
"""Of an Entry: FrameNumber of its request, 0 for none."""
DEADLINE: Final = 7
"""Of an Entry: when it times out, 0 if it has no timeout."""

END: Final = 8
"""Of a CallRow: when it ended."""
ENDING: Final = 9
"""Of a CallRow: see ``ending_of``."""
ANSWER_SIZE: Final = 10
"""Of a CallRow: bytes of its answer, 0 if there was none."""

Entry = tuple[int, bytes, int, str, Any, Any, int, int]
"""A call that waits for its answer. A plain tuple: a million of them are made."""

CallRow = tuple[int, bytes, int, str, Any, Any, int, int, int, int, int, int]
"""An Entry, and: when it ended, its ending (see ``ending_of``), bytes and frame of its answer."""

EventRow = tuple[int, bytes, int, Any, Any, Any, int]
"""When, route, bytes, id, requestID, parentID, frame."""

_MOST_SIZE: Final = 2**32 - 1

UNANSWERED: Final = (int(Outcome.TIMED_OUT), int(Outcome.NO_ANSWER))
"""Outcomes of rows that count no answer, unless one was begun."""

SPREAD: Final = 0x9E3779B97F4A7C15
_MASK: Final = 2**64 - 1


def identity(namespace: int, call_id: str) -> int:
    """Namespace and id of a call, in 64 bits."""
    return id64(call_id) ^ (namespace * SPREAD & _MASK)


def ending_of(outcome: int, error: int) -> int:
    """How a call ended, as one number: 0 is OK without an error."""
    return outcome | error << 8


def text_of(value: object) -> str:
    """An id as it came over the wire, as text; "" for what is none."""
    return value if isinstance(value, str) else ""


class Rows(list[CallRow]):
    """Calls that ended, and are no columns yet, about in order of end."""

    def answers(self, first: int) -> list[tuple[int, int, int, bytes]]:
        """Of the rows from a number on, those that were answered: identity, end, outcome and route of each."""
        return [
            (identity(namespace_of(row[ROUTE]), row[SPAN]), row[END], row[ENDING] & 0xFF, row[ROUTE])
            for row in self[first:]
            if row[ANSWER_SIZE] or row[ENDING] & 0xFF not in UNANSWERED
        ]


CallRows: TypeAlias = "Rows | compiled.Rows"


def call_rows(*, is_compiled: bool) -> CallRows:
    """None yet."""
    return compiled.Rows(id64) if is_compiled else Rows()


def take_columns(rows: CallRows) -> tuple[NDArray[np.void], bytes]:
    """The rows, at least one, as CALL_COLUMNS in order; and their routes, joined. There are none any more then."""
    if isinstance(rows, list):
        columns = call_columns(rows)
        rows.clear()
        return columns
    octets, routes, durations_s = rows.take()
    table = np.frombuffer(octets, CALL_COLUMNS)
    table["bucket"] = _buckets(table["outcome"], np.frombuffer(durations_s, np.float64))
    return table, routes


def _buckets(outcome: NDArray[np.integer[Any]], duration_s: NDArray[np.float64]) -> NDArray[np.int16]:
    """Log buckets of durations, of those that count."""
    return np.where(outcome <= Outcome.FAILED, buckets_of(duration_s), np.int16(NO_BUCKET))


def call_columns(rows: list[CallRow]) -> tuple[NDArray[np.void], bytes]:
    """Ended calls, at least one, as CALL_COLUMNS in the order given; and their routes, joined."""
    table = np.empty(len(rows), CALL_COLUMNS)
    begins, routes, sizes, spans, traces, parents, frames, _, ends, endings, answer_sizes, answers = zip(
        *rows, strict=True
    )
    end_ns = np.frombuffer(array("q", ends), np.int64)
    duration_s = (end_ns - np.frombuffer(array("q", begins), np.int64)) / SECOND
    ending = np.frombuffer(array("I", endings), np.uint32)
    outcome = ending & 0xFF
    table["end_ns"] = end_ns
    table["duration_s"] = duration_s
    table["bucket"] = _buckets(outcome, duration_s)
    table["outcome"] = outcome
    table["error"] = ending >> 8
    joined = b"".join(routes)
    spread = np.frombuffer(joined, CALL_ROUTE)
    for name in ("action", "caller", "source", "target", "flags", "level"):
        table[name] = spread[name]
    table["request_size"] = _sizes(sizes)
    table["response_size"] = _sizes(answer_sizes)
    table["span"] = ids64(spans)
    table["trace"] = table["span"] if traces == spans else _ids(traces)  # a call that nobody's call caused
    table["parent"] = _ids(parents)
    table["request_frame"] = _frames(frames)
    table["response_frame"] = _frames(answers)
    return table, joined


def event_columns(rows: list[EventRow]) -> NDArray[np.void]:
    """Events as EVENT_COLUMNS, in the order given."""
    table = np.zeros(len(rows), EVENT_COLUMNS)
    if not rows:
        return table
    moments, routes, sizes, spans, traces, parents, frames = zip(*rows, strict=True)
    table["at_ns"] = moments
    spread = np.frombuffer(b"".join(routes), EVENT_ROUTE)
    for name in ("event", "caller", "source", "target", "flags", "groups"):
        table[name] = spread[name]
    table["size"] = _sizes(sizes)
    table["span"] = _ids(spans)
    table["trace"] = _ids(traces)
    table["parent"] = _ids(parents)
    table["frame"] = _frames(frames)
    return table


def _sizes(sizes: Sequence[int]) -> NDArray[np.uint32]:
    """Sizes in 32 bits; what is larger is the largest there is."""
    try:
        return np.frombuffer(array("I", sizes), np.uint32)
    except OverflowError:
        return np.minimum(sizes, _MOST_SIZE).astype(np.uint32)


def _frames(numbers: Sequence[int]) -> NDArray[np.uint64] | int:
    """Frame numbers in 64 bits; just 0 where there is no capture."""
    return np.frombuffer(array("Q", numbers), np.uint64) if any(numbers) else 0


def _ids(values: Sequence[Any]) -> NDArray[np.uint64]:
    """Ids as they came over the wire; 0 for what is no text."""
    if not any(values):
        return np.zeros(len(values), np.uint64)
    try:
        return ids64(values)
    except TypeError:
        return ids64([text_of(value) for value in values])
