"""The Timeline: everything known, in immutable blocks of columns and in intervals, bounded in memory.

One thread takes batches in; any thread takes snapshots. After each batch the
whole state is published as one Snapshot, so a question never sees half of a
batch, and the lock is held for one assignment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import Final

import numpy as np

from broker.clock import SECOND
from broker.mesh.blocks import CallBlock, EventBlock, RowStore
from broker.mesh.counters import Counters, CounterWriter
from broker.mesh.directory import Directory, DirectoryShelf
from broker.mesh.loads import Loads, LoadWriter
from broker.mesh.names import NameBook, Names
from broker.mesh.seen import Seen, SeenWriter
from broker.mesh.span import Span
from broker.mesh.state import StateBook, StateWriter
from broker.observe.journal import CALL_COLUMNS, EVENT_COLUMNS, NO_NAME, Batch, NameKind, OpenCall, Tally

MAX_CALLS: Final = 5_000_000
MAX_EVENTS: Final = 1_000_000
MAX_WAITING: Final = 100_000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything known at one moment; never changes, may be read by any thread.

    Attributes:
        revision: Of the timeline it was taken of.
        begin_ns: From when on calls are held, in ns since the epoch; rises as old ones are forgotten.
        through_ns: All up to here has been observed: *now*.
        tally: Totals of the session.
        names: All names heard.
        call_blocks: Ended calls, oldest first.
        event_blocks: Event packets, oldest first.
        counters: Packets by second.
        loads: CPU of nodes.
        state: What was so, and when.
        seen: First and last rows of each name.
        waiting: Calls open for more than a second, by when they began.
        forgotten_calls: Rows of calls dropped because memory is bounded.
        held_bytes: Bytes of all rows held, about.
    """

    revision: int
    begin_ns: int
    through_ns: int
    tally: Tally
    names: Names
    call_blocks: tuple[CallBlock, ...]
    event_blocks: tuple[EventBlock, ...]
    counters: Counters
    loads: Loads
    state: StateBook
    seen: Seen
    waiting: tuple[OpenCall, ...]
    forgotten_calls: int
    held_bytes: int
    _shelf: DirectoryShelf

    def everything(self) -> Span:
        """The span of all that is held."""
        return Span(self.begin_ns, self.through_ns + 1)

    @property
    def call_count(self) -> int:
        """Rows of calls held, with those that count no call."""
        return sum(block.count for block in self.call_blocks)

    @property
    def directory(self) -> Directory:
        """Which service each action belongs to, as far as is known by now."""
        return self._shelf.directory(self.names, self.state)

    def namespaces(self) -> list[str]:
        """All namespaces heard of, sorted; the empty one is ""."""
        known = set(self.names.texts(NameKind.NAMESPACE)[1:-1])
        if self.names.knows(NameKind.NAMESPACE, NO_NAME, ""):
            known.add("")
        for kind in (NameKind.NODE, NameKind.ACTION, NameKind.EVENT):
            known.update(self.names.namespace_texts_of(kind)[1:-1])
        known.update(namespace for namespace, _ in self.state.of_kind("node"))
        return sorted(known)


class Timeline:
    """What was observed, at most so many rows of it.

    Args:
        max_calls: Rows of calls kept; the oldest 65,536 go when there are more.
        max_events: Rows of event packets kept.
        max_waiting: Open calls kept; more are not shown as waiting.
    """

    def __init__(
        self, *, max_calls: int = MAX_CALLS, max_events: int = MAX_EVENTS, max_waiting: int = MAX_WAITING
    ) -> None:
        self._names = NameBook()
        self._calls = RowStore(CallBlock, CALL_COLUMNS, "end_ns", max_calls)
        self._events = RowStore(EventBlock, EVENT_COLUMNS, "at_ns", max_events)
        self._counters = CounterWriter()
        self._loads = LoadWriter()
        self._state = StateWriter()
        self._seen = SeenWriter()
        self._waiting: dict[int, OpenCall] = {}
        self._max_waiting = max_waiting
        self._shelf = DirectoryShelf()
        self._begin_ns: int | None = None
        self._lock = Lock()
        self._published = self._snapshot(Batch(), 0)

    def take(self, batch: Batch) -> None:
        """Take in what was observed. Any one thread at a time."""
        self._names.add(batch.names)
        self._note_begin(batch)
        self._calls.append(batch.calls)
        self._events.append(batch.events)
        self._seen.take_calls(batch.calls)
        self._seen.take_events(batch.events)
        self._counters.take(batch.counters)
        self._loads.take(change for change in batch.changes if change.kind == "load")
        self._state.take(change for change in batch.changes if change.kind != "load")
        self._wait(batch.waiting)
        self._forget()
        snapshot = self._snapshot(batch, self._published.revision + 1)
        with self._lock:
            self._published = snapshot

    @property
    def revision(self) -> int:
        """Raised by each batch."""
        return self._published.revision

    def snapshot(self) -> Snapshot:
        """What is known now. Cheap; any thread."""
        with self._lock:
            return self._published

    def _note_begin(self, batch: Batch) -> None:
        moments = [change.at_ns for change in batch.changes]
        if len(batch.calls):
            # a call that ends in the first batch may have begun before all else that it tells
            lasted_ns = (batch.calls["duration_s"].astype(np.float64) * SECOND).astype(np.int64)
            moments.append(int((batch.calls["end_ns"] - lasted_ns).min()))
        if len(batch.events):
            moments.append(int(batch.events["at_ns"].min()))
        moments += [call.begin_ns for call in batch.waiting]
        if self._begin_ns is not None:
            moments.append(self._begin_ns)
        elif batch.through_ns:
            moments.append(batch.through_ns)
        if moments and self._calls.forgotten_to_ns is None:
            self._begin_ns = min(moments)

    def _wait(self, calls: Sequence[OpenCall]) -> None:
        for call in calls:
            if call.end_ns:
                self._waiting.pop(call.span, None)
            elif len(self._waiting) < self._max_waiting or call.span in self._waiting:
                self._waiting[call.span] = call

    def _forget(self) -> None:
        cut_ns = self._calls.forgotten_to_ns
        if cut_ns is not None and self._begin_ns is not None and cut_ns >= self._begin_ns:
            self._begin_ns = cut_ns + 1
            self._state.forget(self._begin_ns)

    def _snapshot(self, batch: Batch, revision: int) -> Snapshot:
        return Snapshot(
            revision=revision,
            begin_ns=self._begin_ns if self._begin_ns is not None else batch.through_ns,
            through_ns=max(batch.through_ns, self._published.through_ns) if revision else batch.through_ns,
            tally=replace(batch.tally, undecodable_reasons=dict(batch.tally.undecodable_reasons)),
            names=self._names.view(),
            call_blocks=self._calls.blocks(),
            event_blocks=self._events.blocks(),
            counters=self._counters.view(),
            loads=self._loads.view(),
            state=self._state.book(),
            seen=self._seen.view(),
            waiting=tuple(self._waiting.values()),
            forgotten_calls=self._calls.forgotten,
            held_bytes=self._held_bytes(),
            _shelf=self._shelf,
        )

    def _held_bytes(self) -> int:
        rows = len(self._calls) * CALL_COLUMNS.itemsize + len(self._events) * EVENT_COLUMNS.itemsize
        return rows + self._counters.held_bytes + self._loads.held_bytes
