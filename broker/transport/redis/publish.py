"""Sending packets, on one connection: of a busy one all of one turn of the loop leave in one write.

On a quiet one each leaves at once: to wait for company that does not come, or
only to look for it at the end of the turn, costs each call a turn.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from broker.transport.base import TransportError
from broker.transport.redis.connect import open_connection
from broker.transport.redis.keep import KeptWire
from broker.transport.redis.wire import Wire
from broker.transport.url import ConnectionSettings

log = logging.getLogger(__name__)

PUBLISH: Final = b"*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n"
WHILE_S: Final = 0.001
MOST_ALONE: Final = 8
"""With so many packets within WHILE_S a connection is busy; after so many turns of one packet it is quiet."""
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
        self._loop = asyncio.get_running_loop()
        self._kept = KeptWire(settings, self._connect, name="redis publisher")
        self._waiting: list[bytes] = []
        self._is_quiet = True
        self._since_s = 0.0
        self._alone = MOST_ALONE
        self._turn_packets = 0
        self._quiet_turns = 0
        self._refusal = ""
        self.lost = 0
        self.refused = 0

    @property
    def is_connected(self) -> bool:
        """Whether what is published now is sent."""
        return self._kept.is_open

    async def open(self) -> None:
        """Connect.

        Raises:
            TransportError: It could not.
        """
        await self._kept.open()

    async def _connect(self) -> Wire:
        wire = Wire(await open_connection(self._settings), rests=True)
        wire.on_refusal = self._was_refused
        return wire

    def _was_refused(self, refusal: str) -> None:
        self.refused += 1
        if not self._refusal:
            log.warning("%s refused a packet: %s", self._settings.redacted, refusal)
        self._refusal = refusal

    def publish(self, channel: bytes, body: bytes) -> None:
        """Put a packet out; it leaves now, or on a busy connection with everything else of this turn of the loop."""
        command = PUBLISH % (len(channel), channel, len(body), body)
        if not self._is_quiet:
            self._waiting.append(command)
            self._turn_packets += 1
            if self._turn_packets == 1:
                self._loop.call_soon(self._end_turn)
            return
        wire = self._kept.wire
        if wire is not None and not wire.is_full and not wire.transport.is_closing():
            wire.transport.write(command)
        elif wire is None or not wire.offer(command, MOST_WAITING_BYTES):
            self.lost += 1
        self._alone -= 1
        if self._alone == 0:
            self._alone, since_s, self._since_s = MOST_ALONE, self._since_s, self._loop.time()
            self._is_quiet = self._since_s - since_s > WHILE_S

    def _end_turn(self) -> None:
        self._quiet_turns = self._quiet_turns + 1 if self._turn_packets == 1 else 0
        self._turn_packets = 0
        if self._quiet_turns >= MOST_ALONE:
            self._is_quiet, self._quiet_turns = True, 0
        self._flush()

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        wire = self._kept.wire
        if waiting and (wire is None or not wire.offer(b"".join(waiting), MOST_WAITING_BYTES)):
            self.lost += len(waiting)

    async def drain(self) -> None:
        """Wait while too much is waiting to leave."""
        self._flush()
        if self._kept.wire is not None:
            await self._kept.wire.drain()

    async def confirm(self) -> None:
        """Wait until the server has taken all that was published.

        Raises:
            TransportError: It refused some of it since we were last asked, or is gone.
        """
        lost_before = self.lost
        self._flush()
        wire = self._kept.wire
        if wire is None or self.lost > lost_before:
            text = f"{self._settings.redacted} did not take what was sent: the connection is lost."
            raise TransportError(text, "It is being made again; then try again.")
        await wire.fence()
        refusal, self._refusal = self._refusal, ""
        if refusal:
            raise self._forbidden(refusal)

    def _forbidden(self, refusal: str) -> TransportError:
        where = self._settings.redacted
        if "NOPERM" in refusal:
            return TransportError(
                f"{self._settings.who} of {where} may not publish there.",
                "Let its ACL allow +publish and &MOL*.",
                retriable=False,
            )
        return TransportError(f"{where} refused what was sent: {refusal}.", "See the server's log.")

    async def close(self) -> None:
        """Send what waits, then end the connection."""
        self._flush()
        await self._kept.close()
