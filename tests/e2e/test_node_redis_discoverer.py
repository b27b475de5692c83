"""Our node among MoleculerJS nodes that find each other by keys on Redis."""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from broker.node import Broker, BrokerOptions
from broker.node.discovering import RedisDiscoverer
from broker.transport.url import ConnectionSettings
from tests.e2e.conftest import StartRedis
from tests.e2e.redis_server import RedisServer
from tests.e2e.test_node_moleculerjs import JS, Peer, Py, run, until

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or not (JS / "node_modules").is_dir(), reason="needs Node.js and MoleculerJS"
)
OPTIONS = BrokerOptions(heartbeat_interval_s=2, heartbeat_timeout_s=6, info_delay_s=0.05)


@asynccontextmanager
async def peers(server: RedisServer, namespace: str, *versions: str) -> AsyncIterator[dict[str, Peer]]:
    started, reading = {}, []
    for version in versions:
        process = await asyncio.create_subprocess_exec(
            *("node", "peer.js", version, f"js-{version}", namespace, server.url, "JSON"),
            cwd=JS,
            env=os.environ | {"DISCOVERER": f"{server.url}/3"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        assert json.loads(await process.stdout.readline()) == {"ready": True}
        started[version] = (process, Peer(process))
        reading.append(asyncio.create_task(started[version][1].read()))
    try:
        yield {version: peer for version, (_, peer) in started.items()}
    finally:
        for process, _ in started.values():
            if process.returncode is None:
                process.kill()
            await process.wait()
        await asyncio.gather(*reading)


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
            await asyncio.sleep(7)  # longer than the heartbeat timeout of all
            for peer in js.values():
                listed = {node["id"]: node["available"] for node in await peer.call("$node.list")}
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
            listed = {node["id"]: node["available"] for node in await js[version].call("$node.list")}
            assert listed["py"] is False
            async with ours(server, "", "again") as broker:
                await until(has(broker, f"js-{version}"))
                js[version]._process.kill()
                await until(lambda: not broker.registry.nodes[f"js-{version}"].available)

    run(story())


async def until_offered(peer: Peer, name: str, *, expected: bool) -> None:
    async with asyncio.timeout(8):
        while any(each["name"] == name for each in await peer.call("$node.services")) is not expected:  # noqa: ASYNC110 - nobody tells when
            await asyncio.sleep(0.05)


def test_keys_that_the_server_forgot_are_written_again(start_redis: StartRedis) -> None:
    async def story() -> None:
        server = start_redis()
        first, second = ours(server, "", "a"), ours(server, "", "b")
        async with first, second:
            await until(lambda: "b" in first.registry.nodes and "a" in second.registry.nodes)
            server.stop()
            await asyncio.sleep(0.1)
            server.start()
            await until(lambda: all(each._wire.link is not None for each in (first, second)))
            async with ours(server, "", "c") as third:
                await until(lambda: {"a", "b"} <= {n.id for n in third.registry.nodes.values() if n.available})

    run(story())
