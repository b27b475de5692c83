"""Sending packets: all of one turn of the loop leave in one write, on one connection."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from asyncio import Task

from redis.asyncio import Connection

from broker.transport.base import TransportError
from broker.transport.redis.backoff import Backoff
from broker.transport.redis.connect import open_connection
from broker.transport.redis.reading import READ_BYTES, pack
from broker.transport.url import ConnectionSettings

log = logging.getLogger(__name__)


class RedisPublisher:
    """Publishes. What is published while the connection is lost is lost too, as with MoleculerJS, and counted.

    Attributes:
        lost: Packets that could not be sent.
    """

    def __init__(self, settings: ConnectionSettings) -> None:
        self._settings = settings
        self._connection: Connection | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._waiting: list[bytes] = []
        self._keeping: Task[None] | None = None
        self._ready = asyncio.Event()
        self.lost = 0

    async def open(self) -> None:
        """Connect.

        Raises:
            TransportError: It could not.
        """
        self._use(await open_connection(self._settings))
        self._keeping = asyncio.create_task(self._keep(), name="redis publisher")

    def _use(self, connection: Connection) -> None:
        self._connection = connection
        self._writer = connection._writer
        self._ready.set()

    async def _keep(self) -> None:
        """Read the answers away, and connect again when the connection ends."""
        backoff = Backoff()
        while True:
            connection = self._connection
            if connection is not None:
                reader = connection._reader
                with contextlib.suppress(OSError):
                    while reader is not None and await reader.read(READ_BYTES):
                        pass
                self._ready.clear()
                self._writer = self._connection = None
                await connection.disconnect(nowait=True)
            try:
                self._use(await open_connection(self._settings))
                backoff.reset()
            except TransportError as error:
                log.warning("%s %s", error.message, error.advice)
                await asyncio.sleep(backoff.next_s())

    def publish(self, channel: bytes, body: bytes) -> None:
        """Put a packet out; it leaves with everything else of this turn of the loop."""
        if self._writer is None:
            self.lost += 1
            return
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._flush)
        self._waiting.append(pack(b"PUBLISH", channel, body))

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        if self._writer is None or self._writer.is_closing():
            self.lost += len(waiting)
            return
        self._writer.write(b"".join(waiting))

    async def drain(self) -> None:
        """Wait while too much is waiting to leave."""
        self._flush()
        if self._writer is not None:
            with contextlib.suppress(OSError):
                await self._writer.drain()

    async def close(self) -> None:
        """Send what waits, then end the connection."""
        await self.drain()
        if self._keeping is not None:
            self._keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeping
        if self._connection is not None:
            await self._connection.disconnect()
            self._connection = self._writer = None
