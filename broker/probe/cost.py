"""What the probe itself costs."""

from __future__ import annotations

from typing import Final

import psutil

from broker.clock import SECOND, Clock, SystemClock

_OVER_NS: Final = SECOND


class Cost:
    """CPU and memory of this process."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._process = psutil.Process()
        self._process.cpu_percent()
        self._asked_ns = self._clock.now_ns()
        self._percent = 0.0
        self._resident = int(self._process.memory_info().rss)

    def cpu_percent(self) -> float:
        """Of one core, over about the last second; asked more often, the same again."""
        now_ns = self._clock.now_ns()
        if now_ns - self._asked_ns >= _OVER_NS:
            self._percent = float(self._process.cpu_percent())
            self._resident = int(self._process.memory_info().rss)
            self._asked_ns = now_ns
        return self._percent

    def memory_bytes(self) -> int:
        """What was resident when `cpu_percent` last looked."""
        return self._resident
