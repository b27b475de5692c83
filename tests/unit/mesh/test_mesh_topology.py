"""The graph: who calls whom, what emits to whom, what is there and silent."""

from __future__ import annotations

from json import loads

from broker.mesh import export, topology
from broker.mesh.answers import Topology
from broker.mesh.filter import parse
from broker.mesh.subject import Subject
from broker.observe.journal import Outcome
from tests.unit.mesh.mesh_builder import Mesh, between

SPAN = between(0, 60)


def edges(graph: Topology) -> list[tuple[str, str, str, int]]:
    return sorted((edge.source, edge.target, edge.kind, edge.figures.calls) for edge in graph.edges)


def shop() -> Mesh:
    mesh = Mesh("prod").node(0, "edge-1").node(0, "shop-1").node(0, "shop-2")
    mesh.service(0, "api", ["edge-1"], ["rest"])
    mesh.service(0, "v2.orders", ["shop-1", "shop-2"], ["get"], {"payment.*": {"name": "payment.*"}})
    mesh.service(0, "mail", ["shop-1"], ["send"], {"order.created": {}, "payment.done": {"group": "post"}})
    mesh.service(0, "idle", ["shop-2"], ["x"])
    mesh.calls(6, "v2.orders.get", caller="api", source="edge-1", target="shop-1")
    mesh.calls(3, "users.get", caller="v2.orders", source="shop-1", target="users-1")
    return mesh.calls(2, "users.get", source="cron-1", target="users-1")


def test_services_call_services_and_nodes_call_from_outside_them():
    graph = topology.topology(shop().snapshot(60), SPAN)
    assert edges(graph) == [
        ("node:prod/cron-1", "service:prod/users", "call", 2),
        ("service:prod/api", "service:prod/v2.orders", "call", 6),
        ("service:prod/v2.orders", "service:prod/users", "call", 3),
    ]
    kinds = {node.key: node.kind for node in graph.nodes}
    assert kinds == {
        "service:prod/api": "service",
        "service:prod/v2.orders": "service",
        "service:prod/mail": "service",
        "service:prod/idle": "service",
        "service:prod/users": "service",
        "node:prod/cron-1": "outside",
    }
    assert graph.edges[0].subject.kind == "edge"
    outside = next(edge for edge in graph.edges if edge.source.startswith("node:"))
    assert outside.subject == Subject("edge", "prod", "node:cron-1", "users")


def test_a_box_tells_what_it_received_and_sent_where_it_is_and_what_is_only_supposed():
    boxes = {node.title: node for node in topology.topology(shop().snapshot(60), SPAN).nodes}
    assert (boxes["v2.orders"].received.calls, boxes["v2.orders"].sent.calls) == (6, 3)
    assert boxes["v2.orders"].instances == ("shop-1", "shop-2")
    assert (boxes["users"].supposed, boxes["users"].instances) == (True, ("users-1",))
    assert (boxes["idle"].silent, boxes["idle"].supposed) == (True, False)
    assert not boxes["api"].silent
    assert boxes["api"].is_gateway
    assert not boxes["v2.orders"].is_gateway


def test_silent_boxes_can_be_left_out():
    titles = {node.title for node in topology.topology(shop().snapshot(60), SPAN, show_silent=False).nodes}
    assert titles == {"api", "v2.orders", "users", "cron-1"}


def test_instances_are_online_or_offline_as_of_the_end_of_the_span():
    mesh = shop().node(30, "shop-2", "offline", reason="said goodbye").node(40, "shop-1", "offline")
    mesh.node(50, "shop-1").service(70, "mail", [])
    snapshot = mesh.snapshot(80)

    def box(title: str, until: float):
        return next(node for node in topology.topology(snapshot, between(0, until)).nodes if node.title == title)

    assert (box("v2.orders", 29).instances, box("v2.orders", 29).offline_instances) == (("shop-1", "shop-2"), 0)
    assert (box("v2.orders", 35).instances, box("v2.orders", 35).offline_instances) == (("shop-1", "shop-2"), 1)
    assert box("v2.orders", 45).offline
    assert (box("v2.orders", 55).offline, box("v2.orders", 55).offline_instances) == (False, 1)
    assert box("idle", 55).offline
    assert (box("mail", 75).instances, box("mail", 75).offline) == (("shop-1",), True)


def test_what_an_earlier_session_knew_is_silent_and_not_said_to_be_gone():
    mesh = Mesh("prod").node(0, "shop-1", "remembered").service(0, "orders", ["shop-1"], ["get"])
    for group_by in ("service", "node"):
        (box,) = topology.topology(mesh.snapshot(60), SPAN, group_by=group_by).nodes
        assert (box.silent, box.offline, box.instances, box.offline_instances) == (True, False, ("shop-1",), 1)
        mesh.node(0, "shop-1", "remembered").service(0, "orders", ["shop-1"], ["get"])


def test_events_go_to_the_services_that_subscribe_on_the_node_that_got_them():
    mesh = shop()
    mesh.event(1, "order.created", caller="v2.orders", source="shop-2", target="shop-1", groups="mail")
    mesh.event(2, "payment.done", source="edge-1", target="shop-1")
    mesh.event(3, "payment.done", source="edge-1", target="shop-1", groups="post")
    mesh.event(4, "payment.done", source="edge-1", target="shop-1", groups="orders")
    mesh.event(5, "payment.done.late", source="edge-1", target="shop-1")
    mesh.event(6, "secret", caller="api", source="edge-1", target="users-1")
    mesh.event(7, "order.created", caller="api", source="edge-1", target="")
    snapshot = mesh.snapshot(60)
    found = [edge for edge in topology.topology(snapshot, SPAN).edges if edge.kind == "event"]
    assert sorted((edge.source, edge.target, edge.figures.calls, edge.events) for edge in found) == [
        ("node:prod/edge-1", "node:prod/shop-1", 1, ("payment.done.late",)),
        ("node:prod/edge-1", "service:prod/mail", 2, ("payment.done",)),
        ("node:prod/edge-1", "service:prod/v2.orders", 2, ("payment.done",)),
        ("service:prod/api", "node:prod/users-1", 1, ("secret",)),
        ("service:prod/api", "service:prod/mail", 1, ("order.created",)),
        ("service:prod/v2.orders", "service:prod/mail", 1, ("order.created",)),
    ]
    assert all(edge.health == "none" for edge in found)
    assert not [edge for edge in topology.topology(snapshot, SPAN, show_events=False).edges if edge.kind == "event"]


def test_internal_services_and_our_own_calls_are_there_when_asked_for():
    mesh = shop().call(1, "$node.list", target="shop-1", source="cron-1")
    mesh.event(1, "$circuit-breaker.opened", source="shop-1", target="edge-1")
    mesh.node(0, "meshscope-1", ours=True).call(2, "users.get", source="meshscope-1", target="users-1", ours=True)
    snapshot = mesh.snapshot(60)
    plain = {node.key for node in topology.topology(snapshot, SPAN).nodes}
    assert not plain & {"service:prod/$node", "node:prod/meshscope-1"}
    internal = topology.topology(snapshot, SPAN, show_internal=True)
    assert next(node for node in internal.nodes if node.title == "$node").internal
    assert ("node:prod/shop-1", "node:prod/edge-1", "event", 1) in edges(internal)
    ours = topology.topology(snapshot, SPAN, show_ours=True)
    assert ("node:prod/meshscope-1", "service:prod/users", "call", 1) in edges(ours)
    by_node = topology.topology(snapshot, SPAN, group_by="node")
    assert "node:prod/meshscope-1" not in {node.key for node in by_node.nodes}
    assert ("node:prod/cron-1", "node:prod/shop-1", "call", 1) not in edges(by_node)


def test_the_graph_groups_by_node_namespace_and_version():
    snapshot = shop().snapshot(60)
    by_node = topology.topology(snapshot, SPAN, group_by="node")
    assert edges(by_node) == [
        ("node:prod/cron-1", "node:prod/users-1", "call", 2),
        ("node:prod/edge-1", "node:prod/shop-1", "call", 6),
        ("node:prod/shop-1", "node:prod/users-1", "call", 3),
    ]
    silent = {node.title for node in by_node.nodes if node.silent}
    assert silent == {"shop-2"}
    by_namespace = topology.topology(snapshot, SPAN, group_by="namespace")
    assert edges(by_namespace) == [("namespace:prod", "namespace:prod", "call", 11)]
    by_version = topology.topology(snapshot, SPAN, group_by="version")
    assert edges(by_version) == [
        ("node:prod/cron-1", "version:prod/unversioned", "call", 2),
        ("version:prod/unversioned", "version:prod/v2", "call", 6),
        ("version:prod/v2", "version:prod/unversioned", "call", 3),
    ]


def test_two_meshes_on_one_server_never_merge():
    mesh = Mesh("a").call(1, "users.get", caller="api").call(1, "users.get", caller="api", namespace="b")
    graph = topology.topology(mesh.snapshot(), SPAN)
    assert edges(graph) == [
        ("service:a/api", "service:a/users", "call", 1), ("service:b/api", "service:b/users", "call", 1)
    ]  # fmt: skip


def test_a_filter_leaves_the_boxes_that_it_is_about_and_counts_the_others():
    snapshot = shop().snapshot(60)
    graph = topology.topology(snapshot, SPAN, filter=parse("service = users"))
    assert {node.title for node in graph.nodes} == {"v2.orders", "users", "cron-1"}
    assert graph.hidden == 3
    named = topology.topology(snapshot, SPAN, filter=parse("service = idle"))
    assert {node.title for node in named.nodes} == {"idle"}


def test_colour_comes_from_errors_of_the_edge_and_of_the_box():
    mesh = Mesh().calls(95, "a.x", caller="good").calls(5, "a.x", caller="good", outcome=Outcome.FAILED, error="500||E")
    graph = topology.topology(mesh.snapshot(60), SPAN)
    assert [edge.health for edge in graph.edges] == ["failed"]
    assert {node.title: node.health for node in graph.nodes} == {"a": "failed", "good": "none"}


def test_an_edge_knows_the_window_before():
    mesh = Mesh().calls(60, "a.x", 0, 30, caller="b", ms=10).calls(60, "a.x", 30, 60, caller="b", ms=50)
    (edge,) = topology.topology(mesh.snapshot(60), between(30, 60)).edges
    assert 9.9 < edge.before_p99_ms < 10.1
    assert edge.health == "slow"


def chain() -> Topology:
    mesh = Mesh()
    for caller, callee in ("ab", "bc", "cd", "de", "xc"):
        mesh.call(1, f"{callee}.do", caller=caller)
    return topology.topology(mesh.snapshot(60), SPAN)


def titles(graph: Topology) -> str:
    return "".join(sorted(node.title for node in graph.nodes))


def test_focus_goes_so_many_hops_against_the_calls_along_them_or_both():
    graph = chain()
    assert titles(topology.focus(graph, {"service:/c"}, 1)) == "bcdx"
    assert titles(topology.focus(graph, {"service:/c"}, 2)) == "abcdex"
    assert titles(topology.focus(graph, {"service:/c"}, 9, "callers")) == "abcx"
    assert titles(topology.focus(graph, {"service:/c"}, 1, "callees")) == "cd"
    assert titles(topology.focus(graph, {"service:/c"}, 0)) == "c"
    assert topology.focus(graph, {"service:/c"}, 1).hidden == 2


def test_find_names_boxes_and_hide_takes_them_away():
    graph = topology.topology(shop().snapshot(60), SPAN)
    assert topology.find(graph, parse("v2.* or service = mail")) == {"service:prod/v2.orders", "service:prod/mail"}
    assert topology.find(graph, parse("service ~ v2.*")) == {"service:prod/v2.orders"}
    assert topology.find(graph, parse("node = users-1")) == {"service:prod/users"}
    assert topology.find(graph, parse("rate > 0.09")) == {"service:prod/v2.orders", "service:prod/api"}
    assert topology.find(graph, parse("")) == set()
    hidden = topology.hide(graph, parse("service ~ v2.*"))
    assert edges(hidden) == [("node:prod/cron-1", "service:prod/users", "call", 2)]
    assert hidden.hidden == 1
    assert topology.hide(graph, parse("")) == graph


def test_the_whole_graph_goes_out_as_dot_and_json():
    mesh = shop().event(1, "order.created", caller="v2.orders", target="shop-1")
    graph = topology.topology(mesh.call(1, 'odd".x', caller="api").snapshot(60), SPAN)
    text = export.dot(graph)
    assert text.startswith("digraph mesh {")
    assert '"service:prod/api" -> "service:prod/v2.orders" [color="#1d8a63", penwidth="1.04"' in text
    assert '"service:prod/odd\\""' in text
    assert text.count("->") == len(graph.edges)
    document = loads(export.json(graph))
    assert {node["key"] for node in document["nodes"]} == {node.key for node in graph.nodes}
    assert len(document["edges"]) == len(graph.edges)
    assert document["nodes"][0]["sent"]["p50_ms"] is None or document["nodes"][0]["sent"]["p50_ms"] > 0
