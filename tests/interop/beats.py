"""Whether nodes go on hearing each other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

from broker.node import Broker
from tests.interop.mesh import until_true
from tests.interop.peer import Peer

HEARD_S = 2.0
"""The later one of two heartbeats is heard this much later: with one a second, more than one is."""

Beats = dict[str, float]
"""When other nodes were last heard, in seconds of the hearing node's uptime."""


async def all_hear_beats(brokers: Iterable[Broker], peers: Iterable[Peer]) -> None:
    """Wait until each node heard more heartbeats of every other one that it knows."""
    asked = [partial(_at_ours, broker) for broker in brokers] + [partial(_at_moleculerjs, peer) for peer in peers]
    await asyncio.gather(*map(_hears_beats, asked))


async def _hears_beats(beats: Callable[[], Awaitable[Beats]]) -> None:
    before = await beats()

    async def are_heard() -> bool:
        now = await beats()
        return now.keys() >= before.keys() and all(now[each] >= before[each] + HEARD_S for each in before)

    await until_true(are_heard)


async def _at_ours(broker: Broker) -> Beats:
    nodes = broker.registry.nodes.values()
    return {node.id: node.heard_s for node in nodes if node.available and not node.local}


async def _at_moleculerjs(peer: Peer) -> Beats:
    rows = await peer.call("$node.list", {"onlyAvailable": True}, nodeID=peer.node_id)
    return {row["id"]: row["lastHeartbeatTime"] for row in rows if not row["local"]}
