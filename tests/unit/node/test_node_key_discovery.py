"""Nodes that find each other by keys, on a bus in memory with a clock set by hand."""

import json

from broker.clock import SECOND, ManualClock
from broker.node import Broker, BrokerOptions
from broker.node.discovering import RedisDiscoverer
from broker.transport.memory import MemoryBus
from tests.timers import ManualTimers
from tests.unit.node.nodes import QUICK, Math, story, until


class Mesh:
    """A bus with keys, whose time passes for all at once."""

    def __init__(self) -> None:
        self.clock, self.timers = ManualClock(), ManualTimers()
        self.bus = MemoryBus(self.clock)

    def node(self, node_id: str) -> Broker:
        discoverer = RedisDiscoverer(self.bus, full_check=1)
        options = BrokerOptions(**QUICK, discoverer=discoverer, cpu_percent=lambda: 42.0)
        return Broker(node_id, self.bus, "prod", options=options, timers=self.timers, clock=self.clock)

    async def pass_s(self, duration_s: int) -> None:
        for _ in range(duration_s):
            self.clock.at_ns += SECOND
            await self.timers.advance(1.0)

    def stored(self) -> list[str]:
        return sorted(self.bus.stored)


@story
async def test_nodes_find_and_call_each_other_by_keys_alone():
    mesh = Mesh()
    async with mesh.node("a") as a, mesh.node("b") as b:
        await b.add(Math())
        await mesh.pass_s(25)
        assert a.registry.has_service("v2.math")
        assert await a.call("v2.math.add", {"a": 1, "b": 2}) == 3
        assert a.registry.nodes["b"].cpu == 42
        assert {channel.split(b".")[1] for channel, _ in mesh.bus.published} == {b"REQ", b"RES"}
        info, beat = json.loads(mesh.bus.stored["MOL-prod-DSCVR-INFO:b"]), f"MOL-prod-DSCVR-BEAT:b|{b.instance_id[:8]}"
        assert (info["ver"], info["sender"], info["seq"]) == ("5", "b", b.registry.local.seq)
        assert json.loads(mesh.bus.stored[f"{beat}|{info['seq']}"]) == {
            "sender": "b",
            "ver": "5",
            "cpu": 42,
            "seq": info["seq"],
            "instanceID": b.instance_id,
        }
        assert len(mesh.stored()) == 4


@story
async def test_who_leaves_takes_his_keys_along_and_who_dies_is_missed_when_his_beat_is_over():
    mesh = Mesh()
    async with mesh.node("a") as a:
        async with mesh.node("b"):
            await mesh.pass_s(12)
            assert a.registry.nodes["b"].available
        await until(lambda: not a.registry.nodes["b"].available)
        assert [name.split(":")[1][:1] for name in mesh.stored()] == ["a", "a"]
        mesh.bus.stored |= {
            "MOL-prod-DSCVR-INFO:dead": b'{"ver":"4","sender":"dead","services":[],"instanceID":"12345678-x","seq":3}',
            "MOL-prod-DSCVR-BEAT:dead|12345678|3": b"{}",
            "MOL-prod-DSCVR-BEAT:odd": b"{}",
            "MOL-prod-DSCVR-BEAT:mute|1|1": b"\xff",
        }
        mesh.bus.gone_at_ns["MOL-prod-DSCVR-BEAT:dead|12345678|3"] = mesh.clock.at_ns + 30 * SECOND
        await mesh.pass_s(15)
        assert a.registry.nodes["dead"].available
        assert a.registry.nodes["dead"].protocol == "4"
        await mesh.pass_s(30)
        assert not a.registry.nodes["dead"].available
        assert "mute" not in a.registry.nodes


@story
async def test_a_store_that_was_away_is_told_anew_who_we_are():
    mesh, told = Mesh(), []
    async with mesh.node("a") as a:
        a.local_bus.on("$discoverer.error", lambda data: told.append((data["module"], data["type"])))
        await mesh.pass_s(2)
        mesh.bus.go_down()
        await mesh.pass_s(15)
        mesh.bus.stored.clear()
        mesh.bus.come_back()
        await mesh.pass_s(15)
        assert [name.split("-")[3].split(":")[0] for name in mesh.stored()] == ["BEAT", "INFO"]
    assert told[0] == ("discoverer", "failedKeyScan")
