"""A node under 100,000 hostile packets, and a node through simulated days."""

import itertools
import json
import random
from itertools import islice

import pytest

from broker.node import Broker, BrokerOptions, CircuitBreakerPolicy, RetryPolicy
from broker.node.errors import MoleculerError
from broker.protocol.channels import channel_name
from broker.transport.memory import MemoryBus
from tests.timers import ManualTimers, settle
from tests.unit.node.nodes import QUICK, Math, Shop, mesh, story
from tests.unit.protocol.test_hostile_frames import KINDS

OF_EACH_KIND = 20_000


@story
async def test_a_node_under_100_000_hostile_packets_goes_on_serving():
    async with mesh(("a",), ("b", Math(), Shop())) as (a, b):
        taken = 0
        for make, _ in KINDS.values():
            frames = make(random.Random(3), OF_EACH_KIND)
            while some := list(islice(frames, 2000)):
                for channel, body in some:
                    b._wire.receive(channel_name(*channel), body)
                taken += len(some)
                assert await a.call("v2.math.add", {"a": taken, "b": 1}, timeout_s=5.0) == taken + 1
                assert await b.call("shop.sum", {"a": 1, "b": 2}, timeout_s=5.0) == 3
        assert taken == 100_000
        assert b._wire.malformed > 10_000
        assert (a.requesting.waiting, b.requesting.waiting) == (0, 0)
        for node_id in [*b.registry.nodes]:
            if node_id not in ("a", "b"):
                b.node_gone(node_id, unexpected=True)
        b._look_at_streams()
        b._look_at_streams()
        assert b.serving.receiving == 0


def info(node_id: str, instance: int, *services: dict) -> bytes:
    about = {"ver": "5", "sender": node_id, "services": services, "instanceID": f"i{instance}", "seq": 2}
    return json.dumps(about | {"hostname": f"host-{instance}", "ipList": [], "client": {}, "config": {}}).encode()


def shop_of(number: int) -> dict:
    """A service with an action and an event that all have, and some that only this one has."""
    names = [f"shop.{name}" for name in ("get", f"get-{number}")]
    actions = {name: {"name": name, "rawName": name[5:], "strategy": "Shard"} for name in names}
    events = {name: {"name": name} for name in ("order.*", f"order.{number}.**")}
    return {"name": "shop", "fullName": "shop", "settings": {}, "metadata": {}, "actions": actions, "events": events}


def sizes(broker: Broker) -> dict[str, int]:
    """Of all that could grow."""
    return {
        "nodes": len(broker.registry.nodes),
        "actions": len(broker.registry.actions),
        "events": len(broker.registry.event_lists),
        "matching": len(broker.registry._matching),
        "waiting": broker.requesting.waiting,
        "streams": broker.serving.receiving,
        "tasks": len(broker.tasks._running),
        "protocols": len(broker._wire.protocols),
        "pings": len(broker.pings._waiting),
        "hosts": len(broker._pinging.latencies({})._hosts),
    }


async def one_hour(broker: Broker, bus: MemoryBus, timers: ManualTimers, numbers) -> None:
    """Three nodes come; one says goodbye, one falls silent, one is started anew under its id and then killed."""
    leaving, dying, again = (f"pod-{next(numbers)}" for _ in range(3))
    for node_id in (leaving, dying, again):
        number = int(node_id[4:])
        bus.publish(b"MOL.INFO", info(node_id, number, shop_of(number)))
    await settle()
    for node_id in (leaving, dying, again):
        broker.tasks.spawn(_ignored(broker.call("shop.get", {"k": node_id}, node_id=node_id, timeout_s=30.0)), "call")
        broker.pings.send(node_id)
    await broker.broadcast(f"order.{leaving}.new", 1)
    stream = {"ver": "5", "sender": dying, "id": f"s-{dying}", "action": "v2.math.total", "stream": True, "seq": 0}
    bus.publish(b"MOL.REQ.me", json.dumps(stream).encode())
    bus.publish(b"MOL.INFO", info(again, next(numbers), shop_of(int(again[4:]))))
    await timers.advance(60)
    bus.publish(b"MOL.DISCONNECT", json.dumps({"ver": "5", "sender": leaving}).encode())
    bus.publish(b"MOL.RES.me", json.dumps({"ver": "5", "sender": leaving, "id": "orphan", "success": True}).encode())
    await timers.advance(3540)


async def _ignored(call) -> None:
    with pytest.raises(MoleculerError):
        await call


@story
async def test_days_of_nodes_that_come_and_go_leave_nothing_behind():
    bus, timers, numbers = MemoryBus(), ManualTimers(), itertools.count()
    options = BrokerOptions(
        **QUICK,
        heartbeat_interval_s=300,
        heartbeat_timeout_s=900,
        strategy="Latency",
        retry=RetryPolicy(enabled=True),
        circuit_breaker=CircuitBreakerPolicy(enabled=True),
    )
    async with Broker("me", bus, options=options, timers=timers) as broker:
        await broker.add(Math())
        broker._pinging.latencies({"pingInterval": 600})
        for _ in range(6):
            await one_hour(broker, bus, timers, numbers)
        after_hours = sizes(broker)
        for _ in range(72):
            await one_hour(broker, bus, timers, numbers)
            bus.published.clear()
        await timers.advance(3600)
        after_days = sizes(broker)
        assert all(after_days[name] <= after_hours[name] + 1 for name in after_hours if name != "protocols"), after_days
        assert after_days["protocols"] <= 10_000
        assert len(broker.breakers._circuits) <= 3
