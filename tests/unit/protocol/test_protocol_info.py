"""What INFO declares is read as far as it makes sense, and never raises."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from broker.protocol.codec import decode
from broker.protocol.info import (
    ActionDefinition,
    EventDefinition,
    ServiceDefinition,
    read_action,
    read_service,
    services_of,
)
from broker.protocol.packets import Info
from tests.unit.protocol.made_up import plain_data
from tests.unit.protocol.real_packets import real_packets


def test_a_real_node_declares_what_it_was_given() -> None:
    for packet in real_packets():
        if packet.channel.command != "INFO":
            continue
        info = decode(packet.name, packet.body)
        assert isinstance(info, Info)
        services = {service.full_name: service for service in services_of(info)}
        assert "$node" in services
        if info.sender == "edge-1":
            assert [action.full_name for action in services["v2.orders"].actions] == [
                "v2.orders.get",
                "v2.orders.create",
            ]
            assert services["v2.orders"].version == 2
            get = services["v2.orders"].actions[0]
            assert (get.raw_name, get.is_cached, get.cache_keys, get.cache_ttl_s) == ("get", True, ("id",), 5.0)
            assert get.params == {"id": "number"}
        else:
            assert services["users"].settings == {"rest": "/users"}
            assert [(event.name, event.group) for event in services["mail"].events] == [
                ("order.created", "mail"),
                ("stock.*", "mail"),
            ]


def test_a_service_without_a_full_name_gets_moleculers() -> None:
    assert read_service({"name": "posts", "version": 2}) == ServiceDefinition("v2.posts", "posts", 2)
    assert read_service({"name": "posts", "version": "beta"}) == ServiceDefinition("beta.posts", "posts", "beta")
    assert read_service({"name": "posts"}) == ServiceDefinition("posts", "posts")
    assert read_service({"version": 2}) is None


def test_an_action_says_what_it_overrides() -> None:
    declared = {
        "rawName": "find", "visibility": "protected", "cache": True, "timeout": 500, "deprecated": True,
        "circuitBreaker": {"enabled": True}, "retryPolicy": {"enabled": False}, "description": "Finds",
    }  # fmt: skip
    assert read_action("v2.posts.find", declared) == ActionDefinition(
        "v2.posts.find", "find", None, "protected", is_cached=True, timeout_s=0.5, has_breaker=True,
        description="Finds", is_deprecated=True,
    )  # fmt: skip


def test_odd_declarations_count_as_nothing_said() -> None:
    declared = {"rawName": 5, "visibility": "secret", "cache": {"enabled": False, "keys": 7}, "timeout": -1}
    assert read_action("a.b", declared) == ActionDefinition("a.b", "b")
    service = read_service({"name": "a", "events": {"x.*": 7}, "actions": [], "settings": "none"})
    assert service == ServiceDefinition("a", "a", events=(EventDefinition("x.*", "a"),))


@given(plain_data)
def test_any_value_is_read_as_services(value: object) -> None:
    fields = ("name", "fullName", "version", "settings", "actions", "events")
    info = Info(
        ver="5", sender="a", services=[value, dict.fromkeys(fields, value), {"name": "a", "actions": {"x": value}}]
    )
    services_of(info)
    services_of(Info(ver="5", sender="a", services=value))


@given(st.dictionaries(st.sampled_from(["cache", "timeout", "visibility", "deprecated", "rawName"]), plain_data))
def test_any_definition_is_read_as_an_action(declared: dict[str, object]) -> None:
    assert read_action("a.b", declared).full_name == "a.b"
