"""Laws of the questions: what must be true whatever the calls, the batches and the blocks."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from broker.mesh import activity, calls, inventory, latency, overview, summary, topology
from broker.mesh.figures import QUANTILES
from broker.mesh.filter import parse
from broker.mesh.histograms import Histograms
from broker.mesh.span import Span
from broker.mesh.timeline import Snapshot, Timeline
from broker.observe.buckets import buckets_of
from broker.observe.journal import Batch
from tests.unit.mesh.mesh_builder import START_NS, at, between, random_calls

FILTERS = ["", "duration > 12ms", "caller = service-0 or outcome = failed", "node = node-3 and not service-1"]


def timeline_of(count: int, sizes: list[int], max_calls: int, seed: int, *, disorder: bool = False) -> Snapshot:
    """Random calls taken in by batches of these sizes (the last takes the rest)."""
    names, rows = random_calls(count, actions=30, nodes=6, seconds=60, seed=seed)
    if disorder:  # neighbours change places, as at the seam of two batches
        rows = rows.copy()
        rows[: count // 2 * 2 : 2], rows[1::2] = rows[1::2].copy(), rows[: count // 2 * 2 : 2].copy()
    timeline = Timeline(max_calls=max_calls)
    first = 0
    for size in [*sizes, count]:
        part = rows[first : first + size]
        timeline.take(Batch(through_ns=at(60), names=names, calls=part))
        first += len(part)
    return timeline.snapshot()


def plain(value: Any) -> Any:
    """An answer that can be compared: arrays as lists, NaN equal to itself."""
    if isinstance(value, np.ndarray):
        return [plain(one) for one in value.tolist()]
    if isinstance(value, float):
        return "nan" if np.isnan(value) else value
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    return value


def answers(snapshot: Snapshot, filter_text: str) -> list[Any]:
    """All that can be asked, but for addresses of single calls."""
    span, filter_ = between(20, 50), parse(filter_text)
    asked = [
        *(latency.action_table(snapshot, span, filter=filter_, by=by) for by in ("action", "edge", "endpoint")),
        latency.series(snapshot, span, filter=filter_, split="caller"),
        [topology.topology(snapshot, span, filter=filter_, group_by=by) for by in ("service", "node")],
        inventory.actions(snapshot, span, filter=filter_),
        inventory.nodes(snapshot, span, filter=filter_),
        [overview.overview(snapshot, span, filter=filter_)],
        [activity.activity(snapshot)],
    ]
    found = [plain(astuple(one)) for answer in asked for one in answer]
    found.append([astuple(one)[1:] for one in calls.recent(snapshot, span, filter=filter_)])
    found.append(summary.summary(snapshot, span))
    return found


@settings(max_examples=12)
@given(
    st.integers(30, 600),
    st.lists(st.integers(1, 200), max_size=5),
    st.integers(1, 60),
    st.integers(0, 5),
    st.sampled_from(FILTERS),
)
def test_how_rows_are_cut_into_batches_and_blocks_changes_no_answer(count, sizes, factor, seed, filter_text):
    one = timeline_of(count, [], 10_000_000, seed)
    other = timeline_of(count, sizes, count * factor, seed)
    assert len(one.call_blocks) == 1
    assert plain(answers(one, filter_text)) == plain(answers(other, filter_text))


@settings(max_examples=10)
@given(st.integers(30, 400), st.integers(1, 10), st.integers(0, 5))
def test_a_little_disorder_changes_no_figures(count, factor, seed):
    one = timeline_of(count, [], 10_000_000, seed)
    other = timeline_of(count, [], count * factor, seed, disorder=True)
    span = between(20, 50)
    assert plain([astuple(row) for row in latency.action_table(one, span)]) == plain(
        [astuple(row) for row in latency.action_table(other, span)]
    )
    assert plain(astuple(activity.activity(one))) == plain(astuple(activity.activity(other)))
    assert summary.summary(one, span) == summary.summary(other, span)
    moments = [call.end_ns for call in calls.recent(other, span, limit=1_000)]
    assert sorted(moments) == sorted(call.end_ns for call in calls.recent(one, span, limit=1_000))


@given(st.integers(1, 3_000), st.integers(0, 99), st.floats(-9, 2), st.floats(0.1, 3))
def test_percentiles_are_within_1_percent_of_the_exact_ones(count, seed, middle, width):
    durations = np.random.default_rng(seed).lognormal(middle, width, count).clip(2e-6, 10_000)
    histograms = Histograms(1)
    histograms.add(np.zeros(count, np.intp), buckets_of(durations))
    (found,), (counted,) = histograms.quantiles(QUANTILES)
    exact = np.quantile(durations, QUANTILES, method="inverted_cdf")
    assert counted == count
    assert found == pytest.approx(exact, rel=0.0101)


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 1151)), max_size=200),
    st.lists(st.integers(-1, 3), min_size=10, max_size=10),
)
def test_merging_histograms_is_counting_together_and_sparse_ones_say_the_same(pairs, into):
    def histograms(groups: int, *, is_sparse: bool) -> Histograms:
        made = Histograms(groups)
        if is_sparse:
            made._cells = None
        return made

    groups = np.array([pair[0] for pair in pairs], np.intp)
    buckets = np.array([pair[1] for pair in pairs], np.int16)
    target = np.array(into, np.intp)
    kept = target[groups] >= 0
    together = histograms(4, is_sparse=False)
    together.add(target[groups][kept], buckets[kept])
    expected = [plain(part) for part in together.quantiles(QUANTILES)]
    for is_sparse in (False, True):
        apart = histograms(10, is_sparse=is_sparse)
        apart.add(groups[::2], buckets[::2])
        apart.add(groups[1::2], buckets[1::2])
        assert [plain(part) for part in apart.merged(target, 4).quantiles(QUANTILES)] == expected
        assert apart.dense().sum() == len(pairs)


def test_percentiles_of_parts_are_merged_and_not_averaged():
    snapshot = timeline_of(5_000, [], 10_000_000, 1)
    span = Span(START_NS, at(61))
    (whole,) = latency.series(snapshot, span)
    parts = latency.action_table(snapshot, span, by="service")
    assert whole.total.calls == sum(row.figures.calls for row in parts)
    durations = snapshot.call_blocks[0].column("duration_s")[snapshot.call_blocks[0].column("outcome") < 2]
    assert whole.total.p99_ms == pytest.approx(np.quantile(durations, 0.99, method="inverted_cdf") * 1000, rel=0.0101)


@example(82, 3)  # calls of which none was completed
@settings(max_examples=10)
@given(st.integers(1, 300), st.integers(0, 5))
def test_counts_add_up_whichever_way_they_are_asked_for(count, seed):
    snapshot = timeline_of(count, [], 10_000_000, seed)
    span = between(10, 40)
    rows = latency.action_table(snapshot, span, by="action")
    total = sum(row.figures.calls for row in rows)
    for by in ("edge", "endpoint", "service", "node", "caller"):
        assert sum(row.figures.calls for row in latency.action_table(snapshot, span, by=by)) == total
    for group_by in ("service", "node", "namespace", "version"):
        graph = topology.topology(snapshot, span, group_by=group_by)
        assert sum(edge.figures.calls for edge in graph.edges) == total
        assert sum(node.received.calls for node in graph.nodes) == total
        assert sum(node.sent.calls for node in graph.nodes) == total
    (series,) = latency.series(snapshot, span)
    assert series.calls.sum() == total
    assert series.heat.sum() == series.completed.sum() == series.total.completed
    for row in rows:
        (one,) = latency.series(snapshot, span, subject=row.subject)
        assert tuple(one.total) == pytest.approx(tuple(row.figures), nan_ok=True, rel=0.0, abs=0.0)
        assert round(row.spark_rate.sum() * span.seconds / len(row.spark_rate)) == row.figures.calls
