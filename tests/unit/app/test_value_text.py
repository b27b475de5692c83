"""Whatever a serializer decodes can be shown."""

from __future__ import annotations

from array import array
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.widgets.value_text import MOST_LETTERS, value_text
from broker.protocol.codec import decode_body
from broker.protocol.serializers import SERIALIZERS, dumps
from broker.protocol.serializers.values import Map, RegExp


def test_what_json_has_no_word_for_is_said_in_words() -> None:
    value = {
        "buffer": b"\0\xff", "date": datetime(2023, 1, 2, tzinfo=UTC), "set": {1}, "map": Map(a=1), "huge": 2**70,
        "regexp": RegExp("a|b", "gi"), "array": array("h", [1, 2]), 7: None, b"k": 1,
    }  # fmt: skip
    assert value_text(value) == (
        '{\n  "buffer": "2 bytes: 00 ff",\n  "date": "2023-01-02T00:00:00Z",\n  "set": [\n    1\n  ],\n'
        '  "map": {\n    "a": 1\n  },\n  "huge": 1180591620717411303424,\n  "regexp": "/a|b/gi",\n'
        '  "array": [\n    1,\n    2\n  ],\n  "7": null,\n  "1 bytes: 6b": 1\n}'
    )


@pytest.mark.parametrize("serializer", SERIALIZERS)
def test_a_body_of_every_serializer_can_be_shown(serializer: str) -> None:
    packet = {"params": {"when": datetime(2023, 1, 2, tzinfo=UTC), "n": 1}, "sender": "a"}
    assert '"n": 1' in value_text(decode_body(dumps(packet, serializer)))


def test_what_is_long_or_deep_says_so() -> None:
    assert value_text("x" * (MOST_LETTERS + 9)).endswith("… cut here; the whole is 200,011 characters")
    deep: object = None
    for _ in range(10_000):
        deep = [deep]
    assert value_text(deep) == "It nests too deep to be shown."


@given(st.binary(max_size=200), st.sampled_from([b"\xa1", b"\x81", b"\xa1aa", b'{"a":', b"\xd9\x01\x02\x81"]))
def test_any_bytes_can_be_shown(body: bytes, begin: bytes) -> None:
    assert isinstance(value_text(decode_body(begin + body)), str)
