"""What differs between two answers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from broker.operate.calling.difference import Change, difference

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=15,
)


def test_each_place_is_told_with_what_was_and_what_is():
    before = {"id": 1, "status": "new", "lines": [{"sku": "A"}, {"sku": "B"}], "note": None}
    after = {"id": 1, "status": "paid", "lines": [{"sku": "A"}, {"sku": "C"}], "total": 59.8}
    assert difference(before, after).changes == (
        Change("status", "changed", '"new"', '"paid"'),
        Change("lines[1].sku", "changed", '"B"', '"C"'),
        Change("total", "added", "", "59.8"),
        Change("note", "removed", "null", ""),
    )


def test_an_item_put_in_front_is_one_change():
    assert difference([1, 2, 3], [0, 1, 2, 3]).changes == (Change("[0]", "added", "", "0"),)
    assert difference([1, 2, 3], [1, 3]).changes == (Change("[1]", "removed", "2", ""),)


def test_true_is_no_number():
    assert difference({"a": [True]}, {"a": [1]}).changes == (Change("a[0]", "changed", "true", "1"),)
    assert difference(1, 1.0).changes == ()


def test_it_is_bounded():
    found = difference(list(range(5000)), list(range(1, 10001, 2)), most=100)
    assert len(found.changes) == 100
    assert found.left_out


def test_long_values_are_cut():
    assert len(difference("a", "x" * 10_000).changes[0].after) == 201


@given(VALUES)
def test_nothing_differs_from_itself(value: object):
    assert difference(value, value).changes == ()


@given(VALUES, VALUES)
def test_what_is_not_the_same_differs(one: object, other: object):
    assert bool(difference(one, other).changes) == bool(difference(other, one).changes)
