"""Counting calls by group and log bucket: the loops that see every call of a window.

Each has a compiled twin, which does not hold the interpreter while it counts.
Arrays that it does not take (of another type, with holes) are left to the one
here; both give the same.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from broker.native import IS_COMPILED, compiled
from broker.observe.journal import COUNTED_OUTCOMES, Outcome

OUTCOMES: Final = 8  # a power of two above the last outcome
ONE: Final = np.int32(1)
"""Of the table's own type: a plain 1 makes ``np.add.at`` sixty times slower."""

Groups = NDArray[np.intp]
Cells = NDArray[np.int32]
BucketRows = tuple[NDArray[np.uint8], NDArray[np.int16]]
"""Columns ``outcome`` and ``bucket``. Shape (count,) each."""
DurationRows = tuple[NDArray[np.uint8], NDArray[np.int16], NDArray[np.float32]]
"""The same, and ``duration_s``."""
_INDEX: Final = np.dtype(np.intp)
_OUTCOME, _BUCKET, _DURATION = np.dtype(np.uint8), np.dtype(np.int16), np.dtype(np.float32)
_NUMBERS: Final = frozenset(map(np.dtype, (np.uint16, np.uint32, np.int64)))
_VALUES: Final = frozenset(map(np.dtype, (np.bool_, np.int32, np.int64)))
_CAN_COUNT: Final = IS_COMPILED and _INDEX.itemsize == 8


def _are(arrays: tuple[NDArray[Any], ...], types: tuple[np.dtype[Any], ...]) -> bool:
    """Whether the compiled twin takes these."""
    return all(array.dtype == kind and array.flags.c_contiguous for array, kind in zip(arrays, types, strict=True))


def look_up(table: NDArray[Any], numbers: NDArray[Any]) -> NDArray[Any]:
    """What a table has for each number, and its last element for numbers beyond it.

    Args:
        table: Not empty.
        numbers: From 0. Shape (count,).

    Returns:
        Of the table's type. Shape (count,).
    """
    is_ordinary = numbers.dtype in _NUMBERS and table.dtype in _VALUES and len(table) > 0
    if not (_CAN_COUNT and is_ordinary and numbers.flags.c_contiguous and table.flags.c_contiguous):
        return look_up_slowly(table, numbers)
    found = np.empty(len(numbers), table.dtype)
    compiled.look_up(table, numbers, found)
    return found


def look_up_slowly(table: NDArray[Any], numbers: NDArray[Any]) -> NDArray[Any]:
    """Twin of the compiled one."""
    return np.take(table, numbers, mode="clip")


def count_calls(
    groups: Groups,
    rows: DurationRows,
    outcomes: NDArray[np.int64],
    cells: Cells,
    max_s: NDArray[np.float32],
) -> None:
    """Add calls to what was counted.

    Args:
        groups: The group of each call. Shape (count,).
        rows: Columns ``outcome``, ``bucket`` and ``duration_s``. Shape (count,) each.
        outcomes: Calls by group and outcome. Shape (groups · OUTCOMES,).
        cells: Completed calls by group and log bucket. Shape (groups · width,).
        max_s: The longest completed call of each group. Shape (groups,).

    Raises:
        IndexError: A group or an outcome lies outside.
    """
    types = (_INDEX, _OUTCOME, _BUCKET, _DURATION)
    if _CAN_COUNT and len(max_s) and _are((groups, *rows), types):
        compiled.count_calls(groups, *rows, outcomes, cells, max_s, len(cells) // len(max_s))
    else:
        count_calls_slowly(groups, rows, outcomes, cells, max_s)


def count_calls_slowly(
    groups: Groups,
    rows: DurationRows,
    outcomes: NDArray[np.int64],
    cells: Cells,
    max_s: NDArray[np.float32],
) -> None:
    """Twin of the compiled one."""
    groups, bucket = count_outcomes(groups, rows, outcomes, max_s)
    np.add.at(cells, groups * (len(cells) // max(1, len(max_s))) + bucket, ONE)


def count_outcomes(
    groups: Groups,
    rows: DurationRows,
    outcomes: NDArray[np.int64],
    max_s: NDArray[np.float32],
) -> tuple[Groups, NDArray[np.int16]]:
    """Add calls to what was counted, but for the histograms. Arguments as those of `count_calls`.

    Returns:
        Group and log bucket of each that was completed.
    """
    outcome, bucket, duration_s = rows
    np.add.at(outcomes, groups * OUTCOMES + outcome, 1)
    completed = is_completed(outcome, bucket)
    np.maximum.at(max_s, groups[completed], duration_s[completed])
    return groups[completed], bucket[completed]


def is_completed(outcome: NDArray[np.uint8], bucket: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Which calls have a duration to be counted. Shape (count,)."""
    return (outcome <= Outcome.FAILED) & (bucket >= 0)


def count_moments(
    groups: Groups,
    moments: Groups,
    rows: BucketRows,
    counts: NDArray[np.int64],
    cells: Cells,
    *,
    points: int,
    coarse: int,
) -> None:
    """Add calls to what was counted by group and time.

    Args:
        groups: The group of each call. Shape (count,).
        moments: The part of the time in which it ended: 0 up to ``points`` - 1. Shape (count,).
        rows: Columns ``outcome`` and ``bucket``. Shape (count,) each.
        counts: Calls. Shape (groups · points,).
        cells: Completed calls by group, time and log bucket. Shape (groups · points · width,).
        points: Parts of the time.
        coarse: Log buckets that are counted as one: a power of two.

    Raises:
        IndexError: A group, a moment or a bucket lies outside.
    """
    if _CAN_COUNT and len(counts) and _are((groups, moments, *rows), (_INDEX, _INDEX, _OUTCOME, _BUCKET)):
        compiled.count_moments(groups, moments, *rows, counts, cells, points, coarse)
    else:
        count_moments_slowly(groups, moments, rows, counts, cells, points=points, coarse=coarse)


def count_moments_slowly(
    groups: Groups,
    moments: Groups,
    rows: BucketRows,
    counts: NDArray[np.int64],
    cells: Cells,
    *,
    points: int,
    coarse: int,
) -> None:
    """Twin of the compiled one."""
    places, bucket = count_by_time(groups * points + moments, rows, counts)
    np.add.at(cells, places * (len(cells) // max(1, len(counts))) + bucket // coarse, ONE)


def count_by_time(places: Groups, rows: BucketRows, counts: NDArray[np.int64]) -> tuple[Groups, NDArray[np.int16]]:
    """Add calls to what was counted by group and time, but for the histograms.

    Args:
        places: Group and part of the time of each call, as an index of ``counts``. Shape (count,).
        rows: Columns ``outcome`` and ``bucket``. Shape (count,) each.
        counts: Calls.

    Returns:
        Place and log bucket of each that was completed.
    """
    outcome, bucket = rows
    np.add.at(counts, places[outcome < COUNTED_OUTCOMES], 1)
    completed = is_completed(outcome, bucket)
    return places[completed], bucket[completed]


def merge_cells(cells: Cells, into: Groups, groups: int, width: int) -> Cells:
    """The histograms of larger groups.

    Args:
        cells: Calls by group and log bucket. Shape (smaller groups · width,).
        into: The larger group of each smaller one, -1 for none.
        groups: How many larger ones there are.
        width: Log buckets of a group.

    Returns:
        Shape (groups · width,).
    """
    if not (_CAN_COUNT and into.dtype == _INDEX and into.flags.c_contiguous):
        return merge_cells_slowly(cells, into, groups, width)
    merged = np.zeros(groups * width, np.int32)
    compiled.merge_cells(cells, into, merged, width)
    return merged


def merge_cells_slowly(cells: Cells, into: Groups, groups: int, width: int) -> Cells:
    """Twin of the compiled one."""
    merged = np.zeros(groups * width, np.int32)
    # most cells are empty: adding those that are not beats adding rows of the table; `!= 0` is faster than without
    filled = np.flatnonzero(cells != 0)
    group = into[filled // width]
    kept = group >= 0
    np.add.at(merged, group[kept] * width + filled[kept] % width, cells[filled[kept]])
    return merged


def quantile_buckets(cells: Cells, groups: int, shares: NDArray[np.float64]) -> tuple[Groups, NDArray[np.int64]]:
    """The log buckets in which percentiles lie.

    Args:
        cells: Calls by group and log bucket. Shape (groups · width,).
        groups: How many there are.
        shares: Which percentiles, 0 to 1.

    Returns:
        Buckets, shape (groups, shares), 0 for a group without calls; and the calls of each group, shape (groups,).
    """
    if not (_CAN_COUNT and shares.dtype == np.float64 and len(shares) <= MOST_SHARES):
        return quantile_buckets_slowly(cells, groups, shares)
    counts, buckets = np.zeros(groups, np.int64), np.zeros((groups, len(shares)), np.int64)
    compiled.quantile_buckets(cells, shares, counts, buckets)
    return buckets, counts


MOST_SHARES: Final = 16


def quantile_buckets_slowly(cells: Cells, groups: int, shares: NDArray[np.float64]) -> tuple[Groups, NDArray[np.int64]]:
    """Twin of the compiled one."""
    width = len(cells) // max(1, groups)
    running = np.cumsum(cells, dtype=np.int32)
    ends = running[width - 1 :: width].astype(np.int64) if width else np.zeros(groups, np.int64)
    begins = np.concatenate([[0], ends[:-1]])
    counts = ends - begins
    ranks = ranks_of(counts, shares)
    filled = counts > 0
    buckets = np.zeros(ranks.shape, np.int64)
    # ranks of the same type: otherwise all of `running` is converted first
    buckets[filled] = np.searchsorted(running, (begins[filled, None] + ranks[filled]).astype(np.int32)) % width
    return buckets, counts


def ranks_of(counts: NDArray[np.int64], shares: NDArray[np.float64]) -> NDArray[np.int64]:
    """The rank of the call at each share, from 1. Shape (groups, shares)."""
    return np.maximum(np.ceil(np.outer(counts, shares) - 1e-9).astype(np.int64), 1)
