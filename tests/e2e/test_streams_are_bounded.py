"""Streams between our node and MoleculerJS when a side is slow, stops or dies: bounded, told of, nothing left."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from typing import Any

import psutil
import pytest
import redis

from broker.node.errors import MoleculerError, RequestTimeoutError
from tests.e2e.redis_server import RedisServer
from tests.interop.mesh import Mesh, mesh, run, until

pytestmark = pytest.mark.usefixtures("moleculerjs")

MEGABYTE = 1 << 20


def held(m: Mesh) -> list[int]:
    """What our node holds of calls and streams."""
    requesting, serving = m.broker.requesting, m.broker.serving
    return [requesting.waiting, requesting.receiving, serving.receiving, serving.streaming]


async def nothing_is_left(m: Mesh) -> None:
    await until(lambda: held(m) == [0, 0, 0, 0])


class Source:
    """Chunks for a stream.

    Attributes:
        given: How many were taken from it.
        is_closed: Whether nobody takes any more.
    """

    def __init__(self, count: int, *, size: int = 256 * 1024, pause_s: float = 0.0) -> None:
        self._count, self._size, self._pause_s = count, size, pause_s
        self.given = 0
        self.is_closed = False

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            for _ in range(self._count):
                yield os.urandom(self._size)
                self.given += 1
                await asyncio.sleep(self._pause_s)
        finally:
            self.is_closed = True


def rss_megabytes() -> float:
    return psutil.Process().memory_info().rss / MEGABYTE


async def highest(probe: Callable[[], float], work: Any) -> tuple[float, Any]:
    """The highest of what a function says while something is being done, and what comes of that."""
    task, most = asyncio.ensure_future(work), probe()
    while not task.done():
        most = max(most, probe())
        await asyncio.wait([task], timeout=0.02)
    return most, task.result()


def test_our_source_is_not_read_while_the_bus_takes_nothing(shared_redis: RedisServer) -> None:
    async def story() -> None:
        with redis.Redis.from_url(shared_redis.url) as client:
            server = int(client.info("server")["process_id"])
        async with mesh(shared_redis, "015", serializer="MsgPack") as m:
            source = Source(400)
            calling = asyncio.create_task(m.broker.call("v3.js.take", stream=source.chunks()))
            await until(lambda: source.given > 5)
            os.kill(server, signal.SIGSTOP)
            try:
                before, before_mb = source.given, rss_megabytes()
                await asyncio.sleep(1.0)
                while_stopped = source.given - before
                grown_mb = rss_megabytes() - before_mb
            finally:
                os.kill(server, signal.SIGCONT)
            assert while_stopped < 40, f"{while_stopped} chunks of 256 kB were taken meanwhile"
            assert grown_mb < 32
            assert (await calling)["size"] == 100 * MEGABYTE
            await nothing_is_left(m)

    run(story())


def test_a_slow_reader_of_ours_is_bounded_and_told(shared_redis: RedisServer) -> None:
    async def story() -> None:
        async with mesh(shared_redis, "015", serializer="MsgPack", max_unread_bytes=8 * MEGABYTE) as m:
            before_mb = rss_megabytes()

            async def read_slowly() -> str:
                stream = await m.broker.call("v3.js.give", {"bytes": 200 * MEGABYTE, "chunk": 200 * MEGABYTE})
                try:
                    async for _ in stream:
                        await asyncio.sleep(0.1)
                except MoleculerError as error:
                    return str(error.type)
                return "end"

            most_mb, ending = await highest(rss_megabytes, read_slowly())
            assert ending == "STREAM_UNREAD"
            assert most_mb - before_mb < 100
            await nothing_is_left(m)

    run(story())


@pytest.mark.parametrize("version", ["014", "015"])
def test_a_call_of_ours_that_is_cancelled_or_too_long_fails_for_moleculerjs(
    shared_redis: RedisServer, version: str
) -> None:
    async def story() -> None:
        async with mesh(shared_redis, version) as m:
            source = Source(10_000, size=1000, pause_s=0.01)
            calling = asyncio.create_task(m.broker.call("v3.js.torn", stream=source.chunks()))
            await until(lambda: source.given > 5)
            calling.cancel()
            await asyncio.wait([calling])
            assert await m.js.heard(1) == [{"name": "torn", "message": "Stream closed by py.node-1"}]
            assert source.is_closed
            source = Source(10_000, size=1000, pause_s=0.01)
            with pytest.raises(RequestTimeoutError):  # MoleculerJS ends its side at the same moment by itself
                await m.broker.call("v3.js.torn", stream=source.chunks(), timeout_s=0.3)
            await until(lambda: source.is_closed)
            await nothing_is_left(m)

    run(story())


@pytest.mark.parametrize("version", ["014", "015"])
def test_a_moleculerjs_node_that_dies_ends_its_streams_and_calls_with_an_error(
    shared_redis: RedisServer, version: str
) -> None:
    async def story() -> None:
        async with mesh(shared_redis, version, silence_s=3.0) as m:
            stream = await m.broker.call("v3.js.endless")
            await anext(stream)
            waiting = asyncio.create_task(m.broker.call("v3.js.slow", {"ms": 600_000}))
            source = Source(100_000, size=1000, pause_s=0.01)
            calling = asyncio.create_task(m.broker.call("v3.js.take", stream=source.chunks()))
            await until(lambda: source.given > 5)
            await m.js.kill()
            with pytest.raises(MoleculerError):
                await _read(stream)
            for each in (calling, waiting):
                with pytest.raises(MoleculerError) as caught:
                    await each
                assert caught.value.type == "REQUEST_REJECTED"
            assert not m.broker.registry.nodes[m.js.node_id].available
            await until(lambda: source.is_closed)
            await nothing_is_left(m)

    run(story())


async def _read(stream: AsyncIterator[Any]) -> None:
    async for _ in stream:
        pass
