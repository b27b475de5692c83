"""Percentiles and the shape of what a bench measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from broker.observe.buckets import bucket_edges_s, bucket_values_s
from broker.operate.commands import BenchResult

SHARES: Final = {"p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}


class Bar(NamedTuple):
    """Some neighbouring buckets as one.

    Attributes:
        from_ms, to_ms: What durations it holds.
        calls: How many.
    """

    from_ms: float
    to_ms: float
    calls: int


def percentiles_ms(result: BenchResult) -> dict[str, float | None]:
    """By name, in ms, at most 1 % off; None without answers. No value is above the longest that was seen."""
    counts = np.asarray(result.buckets, np.int64)
    if not counts.sum():
        return dict.fromkeys(SHARES)
    running = np.cumsum(counts)
    ranks = np.maximum(np.ceil(np.asarray(list(SHARES.values())) * running[-1] - 1e-9), 1)
    values = bucket_values_s()[np.searchsorted(running, ranks)] * 1000
    return {name: min(float(value), result.max_ms) for name, value in zip(SHARES, values, strict=True)}


def bars(result: BenchResult, most: int) -> Sequence[Bar]:
    """The shape of a bench: bars of equal ratio from the shortest to the longest, none without answers.

    Args:
        result: What was measured.
        most: How many bars at most.
    """
    counts = np.asarray(result.buckets, np.int64)
    filled = np.flatnonzero(counts)
    if not len(filled):
        return ()
    first, last = int(filled[0]), int(filled[-1])
    width = max(1, -(-(last + 1 - first) // most))
    edges = bucket_edges_s() * 1000
    return [
        Bar(float(edges[at]), float(edges[min(at + width, last + 1)]), int(counts[at : at + width].sum()))
        for at in range(first, last + 1, width)
    ]
