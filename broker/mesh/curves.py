"""One set of calls over time: counts, percentiles and the heatmap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broker.mesh.answers import Floats, Series
from broker.mesh.counting import OUTCOMES, is_completed
from broker.mesh.cuts import Cut, time_buckets, time_edges_ns
from broker.mesh.figures import QUANTILES, FigureCounter
from broker.mesh.histograms import Histograms
from broker.mesh.span import Span
from broker.mesh.timeline import Snapshot
from broker.observe.buckets import BUCKET_COUNT, bucket_edges_s
from broker.observe.journal import COUNTED_OUTCOMES, Outcome


@dataclass
class Curves:
    """Counts one set of calls by time and log bucket."""

    snapshot: Snapshot
    span: Span
    buckets: int

    def __post_init__(self) -> None:
        self._edges_ns = time_edges_ns(self.span, self.buckets)
        self._histograms = Histograms(self.buckets)
        self._outcomes = np.zeros(self.buckets * OUTCOMES, np.int64)
        self._total = FigureCounter(1, self.snapshot.names)

    def add(self, cut: Cut) -> None:
        """Count these calls."""
        where = time_buckets(cut, self._edges_ns)
        outcome, bucket = cut.column("outcome"), cut.column("bucket")
        np.add.at(self._outcomes, where * OUTCOMES + outcome, 1)
        completed = is_completed(outcome, bucket)
        self._histograms.add(where[completed], bucket[completed])
        self._total.add(cut, np.zeros(cut.count, np.intp))

    def series(self, label: str, heat_rows: int, gaps: list[Span]) -> Series:
        """What was counted, with a heatmap of at most so many rows."""
        quantiles_s, _ = self._histograms.quantiles(QUANTILES)
        p50, p90, p99 = (quantiles_s * 1000).T
        outcomes = self._outcomes.reshape(-1, OUTCOMES)
        heat, edges_ms = heat_of(self._histograms.dense(), heat_rows)
        calls = outcomes[:, :COUNTED_OUTCOMES].sum(1)
        total = self._total.table(self.span.seconds).figures()[0]
        return Series(
            label=label,
            span=self.span,
            p50_ms=p50,
            p90_ms=p90,
            p99_ms=p99,
            calls=calls,
            failed=calls - outcomes[:, Outcome.OK],
            completed=outcomes[:, : Outcome.FAILED + 1].sum(1),
            heat=heat,
            heat_edges_ms=edges_ms,
            gaps=gaps,
            total=total,
        )


def heat_of(counts: NDArray[np.int32], rows: int) -> tuple[NDArray[np.int64], Floats]:
    """A heatmap of the log buckets in use, several to a row.

    Args:
        counts: Shape (time buckets, BUCKET_COUNT).
        rows: How many rows at most.

    Returns:
        Counts, shape (rows, time buckets), shortest durations first; and the
        edges of the rows in ms, shape (rows + 1,).
    """
    used = np.flatnonzero(counts.any(axis=0))
    low, high = (int(used[0]), int(used[-1]) + 1) if len(used) else (345, 461)  # 1 ms to 10 ms of nothing
    step = max(1, -(-(high - low) // max(1, rows)))
    count = -(-(high - low) // step)
    low = max(0, min(low, BUCKET_COUNT - count * step))
    padded = np.zeros((len(counts), count * step), np.int64)
    part = counts[:, low : low + count * step]
    padded[:, : part.shape[1]] = part
    heat = padded.reshape(len(counts), count, step).sum(2).T
    edges = np.minimum(low + np.arange(count + 1) * step, BUCKET_COUNT)
    return heat, bucket_edges_s()[edges] * 1000
