"""The distributions of several series as one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from broker.mesh.answers import Counts, Floats, Series


def merged_heat(series: Sequence[Series]) -> tuple[Counts, Floats]:
    """The heat of all parts of a split on one set of rows.

    Args:
        series: Over the same buckets of time; each has rows of its own.

    Returns:
        Counts of shape (rows, buckets), and edges of the rows in log10 of ms, shape (rows + 1,).
    """
    coarsest = max(series, key=lambda part: part.heat_edges_ms[1] / part.heat_edges_ms[0] if part.heat.size else 0)
    if not coarsest.heat.size:
        return coarsest.heat, np.log10(coarsest.heat_edges_ms)
    filled = [part for part in series if part.heat.size]
    step = np.log10(coarsest.heat_edges_ms[1] / coarsest.heat_edges_ms[0])
    low = np.log10(min(part.heat_edges_ms[0] for part in filled))
    high = np.log10(max(part.heat_edges_ms[-1] for part in filled))
    rows = max(1, round((high - low) / step))
    heat = np.zeros((rows, coarsest.heat.shape[1]), np.int64)
    for part in filled:
        middles = np.log10(part.heat_edges_ms[:-1] * part.heat_edges_ms[1:]) / 2
        np.add.at(heat, np.clip(((middles - low) / step).astype(int), 0, rows - 1), part.heat)
    return heat, low + step * np.arange(rows + 1)
