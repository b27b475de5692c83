"""Reads a socket in a compiled thread, so that the loop wakes up only to take what was read."""

from __future__ import annotations

import asyncio
import os
import socket
import weakref

from broker.clock import SECOND, Clock
from broker.native import compiled
from broker.transport.redis.handover import ALL, Ended, PatientReader, Taken
from broker.transport.redis.pace import Pace
from broker.transport.redis.reading import DRAINED, SO_TIMESTAMPNS


def make_thread(connection: socket.socket, pace: Pace) -> compiled.ReadingThread:
    """A thread that reads a connection of its own copy, once it is started; what arrives from now on is stamped.

    Raises:
        OSError: Too many files are open.
    """
    connection.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    return compiled.ReadingThread(
        connection.fileno(),
        pile_ns=round(pace.pile_s * SECOND),
        least_bytes=pace.least_bytes,
        most_bytes=pace.most_bytes,
        pile_bytes=pace.pile_bytes,
        think_bytes=pace.think_bytes,
        most_waiting_bytes=pace.most_waiting_bytes,
        stamps_a_round=pace.stamps_a_round,
        most_reads=pace.most_reads,
    )


class ThreadedReader(PatientReader):
    """Takes what a thread has read every `think_every_s` while there is something; else the thread wakes the loop."""

    _is_open = False  # for one that could not begin

    def __init__(self, transport: asyncio.Transport, clock: Clock, taken: Taken, ended: Ended, pace: Pace) -> None:
        """Begin to read; asyncio reads no more. See `read_patiently`.

        Raises:
            OSError: Too many files are open, or there can be no more threads.
        """
        super().__init__(clock, taken, ended, pace)
        transport.pause_reading()
        self._thinking: asyncio.Handle | None = None
        self._is_hurried = False
        with transport.get_extra_info("socket").dup() as connection:
            self._thread = make_thread(connection, pace)
        self._thread.start()
        self._is_open = True
        # the loop does not hold us: whoever made us does
        self._me = weakref.ref(self)
        self._loop.add_reader(self._thread.fileno(), _wake, self._loop, self._me, self._thread)

    def __del__(self) -> None:
        """Whoever lets us go without closing us leaves no thread: its last notice lets the loop tidy up."""
        if self._is_open:
            self._thread.stop()

    @property
    def is_open(self) -> bool:
        """Whether it was neither closed nor has ended."""
        return self._is_open

    def hurry(self, is_hurried: bool) -> None:
        """Read and hand over at once from now on, whatever it costs; or patiently again."""
        if self._is_open:
            self._is_hurried = is_hurried
            self._thread.hurry(is_hurried)
            if is_hurried:
                self.catch_up()

    def close(self) -> None:
        """Read no more."""
        if self._thinking is not None:
            self._thinking.cancel()
        self._unread.pieces.clear()
        if self._is_open:
            self._is_open = False
            self._loop.remove_reader(self._thread.fileno())
            self._thread.close()

    def catch_up(self) -> None:
        """Hand over what has arrived until now; of a flood, much of it."""
        if self._is_open:
            self._thread.read()
            self._hand_over_all()

    def wake(self) -> None:
        """The thread gave notice: something came after nothing, or more than can wait, or the end."""
        waiting_bytes, ending = self._thread.noticed()
        if ending != DRAINED or self._is_hurried or waiting_bytes >= self._pace.think_bytes:
            self._hand_over_all()
        elif self._thinking is None:
            self._think_in(self._thought_s + self._pace.think_every_s - self._loop.time())

    def _hand_over_all(self) -> None:
        ending = self._take(is_awaiting=self._is_hurried)
        is_more_likely = bool(self._unread.pieces) and not self._is_hurried
        if ending == DRAINED:
            self._think_of(ALL)
        else:
            self._end(OSError(ending, os.strerror(ending)) if ending > 0 else None)
        if is_more_likely and self._is_open:
            self._think_in(self._pace.think_every_s)

    def _take(self, *, is_awaiting: bool) -> int:
        """Take what waits; how it ended. The thread gives notice of the next if it should, or if nothing waits."""
        now_ns = self._clock.now_ns()
        arrived, ending = self._thread.take(now_ns, self._clock.ahead_of_wall_ns(), is_awaiting)
        self._unread.pieces += arrived
        return ending

    def _think_in(self, in_s: float) -> None:
        if self._thinking is not None:
            self._thinking.cancel()
        self._thinking = self._loop.call_later(max(0.0, in_s), _think, self._me)

    def think(self) -> None:
        """Hand over a part of what was read, and the rest after the next turn of the loop; come again if there was
        anything."""
        self._thinking = None
        if not self._unread.pieces:
            self._take(is_awaiting=self._is_hurried)  # how it ended is given notice of
        if not self._unread.pieces:
            return
        try:
            self._think_of(self._pace.slice_bytes)
        finally:
            if self._is_open:
                if self._unread.pieces:
                    self._thinking = self._loop.call_soon(_think, self._me)
                else:
                    self._think_in(self._pace.think_every_s)


def _think(reader: weakref.ref[ThreadedReader]) -> None:
    alive = reader()
    if alive is not None:
        alive.think()


def _wake(loop: asyncio.AbstractEventLoop, reader: weakref.ref[ThreadedReader], thread: compiled.ReadingThread) -> None:
    """Let a reader know of its thread's notice; of one that was let go, close the thread."""
    alive = reader()
    if alive is not None:
        alive.wake()
    else:
        loop.remove_reader(thread.fileno())
        thread.close()
