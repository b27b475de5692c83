"""What waits to go through the pipe. The probe never waits for the window; beyond a bound, rows are dropped."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, Protocol

import numpy as np

from broker.observe.journal import CALL_COLUMNS, EVENT_COLUMNS, Batch
from broker.probe.pipe import batch_messages, pack

log = logging.getLogger(__name__)

MAX_UNSENT_BYTES: Final = 64 * 1024 * 1024
MAX_HELD_CHANGES: Final = 100_000


class Stream(Protocol):
    """Where bytes go; a raw file."""

    def write(self, data: bytes, /) -> int | None:
        """Write some; how many."""
        ...


class Outbox:
    """Sends messages through a stream that may be slow, from a thread of its own.

    Attributes:
        rows_dropped: Rows of calls and events that were not sent.
    """

    def __init__(self, stream: Stream, on_lost: Callable[[], None], max_unsent_bytes: int = MAX_UNSENT_BYTES) -> None:
        """
        Args:
            stream: Where to.
            on_lost: Told, in the thread, when the stream takes no more.
            max_unsent_bytes: Beyond, batches are kept back and lose their rows.
        """
        self.rows_dropped = 0
        self._stream = stream
        self._on_lost = on_lost
        self._max_unsent_bytes = max_unsent_bytes
        self._unsent_bytes = 0
        self._held: Batch | None = None
        self._lock = threading.Lock()
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="pipe out", daemon=True)
        self._thread.start()

    @property
    def unsent_bytes(self) -> int:
        """Bytes that wait."""
        return self._unsent_bytes

    @property
    def has_room(self) -> bool:
        """Whether less than half of what may wait does."""
        return self._unsent_bytes < self._max_unsent_bytes // 2

    def send(self, kind: str, body: Any) -> None:
        """Send a message, later."""
        self._put(pack(kind, body))

    def send_batch(self, batch: Batch, status: dict[str, Any] | None = None) -> None:
        """Send a batch, later; without its rows, and together with the next, while too much waits."""
        if self._unsent_bytes > self._max_unsent_bytes:
            self.rows_dropped += len(batch.calls) + len(batch.events)
            self._held = without_rows(self._held, batch)
            return
        if self._held is not None:
            batch, self._held = after_held(self._held, batch), None
        batch.tally = replace(batch.tally, rows_dropped=batch.tally.rows_dropped + self.rows_dropped)
        self._put(b"".join(pack(*message) for message in batch_messages(batch, status)))

    def close(self, timeout_s: float = 2.0) -> None:
        """Send what waits, for at most so long."""
        self._queue.put(None)
        self._thread.join(timeout_s)

    def _put(self, data: bytes) -> None:
        with self._lock:
            self._unsent_bytes += len(data)
        self._queue.put(data)

    def _work(self) -> None:
        while (data := self._queue.get()) is not None:
            try:
                view = memoryview(data)
                while view:
                    view = view[self._stream.write(view) or 0 :]  # type: ignore[arg-type]
            except (OSError, ValueError):
                self._on_lost()
                return
            with self._lock:
                self._unsent_bytes -= len(data)


def without_rows(held: Batch | None, batch: Batch) -> Batch:
    """A batch that says what two say, but for their rows of calls and events."""
    merged = after_held(held, batch) if held is not None else batch
    merged.calls, merged.events = np.empty(0, CALL_COLUMNS), np.empty(0, EVENT_COLUMNS)
    del merged.changes[:-MAX_HELD_CHANGES], merged.waiting[:-MAX_HELD_CHANGES]
    return merged


def after_held(held: Batch, batch: Batch) -> Batch:
    """A batch, with what was kept back before it in front."""
    return Batch(
        through_ns=batch.through_ns,
        names=held.names + batch.names,
        calls=batch.calls,
        events=batch.events,
        counters=np.concatenate([held.counters, batch.counters]),
        waiting=held.waiting + batch.waiting,
        changes=held.changes + batch.changes,
        tally=batch.tally,
    )
