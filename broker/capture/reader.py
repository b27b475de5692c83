"""Captures read: frames in the order in which they were written, also from files that were cut off."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.records import Channel

from broker.capture.bodies import Shelf
from broker.capture.channels import opened, wire_name
from broker.capture.chunk_list import ChunkList
from broker.capture.messages import MESSAGE, MESSAGE_OPCODE, FrameGroup, split_messages
from broker.capture.numbers import MAX_OFFSET, chunk_base, ordinal_in_file, place_of
from broker.capture.segment import MAGIC
from broker.capture.unpack import UnreadableChunkError, unpack_chunk
from broker.protocol.frame import Frame, FrameSink

_RECORD_HEAD: Final = struct.Struct("<BQ")
_CHANNEL, _CHUNK, _ATTACHMENT, _DATA_END, _FOOTER = 4, 6, 9, 15, 2
AT_ONCE: Final = 64
"""So many messages are taken out of a chunk at a time, so that they are used while the processor's cache has them:
all at once cost 0.8 µs each more."""

_MAX_RECORD_BYTES: Final = 1 << 30


class NotACaptureError(Exception):
    """The file is not one that can be read; the message names it and says what was found."""


@dataclass(slots=True)
class CaptureReader:
    """One capture, from beginning to end.

    Attributes:
        path: The file.
        size: Its bytes.
        frames: Read so far.
        last_ns: Moment of the newest of them.
        stopped: Why reading ended before the file's proper end; empty if it did not.
        stopped_at: The byte up to which everything is whole.
        chunks: Those read so far.
        has_loose_frames: Whether any frame lay outside of chunks; other tools may write so.
        is_from_journal: Whether a journal that is kept told of it, and no frames were read.
        journal_trouble: Why the journal that is kept could not be used; empty if it could, or there is none.
        unreadable: What is to be said of packets that nothing made readable; empty for nothing.
        channels: Names on the wire by number; None for the channel of envelopes.
    """

    path: Path
    size: int = 0
    frames: int = 0
    last_ns: int = 0
    stopped: str = ""
    stopped_at: int = 0
    chunks: ChunkList = field(default_factory=ChunkList)
    has_loose_frames: bool = False
    is_from_journal: bool = False
    journal_trouble: str = ""
    unreadable: str = ""
    channels: dict[int, bytes | None] = field(default_factory=dict)
    _shelf: Shelf = field(default_factory=Shelf)

    @property
    def message(self) -> str:
        """What is to be said of it; empty for nothing."""
        return " ".join(filter(None, (self.journal_trouble, self.stopped, self.unreadable)))

    def groups(self) -> Iterator[FrameGroup]:
        """Frames that arrived together, oldest first. Sets `stopped` when the file ends too early.

        Raises:
            NotACaptureError: It is no MCAP file.
            OSError: It cannot be read.
        """
        self.size = self.path.stat().st_size
        with self.path.open("rb") as file:
            magic = file.read(len(MAGIC))
            if magic != MAGIC:
                raise NotACaptureError(
                    f"{self.path.name} is no capture: it begins with {magic!r}, expected {MAGIC!r} (MCAP)."
                )
            self.stopped_at = len(MAGIC)
            for groups in self._groups(file):
                yield from groups

    def _groups(self, file: BinaryIO) -> Iterator[list[FrameGroup]]:
        while True:
            place = file.tell()
            head = file.read(_RECORD_HEAD.size)
            if len(head) < _RECORD_HEAD.size:
                self._stop(place, "in the middle of a record" if head else "without an end record")
                return
            opcode, length = _RECORD_HEAD.unpack(head)
            if opcode in (_DATA_END, _FOOTER):
                return
            if opcode == _ATTACHMENT and place + _RECORD_HEAD.size + length <= self.size:
                file.seek(length, os.SEEK_CUR)  # not ours to read here, and perhaps large
                self.stopped_at = file.tell()
                continue
            content = file.read(length) if length <= _MAX_RECORD_BYTES else b""
            if len(content) < length:
                self._stop(place, "in the middle of a frame")
                return
            try:
                yield from self._record(opcode, content, place)
            except (UnreadableChunkError, McapError, struct.error, ValueError) as error:
                self._stop(place, f"at a damaged record ({error})")
                return
            self.stopped_at = place + _RECORD_HEAD.size + length

    def _stop(self, place: int, how: str) -> None:
        self.stopped_at = place
        self.stopped = (
            f"{self.path.name} stops {how} at byte {place:,}; the {self.frames:,} frames before it were read."
        )

    def _record(self, opcode: int, content: bytes, place: int) -> Iterator[list[FrameGroup]]:
        if opcode == _CHUNK:
            raw = unpack_chunk(content).raw
            base = chunk_base(1, len(self.chunks))
            self.chunks.add(place, content)
            yield from self._messages(raw, base)
        elif opcode == _CHANNEL:
            self._channel(content)
        elif opcode == MESSAGE_OPCODE:  # other tools may write messages outside of chunks; their bodies have no number
            self.has_loose_frames = True
            yield from self._messages(_RECORD_HEAD.pack(opcode, len(content)) + content, 0)

    def _channel(self, content: bytes) -> None:
        channel = Channel.read(ReadDataStream(BytesIO(content)))
        self.channels[channel.id] = wire_name(channel)

    def _messages(self, raw: bytes, base: int) -> Iterator[list[FrameGroup]]:
        """The messages of a chunk, those of one moment together, some at once."""
        at, last = 0, len(raw) - _RECORD_HEAD.size
        open_group: FrameGroup | None = None  # more of its frames may follow
        while at <= last:
            groups, count, at = split_messages(
                raw, at, self.channels, base, MAX_OFFSET, AT_ONCE, self.last_ns, FrameGroup
            )
            if not groups:
                groups, count, at = self._odd_record(raw, at, base)
                if not groups:
                    continue
            if open_group is not None:
                _prepend(open_group, groups)
                count += len(open_group.frames)
            open_group = groups.pop()
            self.last_ns = open_group.at_ns
            self.frames += count - len(open_group.frames)
            if groups:
                yield groups
        if open_group is not None:
            self.frames += len(open_group.frames)
            yield [open_group]

    def _odd_record(self, raw: bytes, at: int, base: int) -> tuple[list[FrameGroup], int, int]:
        """A record in a chunk that is no ordinary message: as `split_messages`, of this one."""
        opcode, length = _RECORD_HEAD.unpack_from(raw, at)
        begin, end = at + _RECORD_HEAD.size, at + _RECORD_HEAD.size + length
        if opcode == _CHANNEL:
            self._channel(raw[begin:end])
        if opcode != MESSAGE_OPCODE:
            return [], 0, end
        _, _, channel, _, at_ns, _ = MESSAGE.unpack_from(raw, at)
        name, body = self.channels.get(channel, b""), raw[at + MESSAGE.size : end]
        frame = opened(body) if name is None else (name, body)
        number = base + at if base and at <= MAX_OFFSET else 0
        return [FrameGroup(max(at_ns, self.last_ns), [frame], [number])], 1, end

    def body(self, number: int) -> bytes | None:
        """What a frame carries, by its number; None if it is not kept, or not read yet."""
        ordinal = ordinal_in_file(number)
        if not 0 <= ordinal < len(self.chunks):
            return None
        place, length = self.chunks.places[ordinal], self.chunks.lengths[ordinal]
        return self._shelf.body(self.path, place, length, place_of(number).offset, self._name)

    def _name(self, number: int) -> bytes:
        return self.channels.get(number) or b""


def _prepend(group: FrameGroup, groups: list[FrameGroup]) -> None:
    """Put a group before those that follow, as one with the first if that is of the same moment."""
    first = groups[0]
    if first.at_ns != group.at_ns:
        groups.insert(0, group)
        return
    group.frames.extend(first.frames)
    group.numbers.extend(first.numbers)
    groups[0] = group


def read(path: Path) -> Iterator[Frame]:
    """A capture's frames, oldest first; ends without complaint where the file does.

    Raises:
        NotACaptureError: It is no MCAP file.
        OSError: It cannot be read.
    """
    for group in CaptureReader(path).groups():
        for channel, body in group.frames:
            yield Frame(group.at_ns, channel, body)


class CaptureSource:
    """A capture as a source: it feeds a sink like a tap does, as fast as it can be read."""

    def __init__(self, path: Path) -> None:
        self.reader = CaptureReader(path)

    def run(self, sink: FrameSink) -> None:
        """Feed everything, frames of one moment together.

        Raises:
            NotACaptureError: It is no MCAP file.
            OSError: It cannot be read.
        """
        for group in self.reader.groups():
            sink.feed(group.at_ns, group.frames)
