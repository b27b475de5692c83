"""Breakers, retries and timeouts between our node and real MoleculerJS nodes of both versions, on a real Redis."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from broker.node import Broker, BrokerOptions, CircuitBreakerPolicy, Context, RetryPolicy, action, event, service
from broker.node.errors import MoleculerError, RequestTimeoutError, ServiceNotAvailableError
from tests.e2e.redis_server import RedisServer
from tests.interop.mesh import run, until
from tests.interop.peer import Peer, RefusedError

pytestmark = pytest.mark.usefixtures("moleculerjs")
NAMESPACES = (f"tolerance-{number}" for number in itertools.count())
BREAKER = CircuitBreakerPolicy(enabled=True, min_request_count=4, half_open_s=60.0)


@service("till")
class Till:
    """What MoleculerJS calls, and what hears of breakers."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str | None, dict[str, Any]]] = []

    @action()
    async def fail(self, _ctx: Context) -> None:
        raise MoleculerError("the till is stuck")

    @action()
    async def crash(self, _ctx: Context) -> None:
        raise KeyError("no code")

    @action()
    async def wait(self, _ctx: Context) -> None:
        await asyncio.Event().wait()

    @event("$circuit-breaker.*")
    async def on_breaker(self, ctx: Context) -> None:
        self.told.append((str(ctx.event_name), ctx.node_id, ctx.params))


class Mesh:
    def __init__(self, broker: Broker, till: Till, nodes: dict[str, Peer]) -> None:
        self.broker, self.till, self.nodes = broker, till, nodes

    async def pay(self, **options: Any) -> str:
        """Who took a payment, or how it failed."""
        try:
            paid = await self.broker.call("bank.pay", {}, **options)
        except MoleculerError as error:
            return f"{error.name} {error.code} of {error.node_id}"
        return str(paid["by"])


@asynccontextmanager
async def mesh(url: str, **options: Any) -> AsyncIterator[Mesh]:
    """Our node between one of 0.14, ``js-014``, and one of 0.15, ``js-015``."""
    namespace, till = next(NAMESPACES), Till()
    told = BrokerOptions(protocols=("4", "5"), settle_s=0.05, **options)
    async with AsyncExitStack() as stack:
        nodes = {}
        for version in ("014", "015"):
            about = {"version": version, "nodeID": f"js-{version}", "namespace": namespace, "url": url}
            nodes[f"js-{version}"] = peer = Peer(about, "failing.js")
            stack.push_async_callback(peer.kill)
            await peer.start()
        broker = await stack.enter_async_context(Broker("py", url, namespace, options=told))
        await broker.add(till)
        await until(lambda: "bank.pay" in broker.registry.actions and len(endpoints(broker)) == 2)
        for peer in nodes.values():
            await peer.ask("wait", services=["till"])
        yield Mesh(broker, till, nodes)


def endpoints(broker: Broker) -> dict[str, bool]:
    """Node to whether our balancer may choose it."""
    return {each.node.id: each.is_available for each in broker.registry.actions["bank.pay"].endpoints}


failing = pytest.mark.parametrize(("bad", "good"), [("js-014", "js-015"), ("js-015", "js-014")])


@failing
def test_our_breaker_opens_against_a_failing_node_and_the_other_takes_over(
    shared_redis: RedisServer, bad: str, good: str
) -> None:
    async def story() -> None:
        async with mesh(shared_redis.url, circuit_breaker=BREAKER) as m:
            await m.nodes[bad].ask("mood", mood="broken")
            seen = Counter([await m.pay() for _ in range(20)])
            # its own breaker opens with ours, since both see the same four calls
            assert seen == {good: 16, f"MoleculerError 500 of {bad}": 4}
            assert endpoints(m.broker) == {bad: False, good: True}
            with pytest.raises(MoleculerError) as caught:
                await m.broker.call("bank.pay", {}, node_id=bad)
            assert caught.value.type == "SERVICE_NOT_FOUND"
            await until(lambda: len(m.till.told) >= 2)
            about = {"nodeID": bad, "service": "bank", "action": "bank.pay", "failures": 4, "count": 4, "rate": 1}
            by_sender = {sender: (name, data) for name, sender, data in m.till.told}
            assert by_sender == dict.fromkeys(("py", bad), ("$circuit-breaker.opened", about))

    run(story())


@failing
def test_a_failed_call_is_made_again_at_the_other_node(shared_redis: RedisServer, bad: str, good: str) -> None:
    async def story() -> None:
        async with mesh(shared_redis.url, retry=RetryPolicy(enabled=True, retries=2, delay_s=0.01)) as m:
            await m.nodes[bad].ask("mood", mood="busy")
            assert {await m.pay() for _ in range(6)} == {good}
            refused = (await m.nodes[bad].ask("served"))["ok"]
            assert 3 <= refused <= 6  # whose turn it is moves on with each attempt
            assert Counter([await m.pay(retries=0) for _ in range(6)]) == {
                good: 3,
                f"MoleculerRetryableError 429 of {bad}": 3,
            }
            assert (await m.nodes[bad].ask("served"))["ok"] == refused + 3

    run(story())


@pytest.mark.parametrize("version", ["014", "015"])
def test_a_silent_node_is_given_up_with_the_error_and_data_of_moleculerjs(
    shared_redis: RedisServer, version: str
) -> None:
    async def story() -> None:
        async with mesh(shared_redis.url) as m:
            node_id = f"js-{version}"
            await m.nodes[node_id].ask("mood", mood="silent")
            with pytest.raises(RequestTimeoutError) as caught:
                await m.broker.call("bank.pay", {}, timeout_s=0.2, node_id=node_id)
            assert caught.value.data == {"action": "bank.pay", "nodeID": node_id}
            with pytest.raises(RefusedError) as refused:
                await m.nodes[node_id].ask("call", action="till.wait", opts={"timeout": 200, "retries": 0})
            theirs = refused.value.error
            # we give up too, and may be heard first; a callee's error names who asked, as MoleculerJS's does
            is_ours = theirs.pop("nodeID", None) == "py"
            data = {"action": "till.wait", "nodeID": node_id if is_ours else "py"}
            ours = RequestTimeoutError(data)
            assert theirs == {
                "name": ours.name,
                "message": ours.message,
                "code": ours.code,
                "type": ours.type,
                "data": data,
                "retryable": ours.retryable,
            }

    run(story())


@pytest.mark.parametrize("version", ["014", "015"])
def test_breakers_of_moleculerjs_trip_on_our_errors_and_not_on_plain_ones(
    shared_redis: RedisServer, version: str
) -> None:
    async def story() -> None:
        async with mesh(shared_redis.url) as m:
            peer = m.nodes[f"js-{version}"]
            for name, count in (("till.crash", 6), ("till.fail", 4)):
                for _ in range(count):
                    with pytest.raises(RefusedError):
                        await peer.ask("call", action=name)
            assert (await peer.ask("breakers"))["ok"] == [["py:till.crash", "close", 0], ["py:till.fail", "open", 4]]
            with pytest.raises(RefusedError, match=r"is not available\."):
                await peer.ask("call", action="till.fail", opts={"retries": 0})

    run(story())


@pytest.mark.parametrize("version", ["014", "015"])
def test_our_own_open_breaker_refuses_others_who_then_try_elsewhere(shared_redis: RedisServer, version: str) -> None:
    async def story() -> None:
        async with mesh(shared_redis.url, circuit_breaker=BREAKER) as m:
            for _ in range(4):
                with pytest.raises(MoleculerError, match="stuck"):
                    await m.broker.call("till.fail")
            with pytest.raises(ServiceNotAvailableError):
                await m.broker.call("till.fail")
            with pytest.raises(RefusedError) as refused:
                await m.nodes[f"js-{version}"].ask("call", action="till.fail", opts={"retries": 0})
            error = refused.value.error
            assert (error["code"], error["type"], error["retryable"]) == (404, "SERVICE_NOT_AVAILABLE", True)

    run(story())
