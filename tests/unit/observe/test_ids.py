"""Ids of traces and spans in 64 bits."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from broker.observe.ids import id64, ids64

TEXTS = st.one_of(
    st.uuids().map(str),
    st.just(""),
    st.text(max_size=40),
    st.text("0123456789abcdefABCDEF-_+ ", min_size=36, max_size=36),
)


def test_a_uuid_is_its_first_sixteen_digits() -> None:
    assert id64("01234567-89ab-4def-8123-456789abcdef") == 0x0123456789AB4DEF


def test_only_the_empty_text_is_zero() -> None:
    assert id64("") == 0
    assert id64("00000000-0000-0000-0000-000000000000") == 1


@given(st.lists(TEXTS))
def test_many_at_once_are_as_each_alone(texts: list[str]) -> None:
    numbers = ids64(texts)
    assert numbers.dtype == np.uint64
    assert numbers.tolist() == [id64(text) for text in texts]


@given(st.lists(st.uuids().map(str), min_size=1))
def test_many_uuids_are_as_each_alone(texts: list[str]) -> None:
    assert ids64(texts).tolist() == [id64(text) for text in texts]
