"""Our node among MoleculerJS nodes that find each other by keys on Redis."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from broker.node import Broker, BrokerOptions
from broker.node.discovering import RedisDiscoverer
from broker.transport.url import ConnectionSettings
from tests.e2e.conftest import StartRedis
from tests.e2e.redis_server import RedisServer
from tests.interop.beats import all_hear_beats
from tests.interop.mesh import run, until, until_true
from tests.interop.peer import Peer
from tests.interop.services import Py

pytestmark = pytest.mark.usefixtures("moleculerjs")
SILENCE_S = 6.0
"""After which a node is taken for gone."""
OPTIONS = BrokerOptions(heartbeat_interval_s=1, heartbeat_timeout_s=SILENCE_S, info_delay_s=0.05)


@asynccontextmanager
async def peers(server: RedisServer, namespace: str, *versions: str) -> AsyncIterator[dict[str, Peer]]:
    about = {"namespace": namespace, "url": server.url, "serializer": "JSON", "transmit": []}
    about |= {"discoverer": f"{server.url}/3", "heartbeatTimeout": SILENCE_S}
    made = {version: Peer({"version": version, "nodeID": f"js-{version}", **about}) for version in versions}
    try:
        await asyncio.gather(*(peer.start() for peer in made.values()))
        yield made
    finally:
        for peer in made.values():
            await peer.kill()


def ours(server: RedisServer, namespace: str, node_id: str = "py", **options: Any) -> Broker:
    discoverer = RedisDiscoverer(ConnectionSettings.parse(f"{server.url}/3"), full_check=1)
    changed = {name: getattr(OPTIONS, name) for name in ("heartbeat_interval_s", "heartbeat_timeout_s", "info_delay_s")}
    return Broker(node_id, server.url, namespace, options=BrokerOptions(**changed | options, discoverer=discoverer))


def has(broker: Broker, node_id: str) -> Callable[[], bool]:
    def knows() -> bool:
        node = broker.registry.nodes.get(node_id)
        return node is not None and node.available and "v3.js" in node.services

    return knows


def test_both_versions_and_ours_find_and_call_each_other_without_a_packet_of_discovery(start_redis: StartRedis) -> None:
    async def story() -> None:
        server = start_redis()
        async with peers(server, "keys", "015", "014") as js, ours(server, "keys") as broker:
            await broker.add(Py())
            for version in js:
                await until(has(broker, f"js-{version}"))
                await js[version].ask("wait", services=["v1.py"])
                assert await js[version].call("v1.py.echo", {"v": version}) == {"v": version}
                assert await broker.call("v3.js.echo", {"v": 1}, node_id=f"js-{version}") == {"v": 1}
            keys = await broker._discovery._keys.names("MOL*")  # type: ignore[attr-defined]
            assert {name.split(":")[0] for name in keys} == {"MOL-keys-DSCVR-BEAT", "MOL-keys-DSCVR-INFO"}
            assert len(keys) == 6
            await until(lambda: isinstance(broker.registry.nodes["js-015"].cpu, int))
            await all_hear_beats([broker], js.values())
            for peer in js.values():
                listed = {node["id"]: node["available"] for node in await peer.call("$node.list", {})}
                assert listed == {"py": True, "js-014": True, "js-015": True}

    run(story())


@pytest.mark.parametrize("version", ["014", "015"])
def test_services_that_come_and_go_and_nodes_that_leave_or_die_are_noticed(
    start_redis: StartRedis, version: str
) -> None:
    async def story() -> None:
        server = start_redis()
        async with peers(server, "", version) as js:
            broker = ours(server, "")
            async with broker:
                await broker.add(Py())
                await until(has(broker, f"js-{version}"))
                await js[version].ask("wait", services=["v1.py"])
                await broker.remove("v1.py")
                await until_offered(js[version], "py", expected=False)
                await broker.add(Py())
                await until_offered(js[version], "py", expected=True)
            listed = {node["id"]: node["available"] for node in await js[version].call("$node.list", {})}
            assert listed["py"] is False
            async with ours(server, "", "again") as broker:
                await until(has(broker, f"js-{version}"))
                await js[version].kill()
                await until(lambda: not broker.registry.nodes[f"js-{version}"].available)

    run(story())


async def until_offered(peer: Peer, name: str, *, expected: bool) -> None:
    async def is_as_expected() -> bool:
        return any(each["name"] == name for each in await peer.call("$node.services", {})) is expected

    await until_true(is_as_expected)


def test_keys_that_the_server_forgot_are_written_again(start_redis: StartRedis) -> None:
    async def story() -> None:
        server = start_redis()
        first, second = ours(server, "", "a"), ours(server, "", "b")
        async with first, second:
            await until(lambda: "b" in first.registry.nodes and "a" in second.registry.nodes)
            server.stop()
            server.start()
            async with ours(server, "", "c") as third:
                await until(lambda: {"a", "b"} <= {n.id for n in third.registry.nodes.values() if n.available})

    run(story())
