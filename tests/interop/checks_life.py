"""Rows of the table that hurt, so they come last: nodes that leave and come back, the bus restarted."""

from __future__ import annotations

import asyncio

from broker.node.errors import MoleculerError
from tests.interop.beats import all_hear_beats
from tests.interop.check import caught, check, is_equal
from tests.interop.mesh import Mesh
from tests.interop.peer import PATIENCE_S


async def _slow_at(mesh: Mesh, node_id: str) -> MoleculerError:
    """How a call that is never answered ends."""
    return await caught(mesh.broker.call("v3.js.slow", {"ms": 600_000}, node_id=node_id, retries=0))


def _is_online(mesh: Mesh, node_id: str) -> bool:
    node = mesh.broker.registry.nodes.get(node_id)
    return node is not None and node.available


async def _is_gone_at(mesh: Mesh, node_id: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while node_id in (await mesh.js.ask("nodes"))["ok"]:  # noqa: ASYNC110 - nobody tells when
            await asyncio.sleep(0.05)


@check("a node leaves, and what waited for it fails at once")
async def leaves(mesh: Mesh) -> None:
    waiting = asyncio.create_task(_slow_at(mesh, mesh.js_2.node_id))
    waiting_there = asyncio.create_task(
        mesh.js.refused("v1.py.slow", {"ms": 600_000}, nodeID=mesh.py_2.broker.node_id, retries=0)
    )
    # an answer of each shows that the slow requests are there, too
    await mesh.broker.call("v3.js.echo", {}, node_id=mesh.js_2.node_id)
    await mesh.js.call("v1.py.echo", {}, nodeID=mesh.py_2.broker.node_id)
    await mesh.js_2.stop()
    is_equal((await asyncio.wait_for(waiting, PATIENCE_S)).type, "REQUEST_REJECTED", "how our call ended")
    assert not _is_online(mesh, mesh.js_2.node_id), "the node that left is offline here"
    await mesh.py_2.broker.stop()
    refused = await asyncio.wait_for(waiting_there, PATIENCE_S)
    assert refused["type"] in ("REQUEST_REJECTED", "REQUEST_TIMEOUT"), f"how MoleculerJS's call ended: {refused}"
    await _is_gone_at(mesh, mesh.py_2.broker.node_id)
    is_equal(await mesh.js.call("v1.py.where"), mesh.broker.node_id, "who serves now")
    is_equal(await mesh.broker.call("v3.js.where"), mesh.js.node_id, "who serves now")


@check("a node comes back under its name")
async def comes_back(mesh: Mesh) -> None:
    await mesh.js_2.start()
    mesh.ours[1] = mesh.our_node(2)
    await mesh.py_2.start()
    await mesh.all_know_each_other()
    is_equal(await mesh.broker.call("v3.js.where", node_id=mesh.js_2.node_id), mesh.js_2.node_id, "served by")
    is_equal(await mesh.js.call("v1.py.where", nodeID="py.node-2"), "py.node-2", "served by")


@check("the bus restarts")
async def bus_restarts(mesh: Mesh) -> None:
    mesh.redis.stop()
    mesh.redis.start()

    async def answers() -> bool:
        try:
            await mesh.broker.call("v3.js.echo", {}, timeout_s=0.5, retries=0)
            await mesh.js.call("v1.py.echo", {}, timeout=500, retries=0)
        except Exception:  # noqa: BLE001 - whatever it is, not yet
            return False
        return True

    async with asyncio.timeout(PATIENCE_S):
        while not await answers():  # noqa: ASYNC110 - nobody tells when
            await asyncio.sleep(0.05)
    await mesh.all_know_each_other()
    await all_hear_beats([each.broker for each in mesh.ours], mesh.peers)
    assert all(_is_online(mesh, peer.node_id) for peer in mesh.peers), "MoleculerJS's nodes are online here"
    is_equal(set((await mesh.js.ask("nodes"))["ok"]), mesh.known_at(mesh.js), "nodes online there")
