"""What there is: nodes, services, actions, events, and what came and went."""

from __future__ import annotations

import math

from broker.mesh import inventory
from broker.mesh.comings import turning_points
from broker.mesh.filter import parse
from broker.mesh.inventory_actions import cached_text
from broker.observe.journal import Outcome
from tests.unit.mesh.mesh_builder import Mesh, at, between

SPAN = between(0, 60)


def shop() -> Mesh:
    mesh = Mesh("prod").change(0, "session", "", {"phase": "begin"})
    node = {"protocol": "5", "hostname": "h", "ips": ["192.0.2.2"], "services": ["v2.orders"]}
    client = {"type": "nodejs", "version": "0.15.2", "lang_version": "v20"}
    mesh.node(1, "shop-1", client=client, instance_id="i1", **node).node(2, "shop-2")
    mesh.change(10, "load", "shop-1", {"cpu": 12}).change(30, "load", "shop-1", {"cpu": 90})
    mesh.service(1, "v2.orders", ["shop-1"], ["get"], {"user.*": {"params": {"id": "string"}}}, settings={"a": 1})
    mesh.calls(10, "v2.orders.get", 5, 15, caller="api", source="edge-1", target="shop-1")
    return mesh.call(20, "v2.orders.get", outcome=Outcome.FAILED, error="500||E", caller="api", target="shop-1")


def test_a_node_is_told_as_of_the_end_of_the_span():
    mesh = (
        shop()
        .node(40, "shop-1", instance_id="i2", services=["v2.orders"])
        .node(50, "shop-1", "offline", reason="gone", instance_id="i2")
    )
    snapshot = mesh.snapshot(60)
    early = {node.node_id: node for node in inventory.nodes(snapshot, between(0, 35))}
    late = {node.node_id: node for node in inventory.nodes(snapshot, SPAN)}
    one = early["shop-1"]
    assert (one.state, one.protocol, one.client, one.lang_version) == ("online", "5", "nodejs 0.15.2", "v20")
    assert (one.hostname, one.ips, one.instance_id, one.services) == ("h", ("192.0.2.2",), "i1", ("v2.orders",))
    assert (one.cpu, one.restarts, one.received.calls, one.received.errors) == (90, 0, 11, 1)
    assert (one.first_ns, one.last_ns) == (at(1), at(35))
    assert inventory.nodes(snapshot, between(0, 25))[1].cpu == 12
    gone = late["shop-1"]
    assert (gone.state, gone.reason, gone.restarts, gone.last_ns) == ("offline", "gone", 1, at(50))
    assert math.isnan(gone.cpu)
    assert (late["edge-1"].state, late["edge-1"].sent.calls) == ("supposed", 11)
    assert list(late) == ["edge-1", "shop-1", "shop-2"]


def test_what_is_not_there_yet_is_not_listed():
    snapshot = shop().node(50, "new-1").service(50, "new", ["new-1"], ["x"]).call(55, "later.x").snapshot(60)
    assert "new-1" not in {node.node_id for node in inventory.nodes(snapshot, between(0, 45))}
    assert {one.full_name for one in inventory.services(snapshot, between(0, 45))} == {"v2.orders", "api"}
    assert {one.name for one in inventory.actions(snapshot, between(0, 45))} == {"v2.orders.get"}
    assert {one.name for one in inventory.actions(snapshot, SPAN)} == {"v2.orders.get", "new.x", "later.x"}


def test_a_service_has_its_version_nodes_actions_and_figures():
    mesh = shop().service(30, "v2.orders", ["shop-1", "shop-2"], ["get", "list"]).node(40, "shop-2", "offline")
    orders = next(one for one in inventory.services(mesh.snapshot(60), SPAN) if one.full_name == "v2.orders")
    assert (orders.name, orders.version, orders.supposed) == ("orders", "v2", False)
    assert (orders.nodes, orders.offline_nodes) == (("shop-1",), ("shop-2",))
    assert orders.actions == ("v2.orders.get", "v2.orders.list")
    assert (orders.figures.calls, orders.health) == (11, "failed")
    assert (orders.first_ns, orders.last_ns) == (at(1), at(60))


def test_services_that_only_names_tell_of_are_supposed():
    mesh = shop().call(1, "v3.users.get", target="u-1")
    mesh.change(
        1,
        "service",
        "v3.users",
        {
            "name": "users",
            "version": 3,
            "supposed": True,
            "nodes": {"u-1": {"actions": {"v3.users.get": {}}, "events": {}}},
        },
    )
    services = {one.full_name: one for one in inventory.services(mesh.snapshot(60), SPAN)}
    users, api = services["v3.users"], services["api"]
    assert (users.supposed, users.version, users.nodes, users.actions) == (True, "v3", ("u-1",), ("v3.users.get",))
    assert (api.supposed, api.nodes, api.actions) == (True, (), ())


def test_an_action_has_what_info_says_of_it():
    mesh = shop()
    definition = {"params": {"id": "string"}, "visibility": "public", "cache": {"keys": ["id", "#user"], "ttl": 30}}
    offer = {"actions": {"math.add": definition}, "events": {}}
    mesh.change(0, "service", "math", {"name": "math", "nodes": {"m-1": offer, "shop-2": offer}})
    mesh.node(30, "shop-2", "offline")
    add = next(one for one in inventory.actions(mesh.snapshot(60), SPAN) if one.name == "math.add")
    assert (add.service, add.supposed, add.visibility, add.cached) == ("math", False, "public", "keys id, #user, 30 s")
    assert (add.nodes, add.params, add.definition) == (("m-1", "shop-2"), {"id": "string"}, definition)
    assert (add.figures.calls, add.health) == (0, "none")


def test_caching_is_told_in_words():
    for cache in (None, False, "x", {"enabled": False, "ttl": 3}):
        assert cached_text(cache) == ""
    assert [cached_text(cache) for cache in (True, {}, {"ttl": 1.5})] == ["yes", "yes", "1.5 s"]


def test_an_event_has_its_emitters_subscribers_and_who_got_it():
    mesh = shop().event(1, "user.created", source="edge-1", target="shop-1").event(2, "user.created", target="shop-9")
    mesh.event(3, "user.created", target="shop-1", ours=True)
    events = {one.name: one for one in inventory.events(mesh.snapshot(60), SPAN)}
    created, pattern = events["user.created"], events["user.*"]
    assert (created.packets, created.emitters, created.received_by) == (2, ("edge-1",), ("shop-1", "shop-9"))
    assert (created.subscribers, created.groups, created.params) == (("shop-1",), ("orders",), {"id": "string"})
    assert (pattern.packets, pattern.subscribers, pattern.emitters) == (0, ("shop-1",), ())
    assert pattern.last_ns == 0


def test_filters_leave_what_they_are_about():
    snapshot = shop().snapshot(60)
    assert [one.node_id for one in inventory.nodes(snapshot, SPAN, filter=parse("node = shop-2"))] == ["shop-2"]
    assert [one.name for one in inventory.actions(snapshot, SPAN, filter=parse("outcome = failed"))] == [
        "v2.orders.get"
    ]
    assert inventory.actions(snapshot, SPAN, filter=parse("action = x")) == []
    assert [one.full_name for one in inventory.services(snapshot, SPAN, filter=parse("service ~ v2.*"))] == [
        "v2.orders"
    ]
    assert [one.name for one in inventory.events(snapshot, SPAN, filter=parse("event ~ user"))] == ["user.*"]


def test_comings_tell_what_appeared_vanished_restarted_and_came_back_newest_first():
    mesh = shop()
    mesh.node(20, "shop-3").node(21, "shop-3", "offline", reason="no heartbeat for 30 s").node(22, "shop-3")
    mesh.node(23, "shop-1", instance_id="i2").node(24, "shop-1", instance_id="i2", cpu=1)
    mesh.service(25, "v2.orders", ["shop-1"], ["list"]).service(26, "mail", ["shop-1"]).change(
        27, "service", "mail", None
    )
    mesh.change(28, "gap", "", {"reason": "cut"}).change(29, "gap", "", {"reason": "refused"}).change(
        30, "gap", "", None
    )
    mesh.change(31, "breaker", "a|b:x.y", {"state": "open"}).change(
        32, "breaker", "a|b:x.y", {"state": "open", "count": 9}
    )
    mesh.change(33, "breaker", "a|b:x.y", {"state": "closed"}).change(34, "clock", "", {"step_ns": -2_000_000_000})
    snapshot = mesh.snapshot(60)
    told = [(one.at_ns, one.kind, one.what, one.change) for one in inventory.comings(snapshot, SPAN, with_found=False)]
    assert told == [
        (at(34), "clock", "wall clock", "was set"),
        (at(33), "breaker", "b:x.y", "closed"),
        (at(31), "breaker", "b:x.y", "opened"),
        (at(30), "gap", "connection", "came back"),
        (at(28), "gap", "connection", "lost"),
        (at(27), "service", "mail", "vanished"),
        (at(26), "service", "mail", "appeared"),
        (at(25), "action", "v2.orders.get", "vanished"),
        (at(25), "action", "v2.orders.list", "appeared"),
        (at(25), "event", "user.*", "vanished"),
        (at(23), "node", "shop-1", "restarted"),
        (at(22), "node", "shop-3", "came back"),
        (at(21), "node", "shop-3", "vanished"),
        (at(20), "node", "shop-3", "appeared"),
    ]
    found = [one for one in inventory.comings(snapshot, SPAN) if one.change == "found"]
    assert {(one.kind, one.what) for one in found} == {
        ("node", "shop-1"),
        ("node", "shop-2"),
        ("service", "v2.orders"),
        ("action", "v2.orders.get"),
        ("event", "user.*"),
    }
    assert len(inventory.comings(snapshot, SPAN, limit=3)) == 3
    assert [one.at_ns for one in inventory.comings(snapshot, between(33, 34))] == [at(33)]


def test_a_closed_breaker_in_a_list_did_not_close_and_one_that_an_event_tells_of_did():
    mesh = shop()
    mesh.change(30, "breaker", "a|b:x.y", {"state": "closed"}, "helper")
    mesh.change(31, "breaker", "c|b:x.y", {"state": "closed"}, "event")
    mesh.change(32, "breaker", "a|b:x.y", None, "helper").change(
        33, "breaker", "a|b:x.y", {"state": "closed"}, "helper"
    )
    mesh.change(34, "breaker", "a|b:x.y", {"state": "open"}, "helper")
    told = inventory.comings(mesh.snapshot(60), SPAN, kinds=("breaker",))
    assert [(one.at_ns, one.detail, one.change) for one in told] == [
        (at(34), "at a", "opened"),
        (at(31), "at c", "closed"),
    ]


def test_a_node_that_comes_back_deployed_anew_tells_what_is_another():
    mesh = Mesh("prod").node(0, "shop-1", instance_id="i1", metadata={"version": "1.4"}, services=["v1.orders"])
    gone = {"instance_id": "i1", "metadata": {"version": "1.4"}, "services": ["v1.orders"]}
    mesh.node(30, "shop-1", "offline", **gone | {"reason": "said goodbye"})
    mesh.node(31, "shop-1", instance_id="i2", metadata={"version": "1.5"}, services=["v2.orders"])
    mesh.change(40, "breaker", "a|b:x.y", {"state": "open"}).change(41, "breaker", "a|b:x.y", {"state": "closed"})
    told = turning_points(mesh.snapshot(60), SPAN)
    assert [(one.at_ns, one.what, one.change) for one in told] == [
        (at(40), "b:x.y", "opened"),
        (at(31), "shop-1", "restarted"),
        (at(30), "shop-1", "vanished"),
    ]
    assert told[1].detail == "another instance, version 1.4 → 1.5, now with v2.orders, no longer with v1.orders"


def test_a_node_known_from_an_earlier_session_only_is_found_and_not_restarted():
    mesh = Mesh("prod").node(0, "shop-1", "remembered", instance_id="i1").node(1, "shop-1", instance_id="i2")
    told = [(one.what, one.change) for one in inventory.comings(mesh.snapshot(60), SPAN) if one.kind == "node"]
    assert told == [("shop-1", "found")]
