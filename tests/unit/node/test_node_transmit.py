"""Nodes whose packets are compressed or encrypted hear each other, and those of others are left out and counted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from typing import Any

import pytest

from broker.node import Broker, BrokerOptions, Context, action, service
from broker.node.middleware import Middleware, TransmitCompression, TransmitEncryption
from broker.transport.memory import MemoryBus

KEY, IV = "01234567890123456789012345678901", "0123456789012345"


@service("echo")
class Echo:
    @action()
    async def back(self, ctx: Context) -> Any:
        return ctx.params


def node(bus: MemoryBus, node_id: str, middlewares: Sequence[Middleware], serializer: str = "JSON") -> Broker:
    options = BrokerOptions(settle_s=0.01, middlewares=middlewares)
    return Broker(node_id, bus, serializer=serializer, options=options)


def run(story: Awaitable[None]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(10):
            await story

    asyncio.run(limited())


def chain(name: str) -> list[Middleware]:
    made: dict[str, Middleware] = {"zip": TransmitCompression(threshold=100), "lock": TransmitEncryption(KEY, iv=IV)}
    return [made[part] for part in name.split()]


@pytest.mark.parametrize("order", ["zip", "lock", "zip lock", "lock zip"])
@pytest.mark.parametrize("serializer", ["JSON", "CBOR"])
def test_nodes_of_the_same_middlewares_call_each_other(order: str, serializer: str) -> None:
    async def story() -> None:
        bus = MemoryBus()
        async with node(bus, "a", chain(order), serializer) as a, node(bus, "b", chain(order), serializer) as b:
            await a.add(Echo())
            await b.wait_for_services("echo", 5.0)
            assert await b.call("echo.back", {"x": "y" * 1000}) == {"x": "y" * 1000}
            assert await b.call("echo.back", 1) == 1

    run(story())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([], [TransmitCompression()]),
        ([], [TransmitEncryption(KEY, iv=IV)]),
        ([TransmitEncryption(KEY[::-1], iv=IV)], [TransmitEncryption(KEY, iv=IV)]),
    ],
    ids=["plain", "not encrypted", "another key"],
)
def test_packets_of_others_are_counted_and_logged_and_nobody_falls(
    one: list[Middleware], other: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)  # its warnings are what is expected

    async def story() -> None:
        bus = MemoryBus()
        async with node(bus, "a", one) as a, node(bus, "b", other) as b:
            await a.add(Echo())
            async with asyncio.timeout(20):
                while not other[0].unreadable:  # noqa: ASYNC110 - nobody tells when
                    await asyncio.sleep(0.01)
            await b.add(Echo())
            assert await b.call("echo.back", 2) == 2
            assert not b.registry.has_service("nobody")

    run(story())
