"""Ordinary calls take a shorter way; where somebody minds, they take the long one."""

import asyncio
import json
from datetime import UTC, datetime
from typing import ClassVar

import pytest

from broker.node import (
    Broker,
    BrokerOptions,
    CircuitBreakerPolicy,
    Context,
    MetricsOptions,
    RetryPolicy,
    action,
    service,
)
from broker.node.errors import (
    MoleculerClientError,
    QueueIsFullError,
    RequestRejectedError,
    RequestTimeoutError,
    ServiceNotAvailableError,
)
from broker.node.middleware import Middleware
from broker.node.strategies import Strategy
from broker.transport.memory import MemoryBus
from tests.unit.node.nodes import QUICK, Math, mesh, said, story, until

SUM = {"a": 1, "b": 2}


@service("slow")
class Slow:
    @action(timeout_s=0.02)
    async def own_timeout(self, _ctx: Context) -> None:
        await asyncio.sleep(10)

    @action(fallback=lambda _ctx, _error: "fell")
    async def own_fallback(self, _ctx: Context) -> None:
        raise MoleculerClientError("no")


@story
async def test_a_call_without_options_is_the_same_packet_as_one_whose_options_say_nothing():
    bus = MemoryBus()
    async with mesh(("a",), ("b", Math()), bus=bus) as (a, _):
        assert await a.call("v2.math.add", SUM) == 3
        assert await a.call("v2.math.add", SUM, timeout_s=None) == 3
        short, long = said(bus, "REQ")
        assert list(short) == list(long)
        assert short | {"id": long["id"], "requestID": long["id"]} == long
        assert short["requestID"] == short["id"] != long["id"]
        first, second = said(bus, "RES")
        assert first | {"id": second["id"]} == second


@story
async def test_nothing_of_a_call_is_left_when_it_was_answered_failed_or_given_up():
    async with mesh(("a",), ("b", Math())) as (a, _):
        assert await a.call("v2.math.add", SUM) == 3
        with pytest.raises(MoleculerClientError, match="nope"):
            await a.call("v2.math.fail")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await a.call("v2.math.sleep", {"s": 0.05})
        assert a.requesting.waiting == 0
        await until(lambda: a.requesting.orphaned == 1)


@story
async def test_what_waits_for_a_node_that_goes_is_rejected():
    async with mesh(("a",), ("b", Math())) as (a, b):
        waits = asyncio.ensure_future(a.call("v2.math.sleep", {"s": 10}))
        await until(lambda: a.requesting.waiting == 1)
        a.node_gone("b", unexpected=True)
        with pytest.raises(RequestRejectedError) as caught:
            await waits
        assert caught.value.data == {"action": "v2.math.sleep", "nodeID": "b"}
        del b


@story
async def test_no_more_wait_than_may():
    async with mesh(("a",), ("b", Math()), max_queue_size=1) as (a, _):
        waits = asyncio.ensure_future(a.call("v2.math.sleep", {"s": 0.05}))
        await until(lambda: a.requesting.waiting == 1)
        with pytest.raises(QueueIsFullError):
            await a.call("v2.math.add", SUM)
        await waits


@story
async def test_odd_values_cross_by_the_long_way():
    async with mesh(("a",), ("b", Math())) as (a, _):
        at = datetime(2026, 1, 2, tzinfo=UTC)
        assert await a.call("v2.math.echo", {"at": at}) == {"at": "2026-01-02T00:00:00.000Z"}
        with pytest.raises(TypeError):
            await a.call("v2.math.echo", object())
        assert a.requesting.waiting == 0


@story
async def test_a_stream_that_answers_comes_the_same_way():
    async with mesh(("a",), ("b", Math())) as (a, _):
        numbers = [chunk["n"] async for chunk in await a.call("v2.math.count", {"n": 4})]
        assert numbers == [0, 1, 2, 3]
        assert a.requesting.waiting == 0


@pytest.mark.parametrize(
    "options",
    [
        {"retry": RetryPolicy(enabled=True)},
        {"circuit_breaker": CircuitBreakerPolicy(enabled=True)},
        {"request_timeout_s": 5.0},
        {"error_handler": lambda error, _ctx: error},
        {"metrics": MetricsOptions(enabled=True)},
    ],
    ids=lambda options: next(iter(options)),
)
def test_where_something_is_wanted_of_calls_none_is_direct(options):
    async def told() -> None:
        async with mesh(("a",), ("b", Math()), **options) as (a, b):
            assert [each.direct for each in a.registry.endpoints_on("b", "v2.math.add")] == [None]
            assert [each.direct for each in b.registry.endpoints_on("b", "v2.math.add")] == [None]
            assert await a.call("v2.math.add", SUM) == 3

    asyncio.run(told())


@story
async def test_an_actions_own_timeout_and_fallback_count_for_ordinary_calls_of_others():
    async with mesh(("a",), ("b", Slow())) as (a, _):
        with pytest.raises(RequestTimeoutError):
            await a.call("slow.own_timeout")
        assert await a.call("slow.own_fallback") == "fell"


@story
async def test_a_request_whose_timeout_is_null_gets_ours_and_one_of_0_gets_none():
    bus, slow = MemoryBus(), Slow()
    async with mesh(("b", slow), bus=bus) as (b,):
        request = {"ver": "5", "sender": "x", "action": "slow.own_timeout", "params": {}, "meta": {}, "level": 1}
        for number, timeout in enumerate((None, False, "5", 0)):
            bus.publish(b"MOL.REQ.b", json.dumps({**request, "id": f"{number}", "timeout": timeout}).encode())
        await until(lambda: len(said(bus, "RES")) == 3)
        assert {(each["id"], each["error"]["name"]) for each in said(bus, "RES")} == {
            (f"{number}", "RequestTimeoutError") for number in range(3)
        }
        (service,) = [each for each in b.registry.local.services.values() if each.name == "slow"]
        (running,) = service.running
        running.cancel()


class Passed(Middleware):
    """Counts what passes."""

    def __init__(self) -> None:
        self.count = 0

    def remote_action(self, call, service, action):
        if action.name != "v2.math.add":
            return call

        async def passed(ctx: Context):
            self.count += 1
            return await call(ctx)

        return passed


@story
async def test_a_middleware_minds_only_what_it_puts_something_around():
    passed = Passed()
    async with mesh(("a",), ("b", Math()), middlewares=[passed]) as (a, _):
        assert await a.call("v2.math.add", SUM) == 3
        assert await a.call("v2.math.echo", 1) == 1
        assert passed.count == 1
        assert [bool(a.registry.endpoints_on("b", name)[0].direct) for name in ("v2.math.add", "v2.math.echo")] == [
            False,
            True,
        ]


class Last(Strategy):
    """Takes the last, and keeps what it was shown."""

    shown: ClassVar[list] = []

    def select(self, endpoints, ctx):
        self.shown.append(ctx.params)
        return endpoints[-1]


@story
async def test_a_strategy_sees_the_context_unless_it_says_that_it_needs_none():
    Last.shown.clear()
    async with mesh(("a",), ("b", Math()), ("c", Math()), strategy=Last) as (a, _, c):
        assert await a.call("v2.math.add", SUM) == 3
        assert Last.shown == [SUM]
        del c


@story
async def test_an_endpoint_that_is_held_is_not_called():
    async with mesh(("a",), ("b", Math())) as (a, _):
        a.registry.endpoints_on("b", "v2.math.add")[0].hold(False)
        with pytest.raises(ServiceNotAvailableError):
            await a.call("v2.math.add", SUM)


@story
async def test_an_option_that_does_not_exist_is_refused():
    broker = Broker("a", options=BrokerOptions(**QUICK))
    async with broker:
        with pytest.raises(TypeError, match="timeout_ms"):
            await broker.call("$node.list", timeout_ms=5)
