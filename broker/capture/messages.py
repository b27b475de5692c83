"""Message records of a chunk, written and read."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from broker.native import IS_COMPILED, compiled
from broker.protocol.frame import RawFrame

MESSAGE: Final = struct.Struct("<BQHIQQ")
"""Opcode, length, channel id, sequence, log time, publish time; the body follows."""

MESSAGE_OPCODE: Final = 5
MESSAGE_HEAD_BYTES: Final = MESSAGE.size
OFFSET: Final = struct.Struct("=q")

_FIELDS_BYTES: Final = MESSAGE.size - 9  # what the record's length counts beside the body

AppendFrames = Callable[
    [bytearray, bytearray, dict[bytes, int], Sequence[RawFrame], int, list[int], int, int, int], list[int]
]


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
    moments: list[int],
    base: int,
    full: int,
    until_ns: int,
) -> list[int]:
    """Write frames until one is not ordinary or comes too late, or there is no room.

    Args:
        raw, offsets: As `append_message` takes them.
        ids: Numbers of channels; a frame of another one is not ordinary.
        frames: Channel and body of each; a list or a tuple.
        first: With which of them to begin.
        moments: When each was received, in ns since the epoch, never falling; parallel to frames.
        base: What is added to an offset to make a frame's number.
        full: There is no room for another one in `raw` when it has so many bytes.
        until_ns: What was received at this moment, or later, comes too late.

    Returns:
        The numbers of those that were written.
    """
    numbers: list[int] = []
    for place in range(first, len(frames)):
        channel, body = frames[place]
        number = ids.get(channel)
        if number is None or len(raw) >= full or moments[place] >= until_ns:
            break
        numbers.append(base + append_message(raw, offsets, number, moments[place], body))
    return numbers


append_frames: Final[AppendFrames] = compiled.append_frames if IS_COMPILED else append_frames_slowly


class FrameGroup(NamedTuple):
    """Frames that arrived together.

    Attributes:
        at_ns: When.
        frames: Channel and body of each.
        numbers: Their frame numbers, parallel to frames; 0 where there is none.
    """

    at_ns: int
    frames: list[RawFrame]
    numbers: list[int]


SplitMessages = Callable[
    [bytes, int, dict[int, bytes | None], int, int, int, int, type[FrameGroup]], tuple[list[FrameGroup], int, int]
]


def split_messages_slowly(
    raw: bytes,
    at: int,
    names: dict[int, bytes | None],
    base: int,
    most_offset: int,
    most: int,
    last_ns: int,
    group_type: type[FrameGroup],
) -> tuple[list[FrameGroup], int, int]:
    """The messages of a chunk, those of one moment together, up to a record that is no ordinary message.

    Args:
        raw: Records, one after another.
        at: Where the first to be read begins.
        names: Of channels by number; None for the channel of envelopes, whose messages are not ordinary.
        base: What is added to an offset to make a frame's number; 0 to give them none.
        most_offset: Messages that begin behind it have no number either.
        most: How many messages are read at once.
        last_ns: What lies before this moment is taken as of it: other tools may write out of order.
        group_type: FrameGroup.

    Returns:
        Groups, how many messages are in them, and where the record begins that was not read.
    """
    groups: list[FrameGroup] = []
    written_ns = -1
    for count in range(most):
        if at + MESSAGE.size > len(raw) or raw[at] != MESSAGE_OPCODE:
            return groups, count, at
        _, length, channel, _, at_ns, _ = MESSAGE.unpack_from(raw, at)
        end = at + MESSAGE.size - _FIELDS_BYTES + length
        name = names.get(channel, b"")
        if name is None or length < _FIELDS_BYTES or end > len(raw):
            return groups, count, at
        if at_ns != written_ns:
            written_ns, last_ns = at_ns, max(at_ns, last_ns)
            groups.append(group_type(last_ns, [], []))
        _, frames, numbers = groups[-1]
        frames.append((name, raw[at + MESSAGE.size : end]))
        numbers.append(base + at if base and at <= most_offset else 0)
        at = end
    return groups, most, at


split_messages: Final[SplitMessages] = compiled.split_messages if IS_COMPILED else split_messages_slowly
