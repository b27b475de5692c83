"""A connection that is made again by itself."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from broker.transport.base import TransportError
from broker.transport.redis.backoff import Backoff
from broker.transport.redis.wire import Wire
from broker.transport.url import ConnectionSettings

log = logging.getLogger(__name__)


class KeptWire:
    """Connects, and connects again whenever the connection ends.

    Attributes:
        wire: The connection; None while there is none.
    """

    def __init__(
        self,
        settings: ConnectionSettings,
        connect: Callable[[], Awaitable[Wire]],
        *,
        name: str,
        on_again: Callable[[], None] | None = None,
        on_lost: Callable[[], None] | None = None,
    ) -> None:
        """Begin without a connection.

        Args:
            settings: Where the server is, for the log.
            connect: Gives a connection that is ready for use, or raises TransportError.
            name: Of the task that waits for its end.
            on_again: Called each time there is one again.
            on_lost: Called each time there is none any more.
        """
        self.wire: Wire | None = None
        self._settings = settings
        self._connect = connect
        self._name = name
        self._on_again = on_again
        self._on_lost = on_lost
        self._keeping: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is a connection now."""
        return self.wire is not None and self.wire.is_open

    async def open(self) -> None:
        """Connect.

        Raises:
            TransportError: It could not.
        """
        self.wire = await self._connect()
        self._keeping = asyncio.create_task(self._keep(), name=self._name)

    async def _keep(self) -> None:
        backoff = Backoff()
        while True:
            if self.wire is not None:
                reason = await self.wire.ended()
                self.wire = None
                log.warning("%s: %s", self._settings.redacted, reason)
                if self._on_lost is not None:
                    self._on_lost()
            try:
                self.wire = await self._connect()
            except TransportError as error:
                log.warning("%s %s", error.message, error.advice)
                await asyncio.sleep(backoff.next_s() if error.retriable else backoff.most_s())
                continue
            backoff.reset()
            if self._on_again is not None:
                self._on_again()

    async def close(self) -> None:
        """End the connection."""
        if self._keeping is not None:
            self._keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeping
            self._keeping = None
        wire, self.wire = self.wire, None
        if wire is not None:
            await wire.close()
