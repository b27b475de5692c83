"""Hearing some channels, for a node."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from broker.transport.base import Deliver, TransportError
from broker.transport.redis.connect import open_connection
from broker.transport.redis.keep import KeptWire
from broker.transport.redis.wire import Refused, Wire
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
        on_lost: Callable[[], None] | None = None,
    ) -> None:
        """Begin without a connection.

        Args:
            settings: Where the server is.
            channels: To hear from the start.
            deliver: Given channel and body of everything heard; an exception of it is logged.
            on_reconnect: Called each time all channels are heard again after a gap.
            on_lost: Called each time a gap begins.
        """
        self._settings = settings
        self._channels = dict.fromkeys(channels)
        self._deliver = deliver
        self._kept = KeptWire(
            settings, self._connect, name="redis subscription", on_again=on_reconnect, on_lost=on_lost
        )
        self._turn = asyncio.Lock()

    @property
    def is_heard(self) -> bool:
        """Whether the channels are heard now; between a lost connection and the next they are not."""
        return self._kept.is_open

    async def open(self) -> None:
        """Connect and subscribe.

        Raises:
            TransportError: It could not.
        """
        await self._kept.open()

    async def _connect(self) -> Wire:
        async with self._turn:
            wire = Wire(await open_connection(self._settings))
            try:
                await wire.subscribe(b"SUBSCRIBE", list(self._channels))
            except BaseException as error:
                await wire.close()
                if isinstance(error, Refused):
                    raise self._forbidden(error) from error
                raise
            wire.deliver_each(self._deliver)
            return wire

    async def add(self, channels: Sequence[bytes]) -> None:
        """Hear these as well; they are heard when this returns, or, while the connection is lost, when it is back.

        Raises:
            TransportError: The server refused.
        """
        new = [channel for channel in channels if channel not in self._channels]
        self._channels.update(dict.fromkeys(new))
        await self._change(b"SUBSCRIBE", new)

    async def remove(self, channels: Sequence[bytes]) -> None:
        """Hear these no longer."""
        gone = [channel for channel in channels if channel in self._channels]
        for channel in gone:
            del self._channels[channel]
        await self._change(b"UNSUBSCRIBE", gone)

    async def _change(self, command: bytes, channels: Sequence[bytes]) -> None:
        async with self._turn:
            wire = self._kept.wire
            if wire is None:
                return
            try:
                await wire.subscribe(command, channels)
            except Refused as refusal:
                raise self._forbidden(refusal) from refusal
            except TransportError:
                if wire.is_open:
                    raise

    def _forbidden(self, refusal: Refused) -> TransportError:
        advice = "Let its ACL allow +subscribe, +unsubscribe and the mesh's channels, for instance &MOL*."
        return TransportError(
            f"{self._settings.who} of {self._settings.redacted} may not hear a node's channels: {refusal}.",
            advice,
            retriable=False,
        )

    async def close(self) -> None:
        """End the connection."""
        await self._kept.close()
