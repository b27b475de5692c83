"""Serializers read what msgpack5, notepack.io 2 and 3 and JSON.stringify write, oddities included."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.protocol.codec import decode_body
from broker.protocol.malformed import Malformed
from broker.protocol.serializers import SERIALIZERS, dumps, json, loads, msgpack
from broker.protocol.streams import as_bytes
from tests.unit.protocol.made_up import plain_data, texts

INSTANT = datetime(2023, 11, 14, 22, 13, 20, 123_000, UTC)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        # msgpack5: a cut emoji becomes U+FFFD
        ("91a6636166efbfbd", ["caf\ufffd"]),
        # notepack: the half that is there, and a made-up other half
        ("91a7636166f09f9080", ["caf\U0001f400"]),
        # dates as timestamps of 32, 64 and 96 bits
        ("91d6ff6553f100", [INSTANT.replace(microsecond=0)]),
        ("91d7ff1d5353006553f100", [INSTANT]),
        ("91c70cff000000000000000ba43b7400", [datetime(3554, 6, 9, 16, 53, 20, tzinfo=UTC)]),
        # notepack.io 2: extension 0 for undefined and for dates
        ("91d40000", [None]),
        ("81a161d40000", {"a": None}),
        ("91d7000000018bcfe5687b", [INSTANT]),
        ("91d7007fffffffffffffff", [None]),  # new Date(NaN), or beyond the year 9999
        # floats of 32 bits, integers of 64
        ("95ca3fc00000cb3fb999999999999acb7ff0000000000000ca7f800000ca80000000", [1.5, 0.1, math.inf, math.inf, -0.0]),
        (
            "94cf0000000100000000d3ffffff0000000000cb43e0000000000000cf8000000000000000",
            [2**32, -(2**40), 2.0**63, 2**63],
        ),
        # Buffers
        ("91c4026869", [b"hi"]),
        # texts that are no UTF-8, which Node takes: cut emojis are kept, the rest is replaced
        ("a3eda0bd", "\ud83d"),
        ("92a3eda0bdd90161", ["\ud83d", "a"]),
        ("93a1ffc4026869d7ff1d5353006553f100", ["\ufffd", b"hi", INSTANT]),
        ("82a3eda0bda178a179dc0001cb3fb999999999999a", {"\ud83d": "x", "y": [0.1]}),
        ("92a1ffc70305010203", ["\ufffd", msgspec.msgpack.Ext(5, b"\1\2\3")]),
        ("92a1ffde0001a161c3", ["\ufffd", {"a": True}]),
    ],
)
def test_msgpack_of_node_is_read(written: str, expected: Any) -> None:
    assert msgpack.loads(bytes.fromhex(written)) == expected


@pytest.mark.parametrize(
    "broken", ["92a1ff", "a2ff", "92a1ffdd7fffffff", "92a1ffc6ffffffffff", "92a1ffc1", "91a1ff00", "92a1ff81808080", ""]
)
def test_broken_msgpack_beside_odd_texts_is_refused(broken: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        msgpack.loads(bytes.fromhex(broken))


def test_deep_msgpack_beside_odd_texts_is_refused() -> None:
    with pytest.raises(ValueError, match="nests too deep"):
        msgpack.loads(b"\x92\xa1\xff" + b"\x91" * 400 + b"\x91" * 10_000 + b"\xc0")


def test_json_writes_what_javascript_writes() -> None:
    value = {"nan": math.nan, "inf": [-math.inf], "cut": "caf\ud83d", "date": INSTANT, "bytes": b"hi", "list": (1, 2)}
    expected = {
        "nan": None, "inf": [None], "cut": "caf\ud83d", "date": "2023-11-14T22:13:20.123Z",
        "bytes": {"type": "Buffer", "data": [104, 105]}, "list": [1, 2],
    }  # fmt: skip
    assert json.loads(json.dumps(value)) == expected
    assert rb"caf\ud83d" in json.dumps(value)


@pytest.mark.parametrize("serializer", ["JSON", "MsgPack", "Notepack"])
@given(value=plain_data)
def test_plain_data_come_back_as_they_were(serializer: str, value: Any) -> None:
    packet = {"data": value}
    assert loads(dumps(packet, serializer)) == packet


@given(st.binary(max_size=300))
def test_buffers_come_back_as_bytes_from_both_serializers(data: bytes) -> None:
    assert as_bytes(json.loads(json.dumps({"x": data}))["x"]) == data
    assert as_bytes(msgpack.loads(msgpack.dumps({"x": data}))["x"]) == data


@given(st.dictionaries(texts, texts, max_size=20), st.integers(0, 70_000))
def test_odd_texts_of_all_lengths_come_back_from_msgpack(texts_by_text: dict[str, str], length: int) -> None:
    value = {"\ud83d": "x" * length, "list": [0] * (length // 100), "more": texts_by_text}
    assert msgpack.loads(msgpack.dumps(value)) == value


@pytest.mark.parametrize("serializer", SERIALIZERS)
@pytest.mark.parametrize("value", [object(), {"a": {1: {2: object()}}}, [lambda: None]])
def test_what_cannot_be_written_says_so(serializer: str, value: Any) -> None:
    with pytest.raises(TypeError):
        dumps({"data": value}, serializer)


@pytest.mark.parametrize("serializer", SERIALIZERS)
def test_what_nests_too_deep_cannot_be_written(serializer: str) -> None:
    value: Any = None
    for _ in range(100_000):
        value = [value]
    with pytest.raises(TypeError, match="cannot be written as"):
        dumps({"data": value}, serializer)


def test_numbers_beyond_64_bits_are_no_msgpack() -> None:
    with pytest.raises(TypeError, match="cannot be written as MsgPack"):
        msgpack.dumps(2**64)


def test_an_unknown_serializer_is_named() -> None:
    with pytest.raises(ValueError, match="serializer is 'XML', expected one of JSON, JSONExt, MsgPack, Notepack, CBOR"):
        dumps({}, "XML")


@given(st.binary(max_size=400))
def test_any_bytes_are_data_or_malformed(body: bytes) -> None:
    begins = (
        b"",
        b"{",
        b'{"a":"',
        b"\x81",
        b"\x81\xa1a",
        b"\xdf",
        b"\x82\xa1\xff",
        b"\xb9\0\1aa",
        b"\xa1aa\xc1",
        b"\xbf",
    )
    for begin in begins:
        found = decode_body(begin + body)
        assert not isinstance(found, Malformed) or found.reason
