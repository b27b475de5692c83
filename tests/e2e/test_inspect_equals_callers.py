"""What `meshscope inspect` prints of a real MoleculerJS mesh is what the callers logged, call for call."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
import redis

from tests.e2e.conftest import StartMesh
from tests.e2e.mesh import RemoteCall, Serializer, Version, shop
from tests.e2e.redis_server import RedisServer

NAMESPACE = "te.st"
LISTENING_S = 12.0
MESHES = [
    pytest.param(("014",), "JSON", id="0.14 JSON"),
    pytest.param(("015",), "JSON", id="0.15 JSON"),
    pytest.param(("015",), "MsgPack", id="0.15 MsgPack"),
    pytest.param(("014", "015"), "JSON", id="0.14 and 0.15"),
]


@pytest.mark.parametrize(("versions", "serializer"), MESHES)
def test_calls_errors_timeouts_and_times_are_those_of_the_callers(
    redis_server: RedisServer, js_mesh: StartMesh, versions: tuple[Version, ...], serializer: Serializer
) -> None:
    mesh = js_mesh(redis_server.url, namespace=NAMESPACE, serializer=serializer, is_mixed=len(versions) > 1)
    caller = shop(mesh, versions)
    mesh.start()
    # Node's first calls are slow inside the caller, before anything is on the bus: none of that is ours to see.
    caller.run(rounds=5, workers=2)
    before = {call.id for call in mesh.calls()}
    inspecting = _begin_inspecting(redis_server.url)
    caller.run(rounds=9, workers=2, first=20)
    assert inspecting.poll() is None, "the calls took longer than the inspection"
    summary = _end_inspecting(inspecting)
    calls = [call for call in mesh.calls() if call.id not in before]

    actions = {action["name"]: action for action in summary["actions"] if action["namespace"] == NAMESPACE}
    shown = {name: (it["calls"], it["errors"], it["timeouts"]) for name, it in actions.items() if it["calls"]}
    assert shown == _counts_by_action(calls)
    _compare_times(actions, calls)

    edges = {(it["from"], it["to"], tuple(it["from_nodes"])): it["calls"] for it in summary["edges"] if it["calls"]}
    assert edges == _counts_by_edge(calls)
    assert summary["packets"]["undecodable"] == 0
    assert summary["packets"]["lost"] == 0
    assert summary["gaps"] == []
    assert {(it["id"], it["namespace"], it["state"]) for it in summary["nodes"]} == {
        (node.node_id, NAMESPACE, "online") for node in mesh
    }


@pytest.mark.parametrize("serializer", ["JSON", "MsgPack"])
def test_who_asks_learns_what_every_node_of_both_versions_is_and_offers(
    redis_server: RedisServer, js_mesh: StartMesh, serializer: Serializer
) -> None:
    mesh = js_mesh(redis_server.url, namespace=NAMESPACE, serializer=serializer, is_mixed=True)
    shop(mesh, ("014", "015"))
    mesh.start()
    summary = _end_inspecting(_begin_inspecting(redis_server.url, "--may", "ask", duration_s=4.0))

    known = {
        it["id"]: (it["namespace"], it["state"], it["protocol"], it["client"]["version"]) for it in summary["nodes"]
    }
    versions = {"014": ("4", "0.14.36"), "015": ("5", "0.15.2")}
    assert known == {node.node_id: (NAMESPACE, "online", *versions[node.version]) for node in mesh}
    services = {it["full_name"]: (it["name"], it["version"], set(it["nodes"])) for it in summary["services"]}
    assert {name: service for name, service in services.items() if not name.startswith("$")} == {
        "desk": ("desk", None, {"shop.edge-1"}),
        "v2.orders": ("orders", 2, {"shop.orders-1"}),
        "payments": ("payments", None, {"shop.pay-1"}),
        "files": ("files", None, {"shop.pay-1"}),
        "users": ("users", None, {"shop.users-1", "shop.users-2"}),
        "audit": ("audit", None, {"shop.users-1"}),
        "mail": ("mail", None, {"shop.users-2"}),
    }


def test_meshes_on_one_server_are_kept_apart_and_a_killed_node_is_missed(
    redis_server: RedisServer, js_mesh: StartMesh
) -> None:
    meshes = {namespace: js_mesh(redis_server.url, namespace=namespace, heartbeat_s=1.0) for namespace in ("", "eu.a")}
    for mesh in meshes.values():
        mesh.add("edge-1", ["desk"])
        mesh.add("users.1", ["users"])
        mesh.add("users.2", ["users"])
        mesh.start()
    inspecting = _begin_inspecting(redis_server.url)
    meshes[""]["edge-1"].run(rounds=3, steps=["get", "look", "missing"])
    meshes["eu.a"]["users.2"].kill()
    meshes["eu.a"]["users.1"].kill()
    meshes["eu.a"]["users.1"].start()
    meshes["eu.a"]["edge-1"].run(rounds=2, steps=["get"])
    summary = _end_inspecting(inspecting)

    shown = {(it["namespace"], it["name"]): (it["calls"], it["errors"], it["timeouts"]) for it in summary["actions"]}
    for namespace, mesh in meshes.items():
        for action, counts in _counts_by_action(mesh.calls()).items():
            assert shown[namespace, action] == counts
    states = {(it["namespace"], it["id"]): it["state"] for it in summary["nodes"]}
    online = dict.fromkeys([(name, node.node_id) for name, mesh in meshes.items() for node in mesh], "online")
    assert states == online | {("eu.a", "users.2"): "offline"}


def _begin_inspecting(url: str, *options: str, duration_s: float = LISTENING_S) -> subprocess.Popen[str]:
    """Start it, and wait until the server counts its subscription."""
    command = [sys.executable, "-m", "app", "inspect", url, "--duration", str(duration_s), "--json", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 20.0
    with redis.Redis.from_url(url) as client:
        while client.pubsub_numpat() == 0:
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                pytest.fail(f"inspect did not begin to listen: {process.communicate()[1]}")
            time.sleep(0.02)
    return process


def _end_inspecting(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, complaints = process.communicate(timeout=LISTENING_S + 20.0)
    assert process.returncode == 0, complaints
    summary: dict[str, Any] = json.loads(out)
    return summary


def _counts_by_action(calls: Iterable[RemoteCall]) -> dict[str, tuple[int, int, int]]:
    """Calls, errors and timeouts."""
    made = Counter(call.action for call in calls)
    ended = Counter((call.action, call.outcome) for call in calls)
    return {action: (count, ended[action, "failed"], ended[action, "timed-out"]) for action, count in made.items()}


def _counts_by_edge(calls: Iterable[RemoteCall]) -> dict[tuple[str | None, str, tuple[str, ...]], int]:
    return dict(Counter((call.caller, call.action.rpartition(".")[0], (call.node_id,)) for call in calls))


def _compare_times(actions: dict[str, dict[str, Any]], calls: list[RemoteCall]) -> None:
    """p50 and p90 within 2 ms or 15 % of the callers' own, between the samples beside that rank."""
    for name, action in actions.items():
        own_ms = [call.duration_ms for call in calls if call.action == name and call.outcome != "timed-out"]
        if not own_ms:
            continue
        for percent in (50, 90):
            low, high = (float(np.percentile(own_ms, percent, method=side)) for side in ("lower", "higher"))
            shown_ms = action[f"p{percent}_ms"]
            assert low - max(2.0, 0.15 * low) <= shown_ms <= high + max(2.0, 0.15 * high), (name, percent, low, high)
