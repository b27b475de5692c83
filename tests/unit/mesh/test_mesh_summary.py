"""Single calls, and the summary that the command line prints."""

from __future__ import annotations

import json

from broker.mesh import calls
from broker.mesh.filter import parse
from broker.mesh.subject import Subject
from broker.mesh.summary import summary
from broker.mesh.timeline import Timeline
from broker.observe.journal import Outcome
from tests.unit.mesh.mesh_builder import Mesh, at, between, random_timeline


def test_recent_calls_come_newest_first_with_all_that_is_known():
    mesh = Mesh("prod").call(1, "v2.orders.get", ms=12.5, caller="api", level=2, trace=9)
    mesh.call(2, "users.get", outcome=Outcome.FAILED, error="409|CONFLICT|E", ours=True).call(
        3, "a.x", outcome=Outcome.LATE
    )
    snapshot = mesh.snapshot(60)
    (record,) = calls.recent(snapshot, between(0, 60))
    assert record == calls.record(snapshot, record.address)
    assert (record.begin_ns, record.end_ns, record.duration_ms) == (at(1) - 12_500_000, at(1), 12.5)
    assert (record.namespace, record.action, record.service, record.caller) == (
        "prod",
        "v2.orders.get",
        "v2.orders",
        "api",
    )
    assert (record.source, record.target, record.outcome, record.error) == ("edge-1", "shop-1", "ok", "")
    assert (record.level, record.trace, record.request_size, record.response_size, record.ours) == (
        2,
        9,
        100,
        200,
        False,
    )
    both = calls.recent(snapshot, between(0, 60), show_ours=True)
    assert [(one.action, one.error, one.ours) for one in both] == [
        ("users.get", "409 CONFLICT", True),
        ("v2.orders.get", "", False),
    ]
    late = calls.recent(snapshot, between(0, 60), filter=parse("outcome = late"))
    assert [one.action for one in late] == ["a.x"]


def test_recent_calls_reach_over_blocks_and_stop_at_the_limit():
    snapshot = random_timeline(70_000, actions=5).snapshot()
    found = calls.recent(snapshot, snapshot.everything(), subject=Subject("action", "", "service-0.do-1"), limit=300)
    assert len(found) == 300
    moments = [one.end_ns for one in found]
    assert moments == sorted(moments, reverse=True)
    assert {one.action for one in found} == {"service-0.do-1"}


def test_recent_calls_of_a_node_are_those_at_either_end():
    snapshot = (
        Mesh().call(1, "a.x", source="n", target="m").call(2, "a.x", source="m", target="n").call(3, "a.x").snapshot()
    )
    assert len(calls.recent(snapshot, between(0, 9), subject=Subject("node", "", "n"))) == 2


def test_a_call_that_was_forgotten_has_no_record():
    mesh, timeline = Mesh(), Timeline(max_calls=80)
    for second in range(20):
        timeline.take(mesh.calls(10, "a.x", second, second + 1).batch())
    snapshot = timeline.snapshot()
    oldest = snapshot.call_blocks[0]
    assert calls.record(snapshot, (oldest.id, 0)) is not None
    assert calls.record(snapshot, (oldest.id - 1, 0)) is None
    assert calls.record(snapshot, (oldest.id, 99)) is None
    assert calls.record(Timeline().snapshot(), (0, 0)) is None


def test_waiting_calls_are_those_of_now_or_of_then():
    mesh = Mesh().waits(10, "a.x", span=1).waits(5, "b.y", span=2, source="n").call(30, "c.z", ms=20_000)
    mesh.call(30, "c.z", ms=500)
    snapshot = mesh.snapshot(60)
    assert [(one.action, one.waited_ms) for one in calls.waiting(snapshot)] == [("b.y", 55_000), ("a.x", 50_000)]
    assert [(one.action, one.waited_ms) for one in calls.waiting(snapshot, at(20))] == [
        ("b.y", 15_000), ("a.x", 10_000), ("c.z", 10_000)
    ]  # fmt: skip
    assert [one.action for one in calls.waiting(snapshot, at(10.5))] == ["b.y"]
    assert [one.action for one in calls.waiting(snapshot, filter=parse("node = n"))] == ["b.y"]
    assert [one.action for one in calls.waiting(snapshot, subject=Subject("service", "", "a"))] == ["a.x"]
    assert [one.action for one in calls.waiting(snapshot, subject=Subject("edge", "", "node:n", "b"))] == ["b.y"]


def shop() -> Mesh:
    client = {"type": "nodejs", "version": "0.15.2", "lang_version": "v20"}
    more = {"protocol": "5", "client": client, "hostname": "h", "ips": ["192.0.2.2"], "services": ["v2.orders"]}
    mesh = Mesh("prod").change(0, "session", "", {"phase": "begin"}).node(1, "shop-1", **more)
    mesh.service(1, "v2.orders", ["shop-1"], ["get"], {"order.*": {}}).node(1, "meshscope-1", ours=True)
    mesh.change(1, "load", "shop-1", {"cpu": 3})
    mesh.call(2, "v2.orders.get", ms=10, caller="api", source="edge.api-1", trace=1, level=1)
    mesh.call(3, "v2.orders.get", ms=30, caller="api", source="edge.api-1", trace=1, level=3)
    mesh.call(4, "v2.orders.get", outcome=Outcome.FAILED, error="500||E", ms=20, source="edge.api-1", trace=2)
    mesh.call(5, "v2.orders.get", outcome=Outcome.TIMED_OUT, ms=2000, caller="api", source="edge.api-1", trace=3)
    mesh.call(6, "v2.orders.get", outcome=Outcome.LATE, caller="api", source="edge.api-1", trace=3)
    mesh.call(6, "v2.orders.get", ours=True, trace=8)
    mesh.waits(7, "v2.orders.get", span=5)
    mesh.event(3, "order.created", source="edge.api-1", target="shop-1").packets(2, "REQ", 6).packets(
        3, "RES", 5, undecodable=1
    )
    mesh.change(8, "gap", "", {"reason": "connection cut by the server"}).change(9, "gap", "", None)
    mesh.change(4, "breaker", "edge.api-1|shop-1:v2.orders.get", {"state": "open", "count": 1}, "event")
    return mesh.change(5, "breaker", "edge.api-1|shop-1:v2.orders.get", {"state": "open", "count": 2}, "event")


def test_the_summary_has_the_keys_and_figures_of_the_contract():
    snapshot = shop().snapshot(10, packets=11, bytes=1100, undecodable=1, requests_open=1, requests_timed_out=1, ours=1)
    answer = json.loads(json.dumps(summary(snapshot), allow_nan=False))
    assert (answer["format"], answer["from_ns"], answer["to_ns"]) == (1, at(0), at(10) + 1)
    assert answer["packets"] == {
        "total": 11, "bytes": 1100, "by_type": {"REQ": 6, "RES": 5}, "undecodable": 1, "undecodable_reasons": {},
        "lost": 0, "requests_open": 1, "requests_timed_out": 1, "responses_orphaned": 0, "responses_late": 0,
        "responses_doubled": 0, "ours": 1,
    }  # fmt: skip
    assert answer["gaps"] == [{"from_ns": at(8), "to_ns": at(9), "reason": "connection cut by the server"}]
    nodes = {node["id"]: node for node in answer["nodes"]}
    assert set(nodes) == {"shop-1", "edge.api-1", "edge-1"}
    assert nodes["shop-1"] == {
        "id": "shop-1", "namespace": "prod", "state": "online", "reason": "", "protocol": "5",
        "client": {"type": "nodejs", "version": "0.15.2", "lang_version": "v20"}, "hostname": "h",
        "ips": ["192.0.2.2"], "instance_id": "1", "cpu": 3.0, "services": ["v2.orders"],
    }  # fmt: skip
    assert answer["services"][-1] == {
        "namespace": "prod", "name": "orders", "version": 2, "full_name": "v2.orders", "supposed": False,
        "nodes": ["shop-1"],
    }  # fmt: skip
    (action,) = answer["actions"]
    assert {name: action[name] for name in ("namespace", "name", "service", "nodes")} == {
        "namespace": "prod", "name": "v2.orders.get", "service": "v2.orders", "nodes": ["shop-1"]
    }  # fmt: skip
    counts = ("calls", "completed", "errors", "timeouts", "no_answer", "late")
    assert [action[name] for name in counts] == [5, 3, 1, 1, 0, 1]
    assert round(action["p50_ms"]) == 20
    assert action["max_ms"] == 30
    assert round(action["rate"], 3) == 0.5
    assert [
        (edge["from"], edge["from_nodes"], edge["to"], edge["to_nodes"], edge["calls"]) for edge in answer["edges"]
    ] == [
        (None, ["edge-1", "edge.api-1"], "v2.orders", ["shop-1"], 2),
        ("api", ["edge.api-1"], "v2.orders", ["shop-1"], 3),
    ]
    assert answer["events"][-1] == {
        "namespace": "prod", "name": "order.created", "emitters": ["edge.api-1"], "subscribers": ["shop-1"],
        "packets": 1,
    }  # fmt: skip
    assert answer["traces"] == {"count": 4, "deepest": 3}
    assert answer["breakers"] == [
        {
            "namespace": "prod", "owner": "edge.api-1", "endpoint": "shop-1:v2.orders.get", "state": "open",
            "since_ns": at(4), "source": "event",
        }
    ]  # fmt: skip


def test_a_call_belongs_to_the_span_in_which_its_request_was_seen():
    mesh = Mesh().call(10, "a.x", ms=4_000).call(21, "a.x", ms=4_000).call(15, "a.x", ms=1)
    snapshot = mesh.snapshot(60)
    (action,) = summary(snapshot, between(8, 20))["actions"]
    assert (action["calls"], action["completed"], action["max_ms"]) == (2, 1, 1)
    (action,) = summary(snapshot, between(20, 30))["actions"] or [None]
    assert action is None


def test_a_call_seen_at_the_very_beginning_counts_though_durations_are_rounded():
    for ms in (0.1, 3.3, 77.7, 12_345.678, 599_999.9):
        snapshot = Mesh().call(ms / 1000, "a.x", ms=ms).snapshot()
        (action,) = summary(snapshot, between(0, 3600))["actions"]
        assert action["calls"] == 1


def test_the_summary_of_nothing_is_a_summary():
    answer = summary(Timeline().snapshot())
    assert (answer["actions"], answer["nodes"], answer["traces"]) == ([], [], {"count": 0, "deepest": 0})
    assert json.dumps(answer, allow_nan=False)


def test_percentiles_without_calls_are_null():
    (action,) = summary(Mesh().waits(1, "a.x", span=1).snapshot(10))["actions"]
    assert (action["calls"], action["completed"], action["p50_ms"], action["max_ms"]) == (1, 0, None, None)
