"""How fast something grows, by MoleculerJS's rule: for each minute, half of what was and half of what is."""

from __future__ import annotations

from typing import Final

from broker.clock import SECOND

_INTERVAL_NS: Final = 5 * SECOND


class Rate:
    """The rate of one series.

    Attributes:
        per_min: Growth in a minute.
    """

    __slots__ = ("_last", "_last_ns", "per_min")

    def __init__(self, now_ns: int) -> None:
        self.per_min = 0.0
        self._last = 0.0
        self._last_ns = now_ns

    def is_due(self, now_ns: int) -> bool:
        """Whether five seconds have gone by since the last look."""
        return now_ns - self._last_ns >= _INTERVAL_NS

    def tick(self, value: float, now_ns: int) -> bool:
        """Look at the value.

        Returns:
            Whether the rate changed by enough to be told.
        """
        elapsed_s = (now_ns - self._last_ns) / SECOND
        now_per_min = (value - self._last) / elapsed_s * 60
        self._last, self._last_ns = value, now_ns
        rate = self.per_min + (now_per_min - self.per_min) * 0.5
        if abs(rate) < 0.05:
            rate = 0.0
        has_changed = abs(rate - self.per_min) > 0.01
        self.per_min = rate
        return has_changed
