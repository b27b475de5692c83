"""Causes the traffic of one node: journeys that begin at random moments, more of them in waves."""

from __future__ import annotations

import asyncio
import logging
import math

from broker.demo.plan import CALLS_PER_JOURNEY, NodePlan
from broker.demo.shop.house import House
from broker.node import Broker
from broker.node.errors import MoleculerError

log = logging.getLogger(__name__)

_WAVE_S = 47.0
_MOST_AT_ONCE = 400


async def cause_traffic(broker: Broker, house: House, plan: NodePlan, rate: float) -> None:
    """Begin journeys until cancelled.

    Args:
        broker: Of this node.
        house: Of this process.
        plan: Which journeys, and which part of all begins here.
        rate: Calls a second between nodes, of the whole shop.
    """
    journeys_per_s = rate / CALLS_PER_JOURNEY * plan.share
    actions = plan.journeys
    weights = [journey.share for journey in actions]
    under_way = 0

    async def make(action: str, params: dict[str, object]) -> None:
        nonlocal under_way
        try:
            await broker.call(action, params, timeout_s=8.0)
        except MoleculerError as error:
            log.debug("%s: %s", action, error)
        finally:
            under_way -= 1

    async with asyncio.TaskGroup() as tasks:
        while True:
            wave = 1 + 0.3 * math.sin(house.open_s() * math.tau / _WAVE_S)
            await asyncio.sleep(house.random.expovariate(journeys_per_s * wave))
            if under_way >= _MOST_AT_ONCE:
                continue
            under_way += 1
            journey = house.random.choices(actions, weights)[0]
            tasks.create_task(make(journey.action, dict(journey.params)))
