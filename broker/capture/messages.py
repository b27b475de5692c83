"""Message records written at the end of a chunk."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Final

from broker.native import IS_COMPILED, compiled
from broker.protocol.frame import RawFrame

MESSAGE: Final = struct.Struct("<BQHIQQ")
"""Opcode, length, channel id, sequence, log time, publish time; the body follows."""

MESSAGE_OPCODE: Final = 5
MESSAGE_HEAD_BYTES: Final = MESSAGE.size
OFFSET: Final = struct.Struct("=q")

_FIELDS_BYTES: Final = MESSAGE.size - 9  # what the record's length counts beside the body

AppendFrames = Callable[[bytearray, bytearray, dict[bytes, int], Sequence[RawFrame], int, int, int, int], list[int]]


def append_message(raw: bytearray, offsets: bytearray, channel: int, at_ns: int, body: bytes) -> int:
    """Write one record; returns where it begins.

    Args:
        raw: Message records, one after another; this one comes behind them.
        offsets: Where each begins, as OFFSET; where this one does comes behind them.
        channel: Its number.
        at_ns: When it was received, in ns since the epoch.
        body: What it carries.
    """
    offset = len(raw)
    raw += MESSAGE.pack(MESSAGE_OPCODE, len(body) + _FIELDS_BYTES, channel, 0, at_ns, at_ns)
    raw += body
    offsets += OFFSET.pack(offset)
    return offset


def append_frames_slowly(
    raw: bytearray,
    offsets: bytearray,
    ids: dict[bytes, int],
    frames: Sequence[RawFrame],
    first: int,
    at_ns: int,
    base: int,
    full: int,
) -> list[int]:
    """Write frames until one is not ordinary, or there is no room.

    Args:
        raw, offsets, at_ns: As `append_message` takes them.
        ids: Numbers of channels; a frame of another one is not ordinary.
        frames: Channel and body of each; a list or a tuple.
        first: With which of them to begin.
        base: What is added to an offset to make a frame's number.
        full: There is no room for another one in `raw` when it has so many bytes.

    Returns:
        The numbers of those that were written.
    """
    numbers: list[int] = []
    for place in range(first, len(frames)):
        channel, body = frames[place]
        number = ids.get(channel)
        if number is None or len(raw) >= full:
            break
        numbers.append(base + append_message(raw, offsets, number, at_ns, body))
    return numbers


append_frames: Final[AppendFrames] = compiled.append_frames if IS_COMPILED else append_frames_slowly
