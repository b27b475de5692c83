"""Histograms of log buckets for many groups at once, and percentiles from them.

Few groups are counted in a dense table; where that would be too large, the
(group, bucket) pairs are kept and sorted. Both give the same answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from broker.mesh.counting import ONE, merge_cells, quantile_buckets, ranks_of
from broker.observe.buckets import BUCKET_COUNT, bucket_values_s

DENSE_CELLS: Final = 12_000_000
"""Above so many cells (48 MB) pairs are kept instead: 4 bytes a call, sorted at the end."""

VALUES_S: Final = bucket_values_s()


def quantiles_of(counts: Sequence[int], shares: Sequence[float]) -> list[float]:
    """Percentiles of one histogram, such as that of a bench.

    Args:
        counts: Calls by log bucket; empty for none. Shape (buckets,).
        shares: Which, 0 to 1.

    Returns:
        In s, in the order of the shares; NaN without calls.
    """
    running = np.cumsum(np.asarray(counts, np.int64))
    if not len(running) or not running[-1]:
        return [float("nan")] * len(shares)
    ranks = np.maximum(np.ceil(running[-1] * np.asarray(shares) - 1e-9), 1)
    return [float(value) for value in VALUES_S[np.searchsorted(running, ranks)]]


class Histograms:
    """Counts by group and log bucket.

    Args:
        groups: How many groups there are.
        coarse: Log buckets that are counted as one; more makes small tables and rough percentiles.
    """

    def __init__(self, groups: int, coarse: int = 1) -> None:
        self._groups = groups
        self._coarse = coarse
        self._width = -(-BUCKET_COUNT // coarse)
        is_dense = groups * self._width <= DENSE_CELLS
        self._cells = np.zeros(groups * self._width, np.int32) if is_dense else None
        self._keys: list[NDArray[Any]] = []
        self._is_filled = False
        self._key_type = np.uint32 if groups * self._width < 2**32 else np.uint64

    def add(self, groups: NDArray[np.intp], buckets: NDArray[np.int16]) -> None:
        """Count one call for each element. Shapes (n,) both; buckets from 0."""
        self._is_filled |= len(groups) > 0
        keys = groups * self._width
        keys += buckets if self._coarse == 1 else buckets // self._coarse
        if self._cells is not None:
            np.add.at(self._cells, keys, ONE)
        else:
            self._keys.append(keys.astype(self._key_type))

    def dense(self) -> NDArray[np.int32]:
        """The counts. Shape (groups, buckets). Only for a small number of groups."""
        if self._cells is None:
            keys = self._sorted().astype(np.intp)
            return np.bincount(keys, minlength=self._groups * self._width).reshape(self._groups, -1).astype(np.int32)
        return self._cells.reshape(self._groups, self._width)

    def _sorted(self) -> NDArray[Any]:
        if len(self._keys) > 1:
            self._keys = [np.concatenate(self._keys)]
        keys = self._keys[0] if self._keys else np.empty(0, self._key_type)
        keys.sort()
        return keys

    def table_for(self, calls: int) -> NDArray[np.int32] | None:
        """The dense table, for so many calls to be counted into; None where pairs are kept. Shape (groups · width,)."""
        if self._cells is not None:
            self._is_filled |= calls > 0
        return self._cells

    def merged(self, into: NDArray[np.intp], groups: int) -> Histograms:
        """The histograms of larger groups. ``into``: the larger group of each, -1 for none."""
        result = Histograms(groups, self._coarse)
        result._is_filled = self._is_filled
        if not self._is_filled:
            return result
        if self._cells is not None and result._cells is not None:
            result._cells = merge_cells(self._cells, into, groups, self._width)
            return result
        for keys, counts in self._parts():
            group = into[keys // self._width]
            kept = group >= 0
            result._count(group[kept] * self._width + keys[kept].astype(np.intp) % self._width, counts[kept])
        return result

    def _parts(self) -> Iterator[tuple[NDArray[Any], NDArray[np.int32]]]:
        """All that was counted, as keys and how often."""
        if self._cells is not None:
            keys = np.flatnonzero(self._cells)
            yield keys, self._cells[keys]
        for keys in self._keys:
            yield keys, np.ones(len(keys), np.int32)

    def _count(self, keys: NDArray[np.intp], counts: NDArray[np.int32]) -> None:
        if self._cells is not None:
            np.add.at(self._cells, keys, counts)
        else:
            self._keys.append(np.repeat(keys, counts).astype(self._key_type))

    def quantiles(self, shares: Sequence[float]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Percentiles of every group.

        Args:
            shares: Which, 0 to 1.

        Returns:
            Values in s, shape (groups, shares), NaN for a group without calls;
            and the calls of each group, shape (groups,).
        """
        if not self._is_filled:
            return np.full((self._groups, len(shares)), np.nan), np.zeros(self._groups, np.int64)
        wanted = np.asarray(shares, np.float64)
        buckets, counts = self._places(wanted)
        values = self._values()[buckets]
        values[counts == 0] = np.nan
        return values, counts

    def _places(self, shares: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
        """The bucket of each share, shape (groups, shares), and the calls of each group."""
        if self._cells is not None:
            return quantile_buckets(self._cells, self._groups, shares)
        keys = self._sorted()
        bounds = (np.arange(1, self._groups + 1, dtype=np.uint64) * self._width).astype(keys.dtype)
        ends = np.searchsorted(keys, bounds)
        begins = np.concatenate([[0], ends[:-1]])
        counts = ends - begins
        filled = counts > 0
        buckets = np.zeros((self._groups, len(shares)), np.intp)
        buckets[filled] = keys[begins[filled, None] + ranks_of(counts, shares)[filled] - 1] % self._width
        return buckets, counts

    def _values(self) -> NDArray[np.float64]:
        if self._coarse == 1:
            return VALUES_S
        middles = np.minimum(np.arange(self._width) * self._coarse + self._coarse // 2, BUCKET_COUNT - 1)
        return VALUES_S[middles]
