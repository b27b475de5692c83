"""The real mesh and the real server that other tests stand on do what their helpers say."""

from __future__ import annotations

from tests.e2e.bare_tap import BareTap
from tests.e2e.conftest import StartMesh, StartRedis
from tests.e2e.redis_server import Certificates, RedisServer


def test_a_mesh_talks_over_tls_and_with_a_password(
    start_redis: StartRedis, certificates: Certificates, js_mesh: StartMesh
) -> None:
    server = start_redis(password="s3cret", certificates=certificates)
    assert server.url.startswith("rediss://:s3cret@127.0.0.1:")
    mesh = js_mesh(server.url, authority=certificates.authority)
    mesh.add("edge-1", ["desk"])
    mesh.add("users.1", ["users"])
    mesh.start()
    mesh["edge-1"].run(steps=["get", "look"])
    assert [(call.action, call.caller, call.outcome) for call in mesh.calls()] == [
        ("users.get", None, "ok"),
        ("users.get", "desk", "ok"),
    ]


def test_a_log_holds_each_attempt_with_its_own_end(redis_server: RedisServer, js_mesh: StartMesh) -> None:
    mesh = js_mesh(redis_server.url)
    mesh.add("edge-1", ["desk"])
    mesh.add("pay.1", ["payments", "users"])
    mesh.start()
    mesh["edge-1"].run(steps=["flaky", "slowTwice", "impatient", "crash"])
    assert [(call.action, call.outcome, call.error_code, call.error_type) for call in mesh["edge-1"].calls()] == [
        ("payments.flaky", "failed", 503, "BUSY"),
        ("payments.flaky", "ok", None, None),
        ("users.slow", "timed-out", 504, "REQUEST_TIMEOUT"),
        ("users.slow", "timed-out", 504, "REQUEST_TIMEOUT"),
        ("payments.impatient", "failed", 504, "REQUEST_TIMEOUT"),
        ("payments.crash", "failed", None, None),
    ]
    slow = [call.duration_ms for call in mesh["edge-1"].calls() if call.action == "users.slow"]
    assert all(55 <= duration_ms < 250 for duration_ms in slow)
    assert mesh["pay.1"].calls() == []  # what stays inside a node is no remote call


def test_a_node_that_is_killed_says_nothing_and_comes_back(redis_server: RedisServer, js_mesh: StartMesh) -> None:
    mesh = js_mesh(redis_server.url, namespace="a.b", heartbeat_s=1.0)
    mesh.add("edge-1", ["desk"])
    mesh.add("users.1", ["users"])
    mesh.start()
    with BareTap(redis_server.url) as tap:
        mesh["users.1"].kill()
        mesh["users.1"].start()
        mesh["users.1"].wait_ready()
        mesh["edge-1"].run(steps=["get"])
        mesh["users.1"].stop()
    names = [name.decode() for name, body in tap.frames if b'"sender":"users.1"' in body]
    assert names[0] == "MOL-a.b.DISCOVER"  # no farewell before it
    assert names[-1] == "MOL-a.b.DISCONNECT"
    assert names.count("MOL-a.b.DISCONNECT") == 1
    assert [call.outcome for call in mesh.calls()] == ["ok"]


def test_the_redis_discoverer_keeps_info_off_the_bus(redis_server: RedisServer, js_mesh: StartMesh) -> None:
    mesh = js_mesh(redis_server.url, discoverer=redis_server.url, heartbeat_s=1.0)
    mesh.add("edge-1", ["desk"])
    mesh.add("users.1", ["users"])
    with BareTap(redis_server.url) as tap:
        mesh.start()
        mesh["edge-1"].run(steps=["get"])
    assert {name.split(b".")[1] for name, _ in tap.frames} == {b"REQ", b"RES"}
