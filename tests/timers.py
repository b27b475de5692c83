"""A clock for a node's policies that a test sets by hand."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable


async def settle() -> None:
    """Let everything happen that needs no time: until nothing is left for the loop to do now.

    Two at once wait for each other.
    """
    ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined] # asyncio says it nowhere else
    await asyncio.sleep(0)
    while ready:  # noqa: ASYNC110 - nobody tells when it is empty
        await asyncio.sleep(0)


class ManualTimer:
    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback = callback
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


class ManualTimers:
    """Time passes only in ``advance``; what is due then happens in its order, each thing with all that follows."""

    def __init__(self) -> None:
        self.at_s = 0.0
        self._order = itertools.count()
        self._heap: list[tuple[float, int, ManualTimer]] = []

    def now_s(self) -> float:
        return self.at_s

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> ManualTimer:
        timer = ManualTimer(callback)
        # to the nanosecond, lest 0.1 + 0.2 be later than 0.3
        heapq.heappush(self._heap, (round(self.at_s + max(delay_s, 0.0), 9), next(self._order), timer))
        return timer

    async def sleep(self, delay_s: float) -> None:
        woken = asyncio.get_running_loop().create_future()
        timer = self.call_later(delay_s, lambda: None if woken.done() else woken.set_result(None))
        try:
            await woken
        finally:
            timer.cancel()

    @property
    def waiting(self) -> list[float]:
        """When what still waits is due."""
        return sorted(at_s for at_s, _, timer in self._heap if not timer.is_cancelled)

    async def advance(self, duration_s: float) -> None:
        until_s = round(self.at_s + duration_s, 9)
        await settle()
        while self._heap and self._heap[0][0] <= until_s:
            due_s, _, timer = heapq.heappop(self._heap)
            if not timer.is_cancelled:
                self.at_s = max(self.at_s, due_s)
                timer.callback()
                await settle()
        self.at_s = until_s
