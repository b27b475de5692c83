"""Ways through the graph, and the breakers on its edges."""

from __future__ import annotations

from broker.mesh import topology
from broker.mesh.answers import EdgeBreaker
from broker.mesh.opened import Opened
from broker.mesh.paths import Paths, paths
from tests.unit.mesh.mesh_builder import Mesh, at, between

SPAN = between(0, 60)


def chain(*pairs: str) -> topology.Topology:
    mesh = Mesh()
    for pair in pairs:
        caller, called = pair.split(">")
        mesh.calls(2, f"{called}.do", caller=caller, source=f"{caller}-1", target=f"{called}-1")
    return topology.topology(mesh.snapshot(60), SPAN)


def keys(text: str) -> tuple[str, ...]:
    return tuple(f"service:/{one}" for one in text.split(">"))


def test_the_shortest_way_is_told_and_all_that_visit_no_box_twice():
    graph = chain("a>b", "b>d", "a>c", "c>b", "d>a", "x>a")
    found = paths(graph, *keys("a>d"))
    assert found.shortest == keys("a>b>d")
    assert (found.count, found.is_whole) == (2, True)
    assert found.boxes == set(keys("a>b>c>d"))
    assert found.pairs == {keys("a>b"), keys("b>d"), keys("a>c"), keys("c>b")}
    assert found.shortest_pairs == {keys("a>b"), keys("b>d")}


def test_there_is_no_way_against_the_calls_and_none_from_a_box_to_itself():
    graph = chain("a>b", "b>c")
    assert paths(graph, *keys("c>a")) == Paths()
    assert paths(graph, *keys("a>a")) == Paths()


def test_a_search_that_takes_too_long_tells_the_shortest_way_and_that_it_is_not_all():
    names = "abcdefghij"
    graph = chain(*(f"{one}>{other}" for one in names for other in names if one != other))
    found = paths(graph, *keys("a>j"), most_steps=50)
    assert (found.shortest, found.is_whole) == (keys("a>j"), False)


def mesh_with_breakers() -> Mesh:
    mesh = Mesh("prod").node(0, "shop-1").node(0, "pay-1")
    mesh.service(0, "orders", ["shop-1", "shop-2"], ["get"]).service(0, "pay", ["pay-1"], ["charge", "quote"])
    mesh.calls(6, "pay.charge", caller="orders", source="shop-1", target="pay-1")
    mesh.calls(6, "pay.charge", caller="orders", source="shop-2", target="pay-1")
    mesh.change(10, "breaker", "shop-1|pay-1:pay.charge", {"state": "open"}, "event")
    mesh.change(11, "breaker", "shop-2|pay-1:pay.charge", {"state": "half-open"}, "event")
    return mesh.change(12, "breaker", "shop-1|pay-1:pay.quote", {"state": "closed"}, "event")


def test_an_open_breaker_stands_on_the_edge_whose_calls_it_stops_and_says_how_it_is_known():
    graph = topology.topology(mesh_with_breakers().snapshot(60), SPAN)
    assert [edge.breakers for edge in graph.edges] == [
        (
            EdgeBreaker("shop-1", "pay-1", "pay.charge", "open", at(10), "event"),
            EdgeBreaker("shop-2", "pay-1", "pay.charge", "half-open", at(11), "event"),
        )
    ]


def test_a_breaker_of_one_instance_is_on_the_edge_of_that_instance():
    opened = Opened(others=frozenset({"service:prod/orders"}))
    graph = topology.topology(mesh_with_breakers().snapshot(60), SPAN, opened=opened)
    states = {edge.source: [breaker.state for breaker in edge.breakers] for edge in graph.edges}
    assert states == {
        "instance:prod/orders @ shop-1": ["open"],
        "instance:prod/orders @ shop-2": ["half-open"],
    }


def test_a_breaker_that_closed_is_on_no_edge_and_looking_back_it_is():
    mesh = mesh_with_breakers().change(30, "breaker", "shop-1|pay-1:pay.charge", {"state": "closed"}, "event")
    snapshot = mesh.snapshot(60)
    now = topology.topology(snapshot, SPAN).edges[0].breakers
    then = topology.topology(snapshot, between(0, 20)).edges[0].breakers
    assert ([one.state for one in now], [one.state for one in then]) == (["half-open"], ["open", "half-open"])
