"""Listeners that take turns: orders, ratios and what is refused, without a mesh."""

from __future__ import annotations

import math
from itertools import islice, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.turns import (
    NotMeasured,
    Plan,
    Turn,
    asleep_cores,
    check,
    counted_share,
    cpu_us_a_packet,
    ratio,
)

NAMES = ("none", "bare", "probe")
RATES = st.floats(100.0, 50_000.0)
PAIRS = st.lists(st.tuples(RATES, RATES), min_size=10, max_size=40)


def test_each_round_everybody_has_a_turn_and_every_order_comes():
    orders = list(islice(Plan(seed=1).orders(NAMES), 200))
    assert all(sorted(order) == sorted(NAMES) for order in orders)
    assert {tuple(order) for order in orders} == set(permutations(NAMES))


def test_a_seed_gives_its_orders_again_and_another_gives_others():
    first, again, other = (list(islice(Plan(seed=seed).orders(NAMES), 20)) for seed in (1, 1, 2))
    assert first == again != other


def test_rounds_begin_until_the_time_or_the_number_of_pairs_is_reached():
    assert not Plan(seconds=60.0).is_over(59.9, 10_000)
    assert Plan(seconds=60.0).is_over(60.0, 1)
    assert not Plan(seconds=60.0, pairs=20).is_over(1.0, 19)
    assert Plan(seconds=60.0, pairs=20).is_over(1.0, 20)


def test_twice_and_half_as_many_calls_are_as_many_and_the_interval_says_how_little_that_tells():
    found = ratio([200.0, 50.0] * 50, [100.0] * 100)
    reach = 1.959964 * math.log(2) * math.sqrt(100 / 99) / math.sqrt(100)
    assert list(found) == pytest.approx([1.0, math.exp(-reach), math.exp(reach), 1.0, 100])


def test_one_odd_round_moves_the_mean_and_not_the_median():
    found = ratio([95.0] * 19 + [9.5], [100.0] * 20)
    assert found.median == pytest.approx(0.95)
    assert found.mean == pytest.approx(0.95 * 0.1**0.05)


def test_too_few_rounds_are_refused():
    with pytest.raises(NotMeasured, match="there were 9 rounds, expected at least 10"):
        ratio([1.0] * 9, [1.0] * 9)


@given(PAIRS, st.data())
def test_a_machine_that_drifts_from_round_to_round_changes_no_ratio(pairs, data):
    ours, theirs = zip(*pairs, strict=True)
    drift = data.draw(st.lists(st.floats(0.1, 10.0), min_size=len(pairs), max_size=len(pairs)))
    drifted = [[rate * by for rate, by in zip(rates, drift, strict=True)] for rates in (ours, theirs)]
    assert ratio(*drifted) == pytest.approx(ratio(ours, theirs))


@given(PAIRS)
def test_who_is_compared_with_whom_changes_only_the_side(pairs):
    ours, theirs = zip(*pairs, strict=True)
    one, other = ratio(ours, theirs), ratio(theirs, ours)
    assert one.low <= one.mean <= one.high
    assert [one.mean, one.low, one.high] == pytest.approx([1 / other.mean, 1 / other.high, 1 / other.low])


GOOD = Turn(calls=4000, seconds=0.4, counted=4000, heard_bytes=3_600_000)


def test_a_turn_in_which_all_was_heard_is_taken():
    check(GOOD, 20, counts=True, reads=True)
    check(GOOD._replace(counted=6020), 20, counts=True)
    check(GOOD._replace(counted=1980), 20, counts=True)
    check(GOOD._replace(calls=50, counted=70), 20, counts=True)


def test_who_counts_nothing_is_not_asked_to():
    check(Turn(calls=4000, seconds=0.4), 20)


@pytest.mark.parametrize(
    ("turn", "says"),
    [
        (GOOD._replace(calls=0), "the mesh made no call in a window"),
        (GOOD._replace(failed=2), "2 of the mesh's 4000 calls in a window failed, expected none"),
        (GOOD._replace(counted=1979), "the probe counted 1979 calls in a window in which the mesh made 4000"),
        (GOOD._replace(counted=6021), "the probe counted 6021 calls in a window in which the mesh made 4000"),
        (GOOD._replace(heard_bytes=1_599_999), "read 1599999 bytes in its turn, expected at least 1600000"),
    ],
    ids=["still", "failed", "deaf", "hears others", "bare deaf"],
)
def test_a_turn_in_which_something_is_wrong_is_refused(turn, says):
    with pytest.raises(NotMeasured, match=says):
        check(turn, 20, counts=True, reads=True)


def test_what_is_missed_in_one_window_and_found_in_another_is_counted():
    turns = [GOOD._replace(counted=3900), GOOD._replace(counted=4120)]
    assert counted_share(turns) == pytest.approx(1.0025)


def test_a_little_missed_in_every_window_is_refused():
    with pytest.raises(NotMeasured, match="counted 7910 calls in all its windows, in which the mesh made 8000"):
        counted_share([GOOD._replace(counted=3955)] * 2)


def test_a_listeners_cpu_is_told_by_packet_when_awake_and_by_time_when_asleep():
    awake = [Turn(4000, 0.4, {"bare": 0.0, "probe": 0.08}), Turn(2000, 0.4, {"bare": 0.0, "probe": 0.04})]
    turns = {"probe": awake, "bare": [Turn(4000, 0.4, {"bare": 0.03, "probe": 0.004})] * 2}
    assert cpu_us_a_packet("probe", awake) == pytest.approx(10.0)
    assert asleep_cores("probe", turns) == pytest.approx(0.01)
    assert asleep_cores("bare", turns) == 0.0
