"""When a helper tells its list: soon after something changed, and from time to time in any case."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from broker.node.timers import Timer, Timers

LEAST_GAP_S: Final = 0.2
"""Between two tellings, however much changes; the last change is always told."""
EVERY_S: Final = 10.0
PACKETS_A_SECOND: Final = 30.0
"""That all helpers of a mesh together send in a quiet time, at most."""


def period_s(packets: int) -> float:
    """How long a helper waits between its regular tellings.

    Args:
        packets: What all helpers of the mesh send when each tells its list once.
    """
    return max(EVERY_S, packets / PACKETS_A_SECOND)


class Pace:
    """Calls ``tell`` at the right moments, from ``start`` to ``stop``."""

    def __init__(self, timers: Timers, tell: Callable[[], None], count_packets: Callable[[], int]) -> None:
        self._timers = timers
        self._tell = tell
        self._count_packets = count_packets
        self._timer: Timer | None = None
        self._due_s = 0.0
        self._told_s: float | None = None

    def start(self) -> None:
        """Tell now, and then regularly."""
        self._turn()

    def stop(self) -> None:
        """No timer is left."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def changed(self) -> None:
        """Something changed: tell it in the next turn of the loop, with what else changes until then."""
        if self._timer is None or self._told_s is None:
            return  # not started, or over
        self._wait_until(max(self._timers.now_s(), self._told_s + LEAST_GAP_S))

    def _turn(self) -> None:
        self._tell()
        self._told_s = self._timers.now_s()
        self._timer = None
        self._wait_until(self._told_s + period_s(self._count_packets()))

    def _wait_until(self, due_s: float) -> None:
        if self._timer is not None:
            if self._due_s <= due_s:
                return
            self._timer.cancel()
        self._due_s = due_s
        self._timer = self._timers.call_later(due_s - self._timers.now_s(), self._turn)
