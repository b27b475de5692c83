"""Reads a socket from the loop, as often as its pace says. Its twin with a thread is ThreadedReader."""

from __future__ import annotations

import asyncio
import os
import socket

from broker.clock import Clock
from broker.transport.redis.handover import ALL, Ended, PatientReader, Taken
from broker.transport.redis.pace import Pace
from broker.transport.redis.reading import DRAINED, MORE, SO_TIMESTAMPNS
from broker.transport.redis.rounds import Rounds


class PolledReader(PatientReader):
    """Reads in the loop, which wakes up for each round."""

    def __init__(self, transport: asyncio.Transport, clock: Clock, taken: Taken, ended: Ended, pace: Pace) -> None:
        """Begin to read; asyncio reads no more. See `read_patiently`."""
        super().__init__(clock, taken, ended, pace)
        transport.pause_reading()
        # a loop refuses to watch a socket that one of its transports has
        self._socket: socket.socket = transport.get_extra_info("socket").dup()
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._rounds = Rounds(self._socket, pace)
        self._is_hurried = False
        self._resting: asyncio.Handle | None = None
        self._thinking: asyncio.Handle | None = None
        self._watch()

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
        self._unread.pieces.clear()
        if self.is_open:
            self._loop.remove_reader(self._socket)
            self._socket.close()

    @property
    def is_open(self) -> bool:
        """Whether it was neither closed nor has ended."""
        return self._socket.fileno() >= 0

    def catch_up(self) -> None:
        """Hand over what has arrived until now; of a flood, much of it."""
        if self.is_open:
            self._read()
            self._think_of(ALL)

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
        if self._unread_bytes() >= self._pace.think_bytes or self._is_hurried:
            self._think_of(ALL)
        elif has_read and self._thinking is None:
            in_s = self._thought_s + self._pace.think_every_s - self._loop.time()
            self._thinking = self._loop.call_later(max(0.0, in_s), self._think)
        if not self.is_open:
            return
        if has_read and not (self._is_hurried and not self._rounds.is_behind):
            self._resting = self._loop.call_later(0.0 if self._rounds.is_behind else self._rounds.pause_s, self._round)
        else:
            self._watch()

    def _read(self) -> bool:
        """Read what there is, within measure. Whether there was anything."""
        ahead_ns = self._clock.ahead_of_wall_ns()
        arrived, total, ending = self._rounds.read(self._clock.now_ns(), ahead_ns, self._loop.time())
        self._unread.pieces += arrived
        if ending in (DRAINED, MORE):
            return total > 0
        self._end(OSError(ending, os.strerror(ending)) if ending > 0 else None)
        return False

    def _unread_bytes(self) -> int:
        return sum(len(piece) for _, piece, _ in self._unread.pieces)

    # handing over

    def _think(self) -> None:
        """Hand over a part of what was read, and the rest after the next turn of the loop."""
        self._thinking = None
        self._think_of(self._pace.slice_bytes)
        if self._unread.pieces:
            self._thinking = self._loop.call_soon(self._think)
