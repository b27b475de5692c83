"""Ordinary requests and answers are the same bytes as others."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.protocol import ordinary
from broker.protocol.codec import encode
from broker.protocol.packets import Request, Response
from broker.protocol.serializers import json
from tests.unit.protocol.made_up import plain_data, texts

names = texts.filter(bool)
ODD = [
    b"raw",
    bytearray(b"raw"),
    datetime(2026, 1, 2, tzinfo=UTC),
    "cut \ud83d",
    UUID(int=7),
    {1},
    Ellipsis,
    [[{"deep": b"x"}]],
    type("Name", (str,), {})("a subclass"),
]


def _request(request_id: str, action: str, params: object, sender: str) -> Request:
    return Request(
        id=request_id, action=action, params=params, meta={}, headers={}, timeout_ms=0, level=1,
        request_id=request_id, stream=False, ver="5", sender=sender,
    )  # fmt: skip


def _response(request_id: str, meta: dict[str, object], data: object, sender: str) -> Response:
    return Response(id=request_id, meta=meta, headers={}, success=True, data=data, ver="5", sender=sender)


@given(names, names, plain_data, names)
def test_a_request_is_written_as_any_other(request_id: str, action: str, params: object, sender: str) -> None:
    written = ordinary.request(request_id, action, params, sender)
    assert written in (None, encode(_request(request_id, action, params, sender)))


@given(names, st.dictionaries(texts, plain_data, max_size=2), plain_data, names)
def test_an_answer_is_written_as_any_other(request_id: str, meta: dict[str, object], data: object, sender: str) -> None:
    written = ordinary.response(request_id, meta, data, sender)
    assert written in (None, encode(_response(request_id, meta, data, sender)))


def test_what_most_calls_give_and_get_is_ordinary() -> None:
    values = [None, True, 1, 2**70, 1.5, "text", [], {}, {"id": 7, "tags": ["a", {"b": None}]}, (1, 2), float("nan")]
    for value in values:
        assert ordinary.request("1", "a.b", value, "n") == encode(_request("1", "a.b", value, "n"))
        assert ordinary.response("1", {"m": value}, value, "n") == encode(_response("1", {"m": value}, value, "n"))


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_odd_values_are_left_to_those_who_take_care(odd: object) -> None:
    for value in (odd, {"in": odd}, [1, odd]):
        assert ordinary.request("1", "a.b", value, "n") is None
        assert ordinary.response("1", {}, value, "n") is None
        assert ordinary.response("1", {"m": value}, 1, "n") is None


def test_what_nests_without_end_is_left_to_those_who_take_care() -> None:
    endless: list[object] = []
    endless.append(endless)
    assert ordinary.request("1", "a.b", endless, "n") is None
    assert ordinary.response("1", {}, endless, "n") is None


@pytest.mark.usefixtures("compiled_module")
@given(plain_data | st.sampled_from(ODD) | st.lists(st.sampled_from(ODD), max_size=2))
def test_compiled_or_not_the_same_is_written_as_it_is(value: object) -> None:
    for each in (value, [value], (value,), {"in": value}):
        assert json.is_written_as_it_is(each) is json.is_written_as_it_is_slowly(each)


def test_compiled_what_nests_deep_is_left_to_those_who_take_care() -> None:
    deep: object = 1
    for _ in range(100_000):
        deep = [deep]
    assert not json.is_written_as_it_is(deep)
    while isinstance(deep, list):  # taken apart, or its end would nest as deep
        deep = deep.pop()
