"""Headers are read first, fast, and with a reason where they cannot be."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from broker.protocol.errors import ErrorSummary
from broker.protocol.headers import (
    EventHeader,
    Malformed,
    OtherHeader,
    RequestHeader,
    ResponseHeader,
    read_error,
    read_event,
    read_other,
    read_request,
    read_response,
)
from tests.unit.protocol.real_packets import RealPacket, real_packets

REQUEST = {"id": "1", "action": "users.get", "sender": "node-1", "ver": "5", "params": {"deep": [1, {"x": None}]}}
WRITERS = [pytest.param(msgspec.json.encode, id="JSON"), pytest.param(msgspec.msgpack.encode, id="MsgPack")]
READERS = {
    "REQ": (read_request, RequestHeader),
    "RES": (read_response, ResponseHeader),
    "EVENT": (read_event, EventHeader),
}


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"action": None}, "field 'action' is None, expected text"),
        ({"action": 7}, "field 'action' is 7, expected text"),
        ({"action": ""}, "field 'action' is empty, expected text"),
        ({"action": True}, "field 'action' is True, expected text"),
        ({"id": 2.0}, "field 'id' is 2.0, expected text"),
        ({"id": {"a": 1}}, "field 'id' is a dict, expected text"),
        ({"sender": ["node-1"]}, "field 'sender' is a list, expected text"),
        ({"id": 2**63}, "field 'id' is 9223372036854775808, expected text"),
    ],
)
def test_a_text_that_is_none_is_named(write: Any, change: dict[str, Any], reason: str) -> None:
    assert read_request(write(REQUEST | change)) == Malformed("", reason)


@pytest.mark.parametrize("write", WRITERS)
def test_a_text_that_is_missing_is_named(write: Any) -> None:
    without = {name: value for name, value in REQUEST.items() if name != "action"}
    assert read_request(write(without)) == Malformed("", "field 'action' is None, expected text")
    assert read_response(write({"id": "1"})) == Malformed("", "field 'sender' is None, expected text")
    assert read_event(write({"sender": "a"})) == Malformed("", "field 'event' is None, expected text")
    assert read_other(write({})) == Malformed("", "field 'sender' is None, expected text")


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("value", [None, True, 2.0, -1, "5s", [], {"a": []}, 10**18, 2**64 - 1])
def test_every_other_field_is_taken_as_it_comes(write: Any, value: object) -> None:
    names = ("timeout", "level", "tracing", "parentID", "requestID", "caller", "stream", "seq", "ver")
    header = read_request(write(REQUEST | dict.fromkeys(names, value)))
    assert isinstance(header, RequestHeader)
    assert [getattr(header, name) for name in names] == [value] * len(names)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "body is empty, expected JSON, MsgPack or CBOR (compressed or encrypted?)"),
        (b"\x00{}", "body begins with 00 7b 7d, expected JSON, MsgPack or CBOR (compressed or encrypted?)"),
        (b"[1]", "body begins with 5b 31 5d, expected JSON, MsgPack or CBOR (compressed or encrypted?)"),
        (b" [1]", "packet is a list, expected an object"),
        (b"{" * 100_000, "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        (b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nests too deep"),
        (b"\x81\xa1x" + b"\x91" * 100_000 + b"\xc0", "nests too deep"),
        (b"\xdf\xff\xff\xff\xff", "Input data was truncated"),
        (b"\x81\xa2id\xdb\xff\xff\xff\xff", "Input data was truncated"),
        (b'{"id":NaN}', "NaN is no JSON"),
    ],
)
def test_what_cannot_be_read_says_why(body: bytes, reason: str) -> None:
    assert read_request(body) == Malformed("", reason)


def test_a_cut_emoji_anywhere_does_not_cost_the_packet() -> None:
    header = read_request(
        b'{"id":"1","action":"users.get","sender":"n","params":{"t":"caf\\ud83d"},"caller":"x\\ud83d"}'
    )
    assert header == RequestHeader(id="1", action="users.get", sender="n", caller="x\ud83d")


def test_bytes_that_are_no_utf8_do_not_cost_the_packet() -> None:
    assert read_other(b'{"sender":"n","x":"\xff"}') == OtherHeader(sender="n")
    assert read_other(b"\x82\xa6sender\xa1n\xa1x\xa1\xff") == OtherHeader(sender="n")
    assert read_other(b"\x82\xa6sender\xa2n\xff\xa3ver\xa15") == OtherHeader(sender="n\ufffd", ver="5")


def test_numbers_beyond_all_measure_do_not_cost_the_packet() -> None:
    body = b'{"sender":"n","x":' + b"9" * 5_000 + b',"ver":1e999}'
    assert read_other(body) == OtherHeader(sender="n", ver=float("inf"))


def test_white_space_before_the_packet_is_read_over() -> None:
    assert read_other(b' \n{"sender":"n"}') == OtherHeader(sender="n")


@pytest.mark.parametrize("packet", real_packets(), ids=lambda packet: f"{packet.version} {packet.name.decode()}")
def test_headers_of_real_packets_say_what_node_reads(packet: RealPacket) -> None:
    read, kind = READERS.get(packet.channel.command, (read_other, OtherHeader))
    expected = {name: packet.value[name] for name in kind.__struct_fields__ if name in packet.value}
    assert read(packet.body) == kind(**expected)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (None, ErrorSummary("", None, "", "", "")),
        ("boom", ErrorSummary("", None, "", "", "")),
        ({"name": "Error", "message": "m", "nodeID": "n"}, ErrorSummary("Error", None, "", "n", "m")),
        ({"name": "X", "code": 409, "type": "CONFLICT"}, ErrorSummary("X", 409, "CONFLICT", "", "")),
        ({"code": "500"}, ErrorSummary("", 500, "", "", "")),
        ({"code": "ECONNREFUSED", "type": 7}, ErrorSummary("", None, "", "", "")),
        ({"code": True, "name": {}}, ErrorSummary("", None, "", "", "")),
        ({"code": 1e300, "message": None}, ErrorSummary("", None, "", "", "")),
        ({"code": 404.0}, ErrorSummary("", 404, "", "", "")),
        ({"code": "--5"}, ErrorSummary("", None, "", "", "")),
        ({"code": "²"}, ErrorSummary("", None, "", "", "")),
    ],
)
def test_an_error_is_counted_by_what_it_really_says(error: object, expected: ErrorSummary) -> None:
    assert read_error(ResponseHeader(id="1", sender="n", success=False, error=error)) == expected
