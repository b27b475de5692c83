"""From frames to answers: the pipeline's batches, however they are cut, give the same summary and graph."""

from __future__ import annotations

from dataclasses import astuple

import pytest

from broker.mesh import topology
from broker.mesh.summary import summary
from broker.mesh.timeline import Snapshot, Timeline
from broker.observe.pipeline import Pipeline
from tests.script import START_NS, Script, at, service


def story() -> Script:
    script = Script(namespace="prod").info(0.0, "shop-1", services=[service("v2.orders", "get", events=["order.*"])])
    script.info(0.1, "edge.api-1", services=[service("api", "rest")])
    for index in range(40):
        begin = 1 + index / 10
        script.request(begin, "v2.orders.get", sender="edge.api-1", target="shop-1", caller="api")
        script.response(begin + 0.02)
    return script.request(8.0, "users.get", sender="shop-1", target="users-1", caller="v2.orders")


def seen(step: int) -> Snapshot:
    """The story, taken in by batches of so many frames."""
    pipeline, timeline = Pipeline(begin_ns=START_NS), Timeline()
    for number, frame in enumerate(story().frames):
        pipeline.feed(frame.at_ns, [(frame.channel, frame.body)])
        if number % step == 0:
            timeline.take(pipeline.take(frame.at_ns))
    timeline.take(pipeline.take(at(10.0)))
    return timeline.snapshot()


@pytest.mark.parametrize("step", [1, 7, 1_000])
def test_frames_become_a_summary_and_a_graph(step):
    snapshot = seen(step)
    found = summary(snapshot)
    assert [(one["name"], one["service"], one["calls"], one["completed"]) for one in found["actions"]] == [
        ("users.get", "users", 1, 0),
        ("v2.orders.get", "v2.orders", 40, 40),
    ]
    assert [(one["from"], one["to"], one["calls"]) for one in found["edges"]] == [
        ("api", "v2.orders", 40),
        ("v2.orders", "users", 1),
    ]
    assert found["packets"]["requests_open"] == 1
    assert found["packets"]["by_type"] == {"INFO": 2, "REQ": 41, "RES": 40}
    graph = topology.topology(snapshot, snapshot.everything())
    assert [(one.source, one.target, one.figures.calls) for one in graph.edges] == [
        ("service:prod/api", "service:prod/v2.orders", 40)
    ]
    assert {node.title: (node.supposed, node.silent) for node in graph.nodes} == {
        "api": (False, False),
        "v2.orders": (False, False),
    }


def test_batches_change_nothing():
    one, other = seen(1), seen(1_000)
    assert summary(one) == summary(other)
    graphs = [topology.topology(snapshot, snapshot.everything(), show_internal=True) for snapshot in (one, other)]
    assert repr(astuple(graphs[0])) == repr(astuple(graphs[1]))
