"""What a node knows of the mesh after what it was told."""

import pytest

from broker.node.nodes import NodeEntry
from broker.node.registry import Registry


async def _unused(_ctx) -> None: ...


def posts(*actions: str, events: dict | None = None, **more) -> dict:
    named = {f"posts.{name}": {"name": f"posts.{name}", "rawName": name, **more} for name in actions}
    return {"name": "posts", "fullName": "posts", "actions": named, "events": events or {}}


def info(*services: dict, seq: int = 1, instance: str = "i1") -> dict:
    return {"services": list(services), "seq": seq, "instanceID": instance, "hostname": "h"}


@pytest.fixture
def notices() -> list:
    return []


@pytest.fixture
def registry(notices) -> Registry:
    return Registry(NodeEntry("me", local=True), lambda *_: _unused, lambda event, data: notices.append((event, data)))


def names(notices: list) -> list[str]:
    return [event for event, _ in notices]


def test_calls_go_round_all_nodes_that_offer_an_action(registry):
    for node_id in ("a", "b", "c"):
        registry.take_info(node_id, "5", info(posts("find")), 0.0)
    chosen = [registry.actions["posts.find"].next().node.id for _ in range(5)]
    assert chosen == ["a", "b", "c", "a", "b"]


def test_protected_and_private_actions_of_others_are_not_callable(registry):
    registry.take_info("a", "5", info(posts("find", visibility="protected")), 0.0)
    assert "posts.find" not in registry.actions


def test_an_info_with_the_same_seq_and_instance_is_not_read_again(registry, notices):
    registry.take_info("a", "5", info(posts("find")), 0.0)
    registry.take_info("a", "5", info(posts("find", "get")), 1.0)
    assert "posts.get" not in registry.actions
    registry.take_info("a", "5", info(posts("get"), seq=2), 2.0)
    assert registry.actions["posts.find"].next() is None
    assert registry.actions["posts.get"].next().node.id == "a"
    assert names(notices) == [
        "$services.changed",
        "$node.connected",
        "$node.updated",
        "$services.changed",
        "$node.updated",
    ]


def test_an_endpoint_keeps_its_breaker_state_when_its_node_sends_a_new_info(registry):
    registry.take_info("a", "5", info(posts("find")), 0.0)
    registry.actions["posts.find"].endpoints[0].is_available = False
    registry.take_info("a", "5", info(posts("find"), seq=2), 0.0)
    assert registry.actions["posts.find"].endpoints[0].state is False


def test_a_node_that_left_offers_nothing_and_comes_back_as_reconnected(registry, notices):
    registry.take_info("a", "5", info(posts("find")), 0.0)
    assert registry.disconnect("a", 5.0, unexpected=True)
    assert not registry.disconnect("a", 5.0, unexpected=True)
    assert registry.actions["posts.find"].next() is None
    assert not registry.take_heartbeat("a", 3, 6.0)
    notices.clear()
    registry.take_info("a", "5", info(posts("find"), instance="i2"), 7.0)
    assert registry.actions["posts.find"].next().node.id == "a"
    assert notices[-1] == ("$node.connected", {"node": registry.nodes["a"], "reconnected": True})


def test_nodes_not_heard_are_found_and_offline_ones_forgotten_in_time(registry):
    registry.take_info("a", "5", info(), 0.0)
    registry.take_info("b", "4", info(), 0.0)
    registry.take_heartbeat("b", 7, 25.0)
    assert registry.silent_nodes(31.0, 30.0) == ["a"]
    registry.disconnect("a", 31.0, unexpected=True)
    registry.forget_offline(600.0, 600.0)
    assert set(registry.nodes) == {"me", "a", "b"}
    registry.forget_offline(601.0, 600.0)
    assert set(registry.nodes) == {"me", "b"}


def test_a_group_of_two_services_gets_an_event_once(registry):
    event = {"user.*": {"name": "user.*", "group": "mail"}}
    registry.take_info("a", "5", info(posts(events=event)), 0.0)
    registry.take_info("b", "5", info(posts(events=event)), 0.0)
    (group,) = registry.lists_for("user.created")
    assert [group.next().node.id for _ in range(3)] == ["a", "b", "a"]


@pytest.mark.parametrize(
    "services", [None, 7, "x", [1, None, {"name": 3}], [{"name": "a", "actions": [1], "events": 9}]]
)
def test_an_info_that_makes_no_sense_does_no_harm(registry, services):
    registry.take_info("a", "5", {"services": services, "seq": "many", "instanceID": 9, "client": 3}, 0.0)
    assert registry.nodes["a"].available


def test_nodes_that_come_and_go_for_days_leave_nothing_behind(registry):
    for day in range(300):
        node_id = f"pod-{day}"
        registry.take_info(node_id, "5", info(posts("find", events={"x": {"name": "x"}})), float(day))
        registry.disconnect(node_id, float(day), unexpected=False)
        registry.forget_offline(float(day) + 0.5, 0.1)
    assert set(registry.nodes) == {"me"}
    assert registry.actions["posts.find"].endpoints == []
    assert all(not endpoints.endpoints for endpoints in registry.event_lists.values())
