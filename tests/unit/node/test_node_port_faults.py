"""What other Python nodes of Moleculer get wrong: one test for each fault that the other tests here do not hold."""

import asyncio

import pytest

from broker.node import Broker, BrokerOptions, CircuitBreakerPolicy, Context, RetryPolicy, action, service
from broker.node.errors import MoleculerServerError, RequestTimeoutError, ServiceNotFoundError
from broker.transport.memory import MemoryBus
from tests.unit.node.nodes import QUICK, Math, mesh, said, story, until


@story
async def test_a_timeout_is_sent_in_milliseconds_and_enforced_for_each_call():
    bus = MemoryBus()
    async with mesh(("a",), ("b", Math()), bus=bus) as (a, _):
        slow = asyncio.create_task(a.call("v2.math.sleep", {"s": 0.2}, timeout_s=1.5))
        with pytest.raises(RequestTimeoutError):
            await a.call("v2.math.sleep", {"s": 5}, timeout_s=0.02)
        assert await slow == "late"
    assert sorted(each["timeout"] for each in said(bus, "REQ")) == [20, 1500]


def hearer(group: str) -> dict:
    heard: list[object] = []

    async def hear(_self, ctx: Context) -> None:
        heard.append((ctx.event_kind, ctx.params))

    return {"name": f"hears-{group}", "heard": heard, "events": {"thing.*": {"group": group, "handler": hear}}}


@story
async def test_an_emitted_event_reaches_every_group_once_and_a_broadcast_every_handler_once():
    services = [hearer(group) for group in ("g1", "g2", "g3", "g4")]
    twins = [hearer("g1"), hearer("g1")]
    async with mesh(("a",), ("b", *services[:2]), ("c", *services[2:]), ("d", *twins[:1]), ("e", *twins[1:])) as (
        a,
        *_,
    ):
        for number in range(6):
            await a.emit("thing.x", number)
        await until(lambda: all(len(each["heard"]) == 6 for each in services[1:]))
        of_g1 = sorted(number for each in (services[0], *twins) for _, number in each["heard"])
        assert of_g1 == list(range(6))
        for each in (*services, *twins):
            each["heard"].clear()
        await a.broadcast("thing.x", "all")
        await until(lambda: all(each["heard"] for each in (*services, *twins)))
        await asyncio.sleep(0.01)
        assert [each["heard"] for each in (*services, *twins)] == [[("broadcast", "all")]] * 6


@story
async def test_info_names_the_internal_service_params_instance_and_address():
    bus = MemoryBus()

    @service("s")
    class S:
        @action(params={"id": "number"})
        async def get(self, ctx: Context) -> None: ...

    async with mesh(("a", S()), ("b",), bus=bus) as (a, _):
        info = next(each for each in said(bus, "INFO") if each["sender"] == "a")
        assert {each["name"] for each in info["services"]} == {"$node", "s"}
        assert next(each for each in info["services"] if each["name"] == "s")["actions"]["s.get"]["params"] == {
            "id": "number"
        }
        assert info["instanceID"] == a.instance_id
        assert (info["ipList"], info["hostname"], info["client"]["type"]) == (["192.0.2.1"], "h", "python")


@story
async def test_two_namespaces_on_one_bus_do_not_meet():
    bus, options = MemoryBus(), BrokerOptions(**QUICK)
    one, two = Broker("a", bus, "one", options=options), Broker("b", bus, "two.x-y", options=options)
    async with one, two:
        await two.add(Math())
        await asyncio.sleep(0.01)
        assert ([*one.registry.nodes], [*two.registry.nodes]) == (["a"], ["b"])
        with pytest.raises(ServiceNotFoundError):
            await one.call("v2.math.echo")
    names = {channel.split(b".", 1)[0] for channel, _ in bus.published}
    assert names == {b"MOL-one", b"MOL-two"}


def failing(node: str, asked: list[str], *, works: bool) -> dict:
    async def answer(_self, _ctx) -> str:
        asked.append(node)
        if works:
            return node
        raise MoleculerServerError("broken", 503)

    return {"name": "bank", "actions": {"pay": answer, "ask": answer}}


@story
async def test_a_retry_goes_to_another_endpoint():
    asked: list[str] = []
    retry = RetryPolicy(enabled=True, retries=3, delay_s=0.0)
    nodes = (("a",), ("b", failing("b", asked, works=False)), ("c", failing("c", asked, works=True)))
    async with mesh(*nodes, retry=retry) as (a, *_):
        assert [await a.call("bank.pay") for _ in range(2)] == ["c", "c"]
        assert asked == ["b", "c", "b", "c"]


@story
async def test_each_endpoint_has_a_breaker_of_its_own():
    asked: list[str] = []
    breaker = CircuitBreakerPolicy(enabled=True, min_request_count=2)
    nodes = (("a",), ("b", failing("b", asked, works=False)), ("c", failing("c", asked, works=True)))
    async with mesh(*nodes, circuit_breaker=breaker) as (a, *_):
        outcomes = await asyncio.gather(*(a.call("bank.pay") for _ in range(4)), return_exceptions=True)
        assert [str(each) for each in outcomes] == ["broken", "c", "broken", "c"]
        assert {await a.call("bank.pay") for _ in range(4)} == {"c"}
        with pytest.raises(MoleculerServerError):  # the other action of the same node has one of its own
            await asyncio.gather(a.call("bank.ask"), a.call("bank.ask"))


@story
async def test_a_node_that_was_cut_off_hears_and_serves_again():
    bus = MemoryBus()
    async with mesh(("a",), ("b", Math()), bus=bus) as (a, b):
        told: list[object] = []
        for moment in ("connected", "disconnected"):
            a.local_bus.on(f"$transporter.{moment}", told.append)
        bus.go_down()
        b.node_gone("a", unexpected=True)
        a.node_gone("b", unexpected=True)
        bus.come_back()
        await until(lambda: a.registry.has_service("v2.math") and b.registry.nodes["a"].available)
        assert await a.call("v2.math.echo", {"n": 1}) == {"n": 1}
        assert told == [{"graceFul": False}, {"wasReconnect": True}]
