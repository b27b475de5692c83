"""The node whose machine is least busy, by its heartbeats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from broker.node.strategies.base import E, Strategy, number, samples

if TYPE_CHECKING:
    from broker.node.context import Context


class CpuUsage(Strategy):
    """Of ``sampleCount`` (3) endpoints by chance the first below ``lowCpuUsage`` (10 %), else the lowest of them."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Take the two options."""
        super().__init__(options)
        self._sample_count = number(options, "sampleCount", 3)
        self._low_percent = number(options, "lowCpuUsage", 10)

    def select(self, endpoints: list[E], ctx: Context | None) -> E:
        """One that is not busy; any where nothing is known."""
        lowest: tuple[float, E] | None = None
        for endpoint in samples(endpoints, self._sample_count, self.random):
            percent = endpoint.node.cpu
            if not isinstance(percent, int | float):
                continue
            if percent < self._low_percent:
                return endpoint
            if lowest is None or percent < lowest[0]:
                lowest = (percent, endpoint)
        return super().select(endpoints, ctx) if lowest is None else lowest[1]
