"""One process of the shop: a node, its services and its share of the traffic."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from dataclasses import dataclass

from broker.agent.helper import Helper
from broker.demo.load import cause_traffic
from broker.demo.loop import loop_factory
from broker.demo.plan import NodePlan
from broker.demo.shop.house import House
from broker.node import Broker, BrokerOptions, CircuitBreakerPolicy


@dataclass(frozen=True, slots=True)
class ShopSettings:
    """What all processes of a shop share.

    Attributes:
        url: Of the bus.
        namespace: Of the mesh.
        opened_s: When the shop opened, in seconds of the monotonic clock.
        seed: Of all chance.
        rate: Calls a second between nodes, of the whole shop.
        pace: How many times faster troubles and deaths follow each other.
    """

    url: str
    namespace: str
    opened_s: float
    seed: int
    rate: float
    pace: float = 1.0

    def open_s(self) -> float:
        """How long the shop has been open, in seconds of its own time."""
        return (time.monotonic() - self.opened_s) * self.pace


def run_member(plan: NodePlan, settings: ShopSettings, ready_fd: int) -> None:
    """Be one node until SIGTERM comes or the parent is gone.

    Args:
        plan: Which node.
        settings: Of the shop.
        ready_fd: One byte is written to it when the node is up.
    """
    say_errors_only()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_be(plan, settings, ready_fd))


def say_errors_only() -> None:
    """Leave out what this process warns of: the troubles of the shop are made on purpose, and shown by the mesh."""
    logging.getLogger("broker").setLevel(logging.ERROR)


async def _be(plan: NodePlan, settings: ShopSettings, ready_fd: int) -> None:
    parent_pid = os.getppid()
    leave = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, leave.set)
    house = House(plan.node_id, settings.open_s, settings.seed)
    broker = Broker(plan.node_id, settings.url, settings.namespace, options=_options(plan, house))
    await broker.add(*(make(house) for make in plan.services), Helper())
    async with broker:
        os.write(ready_fd, b".")
        os.close(ready_fd)
        traffic = None
        if plan.journeys:
            traffic = asyncio.create_task(cause_traffic(broker, house, plan, settings.rate), name="traffic")
        while not leave.is_set() and os.getppid() == parent_pid:
            try:
                async with asyncio.timeout(1.0):
                    await leave.wait()
            except TimeoutError:
                continue
        if traffic is not None:
            traffic.cancel()
            await asyncio.gather(traffic, return_exceptions=True)


def _options(plan: NodePlan, house: House) -> BrokerOptions:
    def cpu_percent() -> float:
        busy = 30 * house.trouble("bank") if plan.node_id.startswith(("bank", "payments")) else 0.0
        return min(99.0, 6 + 8 * plan.share + busy + house.random.random() * 7)

    return BrokerOptions(
        request_timeout_s=5.0,
        circuit_breaker=CircuitBreakerPolicy(window_s=8.0),  # enabled where an action says so
        hostname=plan.host,
        ip_list=[plan.ip],
        metadata={"zone": "a" if plan.node_id.endswith("1") else "b"},
        heartbeat_interval_s=3.0,
        heartbeat_timeout_s=9.0,
        settle_s=0.05,
        info_delay_s=0.05,
        stop_timeout_s=0.5,
        cpu_percent=cpu_percent,
    )
