"""How fast calls are, by action, edge, endpoint, service or node, and over time."""
# ruff: noqa: A002 - `filter` is the word of the views

from __future__ import annotations

from typing import Final, Literal

import numpy as np

from broker.mesh.answers import ActionRow, Floats, Series
from broker.mesh.counting import count_by_time, count_moments
from broker.mesh.curves import Curves
from broker.mesh.cuts import Cut, call_cuts, time_buckets, time_edges_ns
from broker.mesh.figures import QUANTILES, FigureCounter, Groups
from broker.mesh.filter import EMPTY, Filter
from broker.mesh.groups import By, grouping
from broker.mesh.health import health
from broker.mesh.histograms import Histograms
from broker.mesh.span import Span
from broker.mesh.subject import Subject
from broker.mesh.timeline import Snapshot
from broker.observe.buckets import BUCKET_COUNT
from broker.observe.journal import Outcome

MAX_SERIES: Final = 12
SPARK_CELLS: Final = 4_000_000
SPARK_COARSE: Final = (1, 2, 4, 8)
"""Log buckets that a sparkline takes as one: a point of it is 1, 2, 4 or 8 % off, by how many there are."""

Split = Literal["none", "endpoint", "caller"]


def action_table(
    snapshot: Snapshot,
    span: Span,
    *,
    filter: Filter = EMPTY,
    by: By = "action",
    spark_buckets: int = 32,
    show_ours: bool = False,
) -> list[ActionRow]:
    """One row for each action (edge, endpoint, service, node) with calls in a span, in order of names.

    Args:
        snapshot: Where to look.
        span: When the calls ended. Change is against ``span.before()``.
        filter: What they have to pass.
        by: What a row is of.
        spark_buckets: Points of each sparkline; 0 for none.
        show_ours: Whether calls made by this program count.
    """
    cuts = list(call_cuts(snapshot, span, filter, show_ours=show_ours))
    cuts_before = list(call_cuts(snapshot, span.before(), filter, show_ours=show_ours))
    groups = grouping(snapshot, by, [*cuts, *cuts_before])
    counter, sparks = FigureCounter(groups.count, snapshot.names), _Sparks(groups.count, span, spark_buckets)
    for cut in cuts:
        numbers = groups.of(cut)
        counter.add(cut, numbers)
        sparks.add(cut, numbers)
    counter_before = FigureCounter(groups.count, snapshot.names)
    for cut in cuts_before:
        counter_before.add(cut, groups.of(cut))
    table, before = counter.table(span.seconds), counter_before.table(span.seconds)
    sparks_ms, sparks_rate = sparks.curves()
    figures, figures_before = table.figures(), before.figures()
    # answers that belong to no call name no action either: they are counted, not listed
    is_listed = np.any(table.outcomes[:, : Outcome.LATE + 1], 1)
    client_errors = table.client_errors.tolist()
    return [
        ActionRow(
            subject=groups.subject(index),
            figures=figures[index],
            before=figures_before[index],
            spark_ms=sparks_ms[index],
            spark_rate=sparks_rate[index],
            health=health(figures[index], figures_before[index], client_errors=client_errors[index]),
        )
        for index in groups.in_order_of_names()
        if is_listed[index]
    ]


class _Sparks:
    """Small curves of many groups.

    Args:
        groups: How many there are.
        span: What they cover.
        points: Of each curve; 0 for none.
    """

    def __init__(self, groups: int, span: Span, points: int) -> None:
        self._shape = groups, points
        self._edges_ns = time_edges_ns(span, max(1, points))
        self._seconds = span.seconds / max(1, points)
        cells = groups * points
        self._coarse = next((c for c in SPARK_COARSE if cells * BUCKET_COUNT // c <= SPARK_CELLS), SPARK_COARSE[-1])
        self._histograms = Histograms(cells, self._coarse)
        self._counts = np.zeros(cells, np.int64)

    def add(self, cut: Cut, groups: Groups) -> None:
        """Count these calls; the group of each is given."""
        points = self._shape[1]
        if not points:
            return
        moments, rows = time_buckets(cut, self._edges_ns), (cut.column("outcome"), cut.column("bucket"))
        cells = self._histograms.table_for(cut.count)
        if cells is not None:
            count_moments(groups, moments, rows, self._counts, cells, points=points, coarse=self._coarse)
        else:
            self._histograms.add(*count_by_time(groups * points + moments, rows, self._counts))

    def curves(self) -> tuple[Floats, Floats]:
        """p99 in ms and calls/s by group and time. Shapes (groups, points)."""
        p99_s, _ = self._histograms.quantiles(QUANTILES[2:])
        rate = self._counts.astype(np.float64) / (self._seconds or np.inf)
        return (p99_s * 1000).reshape(self._shape), rate.reshape(self._shape)


def series(
    snapshot: Snapshot,
    span: Span,
    *,
    subject: Subject | None = None,
    filter: Filter = EMPTY,
    buckets: int = 120,
    heat_rows: int = 40,
    split: Split = "none",
    show_ours: bool = False,
) -> list[Series]:
    """Calls over time; one series, or one for each endpoint or caller.

    Args:
        snapshot: Where to look.
        span: When the calls ended.
        subject: Whose calls; None for everybody's.
        filter: What they have to pass.
        buckets: Points of each curve.
        heat_rows: Rows of each heatmap at most.
        split: What a series is of; at most the 12 busiest are given.
        show_ours: Whether calls made by this program count.
    """
    cuts = list(call_cuts(snapshot, span, filter, subject=subject, show_ours=show_ours))
    gaps = gaps_in(snapshot, span)
    if split == "none":
        return [_series(snapshot, span, cuts, label_of(subject), buckets, heat_rows, gaps)]
    groups = grouping(snapshot, split, cuts)
    calls = np.zeros(groups.count, np.int64)
    for cut in cuts:
        np.add.at(calls, groups.of(cut), 1)
    busiest = np.argsort(-calls, kind="stable")[:MAX_SERIES]
    result = []
    for group in busiest.tolist():
        own = [cut.where(groups.of(cut) == group) for cut in cuts]
        result.append(_series(snapshot, span, own, groups.label(group), buckets, heat_rows, gaps))
    return result


def _series(
    snapshot: Snapshot, span: Span, cuts: list[Cut], label: str, buckets: int, heat_rows: int, gaps: list[Span]
) -> Series:
    curves = Curves(snapshot, span, max(1, buckets))
    for cut in cuts:
        curves.add(cut)
    return curves.series(label, heat_rows, gaps)


def label_of(subject: Subject | None) -> str:
    """What to write on the curves of a subject."""
    if subject is None:
        return "all calls"
    arrow = {"edge": " → ", "endpoint": " @ "}.get(subject.kind, "")
    return f"{subject.name or UNNAMED}{arrow}{subject.other if arrow else ''}"


UNNAMED: Final = "(none)"


def gaps_in(snapshot: Snapshot, span: Span) -> list[Span]:
    """Spans in which nothing was heard, cut to a span, oldest first."""
    return sorted(
        Span(max(one.from_ns, span.from_ns), min(one.to_ns, span.to_ns))
        for history in snapshot.state.of_kind("gap").values()
        for one in history
        if one.value is not None and one.meets(span)
    )
