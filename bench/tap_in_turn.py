"""A tap that stays connected, and hears nothing while it sleeps."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bench.bare import SLEEP, WAKE
from broker.clock import Clock
from broker.probe.door import UrlDoor
from broker.protocol.frame import FrameSink
from broker.transport.base import Tap
from broker.transport.redis.replies import pack
from broker.transport.redis.tap import RedisTap


class TapInTurn(RedisTap):
    """Awake at first. Whether it obeyed a signal the server knows: it answers as much to nobody who waits."""

    async def run(self, sink: FrameSink) -> None:
        """As any tap."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(SLEEP, self._send, b"PUNSUBSCRIBE")
        loop.add_signal_handler(WAKE, self._send, b"PSUBSCRIBE")
        await super().run(sink)

    def _send(self, command: bytes) -> None:
        if self._wire is not None:
            self._wire.write(pack(command, *(pattern.encode() for pattern in self._patterns)))


class DoorInTurn(UrlDoor):
    """By URL, to such a tap."""

    def tap(self, clock: Clock, namespaces: Sequence[str] | None) -> Tap:
        """A tap; it connects when it runs."""
        return TapInTurn(self._settings, clock, namespaces)
