"""Packets by second, namespace and type; and why some could not be decoded."""

from __future__ import annotations

import pytest

from broker.clock import SECOND
from broker.observe.counters import Counters, general


@pytest.mark.parametrize(
    ("reason", "in_general"),
    [
        ("Expecting ',' delimiter: line 1 column 186 (char 185)", "Expecting ',' delimiter"),
        (
            "MessagePack data is malformed: trailing characters (byte 10)",
            "MessagePack data is malformed: trailing characters",
        ),
        ("MessagePack data is malformed: 3 bytes too many", "MessagePack data is malformed: some bytes too many"),
        ("body begins with b8 53 f9 c7, expected JSON", "body begins with other bytes, expected JSON"),
        ("field 'id' is 12345, expected text", "field 'id' is a number, expected text"),
        ("field 'ver' is 'x, y', expected text", "field 'ver' is a text, expected text"),
        ("field 'id' is None, expected text", "field 'id' is None, expected text"),
        ("ids of more than 1024 letters", "ids of more than 1024 letters"),
    ],
)
def test_a_reason_is_counted_without_its_particulars(reason: str, in_general: str) -> None:
    assert general(reason) == in_general


def test_what_is_counted_before_a_second_ends_belongs_to_it() -> None:
    counters = Counters(5, is_compiled=False)
    requests = counters.counter(0, 1)
    counters.begin_second(7 * SECOND)
    requests.packets += 2
    counters.begin_second(8 * SECOND)
    requests.packets += 1
    assert [tuple(row) for row in counters.take()] == [(7, 0, 1, 2, 0, 0, 0), (8, 0, 1, 1, 0, 0, 0)]
    assert counters.packets == 3


def test_a_flood_of_namespaces_shares_its_counters() -> None:
    counters = Counters(5, is_compiled=False)
    assert len({counters.counter(namespace, 1) for namespace in range(60_000)}) <= 5_001


def test_the_reasons_are_bounded() -> None:
    counters = Counters(5, is_compiled=False)
    for letter in "abcdefghij":
        counters.malformed(counters.counter(0, 1), f"reason {letter}")
    assert (len(counters.reasons), counters.reasons["(other reasons)"], sum(counters.reasons.values())) == (5, 6, 10)
