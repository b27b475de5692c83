"""What decorators make of a class."""

import pytest

from broker.node import Broker, action, event, service
from broker.node.definitions import ServiceDefinition, read_services
from broker.node.errors import ServiceSchemaError


@service("orders", version=2, settings={"page": 20, "key": "k", "$secureSettings": ["key"]}, metadata={"team": "shop"})
class Orders:
    @action(params={"id": "number"}, timeout_s=5.0, cache={"keys": ["id"], "ttl_s": 30}, rest="GET /:id")
    async def get(self, ctx): ...

    @action("find", visibility="private")
    def search(self, ctx): ...

    @event("order.*", group="mail")
    async def on_order(self, ctx): ...


def define(source):
    return Broker("a").services.create(source)


def test_info_says_what_was_written():
    assert define(Orders()).to_wire() == {
        "name": "orders",
        "version": 2,
        "fullName": "v2.orders",
        "settings": {"page": 20},
        "metadata": {"team": "shop"},
        "actions": {
            "v2.orders.get": {
                "params": {"id": "number"},
                "rest": "GET /:id",
                "cache": {"keys": ["id"], "ttl": 30},
                "timeout": 5000.0,
                "rawName": "get",
                "name": "v2.orders.get",
            }
        },
        "events": {"order.*": {"group": "mail", "name": "order.*"}},
    }


def test_what_info_says_is_read_back_the_same():
    offered = define(Orders())
    (read,) = read_services([offered.to_wire()])
    assert isinstance(read, ServiceDefinition)
    assert read.to_wire() == offered.to_wire()
    assert read.actions["v2.orders.get"].timeout_s == 5.0


def test_a_class_without_decorator_is_refused_with_advice():
    with pytest.raises(ServiceSchemaError, match="object is no service: decorate its class with @service"):
        define(object())
