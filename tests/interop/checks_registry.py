"""Rows of the table: how the nodes see each other."""

from __future__ import annotations

from typing import Any

from tests.interop.check import check, in_one_version, is_equal
from tests.interop.mesh import Mesh

LISTING: dict[str, Any] = {"withActions": True, "withEvents": True, "grouping": False}


def _twins(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What is said of the twin service, by node, without what must differ."""
    return {
        row["nodeID"]: {key: value for key, value in row.items() if key not in ("nodeID", "local")}
        for row in rows
        if row["name"] == "twin"
    }


@check("$node.list shows ours as one of theirs", in_one_version)
async def listed_nodes(mesh: Mesh) -> None:
    rows = {row["id"]: row for row in await mesh.js.call("$node.list", {}, nodeID=mesh.js.node_id)}
    theirs, ours = rows[mesh.js_2.node_id], rows[mesh.broker.node_id]
    is_equal(sorted(ours), sorted(theirs), "the keys of a node's row")
    kinds = {key: type(value).__name__ for key, value in theirs.items() if key not in ("config", "cpu", "cpuSeq")}
    is_equal({key: type(ours[key]).__name__ for key in kinds}, kinds, "the kinds of its values")
    same = ("available", "local", "hostname", "metadata", "ipList", "offlineSince", "port", "udpAddress")
    is_equal({key: ours.get(key) for key in same}, {key: theirs.get(key) for key in same}, "what both share")
    is_equal(sorted(ours["client"]), sorted(theirs["client"]), "what a client says of itself")
    is_equal((ours["client"]["type"], theirs["client"]["type"]), ("python", "nodejs"), "the languages")


@check("$node.services shows ours as one of theirs", in_one_version)
async def listed_services(mesh: Mesh) -> None:
    for at in (mesh.js.node_id, mesh.broker.node_id):
        twins = _twins(await mesh.js.call("$node.services", LISTING, nodeID=at))
        is_equal(twins[mesh.py_2.broker.node_id], twins[mesh.js_2.node_id], f"the twin of ours, asked at {at}")
    at_js = await mesh.js.call("$node.services", {"withActions": True}, nodeID=mesh.js.node_id)
    at_py = await mesh.js.call("$node.services", {"withActions": True}, nodeID=mesh.broker.node_id)
    (one,), (other,) = ([row for row in rows if row["name"] == "twin"] for rows in (at_js, at_py))
    is_equal(sorted(other.pop("nodes")), sorted(one.pop("nodes")), "the nodes of the twin")
    for row in (one, other):
        # the row is that of the node that was known first, and what is protected is told of one's own only
        row.pop("local"), row["actions"].pop("v2.twin.here", None)
    is_equal(other, one, "the twin in one row, asked at ours and at theirs")


@check("$node.actions shows ours as one of theirs", in_one_version)
async def listed_actions(mesh: Mesh) -> None:
    asked = {"withEndpoints": True, "skipInternal": True}
    rows: list[dict[str, dict[str, Any]]] = []
    for at in (mesh.js.node_id, mesh.broker.node_id):
        found = {row["name"]: row for row in await mesh.js.call("$node.actions", asked, nodeID=at)}
        rows.append({name: row for name, row in found.items() if name.startswith("v2.twin.")})
        for row in rows[-1].values():
            row["endpoints"] = sorted((each["nodeID"], each["state"], each["available"]) for each in row["endpoints"])
    # what is protected is known where it lives only
    is_equal([row.pop("v2.twin.here")["count"] for row in rows], [1, 1], "endpoints of what is protected")
    is_equal(rows[1], rows[0], "the actions of the twin, asked at ours and at theirs")


@check("$node.events shows ours as one of theirs", in_one_version)
async def listed_events(mesh: Mesh) -> None:
    asked = {"withEndpoints": True, "skipInternal": True}
    rows = []
    for at in (mesh.js.node_id, mesh.broker.node_id):
        found = [row for row in await mesh.js.call("$node.events", asked, nodeID=at) if row["name"].startswith("twin.")]
        for row in found:
            row["endpoints"] = sorted((each["nodeID"], each["state"], each["available"]) for each in row["endpoints"])
        rows.append(sorted(found, key=lambda row: row["name"]))
    is_equal(rows[1], rows[0], "the subscriptions of the twin, asked at ours and at theirs")


@check("$node.health and ping")
async def health(mesh: Mesh) -> None:
    theirs = await mesh.js.call("$node.health", {}, nodeID=mesh.js.node_id)
    ours = await mesh.js.call("$node.health", {}, nodeID=mesh.broker.node_id)
    is_equal(sorted(ours), sorted(theirs), "the keys of a node's health")
    pong = (await mesh.js.ask("ping", node=mesh.broker.node_id))["ok"]
    is_equal(pong["nodeID"], mesh.broker.node_id, "who answered the ping")
    answer = await mesh.broker.ping(mesh.js.node_id)
    assert answer is not None, "MoleculerJS answered no ping of ours"
    # one clock: it seems to differ by no more than the way there or the way back took
    assert abs(answer["timeDiff"]) <= answer["elapsedTime"] / 2 + 2, f"clocks of one machine differ: {answer}"
