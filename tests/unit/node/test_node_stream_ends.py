"""However a stream ends, both sides learn of it and nothing of it is left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from broker.node import Broker, BrokerOptions, Context, action, service
from broker.node.errors import MoleculerError, RequestTimeoutError
from broker.node.streaming import IncomingStream
from broker.transport.memory import MemoryBus


@service("files")
class Files:
    """Gives and takes streams, and notes how they end."""

    def __init__(self) -> None:
        self.closed = 0
        self.ended: list[object] = []

    @action()
    async def endless(self, _ctx: Context) -> AsyncIterator[bytes]:
        return self._endless()

    async def _endless(self) -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 1000
                await asyncio.sleep(0.001)
        finally:
            self.closed += 1

    @action()
    async def unsendable(self, _ctx: Context) -> AsyncIterator[object]:
        return self._unsendable()

    async def _unsendable(self) -> AsyncIterator[object]:
        try:
            yield 1
            yield object()
            yield 2
        finally:
            self.closed += 1

    @action()
    async def take(self, ctx: Context) -> int:
        count = 0
        try:
            async for chunk in ctx.chunks():
                count += len(chunk)
        except MoleculerError as error:
            self.ended.append(error.message)
            raise
        self.ended.append("end")
        return count

    @action()
    async def refuse(self, _ctx: Context) -> None:
        raise MoleculerError("no more", 507, "FULL")


class Pair:
    """Two nodes on one bus: files are on the other."""

    def __init__(self, near: Broker, far: Broker, files: Files) -> None:
        self.near, self.far, self.files = near, far, files

    def left_over(self) -> list[int]:
        """What both nodes still hold of calls and streams."""
        return [
            count
            for node in (self.near, self.far)
            for count in (
                node.requesting.waiting, node.requesting.receiving, node.serving.receiving, node.serving.streaming,
            )
        ]  # fmt: skip


@asynccontextmanager
async def pair(**options: Any) -> AsyncIterator[Pair]:
    bus, files = MemoryBus(), Files()
    given = BrokerOptions(settle_s=0.01, stop_timeout_s=0.1, **options)
    async with Broker("near", bus, options=given) as near, Broker("far", bus, options=given) as far:
        await far.add(files)
        await near.wait_for_services("files", 5.0)
        yield Pair(near, far, files)


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - nobody tells when
        await asyncio.sleep(0.005)


def run(story: Awaitable[None]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(10):
            await story

    asyncio.run(limited())


async def _read(stream: AsyncIterator[Any], *, pause_s: float = 0.0) -> None:
    async for _ in stream:
        await asyncio.sleep(pause_s)


async def chunks(closed: list[bool], *, count: int = 10**9, error: Exception | None = None) -> AsyncIterator[bytes]:
    try:
        for _ in range(count):
            yield b"y" * 1000
            await asyncio.sleep(0.001)
        if error is not None:
            raise error
    finally:
        closed.append(True)


def test_an_endless_answer_stops_when_its_receiver_is_gone() -> None:
    async def story() -> None:
        async with pair() as p:
            stream = await p.near.call("files.endless")
            assert len(await anext(stream)) == 1000
            await p.near.stop()
            await until(lambda: p.files.closed == 1)
            assert p.left_over() == [0] * 8

    run(story())


def test_a_reader_of_a_node_that_is_gone_gets_an_error() -> None:
    async def story() -> None:
        async with pair() as p:
            stream = await p.near.call("files.endless")
            await p.far.stop()
            with pytest.raises(MoleculerError):
                await _read(stream)
            assert p.left_over() == [0] * 8
            assert p.files.closed == 1

    run(story())


def test_a_call_that_is_cancelled_ends_its_stream_with_an_error_on_the_other_side() -> None:
    async def story() -> None:
        async with pair() as p:
            closed: list[bool] = []
            calling = asyncio.create_task(p.near.call("files.take", stream=chunks(closed)))
            await until(lambda: p.far.serving.receiving == 1)
            calling.cancel()
            await asyncio.wait([calling])
            await until(lambda: bool(p.files.ended and closed))
            assert p.files.ended != ["end"]
            await until(lambda: p.left_over() == [0] * 8)

    run(story())


def test_a_call_that_takes_too_long_ends_its_stream_on_both_sides() -> None:
    async def story() -> None:
        async with pair() as p:
            closed: list[bool] = []
            with pytest.raises(RequestTimeoutError):
                await p.near.call("files.take", stream=chunks(closed), timeout_s=0.05)
            await until(lambda: closed == [True])
            await until(lambda: p.left_over() == [0] * 8)

    run(story())


def test_who_refuses_a_stream_stops_its_sender() -> None:
    async def story() -> None:
        async with pair() as p:
            closed: list[bool] = []
            with pytest.raises(MoleculerError, match="no more"):
                await p.near.call("files.refuse", stream=chunks(closed))
            await until(lambda: closed == [True])
            await until(lambda: p.left_over() == [0] * 8)

    run(story())


def test_a_source_that_fails_is_told_to_the_other_side() -> None:
    async def story() -> None:
        async with pair() as p:
            closed: list[bool] = []
            source = chunks(closed, count=3, error=MoleculerError("torn", 500, "TORN"))
            with pytest.raises(MoleculerError, match="torn"):
                await p.near.call("files.take", stream=source)
            assert p.files.ended == ["torn"]
            assert closed == [True]
            await until(lambda: p.left_over() == [0] * 8)

    run(story())


def test_a_chunk_that_cannot_be_sent_ends_the_stream_with_an_error() -> None:
    async def story() -> None:
        async with pair() as p:
            stream = await p.near.call("files.unsendable")
            assert await anext(stream) == 1
            with pytest.raises(MoleculerError, match=r"the result of files.unsendable cannot be sent"):
                await anext(stream)
            assert p.files.closed == 1
            assert p.left_over() == [0] * 8

    run(story())


def test_what_waits_unread_is_bounded_and_then_the_reader_gets_an_error() -> None:
    async def story() -> None:
        async with pair(max_unread_bytes=20_000) as p:
            stream = await p.near.call("files.endless")
            assert isinstance(stream, IncomingStream)
            await asyncio.sleep(0.1)
            with pytest.raises(MoleculerError, match="of far was read too slowly: more than 20000 bytes") as caught:
                await _read(stream, pause_s=0.02)
            assert caught.value.type == "STREAM_UNREAD"

    run(story())


def test_a_slow_reader_gets_all_that_stays_below_the_bound() -> None:
    async def story() -> None:
        stream = IncomingStream("a", most_bytes=2000)
        stream.take(0, None, more=True)
        for seq in range(1, 100):
            stream.take(seq, b"z" * 1000, more=True)
            if seq > 1:
                assert len(await anext(stream)) == 1000
        stream.take(100, None, more=False)
        assert [len(chunk) async for chunk in stream] == [1000]

    run(story())


def test_an_unread_stream_of_values_is_bounded_as_well() -> None:
    async def story() -> None:
        stream = IncomingStream("a", object_mode=True, most_bytes=10 * 1024)
        stream.take(0, None, more=True)
        for seq in range(1, 12):
            stream.take(seq, {"n": seq}, more=True)
        stream.take(12, None, more=False)
        with pytest.raises(MoleculerError, match="read too slowly"):
            await anext(stream)
        assert stream.is_ended

    run(story())
