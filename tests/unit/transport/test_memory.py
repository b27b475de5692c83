"""The bus in memory behaves as a bus does."""

from __future__ import annotations

import asyncio
import json

from broker.clock import ManualClock
from broker.transport.memory import MemoryBus


class Heard:
    """Keeps what it was fed."""

    def __init__(self) -> None:
        self.frames: list[tuple[int, bytes, bytes]] = []

    def feed(self, at_ns, frames):
        self.frames += [(at_ns, channel, body) for channel, body in frames]


def test_a_tap_hears_everything_with_its_moment_until_it_is_cancelled():
    async def story() -> list[tuple[int, bytes, bytes]]:
        bus, heard = MemoryBus(ManualClock(7)), Heard()
        tapping = asyncio.create_task(bus.tap().run(heard))
        await asyncio.sleep(0)
        publisher = bus.publisher()
        publisher.publish(b"MOL.REQ.a", b"1")
        publisher.publish(b"MOL-x.INFO", b"2")
        tapping.cancel()
        await asyncio.wait([tapping])
        publisher.publish(b"MOL.REQ.a", b"3")
        return heard.frames

    assert asyncio.run(story()) == [(7, b"MOL.REQ.a", b"1"), (7, b"MOL-x.INFO", b"2")]


def test_a_bus_that_goes_down_is_a_gap_and_loses_what_is_published():
    async def story() -> list[object]:
        bus, heard, back = MemoryBus(ManualClock()), Heard(), []
        tapping = asyncio.create_task(bus.tap().run(heard))
        await bus.subscribe([b"MOL.INFO"], lambda _channel, _body: None, lambda: back.append("back"))
        await asyncio.sleep(0)
        bus.go_down("pulled the plug")
        bus.publish(b"MOL.INFO", b"lost")
        bus.come_back()
        bus.publish(b"MOL.INFO", b"heard")
        tapping.cancel()
        await asyncio.wait([tapping])
        gaps = [json.loads(body) for _, channel, body in heard.frames if channel == b"@gap"]
        return [gaps, [body for _, channel, body in heard.frames if channel != b"@gap"], back]

    begin = {"phase": "begin", "reason": "pulled the plug", "advice": "", "retry_in_s": 0.0}
    assert asyncio.run(story()) == [[begin, {"phase": "end"}], [b"heard"], ["back"]]


def test_a_subscription_hears_its_channels_and_the_looker_sees_them():
    async def story() -> list[object]:
        bus, heard = MemoryBus(ManualClock()), []
        subscription = await bus.subscribe([b"MOL.REQ.a"], lambda channel, body: heard.append((channel, body)))
        await subscription.add([b"MOL.REQ.b"])
        await subscription.remove([b"MOL.REQ.a"])
        bus.publish(b"MOL.REQ.a", b"1")
        bus.publish(b"MOL.REQ.b", b"2")
        await asyncio.sleep(0)
        seen = await bus.looker().channels()
        await subscription.close()
        return [heard, seen, await bus.looker().channels()]

    assert asyncio.run(story()) == [[(b"MOL.REQ.b", b"2")], ["MOL.REQ.b"], []]


def test_keys_are_found_by_pattern():
    bus = MemoryBus(ManualClock())
    bus.stored = {"MOL-DSCVR-INFO:a": b"{}", "MOL-x-DSCVR-BEAT:b": b"{}", "other": b""}
    assert sorted(asyncio.run(bus.looker().keys("MOL*-DSCVR-*"))) == ["MOL-DSCVR-INFO:a", "MOL-x-DSCVR-BEAT:b"]
    assert list(asyncio.run(bus.looker().keys("MOL-DSCVR-INFO:*"))) == ["MOL-DSCVR-INFO:a"]
