"""Bytes of a subscribed connection in, frames out. No I/O: how the bytes were cut changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import hiredis

from broker.native import IS_COMPILED, compiled
from broker.protocol.frame import RawFrame
from broker.transport.redis.reading import Arrived

SLICE_BYTES: Final = 1 << 14
"""hiredis moves all that is left in its buffer with every kilobyte it takes out of it: fed 256 KB at once a
packet of 500 bytes costs 1.1 µs, fed 64 KB 0.5 µs, in slices of 16 KB 0.4 µs."""

KEPT_BUFFER_BYTES: Final = 1 << 20
"""hiredis gives its buffer back when it is empty and larger than this; its own default is the size of one packet."""

RUN_BYTES: Final = 1 << 16
"""After so much of what arrived a run of frames is complete."""

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
        behind_bytes: How much arrived last, one piece behind the other, each before those before it had been read.
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
        self.behind_bytes = 0
        self._left: tuple[int, bytes, int, list[RawFrame]] | None = None  # of a piece: see `Splitter.split_run`
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
        begin = 0
        if self.splitter is None or self.is_hiredis_on or (begin := self.splitter.split(block, 0, frames)) < len(block):
            self._feed_slowly(block, begin, frames)
        return frames

    @property
    def is_between(self) -> bool:
        """Whether messages may be taken without us: all that came was taken, but for the begin of a message."""
        return self.splitter is not None and not self.is_hiredis_on and self._left is None

    def feed_run(
        self, pieces: Iterator[Arrived], most_bytes: int = RUN_BYTES
    ) -> tuple[list[int], list[RawFrame]] | None:
        """Take in some of the pieces that arrived: about so many bytes, or until something odd comes.

        A piece in which it comes is a run of its own, and taken in when this is called again, so that all keeps its
        order. It may be called again while what it returned is being taken in.

        Args:
            pieces: Taken from as far as they are taken in.
            most_bytes: With the piece in which they are reached it ends.

        Returns:
            When each of the messages that are now complete arrived, in ns since the epoch, never falling; and the
            messages, oldest first, as `feed` gives them of each piece. None if there was no more.

        Raises:
            ValueError: This is not Redis's protocol; nothing can be read any more.
        """
        if self._left is not None:
            (at_ns, block, begin, frames), self._left = self._left, None
            self._feed_slowly(block, begin, frames)
            return [at_ns] * len(frames), frames
        if self.splitter is None or self.is_hiredis_on:
            piece = next(pieces, None)
            if piece is None:
                return None
            frames = self.feed_piece(piece)
            return [piece[0]] * len(frames), frames
        moments, frames = list[int](), list[RawFrame]()
        count, self.behind_bytes, self._left = self.splitter.split_run(
            pieces, moments, frames, self.behind_bytes, most_bytes
        )
        return (moments, frames) if count else None

    def feed_piece(self, piece: Arrived) -> list[RawFrame]:
        """As `feed`, of one piece that arrived."""
        _, block, has_waited = piece
        self.behind_bytes = self.behind_bytes + len(block) if has_waited else len(block)
        return self.feed(block)

    def _feed_slowly(self, block: bytes, begin: int, frames: list[RawFrame]) -> None:
        """Take in a block from here on, not only messages."""
        try:
            if self.splitter is not None:
                self._feed_both(self.splitter, block, begin, frames)
                return
            for piece in (block,) if len(block) <= SLICE_BYTES else _slices(block):
                self._feed(piece)
                self._take_replies(frames)
        except (hiredis.ProtocolError, TypeError) as error:  # TypeError: a RESP3 map with lists for keys
            raise ValueError(str(error)) from error

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
