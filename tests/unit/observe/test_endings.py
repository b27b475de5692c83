"""Ended calls are remembered for a while, and never too many of them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from broker.observe.endings import Ending, Endings, note_table
from broker.observe.journal import Outcome
from broker.observe.routes import between
from broker.observe.rows import CallRow, Entry, Rows, call_columns, ending_of, identity

LENGTH_NS = 1_000


def entry(number: int, namespace: int = 0) -> Entry:
    return (number, between(number % 7, number % 5, namespace), 10, str(number), "", "", 0, 0)


def row(number: int, at_ns: int, outcome: Outcome = Outcome.OK) -> CallRow:
    return (*entry(number), at_ns, ending_of(outcome, 0), 20, 0)


def note(endings: Endings, *rows: CallRow) -> None:
    note_table(endings, *call_columns(list(rows)))


def test_a_call_that_was_given_up_is_taken_once() -> None:
    endings = Endings(10, LENGTH_NS)
    endings.give_up("x", entry(1), 0)
    assert endings.take_given_up("x", 999) == entry(1)
    assert endings.take_given_up("x", 999) is None


def test_a_call_that_was_given_up_long_ago_is_forgotten() -> None:
    endings = Endings(10, LENGTH_NS)
    endings.give_up("x", entry(1), 0)
    assert endings.take_given_up("x", LENGTH_NS) is None


def test_an_answer_is_known_by_namespace_and_id() -> None:
    endings = Endings(10, LENGTH_NS)
    note(endings, row(1, 5), row(2, 6, Outcome.FAILED))
    assert endings.answer(identity(0, "2"), 7) == Ending(entry(2)[1], Outcome.FAILED)
    assert endings.answer(identity(1, "2"), 7) is None
    assert endings.answer(identity(0, "3"), 7) is None


def test_a_call_that_was_never_answered_is_no_answer() -> None:
    endings = Endings(10, LENGTH_NS)
    timed_out: CallRow = (*entry(1), 5, ending_of(Outcome.TIMED_OUT, 0), 0, 0)
    endings.look_at(Rows([timed_out]))
    assert endings.answer(identity(0, "1"), 7) is None
    note(endings, timed_out)
    assert endings.answer(identity(0, "1"), 7) is None


def test_what_is_older_than_the_time_is_forgotten() -> None:
    endings = Endings(10, LENGTH_NS)
    note(endings, row(1, 0))
    assert endings.answer(identity(0, "1"), LENGTH_NS - 1) is not None
    assert endings.answer(identity(0, "1"), LENGTH_NS) is None


def test_an_answer_that_was_noted_before_an_earlier_one_is_remembered_as_long_as_any() -> None:
    endings = Endings(10, LENGTH_NS)
    note(endings, row(1, 100), row(2, 50))
    note(endings, row(3, 1_060))
    assert endings.answer(identity(0, "1"), 1_060) is not None
    assert endings.answer(identity(0, "2"), 1_060) is None


STEPS = st.lists(
    st.one_of(st.tuples(st.just("row"), st.integers(0, 12)), st.tuples(st.just("ask"), st.integers(0, 12)))
)


@given(STEPS, st.integers(2, 12), st.sets(st.integers(0, 60)))
def test_the_newest_answers_are_remembered_however_they_are_noted(
    steps: list[tuple[str, int]], most: int, notes: set[int]
) -> None:
    endings, pending, all_rows = Endings(most, LENGTH_NS), Rows(), list[CallRow]()
    for at_ns, (what, number) in enumerate(steps):
        if what == "row":
            pending.append(row(number, at_ns))
            all_rows.append(pending[-1])
        else:
            endings.look_at(pending)
            remembered = {one[3] for one in all_rows[-max(1, most // 2) :]}
            assert (endings.answer(identity(0, str(number)), at_ns) is not None) == (str(number) in remembered)
        if at_ns in notes and pending:
            note(endings, *pending)
            pending.clear()


@given(st.lists(st.tuples(st.sampled_from("ag"), st.integers(0, 30))), st.integers(2, 20))
def test_never_more_than_the_limit(steps: list[tuple[str, int]], most: int) -> None:
    endings = Endings(most, LENGTH_NS)
    for what, number in steps:
        if what == "a":
            note(endings, row(number, 0))
        else:
            endings.give_up(str(number), entry(number), 0)
        assert len(endings) <= most


def test_no_rows_are_noted_as_nothing() -> None:
    endings = Endings(4, LENGTH_NS)
    endings.note(np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.uint8), b"")
    assert len(endings) == 0
