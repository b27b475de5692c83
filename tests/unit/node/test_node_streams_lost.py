"""Packets of streams get lost where a connection is cut: who reads learns of it, and nothing is waited for forever."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from broker.node import Broker, BrokerOptions
from broker.node.errors import MoleculerError
from broker.node.streaming import IncomingStream
from broker.transport.memory import MemoryBus
from tests.timers import ManualTimers, settle
from tests.unit.node.nodes import QUICK, Math, story

LOOKS_S = 20.0
"""Long enough for two looks."""


class Alone:
    """A node of ours whose neighbour "far" is played by the test."""

    def __init__(self, bus: MemoryBus, timers: ManualTimers, broker: Broker) -> None:
        self.bus, self.timers, self.broker = bus, timers, broker

    def say(self, kind: str, **fields: Any) -> None:
        self.bus.publish(f"MOL.{kind}.me".encode(), json.dumps({"ver": "5", "sender": "far", **fields}).encode())

    def gives(self, seq: int, *, stream: bool = True, **fields: Any) -> None:
        """A packet of the answer to our only request."""
        data = {"type": "Buffer", "data": [seq]} if seq else None
        self.say("RES", **{"id": self.asked(), "success": True, "data": data, "stream": stream, "seq": seq, **fields})

    def asks(self, seq: int, *, stream: bool = True) -> None:
        """A packet of a streamed request of far's."""
        params = {"type": "Buffer", "data": [seq]} if seq else {}
        self.say("REQ", id="theirs", action="v2.math.total", params=params, stream=stream, seq=seq)

    def asked(self) -> str:
        [body] = [body for channel, body in self.bus.published if channel == b"MOL.REQ.far"]
        return str(json.loads(body)["id"])

    async def call(self) -> IncomingStream:
        """Our request, answered by the opener of a stream and one chunk."""
        calling = asyncio.create_task(self.broker.call("files.give"))
        await settle()
        self.gives(0)
        self.gives(1)
        stream = await calling
        assert isinstance(stream, IncomingStream)
        assert await anext(stream) == b"\1"
        return stream

    def left_over(self) -> list[int]:
        requesting, serving = self.broker.requesting, self.broker.serving
        return [requesting.waiting, requesting.receiving, serving.receiving]


@asynccontextmanager
async def alone() -> AsyncIterator[Alone]:
    bus, timers = MemoryBus(), ManualTimers()
    options = BrokerOptions(**QUICK, heartbeat_timeout_s=3600, max_unread_bytes=100)  # type: ignore[arg-type]
    async with Broker("me", bus, options=options, timers=timers) as broker:
        await broker.add(Math())
        made = Alone(bus, timers, broker)
        give = {"name": "files.give", "rawName": "give"}
        files = {"name": "files", "fullName": "files", "settings": {}, "actions": {"files.give": give}, "events": {}}
        made.say("INFO", services=[files], instanceID="i", seq=1, hostname="h", ipList=[], client={}, config={})
        await settle()
        yield made


@story
async def test_a_lost_packet_ends_the_stream_of_who_reads_it() -> None:
    async with alone() as me:
        stream = await me.call()
        me.gives(3)
        await me.timers.advance(LOOKS_S)
        with pytest.raises(MoleculerError, match="packet 2 of a stream was lost") as caught:
            await anext(stream)
        assert caught.value.type == "STREAM_TORN"
        assert me.left_over() == [0, 0, 0]


@story
async def test_a_packet_that_comes_between_two_looks_was_only_late() -> None:
    async with alone() as me:
        stream = await me.call()
        for seq in range(2, 20, 2):
            me.gives(seq + 1)
            await me.timers.advance(LOOKS_S / 2)
            me.gives(seq)
        me.gives(20, stream=False)
        assert b"".join([chunk async for chunk in stream]) == bytes(range(2, 20))
        assert me.left_over() == [0, 0, 0]


@story
async def test_a_stream_whose_sender_is_slow_is_read_for_hours() -> None:
    async with alone() as me:
        stream = await me.call()
        await me.timers.advance(3000)
        me.gives(2)
        assert await anext(stream) == b"\2"


@story
async def test_an_answer_that_nobody_reads_any_more_is_not_waited_for_forever() -> None:
    async with alone() as me:
        stream = await me.call()
        del stream
        assert me.left_over() == [1, 1, 0]
        await me.timers.advance(LOOKS_S)
        assert me.left_over() == [0, 0, 0]
        me.gives(2)
        await settle()
        assert me.left_over() == [0, 0, 0]


@story
async def test_an_answer_that_was_read_too_slowly_is_forgotten_when_the_connection_was_cut() -> None:
    async with alone() as me:
        stream = await me.call()
        me.gives(2, data={"type": "Buffer", "data": [0] * 101})
        await settle()
        assert me.left_over() == [1, 1, 0]
        me.bus.go_down()
        me.bus.come_back()
        assert me.left_over() == [0, 0, 0]
        with pytest.raises(MoleculerError, match="read too slowly"):
            [chunk async for chunk in stream]


@story
async def test_a_failure_that_is_no_part_of_the_stream_ends_it_and_a_second_answer_does_not() -> None:
    async with alone() as me:
        stream = await me.call()
        me.say("RES", id=me.asked(), success=True, data=5)
        me.gives(2)
        assert await anext(stream) == b"\2"
        me.say("RES", id=me.asked(), success=False, error={"name": "MoleculerError", "message": "broken", "code": 500})
        with pytest.raises(MoleculerError, match="broken"):
            await anext(stream)
        assert me.left_over() == [0, 0, 0]


@story
async def test_a_lost_packet_of_a_request_ends_it_for_the_action_that_reads_it() -> None:
    async with alone() as me:
        me.asks(0)
        me.asks(2)
        await me.timers.advance(LOOKS_S)
        answers = [json.loads(body) for channel, body in me.bus.published if channel == b"MOL.RES.far"]
        assert [answer["error"]["message"] for answer in answers] == ["packet 1 of a stream was lost"]
        assert me.left_over() == [0, 0, 0]


@story
async def test_a_request_whose_end_is_lost_is_waited_for_while_it_goes_on() -> None:
    async with alone() as me:
        me.say("REQ", id="theirs", action="v2.math.unknown", params={}, stream=True, seq=0)
        for seq in range(1, 8):
            await me.timers.advance(LOOKS_S / 2)
            me.asks(seq)
            assert me.left_over() == [0, 0, 1]
        await me.timers.advance(LOOKS_S)
        assert me.left_over() == [0, 0, 0]
