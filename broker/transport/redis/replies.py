"""Bytes of a subscribed connection in, frames out. No I/O: how the bytes were cut changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import hiredis

from broker.protocol.frame import RawFrame

SLICE_BYTES: Final = 1 << 14
"""hiredis moves all that is left in its buffer with every kilobyte it takes out of it: fed 256 KB at once a
packet of 500 bytes costs 1.1 µs, fed 64 KB 0.5 µs, in slices of 16 KB 0.4 µs."""

KEPT_BUFFER_BYTES: Final = 1 << 20
"""hiredis gives its buffer back when it is empty and larger than this; its own default is the size of one packet."""


def pack(*parts: bytes) -> bytes:
    """A command as the server reads it."""
    head = b"*%d\r\n" % len(parts)
    return head + b"".join([b"$%d\r\n%b\r\n" % (len(part), part) for part in parts])


class Replies:
    """Reads what a server sends to a subscriber: messages become frames, all else goes to `other`."""

    def __init__(self, other: Callable[[Any], None]) -> None:
        """Begin with nothing read.

        Args:
            other: Given what is no message, in its place between them: a
                confirmation, a PONG, an error (as an exception), a number.
        """
        self._other = other
        reader = hiredis.Reader()
        reader.setmaxbuf(KEPT_BUFFER_BYTES)
        self._feed: Callable[[Any], None] = reader.feed
        self._gets: Callable[[], Any] = reader.gets

    def feed(self, block: bytes) -> list[RawFrame]:
        """Take in a block of bytes.

        Returns:
            The messages that are now complete, oldest first.

        Raises:
            ValueError: This is not Redis's protocol; nothing can be read any more.
        """
        feed, gets = self._feed, self._gets
        frames: list[RawFrame] = []
        add = frames.append
        try:
            for piece in (block,) if len(block) <= SLICE_BYTES else _slices(block):
                feed(piece)
                while (reply := gets()) is not False:
                    parts = len(reply) if type(reply) is list else 0
                    if parts == 3 and reply[0] == b"message":
                        add((reply[1], reply[2]))
                    elif parts == 4:  # of what the server sends on RESP2, only messages to a pattern have four
                        add((reply[2], reply[3]))
                    else:
                        self._other(reply)
        except (hiredis.ProtocolError, TypeError) as error:  # TypeError: a RESP3 map with lists for keys
            raise ValueError(str(error)) from error
        return frames


def _slices(block: bytes) -> list[memoryview]:
    view = memoryview(block)
    return [view[begin : begin + SLICE_BYTES] for begin in range(0, len(block), SLICE_BYTES)]
