"""Sending packets: all of one turn of the loop leave in one write, on one connection."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Final

from broker.transport.base import TransportError
from broker.transport.redis.backoff import Backoff
from broker.transport.redis.connect import open_connection
from broker.transport.redis.wire import Wire
from broker.transport.url import ConnectionSettings

log = logging.getLogger(__name__)

PUBLISH: Final = b"*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n"
MOST_WAITING_BYTES: Final = 1 << 26
"""Beyond this, what is published is lost: the server takes nothing any more."""


class RedisPublisher:
    """Publishes. What is published while the connection is lost is lost too, and counted.

    Attributes:
        lost: Packets that could not be sent.
        refused: Packets that the server refused.
    """

    def __init__(self, settings: ConnectionSettings) -> None:
        """Begin without a connection."""
        self._settings = settings
        self._wire: Wire | None = None
        self._waiting: list[bytes] = []
        self._keeping: asyncio.Task[None] | None = None
        self._refusal = ""
        self.lost = 0
        self.refused = 0

    @property
    def is_connected(self) -> bool:
        """Whether what is published now is sent."""
        return self._wire is not None and self._wire.is_open

    async def open(self) -> None:
        """Connect.

        Raises:
            TransportError: It could not.
        """
        self._use(Wire(await open_connection(self._settings)))
        self._keeping = asyncio.create_task(self._keep(), name="redis publisher")

    def _use(self, wire: Wire) -> None:
        wire.on_refusal = self._was_refused
        self._wire = wire

    async def _keep(self) -> None:
        """Connect again whenever the connection ends."""
        backoff = Backoff()
        while True:
            if self._wire is not None:
                reason = await self._wire.ended()
                self._wire = None
                log.warning("%s: %s", self._settings.redacted, reason)
            try:
                self._use(Wire(await open_connection(self._settings)))
                backoff.reset()
            except TransportError as error:
                log.warning("%s %s", error.message, error.advice)
                await asyncio.sleep(backoff.next_s() if error.retriable else backoff.most_s())

    def _was_refused(self, refusal: str) -> None:
        self.refused += 1
        if not self._refusal:
            log.warning("%s refused a packet: %s", self._settings.redacted, refusal)
        self._refusal = refusal

    def publish(self, channel: bytes, body: bytes) -> None:
        """Put a packet out; it leaves with everything else of this turn of the loop."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._flush)
        self._waiting.append(PUBLISH % (len(channel), channel, len(body), body))

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        wire = self._wire
        if wire is None or not wire.is_open or wire.waiting_bytes > MOST_WAITING_BYTES:
            self.lost += len(waiting)
        elif waiting:
            wire.write(b"".join(waiting))

    async def drain(self) -> None:
        """Wait while too much is waiting to leave."""
        self._flush()
        if self._wire is not None:
            await self._wire.drain()

    async def confirm(self) -> None:
        """Wait until the server has taken all that was published.

        Raises:
            TransportError: It refused some of it since we were last asked, or is gone.
        """
        lost_before = self.lost
        self._flush()
        if self._wire is None or self.lost > lost_before:
            text = f"{self._settings.redacted} did not take what was sent: the connection is lost."
            raise TransportError(text, "It is being made again; then try again.")
        await self._wire.fence()
        refusal, self._refusal = self._refusal, ""
        if refusal:
            raise self._forbidden(refusal)

    def _forbidden(self, refusal: str) -> TransportError:
        who = f"The user '{self._settings.username}'" if self._settings.username else "The default user"
        where = self._settings.redacted
        if "NOPERM" in refusal:
            return TransportError(
                f"{who} of {where} may not publish there.", "Let its ACL allow +publish and &MOL*.", retriable=False
            )
        return TransportError(f"{where} refused what was sent: {refusal}.", "See the server's log.")

    async def close(self) -> None:
        """Send what waits, then end the connection."""
        self._flush()
        if self._keeping is not None:
            self._keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeping
            self._keeping = None
        wire, self._wire = self._wire, None
        if wire is not None:
            await wire.close()
