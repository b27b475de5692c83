"""A kept journal as bytes: a head, blocks, an index of them, and an end that says where that is.

The head says which version of the program wrote it and how its rows look;
whoever differs makes the journal anew. The index names the chunks that the
journal was made from. A block is packed with zstd and has its checksum in the
index, so that damage is known before anything is told of it.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import sha256
from typing import BinaryIO, Final, NamedTuple, TypeVar

import msgspec
import zstandard

from broker.capture.chunk_list import ChunkList
from broker.capture.journal import OtherFormatError, UnusableJournalError
from broker.capture.journal.block import Parts, decode, layout, parts
from broker.observe.journal import JOURNAL_FORMAT, Batch
from broker.version import program_version

T = TypeVar("T")

FILE_FORMAT: Final = 1
MAGIC: Final = b"MESHJRNL"
ZSTD_LEVEL: Final = 1
MAX_BLOCK_BYTES: Final = 1 << 29
"""Of one block, unpacked. One that says it has more is damaged; one that would have more is not written."""

MAX_INDEX_BYTES: Final = 1 << 28
AHEAD: Final = 3
"""Blocks that are unpacked before somebody asks for them."""

_LENGTH: Final = struct.Struct("<I")
_END: Final = struct.Struct("<QIII8s")
"""Where the index begins, its length packed and unpacked, its checksum, the magic."""


class BlockPlace(msgspec.Struct, array_like=True):
    """Where a block lies in the journal, and what is known of it."""

    offset: int
    length: int
    raw_length: int
    checksum: int


class PackedBlock(NamedTuple):
    """A block as it lies in the journal: whoever wants its batch unpacks it.

    Attributes:
        packed: Its bytes.
        raw_length: How many they are unpacked.
        checksum: Of the packed bytes.
    """

    packed: bytes
    raw_length: int
    checksum: int

    def batch(self) -> Batch:
        """What it tells.

        Raises:
            UnusableJournalError: It is damaged.
        """
        return decode(self._raw())

    def parts(self) -> Parts:
        """The same, its rows still as columns. Raises UnusableJournalError as above."""
        return parts(self._raw())

    def check_sum(self) -> None:
        """Raises UnusableJournalError if the bytes are not those that were written."""
        _check_sum(self.packed, self.checksum)

    def _raw(self) -> bytes:
        return _unpacked(self.packed, self.raw_length, self.checksum, MAX_BLOCK_BYTES)


class JournalIndex(msgspec.Struct):
    """What a journal is of.

    Attributes:
        frames: How many the capture holds.
        last_ns: Moment of the newest of them.
        stopped: Why the capture could not be read to its end; empty if it could.
        stopped_at: The byte up to which it is whole.
        unreadable: What is to be said of packets that nothing made readable; empty for nothing.
        places: Where its chunks begin, 8 bytes each.
        digest: Of its chunks: see ChunkList.
        channels: Its channels' numbers and names; None for that of envelopes.
        masking: The rule by which settings were masked beside the capture's own.
        file: Size and time of change (ns) of the capture; None where the journal lies in it.
        blocks: Where they are.
    """

    frames: int
    last_ns: int
    stopped: str
    stopped_at: int
    unreadable: str
    places: bytes
    digest: bytes
    channels: dict[int, bytes | None]
    masking: str
    file: tuple[int, int] | None = None
    blocks: list[BlockPlace] = []


def _head() -> bytes:
    what = {"format": [FILE_FORMAT, JOURNAL_FORMAT], "program": program_version(), "layout": layout()}
    text = json.dumps(what).encode()
    return MAGIC + _LENGTH.pack(len(text)) + text


class JournalWriter:
    """Writes a journal to a stream that is empty."""

    def __init__(self, stream: BinaryIO) -> None:
        """Begin. Raises OSError."""
        self._stream = stream
        self._blocks: list[BlockPlace] = []
        self._compressor = zstandard.ZstdCompressor(level=ZSTD_LEVEL)
        self._size = 0
        self._write(_head())

    def write(self, raw: bytes) -> None:
        """Write a block.

        Raises:
            OSError: The stream takes no more.
            ValueError: It is too long.
        """
        if len(raw) > MAX_BLOCK_BYTES:
            raise ValueError(f"a block has {len(raw):,} bytes, expected at most {MAX_BLOCK_BYTES:,}")
        packed = self._compressor.compress(raw)
        self._blocks.append(BlockPlace(self._size, len(packed), len(raw), zlib.crc32(packed)))
        self._write(packed)

    def finish(self, index: JournalIndex) -> None:
        """Write the index, completed by the blocks, and the end. Raises OSError."""
        index.blocks = self._blocks
        raw = msgspec.msgpack.encode(index)
        packed = self._compressor.compress(raw)
        end = _END.pack(self._size, len(packed), len(raw), zlib.crc32(packed), MAGIC)
        self._write(packed + end)

    def _write(self, data: bytes) -> None:
        self._stream.write(data)
        self._size += len(data)


class JournalReader:
    """A journal that lies in a file, or in a part of one.

    Attributes:
        index: What it is of.
        size: Its bytes.
        outline: Digest of all but its blocks, as it was read: head, index, end.
        is_ours: Whether this program wrote it, looked at it then, and kept it where nobody else writes.
        chunks: Those of its capture, once it was compared with it.
    """

    def __init__(self, file: BinaryIO, begin: int, size: int, *, is_ours: bool = False) -> None:
        """Read the index.

        Args:
            file: The file; stays open as long as the reader is used.
            begin: The journal's first byte.
            size: Its bytes.
            is_ours: Whether it is enough that it is what was written.

        Raises:
            OtherFormatError: Another version of the program wrote it.
            UnusableJournalError: It is damaged, or none.
            OSError: The file cannot be read.
        """
        self._file = file
        self._begin = begin
        self.size = size
        self.is_ours = is_ours
        self.chunks = ChunkList()
        self._check_head()
        if size < _END.size:
            raise UnusableJournalError("it is cut off")
        end = self._read(size - _END.size, _END.size)
        offset, length, raw_length, checksum, magic = _END.unpack(end)
        if magic != MAGIC:
            raise UnusableJournalError("its end is missing")
        packed = self._read(offset, length)
        self.outline = sha256(_head() + packed + end).digest()
        try:
            self.index = msgspec.msgpack.decode(
                _unpacked(packed, raw_length, checksum, MAX_INDEX_BYTES), type=JournalIndex
            )
        except (msgspec.DecodeError, RecursionError) as error:
            raise UnusableJournalError(f"its index cannot be read ({error})") from error
        ends = [len(_head()), *(block.offset + block.length for block in self.index.blocks)]
        if any(block.offset != end for block, end in zip(self.index.blocks, ends, strict=False)) or ends[-1] != offset:
            raise UnusableJournalError("its blocks do not follow one another")

    def _check_head(self) -> None:
        head = _head()
        found = self._read(0, min(len(head), self.size))
        if found[: len(MAGIC)] != MAGIC:
            raise UnusableJournalError(f"it begins with {found[: len(MAGIC)]!r}, expected {MAGIC!r}")
        if found != head:
            raise OtherFormatError

    def batches(self) -> Iterator[Batch]:
        """What it tells, one batch a block.

        Raises:
            UnusableJournalError: It is damaged.
            OSError: The file cannot be read.
        """
        return self.each(PackedBlock.batch)

    def packed_blocks(self) -> Iterator[PackedBlock]:
        """What it tells, not unpacked.

        Raises:
            UnusableJournalError: It is cut off.
            OSError: The file cannot be read.
        """
        for place in self.index.blocks:
            yield PackedBlock(self._read(place.offset, place.length), place.raw_length, place.checksum)

    def each(self, work: Callable[[PackedBlock], T]) -> Iterator[T]:
        """What is made of each block, in threads: unpacking lets the interpreter go.

        Args:
            work: Makes it; in a thread.

        Raises:
            UnusableJournalError: It is cut off, or `work` raised it.
            OSError: The file cannot be read.
        """
        with ThreadPoolExecutor(min(AHEAD, os.cpu_count() or 1), "journal") as pool:
            making: deque[Future[T]] = deque()
            for block in self.packed_blocks():
                making.append(pool.submit(work, block))
                if len(making) > AHEAD:
                    yield making.popleft().result()
            while making:
                yield making.popleft().result()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _read(self, offset: int, length: int) -> bytes:
        if offset + length > self.size:
            raise UnusableJournalError(f"it ends at byte {self.size:,}, and not after byte {offset + length:,}")
        self._file.seek(self._begin + offset)
        data = self._file.read(length)
        if len(data) < length:
            raise UnusableJournalError("it is cut off")
        return data


def _check_sum(packed: bytes, checksum: int) -> None:
    if zlib.crc32(packed) != checksum:
        raise UnusableJournalError("a checksum does not fit what is in it")


def _unpacked(packed: bytes, size: int, checksum: int, most: int) -> bytes:
    _check_sum(packed, checksum)
    if size > most:
        raise UnusableJournalError(f"a part of it says that it holds {size:,} bytes, expected at most {most:,}")
    try:
        if zstandard.frame_content_size(packed) != size:
            raise UnusableJournalError("a part of it is not as long as it says")
        return zstandard.ZstdDecompressor().decompress(packed, max_output_size=size)
    except zstandard.ZstdError as error:
        raise UnusableJournalError(f"a part of it cannot be unpacked ({error})") from error
