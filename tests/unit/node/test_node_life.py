"""Calls that are cancelled, several at once; services and nodes that come, fail and go; what is told of it."""

import asyncio

import pytest

from broker.node import Broker, BrokerOptions, Context, action, event, service
from broker.node.errors import (
    MoleculerClientError,
    MoleculerServerError,
    ServiceNotAvailableError,
    ServiceNotFoundError,
)
from broker.transport.memory import MemoryBus
from tests.unit.node.nodes import QUICK, Math, Shop, mesh, said, story, until


@story
async def test_a_cancelled_call_waits_no_longer_and_its_late_answer_is_nobodys():
    async with mesh(("a",), ("b", Math())) as (a, _):
        calling = asyncio.create_task(a.call("v2.math.sleep", {"s": 0.02}))
        await until(lambda: a.requesting.waiting == 1)
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        assert a.requesting.waiting == 0
        await until(lambda: a.requesting.orphaned == 1)


@story
async def test_cancelling_an_action_cancels_what_it_waits_for():
    async with mesh(("a", Shop()), ("b", Math())) as (a, _):
        calling = asyncio.create_task(a.call("shop.slow"))
        await until(lambda: a.requesting.waiting == 1)
        calling.cancel()
        await asyncio.wait([calling])
        assert a.requesting.waiting == 0


@story
async def test_several_calls_at_once_give_their_results_in_order_or_by_name():
    async with mesh(("a",), ("b", Math())) as (a, _):
        calls = [{"action": "v2.math.add", "params": {"a": n, "b": 1}} for n in range(3)]
        assert await a.mcall(calls) == [1, 2, 3]
        named = {"one": calls[0], "echo": {"action": "v2.math.echo"}}
        assert await a.mcall(named) == {"one": 1, "echo": {}}
        with pytest.raises(MoleculerClientError):
            await a.mcall([*calls, {"action": "v2.math.fail"}])
        settled = await a.mcall([calls[0], {"action": "v2.math.fail"}], settled=True)
        assert [each["status"] for each in settled] == ["fulfilled", "rejected"]
        assert (settled[0]["value"], settled[1]["reason"].code) == (1, 409)
        assert await a.mcall({"one": calls[0], "bad": {"action": "v2.math.fail"}}, settled=True) == {"one": 1}
        with pytest.raises(MoleculerServerError, match="Invalid calling definition"):
            await a.mcall("v2.math.add")


@story
async def test_several_calls_of_a_context_share_its_trace_and_give_meta_back():
    bus = MemoryBus()

    @service("many")
    class Many:
        @action()
        async def ask(self, ctx: Context) -> list:
            own = {"timeout_s": 3.0, "meta": {"own": 1}}
            calls = [{"action": "v2.math.add", "params": {"a": 1, "b": n}} for n in range(2)]
            results = await ctx.mcall([calls[0], {**calls[1], "options": own}], timeout_s=2.0)
            return [results, ctx.meta]

    async with mesh(("a", Many()), ("b", Math()), bus=bus) as (a, _):
        assert await a.call("many.ask", meta={"m": 1}) == [[1, 2], {"m": 1, "by": "math", "own": 1}]
        first, second = said(bus, "REQ")
        assert (first["timeout"], second["timeout"], second["meta"]) == (2000, 3000, {"m": 1, "own": 1})
        assert first["requestID"] == second["requestID"] == first["parentID"]
        assert (first["level"], first["caller"]) == (2, "many")


@story
async def test_an_error_handler_may_give_a_result_in_the_errors_place():
    def handle(error: Exception, _ctx: Context) -> object:
        if isinstance(error, MoleculerClientError):
            return {"instead": str(error)}
        raise error

    options = BrokerOptions(**QUICK, error_handler=handle)
    async with Broker("a", options=options) as a:
        await a.add(Math())
        assert await a.call("v2.math.fail") == {"instead": "nope"}
        with pytest.raises(ServiceNotFoundError):
            await a.call("nobody.has")


class Told:
    """Hears what a node tells of itself."""

    def __init__(self, broker: Broker) -> None:
        self.events: list[tuple[str, object]] = []
        for name in ("$node.*", "$services.changed", "$broker.*", "$transporter.*", "$transit.error"):
            broker.local_bus.on(name, lambda data, name=name: self.events.append((name, data)))

    def of(self, name: str) -> list[object]:
        return [data for told, data in self.events if told == name]


@story
async def test_services_hear_what_the_node_tells_of_others():
    bus, heard = MemoryBus(), []

    @service("listener")
    class Listener:
        @event("$**")
        async def on_anything(self, ctx: Context) -> None:
            data = {key: getattr(value, "id", value) for key, value in (ctx.params or {}).items()}
            heard.append((ctx.event_name, data))

    async with Broker("a", bus, options=BrokerOptions(**QUICK)) as a:
        await a.add(Listener())
        async with Broker("b", bus, options=BrokerOptions(**QUICK)) as b:
            await until(lambda: "b" in a.registry.nodes)
            await b.add(Math())
            await until(lambda: a.registry.has_service("v2.math"))
            assert await a.ping("b") is not None
            await until(lambda: "$node.pong" in [name for name, _ in heard])
        await until(lambda: "$node.disconnected" in [name for name, _ in heard])
    assert ("$node.connected", {"node": "b", "reconnected": False}) in heard
    assert ("$node.updated", {"node": "b"}) in heard
    assert ("$services.changed", {"localService": True}) in heard
    assert ("$services.changed", {"localService": False}) in heard
    assert ("$node.disconnected", {"node": "b", "unexpected": False}) in heard
    (pong,) = [data for name, data in heard if name == "$node.pong"]
    assert set(pong) == {"nodeID", "elapsedTime", "timeDiff", "id"}
    # what is told of a node's own coming and going stays on that node
    assert not any(channel.startswith(b"MOL.EVENT") for channel, _ in bus.published)


@story
async def test_a_packet_that_cannot_be_handled_is_told():
    bus = MemoryBus()
    async with Broker("a", bus, options=BrokerOptions(**QUICK)) as a:
        told = Told(a)
        bus.publish(b"MOL.INFO", b"{")
        bus.publish(b"MOL.INFO", b'{"ver":"3","sender":"x"}')
        await until(lambda: len(told.events) == 2)
    types = [(data["module"], data["type"], data["error"].type) for data in told.of("$transit.error")]
    assert types == [
        ("transit", "failedProcessingPacket", "INVALID_PACKET_DATA"),
        ("transit", "failedProcessingPacket", "PROTOCOL_VERSION_MISMATCH"),
    ]


def failing(moment: str) -> dict:
    async def fail(self) -> None:
        raise ValueError(f"{self.name} {moment}")

    return {"name": "weak", moment: fail}


@story
async def test_a_service_that_cannot_start_keeps_the_node_from_starting():
    broker = Broker("a", MemoryBus(), options=BrokerOptions(**QUICK))
    await broker.add(Math(), failing("started"))
    with pytest.raises(ValueError, match="weak started"):
        async with broker:
            pytest.fail("it must not start")
    assert asyncio.all_tasks() == {asyncio.current_task()}


@story
async def test_a_service_that_fails_later_is_told_and_not_offered():
    async with Broker("a", options=BrokerOptions(**QUICK)) as a:
        told = Told(a)
        with pytest.raises(ValueError, match="weak started"):
            await a.add(failing("started"))
        assert not a.registry.has_service("weak")
        await a.remove("weak")
        await a.add(failing("stopped"))
        await a.remove("weak")
        assert not a.registry.has_service("weak")
        with pytest.raises(ServiceNotFoundError, match="Service 'weak' not found"):
            await a.remove("weak")
        await a.add(failing("stopped"))
    kinds = [(data["module"], data["type"], str(data["error"])) for data in told.of("$broker.*") if data]
    assert kinds == [
        ("broker", "failedServiceRestart", "weak started"),
        ("broker", "failedServiceDestruction", "weak stopped"),
        ("broker", "failedServicesStop", "weak stopped"),
    ]
    assert told.of("$broker.*")[-1] is None  # $broker.stopped


@story
async def test_services_that_depend_on_each_other_start_in_the_order_of_need():
    started: list[str] = []

    def needing(name: str, *others: object, **settings: object) -> dict:
        async def start(self) -> None:
            started.append(self.name)

        return {"name": name, "dependencies": [*others], "settings": settings, "started": start}

    broker = Broker("a", options=BrokerOptions(**QUICK))
    await broker.add(needing("c", "b"), needing("b", {"name": "a", "version": [1, None]}), needing("a"))
    async with broker:
        assert started == ["a", "b", "c"]
        with pytest.raises(MoleculerServerError, match="timed out"):
            await broker.add(needing("d", "nobody", **{"$dependencyTimeout": 10}))


@story
async def test_a_service_that_was_removed_is_unknown_to_others_soon_and_its_requests_end():
    async with mesh(("a",), ("b", Math())) as (a, b):
        slow = asyncio.create_task(a.call("v2.math.sleep", {"s": 0.05}))
        await until(lambda: a.requesting.waiting == 1)
        await asyncio.sleep(0.01)
        await b.remove("v2.math")
        assert await slow == "late"
        await until(lambda: not a.registry.has_service("v2.math"))
        with pytest.raises(ServiceNotAvailableError):
            await a.call("v2.math.add")
        await b.add(Math())
        await until(lambda: a.registry.has_service("v2.math"))
        assert await a.call("v2.math.add", {"a": 1, "b": 1}) == 2


@pytest.mark.parametrize("setting", [{"$shutdownTimeout": 20}, {}], ids=["of the service", "of the broker"])
def test_a_handler_that_does_not_end_holds_a_stop_up_only_for_so_long(setting):
    async def run() -> None:
        async def sleep(_self, _ctx) -> None:
            await asyncio.sleep(60)

        slow = {"name": "slow", "settings": setting, "actions": {"sleep": sleep}}
        options = {"stop_timeout_s": 0.02} if not setting else {"stop_timeout_s": 30.0}
        bus = MemoryBus()
        async with mesh(("a",), bus=bus) as (a,):
            b = Broker("b", bus, options=BrokerOptions(**QUICK | options))
            await b.add(slow)
            async with asyncio.timeout(25), b:
                await until(lambda: a.registry.has_service("slow"))
                waiting = asyncio.create_task(a.call("slow.sleep"))
                await until(lambda: a.requesting.waiting == 1)
                await asyncio.sleep(0.01)
            await asyncio.wait([waiting])

    asyncio.run(run())


@story
async def test_with_tracking_a_stop_waits_for_calls_from_within_too():
    ended: list[str] = []

    async def work(_self, _ctx) -> None:
        await asyncio.sleep(0.02)
        ended.append("worked")

    async def stop(_self) -> None:
        ended.append("stopped")

    broker = Broker("a", options=BrokerOptions(**QUICK, tracking=True))
    await broker.add({"name": "s", "actions": {"work": work}, "stopped": stop})
    async with broker:
        working = asyncio.create_task(broker.call("s.work"))
        await asyncio.sleep(0)
    await working
    assert ended == ["worked", "stopped"]


@story
async def test_protected_actions_are_for_their_own_node_and_private_ones_for_their_service():
    async def answer(_self, _ctx) -> str:
        return "yes"

    actions = {
        each: {"visibility": each, "handler": answer} for each in ("public", "published", "protected", "private")
    }
    actions["old"] = {"protected": True, "handler": answer}
    async with mesh(("a",), ("b", {"name": "s", "actions": actions})) as (a, b):
        assert [await b.call(f"s.{each}") for each in ("published", "public", "protected")] == ["yes"] * 3
        assert [await a.call(f"s.{each}") for each in ("published", "public")] == ["yes"] * 2
        for broker, name in ((a, "protected"), (a, "private"), (b, "private"), (a, "old")):
            with pytest.raises(ServiceNotFoundError):
                await broker.call(f"s.{name}")
        listed = {each["name"] for each in await a.call("$node.actions", {"skipInternal": True}, node_id="b")}
        assert listed == {"s.published", "s.public", "s.protected"}


@story
async def test_emit_returns_when_the_handlers_here_have_ended_and_their_errors_stay_here():
    heard: list[str] = []

    async def slowly(_self, ctx) -> None:
        await asyncio.sleep(0.01)
        heard.append(ctx.params)
        raise ValueError("of a handler")

    async with Broker("a", options=BrokerOptions(**QUICK)) as a:
        await a.add({"name": "s", "events": {"x.*": [slowly, slowly]}})
        await a.emit("x.y", "emitted")
        assert heard == ["emitted", "emitted"]
        await a.broadcast_local("x.y", "told", groups="s")
        await a.broadcast_local("x.y", "not told", groups=["other"])
        assert heard[2:] == ["told", "told"]
        with pytest.raises(ValueError, match="of a handler"):
            await a.broadcast("x.y", "thrown", throw_error=True)


@story
async def test_ping_of_all_asks_each_node_and_says_who_was_silent():
    bus = MemoryBus()
    async with mesh(("a",), ("b",), ("c",), bus=bus) as (a, *_):
        bus.publish(b"MOL.INFO.a", b'{"ver":"5","sender":"mute","services":[],"instanceID":"i","seq":1}')
        await until(lambda: "mute" in a.registry.nodes)
        answers = await a.ping(timeout_s=0.02)
        assert isinstance(answers, dict)
        assert {node_id: answer is not None for node_id, answer in answers.items()} == {
            "b": True,
            "c": True,
            "mute": False,
        }
        assert await Broker("alone").ping("b") is None
