"""Hearing some channels, for a node."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from asyncio import Task
from collections.abc import Callable, Sequence

from broker.protocol.frame import RawFrame
from broker.transport.base import Deliver, TransportError
from broker.transport.redis.backoff import Backoff
from broker.transport.redis.connect import explain, open_connection
from broker.transport.redis.reading import Refused, SubscribedConnection
from broker.transport.url import ConnectionSettings

log = logging.getLogger(__name__)


class RedisSubscription:
    """Hears channels; connects and subscribes again by itself, and says so."""

    def __init__(
        self,
        settings: ConnectionSettings,
        channels: Sequence[bytes],
        deliver: Deliver,
        on_reconnect: Callable[[], None] | None = None,
    ) -> None:
        self._settings = settings
        self._channels = set(channels)
        self._deliver = deliver
        self._on_reconnect = on_reconnect
        self._connection: SubscribedConnection | None = None
        self._keeping: Task[None] | None = None

    async def open(self) -> None:
        """Connect and subscribe.

        Raises:
            TransportError: It could not.
        """
        self._connection = await self._connect()
        self._keeping = asyncio.create_task(self._keep(), name="redis subscription")

    async def _connect(self) -> SubscribedConnection:
        connection = SubscribedConnection(await open_connection(self._settings))
        try:
            await connection.subscribe(b"SUBSCRIBE", *sorted(self._channels))
        except (OSError, Refused) as error:
            await connection.close()
            raise explain(error, self._settings) from error
        return connection

    async def _keep(self) -> None:
        backoff = Backoff()
        while True:
            if self._connection is not None:
                reason = await self._connection.read(self._take)
                await self._connection.close()
                self._connection = None
                log.warning("%s: %s; connecting again", self._settings.redacted, reason)
            try:
                self._connection = await self._connect()
            except TransportError as error:
                log.warning("%s %s", error.message, error.advice)
                await asyncio.sleep(backoff.next_s())
                continue
            backoff.reset()
            if self._on_reconnect is not None:
                self._on_reconnect()

    def _take(self, frames: list[RawFrame]) -> None:
        for channel, body in frames:
            self._deliver(channel, body)

    async def add(self, channels: Sequence[bytes]) -> None:
        """Hear these as well."""
        new = [channel for channel in channels if channel not in self._channels]
        self._channels.update(new)
        if new and self._connection is not None:
            self._connection.send(b"SUBSCRIBE", *new)

    async def remove(self, channels: Sequence[bytes]) -> None:
        """Hear these no longer."""
        gone = [channel for channel in channels if channel in self._channels]
        self._channels.difference_update(gone)
        if gone and self._connection is not None:
            self._connection.send(b"UNSUBSCRIBE", *gone)

    async def close(self) -> None:
        """End the connection."""
        if self._keeping is not None:
            self._keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeping
        if self._connection is not None:
            await self._connection.close()
            self._connection = None
