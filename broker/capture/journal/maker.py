"""Makes the journal of a capture while the capture is being read."""

from __future__ import annotations

import contextlib
import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import BinaryIO, Final

from broker.capture.journal import UnusableJournalError
from broker.capture.journal.block import encode, parts
from broker.capture.journal.check import JournalCheck
from broker.capture.journal.file import JournalIndex, JournalWriter
from broker.capture.reader import CaptureReader
from broker.observe.journal import Batch

log = logging.getLogger(__name__)

BLOCK_ROWS: Final = 32_768
"""Few enough that what is being unpacked stays in the processor's cache."""

BLOCK_CHANGES: Final = 2_000
BLOCK_BATCHES: Final = 1_000
BEHIND: Final = 3
"""Blocks that may wait to be packed; beyond, whoever reads waits."""


class JournalMaker:
    """Gathers batches into blocks, and packs those in a thread of its own. A failure costs the journal only.

    Nothing is opened before there is a first block.

    Attributes:
        stream: What the journal was written to; None before that.
    """

    def __init__(self, open_stream: Callable[[], BinaryIO]) -> None:
        """
        Args:
            open_stream: Gives an empty stream; called at most once, in the maker's thread.
        """
        self.stream: BinaryIO | None = None
        self._open_stream = open_stream
        self._writer: JournalWriter | None = None
        self._check = JournalCheck(1 << 62)
        self._batches: list[Batch] = []
        self._rows = 0
        self._changes = 0
        self._pool = ThreadPoolExecutor(1, "journal maker")
        self._packing: deque[Future[None]] = deque()
        self._has_failed = False

    def take(self, batch: Batch) -> None:
        """Take in the next batch. Its lists may be changed afterwards."""
        if self._has_failed:
            return
        self._batches.append(replace(batch, names=[*batch.names], waiting=[*batch.waiting], changes=[*batch.changes]))
        self._rows += len(batch.calls) + len(batch.events)
        self._changes += len(batch.changes) + len(batch.waiting)
        if self._rows >= BLOCK_ROWS or self._changes >= BLOCK_CHANGES or len(self._batches) >= BLOCK_BATCHES:
            self._pack()

    def finish(self, reader: CaptureReader, masking: str, file: tuple[int, int] | None) -> bool:
        """All of the capture has been read: complete the journal.

        Args:
            reader: What read it.
            masking: The rule by which settings were masked.
            file: Size and time of change of the capture; None where the journal will lie in it.

        Returns:
            Whether `stream` is a whole journal now.
        """
        if self._batches:
            self._pack()
        while self._packing:
            self._settle()
        if self._has_failed or self._writer is None or reader.has_loose_frames:
            return False
        index = JournalIndex(
            frames=reader.frames,
            last_ns=reader.last_ns,
            stopped=reader.stopped,
            stopped_at=reader.stopped_at,
            unreadable=reader.unreadable,
            places=reader.chunks.places.tobytes(),
            digest=reader.chunks.digest(),
            channels=reader.channels,
            masking=masking,
            file=file,
        )
        try:
            self._writer.finish(index)
        except OSError as error:
            self._fail(error)
        return not self._has_failed

    def close(self) -> None:
        """End the thread and close the stream."""
        self._pool.shutdown(cancel_futures=True)
        if self.stream is not None:
            with contextlib.suppress(OSError):
                self.stream.close()

    def _pack(self) -> None:
        batches, self._batches, self._rows, self._changes = self._batches, [], 0, 0
        self._packing.append(self._pool.submit(self._write, batches))
        if len(self._packing) > BEHIND:
            self._settle()

    def _settle(self) -> None:
        try:
            self._packing.popleft().result()
        except (OSError, ValueError, TypeError, OverflowError, UnusableJournalError) as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        if not self._has_failed:
            log.warning("the journal cannot be kept: %s", error)
        self._has_failed = True

    def _write(self, batches: list[Batch]) -> None:
        """In the maker's thread."""
        if self._writer is None:
            self.stream = self._open_stream()
            self._writer = JournalWriter(self.stream)
        block = encode(batches)
        self._check.take(parts(block))  # what would not be taken back is not kept
        self._writer.write(block)
