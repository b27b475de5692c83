"""What is wrong, worst first; the golden figures; the strip of all that is held."""

from __future__ import annotations

import numpy as np
import pytest

from broker.mesh import activity, overview
from broker.mesh.filter import parse
from broker.mesh.subject import Subject
from broker.mesh.timeline import Timeline
from broker.observe.journal import Outcome
from tests.unit.mesh.mesh_builder import Mesh, at, between, random_timeline

SPAN = between(60, 120)


def test_nothing_is_wrong_with_an_empty_mesh():
    answer = overview.overview(Timeline().snapshot(), SPAN)
    assert answer.concerns == ()
    assert (answer.nodes_online, answer.services_known, answer.actions_seen) == (0, 0, 0)
    assert answer.golden.total.calls == 0
    assert np.isnan(answer.golden.cpu).all()


def test_what_is_wrong_comes_worst_first_in_sentences_with_numbers():
    mesh = Mesh("prod").node(0, "shop-1").node(0, "shop-2").node(0, "shop-3")
    mesh.calls(600, "pay.charge", 60, 120, caller="api")
    mesh.calls(60, "pay.charge", 60, 120, caller="api", outcome=Outcome.FAILED, error="502|BANK|MoleculerServerError")
    mesh.calls(12, "pay.charge", 60, 120, outcome=Outcome.TIMED_OUT)
    mesh.calls(1000, "users.get", 60, 120).calls(5, "users.get", 60, 120, outcome=Outcome.FAILED, error="||TypeError")
    mesh.calls(100, "stock.list", 0, 60, ms=10).calls(100, "stock.list", 60, 120, ms=45)
    mesh.calls(100, "fine.get", 60, 120)
    mesh.node(90, "shop-2", "offline", reason="no heartbeat for 30 s", services=["pay", "mail"])
    mesh.node(95, "shop-3", "offline", reason="said goodbye")
    mesh.change(80, "breaker", "shop-1|shop-2:pay.charge", {"state": "open", "failures": 8, "count": 10})
    mesh.change(70, "gap", "", {"reason": "connection cut by the server"}).change(75, "gap", "", None)
    mesh.waits(100, "pay.charge", span=1)
    answer = overview.overview(mesh.snapshot(120, lost=7, undecodable=2, packets=1000), SPAN)
    assert [(one.severity, one.title, one.leads_to) for one in answer.concerns] == [
        ("failed", "The breaker of shop-1 for shop-2:pay.charge is open", "breakers"),
        ("failed", "shop-2 is gone", "nodes"),
        ("failed", "pay.charge fails 11 % of its calls", "latency"),
        ("failed", "7 packets were lost", "overview"),
        ("slow", "shop-3 is gone", "nodes"),
        ("slow", "A call waits for long", "actions"),
        ("slow", "stock.list became 4.5 times slower", "latency"),
        ("note", "Nothing was heard for 5.0 s", "overview"),
        ("slow", "users.get fails 0.5 % of its calls", "latency"),
        ("note", "2 packets cannot be read (0.2 %)", "overview"),
    ]
    by_title = {one.title: one for one in answer.concerns}
    failing = by_title["pay.charge fails 11 % of its calls"]
    assert failing.detail == "72 of 672 calls: 60 × 502 BANK, 12 timed out"
    assert failing.subject == Subject("action", "prod", "pay.charge")
    assert by_title["shop-2 is gone"].detail == "no heartbeat for 30 s, 30 s ago; it offered pay, mail"
    assert by_title["shop-2 is gone"].since_ns == at(90)
    slower = by_title["stock.list became 4.5 times slower"]
    assert slower.detail == "p99 45 ms after 10 ms in the window before (100 and 100 calls)"
    weights = [one.weight for one in answer.concerns]
    assert weights == sorted(weights, reverse=True)
    assert len({one.key for one in answer.concerns}) == len(answer.concerns)
    assert (answer.nodes_online, answer.nodes_known, answer.actions_seen) == (1, 3, 4)


def test_a_connection_that_is_lost_now_is_the_worst():
    snapshot = Mesh().change(100, "gap", "", {"reason": "refused", "advice": "Is it running?"}).snapshot(120)
    (concern,) = overview.overview(snapshot, SPAN).concerns
    assert concern.title == "The connection is lost"
    assert concern.detail == "refused. Is it running? Nothing has been heard for 20 s."


def test_the_golden_figures_have_curves_and_the_window_before():
    mesh = Mesh().calls(60, "a.x", 0, 60).calls(120, "a.x", 60, 90, ms=20).calls(120, "a.x", 90, 120, ms=40)
    mesh.calls(120, "a.x", 90, 120, outcome=Outcome.FAILED, error="500||E")
    mesh.node(0, "n-1").node(0, "n-2").node(110, "n-2", "offline")
    for when, node, cpu in ((10, "n-1", 30), (80, "n-2", 70), (100, "n-1", 40)):
        mesh.change(when, "load", node, {"cpu": cpu})
    golden = overview.overview(mesh.snapshot(120), SPAN, buckets=6).golden
    assert golden.rate.tolist() == [4, 4, 4, 8, 8, 8]
    assert golden.error_share.tolist() == [0, 0, 0, 0.5, 0.5, 0.5]
    assert golden.p50_ms[:3] == pytest.approx([20] * 3, rel=0.01)
    assert golden.cpu.tolist() == [30, 30, 70, 70, 70, 40]
    assert (golden.cpu_now, golden.cpu_node) == (40, "n-1")
    assert (golden.total.calls, golden.before.calls) == (360, 60)


def test_the_overview_obeys_the_filter():
    mesh = Mesh().calls(10, "a.x", 60, 120, outcome=Outcome.FAILED, error="500||E").calls(10, "b.y", 60, 120)
    snapshot = mesh.snapshot(120)
    assert [one.subject.name for one in overview.overview(snapshot, SPAN).concerns] == ["a.x"]
    answer = overview.overview(snapshot, SPAN, filter=parse("service = b"))
    assert (answer.concerns, answer.golden.total.calls) == ((), 10)


def test_the_strip_shows_all_calls_in_buckets_of_round_widths():
    mesh = Mesh().calls(50, "a.x", 3.1, 53).call(10, "a.x", outcome=Outcome.FAILED).call(11, "a.x", ours=True)
    mesh.call(12, "a.x", outcome=Outcome.LATE).packets(20, "REQ", 7).node(40, "n").change(
        30, "gap", "", {"reason": "x"}
    )
    mesh.change(33, "gap", "", None)
    strip = activity.activity(mesh.snapshot(60), buckets=60)
    assert strip.span == between(3, 61)
    assert len(strip.calls) == 58
    assert (strip.calls.sum(), strip.failed.sum(), strip.packets.sum()) == (51, 1, 7)
    assert strip.failed[7] == 1
    assert strip.gaps == [between(30, 33)]
    assert [(one.at_ns, one.change) for one in strip.marks] == [
        (at(40), "appeared"), (at(33), "came back"), (at(30), "lost")
    ]  # fmt: skip


def test_the_strip_stays_where_it_is_while_time_goes_on():
    mesh, timeline = Mesh().change(0, "session", "", {}), Timeline()
    timeline.take(mesh.calls(100, "a.x", 1, 100).batch(100))
    before = activity.activity(timeline.snapshot(), buckets=200)
    timeline.take(mesh.calls(100, "a.x", 100, 150).batch(150))
    after = activity.activity(timeline.snapshot(), buckets=200)
    assert after.span.from_ns == before.span.from_ns == at(0)
    assert after.calls[:100].tolist() == before.calls[:100].tolist()
    assert after.calls.sum() == 200


@pytest.mark.parametrize("seconds", [0.05, 1, 59, 3_600, 86_400 * 3, 86_400 * 400])
def test_the_strip_has_at_most_so_many_buckets_however_long_it_is(seconds):
    snapshot = random_timeline(2_000, seconds=seconds).snapshot()
    strip = activity.activity(snapshot, buckets=100)
    assert 1 <= len(strip.calls) <= 100
    assert strip.calls.sum() == 2_000
    assert strip.span.from_ns <= snapshot.begin_ns
    assert strip.span.to_ns > snapshot.through_ns


def test_an_empty_strip_is_empty():
    strip = activity.activity(Timeline().snapshot())
    assert len(strip.calls) == 0
    assert strip.span.seconds == 0
