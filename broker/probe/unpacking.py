"""Blocks of a kept journal, unpacked by who gets them: they cross the pipe at a third of their size."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from broker.capture.journal import UnusableJournalError
from broker.capture.journal.file import PackedBlock
from broker.capture.masking import Masking
from broker.observe.journal import Batch, NameKind
from broker.probe.masked import mask_changes
from broker.probe.pipe import PipeError

AHEAD: Final = 3
"""Blocks that may be in the making."""


class Unpacking:
    """Unpacks blocks in threads, which lets the interpreter go, and hands over their batches in order.

    Attributes:
        namespaces: Those of the blocks so far.
    """

    def __init__(self, masking: Masking, deliver: Callable[[Batch], None]) -> None:
        """
        Args:
            masking: What of settings and metadata is shown.
            deliver: Given the batches, in the thread that calls `take` and `finish`.
        """
        self.namespaces: tuple[str, ...] = ()
        self._masking = masking
        self._deliver = deliver
        self._pool: ThreadPoolExecutor | None = None
        self._coming: deque[Future[Batch]] = deque()

    def take(self, block: PackedBlock) -> None:
        """Take in the next block.

        Raises:
            PipeError: One before it is damaged.
        """
        if self._pool is None:
            self._pool = ThreadPoolExecutor(min(AHEAD, os.cpu_count() or 1), "unpacking")
        self._coming.append(self._pool.submit(self._batch, block))
        while len(self._coming) > AHEAD:
            self._next()

    def finish(self) -> None:
        """Hand over all that was taken in.

        Raises:
            PipeError: Some of it is damaged.
        """
        while self._coming:
            self._next()
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    def _batch(self, block: PackedBlock) -> Batch:
        batch = block.batch()
        mask_changes(batch, self._masking)
        return batch

    def _next(self) -> None:
        try:
            batch = self._coming.popleft().result()
        except UnusableJournalError as error:
            raise PipeError(f"the journal was damaged while it was read: {error}") from error
        self.namespaces += tuple(name.text for name in batch.names if name.kind == NameKind.NAMESPACE)
        self._deliver(batch)
