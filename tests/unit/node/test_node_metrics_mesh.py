"""What nodes measure of themselves while they work, and whom they tell."""

import pytest

from broker.clock import SECOND, ManualClock
from broker.node import Broker, BrokerOptions, CircuitBreakerPolicy, Context, action, event, service
from broker.node.caching import MemoryCacher
from broker.node.errors import MoleculerClientError, MoleculerError
from broker.node.metrics import ConsoleReporter, EventReporter, MetricsOptions
from broker.transport.memory import MemoryBus
from tests.unit.node.nodes import QUICK, Math, Shop, mesh, story, until

ON = MetricsOptions(collect_process_metrics=False)


def counted(broker: Broker, name: str) -> dict[str, object]:
    """Value, or count, by key."""
    (metric,) = broker.metrics.read(includes=name)
    return {each["key"]: each.get("value", each.get("count")) for each in metric.to_wire()["values"]}


@story
async def test_a_call_is_counted_where_it_is_made_and_where_it_is_served():
    async with mesh(("a", Shop()), ("b", Math()), metrics=ON) as (a, b):
        assert await a.call("shop.sum", {"a": 1, "b": 2}) == 3
        assert counted(a, "moleculer.request.total") == {
            '"shop"|"shop.sum"|"local"|': 1,
            '"v2.math"|"v2.math.add"|"remote"|"shop"': 1,
        }
        assert counted(b, "moleculer.request.total") == {'"v2.math"|"v2.math.add"|"local"|"shop"': 1}
        assert counted(b, "moleculer.request.time") == {'"v2.math"|"v2.math.add"|"local"|"shop"': 1}
        assert counted(b, "moleculer.request.active") == {'"v2.math"|"v2.math.add"|"local"|"shop"': 0}
        assert counted(a, "moleculer.request.levels") == {"1": 1, "2": 1}
        assert counted(a, "moleculer.transit.publish.total")['"REQ"'] == 1
        assert counted(a, "moleculer.transit.receive.total")['"RES"'] == 1
        assert counted(b, "moleculer.transit.ready") == {"": 1}
        assert counted(b, "moleculer.registry.nodes.online.total") == {"": 2}
        assert counted(b, "moleculer.registry.service.endpoints.total") == {'"$node"': 2, '"shop"': 1, '"v2.math"': 1}


@story
async def test_an_error_is_counted_by_name_code_and_type_and_without_those_it_has_not():
    async with mesh(("a",), ("b", Math()), metrics=ON) as (a, b):
        for name in ("fail", "crash"):
            with pytest.raises(MoleculerError):
                await a.call(f"v2.math.{name}")
        (errors,) = b.metrics.read(includes="moleculer.request.error.total")
        assert [each["labels"] for each in errors.to_wire()["values"]] == [
            {
                **{"service": "v2.math", "action": "v2.math.fail", "type": "local", "caller": None},
                **{"errorName": "MoleculerClientError", "errorCode": 409, "errorType": "CONFLICT"},
            },
            {
                **{"service": "v2.math", "action": "v2.math.crash", "type": "local", "caller": None},
                "errorName": "KeyError",
            },
        ]


@story
async def test_events_are_counted_where_they_are_emitted_and_where_they_are_handled():
    async with mesh(("a", Shop()), ("b",), metrics=ON) as (a, b):
        await b.emit("shop.told", {"n": 1})
        await b.broadcast("shop.told", {"n": 1})
        await until(lambda: counted(a, "moleculer.event.received.total") == {'"shop"|"shop"|"shop.told"|': 2})
        assert counted(b, "moleculer.event.emit.total") == {'"shop.told"|': 1}
        assert counted(b, "moleculer.event.broadcast.total") == {'"shop.told"|': 1}
        assert counted(b, "moleculer.event.broadcast-local.total")['"shop.told"|'] == 1


@story
async def test_what_a_node_offers_no_longer_is_zero():
    async with mesh(("a", Shop()), ("b",), metrics=ON) as (a, b):
        assert counted(b, "moleculer.registry.service.endpoints.total")['"shop"'] == 1
        await a.stop()
        await until(lambda: not b.registry.nodes["a"].available)
        assert counted(b, "moleculer.registry.service.endpoints.total")['"shop"'] == 0
        assert counted(b, "moleculer.registry.action.endpoints.total")['"shop.sum"'] == 0
        assert counted(b, "moleculer.registry.nodes.online.total") == {"": 1}


@story
async def test_retries_breakers_and_timeouts_are_counted():
    breaker = CircuitBreakerPolicy(enabled=True, min_request_count=1, check=lambda _error: True)
    async with mesh(("a", Math()), metrics=ON, circuit_breaker=breaker) as (a,):
        with pytest.raises(MoleculerError):
            await a.call("v2.math.fail")
        with pytest.raises(MoleculerError):
            await a.call("v2.math.sleep", {"s": 5}, timeout_s=0.001)
        of_fail = '"a"|"v2.math"|"v2.math.fail"'
        assert counted(a, "moleculer.circuit-breaker.opened.active") == {of_fail: 1}
        assert counted(a, "moleculer.circuit-breaker.opened.total") == {of_fail: 1}
        assert counted(a, "moleculer.circuit-breaker.half-opened.active") == {}
        assert counted(a, "moleculer.request.timeout.total") == {'"v2.math"|"v2.math.sleep"': 1}


@service("kept")
class Kept:
    @action(cache=True)
    async def get(self, _ctx: Context) -> int:
        return 1


@story
async def test_a_cachers_questions_are_counted_and_timed():
    async with mesh(("a", Kept()), metrics=ON, cacher=MemoryCacher()) as (a,):
        for _ in range(3):
            await a.call("kept.get", {"id": 1})
        names = ("get.total", "found.total", "set.total", "get.time", "set.time", "expired.total")
        assert [counted(a, f"moleculer.cacher.{name}").get("", 0) for name in names] == [3, 2, 1, 3, 1, 0]


@story
async def test_what_is_measured_can_be_asked_for_and_is_refused_when_nothing_is():
    async with mesh(("a",), metrics=ON) as (a,):
        told = await a.call("$node.metrics", {"types": "info", "includes": ["moleculer.node.*"]})
        assert [each["name"] for each in told] == ["moleculer.node.type"]
    async with mesh(("a",)) as (a,):
        with pytest.raises(MoleculerClientError, match="Metrics feature is disabled") as caught:
            await a.call("$node.metrics")
        assert (caught.value.code, caught.value.type) == (400, "METRICS_DISABLED")


@service("listener")
class Listener:
    def __init__(self) -> None:
        self.heard: list[Context] = []

    @event("$metrics.snapshot")
    async def on_snapshot(self, ctx: Context) -> None:
        self.heard.append(ctx)


@story
async def test_the_mesh_is_told_by_an_event():
    listener, reporter = Listener(), EventReporter(interval_s=0, includes="orders.*")
    bus = MemoryBus()
    async with mesh(("a", listener), bus=bus) as (a,):
        options = MetricsOptions(reporters=[reporter], collect_process_metrics=False)
        async with Broker("b", bus, options=BrokerOptions(**QUICK, metrics=options)) as b:
            b.metrics.counter("orders.total").increment()
            await until(lambda: "b" in a.registry.nodes and "a" in b.registry.nodes)
            reporter.report()
            await until(lambda: bool(listener.heard))
            (heard,) = listener.heard
            assert (heard.node_id, heard.event_kind) == ("b", "emit")
            assert heard.params == [metric.to_wire() for metric in b.metrics.read(includes="orders.*")]
            assert counted(b, "moleculer.event.emit.total") == {'"$metrics.snapshot"|': 1}


def test_only_what_changed_is_told_when_that_is_wanted():
    clock = ManualClock(1_700_000_000 * SECOND)
    reporter = EventReporter(interval_s=0, only_changes=True, includes="orders.**")
    options = MetricsOptions(reporters=[reporter], collect_process_metrics=False)
    broker = Broker("a", options=BrokerOptions(metrics=options), clock=clock)
    reporter.begin(broker, broker.metrics)
    placed, open_ = broker.metrics.counter("orders.placed", rate=True), broker.metrics.gauge("orders.open")
    told = []

    def names() -> list[str]:
        clock.at_ns += SECOND
        broker.metrics.advance()
        return [metric["name"] for metric in reporter.payload()]

    placed.increment()
    open_.set(1)
    told.append(names())
    told.append(names())
    open_.set(1)  # as it was
    told.append(names())
    open_.set(2)
    told.append(names())
    told.append(names())  # five seconds on: the rate changed
    assert told == [["orders.placed", "orders.open"], [], [], ["orders.open"], ["orders.placed"]]


def test_the_log_is_told_in_a_few_lines():
    lines: list[str] = []
    reporter = ConsoleReporter(write=lines.append, includes="orders.**")
    options = MetricsOptions(reporters=[reporter], collect_process_metrics=False)
    broker = Broker("a", options=BrokerOptions(metrics=options), clock=ManualClock(SECOND))
    reporter.begin(broker, broker.metrics)
    broker.metrics.counter("orders.placed", ["kind"], unit="order", rate=True).increment({"kind": "book"}, by=2)
    broker.metrics.histogram("orders.price", quantiles=[0.5]).observe(2.5)
    broker.metrics.gauge("orders.open")
    reporter.report()
    assert lines[1:-1] == [
        "orders.placed (counter)",
        "  {kind: book}: 2 order | Rate: 0.00",
        "orders.price (histogram)",
        "  {}: Count: 1 | Min: 2.50 Mean: 2.50 Max: 2.50 | 0.5: 2.50",
    ]


def test_the_console_tells_names_as_it_was_told_to_write_them():
    lines: list[str] = []
    reporter = ConsoleReporter(
        write=lines.append,
        includes="orders.**",
        metric_name_prefix="shop.",
        metric_name_suffix=".now",
        metric_name_formatter=str.upper,
        label_name_formatter=str.title,
    )
    options = MetricsOptions(reporters=[reporter], collect_process_metrics=False)
    broker = Broker("a", options=BrokerOptions(metrics=options), clock=ManualClock(SECOND))
    reporter.begin(broker, broker.metrics)
    broker.metrics.counter("orders.placed", ["kind"]).increment({"kind": "book"})
    reporter.report()
    assert lines[1:-1] == ["SHOP.ORDERS.PLACED.NOW (counter)", "  {Kind: book}: 1"]


@story
async def test_callers_that_are_no_names_do_not_stop_a_call():
    async with mesh(("a", Math()), metrics=ON) as (a,):
        for caller in (["odd"], 7, "x" * 1_000_000):
            assert await a.call("v2.math.add", {"a": 1, "b": 2}, caller=caller) == 3
        assert list(counted(a, "moleculer.request.total")) == ['"v2.math"|"v2.math.add"|"local"|']


def test_a_node_without_metrics_has_no_middleware_for_them():
    assert not Broker("a").middlewares.has("transporter_send")
