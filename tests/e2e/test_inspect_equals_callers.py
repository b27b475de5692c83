"""What `meshscope inspect` prints of a real MoleculerJS mesh is what the callers logged, call for call."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
import redis

from tests.e2e.conftest import StartMesh
from tests.e2e.mesh import JsMesh, RemoteCall, Serializer, Version, shop
from tests.e2e.redis_server import RedisServer

pytestmark = pytest.mark.alone

NAMESPACE = "te.st"
LISTENING_S = 10.0
ROUNDS = (9, 18, 36)
"""Of each try. Counts must be right each time. Times cannot where a loaded machine keeps the callers themselves
waiting, off the bus: of few calls, two or three such waits move a percentile, so the next try takes more."""
MESHES = [
    pytest.param(("014",), "JSON", id="0.14 JSON"),
    pytest.param(("015",), "JSON", id="0.15 JSON"),
    pytest.param(("015",), "MsgPack", id="0.15 MsgPack"),
    pytest.param(("015",), "JSONExt", id="0.15 JSONExt"),
    pytest.param(("014", "015"), "JSON", id="0.14 and 0.15"),
    pytest.param(("014", "015"), "CBOR", id="0.14 and 0.15 CBOR"),
]
KEY, IV = "01234567890123456789012345678901", "0123456789012345"
TRANSMIT = [["Encryption", KEY, "aes-256-cbc", IV], ["Compression", {"method": "gzip", "threshold": 200}]]
SECRETS = {"MESHSCOPE_CIPHER_KEY": KEY, "MESHSCOPE_CIPHER_IV": IV}


class Inspection:
    """``python -m app inspect`` in a process of its own, which listens inside of ``with``."""

    def __init__(
        self, url: str, *options: str, duration_s: float = LISTENING_S, secrets: Mapping[str, str] | None = None
    ) -> None:
        self.complaints = ""
        self._url = url
        self._duration_s = duration_s
        command = [sys.executable, "-m", "app", "inspect", url, "--duration", str(duration_s), "--json", *options]
        environment = os.environ | (secrets or {})
        self._process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Inspection:
        """Wait until the server counts its subscription."""
        deadline = time.monotonic() + 30.0
        with redis.Redis.from_url(self._url) as client:
            while client.pubsub_numpat() == 0:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self._process.kill()
                    pytest.fail(f"inspect did not begin to listen: {self._process.communicate()[1]}")
                time.sleep(0.02)
        return self

    def summary(self) -> dict[str, Any]:
        """Wait for its end; what it printed."""
        assert self._process.poll() is None, "what was to be seen took longer than the inspection"
        printed, self.complaints = self._process.communicate(timeout=self._duration_s + 30.0)
        assert self._process.returncode == 0, self.complaints
        summary: dict[str, Any] = json.loads(printed)
        return summary

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()


@pytest.mark.parametrize(("versions", "serializer"), MESHES)
def test_calls_errors_timeouts_and_times_are_those_of_the_callers(
    redis_server: RedisServer, js_mesh: StartMesh, versions: tuple[Version, ...], serializer: Serializer
) -> None:
    mesh = js_mesh(redis_server.url, namespace=NAMESPACE, serializer=serializer, is_mixed=len(versions) > 1)
    caller = shop(mesh, versions)
    mesh.start()
    # Node's first calls are slow inside the caller, before anything is on the bus: none of that is ours to see.
    began_s = time.monotonic()
    caller.run(rounds=4, workers=2)
    rounds_s = time.monotonic() - began_s
    for rounds in ROUNDS:
        before = {call.id for call in mesh.calls()}
        # as long as the rounds will take, and as much to spare
        with Inspection(redis_server.url, duration_s=2.0 + 2 * rounds_s * rounds / 4) as inspection:
            caller.run(rounds=rounds, workers=2, first=20)
            summary = inspection.summary()
        calls = [call for call in mesh.calls() if call.id not in before]
        _compare_counts(summary, calls, mesh)
        misfits = _misfits(summary["actions"], calls)
        if not misfits:
            return
    pytest.fail("\n".join(["times are not those of the callers:", *misfits]))


@pytest.mark.parametrize("serializer", ["JSON", "CBOR"])
def test_a_mesh_that_is_compressed_and_encrypted_is_read_with_its_key(
    redis_server: RedisServer, js_mesh: StartMesh, serializer: Serializer
) -> None:
    mesh = js_mesh(
        redis_server.url, namespace=NAMESPACE, serializer=serializer, is_mixed=True, heartbeat_s=1.0, transmit=TRANSMIT
    )
    caller = shop(mesh, ("014", "015"))
    mesh.start()
    with Inspection(redis_server.url, "--may", "ask", secrets=SECRETS) as inspection:
        caller.run(rounds=6, workers=2)
        summary = inspection.summary()
    _compare_counts(summary, mesh.calls(), mesh)
    answered = {it["client"]["version"] for it in summary["nodes"]} - {""}
    assert answered == {"0.14.36", "0.15.2"}  # both understood what we asked


def test_without_the_key_of_a_mesh_it_is_said_what_to_do(redis_server: RedisServer, js_mesh: StartMesh) -> None:
    mesh = js_mesh(redis_server.url, namespace=NAMESPACE, heartbeat_s=1.0, transmit=TRANSMIT)
    mesh.add("shop.edge-1", ["desk"])
    mesh.add("shop.users-1", ["users"])
    mesh.start()
    with Inspection(redis_server.url, duration_s=6.0) as inspection:
        summary = inspection.summary()
    assert summary["packets"]["undecodable"] == summary["packets"]["total"] > 5
    assert "probably they are encrypted. Put the key" in inspection.complaints


def _compare_counts(summary: dict[str, Any], calls: Sequence[RemoteCall], mesh: JsMesh) -> None:
    shown = {it["name"]: _counts(it) for it in summary["actions"] if it["calls"]}
    assert shown == _counts_by_action(calls)
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
    with Inspection(redis_server.url, "--may", "ask", duration_s=4.0) as inspection:
        summary = inspection.summary()

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
    with Inspection(redis_server.url) as inspection:
        meshes[""]["edge-1"].run(rounds=3, steps=["get", "look", "missing"])
        meshes["eu.a"]["users.1"].kill()
        meshes["eu.a"]["users.1"].start()
        # MoleculerJS waits for ever for what it sent to the instance before: none is sent until the new one is there
        meshes["eu.a"]["users.1"].wait_ready()
        meshes["eu.a"]["users.2"].kill()
        meshes["eu.a"]["edge-1"].run(rounds=2, steps=["get"])
        summary = inspection.summary()

    shown = {(it["namespace"], it["name"]): _counts(it) for it in summary["actions"]}
    for namespace, mesh in meshes.items():
        for action, counts in _counts_by_action(mesh.calls()).items():
            assert shown[namespace, action] == counts
    states = {(it["namespace"], it["id"]): it["state"] for it in summary["nodes"]}
    online = dict.fromkeys([(name, node.node_id) for name, mesh in meshes.items() for node in mesh], "online")
    assert states == online | {("eu.a", "users.2"): "offline"}


def _counts(action: dict[str, Any]) -> dict[str, int]:
    """How its calls ended, as inspect shows it."""
    ok = action["completed"] - action["errors"]
    return {"ok": ok, "failed": action["errors"], "timed-out": action["timeouts"], "unanswered": action["no_answer"]}


def _counts_by_action(calls: Sequence[RemoteCall]) -> dict[str, dict[str, int]]:
    """How the calls of each action ended, as their callers logged it."""
    ended = Counter((call.action, call.outcome) for call in calls)
    outcomes = ("ok", "failed", "timed-out", "unanswered")
    return {action: {name: ended[action, name] for name in outcomes} for action in {call.action for call in calls}}


def _counts_by_edge(calls: Iterable[RemoteCall]) -> dict[tuple[str | None, str, tuple[str, ...]], int]:
    return dict(Counter((call.caller, call.action.rpartition(".")[0], (call.node_id,)) for call in calls))


def _misfits(actions: list[dict[str, Any]], calls: Sequence[RemoteCall]) -> list[str]:
    """Where p50 or p90 is not within 2 ms or 15 % of the callers' own, between the samples beside that rank."""
    misfits = []
    for action in actions:
        own_ms = [
            call.duration_ms for call in calls if call.action == action["name"] and call.outcome in ("ok", "failed")
        ]
        for percent in (50, 90) if own_ms else ():
            low, high = (float(np.percentile(own_ms, percent, method=side)) for side in ("lower", "higher"))
            shown_ms = action[f"p{percent}_ms"]
            if not low - max(2.0, 0.15 * low) <= shown_ms <= high + max(2.0, 0.15 * high):
                misfits.append(
                    f"{action['name']} p{percent} is {shown_ms:.1f} ms, callers say {low:.1f} to {high:.1f} ms"
                )
    return misfits
