"""Rows of the table: events."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.interop.check import check, is_equal
from tests.interop.mesh import Mesh

QUIET_S = 0.15
"""Long enough for what should not arrive to arrive, on one machine."""


async def _nothing_more(mesh: Mesh) -> None:
    await asyncio.sleep(QUIET_S)
    for peer in (mesh.js, mesh.js_2):
        is_equal((await peer.ask("heard"))["ok"], [], f"further events at {peer.node_id}")
    for ours in (mesh.py, mesh.py_2):
        for listener in (ours.py, ours.grouped):
            is_equal(listener.heard, [], f"further events at {ours.broker.node_id}")


@check("events broadcast")
async def broadcast(mesh: Mesh) -> None:
    await mesh.broker.broadcast("to.js.all", {"n": None, "text": "é😀"}, meta={"m": 1})
    for peer in (mesh.js, mesh.js_2):
        (event,) = await peer.heard(1)
        got = [event[key] for key in ("name", "type", "data", "meta", "nodeID", "level", "caller")]
        expected = ["to.js.all", "broadcast", {"n": None, "text": "é😀"}, {"m": 1}, mesh.broker.node_id, 1, None]
        is_equal(got, expected, f"what {peer.node_id} heard")
    await mesh.js.ask("broadcast", event="to.py.all", data=[1], opts={"meta": {"m": 2}})
    for ours in (mesh.py, mesh.py_2):
        (event,) = await ours.heard(1)
        got = [event[key] for key in ("name", "type", "data", "meta", "nodeID", "level", "caller")]
        expected = ["to.py.all", "broadcast", [1], {"m": 2}, mesh.js.node_id, 1, None]
        is_equal(got, expected, f"what {ours.broker.node_id} heard")
    await _nothing_more(mesh)


@check("events balanced in a group")
async def balanced(mesh: Mesh) -> None:
    for n in range(10):
        await mesh.broker.emit("balanced.js", n, meta={"m": 1})
    at_js = [await mesh.js.heard(5), await mesh.js_2.heard(5)]
    _are_shared(at_js, "what MoleculerJS's nodes heard", mesh.broker.node_id)
    for n in range(10):
        await mesh.js.ask("emit", event="balanced.py", data=n, opts={"meta": {"m": 1}})
    at_py = [await mesh.py.heard(5), await mesh.py_2.heard(5)]
    _are_shared(at_py, "what ours heard", mesh.js.node_id)
    await _nothing_more(mesh)


@check("events in a group of both stay with who emits them")
async def local_first(mesh: Mesh) -> None:
    for n in range(6):
        await mesh.broker.emit("shared.thing", n)
        await mesh.js.ask("emit", event="shared.thing", data=-n)
    is_equal([each["data"] for each in await mesh.py.heard(6)], [0, 1, 2, 3, 4, 5], "what the node of ours heard")
    is_equal([each["data"] for each in await mesh.js.heard(6)], [0, -1, -2, -3, -4, -5], "what MoleculerJS heard")
    await _nothing_more(mesh)


def _are_shared(heard: list[list[dict[str, Any]]], what: str, sender: str) -> None:
    is_equal([len(each) for each in heard], [5, 5], f"{what}, each")
    events = [event for each in heard for event in each]
    is_equal(sorted(event["data"] for event in events), list(range(10)), f"{what}, together")
    for event in events:
        is_equal([event[key] for key in ("type", "meta", "nodeID", "level")], ["emit", {"m": 1}, sender, 1], what)


@check("events for named groups")
async def grouped(mesh: Mesh) -> None:
    await mesh.broker.emit("grouped.js", 1, groups=[mesh.js_2.node_id])
    (event,) = await mesh.js_2.heard(1)
    is_equal((event["data"], event["groups"]), (1, [mesh.js_2.node_id]), "what the group heard")
    await mesh.js.ask("emit", event="grouped.py", data=2, opts={"groups": [mesh.py_2.broker.node_id]})
    (event,) = await mesh.py_2.heard(1, mesh.py_2.grouped)
    is_equal((event["data"], event["groups"]), (2, [mesh.py_2.broker.node_id]), "what the group heard")
    await mesh.broker.broadcast("grouped.js", 3, groups=[mesh.js.node_id])
    is_equal([each["data"] for each in await mesh.js.heard(1)], [3], "a broadcast to the group")
    await mesh.js.ask("broadcast", event="grouped.py", data=4, opts={"groups": [mesh.py.broker.node_id]})
    is_equal([each["data"] for each in await mesh.py.heard(1, mesh.py.grouped)], [4], "a broadcast to the group")
    await _nothing_more(mesh)


@check("events by wildcards")
async def wildcards(mesh: Mesh) -> None:
    await mesh.broker.broadcast("to.js.one", 1)
    await mesh.broker.broadcast("to.js.one.more", 2)  # one star is one word
    await mesh.broker.broadcast("deep.js.a.b.c", 3)
    for peer in (mesh.js, mesh.js_2):
        is_equal(sorted(each["data"] for each in await peer.heard(2)), [1, 3], f"what {peer.node_id} heard")
    await mesh.js.ask("broadcast", event="to.py.one", data=1)
    await mesh.js.ask("broadcast", event="to.py.one.more", data=2)
    await mesh.js.ask("broadcast", event="deep.py.a.b.c", data=3)
    for ours in (mesh.py, mesh.py_2):
        is_equal(sorted(each["data"] for each in await ours.heard(2)), [1, 3], f"what {ours.broker.node_id} heard")
    await _nothing_more(mesh)
