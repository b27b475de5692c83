"""Spans: what they hold, which are told, and how they hang together."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.clock import MILLISECOND, SECOND, ManualClock
from broker.node import Broker, BrokerOptions, Context, RetryPolicy, action, event, service
from broker.node.context import ABSENT
from broker.node.errors import MoleculerClientError, MoleculerError
from broker.node.tracing import ConsoleExporter, EventExporter, Exporter, Sampling, Span, Tracer, TracingOptions
from broker.node.tracing.plain import plain
from broker.transport.memory import MemoryBus
from tests.unit.node.nodes import QUICK, Math, Shop, mesh, story, until

BEGUN_S = 1_700_000_000


class Kept(Exporter):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.started: list[Span] = []
        self.finished: list[Span] = []

    def span_started(self, span: Span) -> None:
        self.started.append(span)

    def span_finished(self, span: Span) -> None:
        self.finished.append(span)

    def named(self, name: str) -> Span:
        (found,) = [span for span in self.finished if span.name == name]
        return found


def tracer_at(clock: ManualClock, **options: Any) -> Tracer:
    return Tracer(TracingOptions(**options), clock.now_ns)


# spans


def test_a_span_is_shown_as_moleculerjs_shows_it():
    clock = ManualClock(BEGUN_S * SECOND)
    tracer = tracer_at(clock)
    clock.at_ns += 1_500_250
    service_ = {"name": "shop", "version": 2, "fullName": "v2.shop"}
    span = tracer.start_span("look", span_id="s1", trace_id="t1", parent_id="p1", service=service_, tags={"a": 1})
    clock.at_ns += 2 * MILLISECOND
    span.log("found", {"rows": 3}).set_error(MoleculerClientError("nope", 409, "CONFLICT", {"k": 1}))
    clock.at_ns += 250_000
    span.add_tags({"b": 2}).finish()
    assert span.to_wire(tracer.error_fields, tracer.begun_ns) == {
        "name": "look",
        "type": "custom",
        "id": "s1",
        "traceID": "t1",
        "parentID": "p1",
        "service": service_,
        "priority": 5,
        "sampled": True,
        "startTime": BEGUN_S * 1000 + 1,
        "startTicks": 1.50025,
        "finishTime": BEGUN_S * 1000 + 3.25,
        "duration": 2.25,
        "error": {
            "name": "MoleculerClientError",
            "message": "nope",
            "code": 409,
            "type": "CONFLICT",
            "data": {"k": 1},
        },
        "logs": [{"name": "found", "fields": {"rows": 3}, "time": BEGUN_S * 1000 + 3.0, "elapsed": 2.0}],
        "tags": {"a": 1, "b": 2},
    }


def test_a_span_of_its_own_begins_a_trace_and_has_no_parent():
    tracer = tracer_at(ManualClock())
    span = tracer.start_span("alone", service="cron")
    wire = span.to_wire(tracer.error_fields, tracer.begun_ns)
    assert wire["traceID"] == wire["id"]
    assert "parentID" not in wire
    assert wire["service"] == {"name": "cron", "fullName": "cron"}
    assert (wire["finishTime"], wire["duration"], wire["error"]) == (None, None, None)


def test_a_span_ends_with_its_block_and_takes_the_blocks_error():
    tracer = tracer_at(ManualClock())
    with pytest.raises(KeyError), tracer.start_span("outer") as outer, outer.start_span("inner") as inner:
        raise KeyError("k")
    assert (inner.parent_id, inner.trace_id) == (outer.id, outer.id)
    assert [repr(span.error) for span in (inner, outer)] == ["KeyError('k')"] * 2
    assert not inner.is_active
    wire = inner.to_wire(["name", "message", "stack"], tracer.begun_ns)
    assert (wire["error"]["name"], wire["error"]["message"]) == ("KeyError", "'k'")
    assert wire["error"]["stack"].startswith("Traceback")


def test_default_tags_are_in_every_span_and_may_be_made_by_a_function():
    tracer = tracer_at(ManualClock(), default_tags=lambda tracer: {"events": tracer.options.events, "zone": 1})
    assert tracer.start_span("a", tags={"zone": 2}).tags == {"events": False, "zone": 2}


# sampling


def test_a_rate_takes_traces_evenly():
    tracer = tracer_at(ManualClock(), sampling=Sampling(rate=0.4))
    assert [tracer.start_span("a").sampled for _ in range(7)] == [False, False, True, False, False, True, False]
    assert not tracer_at(ManualClock(), sampling=Sampling(rate=0)).start_span("a").sampled


def test_so_many_traces_in_a_second_and_what_is_not_used_is_saved_for_one():
    clock = ManualClock(BEGUN_S * SECOND)
    tracer = tracer_at(clock, sampling=Sampling(traces_per_s=2))
    taken = []
    for wait_s in (0, 0.5, 0, 0.5, 60, 0, 0):
        clock.at_ns += round(wait_s * SECOND)
        taken.append(tracer.start_span("a").sampled)
    assert taken == [False, True, False, True, True, True, False]


def test_a_slow_limit_takes_one_in_many_seconds():
    clock = ManualClock(BEGUN_S * SECOND)
    tracer = tracer_at(clock, sampling=Sampling(traces_per_s=0.125))
    taken = []
    for _ in range(17):
        taken.append(tracer.start_span("a").sampled)
        clock.at_ns += SECOND
    assert [second for second, sampled in enumerate(taken) if sampled] == [8, 16]


def test_what_matters_too_little_is_not_told():
    tracer = tracer_at(ManualClock(), sampling=Sampling(min_priority=5))
    assert [tracer.start_span("a", priority=priority).sampled for priority in (4, 5, 6)] == [False, True, True]


def test_the_decision_of_the_first_span_holds_for_all_within_it():
    tracer = tracer_at(ManualClock(), sampling=Sampling(rate=0))
    outer = tracer.start_span("outer", sampled=True)
    assert outer.start_span("inner").sampled
    assert tracer.start_span("other", parent=outer).sampled


# actions and events of nodes


@service("traced", version=1)
class Traced:
    def __init__(self) -> None:
        self.attempts = 0

    @action()
    async def outer(self, ctx: Context) -> int:
        with ctx.start_span("compute", tags={"rows": 3}):
            return await ctx.call("v2.math.add", {"a": 1, "b": 2})

    @action(tracing=False)
    async def silent(self, ctx: Context) -> int:
        return await ctx.call("v2.math.add", {"a": 1, "b": 2})

    @action(tracing={"tags": {"params": ["id"], "meta": ["user"], "response": True}, "spanName": "look up"})
    async def chosen(self, _ctx: Context) -> dict[str, int]:
        return {"rows": 1}

    @action(tracing={"tags": lambda ctx, result=ABSENT: {"id": ctx.params["id"], "done": result is not ABSENT}})
    async def custom(self, _ctx: Context) -> int:
        return 1

    @action(tracing={"safetyTags": True})
    async def odd(self, _ctx: Context) -> int:
        return 1

    @action(retryPolicy={"enabled": True, "retries": 1, "delay": 1})
    async def flaky(self, _ctx: Context) -> int:
        self.attempts += 1
        if self.attempts == 1:
            error = MoleculerError("not yet", 503)
            error.retryable = True
            raise error
        return self.attempts

    @event("traced.told", group="mail")
    async def on_told(self, ctx: Context) -> None:
        await ctx.call("v2.math.add", {"a": 1, "b": 2})


@story
async def test_spans_of_two_nodes_make_one_tree():
    of_a, of_b = Kept(), Kept()
    bus = MemoryBus()
    async with (
        Broker("a", bus, options=BrokerOptions(**QUICK, tracing=TracingOptions(exporters=[of_a]))) as a,
        Broker("b", bus, options=BrokerOptions(**QUICK, tracing=TracingOptions(exporters=[of_b]))) as b,
    ):
        await a.add(Traced())
        await b.add(Math())
        await a.wait_for_services("v2.math")
        assert await a.call("v1.traced.outer", {"q": 1}, meta={"user": 7}) == 3
    compute, outer = of_a.finished
    (add,) = of_b.finished
    assert (outer.parent_id, compute.parent_id, add.parent_id) == (None, outer.id, compute.id)
    assert {span.trace_id for span in (outer, compute, add)} == {outer.id}
    assert (outer.name, compute.name, add.name) == ("action 'v1.traced.outer'", "compute", "action 'v2.math.add'")
    assert compute.service == {"name": "traced", "version": 1, "fullName": "v1.traced"}
    assert outer.tags == {
        "callingLevel": 1,
        "action": {"name": "v1.traced.outer", "rawName": "outer"},
        "remoteCall": False,
        "callerNodeID": "a",
        "nodeID": "a",
        "options": {},
        "requestID": outer.id,
        "params": {"q": 1},
        "fromCache": False,
    }
    assert add.tags == {
        "callingLevel": 2,
        "action": {"name": "v2.math.add", "rawName": "add"},
        "remoteCall": True,
        "callerNodeID": "a",
        "nodeID": "b",
        "options": {"timeout": 0, "retries": None},
        "requestID": outer.id,
        "params": {"a": 1, "b": 2},
        "fromCache": False,
    }


@story
async def test_an_action_says_what_its_span_shows():
    kept = Kept()
    async with mesh(("a", Traced(), Math()), tracing=TracingOptions(exporters=[kept])) as (a,):
        await a.call(
            "v1.traced.chosen", {"id": 1, "password": "p"}, meta={"user": 7, "ip": "x"}, timeout_s=2, retries=0
        )
        await a.call("v1.traced.custom", {"id": 1})
        circle: dict[str, Any] = {"id": 1, "f": len}
        circle["self"] = circle
        await a.call("v1.traced.odd", circle)
        await a.call("v1.traced.silent")
        chosen, custom, odd, add = kept.finished
        assert chosen.name == "look up"
        assert {name: chosen.tags[name] for name in ("params", "meta", "response", "options")} == {
            "params": {"id": 1},
            "meta": {"user": 7},
            "response": {"rows": 1},
            "options": {"timeout": 2000, "retries": 0},
        }
        assert (custom.tags["id"], custom.tags["done"], "params" in custom.tags) == (1, True, False)
        assert odd.tags["params"] == {"id": 1, "self": {"id": 1}}
        assert add.parent_id is not None, "its parent is the context that nobody traced"


@story
async def test_a_function_or_a_choice_of_the_broker_holds_where_an_action_says_nothing():
    kept = Kept()
    options = TracingOptions(exporters=[kept], action_tags=lambda ctx, result=None: {"made": ctx.params, "r": result})
    async with mesh(("a", Math()), tracing=options) as (a,):
        await a.call("v2.math.add", {"a": 1, "b": 2})
    assert (kept.finished[0].tags["made"], kept.finished[0].tags["r"]) == ({"a": 1, "b": 2}, 3)
    kept = Kept()
    options = TracingOptions(exporters=[kept], action_tags={"params": False, "meta": True})
    async with mesh(("a", Math()), tracing=options) as (a,):
        await a.call("v2.math.add", {"a": 1, "b": 2}, meta={"m": 1})
    assert kept.finished[0].tags["meta"]["m"] == 1
    assert "params" not in kept.finished[0].tags


@story
async def test_a_failed_action_is_a_failed_span():
    kept = Kept()
    async with mesh(("a", Math()), tracing=TracingOptions(exporters=[kept])) as (a,):
        with pytest.raises(MoleculerClientError):
            await a.call("v2.math.fail")
        with pytest.raises(MoleculerError):
            await a.call("v2.math.sleep", {"s": 9}, timeout_s=0.001)
    assert [type(span.error).__name__ for span in kept.finished] == ["MoleculerClientError", "RequestTimeoutError"]
    assert "fromCache" not in kept.finished[0].tags


@story
async def test_each_attempt_is_a_span_and_the_first_says_that_it_was_tried_again():
    kept = Kept()
    async with mesh(("a", Traced()), tracing=TracingOptions(exporters=[kept]), retry=RetryPolicy()) as (a,):
        assert await a.call("v1.traced.flaky") == 2
    first, second = kept.finished
    assert (first.tags["retryAttempts"], first.error.code, second.error) == (1, 503, None)
    assert (first.trace_id, second.trace_id) == (first.id, first.id)


@story
async def test_events_are_spans_where_that_is_wanted_and_the_decision_is_the_emitters():
    of_a = Kept()
    bus = MemoryBus()
    options = TracingOptions(exporters=[of_a], events=True)
    async with (
        Broker("a", bus, options=BrokerOptions(**QUICK, tracing=options)) as a,
        Broker("b", bus, options=BrokerOptions(**QUICK)) as b,
    ):
        await a.add(Traced(), Math())
        await a.emit("traced.told", {"n": 1})
        add, told = of_a.finished
        assert (told.name, told.type) == ("event 'traced.told' in 'v1.traced'", "event")
        assert told.tags == {
            "event": {"name": "traced.told", "group": "mail"},
            "eventName": "traced.told",
            "eventType": "emit",
            "callerNodeID": "a",
            "callingLevel": 1,
            "remoteCall": False,
            "nodeID": "a",
            "requestID": told.trace_id,
            "params": {"n": 1},
        }
        assert add.parent_id == told.id
        await b.wait_for_services("v1.traced")
        await b.emit("traced.told", {"n": 2})
        await until(lambda: len(of_a.started) >= 2)
        await asyncio.sleep(0)
        assert len(of_a.finished) == 2, "b decided nothing: then nothing is told"
        await b.emit("traced.told", {"n": 3}, tracing=True)
        await until(lambda: len(of_a.finished) == 4)


@story
async def test_spans_nest_and_the_one_around_is_back_when_one_ends():
    async with mesh(("a",)) as (a,):
        ctx = Context.fresh(a, None)
        outer = ctx.start_span("outer")
        inner = ctx.start_span("inner")
        assert inner.parent_id == outer.id
        assert ctx.child(None, None).parent_id == inner.id
        ctx.finish_span(outer)  # the wrong one first
        assert ctx.span is inner
        ctx.finish_span(inner)
        ctx.finish_span(inner)
        assert ctx.span is None
        assert ctx.child(None, None).parent_id == ctx.id


def test_a_node_without_tracing_has_no_middleware_for_it_and_still_makes_spans():
    kept = Kept()
    broker = Broker("a", options=BrokerOptions(tracing=TracingOptions(enabled=False, exporters=[kept])))
    with broker.start_span("mine") as span:
        pass
    assert (span.is_active, kept.finished) == (False, [])


# exporters


@service("listener")
class Listener:
    def __init__(self) -> None:
        self.heard: list[Context] = []

    @event("$tracing.spans")
    async def on_spans(self, ctx: Context) -> None:
        self.heard.append(ctx)


def telling(**options: Any) -> BrokerOptions:
    return BrokerOptions(**QUICK, tracing=TracingOptions(exporters=[EventExporter(**options)], events=True))


@story
async def test_the_mesh_is_told_of_spans_by_an_event_and_not_of_its_own_handling():
    listener, bus = Listener(), MemoryBus()
    async with (
        Broker("a", bus, options=telling(interval_s=0.001)) as a,
        Broker("b", bus, options=telling(interval_s=0.001)) as b,
    ):
        await a.add(listener, Shop())
        await b.add(Math())
        await a.wait_for_services("v2.math")
        await b.wait_for_services("listener")
        await a.call("shop.sum", {"a": 1, "b": 2})
        await until(lambda: sum(len(ctx.params) for ctx in listener.heard) == 2)
        told = [span for ctx in listener.heard for span in ctx.params]
        assert sorted(span["name"] for span in told) == ["action 'shop.sum'", "action 'v2.math.add'"]
        assert {span["tags"]["nodeID"] for span in told} == {"a", "b"}
        for _ in range(20):
            await asyncio.sleep(0.001)
        assert sum(len(ctx.params) for ctx in listener.heard) == 2


def test_an_exporter_is_of_one_node():
    options = telling()
    Broker("a", options=options)
    with pytest.raises(ValueError, match="tells of node 'a' already: give each node its own"):
        Broker("b", options=options)


@story
async def test_what_waits_is_told_before_a_node_leaves():
    listener, bus = Listener(), MemoryBus()
    async with Broker("a", bus, options=BrokerOptions(**QUICK)) as a:
        await a.add(listener)
        options = BrokerOptions(**QUICK, tracing=TracingOptions(exporters=[EventExporter(interval_s=60)]))
        async with Broker("b", bus, options=options) as b:
            await b.wait_for_services("listener")
            with b.start_span("mine"):
                pass
        await until(lambda: bool(listener.heard))
        assert [span["name"] for span in listener.heard[0].params] == ["mine"]


@story
async def test_a_span_may_be_told_when_it_begins_and_at_once():
    listener = Listener()
    options = TracingOptions(exporters=[EventExporter(interval_s=0, send_start_span=True, broadcast=True)])
    async with mesh(("a", listener), tracing=options) as (a,):
        with a.start_span("mine"):
            await until(lambda: len(listener.heard) == 1)
        await until(lambda: len(listener.heard) == 2)
        assert [ctx.params[0]["finishTime"] is None for ctx in listener.heard] == [True, False]
        assert listener.heard[0].event_kind == "broadcastLocal"


@story
async def test_many_spans_do_not_wait_and_odd_tags_do_not_stop_them():
    listener = Listener()
    bus = MemoryBus()
    async with (
        Broker("a", bus, options=telling(interval_s=60)) as a,
        Broker("b", bus, options=BrokerOptions(**QUICK)) as b,
    ):
        await b.add(listener)
        await a.wait_for_services("listener")
        for number in range(500):
            with a.start_span("mine", tags={"n": number, "odd": object(), 1: {2, 3}}):
                pass
        await until(lambda: bool(listener.heard))
        assert [span["tags"]["n"] for span in listener.heard[0].params] == list(range(500))
        assert listener.heard[0].params[0]["tags"] == {"n": 0, "odd": None, "1": [2, 3]}


def test_the_log_is_told_of_a_trace_as_a_tree():
    lines: list[str] = []
    clock = ManualClock(BEGUN_S * SECOND)
    tracer = tracer_at(clock, exporters=[ConsoleExporter(write=lines.append)])
    with tracer.start_span("outer", trace_id="t1") as outer:
        clock.at_ns += MILLISECOND
        outer.start_span("first", tags={"remoteCall": True, "fromCache": True}).finish()
        outer.start_span("second").set_error().finish()
        clock.at_ns += 500_000
    assert lines == [
        "trace t1",
        "  outer  1.500 ms",
        "    first * »  0.000 ms",
        "    second ×  0.000 ms",
    ]


@story
async def test_a_parent_that_is_no_text_does_not_stop_a_call():
    lines: list[str] = []
    options = TracingOptions(exporters=[ConsoleExporter(write=lines.append)])
    async with mesh(("a", Math()), tracing=options) as (a,):
        ctx = Context.fresh(a, {"a": 1, "b": 2})
        ctx.parent_id = ["odd"]
        assert await a.calls.start(ctx, "v2.math.add") == 3
    assert len(lines) == 2


json_like = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(json_like)
def test_plain_data_is_told_as_it_is(value: Any):
    assert plain(value) == value


@given(st.recursive(json_like | st.builds(object) | st.sets(st.integers()), lambda inner: st.lists(inner, max_size=3)))
def test_anything_can_be_told(value: Any):
    circle = {"value": value}
    circle["self"] = circle
    json.dumps(plain(value))
    json.dumps(plain(circle))
