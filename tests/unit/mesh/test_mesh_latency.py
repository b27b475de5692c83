"""The latency table and its curves."""

from __future__ import annotations

import math

import numpy as np
import pytest

from broker.mesh import latency
from broker.mesh.answers import Figures
from broker.mesh.filter import parse
from broker.mesh.health import health, is_slower
from broker.mesh.subject import Subject
from broker.observe.journal import Outcome
from tests.unit.mesh.mesh_builder import Mesh, at, between


def test_a_row_counts_calls_by_how_they_ended():
    mesh = Mesh()
    for outcome in Outcome:
        mesh.call(10, "a.x", outcome=outcome, ms=20, error="500||E" if outcome == Outcome.FAILED else "")
    (row,) = latency.action_table(mesh.snapshot(), between(0, 100))
    figures = row.figures
    assert (figures.calls, figures.completed, figures.errors, figures.timeouts, figures.no_answer, figures.late) == (
        4, 2, 1, 1, 1, 1
    )  # fmt: skip
    assert figures.rate == 0.04
    assert figures.p50_ms == pytest.approx(20, rel=0.01)
    assert figures.max_ms == 20
    assert figures.error_share == 0.75


def test_no_percentile_is_above_the_longest_call():
    (row,) = latency.action_table(Mesh().call(1, "a.x", ms=33.3).snapshot(), between(0, 2))
    assert row.figures.p99_ms <= row.figures.max_ms == 33.3


def test_a_window_is_cut_on_the_end_of_calls():
    snapshot = Mesh().call(10, "a.x", ms=9_000).call(20, "a.x").snapshot()
    (row,) = latency.action_table(snapshot, between(10, 20))
    assert row.figures.calls == 1
    assert row.figures.max_ms == 9_000


def test_the_window_before_is_told_beside():
    snapshot = Mesh().calls(100, "a.x", 0, 10, ms=10).calls(100, "a.x", 10, 20, ms=30).snapshot()
    (row,) = latency.action_table(snapshot, between(10, 20))
    assert (row.before.calls, row.figures.calls) == (100, 100)
    assert row.p99_change_ms == pytest.approx(20, rel=0.02)
    assert row.health == "slow"


def test_our_own_calls_are_left_out_unless_asked_for():
    snapshot = Mesh().call(1, "a.x").call(2, "a.x", ours=True).snapshot()
    assert [row.figures.calls for row in latency.action_table(snapshot, between(0, 9))] == [1]
    assert [row.figures.calls for row in latency.action_table(snapshot, between(0, 9), show_ours=True)] == [2]


def test_rows_can_be_of_edges_endpoints_services_nodes_and_callers():
    mesh = Mesh("prod").call(1, "v2.orders.get", caller="api", source="e", target="s1")
    snapshot = mesh.call(2, "users.get", source="e", target="s2").snapshot()

    def subjects(by):
        return [row.subject for row in latency.action_table(snapshot, between(0, 9), by=by)]

    assert subjects("action") == [Subject("action", "prod", "users.get"), Subject("action", "prod", "v2.orders.get")]
    assert subjects("edge") == [
        Subject("edge", "prod", "api", "v2.orders"), Subject("edge", "prod", "node:e", "users")
    ]  # fmt: skip
    assert subjects("endpoint") == [
        Subject("endpoint", "prod", "users.get", "s2"), Subject("endpoint", "prod", "v2.orders.get", "s1")
    ]  # fmt: skip
    assert subjects("service") == [Subject("service", "prod", "users"), Subject("service", "prod", "v2.orders")]
    assert subjects("node") == [Subject("node", "prod", "s1"), Subject("node", "prod", "s2")]
    assert subjects("caller") == [Subject("node", "prod", "node:e"), Subject("service", "prod", "api")]


def test_an_empty_window_has_no_rows_and_one_empty_series():
    snapshot = Mesh().call(1, "a.x").snapshot()
    assert latency.action_table(snapshot, between(50, 60)) == []
    (series,) = latency.series(snapshot, between(50, 60), buckets=10)
    assert series.calls.tolist() == [0] * 10
    assert np.isnan(series.p99_ms).all()
    assert (np.diff(series.heat_edges_ms) > 0).all()
    assert math.isnan(series.total.p50_ms)


def test_a_series_has_its_calls_in_their_buckets_of_time_and_duration():
    mesh = Mesh().calls(10, "a.x", 0, 10, ms=10).calls(30, "a.x", 20, 30, ms=100)
    mesh.call(25, "a.x", outcome=Outcome.TIMED_OUT).change(10, "gap", "", {"reason": "cut"}).change(20, "gap", "", None)
    (series,) = latency.series(mesh.snapshot(), between(0, 30), buckets=3, heat_rows=5)
    assert series.calls.tolist() == [10, 0, 31]
    assert series.completed.tolist() == [10, 0, 30]
    assert series.failed.tolist() == [0, 0, 1]
    assert series.p50_ms == pytest.approx([10, math.nan, 100], rel=0.01, nan_ok=True)
    assert series.heat.shape == (len(series.heat_edges_ms) - 1, 3)
    assert series.heat.shape[0] <= 5
    assert series.heat[0].tolist() == [10, 0, 0]
    assert series.heat[-1].tolist() == [0, 0, 30]
    assert series.heat_edges_ms[0] <= 10
    assert series.heat_edges_ms[-1] >= 100
    assert series.gaps == [between(10, 20)]
    assert series.bucket_s == 10


def test_a_series_can_be_of_any_subject():
    mesh = Mesh().call(1, "o.get", caller="api", source="e", target="s1").call(2, "o.get", source="e", target="s2")
    mesh.call(3, "u.get", caller="o", source="s1", target="s2")
    snapshot = mesh.snapshot()

    def count(*subject: str) -> int:
        (series,) = latency.series(snapshot, between(0, 9), subject=Subject(*subject))
        return series.total.calls

    assert count("action", "", "o.get") == 2
    assert count("service", "", "o") == 2
    assert count("node", "", "s2") == 2
    assert count("node", "", "e") == 0
    assert count("edge", "", "api", "o") == 1
    assert count("edge", "", "node:e", "o") == 1
    assert count("edge", "", "node:e", "node:s1") == 1
    assert count("edge", "", "node:s1", "node:s2") == 1
    assert count("endpoint", "", "o.get", "s1") == 1
    assert count("group", "", "namespace:") == 3
    assert count("action", "other", "o.get") == 0
    assert count("event", "", "o.get") == 0


def test_a_series_can_be_split_by_endpoint_and_by_caller_busiest_first():
    mesh = Mesh().calls(3, "o.get", target="s1", caller="api").calls(5, "o.get", target="s2", source="e")
    snapshot = mesh.snapshot()
    subject = Subject("action", "", "o.get")
    split = latency.series(snapshot, between(0, 60), subject=subject, split="endpoint")
    assert [(one.label, one.total.calls) for one in split] == [("s2", 5), ("s1", 3)]
    split = latency.series(snapshot, between(0, 60), subject=subject, split="caller")
    assert [(one.label, one.total.calls) for one in split] == [("node:e", 5), ("api", 3)]


def test_a_filter_holds_for_table_and_series():
    snapshot = Mesh().calls(10, "a.x", ms=10).calls(4, "b.y", ms=500).snapshot()
    slow = parse("duration > 200ms")
    assert [row.subject.name for row in latency.action_table(snapshot, between(0, 60), filter=slow)] == ["b.y"]
    assert latency.series(snapshot, between(0, 60), filter=slow)[0].total.calls == 4


def test_sparklines_follow_time():
    mesh = Mesh().calls(8, "a.x", 0, 10, ms=10).calls(8, "a.x", 30, 40, ms=80)
    (row,) = latency.action_table(mesh.snapshot(), between(0, 40), spark_buckets=4)
    assert row.spark_rate.tolist() == [0.8, 0, 0, 0.8]
    assert row.spark_ms == pytest.approx([10, math.nan, math.nan, 80], rel=0.02, nan_ok=True)


def figures(calls: int = 1000, errors: int = 0, timeouts: int = 0, p99_ms: float = 10.0) -> Figures:
    return Figures(calls=calls, completed=calls - timeouts, errors=errors, timeouts=timeouts, p99_ms=p99_ms)


@pytest.mark.parametrize(
    ("now", "before", "client", "expected"),
    [
        (figures(0), None, 0, "none"),
        (figures(), None, 0, "ok"),
        (figures(errors=1), None, 0, "ok"),
        (figures(errors=2), None, 0, "slow"),
        (figures(errors=50), None, 0, "failed"),
        (figures(timeouts=50), None, 0, "failed"),
        (figures(errors=99), None, 99, "ok"),
        (figures(errors=100), None, 100, "slow"),
        (figures(errors=199), None, 199, "slow"),
        (figures(errors=200), None, 200, "failed"),
        (figures(errors=100), None, 50, "failed"),
        (figures(p99_ms=21), figures(), 0, "slow"),
        (figures(p99_ms=20), figures(), 0, "ok"),
        (figures(49, p99_ms=90), figures(), 0, "ok"),
        (figures(p99_ms=90), figures(49), 0, "ok"),
        (figures(p99_ms=90), Figures(), 0, "ok"),
    ],
)
def test_health_has_thresholds(now, before, client, expected):
    assert health(now, before, client_errors=client) == expected
    assert is_slower(now, before) == (expected == "slow" and not now.errors)


def test_errors_of_the_caller_weigh_less_than_those_of_the_server():
    def row(error: str):
        mesh = Mesh().calls(94, "a.x").calls(6, "a.x", outcome=Outcome.FAILED, error=error)
        (found,) = latency.action_table(mesh.snapshot(), between(0, 60))
        return found.health

    assert row("422|VALIDATION_ERROR|ValidationError") == "ok"
    assert row("500|X|MoleculerServerError") == "failed"
    assert row("||TypeError") == "failed"


def test_other_namespaces_stay_apart():
    snapshot = Mesh("a").call(1, "x.y").call(1, "x.y", namespace="b").snapshot()
    rows = latency.action_table(snapshot, between(0, 9))
    assert [(row.subject.namespace, row.figures.calls) for row in rows] == [("a", 1), ("b", 1)]
    rows = latency.action_table(snapshot, between(0, 9), filter=parse("namespace = b"))
    assert [row.subject.namespace for row in rows] == ["b"]
    assert at(0) > 0
