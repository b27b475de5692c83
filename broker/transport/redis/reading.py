"""Whole socket buffers through hiredis: the leanest way to read a subscribed connection."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any

import hiredis
from redis.asyncio import Connection

from broker.protocol.frame import RawFrame

READ_BYTES = 1 << 18
QUIET_S = 5.0
"""After so long without a byte we ask whether the server is there; after twice that it is taken for gone."""
POURING_BYTES_S = 4 << 20
"""Who closes a connection on which so much came in the last second did so because we were too slow."""
PING = b"*1\r\n$4\r\nPING\r\n"


def pack(*parts: bytes) -> bytes:
    """A command as RESP."""
    head = b"*%d\r\n" % len(parts)
    return head + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)


class Refused(Exception):  # noqa: N818 it is what the server did
    """The server answered a command with an error."""


class SubscribedConnection:
    """Reads a connection that was handed over by redis-py, until it ends.

    Reaches redis-py's transport through private names; a test notices when they go.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._reader: asyncio.StreamReader = connection._reader  # type: ignore[assignment]
        self._writer: asyncio.StreamWriter = connection._writer  # type: ignore[assignment]
        self._replies = hiredis.Reader()
        self._bytes = 0
        self._heard_s = time.monotonic()
        self._second_bytes = 0
        self._was_quiet = False

    def send(self, *parts: bytes) -> None:
        """Send a command; its answer comes with everything else."""
        self._writer.write(pack(*parts))

    async def subscribe(self, command: bytes, *names: bytes) -> None:
        """Subscribe, and wait until the server said yes to all. What arrives meanwhile waits to be read.

        Raises:
            Refused: It said no; the text is its own.
            ConnectionError: It closed the connection.
        """
        self.send(command, *names)
        confirmed = 0
        self._early: list[RawFrame] = []
        while confirmed < len(names):
            chunk = await self._reader.read(READ_BYTES)
            if not chunk:
                raise ConnectionError("closed while subscribing")
            self._replies.feed(chunk)
            while (reply := self._replies.gets()) is not False:
                if isinstance(reply, hiredis.ReplyError):
                    raise Refused(str(reply))
                if reply[0] == command.lower():
                    confirmed += 1
                elif (frame := _frame(reply)) is not None:
                    self._early.append(frame)

    async def read(self, take: Callable[[list[RawFrame]], None]) -> str:
        """Hand over what arrives, all frames of one socket buffer at once, until the connection ends.

        Returns:
            Why it ended.
        """
        watching = asyncio.create_task(self._watch(), name="redis watch")
        try:
            if self._early:
                take(self._early)
                self._early = []
            await self._pump(take)
        except OSError as error:
            return self._reason(str(error) or type(error).__name__)
        finally:
            watching.cancel()
        return self._reason("")

    async def _pump(self, take: Callable[[list[RawFrame]], None]) -> None:
        read, feed, gets = self._reader.read, self._replies.feed, self._replies.gets
        while chunk := await read(READ_BYTES):
            self._bytes += len(chunk)
            feed(chunk)
            frames: list[RawFrame] = []
            add = frames.append
            while (reply := gets()) is not False:
                # pattern messages have four parts, and are nearly all that comes
                if type(reply) is list and len(reply) == 4:
                    add((reply[2], reply[3]))
                elif (frame := _frame(reply)) is not None:
                    add(frame)
            if frames:
                take(frames)

    async def _watch(self) -> None:
        before = self._bytes
        quiet_s = 0.0
        while True:
            await asyncio.sleep(1.0)
            self._second_bytes = self._bytes - before
            if self._bytes != before:
                before, quiet_s = self._bytes, 0.0
                continue
            quiet_s += 1.0
            if quiet_s == QUIET_S:
                self._writer.write(PING)
            elif quiet_s >= 2 * QUIET_S:
                self._was_quiet = True
                self._writer.transport.abort()
                return

    def _reason(self, error: str) -> str:
        if self._was_quiet:
            return f"the server gave no sign of life for {2 * QUIET_S:.0f} s"
        if self._second_bytes > POURING_BYTES_S:
            return "the server closed the connection, its output buffer for us being full"
        return f"the connection broke: {error}" if error else "the server closed the connection"

    async def close(self) -> None:
        """End the connection."""
        with contextlib.suppress(OSError, RuntimeError):
            await self._connection.disconnect(nowait=True)


def _frame(reply: Any) -> RawFrame | None:
    """The frame of a reply; None for what is no message: a confirmation, a PONG."""
    if not isinstance(reply, list):
        return None
    if reply[0] == b"message" and len(reply) == 3:
        return reply[1], reply[2]
    if reply[0] == b"pmessage" and len(reply) == 4:
        return reply[2], reply[3]
    return None
