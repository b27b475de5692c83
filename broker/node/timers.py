"""What happens later: the one way in which the node's policies ask the time and wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """Something that will happen later."""

    def cancel(self) -> None:
        """Not any more."""
        ...


class Timers(Protocol):
    """A monotonic clock, and what waits on it; handed in, so that a test says what time it is."""

    def now_s(self) -> float:
        """The moment in seconds; only differences mean something."""
        ...

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Timer:
        """Call something after so many seconds."""
        ...

    async def sleep(self, delay_s: float) -> None:
        """Wait so many seconds."""
        ...


class LoopTimers:
    """The monotonic clock and the running event loop's timers."""

    def __init__(self) -> None:
        # as an attribute it costs a call less; uvloop's own clock counts whole milliseconds
        self.now_s = time.monotonic

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Timer:
        """Call something after so many seconds."""
        return asyncio.get_running_loop().call_later(delay_s, callback)

    async def sleep(self, delay_s: float) -> None:
        """Wait so many seconds."""
        await asyncio.sleep(delay_s)


class Repeating:
    """Something that happens at a steady pace, from ``start`` to ``stop``."""

    def __init__(self, timers: Timers, every_s: float, callback: Callable[[], None]) -> None:
        """Make it; nothing happens yet.

        Args:
            timers: The clock.
            every_s: Between two calls.
            callback: Called first ``every_s`` after the start.
        """
        self._timers = timers
        self._every_s = every_s
        self._callback = callback
        self._timer: Timer | None = None

    def start(self) -> None:
        """Begin, if it did not yet."""
        if self._timer is None:
            self._timer = self._timers.call_later(self._every_s, self._turn)

    def stop(self) -> None:
        """No timer is left."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _turn(self) -> None:
        self._timer = self._timers.call_later(self._every_s, self._turn)
        self._callback()
