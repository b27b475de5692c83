"""Nodes on one bus in memory: what they do for each other, and what they say while doing so."""

import asyncio
import json

import pytest

from broker.node import Broker, BrokerOptions, CircuitBreakerPolicy, Context, RetryPolicy, action, event, service
from broker.node.errors import (
    MaxCallLevelError,
    MoleculerClientError,
    MoleculerError,
    MoleculerServerError,
    RequestRejectedError,
    RequestSkippedError,
    RequestTimeoutError,
    ServiceNotAvailableError,
    ServiceNotFoundError,
)
from broker.transport.memory import MemoryBus
from tests.unit.node.nodes import QUICK, Math, Shop, mesh, said, story, until


@story
async def test_a_call_crosses_the_bus_and_meta_comes_back():
    async with mesh(("a",), ("b", Math())) as (a, _):
        meta = {"user": 7}
        assert await a.call("v2.math.add", {"a": 1, "b": 2}, meta=meta) == 3
        assert meta == {"user": 7, "by": "math"}


@story
async def test_a_request_says_exactly_what_moleculerjs_says():
    bus, math = MemoryBus(), Math()
    async with mesh(("a", Shop()), ("b", math), ("c",), bus=bus) as (_, _, c):
        await c.call("shop.sum", {"a": 1, "b": 2}, timeout_s=5.0)
        root, nested = said(bus, "REQ")
        assert root == {
            "id": root["id"],
            "action": "shop.sum",
            "params": {"a": 1, "b": 2},
            "meta": {},
            "headers": {},
            "timeout": 5000,
            "level": 1,
            "tracing": None,
            "parentID": None,
            "requestID": root["id"],
            "caller": None,
            "stream": False,
            "ver": "5",
            "sender": "c",
        }
        assert 0 < nested.pop("timeout") < 5000
        assert nested == {
            "id": nested["id"],
            "action": "v2.math.add",
            "params": {"a": 1, "b": 2},
            "meta": {"shop": 1},
            "headers": {},
            "level": 2,
            "tracing": None,
            "parentID": root["id"],
            "requestID": root["id"],
            "caller": "shop",
            "stream": False,
            "ver": "5",
            "sender": "a",
        }
        answer = said(bus, "RES")[0]
        assert answer == {
            "id": nested["id"],
            "meta": {"shop": 1, "by": "math"},
            "headers": {},
            "success": True,
            "data": 3,
            "ver": "5",
            "sender": "b",
        }


@story
async def test_an_error_arrives_with_class_code_type_data_and_origin():
    async with mesh(("a",), ("b", Math())) as (a, _):
        meta: dict = {}
        with pytest.raises(MoleculerClientError) as caught:
            await a.call("v2.math.fail", meta=meta)
        error = caught.value
        assert (error.code, error.type, error.data, error.node_id) == (409, "CONFLICT", {"k": 1}, "b")
        assert meta == {"failed": True}
        with pytest.raises(MoleculerError, match="k") as caught:
            await a.call("v2.math.crash")
        assert (caught.value.name, caught.value.code) == ("KeyError", None)


@story
async def test_an_unknown_action_is_refused_at_once_here_and_there():
    bus = MemoryBus()
    async with mesh(("a",), ("b", Math()), bus=bus) as (a, _):
        with pytest.raises(ServiceNotFoundError):
            await a.call("nobody.has.this")
        with pytest.raises(ServiceNotFoundError):
            await a.call("v2.math.add", node_id="c")
        request = {"ver": "4", "sender": "x", "id": "1", "action": "no.such", "meta": {"m": 1}}
        bus.publish(b"MOL.REQ.b", json.dumps(request).encode())
        await until(lambda: said(bus, "RES"))
        (answer,) = said(bus, "RES")
        assert (answer["success"], answer["error"]["type"], answer["ver"]) == (False, "SERVICE_NOT_FOUND", "4")
        assert "headers" not in answer


@story
async def test_null_stays_null_and_nothing_becomes_an_empty_object():
    async with mesh(("a",), ("b", Math())) as (a, _):
        assert await a.call("v2.math.echo") == {}
        assert await a.call("v2.math.echo", None) is None
        assert await a.call("v2.math.echo", [1, None, "é"]) == [1, None, "é"]


@story
async def test_a_call_of_our_own_service_stays_off_the_bus():
    bus = MemoryBus()
    async with mesh(("a", Math()), ("b", Math()), bus=bus) as (a, _):
        for _ in range(4):
            await a.call("v2.math.add", {"a": 1, "b": 1})
        assert said(bus, "REQ") == []


@story
async def test_replicas_are_called_in_turn():
    bus = MemoryBus()
    async with mesh(("a",), ("b", Math()), ("c", Math()), bus=bus) as (a, *_):
        for _ in range(4):
            await a.call("v2.math.echo")
        targets = [channel.rpartition(b".")[2] for channel, _ in bus.published if b".REQ." in channel]
        assert targets in ([b"b", b"c"] * 2, [b"c", b"b"] * 2)


@story
async def test_500_calls_at_once_are_served_side_by_side():
    async with mesh(("a",), ("b", Math())) as (a, _):
        async with asyncio.timeout(60):  # one after another they would take 100 s
            answers = await asyncio.gather(*(a.call("v2.math.sleep", {"s": 0.2}) for _ in range(500)))
        assert answers == ["late"] * 500


@story
async def test_a_remote_call_inside_an_action_does_not_deadlock():
    async with mesh(("a", Shop()), ("b", Math())) as (_, b):
        assert await b.call("shop.sum", {"a": 2, "b": 2}) == 4


@story
async def test_timeouts_end_calls_and_leave_the_rest_of_the_time_to_nested_ones():
    async with mesh(("a",), ("b", Shop()), ("c", Math())) as (a, *_):
        with pytest.raises(RequestTimeoutError) as caught:
            await a.call("v2.math.sleep", {"s": 1}, timeout_s=0.02)
        assert caught.value.data == {"action": "v2.math.sleep", "nodeID": "c"}
        with pytest.raises(RequestTimeoutError):
            await a.call("shop.slow", timeout_s=0.06)


@story
async def test_a_call_is_skipped_when_no_time_is_left():
    async with mesh(("a", Math())) as (a,):
        ctx = Context.fresh(a, None)
        ctx.timeout_s, ctx.started_s = 0.5, a.monotonic_s() - 1
        with pytest.raises(RequestSkippedError):
            await ctx.call("v2.math.add", {})


@story
async def test_calls_nested_too_deep_are_refused():
    async with mesh(("a", Shop()), max_call_level=5) as (a,):
        with pytest.raises(MaxCallLevelError, match=r"limit \(5\)"):
            await a.call("shop.again")


@story
async def test_failed_calls_are_made_again_by_the_caller_with_new_ids():
    bus, math = MemoryBus(), Math()
    policy = RetryPolicy(enabled=True, retries=3, delay_s=0.001)
    async with mesh(("a",), ("b", math), bus=bus, retry=policy) as (a, _):
        assert await a.call("v2.math.flaky") == 3
        requests = said(bus, "REQ")
        assert len({request["id"] for request in requests}) == 3
        assert len({request["requestID"] for request in requests}) == 1
        math.attempts = 0
        with pytest.raises(MoleculerServerError):
            await a.call("v2.math.flaky", retries=1)


@story
async def test_an_open_breaker_stops_calls_and_tells_who_listens():
    policy = CircuitBreakerPolicy(enabled=True, min_request_count=2, half_open_s=60)

    @service("bank")
    class Bank:
        @action()
        async def transfer(self, _ctx: Context) -> None:
            raise MoleculerServerError("down", 502)

    @service("watch")
    class Watch:
        def __init__(self) -> None:
            self.heard: list = []

        @event("$circuit-breaker.*")
        async def on_breaker(self, ctx: Context) -> None:
            self.heard.append((ctx.event_name, ctx.node_id, ctx.params["nodeID"], ctx.params.get("rate")))

    watch = Watch()
    async with mesh(("a",), ("b", Bank()), ("c", watch), circuit_breaker=policy) as (a, *_):
        for _ in range(2):
            with pytest.raises(MoleculerServerError):
                await a.call("bank.transfer")
        with pytest.raises(ServiceNotAvailableError):
            await a.call("bank.transfer")
        await until(lambda: len(watch.heard) == 2)
        assert sorted(watch.heard) == [
            ("$circuit-breaker.opened", "a", "b", 1.0),
            ("$circuit-breaker.opened", "b", "b", 1.0),
        ]


@story
async def test_an_event_reaches_one_node_of_each_group():
    first, second, third = Shop(), Shop(), Shop()
    bus = MemoryBus()
    async with mesh(("a",), ("b", first), ("c", second), ("d", third), bus=bus) as (a, *_):
        for _ in range(3):
            await a.emit("shop.opened", {"at": 8})
        await until(lambda: len(first.heard) + len(second.heard) + len(third.heard) == 3)
        assert [len(each.heard) for each in (first, second, third)] == [1, 1, 1]
        packets = said(bus, "EVENT")
        assert {tuple(packet["groups"]) for packet in packets} == {("shop",)}
        assert (packets[0]["broadcast"], packets[0]["level"], packets[0]["caller"]) == (False, 1, None)
        await a.broadcast("shop.closed")
        await until(lambda: len(first.heard) + len(second.heard) + len(third.heard) == 6)
        assert "groups" not in said(bus, "EVENT")[-1]


@story
async def test_an_event_of_a_handler_belongs_to_its_trace():
    shop, bus = Shop(), MemoryBus()
    async with mesh(("a",), ("b", shop), ("c", Shop()), bus=bus, prefer_local=False) as (a, *_):
        for _ in range(2):
            await a.call("shop.tell", node_id="b")
        await until(lambda: said(bus, "EVENT"))
        sent = said(bus, "EVENT")[0]
        request = next(each for each in said(bus, "REQ") if each["requestID"] == sent["requestID"])
        assert (sent["caller"], sent["level"], sent["parentID"]) == ("shop", 2, request["id"])


@story
async def test_streams_of_values_come_back_in_order_and_errors_end_them():
    async with mesh(("a",), ("b", Math())) as (a, _):
        assert [row["n"] async for row in await a.call("v2.math.count", {"n": 50})] == list(range(50))
        torn = await a.call("v2.math.count", {"n": 3})
        assert [(await anext(torn))["n"] for _ in range(3)] == [0, 1, 2]
        with pytest.raises(MoleculerError, match="torn"):
            await anext(torn)


@pytest.mark.parametrize("protocol", ["4", "5"])
def test_streams_of_bytes_are_sent_along_with_a_call(protocol):
    async def run() -> None:
        async def chunks():
            yield b"a" * 700_000
            yield b"b" * 10

        async with mesh(("a",), ("b", Math()), protocols=(protocol,)) as (a, _):
            answer = await a.call("v2.math.total", {"name": "n"}, stream=chunks(), meta={"m": 1})
            name = None if protocol == "4" else "n"  # version 4 has no params beside a stream
            assert answer == {"bytes": 700_010, "name": name, "meta": {"m": 1}}

    asyncio.run(run())


@story
async def test_a_node_that_leaves_rejects_what_waits_for_it():
    bus = MemoryBus()
    async with mesh(("a",), ("b", Math()), bus=bus) as (a, _):
        waiting = asyncio.create_task(a.call("v2.math.sleep", {"s": 5}))
        await until(lambda: said(bus, "REQ"))
        bus.publish(b"MOL.DISCONNECT", b'{"ver":"5","sender":"b"}')
        with pytest.raises(RequestRejectedError):
            await waiting


@story
async def test_a_node_started_anew_rejects_what_waits_for_the_old_one():
    bus = MemoryBus()
    async with mesh(("a",), ("b", Math()), bus=bus) as (a, _):
        waiting = asyncio.create_task(a.call("v2.math.sleep", {"s": 5}))
        await until(lambda: said(bus, "REQ"))
        info = {"ver": "5", "sender": "b", "services": [], "instanceID": "another", "seq": 1}
        bus.publish(b"MOL.INFO.a", json.dumps(info).encode())
        with pytest.raises(RequestRejectedError):
            await waiting


@story
async def test_a_node_stops_when_another_process_uses_its_id():
    bus = MemoryBus()
    async with Broker("a", bus, options=BrokerOptions(**QUICK)) as a:
        info = {"ver": "5", "sender": "a", "services": [], "instanceID": "another", "seq": 1}
        bus.publish(b"MOL.INFO", json.dumps(info).encode())
        await until(lambda: a.is_stopping)


@story
async def test_a_version_we_do_not_speak_is_not_answered():
    bus = MemoryBus()
    async with mesh(("a", Math()), bus=bus):
        bus.publish(b"MOL.DISCOVER", b'{"ver":"3","sender":"x"}')
        bus.publish(b"MOL.DISCOVER", b'{"ver":"4","sender":"y"}')
        await until(lambda: any(channel == b"MOL.INFO.y" for channel, _ in bus.published))
        assert not any(channel == b"MOL.INFO.x" for channel, _ in bus.published)


@story
async def test_streams_that_nobody_reads_to_the_end_leave_nothing_behind():
    async def chunks():
        for _ in range(5):
            yield b"a"

    math = Math()
    async with mesh(("a",), ("b", math)) as (a, b):
        rows = await a.call("v2.math.count", {"n": 100})
        await anext(rows)
        del rows
        await a.call("v2.math.echo", stream=chunks())
        await until(lambda: not a.requesting.waiting and not b.serving.receiving)


@story
async def test_a_silent_node_is_taken_for_gone():
    bus = MemoryBus()
    async with mesh(("a",), bus=bus, heartbeat_interval_s=0.02, heartbeat_timeout_s=0.05) as (a,):
        info = {"ver": "5", "sender": "x", "services": [], "instanceID": "i", "seq": 1}
        bus.publish(b"MOL.INFO", json.dumps(info).encode())
        await until(lambda: "x" in a.registry.nodes)
        await until(lambda: not a.registry.nodes["x"].available)


@story
async def test_a_heartbeat_of_a_stranger_is_asked_who_it_is():
    bus = MemoryBus()
    async with mesh(("a",), bus=bus):
        bus.publish(b"MOL.HEARTBEAT", b'{"ver":"4","sender":"x","cpu":3}')
        await until(lambda: (b"MOL.DISCOVER.x", b'{"ver":"4","sender":"a"}') in bus.published)


@story
async def test_each_node_is_answered_in_its_own_version():
    bus = MemoryBus()
    async with mesh(("a", Math()), bus=bus):
        bus.publish(b"MOL.DISCOVER", b'{"ver":"4","sender":"x"}')
        await until(lambda: any(channel == b"MOL.INFO.x" for channel, _ in bus.published))
        (info,) = [json.loads(body) for channel, body in bus.published if channel == b"MOL.INFO.x"]
        assert (info["ver"], info["hostname"], info["client"]["type"]) == ("4", "h", "python")
        bus.publish(b"MOL.PING.a", b'{"ver":"4","sender":"x","time":1,"id":"p"}')
        await until(lambda: said(bus, "PONG"))
        (pong,) = said(bus, "PONG")
        assert (pong["time"], pong["id"], pong["ver"]) == (1, "p", "4")


@story
async def test_leaving_says_so_and_lets_running_requests_end():
    bus = MemoryBus()
    math = Math()
    async with mesh(("a",), ("b", math), bus=bus) as (a, b):
        waiting = asyncio.create_task(a.call("v2.math.sleep", {"s": 0.05}))
        await until(lambda: math.asleep)
        await b.stop()
        assert await waiting == "late"
        assert [channel for channel, _ in bus.published][-1] == b"MOL.DISCONNECT"
        last_info = [info for info in said(bus, "INFO") if info["sender"] == "b"][-1]
        assert last_info["services"] == []
        await until(lambda: not a.registry.nodes["b"].available)


@story
async def test_a_result_that_cannot_be_sent_is_an_error_and_not_silence():
    async with mesh(("a",), ("b", Math())) as (a, _):
        with pytest.raises(MoleculerError, match="cannot be sent"):
            await a.call("v2.math.unsendable", timeout_s=1.0)


@story
async def test_hostile_packets_leave_a_node_serving():
    bus = MemoryBus()
    odd = [b"", b"\xff", b"[]", b"null", b"{", b'{"ver":"5"}', b'{"ver":"5","sender":"x","id":7,"action":"a"}']
    odd += [
        b'{"ver":"5","sender":"x","id":"1","action":"v2.math.add","params":3,"meta":7,"level":"x","timeout":"soon"}',
        b'{"ver":"5","sender":"x","id":"2","action":"v2.math.add","stream":9,"seq":"a","headers":[]}',
        b'{"ver":"5","sender":"x","services":{"a":1},"seq":[],"instanceID":{}}',
        b'{"ver":"5","sender":"x","event":"e","groups":4,"meta":"m"}',
    ]
    async with mesh(("a",), ("b", Math()), bus=bus) as (a, _):
        for command in (b"REQ.b", b"RES.b", b"EVENT.b", b"INFO", b"HEARTBEAT", b"DISCOVER.b", b"PONG.b", b"DISCONNECT"):
            for body in odd:
                bus.publish(b"MOL." + command, body)
        assert await a.call("v2.math.add", {"a": 1, "b": 2}, timeout_s=1.0) == 3


@story
async def test_waiting_for_services_ends_when_they_are_there():
    bus = MemoryBus()
    async with mesh(("a",), bus=bus) as (a,):
        with pytest.raises(MoleculerServerError) as raised:
            await a.wait_for_services(["$node", {"name": "math", "version": [2, 3]}], timeout_s=0.01)
        assert (raised.value.type, raised.value.data["statuses"]) == (
            "WAITFOR_SERVICES",
            [
                {"name": "$node", "available": True},
                {"name": "v2.math", "available": False},
                {"name": "v3.math", "available": False},
            ],
        )
        wanted = [{"name": "math", "version": [1, 2]}, "shop"]
        waiting = asyncio.create_task(a.wait_for_services(wanted, timeout_s=2))
        async with Broker("b", bus, options=BrokerOptions(**QUICK)) as b:
            await b.add(Math(), Shop())
            await waiting


@story
async def test_node_lists_what_moleculerjs_lists():
    async with mesh(("a",), ("b", Math())) as (a, _):
        nodes = await a.call("$node.list", node_id="b")
        assert {node["id"]: node["local"] for node in nodes} == {"a": False, "b": True}
        services = await a.call("$node.services", {"skipInternal": True, "withActions": "true"}, node_id="b")
        assert [(each["fullName"], each["nodes"], len(each["actions"])) for each in services] == [("v2.math", ["b"], 9)]
        (add,) = [
            each
            for each in await a.call("$node.actions", {"withEndpoints": True}, node_id="b")
            if each["name"] == "v2.math.add"
        ]
        assert add == {
            "name": "v2.math.add",
            "count": 1,
            "hasLocal": True,
            "available": True,
            "action": {"rawName": "add", "name": "v2.math.add"},
            "endpoints": [{"nodeID": "b", "state": True, "available": True}],
        }
        health = await a.call("$node.health", node_id="b")
        assert set(health) == {"cpu", "mem", "os", "process", "client", "net", "time"}


@story
async def test_ping_tells_how_far_away_a_node_is():
    async with mesh(("a",), ("b",)) as (a, _):
        pong = await a.ping("b")
        assert pong is not None
        assert pong["nodeID"] == "b"
        assert await a.ping("nobody", timeout_s=0.01) is None
