"""The points of a broker that middlewares may put something around, and what they are told."""

import asyncio
import logging

import pytest

from broker.node import Broker, BrokerOptions
from broker.node.errors import ServiceNotFoundError
from broker.node.middleware import Middleware
from broker.node.middleware.stack import Middlewares
from broker.transport.memory import MemoryBus
from tests.unit.node.nodes import QUICK, Math, Shop, mesh, story, until


class Said(Middleware):
    """Writes down when it is passed, going in and coming out."""

    def __init__(self, name: str, said: list[str]) -> None:
        self._name, self._said = name, said

    def _around(self, call, point):
        async def wrapped(*args, **options):
            self._said.append(f"{point} {self._name} in")
            try:
                return await call(*args, **options)
            finally:
                self._said.append(f"{point} {self._name} out")

        return wrapped

    def local_action(self, call, service, action):
        return self._around(call, action.name)

    def call(self, call):
        return self._around(call, "call")


@story
async def test_the_first_middleware_is_the_innermost():
    said: list[str] = []
    broker = Broker("a", options=BrokerOptions(**QUICK, middlewares=[Said("first", said), Said("second", said)]))
    await broker.add(Math())
    async with broker:
        assert await broker.call("v2.math.add", {"a": 1, "b": 2}) == 3
    inner = ["v2.math.add second in", "v2.math.add first in", "v2.math.add first out", "v2.math.add second out"]
    assert said == ["call second in", "call first in", *inner, "call first out", "call second out"]


@story
async def test_a_call_within_an_action_passes_the_callers_middlewares_too():
    said: list[str] = []
    broker = Broker("a", options=BrokerOptions(**QUICK, middlewares=[Said("m", said)]))
    await broker.add(Math(), Shop())
    async with broker:
        assert await broker.call("shop.sum", {"a": 1, "b": 2}) == 3
    assert said.count("call m in") == 2


def test_a_point_that_nobody_overrides_is_left_as_it_is():
    middlewares = Middlewares([Middleware(), Said("m", [])])

    async def inner(_ctx): ...

    assert middlewares.wrap("remote_action", inner, None, None) is inner
    assert middlewares.wrap("local_event", inner, None, None) is inner


class Life(Middleware):
    """Writes down what it is told."""

    def __init__(self, name: str, said: list[str]) -> None:
        self._name, self._said = name, said

    def created(self, broker):
        self._said.append(f"created {self._name}")

    def service_creating(self, service, schema):
        self._said.append(f"creating {schema['name']} {self._name}")

    def service_created(self, service):
        self._said.append(f"created {service.name} {self._name}")

    async def starting(self, broker):
        self._said.append(f"starting {self._name}")

    async def service_starting(self, service):
        self._said.append(f"starting {service.name} {self._name}")

    async def service_started(self, service):
        self._said.append(f"started {service.name} {self._name}")

    async def started(self, broker):
        self._said.append(f"started {self._name}")

    async def stopping(self, broker):
        self._said.append(f"stopping {self._name}")

    async def service_stopping(self, service):
        self._said.append(f"stopping {service.name} {self._name}")

    async def service_stopped(self, service):
        self._said.append(f"stopped {service.name} {self._name}")

    async def stopped(self, broker):
        self._said.append(f"stopped {self._name}")


@story
async def test_lives_are_told_in_order_and_ends_in_reverse():
    said: list[str] = []
    lives = [Life("1", said), Life("2", said)]
    broker = Broker("a", options=BrokerOptions(**QUICK, middlewares=lives, internal_services=False))
    await broker.add(Math())
    async with broker:
        await broker.remove("v2.math")
    assert said == [
        *("created 1", "created 2", "creating math 1", "creating math 2", "created math 1", "created math 2"),
        *("starting 1", "starting 2", "starting math 1", "starting math 2", "started math 1", "started math 2"),
        *("started 1", "started 2", "stopping math 2", "stopping math 1", "stopped math 2", "stopped math 1"),
        *("stopping 2", "stopping 1", "stopped 2", "stopped 1"),
    ]


class Shifted(Middleware):
    """Changes all bytes on the way: each by what it is given."""

    def __init__(self, by: int, factor: int) -> None:
        self._by, self._factor = by, factor

    def transporter_send(self, call):
        return lambda channel, body: call(channel, bytes((each * self._factor + self._by) % 256 for each in body))

    def transporter_receive(self, call):
        inverse = pow(self._factor, -1, 256)
        return lambda channel, body: call(channel, bytes((each - self._by) * inverse % 256 for each in body))


@story
async def test_what_is_done_to_bytes_last_is_undone_first():
    shifts = [Shifted(7, 1), Shifted(0, 3)]
    bus = MemoryBus()
    async with mesh(("a",), ("b", Math()), bus=bus, middlewares=shifts) as (a, _):
        assert await a.call("v2.math.add", {"a": 1, "b": 2}) == 3
    assert all(body[0] == (ord("{") * 3 + 7) % 256 for _, body in bus.published)


class Counting(Middleware):
    """Counts packets each way by command."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.taken: list[str] = []

    def transit_publish(self, call):
        def publish(packet, target):
            self.sent.append(f"{packet.COMMAND}>{target}")
            call(packet, target)

        return publish

    def transit_message_handler(self, call):
        def handle(command, packet):
            self.taken.append(f"{command}<{packet.sender}")
            call(command, packet)

        return handle


@story
async def test_packets_pass_the_middlewares_both_ways():
    counting = Counting()
    bus = MemoryBus()
    async with (
        mesh(("b", Math()), bus=bus),
        Broker("a", bus, options=BrokerOptions(**QUICK, middlewares=[counting])) as a,
    ):
        await a.wait_for_services("v2.math")
        await a.call("v2.math.add", {"a": 1, "b": 2})
    assert (counting.sent[0], counting.sent.count("REQ>b"), counting.sent[-1]) == ("DISCOVER>", 1, "DISCONNECT>")
    assert (counting.taken.count("RES<b"), counting.taken.count("INFO<b")) == (1, 1)


@story
async def test_what_a_node_logs_is_told_while_it_runs():
    class Log(Middleware):
        def __init__(self) -> None:
            self.lines: list[str] = []

        def new_log_entry(self, record):
            self.lines.append(record.getMessage())
            logging.getLogger("broker.node").warning("about %s", record.getMessage())  # not told again

    log, bus = Log(), MemoryBus()
    async with Broker("a", bus, options=BrokerOptions(**QUICK, middlewares=[log])) as a:
        bus.publish(b"MOL.INFO", b"{")
        await until(lambda: a._wire.malformed == 1)
    logging.getLogger("broker.node").warning("after its end")
    assert [line.partition("; ")[0] for line in log.lines] == ["1 packet(s) could not be handled"]


@story
async def test_a_middleware_that_fails_when_the_node_stops_leaves_nothing_running():
    class Weak(Middleware):
        async def stopping(self, broker):
            raise ValueError("weak")

    async with Broker("a", MemoryBus(), options=BrokerOptions(**QUICK, middlewares=[Weak()])):
        pass
    assert asyncio.all_tasks() == {asyncio.current_task()}


@story
async def test_the_internal_service_may_be_completed():
    async def hello(self, _ctx) -> str:
        return f"hello from {self.broker.node_id}"

    own = {"$node": {"name": "$node", "actions": {"hello": hello, "health": False}}}
    async with Broker("a", options=BrokerOptions(**QUICK, internal_services=own)) as a:
        assert await a.call("$node.hello") == "hello from a"
        assert [node["id"] for node in await a.call("$node.list")] == ["a"]
        with pytest.raises(ServiceNotFoundError):
            await a.call("$node.health")
