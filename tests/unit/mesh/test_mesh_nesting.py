"""Groups of the graph that are open: what is in them stands alone, what goes to a closed one is one edge."""

from __future__ import annotations

from broker.mesh import latency, topology
from broker.mesh.answers import Topology
from broker.mesh.nesting import open_size
from broker.mesh.opened import Opened
from broker.mesh.subject import Subject
from tests.unit.mesh.mesh_builder import Mesh, between

SPAN = between(0, 60)
ALL = Opened(by_default=True)


def edges(graph: Topology) -> list[tuple[str, str, int]]:
    return sorted((edge.source, edge.target, edge.figures.calls) for edge in graph.edges if edge.kind == "call")


def shop() -> Mesh:
    mesh = Mesh("prod").node(0, "edge-1").node(0, "shop-1").node(0, "shop-2")
    mesh.service(0, "api", ["edge-1"], ["rest"])
    mesh.service(0, "v2.orders", ["shop-1", "shop-2"], ["get"], {"payment.*": {"name": "payment.*"}})
    mesh.service(0, "mail", ["shop-1"], ["send"], {"order.created": {}})
    mesh.calls(6, "v2.orders.get", caller="api", source="edge-1", target="shop-1", ms=10)
    mesh.calls(4, "v2.orders.get", caller="api", source="edge-1", target="shop-2", ms=90)
    mesh.calls(3, "mail.send", caller="v2.orders", source="shop-2", target="shop-1")
    return mesh.calls(2, "v2.orders.get", source="cron-1", target="shop-1")


def test_an_open_service_is_its_instances_and_others_stay_one_box():
    opened = Opened(others=frozenset({"service:prod/v2.orders"}))
    graph = topology.topology(shop().snapshot(60), SPAN, opened=opened)
    assert edges(graph) == [
        ("instance:prod/v2.orders @ shop-2", "service:prod/mail", 3),
        ("node:prod/cron-1", "instance:prod/v2.orders @ shop-1", 2),
        ("service:prod/api", "instance:prod/v2.orders @ shop-1", 6),
        ("service:prod/api", "instance:prod/v2.orders @ shop-2", 4),
    ]
    assert [(group.key, group.title, group.health) for group in graph.groups] == [
        ("service:prod/v2.orders", "v2.orders", "ok")
    ]
    one = next(node for node in graph.nodes if node.title == "shop-2")
    assert (one.kind, one.group, one.instances) == ("instance", "service:prod/v2.orders", ("shop-2",))


def test_an_open_node_is_the_services_on_it_and_what_it_calls_from_outside_them():
    graph = topology.topology(shop().snapshot(60), SPAN, group_by="node", opened=ALL)
    assert edges(graph) == [
        ("instance:prod/api @ edge-1", "instance:prod/v2.orders @ shop-1", 6),
        ("instance:prod/api @ edge-1", "instance:prod/v2.orders @ shop-2", 4),
        ("instance:prod/v2.orders @ shop-2", "instance:prod/mail @ shop-1", 3),
        ("outside:prod/cron-1", "instance:prod/v2.orders @ shop-1", 2),
    ]
    assert {group.key for group in graph.groups} == {
        f"node:prod/{one}" for one in ("cron-1", "edge-1", "shop-1", "shop-2")
    }


def test_calls_between_an_open_and_a_closed_node_are_one_edge_with_percentiles_of_all_of_them():
    opened = Opened(True, frozenset({"node:prod/shop-1", "node:prod/shop-2"}))
    graph = topology.topology(shop().snapshot(60), SPAN, group_by="node", opened=opened)
    assert edges(graph) == [
        ("instance:prod/api @ edge-1", "node:prod/shop-1", 6),
        ("instance:prod/api @ edge-1", "node:prod/shop-2", 4),
        ("node:prod/shop-2", "node:prod/shop-1", 3),
        ("outside:prod/cron-1", "node:prod/shop-1", 2),
    ]


def test_an_open_namespace_holds_its_services_and_a_closed_one_bundles_its_edges():
    snapshot = shop().snapshot(60)
    whole = topology.topology(snapshot, SPAN, group_by="namespace", opened=ALL)
    assert edges(whole) == edges(topology.topology(snapshot, SPAN))
    assert {node.group for node in whole.nodes} == {"namespace:prod"}
    closed = topology.topology(snapshot, SPAN, group_by="namespace")
    assert edges(closed) == [("namespace:prod", "namespace:prod", 15)]
    assert closed.nodes[0].members == 3


def test_an_open_version_holds_the_services_of_that_version():
    opened = Opened(others=frozenset({"version:prod/v2"}))
    graph = topology.topology(shop().snapshot(60), SPAN, group_by="version", opened=opened)
    assert {(node.key, node.group) for node in graph.nodes} == {
        ("service:prod/v2.orders", "version:prod/v2"),
        ("version:prod/unversioned", ""),
        ("node:prod/cron-1", ""),
    }


def test_a_closed_group_says_how_much_is_in_it_and_a_service_on_one_node_has_nothing_to_open():
    graph = topology.topology(shop().snapshot(60), SPAN)
    assert {node.title: node.members for node in graph.nodes} == {"api": 0, "v2.orders": 2, "mail": 0, "cron-1": 0}


def test_events_reach_the_instances_that_subscribe():
    mesh = shop().event(5, "payment.done", caller="api", source="edge-1", target="shop-2")
    graph = topology.topology(mesh.snapshot(60), SPAN, group_by="node", opened=ALL)
    assert [(edge.source, edge.target) for edge in graph.edges if edge.kind == "event"] == [
        ("instance:prod/api @ edge-1", "instance:prod/v2.orders @ shop-2")
    ]


def test_what_is_selected_in_an_open_group_has_just_its_calls():
    snapshot = shop().snapshot(60)
    for opened in (
        ALL,
        Opened(),
        Opened(others=frozenset({"node:prod/shop-1"})),
        Opened(True, frozenset({"node:prod/shop-1"})),
    ):
        graph = topology.topology(snapshot, SPAN, group_by="node", opened=opened)
        for edge in graph.edges:
            told = latency.series(snapshot, SPAN, subject=edge.subject)[0].total.calls
            assert (edge.subject, told) == (edge.subject, edge.figures.calls)
    one = Subject("service", "prod", "v2.orders", "shop-2")
    assert latency.series(snapshot, SPAN, subject=one)[0].total.calls == 4


def test_whatever_is_open_no_call_is_lost_or_counted_twice():
    snapshot = shop().snapshot(60)
    for group_by in ("service", "node", "namespace", "version"):
        for opened in (Opened(), ALL):
            graph = topology.topology(snapshot, SPAN, group_by=group_by, opened=opened)  # type: ignore[arg-type]
            assert sum(edge.figures.calls for edge in graph.edges) == 15


def test_a_service_on_one_node_has_no_frame_of_its_own():
    graph = topology.topology(shop().snapshot(60), SPAN, opened=ALL)
    assert [group.key for group in graph.groups] == ["service:prod/v2.orders"]


def test_the_size_of_an_open_graph_counts_what_only_calls_show():
    mesh = Mesh("prod")  # before any INFO
    for number in range(30):
        mesh.calls(1, "users.get", caller="api", source=f"api-{number}", target=f"users-{number}")
    snapshot = mesh.snapshot(60)
    assert open_size(snapshot, SPAN, "node") == 60
    assert open_size(snapshot, SPAN, "namespace") == 2
    assert open_size(shop().snapshot(60), SPAN, "version") == 3
