"""How a session asks without a line in anybody's error log, and looks without a burden for the server."""

from __future__ import annotations

import asyncio
from typing import Any

from broker.observe.journal import StateChange
from broker.probe.asking import Asker, Tongues
from broker.probe.looking import FEW_KEYS, LOOKS_BETWEEN_SEARCHES, NO_HEARTBEAT_LOOKS, Lookout
from broker.protocol.codec import decode
from broker.protocol.packets import Discover
from broker.protocol.serializers import serializer_of
from broker.transport.memory import MemoryBus
from tests.script import Script


def asked(*stories: Script) -> list[tuple[str, str, str | None]]:
    """What is sent after these stories: channel, version and serializer of each packet."""
    bus = MemoryBus()
    tongues = Tongues("us")
    asker = Asker(bus.publisher(), "us", tongues)
    for story in stories:
        for at_ns, frames in story.feeds():
            tongues.hear(at_ns, frames)
            asker.heard(tongues.take_new())
    found = []
    for channel, body in bus.published:
        packet = decode(channel, body)
        assert isinstance(packet, Discover)
        assert packet.sender == "us"
        found.append((channel.decode(), packet.ver, serializer_of(body)))
    return found


def test_a_mesh_of_one_protocol_is_asked_once_by_broadcast():
    story = Script(ver="5").heartbeat(0, "a").heartbeat(1, "b")
    assert asked(story) == [("MOL.DISCOVER", "5", "JSON")]


def test_a_mesh_that_writes_msgpack_is_asked_in_msgpack():
    assert asked(Script(ver="4", serializer="MsgPack").heartbeat(0, "a")) == [("MOL.DISCOVER", "4", "MsgPack")]


def test_in_a_mixed_mesh_each_newcomer_is_asked_by_itself_in_its_own_protocol():
    new = Script(ver="4").request(1, sender="old-1", target="n")
    assert asked(Script(ver="5").heartbeat(0, "a"), new) == [
        ("MOL.DISCOVER", "5", "JSON"),
        ("MOL.DISCOVER.old-1", "4", "JSON"),
    ]


def test_in_a_mixed_mesh_a_node_is_asked_that_is_never_the_first_on_a_channel():
    bus = MemoryBus()
    tongues = Tongues("us")
    asker = Asker(bus.publisher(), "us", tongues)
    for at_ns, frames in Script(ver="5").heartbeat(0, "a").feeds():
        tongues.hear(at_ns, frames)
    tongues.learn(
        [
            StateChange("node", "", "old-1", 1, {"protocol": "4"}, "packet"),
            StateChange("node", "", "gone-1", 1, {"protocol": "4"}, "catalogue"),
        ]
    )
    asker.heard(tongues.take_new())
    assert [channel for channel, _ in bus.published] == [b"MOL.DISCOVER.a", b"MOL.DISCOVER.old-1"]


class CountingLooker:
    """A server with so many keys, on which one node listens."""

    def __init__(self, keys: int, discoverer: dict[str, bytes] | None = None) -> None:
        self._keys = keys
        self._discoverer = discoverer or {}
        self.searches = 0

    async def channels(self) -> list[str]:
        return ["MOL.REQ.node-1"]

    async def keys(self, _pattern: str) -> dict[str, bytes]:
        self.searches += 1
        return self._discoverer

    async def clients(self) -> list[dict[str, str]]:
        return []

    async def server_info(self) -> dict[str, Any]:
        return {"db0": f"keys={self._keys},expires=0,avg_ttl=0"}

    async def close(self) -> None:
        pass


def searches(looker: CountingLooker, looks: int, *, hears_heartbeats: bool = False) -> int:
    lookout = Lookout(looker, lambda _frames: None)
    lookout.hears_heartbeats = hears_heartbeats

    async def look() -> None:
        for _ in range(looks):
            await lookout._look()

    asyncio.run(look())
    return looker.searches


def test_a_small_server_is_searched_for_discoverer_keys_now_and_then():
    assert searches(CountingLooker(10), LOOKS_BETWEEN_SEARCHES) == 1


def test_keys_that_are_there_are_read_at_every_look():
    assert searches(CountingLooker(10, {"MOL-DSCVR-INFO:a": b"{}"}), 5) == 5


def test_a_big_server_is_searched_only_when_nodes_listen_and_none_beats():
    assert searches(CountingLooker(FEW_KEYS + 1), NO_HEARTBEAT_LOOKS - 1) == 0
    assert searches(CountingLooker(FEW_KEYS + 1), NO_HEARTBEAT_LOOKS) == 1
    assert searches(CountingLooker(FEW_KEYS + 1), 50, hears_heartbeats=True) == 0
