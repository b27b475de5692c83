"""Reads a socket some hundred times a second and no oftener, and hands over what it read in bulk.

A busy mesh sends a few packets with each of ten thousand writes a second. To
wake up for each costs more than to read it, and to think about it at once
costs more than to think about it, since everybody else's work has emptied the
processor's caches meanwhile. On Linux the kernel stamps what arrives, so that
stamps are as fine as if each write were read at once, and do not depend on
when we get a CPU.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from broker.clock import Clock
from broker.native import IS_COMPILED, compiled
from broker.transport.redis.reading import DRAINED, MORE, SO_TIMESTAMPNS, Arrived, Reading

PAUSE_S: Final = 0.001
"""Between two rounds of reading. The kernel may join what it holds for us, up to 17 writes, and keep the last stamp
of them, so this is also how wrong a stamp can be while we are given a CPU in time."""
LONG_PAUSE_S: Final = 0.002
BUSY_BYTES: Final = 1 << 14
"""A round that brought as much is followed by a long pause: by then 17 writes come in hardly more time."""
STAMPS_A_ROUND: Final = 6
"""Each read has one stamp, that of its last byte; so a round is read in about so many pieces, as the last one was."""
LEAST_BYTES: Final = 1 << 11
MOST_BYTES: Final = 1 << 14
MOST_READS: Final = 32
"""After so many reads others get their turn in the loop."""

PILE_BYTES: Final = 1 << 16
"""So much in one round had piled up. The server may have more that the kernel had no room for: we do not pause, and
what comes within so long had piled up too."""
PILE_S: Final = 0.02

THINK_EVERY_S: Final = 0.05
"""So long what was read waits to be handed over, while there is more of it all the time."""
THINK_BYTES: Final = 1 << 20
"""Nor does more than this wait."""
SLICE_BYTES: Final = 1 << 16
"""After so much has been handed over it is time to read again."""

Taken = Callable[[Iterable[Arrived]], None]
"""Takes what arrived, at least one piece, oldest first."""

Ended = Callable[[OSError | None], None]
"""Told once that no more can be read: the error, or None when the other side hung up."""


class PatientReader:
    """Reads a connection that asyncio made; its transport goes on writing, and closes it."""

    def __init__(
        self,
        transport: asyncio.Transport,
        clock: Clock,
        taken: Taken,
        ended: Ended,
        *,
        is_compiled: bool = IS_COMPILED,
    ) -> None:
        """Begin to read; asyncio reads no more.

        Args:
            transport: See `is_possible`.
            clock: Stamps what the kernel has not.
            taken: Given what arrives.
            ended: Told that it is over.
            is_compiled: Whether the socket is read in C; Python does the same.
        """
        transport.pause_reading()
        self._loop = asyncio.get_running_loop()
        # a loop refuses to watch a socket that one of its transports has
        self._socket: socket.socket = transport.get_extra_info("socket").dup()
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._clock = clock
        self._taken = taken
        self._ended = ended
        make = compiled.Reading if is_compiled else Reading
        self._reading = make(self._socket, STAMPS_A_ROUND + 1, MOST_BYTES, MOST_READS)
        self._piece_bytes = LEAST_BYTES
        self._pause_s = PAUSE_S
        self._is_behind = self._is_hurried = False
        self._piled_s = 0.0
        self._unread: deque[Arrived] = deque()
        self._unread_bytes = 0
        self._thought_s = 0.0
        self._resting: asyncio.Handle | None = None
        self._thinking: asyncio.Handle | None = None
        self._watch()

    @staticmethod
    def is_possible(transport: asyncio.Transport) -> bool:
        """Whether a transport can be read in this way: the kernel is Linux, and nothing is encrypted."""
        return sys.platform == "linux" and transport.get_extra_info("sslcontext") is None

    def hurry(self, is_hurried: bool) -> None:
        """Read and hand over at once from now on, whatever it costs; or patiently again."""
        self._is_hurried = is_hurried
        if is_hurried:
            self.catch_up()

    def close(self) -> None:
        """Read no more."""
        for waiting in (self._resting, self._thinking):
            if waiting is not None:
                waiting.cancel()
        self._unread.clear()
        if self._is_open:
            self._loop.remove_reader(self._socket)
            self._socket.close()

    @property
    def _is_open(self) -> bool:
        return self._socket.fileno() >= 0

    def catch_up(self) -> None:
        """Hand over what has arrived until now; of a flood, much of it."""
        if self._is_open:
            self._read()
            self._think_of(self._unread_bytes)

    # reading

    def _watch(self) -> None:
        self._resting = None
        self._loop.add_reader(self._socket, self._wake)

    def _wake(self) -> None:
        """Something arrived: read it, and then rest even if more comes."""
        self._loop.remove_reader(self._socket)
        self._round()

    def _round(self) -> None:
        """Rest as long as there is something to read each time; otherwise wait for it."""
        has_read = self._read()
        if self._unread_bytes >= THINK_BYTES or self._is_hurried:
            self._think_of(self._unread_bytes)
        elif has_read and self._thinking is None:
            in_s = self._thought_s + THINK_EVERY_S - self._loop.time()
            self._thinking = self._loop.call_later(max(0.0, in_s), self._think)
        if not self._is_open:
            return
        if has_read and not (self._is_hurried and not self._is_behind):
            self._resting = self._loop.call_later(0.0 if self._is_behind else self._pause_s, self._round)
        else:
            self._watch()

    def _read(self) -> bool:
        """Read what there is, within measure. Whether there was anything."""
        ahead_ns = self._clock.ahead_of_wall_ns()
        now_ns = self._clock.now_ns()
        has_waited = self._is_behind or self._loop.time() - self._piled_s < PILE_S
        arrived, round_bytes, ending = self._reading.read(self._piece_bytes, now_ns, ahead_ns, has_waited)
        self._unread += arrived
        self._unread_bytes += round_bytes
        if ending not in (DRAINED, MORE):
            self._end(OSError(ending, os.strerror(ending)) if ending > 0 else None)
            return False
        self._is_behind = ending == MORE
        if round_bytes >= PILE_BYTES:
            self._is_behind = True
            self._piled_s = self._loop.time()
        self._piece_bytes = min(max(LEAST_BYTES, round_bytes // STAMPS_A_ROUND), MOST_BYTES)
        self._pause_s = LONG_PAUSE_S if round_bytes >= BUSY_BYTES else PAUSE_S
        return round_bytes > 0

    def _end(self, error: OSError | None) -> None:
        self._think_of(self._unread_bytes)
        if self._is_open:
            self.close()
            self._ended(error)

    # handing over

    def _think(self) -> None:
        """Hand over a part of what was read, and the rest after the next turn of the loop."""
        self._thinking = None
        self._think_of(SLICE_BYTES)
        if self._unread:
            self._thinking = self._loop.call_soon(self._think)

    def _think_of(self, most_bytes: int) -> None:
        if self._unread:
            self._taken(self._pieces(most_bytes))
        self._thought_s = self._loop.time()

    def _pieces(self, most_bytes: int) -> Iterator[Arrived]:
        """What is unread, one after the other: who takes a piece may close us, or let us catch up."""
        unread = self._unread
        while unread and most_bytes > 0:
            piece = unread.popleft()
            self._unread_bytes -= len(piece[1])
            most_bytes -= len(piece[1])
            yield piece
