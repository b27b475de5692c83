"""The same calls and events on a pair of MoleculerJS nodes and on a pair of ours: the same metrics, the same spans."""

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from broker.node import Broker, BrokerOptions, Context, event, service
from broker.node.errors import MoleculerError
from tests.e2e.redis_server import RedisServer
from tests.e2e.watched import Watched
from tests.interop.mesh import until, until_true
from tests.interop.peer import Peer, RefusedError

GIVEN_MS = (50, 2000)
"""The timeouts that calls here are given."""
NAMESPACES = (f"watched-{number}" for number in itertools.count())
PROTOCOLS = {"014": "4", "015": "5"}
REFUSED = (MoleculerError, RefusedError)

pytestmark = pytest.mark.usefixtures("moleculerjs")


class WatchedJs(Peer):
    """One MoleculerJS node, with the same methods as ours."""

    async def say(self, how: str, event_name: str, data: Any) -> None:
        await self.ask(how, event=event_name, data=data)

    async def wait(self, names: list[str]) -> None:
        await self.ask("wait", services=names)

    async def report(self) -> None:
        await self.ask("report")


HEARD = Counter({"event 'order.created' in 'mail'": 2, "event 'order.failed' in 'mail'": 2})
HEARD_AGAIN = HEARD + Counter({"event 'order.created' in 'mail'": 2})


@service("collector")
class Collector:
    """Hears what nodes tell of themselves."""

    def __init__(self) -> None:
        self.spans: list[dict[str, Any]] = []
        self.metrics: dict[str, list[dict[str, Any]]] = {}

    @event("$tracing.spans")
    async def on_spans(self, ctx: Context) -> None:
        self.spans += ctx.params

    @event("$metrics.snapshot")
    async def on_snapshot(self, ctx: Context) -> None:
        self.metrics[ctx.node_id] = ctx.params


class Pair:
    """Two nodes, and who listens to them."""

    def __init__(self, one: Any, two: Any, collector: Collector, listener: Broker) -> None:
        self.one, self.two, self.collector, self.listener = one, two, collector, listener

    async def told(self, last: Counter[str]) -> None:
        """Everything that both have to tell, once there are so many spans of these names, which end last."""
        await until_true(lambda: self._have_ended(last))
        self.collector.metrics.clear()
        await self._tell()

    async def _have_ended(self, last: Counter[str]) -> bool:
        await self._tell()
        return Counter(span["name"] for span in self.collector.spans) >= last

    async def _tell(self) -> None:
        for node in (self.one, self.two):
            await node.report()
        await until(lambda: set(self.collector.metrics) >= {"node-1", "node-2"})


@asynccontextmanager
async def js_node(version: str, part: str, node_id: str, namespace: str, url: str) -> AsyncIterator[WatchedJs]:
    about = {"version": version, "part": part, "nodeID": node_id, "namespace": namespace, "url": url}
    node = WatchedJs(about, "watched.js")
    await node.start()
    try:
        yield node
    finally:
        await node.kill()


@asynccontextmanager
async def py_node(version: str, part: str, node_id: str, namespace: str, url: str) -> AsyncIterator[Watched]:
    node = Watched(part, node_id, namespace, url, PROTOCOLS[version])
    await node.start()
    try:
        yield node
    finally:
        await node.stop()


@asynccontextmanager
async def pair(url: str, version: str, one: Any, two: Any) -> AsyncIterator[Pair]:
    namespace, collector = next(NAMESPACES), Collector()
    options = BrokerOptions(protocols=(PROTOCOLS[version],), settle_s=0.05, heartbeat_interval_s=60)
    async with AsyncExitStack() as stack:
        listener = await stack.enter_async_context(Broker("listener", url, namespace, options=options))
        await listener.add(collector)
        first = await stack.enter_async_context(one(version, "one", "node-1", namespace, url))
        second = await stack.enter_async_context(two(version, "two", "node-2", namespace, url))
        await first.wait(["math", "mail", "collector"])
        await second.wait(["v2.shop", "collector"])
        yield Pair(first, second, collector, listener)


async def act(both: Pair) -> None:
    """What is done on every pair."""
    one, two = both.one, both.two
    await one.call("v2.shop.ok", {"id": 1}, meta={"user": 7}, timeout=2000, retries=0)
    await one.call("v2.shop.nested", {"a": 1, "b": 2})
    await one.call("v2.shop.local", {})
    await one.call("v2.shop.custom", {})
    await one.call("v2.shop.tell", {})
    await one.call("v2.shop.tagged", {"id": 1, "secret": 2}, meta={"user": 7, "ip": "x"})
    await one.call("v2.shop.named", {"id": 5})
    await one.call("v2.shop.silent", {})
    await one.call("v2.shop.fallback", {})
    for name in ("v2.shop.failing", "math.fail", "math.crash", "nowhere.at.all", *["math.broken"] * 4):
        with pytest.raises(REFUSED):
            await one.call(name, {"n": 1})
    await one.call("math.flaky", {})
    with pytest.raises(REFUSED):  # at once for caller and callee: of two clocks either may be first
        await two.call("math.slow", {}, timeout=50)
    for number in (1, 1, 2):
        await one.call("math.cached", {"id": number})
    guarded = await asyncio.gather(*[one.call("v2.shop.guarded", {}) for _ in range(3)], return_exceptions=True)
    assert sum(isinstance(outcome, REFUSED) for outcome in guarded) == 1
    await one.say("emit", "order.created", {"id": 3})
    await one.say("broadcast", "order.seen", {"id": 4})
    await one.say("broadcastLocal", "order.local", {"id": 5})
    await one.say("emit", "order.failed", {"id": 6})
    await two.call("v2.shop.nested", {"a": 3, "b": 4})
    await two.say("emit", "order.created", {"id": 7})
    await both.told(HEARD_AGAIN + Counter({"action 'math.slow'": 2}))  # what was given up is still at work


# comparison


def without_times(metrics: list[dict[str, Any]], version: str) -> dict[str, Any]:
    """Metrics without what differs from run to run: times, and what is of a machine or a process."""
    shown = {each["name"]: _metric(each) for each in metrics}
    if version == "014":  # its error handler swallows what goes wrong in a handler of an event
        del shown["moleculer.event.received.error.total"]["values"]
    return shown


# MoleculerJS adds to these at every packet, ours are what their descriptions say
_VARIES = ("moleculer.transit.requests.active", "moleculer.transit.streams.send.active")
# DISCOVER, INFO and the like are a question of who started when; `math.slow` is answered when nobody waits
_OF_ONE_RUN = ("moleculer.transporter.", "moleculer.transit.pong.", "moleculer.transit.orphan.")
# what a node is, and MoleculerJS empties its cache when it connects
_OF_ONE_NODE = (
    "moleculer.node.",
    "moleculer.broker.namespace",
    "moleculer.broker.middlewares.",
    "moleculer.cacher.clean.",
)
_SAME_PACKETS = ("REQ", "RES", "EVENT")


def _metric(metric: dict[str, Any]) -> dict[str, Any]:
    name = metric["name"]
    shown = {key: metric.get(key) for key in ("type", "description", "labelNames", "unit")}
    if not name.startswith("moleculer."):
        return shown
    values = {each["key"]: _value(name, each) for each in metric["values"] if _is_compared(name, each)}
    is_compared = name not in _VARIES and not name.startswith("moleculer.cacher.clean.")
    return {**shown, "values": values if is_compared else {}}


def _is_compared(name: str, value: dict[str, Any]) -> bool:
    labels = value["labels"]
    if name.startswith("moleculer.transit.") and "type" in labels:
        return labels["type"] in _SAME_PACKETS
    return not (name.startswith("moleculer.event.") and labels["event"].startswith("$"))


def _value(name: str, value: dict[str, Any]) -> dict[str, Any]:
    shown = {"labels": value["labels"], "fields": sorted(value)}
    if name.startswith((*_OF_ONE_RUN, *_OF_ONE_NODE)):
        return shown
    if "count" in value:
        return {**shown, "count": value["count"], "buckets": list(value.get("buckets", {}))}
    return {**shown, "value": value["value"]}


def trees(spans: list[dict[str, Any]], version: str) -> list[Any]:
    """Spans as trees without ids and times, in an order of their own."""
    if version == "014":
        spans = [{**span, "error": None} if span["type"] == "event" else span for span in spans]
    known = {span["id"] for span in spans}
    assert len(known) == len(spans)
    children: dict[str | None, list[dict[str, Any]]] = {}
    for span in spans:
        parent = span.get("parentID")
        children.setdefault(parent if parent in known else None, []).append(span)
    return _below(children, None)


def _below(children: dict[str | None, list[dict[str, Any]]], parent: str | None) -> list[Any]:
    shown = [{**_span(span), "children": _below(children, span["id"])} for span in children.get(parent, [])]
    return sorted(shown, key=lambda each: json.dumps(each, sort_keys=True))


def _span(span: dict[str, Any]) -> dict[str, Any]:
    assert isinstance(span["startTime"], int)
    assert span["finishTime"] == pytest.approx(span["startTime"] + span["duration"])
    assert span["tags"].get("requestID", span["traceID"]) == span["traceID"]
    shown = {key: value for key, value in span.items() if key not in _ONLY_HERE}
    shown["logs"] = [{"name": log["name"], "fields": log["fields"], "keys": sorted(log)} for log in span["logs"]]
    shown["tags"] = {key: value for key, value in span["tags"].items() if key != "requestID"}
    shown["keys"] = sorted(span)
    timeout = shown["tags"].get("options", {}).get("timeout")
    if timeout:  # a part of it has gone by
        given = next(each for each in GIVEN_MS if timeout <= each)
        shown["tags"]["options"] = {**shown["tags"]["options"], "timeout": given}
    return shown


_ONLY_HERE = ("id", "traceID", "parentID", "startTime", "startTicks", "finishTime", "duration")


async def told_by(url: str, version: str, node: Any) -> Pair:
    async with pair(url, version, node, node) as both:
        await act(both)
        asked = await both.listener.call("$node.metrics", {"types": "histogram"}, node_id="node-1")
        told = [each for each in both.collector.metrics["node-1"] if each["type"] == "histogram"]
        assert [_metric(each) for each in asked] == [_metric(each) for each in told]
        return both


@pytest.mark.parametrize("version", ["014", "015"])
def test_metrics_and_spans_are_those_of_moleculerjs(shared_redis: RedisServer, version: str) -> None:
    async def compare() -> None:
        theirs = await told_by(shared_redis.url, version, js_node)
        ours = await told_by(shared_redis.url, version, py_node)
        for node_id in ("node-1", "node-2"):
            expected = without_times(theirs.collector.metrics[node_id], version)
            found = without_times(ours.collector.metrics[node_id], version)
            assert expected.keys() - found.keys() <= {"process.internal.active.requests"}  # of 0.14's engine
            assert found.keys() <= expected.keys()
            for name, metric in found.items():
                assert {name: metric} == {name: expected[name]}
        assert trees(ours.collector.spans, version) == trees(theirs.collector.spans, version)

    asyncio.run(compare())


@pytest.mark.parametrize("version", ["014", "015"])
def test_a_trace_across_both_kinds_of_nodes_is_one_tree(shared_redis: RedisServer, version: str) -> None:
    async def traced(one: Any, two: Any) -> list[Any]:
        async with pair(shared_redis.url, version, one, two) as both:
            await both.one.call("v2.shop.relay", {})
            await both.one.call("v2.shop.tell", {})
            await both.told(HEARD)
            assert len({span["traceID"] for span in both.collector.spans}) == 2
            return trees(both.collector.spans, version)

    async def compare() -> None:
        expected = await traced(js_node, js_node)
        assert len(expected) == 2
        assert await traced(js_node, py_node) == expected
        assert await traced(py_node, js_node) == expected

    asyncio.run(compare())
