"""What counts calls: the compiled loops and their twins give the same, and nothing is written outside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from broker.mesh import counting
from broker.mesh.histograms import Histograms
from broker.native import IS_COMPILED, compiled

pytestmark = pytest.mark.skipif(not IS_COMPILED, reason="nothing to compare with")
GROUPS, WIDTH, POINTS = 5, 11, 3
SHARES = np.array([0.5, 0.9, 0.99])

calls = st.lists(
    st.tuples(
        st.integers(0, GROUPS - 1),
        st.integers(0, POINTS - 1),
        st.integers(0, 6),
        st.integers(-1, WIDTH - 1),
        st.floats(0, 1e4, width=32),
    ),
    max_size=60,
)


def columns(rows: list[tuple[Any, ...]]) -> tuple[NDArray[Any], ...]:
    kinds = (np.intp, np.intp, np.uint8, np.int16, np.float32)
    return tuple(np.array([row[place] for row in rows], kind) for place, kind in enumerate(kinds))


@given(st.lists(st.integers(0, 70_000), max_size=40), st.sampled_from([np.uint16, np.uint32, np.int64]), st.data())
def test_looking_up_is_the_same(numbers: list[int], kind: type[np.integer[Any]], data: st.DataObject) -> None:
    table = np.array(
        data.draw(st.lists(st.integers(0, 1), min_size=1, max_size=300)), data.draw(st.sampled_from("?ilhd"))
    )
    wanted = np.array([min(number, np.iinfo(kind).max) for number in numbers], kind)
    found = counting.look_up(table, wanted)
    assert found.dtype == table.dtype
    assert found.tolist() == counting.look_up_slowly(table, wanted).tolist()


@given(calls)
def test_calls_are_counted_the_same(rows: list[tuple[Any, ...]]) -> None:
    group, _, *rest = columns(rows)
    found = []
    for count in (counting.count_calls, counting.count_calls_slowly):
        outcomes, cells = np.zeros(GROUPS * counting.OUTCOMES, np.int64), np.zeros(GROUPS * WIDTH, np.int32)
        max_s = np.zeros(GROUPS, np.float32)
        count(group, tuple(rest), outcomes, cells, max_s)  # type: ignore[arg-type]
        found.append((outcomes.tolist(), cells.tolist(), max_s.tolist()))
    assert found[0] == found[1]
    assert sum(found[0][0]) == len(rows)


@given(calls, st.sampled_from([1, 2, 4, 8]))
def test_calls_by_time_are_counted_the_same(rows: list[tuple[Any, ...]], coarse: int) -> None:
    group, moment, outcome, bucket, _ = columns(rows)
    width = -(-WIDTH // coarse)
    found = []
    for count in (counting.count_moments, counting.count_moments_slowly):
        counts, cells = np.zeros(GROUPS * POINTS, np.int64), np.zeros(GROUPS * POINTS * width, np.int32)
        count(group, moment, (outcome, bucket), counts, cells, points=POINTS, coarse=coarse)
        found.append((counts.tolist(), cells.tolist()))
    assert found[0] == found[1]


tables = st.lists(
    st.lists(st.one_of(st.just(0), st.integers(0, 40)), min_size=WIDTH, max_size=WIDTH), min_size=1, max_size=6
)


@given(tables, st.data())
def test_larger_groups_are_the_same(table: list[list[int]], data: st.DataObject) -> None:
    cells = np.array(table, np.int32).ravel()
    into = np.array([data.draw(st.integers(-1, 2)) for _ in table], np.intp)
    found = counting.merge_cells(cells, into, 3, WIDTH)
    assert found.tolist() == counting.merge_cells_slowly(cells, into, 3, WIDTH).tolist()


@given(tables)
def test_percentiles_are_the_same(table: list[list[int]]) -> None:
    cells = np.array(table, np.int32).ravel()
    buckets, counts = counting.quantile_buckets(cells, len(table), SHARES)
    slowly, counts_slowly = counting.quantile_buckets_slowly(cells, len(table), SHARES)
    assert counts.tolist() == counts_slowly.tolist() == [sum(row) for row in table]
    assert buckets.tolist() == slowly.tolist()


@given(calls, st.lists(st.integers(-1, 1), min_size=GROUPS, max_size=GROUPS))
def test_kept_pairs_tell_what_a_table_tells(rows: list[tuple[Any, ...]], into: list[int]) -> None:
    group, _, _, bucket, _ = columns([row for row in rows if row[3] >= 0])
    dense, sparse = Histograms(GROUPS), Histograms(GROUPS)
    sparse._cells = None  # as beyond DENSE_CELLS
    for one in (dense, sparse):
        one.add(group, bucket)
    larger = np.array(into, np.intp)
    for table, pairs in ((dense, sparse), (dense.merged(larger, 2), sparse.merged(larger, 2))):
        for found, kept in zip(table.quantiles(SHARES.tolist()), pairs.quantiles(SHARES.tolist()), strict=True):
            assert np.array_equal(found, kept, equal_nan=True)


@pytest.mark.parametrize("group", [-1, GROUPS, 2**62])
def test_nothing_is_written_outside(group: int) -> None:
    groups, outcome, bucket = np.array([group], np.intp), np.zeros(1, np.uint8), np.zeros(1, np.int16)
    outcomes, cells = np.zeros(GROUPS * counting.OUTCOMES, np.int64), np.zeros(GROUPS * WIDTH, np.int32)
    max_s, duration_s = np.zeros(GROUPS, np.float32), np.ones(1, np.float32)
    with pytest.raises(IndexError):
        compiled.count_calls(groups, outcome, bucket, duration_s, outcomes, cells, max_s, WIDTH)
    with pytest.raises(IndexError):
        compiled.count_calls(groups * 0, outcome + 9, bucket, duration_s, outcomes, cells, max_s, WIDTH)
    with pytest.raises(IndexError):
        compiled.count_calls(groups * 0, outcome, bucket + WIDTH, duration_s, outcomes, cells, max_s, WIDTH)
    with pytest.raises(IndexError):
        compiled.count_moments(groups, groups * 0, outcome, bucket, outcomes[:GROUPS], cells, 1, 1)
    with pytest.raises(IndexError):
        compiled.count_moments(groups * 0, groups, outcome, bucket, outcomes[:GROUPS], cells, 1, 1)
    with pytest.raises(IndexError):
        compiled.merge_cells(cells, np.full(GROUPS, abs(group), np.intp), cells[:WIDTH].copy(), WIDTH)
    assert not outcomes.any()
    assert not cells.any()
    assert not max_s.any()


def test_arrays_of_other_types_or_lengths_are_refused() -> None:
    numbers = np.zeros(3, np.int64)
    with pytest.raises(TypeError):
        compiled.look_up(numbers, numbers, np.zeros(2, np.int64))
    with pytest.raises(TypeError):
        compiled.look_up(numbers[:0], numbers, numbers.copy())
    with pytest.raises(TypeError):
        compiled.quantile_buckets(numbers.astype(np.int32), numbers.astype(np.float32), numbers, numbers)
    with pytest.raises(IndexError):
        compiled.quantile_buckets(np.zeros(4, np.int32), np.zeros(1), numbers, numbers)
