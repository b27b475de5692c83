"""What nodes report of themselves, `$tracing.spans` and `$metrics.snapshot`, is taken in as internal events."""

from __future__ import annotations

from typing import Any

import pytest

from broker.clock import ManualClock
from broker.mesh import topology
from broker.mesh.inventory_events import events
from broker.mesh.timeline import Timeline
from broker.node.metrics import MetricRegistry, MetricsOptions
from broker.node.metrics.built_in import ALWAYS, make
from broker.node.tracing import Tracer, TracingOptions
from broker.observe.pipeline import Pipeline
from tests.script import START_NS, Script, at, service

REPORTS = ("$tracing.spans", "$metrics.snapshot")


def reported(count: int) -> list[list[dict[str, Any]]]:
    """The payloads of both events, as our nodes make them."""
    clock = ManualClock(START_NS)
    tracer, registry = Tracer(TracingOptions(), clock.now_ns), MetricRegistry(MetricsOptions(), clock.now_ns)
    spans = [tracer.start_span("look", tags={"n": number}).finish() for number in range(count)]
    make(registry, ALWAYS)
    return [
        [span.to_wire(tracer.error_fields, tracer.begun_ns) for span in spans],
        [metric.to_wire() for metric in registry.read()],
    ]


@pytest.mark.parametrize("serializer", ["JSON", "MsgPack"])
def test_reports_are_counted_as_events_and_are_no_traffic_between_services(serializer: str) -> None:
    script = Script(namespace="prod", serializer=serializer)
    script.info(0.0, "shop-1", services=[service("orders", "get")])
    script.info(0.1, "probe-1", services=[service("$probe-1", events=list(REPORTS))])
    script.info(0.2, "jaeger-1", services=[service("collector", events=list(REPORTS))])
    payloads = reported(500)
    for second in (1.0, 6.0):
        for name, payload in zip(REPORTS, payloads, strict=True):
            script.event(second, name, sender="shop-1", target="probe-1", data=payload, groups=["probe-1"])
            script.event(second, name, sender="shop-1", target="jaeger-1", data=payload, groups=["collector"])
    pipeline, timeline = Pipeline(begin_ns=START_NS), Timeline()
    for frame in script.frames:
        pipeline.feed(frame.at_ns, [(frame.channel, frame.body)])
    batch = pipeline.take(at(10.0))
    timeline.take(batch)
    snapshot = timeline.snapshot()
    assert (len(batch.events), len(batch.calls), batch.tally.undecodable) == (8, 0, 0)
    assert {one.name: one.packets for one in events(snapshot, snapshot.everything())} == dict.fromkeys(REPORTS, 4)
    assert not topology.topology(snapshot, snapshot.everything()).edges
    shown = topology.topology(snapshot, snapshot.everything(), show_internal=True)
    assert "service:prod/collector" in {edge.target for edge in shown.edges}


@pytest.mark.parametrize("data", [None, 7, "text", [], [None], [{"id": 1, "tags": 5}], {"a": [[[]]]}])
def test_reports_that_are_none_do_no_harm(data: Any) -> None:
    script = Script()
    for name in REPORTS:
        script.event(1.0, name, data=data)
    batch = script.batch()
    assert (len(batch.events), batch.tally.undecodable) == (2, 0)
