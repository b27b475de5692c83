"""Ended calls are remembered for a while, and never too many of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from broker.observe.endings import Endings
from broker.observe.rows import Entry


def route(number: int) -> bytes:
    return number.to_bytes(16, "little")


def entry(number: int) -> Entry:
    return (number, route(1), 0, str(number), "", "", 0, 0)


def test_a_call_that_was_given_up_is_taken_once() -> None:
    endings = Endings(10, 1000)
    endings.give_up("x", entry(1))
    assert endings.take_given_up("x") == entry(1)
    assert endings.take_given_up("x") is None


def test_half_of_the_limit_is_always_remembered() -> None:
    endings = Endings(10, 1000)
    for number in range(100):
        endings.answer(str(number), route(number))
    assert [endings.answered_route(str(number)) for number in range(95, 100)] == [route(n) for n in range(95, 100)]


def test_what_is_older_than_the_time_is_forgotten() -> None:
    endings = Endings(10, 1000)
    endings.passed(0)
    endings.answer("x", route(1))
    endings.passed(500)
    assert endings.answered_route("x") == route(1)
    endings.passed(1000)
    assert endings.answered_route("x") is None


def test_after_a_long_silence_nothing_is_remembered() -> None:
    endings = Endings(10, 1000)
    endings.passed(0)
    endings.answer("x", route(1))
    endings.passed(5000)
    assert len(endings) == 0


@given(st.lists(st.tuples(st.sampled_from("agt"), st.integers(0, 30))), st.integers(2, 20))
def test_never_more_than_the_limit(steps: list[tuple[str, int]], most: int) -> None:
    endings = Endings(most, 1000)
    for what, number in steps:
        key = str(number)
        if what == "a":
            endings.answer(key, route(number))
        elif what == "g":
            endings.give_up(key, entry(number))
        else:
            endings.take_given_up(key)
        assert len(endings) <= most
