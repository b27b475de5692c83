"""One MCAP file being written: appended to, flushed with every chunk, closed with an index."""

from __future__ import annotations

import contextlib
import os
import struct
from array import array
from pathlib import Path
from typing import Final

import numpy as np
from mcap.data_stream import RecordBuilder
from mcap.opcode import Opcode
from mcap.records import DataEnd, Footer, Header, Statistics, SummaryOffset

from broker.capture.chunk import SealedChunk

MAGIC: Final = b"\x89MCAP0\r\n"
PROFILE: Final = "meshscope"

_CHUNK_INDEX_HEAD: Final = struct.Struct("<BQQQQQI")
"""Opcode, length; first and last moment, place and length of the chunk; bytes of what follows of its channels."""

_CHUNK_INDEX_END: Final = struct.Struct("<QI4sQQ")
"""Bytes of its MessageIndex records; how it is packed, its messages' bytes when packed and when not."""

_CHANNEL_PLACE: Final = np.dtype([("channel", "<u2"), ("at", "<u8")])

NOT_KEPT: Final = 0
"""Place of a chunk that did not reach the disk."""


class Segment:
    """An MCAP file that grows.

    Not thread-safe: one thread appends; `places` may be read by others.

    Attributes:
        path: Where it is.
        size: Bytes written.
        places: By chunk ordinal, where its Chunk record begins; NOT_KEPT for a lost one.
        lengths: By chunk ordinal, the record's length.
    """

    def __init__(self, path: Path, library: str) -> None:
        """Begin a file.

        Raises:
            OSError: It cannot be written; FileExistsError when it is there.
        """
        self.path = path
        self.size = 0
        self.places = array("Q")
        self.lengths = array("Q")
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        self._channels: dict[int, bytes] = {}
        self._unwritten: dict[int, bytes] = {}
        self._chunk_indexes = bytearray()  # records; as objects they would take ten times the room
        self._chunk_count = 0
        self._counts: dict[int, int] = {}
        self._begin_ns = 0
        self._end_ns = 0
        try:
            self._write(MAGIC + _record(Header(PROFILE, library)))
        except OSError:
            os.close(self._descriptor)
            path.unlink(missing_ok=True)
            raise

    def add_channels(self, channels: list[tuple[int, bytes]]) -> None:
        """Channels that must stand in the file before the next chunk."""
        for number, record in channels:
            if number not in self._channels:
                self._channels[number] = self._unwritten[number] = record

    def skip(self) -> None:
        """Count a chunk that is lost."""
        self.places.append(NOT_KEPT)
        self.lengths.append(0)

    def append(self, chunk: SealedChunk) -> None:
        """Write a chunk through to the system, so that it outlives this process.

        Raises:
            OSError: Nothing of it was kept; the file is as before.
        """
        before = b"".join(self._unwritten.values())
        place = self.size + len(before)
        self._write(before + chunk.record + chunk.indexes)
        self._unwritten.clear()
        self.places.append(place)
        self.lengths.append(len(chunk.record))
        self._begin_ns = min(self._begin_ns or chunk.begin_ns, chunk.begin_ns)
        self._end_ns = max(self._end_ns, chunk.end_ns)
        for number, count in chunk.counts.items():
            self._counts[number] = self._counts.get(number, 0) + count
        self._chunk_count += 1
        self._chunk_indexes += _chunk_index(chunk, place)

    def close(self) -> None:
        """Write the summary, which other tools look for, and close the file.

        Raises:
            OSError: The summary could not be written; the file still reads as one that was cut off.
        """
        try:
            self._write(self._summary())
        finally:
            os.close(self._descriptor)

    def abandon(self) -> None:
        """Close and delete the file."""
        with contextlib.suppress(OSError):
            os.close(self._descriptor)
        self.path.unlink(missing_ok=True)

    def _write(self, data: bytes) -> None:
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, self.size)
                os.lseek(self._descriptor, self.size, os.SEEK_SET)
            raise
        self.size += len(data)

    def _summary(self) -> bytes:
        """DataEnd, channels, chunk indexes, statistics, summary offsets, footer, magic."""
        data_end = _record(DataEnd(0))
        summary_begin = self.size + len(data_end)
        groups: list[tuple[int, bytes]] = [
            (Opcode.CHANNEL, b"".join(self._channels.values())),
            (Opcode.CHUNK_INDEX, bytes(self._chunk_indexes)),
            (Opcode.STATISTICS, _record(self._statistics())),
        ]
        summary = b""
        offsets = b""
        for opcode, records in groups:
            if records:
                offsets += _record(SummaryOffset(Opcode(opcode), summary_begin + len(summary), len(records)))
                summary += records
        footer = Footer(summary_begin, summary_begin + len(summary), 0)
        return data_end + summary + offsets + _record(footer) + MAGIC

    def _statistics(self) -> Statistics:
        return Statistics(
            attachment_count=0,
            channel_count=len(self._channels),
            channel_message_counts=self._counts,
            chunk_count=self._chunk_count,
            message_count=sum(self._counts.values()),
            message_end_time=self._end_ns,
            message_start_time=self._begin_ns,
            metadata_count=0,
            schema_count=0,
        )


def _chunk_index(chunk: SealedChunk, place: int) -> bytes:
    """The ChunkIndex record of a chunk that lies at a place; by hand, for its channels are hundreds."""
    index_begin = place + len(chunk.record)
    places = np.empty(len(chunk.index_offsets), _CHANNEL_PLACE)
    places["channel"] = list(chunk.index_offsets.keys())
    places["at"] = list(chunk.index_offsets.values())
    places["at"] += np.uint64(index_begin)
    by_channel = places.tobytes()
    head = _CHUNK_INDEX_HEAD.pack(
        Opcode.CHUNK_INDEX,
        _CHUNK_INDEX_HEAD.size - 9 + len(by_channel) + _CHUNK_INDEX_END.size,
        chunk.begin_ns,
        chunk.end_ns,
        place,
        len(chunk.record),
        len(by_channel),
    )
    end = _CHUNK_INDEX_END.pack(len(chunk.indexes), 4, b"zstd", chunk.packed_size, chunk.raw_size)
    return head + by_channel + end


def _record(record: Header | DataEnd | Statistics | SummaryOffset | Footer) -> bytes:
    builder = RecordBuilder()
    record.write(builder)
    return bytes(builder.end())  # type: ignore[no-untyped-call]
