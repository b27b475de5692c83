"""Who is chosen by each strategy."""

import random
from collections import Counter

import pytest

from broker.node import Broker, BrokerOptions, action, service
from broker.node.context import Context
from broker.node.definitions import ActionDefinition, ServiceDefinition
from broker.node.endpoints import ActionEndpoint, EndpointList
from broker.node.errors import BrokerOptionsError
from broker.node.nodes import NodeEntry
from broker.node.strategies import CpuUsage, HostLatencies, Latency, RoundRobin, Shard, Strategy
from broker.transport.memory import MemoryBus
from tests.timers import ManualTimers
from tests.unit.node.nodes import QUICK, mesh, story, until


async def _unused(_ctx) -> None: ...


def listed(strategy: Strategy, *nodes: NodeEntry) -> EndpointList:
    strategy.random = random.Random(1)
    endpoints: EndpointList = EndpointList("a.b", "", strategy, prefer_local=True)
    for node in nodes:
        endpoints.add(ActionEndpoint(node, ServiceDefinition("a", None, "a"), ActionDefinition("a.b", {}), _unused))
    return endpoints


def node(node_id: str, *, cpu: object = None, host: str = "h") -> NodeEntry:
    return NodeEntry(node_id, cpu=cpu, info={"hostname": host})


def chosen(endpoints: EndpointList, times: int, ctx: Context | None = None) -> Counter:
    return Counter(endpoints.next(ctx).node.id for _ in range(times))


def test_round_robin_gives_all_the_same():
    assert chosen(listed(RoundRobin({}), node("a"), node("b"), node("c")), 9) == {"a": 3, "b": 3, "c": 3}


def test_random_gives_everybody_something():
    counts = chosen(listed(Strategy({}), node("a"), node("b"), node("c")), 300)
    assert set(counts) == {"a", "b", "c"}
    assert min(counts.values()) > 60


def test_cpu_usage_takes_the_first_that_is_idle_and_otherwise_the_least_busy():
    busy = listed(CpuUsage({}), node("a", cpu=90), node("b", cpu=20), node("c"))
    assert chosen(busy, 5) == {"b": 5}
    assert chosen(listed(CpuUsage({}), node("a", cpu=90), node("b", cpu=9), node("c", cpu=1)), 5) == {"b": 5}
    assert chosen(listed(CpuUsage({"lowCpuUsage": 5}), node("a", cpu=9), node("b", cpu=8)), 5) == {"b": 5}
    assert set(chosen(listed(CpuUsage({}), node("a"), node("b", cpu="x")), 50)) == {"a", "b"}


def test_latency_takes_the_nearest_host():
    latencies = HostLatencies()
    near, far, other = node("near", host="n"), node("far", host="f"), node("other", host="o")
    for each, elapsed_ms in ((near, 20), (near, 40), (far, 90), (far, 10)):
        latencies.measured(each, elapsed_ms, 5)
    endpoints = listed(Latency({}, latencies), far, near, other)
    assert chosen(endpoints, 5) == {"near": 5}
    latencies.measured(far, 1, 1)
    assert chosen(endpoints, 5) == {"far": 5}
    latencies.remove(far)
    latencies.remove(near)
    assert latencies.average_ms == {}


@story
async def test_the_latency_strategy_pings_all_and_then_one_node_of_each_host():
    bus, timers = MemoryBus(), ManualTimers()
    options = BrokerOptions(**QUICK, strategy="latency", strategy_options={"pingInterval": 7})
    async with mesh(("b",), ("c",), bus=bus), Broker("a", bus, options=options, timers=timers) as a:
        average_ms = a._pinging.latencies({}).average_ms
        await until(lambda: "h" in average_ms)
        assert pings(bus) == [b"MOL.PING"]
        await timers.advance(7)
        await timers.advance(7)
        assert [name in (b"MOL.PING.b", b"MOL.PING.c") for name in pings(bus)[1:]] == [True, True]


def pings(bus: MemoryBus) -> list[bytes]:
    return [channel for channel, _ in bus.published if channel.startswith(b"MOL.PING")]


ME = Broker("me")


def keyed(key: object) -> Context:
    ctx = Context.fresh(ME, {"user": {"id": key}})
    ctx.meta = {"tenant": key}
    return ctx


def test_shard_gives_the_same_key_to_the_same_node_and_moves_few_when_one_goes():
    endpoints = listed(Shard({"shardKey": "user.id"}), *map(node, "abcd"))
    before = {key: endpoints.next(keyed(key)).node.id for key in range(200)}
    assert before == {key: endpoints.next(keyed(key)).node.id for key in range(200)}
    assert set(before.values()) == set("abcd")
    gone = next(each for each in endpoints.endpoints if each.node.id == "b")
    gone.is_available = False
    while_open = {key: endpoints.next(keyed(key)).node.id for key in range(200)}
    assert all(while_open[key] == before[key] for key in before if before[key] != "b")
    assert "b" not in while_open.values()


def test_shard_takes_its_key_from_meta_or_a_function_and_calls_without_key_go_anywhere():
    by_meta = listed(Shard({"shardKey": "#tenant"}), *map(node, "abcd"))
    by_function = listed(Shard({"shardKey": lambda ctx: ctx.params["user"]["id"]}), *map(node, "abcd"))
    for key in ("x", 7, 1.5, True):
        assert by_meta.next(keyed(key)).node.id == by_function.next(keyed(key)).node.id
    assert len(chosen(by_meta, 100, Context.fresh(ME, {}))) == 4


def test_a_strategy_that_does_not_exist_is_refused():
    with pytest.raises(BrokerOptionsError, match="Invalid strategy type 'Fastest'"):
        Broker("a", options=BrokerOptions(strategy="Fastest"))


@story
async def test_an_action_says_how_its_callers_balance_it():
    @service("sharded")
    class Sharded:
        @action(strategy="Shard", strategy_options={"shardKey": "k"})
        async def where(self, ctx: Context) -> str:
            return ctx.broker.node_id

    async with mesh(("a",), ("b", Sharded()), ("c", Sharded())) as (a, *_):
        answers = [await a.call("sharded.where", {"k": key}) for key in range(20) for _ in range(2)]
        assert answers[::2] == answers[1::2]
        assert set(answers) == {"b", "c"}
