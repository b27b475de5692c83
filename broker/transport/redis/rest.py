"""Letting a server's answers wait a little: who publishes need not wake up for each of them."""

from __future__ import annotations

import asyncio
from typing import Final

REST_S: Final = 0.02
"""So long what arrives behind something that was read waits. A lost connection may be noticed so much later."""


class Rest:
    """Pauses the reading of a connection each time something was read, unless somebody waits for an answer.

    A server answers every packet. While calls go one by one, reading each
    answer at once doubles how often both sides of a call wake up.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        """Begin awake.

        Args:
            transport: Is reading.
        """
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._waking: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Something was read: read on in a while."""
        if self._waking is None and not self._transport.is_closing():
            self._transport.pause_reading()
            self._waking = self._loop.call_later(REST_S, self.end)

    def end(self) -> None:
        """Read on now."""
        if self._waking is not None:
            self._waking.cancel()
            self._waking = None
            if not self._transport.is_closing():
                self._transport.resume_reading()
