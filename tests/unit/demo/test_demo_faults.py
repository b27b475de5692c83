"""When the shop is in trouble and when a node dies."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from broker.demo.deaths import Deaths
from broker.demo.weather import Weather


@given(st.integers(0, 2**31))
def test_the_first_trouble_begins_within_15_s_and_others_follow(seed):
    troubles = Weather(seed).troubles(600.0)
    assert troubles[0].from_s <= 15.0
    assert troubles[0].service == "bank"
    assert all(15.0 <= each.to_s - each.from_s <= 50.0 for each in troubles)
    assert all(30.0 <= after.from_s - before.to_s <= 70.0 for before, after in pairwise(troubles))


@given(st.integers(0, 2**31), st.lists(st.floats(0, 1000), max_size=20))
def test_processes_that_ask_at_different_times_agree(seed, moments):
    asked_often, asked_once = Weather(seed), Weather(seed)
    for moment in sorted(moments):
        asked_often.strength("bank", moment)
    late = max(moments, default=0.0) + 5.0
    assert asked_often.strength("bank", late) == asked_once.strength("bank", late)


def test_trouble_rises_and_falls():
    weather = Weather(1)
    trouble = weather.troubles(20.0)[0]
    middle_s = (trouble.from_s + trouble.to_s) / 2
    assert weather.strength("bank", trouble.from_s - 1) == 0.0
    assert 0.0 < weather.strength("bank", trouble.from_s + 1) < 1.0
    assert weather.strength("bank", middle_s) == 1.0
    assert weather.strength("catalog", middle_s) == 0.0


def test_a_node_dies_and_lives_in_turn():
    deaths = Deaths(1)
    fates = [(at_s, fate) for at_s in range(300) if (fate := deaths.take(float(at_s))) is not None]
    assert [fate for _, fate in fates[:4]] == [False, True, False, True]
    away_s = fates[1][0] - fates[0][0]
    assert 18 <= away_s <= 50
