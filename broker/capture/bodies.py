"""One body out of a capture: read the chunk, unpack it, cut the message out."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Final

from broker.capture.channels import ENVELOPE_HEAD_BYTES, ENVELOPE_ID, opened
from broker.capture.messages import MESSAGE, MESSAGE_OPCODE
from broker.capture.unpack import UnreadableChunkError, unpack_chunk
from broker.protocol.frame import RawFrame

KEPT_CHUNKS: Final = 4
_HEAD_BYTES: Final = 9  # opcode and length of a record

NameOf = Callable[[int], bytes]
"""The channel's name on the wire, by its number."""


class Shelf:
    """The last few chunks that somebody looked into, unpacked. One thread at a time."""

    def __init__(self) -> None:
        self._chunks: OrderedDict[tuple[Path, int], bytes] = OrderedDict()

    def body(self, path: Path, place: int, length: int, offset: int, name_of: NameOf) -> bytes | None:
        """What a message carries.

        Args:
            path: The file.
            place: Where the Chunk record begins in it.
            length: Of the record, in bytes.
            offset: Where the message record begins in the unpacked chunk.
            name_of: Tells channels by number.

        Returns:
            None if the file or what is asked of it is not there.
        """
        raw = self._chunks.get((path, place))
        if raw is None:
            try:
                with path.open("rb") as file:
                    file.seek(place + _HEAD_BYTES)
                    raw = unpack_chunk(file.read(length - _HEAD_BYTES)).raw
            except (OSError, UnreadableChunkError):
                return None
            self._chunks[path, place] = raw
            if len(self._chunks) > KEPT_CHUNKS:
                self._chunks.popitem(last=False)
        frame = frame_at(raw, offset, name_of)
        return frame[1] if frame is not None else None

    def close(self) -> None:
        """Forget everything."""
        self._chunks.clear()


def frame_at(raw: bytes, offset: int, name_of: NameOf) -> RawFrame | None:
    """The frame whose message record begins at a byte of an unpacked chunk; None if none does."""
    if offset + MESSAGE.size > len(raw):
        return None
    opcode, size, number, _, _, _ = MESSAGE.unpack_from(raw, offset)
    end = offset + _HEAD_BYTES + size
    if opcode != MESSAGE_OPCODE or end > len(raw):
        return None
    body = raw[offset + MESSAGE.size : end]
    return opened(body) if number == ENVELOPE_ID else (name_of(number), body)


def place_of_body(raw: bytearray, offset: int) -> tuple[int, int]:
    """Where the body of a message record that begins at a byte of a chunk begins and ends, its envelope left away."""
    _, size, number, _, _, _ = MESSAGE.unpack_from(raw, offset)
    begin, end = offset + MESSAGE.size, offset + _HEAD_BYTES + size
    if number == ENVELOPE_ID:
        begin += ENVELOPE_HEAD_BYTES + int.from_bytes(raw[begin : begin + ENVELOPE_HEAD_BYTES], "little")
    return begin, end
