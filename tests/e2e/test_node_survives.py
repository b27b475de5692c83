"""Our nodes on a real Redis whose connections are cut, and whose callers all call at once."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
from redis.asyncio import Redis

from broker.node import Broker, BrokerOptions, Context, action, service
from broker.node.errors import MoleculerError
from tests.e2e.conftest import StartRedis
from tests.e2e.redis_server import RedisServer
from tests.interop.mesh import mesh, run, until, until_true
from tests.interop.services import Py

OPTIONS = BrokerOptions(settle_s=0.05, info_delay_s=0.05, heartbeat_interval_s=1)
CLIENTS_OF_A_NODE = 2


@service("where")
class Where:
    @action(strategy="Shard", strategy_options={"shardKey": "user.id"})
    async def am_i(self, ctx: Context) -> str:
        return ctx.broker.node_id


async def clients(server: RedisServer) -> list[dict[str, str]]:
    async with Redis.from_url(server.url) as redis:
        return [each for each in await redis.client_list() if each["name"] == "meshscope"]


async def answers(broker: Broker) -> bool:
    try:
        return bool(await broker.call("v1.py.echo", {"n": 1}, timeout_s=0.3) == {"n": 1})
    except MoleculerError:
        return False


def test_500_calls_at_once_leave_on_one_connection_and_come_back_on_one(start_redis: StartRedis) -> None:
    async def story() -> None:
        server = start_redis()
        async with Broker("a", server.url, options=OPTIONS) as a, Broker("b", server.url, options=OPTIONS) as b:
            await b.add(Py())
            await a.wait_for_services("v1.py", 5)
            calls = [asyncio.create_task(a.call("v1.py.slow", {"ms": 1000})) for _ in range(500)]
            await until(lambda: a.requesting.waiting == 500)
            assert len(await clients(server)) == 2 * CLIENTS_OF_A_NODE
            assert await asyncio.gather(*calls) == ["late"] * 500

    run(story())


def test_nodes_whose_connections_are_cut_serve_again_and_so_they_do_after_the_server_was_away(
    start_redis: StartRedis,
) -> None:
    async def story() -> None:
        server = start_redis()
        async with Broker("a", server.url, options=OPTIONS) as a, Broker("b", server.url, options=OPTIONS) as b:
            await b.add(Py())
            await a.wait_for_services("v1.py", 5)
            for _ in range(3):
                async with Redis.from_url(server.url) as redis:
                    await redis.client_kill_filter(_type="pubsub")
                    await redis.client_kill_filter(_type="normal", skipme=True)
                await until_true(lambda: answers(a))
            server.stop()
            assert not await answers(a)
            server.start()
            await until_true(lambda: answers(a))
            assert a.requesting.waiting == 0

    run(story())


@pytest.mark.usefixtures("moleculerjs")
@pytest.mark.parametrize("version", ["014", "015"])
def test_moleculerjs_and_ours_send_a_key_to_the_same_of_several_nodes(start_redis: StartRedis, version: str) -> None:
    async def story() -> None:
        server = start_redis()
        async with mesh(server, version) as m:
            options = BrokerOptions(protocols=m.broker.options.protocols, settle_s=0.05, info_delay_s=0.05)
            others = [Broker(f"shard-{n}", server.url, m.namespace, options=options) for n in range(4)]
            try:
                for other in others:
                    await other.start()
                    await other.add(Where())
                await until(lambda: len(m.broker.registry.actions["where.am_i"].endpoints) == 4)
                await until_true(lambda: knows_four(m.js.call))
                for key in [*range(20), "é", "user-7"]:
                    params = {"user": {"id": key}}
                    assert await m.js.call("where.am_i", params) == await m.broker.call("where.am_i", params)
            finally:
                for other in others:
                    await other.stop()

    run(story())


async def knows_four(call: Callable[..., Awaitable[object]]) -> bool:
    rows = json.loads(json.dumps(await call("$node.actions", {"withEndpoints": True})))
    return any(row["name"] == "where.am_i" and row["count"] == 4 for row in rows)
