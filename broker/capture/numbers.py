"""Frame numbers of captures: which segment, which chunk of it, which byte of that chunk.

A segment is a file. A chunk's ordinal counts from 0 within its segment; the
offset is where the message record begins in the chunk's uncompressed bytes,
so that a body is found with one read and one decompression. A file of more
than CHUNKS_A_SEGMENT chunks (a recording of days) counts on in the number of
the segment, which nobody else uses then.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from broker.observe.journal import frame_number

OFFSET_BITS: Final = 22
CHUNKS_A_SEGMENT: Final = 1 << 18
MAX_OFFSET: Final = (1 << OFFSET_BITS) - 1
"""Messages that begin after this byte of a chunk (only other tools write such chunks) have number 0."""

_LOW_40 = (1 << 40) - 1


class Place(NamedTuple):
    """Where a frame lies.

    Attributes:
        segment: From 1.
        chunk: From 0, below CHUNKS_A_SEGMENT.
        offset: Of its message record in the chunk's uncompressed bytes.
    """

    segment: int
    chunk: int
    offset: int


def chunk_base(segment: int, chunk: int) -> int:
    """The number of a chunk's byte 0; add an offset of at most MAX_OFFSET to get a frame's number."""
    return frame_number(segment, 0) + (chunk << OFFSET_BITS)


def place_of(number: int) -> Place:
    """The place that a number stands for."""
    low = number & _LOW_40
    return Place(number >> 40, low >> OFFSET_BITS, low & MAX_OFFSET)


def ordinal_in_file(number: int) -> int:
    """The chunk's ordinal, when the number is of a single file that begins as segment 1."""
    return (number >> OFFSET_BITS) - CHUNKS_A_SEGMENT
