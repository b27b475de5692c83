"""The mesh of one column: two MoleculerJS nodes and two of ours on a Redis of their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from broker.node import Broker, BrokerOptions, RetryPolicy
from broker.node.middleware import Middleware
from broker.node.middleware.compression import TransmitCompression
from broker.node.middleware.encryption import TransmitEncryption
from tests.e2e.redis_server import RedisServer, free_port
from tests.interop.columns import Column
from tests.interop.peer import PATIENCE_S, Peer
from tests.interop.services import Listener, Py, Twin, grouped

NAMESPACE = "interop.mesh"


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that nobody tells.

    Raises:
        TimeoutError: It does not come to be.
    """
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - nobody tells when
            await asyncio.sleep(0.01)


class OurNode:
    """One of our nodes, and what its services heard."""

    def __init__(self, node_id: str, url: str, column: Column) -> None:
        self.broker = Broker(node_id, url, NAMESPACE, column.serializer, options=_options(column))
        self.py, self.grouped = Py(), grouped(node_id)

    async def start(self) -> None:
        """Join the mesh."""
        await self.broker.start()
        await self.broker.add(self.py, self.grouped, Twin())

    async def heard(self, count: int, listener: Listener | None = None) -> list[dict[str, Any]]:
        """The next events; at least so many."""
        kept = (listener or self.py).heard
        await until(lambda: len(kept) >= count)
        got, kept[:] = list(kept), []
        return got


class Mesh:
    """What a check is given.

    Attributes:
        column: How it talks.
        redis: Its server.
        js, js_2: MoleculerJS nodes; in a mixed column of 0.14 and of 0.15.
        py, py_2: Ours.
    """

    def __init__(self, column: Column, redis: RedisServer) -> None:
        self.column = column
        self.redis = redis
        self.js, self.js_2 = (
            Peer(
                {
                    "version": version,
                    "nodeID": f"js.node-{number}",
                    "namespace": NAMESPACE,
                    "url": redis.url,
                    "serializer": column.serializer,
                    "password": column.password,
                    "compression": column.compression,
                }
            )
            for number, version in enumerate(column.versions, 1)
        )
        self.py, self.py_2 = (OurNode(f"py.node-{number}", redis.url, column) for number in (1, 2))

    @property
    def broker(self) -> Broker:
        """Of the first of our nodes."""
        return self.py.broker

    def known_at(self, peer: Peer) -> set[str]:
        """The nodes that a MoleculerJS node knows: one of another version does not exist for it."""
        theirs = {each.node_id for each in (self.js, self.js_2) if each.version == peer.version}
        return theirs | {ours.broker.node_id for ours in (self.py, self.py_2)}

    async def all_know_each_other(self) -> None:
        """Wait until every node knows the services of every other one that it can know."""
        everybody = self.known_at(self.js) | self.known_at(self.js_2)
        for ours in (self.py, self.py_2):
            await until(lambda broker=ours.broker: _twins(broker) == everybody)  # type: ignore[misc]
        for peer in (self.js, self.js_2):
            async with asyncio.timeout(PATIENCE_S):
                while await self._twins_at(peer) != self.known_at(peer):  # noqa: ASYNC110 - nobody tells when
                    await asyncio.sleep(0.02)

    async def _twins_at(self, peer: Peer) -> set[str]:
        listed = await peer.call("$node.services", {"grouping": False, "onlyAvailable": True}, nodeID=peer.node_id)
        return {each["nodeID"] for each in listed if each["name"] == "twin"}


def _twins(broker: Broker) -> set[str]:
    return {node.id for node, offered in broker.registry.services() if offered.name == "twin" and node.available}


def _options(column: Column) -> BrokerOptions:
    version = column.versions[0]
    return BrokerOptions(
        protocols=("4",) if version == "014" else ("5",),
        settle_s=0.05,
        heartbeat_interval_s=1,
        heartbeat_timeout_s=6,
        retry=RetryPolicy(enabled=True, retries=2, delay_s=0.01, factor=1),
        metadata={"kind": "interop"},
        middlewares=_transmission(column),
    )


def _transmission(column: Column) -> list[Middleware]:
    """As ``interop.js`` has them, in the same order."""
    middlewares: list[Middleware] = []
    if column.compression is not None:
        middlewares.append(TransmitCompression(column.compression, threshold=100))
    if column.password is not None:
        middlewares.append(TransmitEncryption(column.password, "aes-256-cbc", bytes([7] * 16)))
    return middlewares


@asynccontextmanager
async def mesh_of(column: Column, folder: Path) -> AsyncIterator[Mesh]:
    """Start the mesh of a column; it ends with the context."""
    redis = RedisServer(folder, free_port())
    redis.start()
    mesh = Mesh(column, redis)
    try:
        await asyncio.gather(mesh.js.start(), mesh.js_2.start())
        try:
            await asyncio.gather(mesh.py.start(), mesh.py_2.start())
            await mesh.all_know_each_other()
            yield mesh
        finally:
            await asyncio.gather(mesh.py.broker.stop(), mesh.py_2.broker.stop())
    finally:
        await asyncio.gather(mesh.js.kill(), mesh.js_2.kill())
        redis.stop()
