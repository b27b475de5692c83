"""Meshes of ours and of MoleculerJS on a real Redis, that of a column of the interop table among them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from broker.node import Broker, BrokerOptions, RetryPolicy
from broker.node.middleware import Middleware, TransmitCompression, TransmitEncryption
from tests.e2e.redis_server import RedisServer, free_port
from tests.interop.columns import Chain, Column
from tests.interop.peer import PATIENCE_S, Peer
from tests.interop.services import Listener, Py, Twin, grouped

STORY_S = 120.0
_NAMESPACES = (f"interop.mesh-{number}" for number in itertools.count())


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that nobody tells.

    Raises:
        TimeoutError: It does not come to be.
    """
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - nobody tells when
            await asyncio.sleep(0.01)


async def until_true(ask: Callable[[], Awaitable[bool]]) -> None:
    """The same for what has to be asked of somebody."""
    async with asyncio.timeout(PATIENCE_S):
        while not await ask():  # noqa: ASYNC110 - nobody tells when
            await asyncio.sleep(0.02)


def run(story: Coroutine[Any, Any, None]) -> None:
    """Play a story to its end, or fail where it hangs."""

    async def limited() -> None:
        async with asyncio.timeout(STORY_S):
            await story

    asyncio.run(limited())


class OurNode:
    """One of our nodes, and what its services heard."""

    def __init__(self, node_id: str, url: str, namespace: str, serializer: str, options: BrokerOptions) -> None:
        self.broker = Broker(node_id, url, namespace, serializer, options=options)
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
    """Nodes of ours and of MoleculerJS.

    Attributes:
        column: How they talk.
        redis: Their server.
        peers: MoleculerJS nodes, ``js.node-1`` and so on.
        ours: Ours, ``py.node-1`` and so on.
    """

    def __init__(
        self, redis: RedisServer, column: Column, our_count: int, silence_s: float, options: dict[str, Any]
    ) -> None:
        """Nothing runs yet; the arguments are those of ``mesh``."""
        self.redis, self.column = redis, column
        self._options = {"heartbeat_timeout_s": silence_s, **options}
        self.namespace = next(_NAMESPACES)
        self.peers = [
            Peer(
                {
                    "version": version,
                    "nodeID": f"js.node-{number}",
                    "namespace": self.namespace,
                    "url": redis.url,
                    "serializer": column.serializer,
                    "transmit": column.transmit,
                    "heartbeatTimeout": silence_s,
                }
            )
            for number, version in enumerate(column.versions, 1)
        ]
        self.ours = [self.our_node(number) for number in range(1, our_count + 1)]

    def our_node(self, number: int) -> OurNode:
        """A node of ours under the name of this number; it does not run yet."""
        options = replace(_options(self.column), **self._options)
        return OurNode(f"py.node-{number}", self.redis.url, self.namespace, self.column.serializer, options)

    @property
    def js(self) -> Peer:
        """The first MoleculerJS node."""
        return self.peers[0]

    @property
    def js_2(self) -> Peer:
        """The second one; in a mixed column of the other version."""
        return self.peers[1]

    @property
    def py(self) -> OurNode:
        """The first node of ours."""
        return self.ours[0]

    @property
    def py_2(self) -> OurNode:
        """The second one."""
        return self.ours[1]

    @property
    def broker(self) -> Broker:
        """Of the first of our nodes."""
        return self.py.broker

    async def start(self) -> None:
        """Start all nodes and wait until they know each other."""
        await asyncio.gather(*(peer.start() for peer in self.peers))
        await asyncio.gather(*(each.start() for each in self.ours))
        await self.all_know_each_other()

    async def end(self) -> None:
        """Stop ours and kill theirs."""
        await asyncio.gather(*(each.broker.stop() for each in self.ours))
        await asyncio.gather(*(peer.kill() for peer in self.peers))

    def known_at(self, peer: Peer) -> set[str]:
        """The nodes that a MoleculerJS node knows: one of another version does not exist for it."""
        theirs = {each.node_id for each in self.peers if each.version == peer.version}
        return theirs | {each.broker.node_id for each in self.ours}

    async def all_know_each_other(self) -> None:
        """Wait until every node knows the services of every other one that it can know."""
        everybody = {each.node_id for each in self.peers} | {each.broker.node_id for each in self.ours}
        for each in self.ours:
            await until(lambda broker=each.broker: _twins(broker) == everybody)  # type: ignore[misc]
        for peer in self.peers:
            async with asyncio.timeout(PATIENCE_S):
                while await self._twins_at(peer) != self.known_at(peer):  # noqa: ASYNC110 - nobody tells when
                    await asyncio.sleep(0.02)

    async def _twins_at(self, peer: Peer) -> set[str]:
        listed = await peer.call("$node.services", {"grouping": False, "onlyAvailable": True}, nodeID=peer.node_id)
        return {each["nodeID"] for each in listed if each["name"] == "twin"}


def _twins(broker: Broker) -> set[str]:
    return {node.id for node, offered in broker.registry.services() if offered.name == "twin" and node.available}


def middlewares_of(chain: Chain) -> list[Middleware]:
    """The same for our node as MoleculerJS is told."""
    made: list[Middleware] = []
    for kind, *rest in chain:
        if kind == "Compression":
            made.append(TransmitCompression(rest[0]["method"], rest[0]["threshold"]))
        else:
            made.append(TransmitEncryption(*rest))
    return made


def _options(column: Column) -> BrokerOptions:
    return BrokerOptions(
        protocols=("4",) if column.versions[0] == "014" else ("5",),
        settle_s=0.05,
        heartbeat_interval_s=1,
        stop_timeout_s=0.1,
        metadata={"kind": "interop"},
        middlewares=middlewares_of(column.transmit),
    )


@asynccontextmanager
async def mesh(
    redis: RedisServer,
    *versions: str,
    serializer: str = "JSON",
    transmit: Chain | None = None,
    our_count: int = 1,
    silence_s: float = PATIENCE_S,
    **options: Any,
) -> AsyncIterator[Mesh]:
    """Nodes that know each other, in a namespace of their own; they end with the context.

    Args:
        redis: Their server.
        versions: Of MoleculerJS, one node each.
        serializer: Of all nodes.
        transmit: MoleculerJS's middlewares that change bytes; ours has the same.
        our_count: How many nodes are ours.
        silence_s: How long a node may be silent until others take it for gone: long, where none is killed.
        options: Further options of our brokers.
    """
    made = Mesh(redis, Column(versions, serializer, transmit or []), our_count, silence_s, options)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(made.end)
        await made.start()
        yield made


@asynccontextmanager
async def mesh_of(column: Column, folder: Path) -> AsyncIterator[Mesh]:
    """The mesh of a column, two nodes of each, on a Redis of its own."""
    redis = RedisServer(folder, free_port())
    redis.start()
    try:
        retry = RetryPolicy(enabled=True, retries=2, delay_s=0.01, factor=1)
        how = {"serializer": column.serializer, "transmit": column.transmit}
        async with mesh(redis, *column.versions, **how, our_count=2, retry=retry) as made:  # type: ignore[arg-type]
            yield made
    finally:
        redis.stop()
