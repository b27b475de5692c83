"""What Python has in common with JavaScript crosses in every serializer as its table says, and comes back."""

from __future__ import annotations

import math
import re
from array import array
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from enum import IntEnum
from typing import Any
from uuid import UUID

import pytest
from cbor2 import CBORTag
from hypothesis import given
from hypothesis import strategies as st

from broker.protocol.codec import Malformed, decode_body, decode_extended, encode
from broker.protocol.packets import Request
from broker.protocol.serializers import SERIALIZERS, cbor, json, jsonext, msgpack, serializer_name, serializer_of
from broker.protocol.serializers.values import Map, RegExp
from tests.unit.protocol.made_up import texts

INSTANT = datetime(2023, 11, 14, 22, 13, 20, 123_000, UTC)
whole_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
dates_to_the_ms = st.integers(-62_135_596_800_000, 253_402_300_799_999).map(
    lambda ms: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
)
numbers = st.integers(-(2**80), 2**80) | st.floats(allow_nan=False)
keys = whole_texts | st.integers(-(2**60), 2**60) | dates_to_the_ms | st.binary(max_size=5)
arrays = st.sampled_from("HIQbhiqfd").flatmap(
    lambda code: st.lists(st.integers(0, 100), max_size=4).map(lambda items: array(code, items))
)
regexps = st.builds(RegExp, whole_texts, st.sampled_from(["", "g", "gi"]))


def data(leaf: st.SearchStrategy[Any], names: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    return st.recursive(leaf, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4))


common = st.none() | st.booleans() | st.binary(max_size=40) | dates_to_the_ms | st.sets(keys, max_size=4) | regexps
in_cbor = data(common | numbers | whole_texts | arrays, whole_texts)
finite = st.integers(-(2**80), 2**80) | st.floats(allow_nan=False, allow_infinity=False)
in_jsonext = data(
    common | finite | texts | st.sampled_from(["[[", "[[BI]]1", "[[ES]]", "[[XX]]"]),
    texts | st.just("[[DT]]1"),
)
in_msgpack = data(
    st.none() | st.booleans() | st.binary(max_size=40) | st.datetimes(timezones=st.just(UTC))
    | st.floats(allow_nan=False) | st.integers(-(2**63), 2**64 - 1) | texts,
    texts,
)  # fmt: skip


@given(in_cbor)
def test_what_cbor_carries_comes_back_as_it_was(value: Any) -> None:
    assert cbor.loads(cbor.dumps(value)) == value


@given(in_jsonext)
def test_what_jsonext_carries_comes_back_as_it_was(value: Any) -> None:
    assert jsonext.loads(jsonext.dumps(value)) == value


@given(in_msgpack)
def test_what_msgpack_carries_comes_back_as_it_was(value: Any) -> None:
    assert msgpack.loads(msgpack.dumps(value)) == value


@given(whole_texts, st.integers(-(2**80), 2**80))
def test_whole_numbers_are_of_the_same_type_after_cbor(text: str, number: int) -> None:
    found = cbor.loads(cbor.dumps({text: number}))[text]
    assert type(found) is int


@given(st.binary(max_size=300))
def test_any_bytes_are_cbor_or_refused(body: bytes) -> None:
    for begin in (
        b"",
        b"\xa1aa",
        b"\xc1",
        b"\xd9\x01\x02",
        b"\xd8\x1b\x83",
        b"\xd8\x45",
        b"\xd8\x1c\x81\xd8\x1d\0",
        b"\x9f",
    ):
        try:
            cbor.loads(begin + body)
        except ValueError as error:
            assert str(error)  # noqa: PT017 - what else it raises fails the test


@given(st.sampled_from(["BI", "DT", "BF", "RE", "MP", "ST", "ES", "XX"]), st.text(max_size=30))
def test_any_marked_text_is_jsonext_or_refused(mark: str, text: str) -> None:
    for inside in (text, f'{{"a":"[[{mark}]]{text}"}}', f'["[[{mark}]]{text}"]'):
        body = json.dumps({"a": f"[[{mark}]]{inside}"})
        try:
            jsonext.loads(body)
        except ValueError as error:
            assert str(error)  # noqa: PT017 - what else it raises fails the test
        assert not isinstance(decode_body(body), Malformed)  # then it is shown as JSON


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        # numbers beyond 32 bits are floats, BigInts are integers of 64 bits or more
        ("83fb4270000000000000fbc2700000000000001affffffff", [2**40, -(2**40), 2**32 - 1]),
        ("821b00200000000000003b001fffffffffffff", [2**53, -(2**53)]),
        ("82c249010000000000000000c349010000000000000000", [2**64, -(2**64) - 1]),
        ("83fb3ff8000000000000fb7ff0000000000000fb4340000000000000", [1.5, math.inf, 2.0**53]),
        # undefined: left out of objects, null in arrays
        ("b90002616101616 2f7".replace(" ", ""), {"a": 1}),
        ("82f701", [None, 1]),
        # dates: 32 bits where they are whole and fit, else floats
        ("81c11a6553f100", [INSTANT.replace(microsecond=0)]),
        ("81c1fb41d954fc4007df3b", [INSTANT]),
        ("81c1fb7ff8000000000000", [None]),  # new Date(NaN)
        ("81c1fb43e0000000000000", [None]),  # beyond the year 9999
        # Set, RegExp, Error, typed arrays, a plain Uint8Array
        ("d90102820102", {1, 2}),
        ("d9010281a1616101", [{"a": 1}]),
        ("d81b8366526567457870616162 6769".replace(" ", ""), RegExp("a", "gi")),
        ("d81b82655265676578 6178".replace(" ", ""), CBORTag(27, ["Regex", "x"])),
        ("d845440100ff00", array("H", [1, 255])),
        ("d84144000100ff", array("H", [1, 255])),
        ("d8454101", CBORTag(69, b"\1")),
        ("d840420102", b"\1\2"),
        # a cut emoji, in a packet as long as packets are
        ("8163eda0bd", ["\ufffd\ufffd\ufffd"]),
        # a Map with the tag that MoleculerJS switches off; keys that are no texts
        ("d90103a1016161", {1: "a"}),
        # of everything else the value stays
        ("d81c81d81d00", CBORTag(28, [CBORTag(29, 0)])),
        ("d823612a", CBORTag(35, "*")),
        ("c074323031332d30332d32315432303a30343a30305a", CBORTag(0, "2013-03-21T20:04:00Z")),
        ("9f0102ff", [1, 2]),
        ("bf616101ff", {"a": 1}),
    ],
)
def test_cbor_of_node_is_read(written: str, expected: Any) -> None:
    assert cbor.loads(bytes.fromhex(written)) == expected


@pytest.mark.parametrize(
    "broken", ["", "a1", "0101", "9b7fffffffffffffff", "a1616101ff", "f8", "d90102f5", "1c", "81" * 500 + "00"]
)
def test_broken_cbor_is_refused(broken: str) -> None:
    with pytest.raises(ValueError, match="CBOR is malformed"):
        cbor.loads(bytes.fromhex(broken))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (2**32, "fb41f0000000000000"),  # cbor-x would read an integer of 64 bits as a BigInt
        (-(2**33), "fbc200000000000000"),
        (2**53, "1b0020000000000000"),
        (INSTANT, "c1fb41d954fc4007df3b"),
        (INSTANT.replace(microsecond=0), "c11a6553f100"),
        (INSTANT.astimezone(timezone(timedelta(hours=2))), "c1fb41d954fc4007df3b"),
        (b"hi", "426869"),
        (memoryview(b"hi"), "426869"),
        (re.compile("a", re.IGNORECASE), "d81b836652656745787061616169"),
        ("\ud83d", "63eda0bd"),
        ({"\ud83d": 2**40}, "a163eda0bdfb4270000000000000"),
        (array("H", [1]), "d845420100"),
    ],
)
def test_cbor_is_written_as_cbor_x_understands_it(value: Any, written: str) -> None:
    assert cbor.dumps(value).hex() == written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"a": INSTANT}, '{"a":"[[DT]]1700000000123"}'),
        ([b"hi", memoryview(b"")], '["[[BF]]aGk=","[[BF]]"]'),
        ([2**53, 2**53 - 1, -(2**70)], '["[[BI]]9007199254740992",9007199254740991,"[[BI]]-1180591620717411303424"]'),
        ([RegExp("a|b", "gi"), re.compile("x", re.DOTALL)], '["[[RE]]gi|a|b","[[RE]]s|x"]'),
        ([{b"x"}], r'["[[ST]][\"[[BF]]eA==\"]"]'),
        (Map(a=Map(b=2**60)), r'"[[MP]]{\"a\":\"[[MP]]{\\\"b\\\":\\\"[[BI]]1152921504606846976\\\"}\"}"'),
        (["[[BI]]1", "[", "[[", "x[["], '["[[ES]][[BI]]1","[","[[ES]][[","x[["]'),
    ],
)
def test_jsonext_is_written_as_moleculerjs_writes_it(value: Any, written: str) -> None:
    assert jsonext.dumps(value).decode() == written
    back = jsonext.loads(jsonext.dumps(value))
    if not isinstance(value, list):
        assert back == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[[BI]]0x10", 16),
        ("[[BI]]", 0),
        ("[[BI]]010", 10),
        ("[[DT]]NaN", None),
        ("[[DT]]8640000000000000", None),
        ("[[DT]]-1", datetime(1969, 12, 31, 23, 59, 59, 999_000, UTC)),
        ("[[BF]]_-8", b"\xff\xef"),
        ("[[BF]]aGk", b"hi"),
        ("[[BF]]a", b""),
        ("[[RE]]|", RegExp("")),
        ('[[ST]][{"a":1}]', [{"a": 1}]),
        ("[[XX]]mine", "[[XX]]mine"),
        ("[[", "[["),
    ],
)
def test_marked_texts_are_read_as_moleculerjs_reads_them(text: str, expected: Any) -> None:
    assert jsonext.loads(json.dumps([text])) == [expected]


@pytest.mark.parametrize(
    "text", ["[[BI]]1_0", "[[BI]]1.5", "[[BI]]" + "9" * 5000, "[[MP]]", "[[MP]][]", "[[ST]]{}", "[[ST]]["]
)
def test_what_moleculerjs_chokes_on_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        jsonext.loads(json.dumps([text]))


class Colour(IntEnum):
    RED = 1


@dataclass
class Point:
    x: int
    when: datetime


@pytest.mark.parametrize("serializer", SERIALIZERS)
def test_what_python_has_and_javascript_has_not_crosses_as_data(serializer: str) -> None:
    module = SERIALIZERS[serializer]
    value = {
        "colour": Colour.RED, "point": Point(1, INSTANT), "no zone": datetime(2020, 1, 2), "date": date(2020, 1, 2),
        "uuid": UUID(int=1), "tuple": (1, b"x"),
    }  # fmt: skip
    plain = {
        "colour": 1, "point": {"x": 1, "when": INSTANT}, "no zone": "2020-01-02T00:00:00", "date": "2020-01-02",
        "uuid": str(UUID(int=1)), "tuple": [1, b"x"],
    }  # fmt: skip
    assert module.loads(module.dumps(value)) == module.loads(module.dumps(plain))


def test_a_node_of_jsonext_reads_json_that_holds_marks() -> None:
    packet = Request(ver="5", sender="a", id="1", action="x.y", params={"when": INSTANT, "n": 2**60}, meta={})
    assert decode_extended(b"MOL.REQ.b", encode(packet, "JSONExt")) == packet


def test_jsonext_is_shown_decoded_and_json_that_only_looks_like_it_as_it_is() -> None:
    assert decode_body(jsonext.dumps({"n": 2**60, "d": INSTANT})) == {"n": 2**60, "d": INSTANT}
    assert decode_body(b'{"n":"[[BI]]x"}') == {"n": "[[BI]]x"}


@pytest.mark.parametrize("name", ["cbor", "CBOR", "Cbor"])
def test_serializers_are_found_in_any_case(name: str) -> None:
    assert serializer_name(name) == "CBOR"


def test_cbor_is_known_by_its_first_byte() -> None:
    assert serializer_of(bytes.fromhex("b90001")) == "CBOR"
    assert serializer_of(b"\xa1") == "CBOR"
