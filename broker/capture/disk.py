"""The writer's thread: seals chunks and puts them on disk, whatever the disk says."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import Final

import zstandard

from broker.capture.chunk import BUSY_NS, BUSY_ZSTD_LEVEL, ZSTD_LEVEL, Mask, OpenChunk, seal
from broker.capture.segment import Segment
from broker.capture.spool import Spool

log = logging.getLogger(__name__)

PENDING_BYTES: Final = 64 * 1024 * 1024
"""Messages waiting for the disk; a chunk that comes when there are more is lost."""


class Disk:
    """Takes full chunks and never makes anybody wait.

    Attributes:
        trouble: Why chunks are being lost; empty while they are not.
        open_bytes: Bytes of the segment being written.
        written_bytes: Bytes written in all.
        lost_frames: Frames lost in all.
    """

    def __init__(
        self, spool: Spool, first: Segment | None, mask: Mask | None, on_trouble: Callable[[str], None] | None
    ) -> None:
        """Begin.

        Args:
            spool: Gives files.
            first: The file of segment 1, when it has been begun already.
            mask: Applied to every chunk before it is compressed.
            on_trouble: Told once when writing fails, and with "" when it works again; in the disk's thread.
        """
        self.trouble = ""
        self.open_bytes = 0
        self.written_bytes = 0
        self.lost_frames = 0
        self._spool = spool
        self._file = first
        self._segment = 1 if first is not None else 0
        self._mask = mask
        self._on_trouble = on_trouble
        self._pending: dict[tuple[int, int], OpenChunk] = {}
        self._pending_bytes = 0
        self._unreported = 0
        self._lock = threading.Condition()
        self._jobs: queue.SimpleQueue[OpenChunk | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="capture disk", daemon=True)
        self._thread.start()

    def put(self, chunk: OpenChunk) -> None:
        """Write a chunk, later. Lost when too much is waiting already."""
        with self._lock:
            if self._pending_bytes > PENDING_BYTES:
                self._count_lost(chunk)
                chunk.raw, chunk.offsets = bytearray(), bytearray()  # its place in the order stays, as a lost one
            self._pending[chunk.segment, chunk.ordinal] = chunk
            self._pending_bytes += len(chunk.raw)
        self._jobs.put(chunk)

    def pending(self, segment: int, ordinal: int) -> OpenChunk | None:
        """A chunk that is not on disk yet."""
        with self._lock:
            return self._pending.get((segment, ordinal))

    def waiting_chunks(self) -> list[OpenChunk]:
        """Those that are not on disk yet, the oldest first."""
        with self._lock:
            return list(self._pending.values())

    @property
    def waiting(self) -> int:
        """Chunks that are not on disk yet."""
        return len(self._pending)

    def catch_up(self, most: int) -> None:
        """Wait until no more than so many chunks wait."""
        with self._lock:
            self._lock.wait_for(lambda: len(self._pending) <= most)

    def take_unreported(self) -> int:
        """Frames lost since this was last asked."""
        with self._lock:
            lost, self._unreported = self._unreported, 0
        return lost

    def close(self) -> None:
        """Write what waits, close the file, end the thread."""
        self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        calm = zstandard.ZstdCompressor(level=ZSTD_LEVEL)
        busy = zstandard.ZstdCompressor(level=BUSY_ZSTD_LEVEL) if self._spool.is_brief else calm
        while (chunk := self._jobs.get()) is not None:
            try:
                self._write(chunk, busy if chunk.end_ns - chunk.begin_ns < BUSY_NS else calm)
                self._tell("")
            except OSError as error:
                self._lose(chunk, f"Frames are not being kept: {error}. Listening goes on; bodies cannot be shown.")
            except Exception:
                log.exception("a chunk of %d frames could not be sealed", chunk.count)
                self._lose(chunk, "Frames are not being kept: an error of this program; its log says more.")
            with self._lock:
                self._pending.pop((chunk.segment, chunk.ordinal), None)
                self._pending_bytes -= len(chunk.raw)
                self._lock.notify_all()
        self._finish_segment()

    def _write(self, chunk: OpenChunk, compressor: zstandard.ZstdCompressor) -> None:
        if chunk.segment != self._segment or self._file is None:
            self._next_segment(chunk.segment)
        file = self._file
        assert file is not None  # noqa: S101  _next_segment gives one or raises
        file.add_channels(chunk.new_channels)
        while len(file.places) < chunk.ordinal:
            file.skip()
        if not chunk.offsets:
            return
        sealed = seal(chunk, self._mask, compressor)
        before = file.size
        try:
            file.append(sealed)
        except OSError:
            if not self._spool.make_room():
                raise
            file.append(sealed)
        self.written_bytes += file.size - before
        self.open_bytes = file.size

    def _next_segment(self, segment: int) -> None:
        self._finish_segment()
        self._segment = segment
        try:
            self._file = self._spool.begin(segment)
        except OSError:
            if not self._spool.make_room():
                raise
            self._file = self._spool.begin(segment)

    def _finish_segment(self) -> None:
        file, self._file = self._file, None
        if file is None:
            return
        try:
            file.close()
        except OSError as error:
            log.warning("%s stays without its index: %s", file.path.name, error)
        self.open_bytes = 0
        self._spool.finished(self._segment, file)

    def _lose(self, chunk: OpenChunk, message: str) -> None:
        with self._lock:
            self._count_lost(chunk)
        self._tell(message)

    def _count_lost(self, chunk: OpenChunk) -> None:
        lost = chunk.count - chunk.notes
        self.lost_frames += lost
        self._unreported += lost + chunk.told_lost

    def _tell(self, trouble: str) -> None:
        if bool(trouble) != bool(self.trouble) and self._on_trouble is not None:
            self._on_trouble(trouble)
        self.trouble = trouble
