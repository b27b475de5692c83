"""Bytes of a subscribed connection in, frames out. No I/O: how the bytes were cut changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import hiredis

from broker.native import IS_COMPILED, compiled
from broker.protocol.frame import RawFrame

SLICE_BYTES: Final = 1 << 14
"""hiredis moves all that is left in its buffer with every kilobyte it takes out of it: fed 256 KB at once a
packet of 500 bytes costs 1.1 µs, fed 64 KB 0.5 µs, in slices of 16 KB 0.4 µs."""

KEPT_BUFFER_BYTES: Final = 1 << 20
"""hiredis gives its buffer back when it is empty and larger than this; its own default is the size of one packet."""

MOST_LINES: Final = 100
"""So many lines of a reply are given to hiredis one by one, the rest in slices."""

_NOT_YET: Final = object()


def pack(*parts: bytes) -> bytes:
    """A command as the server reads it."""
    head = b"*%d\r\n" % len(parts)
    return head + b"".join([b"$%d\r\n%b\r\n" % (len(part), part) for part in parts])


class Replies:
    """Reads what a server sends: messages become frames, numbers are left out, all else goes to `other`.

    Compiled, messages are split in C. What is none is given to hiredis line by line until nothing of it is left
    there: replies end with a line, so that the next one begins behind it.

    Attributes:
        splitter: What splits messages in C, or None.
        is_hiredis_on: Whether hiredis has the begin of a reply.
    """

    def __init__(self, other: Callable[[Any], None], *, is_compiled: bool = IS_COMPILED) -> None:
        """Begin with nothing read.

        Args:
            other: Given what is no message, in its place between them: a
                confirmation, a PONG, an error (as an exception). Not
                numbers: they answer PUBLISH, and nobody waits for them.
            is_compiled: Whether messages are split in C; hiredis does the same.
        """
        self._other = other
        self.splitter = compiled.Splitter() if is_compiled else None
        self.is_hiredis_on = False
        self._lines = 0
        reader = hiredis.Reader(notEnoughData=_NOT_YET)  # False is a reply on RESP3
        reader.setmaxbuf(KEPT_BUFFER_BYTES)
        self._feed: Callable[[Any], None] = reader.feed
        self._gets: Callable[[], Any] = reader.gets
        self._has_data: Callable[[], bool] = reader.has_data

    def feed(self, block: bytes) -> list[RawFrame]:
        """Take in a block of bytes.

        Returns:
            The messages that are now complete, oldest first.

        Raises:
            ValueError: This is not Redis's protocol; nothing can be read any more.
        """
        frames: list[RawFrame] = []
        splitter, begin = self.splitter, 0
        try:
            if splitter is None:
                for piece in (block,) if len(block) <= SLICE_BYTES else _slices(block):
                    self._feed(piece)
                    self._take_replies(frames)
            elif self.is_hiredis_on or (begin := splitter.split(block, 0, frames)) < len(block):
                self._feed_both(splitter, block, begin, frames)
        except (hiredis.ProtocolError, TypeError) as error:  # TypeError: a RESP3 map with lists for keys
            raise ValueError(str(error)) from error
        return frames

    def _feed_both(self, splitter: compiled.Splitter, block: bytes, begin: int, frames: list[RawFrame]) -> None:
        """Take in a block from here on, in which something odd comes, or of which hiredis has the begin."""
        while begin < len(block):
            if not self.is_hiredis_on:
                begin = splitter.split(block, begin, frames)
                if begin == len(block):
                    return
                if held := splitter.release():
                    block, begin = held + block[begin:], 0
                self.is_hiredis_on, self._lines = True, 0
            begin = self._leave_to_hiredis(block, begin, frames)

    def _leave_to_hiredis(self, block: bytes, begin: int, frames: list[RawFrame]) -> int:
        """Let hiredis have the block from here on until nothing of it is left there. Where that is."""
        while begin < len(block) and self.is_hiredis_on:
            end = min(begin + SLICE_BYTES, len(block))
            if self._lines < MOST_LINES:
                self._lines += 1
                end = block.find(b"\n", begin, end) + 1 or end
            self._feed(block[begin:end])
            begin = end
            self._take_replies(frames)
        return begin

    def _take_replies(self, frames: list[RawFrame]) -> None:
        """Take what hiredis has complete; it is off when nothing is left behind a reply."""
        gets, add = self._gets, frames.append
        while (reply := gets()) is not _NOT_YET:
            parts = len(reply) if type(reply) is list else 0
            if parts == 3 and reply[0] == b"message":
                add((reply[1], reply[2]))
            elif parts == 4:  # of what the server sends on RESP2, only messages to a pattern have four
                add((reply[2], reply[3]))
            elif type(reply) is not int:
                self._other(reply)
            self._lines = 0
            if not self._has_data():
                self.is_hiredis_on = False
                return


def _slices(block: bytes) -> list[memoryview]:
    view = memoryview(block)
    return [view[begin : begin + SLICE_BYTES] for begin in range(0, len(block), SLICE_BYTES)]
