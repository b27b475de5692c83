"""What all services of the shop share: chance, time to think, and the weather."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable

from broker.demo.weather import Weather


class House:
    """Handed to every service of one process.

    Attributes:
        random: This process's own chance.
        open_s: How long the shop has been open, in seconds.
        node_id: Of this process.
    """

    def __init__(self, node_id: str, open_s: Callable[[], float], seed: int) -> None:
        """Furnish a process.

        Args:
            node_id: Of this process.
            open_s: How long the shop has been open, in seconds; the same in all processes.
            seed: Of all chance.
        """
        self.node_id = node_id
        self.random = random.Random(f"{seed}/{node_id}")
        self.open_s = open_s
        self._weather = Weather(seed)

    def trouble(self, service: str) -> float:
        """How bad things are for a service now, 0 to 1."""
        return self._weather.strength(service, self.open_s())

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.random.random() < probability

    async def think(self, median_ms: float, sigma: float = 0.45) -> None:
        """Take as long as work takes: log-normal around the median."""
        await asyncio.sleep(self.random.lognormvariate(math.log(median_ms), sigma) / 1000)
