"""The chunks of one file: where they lie, and what tells them from others."""

from __future__ import annotations

import struct
from array import array
from hashlib import blake2b
from typing import BinaryIO, Final

_RECORD_HEAD: Final = struct.Struct("<BQ")
_HEAD: Final = struct.Struct("<BQQQQI")
"""Opcode and length of the record, its first and last moment, the size of its messages, their checksum."""

_CHUNK_OPCODE: Final = 6


class ChunkList:
    """Chunks in the order in which they lie in the file; their ordinals count from 0.

    Attributes:
        places: Where each Chunk record begins.
        lengths: Of each record, in bytes.
        raw_bytes: Of all their messages, unpacked, as the chunks say themselves.
    """

    __slots__ = ("_digest", "lengths", "places", "raw_bytes")

    def __init__(self) -> None:
        self.places = array("Q")
        self.lengths = array("Q")
        self.raw_bytes = 0
        self._digest = blake2b(digest_size=16)

    def __len__(self) -> int:
        return len(self.places)

    def add(self, place: int, content: bytes) -> None:
        """Add a chunk by the content of its record (without opcode and length)."""
        self._add(place, _RECORD_HEAD.pack(_CHUNK_OPCODE, len(content)) + content[: _HEAD.size - _RECORD_HEAD.size])

    def _add(self, place: int, head: bytes) -> None:
        _, length, _, _, raw_size, _ = _HEAD.unpack(head)
        self.places.append(place)
        self.lengths.append(length + _RECORD_HEAD.size)
        self.raw_bytes += raw_size
        self._digest.update(head)

    def digest(self) -> bytes:
        """Differs from that of any other chunks: made of their moments, sizes and checksums."""
        return self._digest.digest()

    @classmethod
    def at(cls, file: BinaryIO, places: array[int]) -> ChunkList | None:
        """The chunks that lie at these places of a file; None if anything else lies at one of them.

        Raises:
            OSError: The file cannot be read.
        """
        chunks = cls()
        for place in places:
            file.seek(place)
            head = file.read(_HEAD.size)
            if len(head) < _HEAD.size or head[0] != _CHUNK_OPCODE:
                return None
            chunks._add(place, head)
        return chunks
