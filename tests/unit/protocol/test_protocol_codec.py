"""Packets of every type, in both versions and serializers, are written and read without loss."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.protocol.channels import Channel
from broker.protocol.codec import channel_of, decode, decode_body, encode, to_wire
from broker.protocol.malformed import Malformed
from broker.protocol.packets import PACKETS, Discover, Event, Info, Packet, Request, Response
from broker.protocol.serializers import dumps
from tests.unit.protocol.made_up import packets_of

both_versions = pytest.mark.parametrize("ver", ["4", "5"])
REQUEST = Request(ver="5", sender="node-b", id="1", action="v2.math.add", params={"n": 1}, meta={}, headers={"h": "x"})


@both_versions
@pytest.mark.parametrize("serializer", ["JSON", "MsgPack"])
@given(data=st.data())
def test_what_is_written_is_read_again(ver: str, serializer: str, data: st.DataObject) -> None:
    packet: Packet = data.draw(packets_of(ver))
    assert decode(Channel("", packet.COMMAND, "x"), encode(packet, serializer)) == packet


ODD = [
    float("nan"),
    b"raw",
    datetime(2026, 1, 2, tzinfo=UTC),
    "cut \ud83d",
    UUID(int=7),
    {1},
    2**70,
    [[{"deep": b"x"}]],
]


@both_versions
@given(data=st.data())
def test_an_ordinary_packet_takes_a_shorter_way_to_the_same_bytes(ver: str, data: st.DataObject) -> None:
    packet: Packet = data.draw(packets_of(ver))
    assert encode(packet) == dumps(to_wire(packet), "JSON")


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize("place", ["params", "meta", "headers", "caller", "request_id", "seq"])
def test_odd_values_are_written_alike_wherever_they_are(place: str, odd: object) -> None:
    for packet in (msgspec.structs.replace(REQUEST, **{place: each}) for each in (odd, {"in": odd}, [1, odd])):
        assert encode(packet) == dumps(to_wire(packet), "JSON")


def test_a_request_is_written_as_node_writes_it() -> None:
    assert json.loads(encode(REQUEST)) == {
        "id": "1", "action": "v2.math.add", "params": {"n": 1}, "meta": {}, "headers": {"h": "x"}, "timeout": None,
        "level": None, "tracing": None, "parentID": None, "requestID": None, "caller": None, "stream": None,
        "ver": "5", "sender": "node-b",
    }  # fmt: skip
    assert list(json.loads(encode(REQUEST)))[-2:] == ["ver", "sender"]


def test_version_4_knows_no_headers() -> None:
    for packet in (
        Request(ver="4", sender="a", id="1", action="x", headers={"h": 1}),
        Response(ver="4", sender="a", id="1", headers={"h": 1}),
        Event(ver="4", sender="a", event="x", headers={"h": 1}),
    ):
        assert "headers" not in json.loads(encode(packet))


def test_an_answer_leaves_out_what_node_leaves_out() -> None:
    written = json.loads(encode(Response(ver="5", sender="a", id="1", success=True, meta={}, headers={})))
    assert written == {"id": "1", "meta": {}, "headers": {}, "success": True, "data": None, "ver": "5", "sender": "a"}


def test_names_of_channels_follow_the_packet() -> None:
    assert channel_of(REQUEST, "prod", "shop.users-1") == b"MOL-prod.REQ.shop.users-1"
    assert channel_of(Discover(ver="5", sender="a"), "") == b"MOL.DISCOVER"


def test_balanced_packets_have_the_shape_of_the_others() -> None:
    assert decode(b"MOL.REQB.v2.math.add", encode(REQUEST)) == REQUEST
    event = Event(ver="5", sender="a", event="order.created", groups=["mail"])
    assert decode(b"MOL.EVENTB.mail.order.created", encode(event)) == event


def test_unknown_fields_are_read_over() -> None:
    assert decode(b"MOL.DISCOVER", b'{"ver":"5","sender":"a","new":{"x":[1]}}') == Discover(ver="5", sender="a")


@pytest.mark.parametrize(
    ("channel", "body", "expected"),
    [
        (b"MOL.NEWS", b"{}", Malformed("MOL.NEWS", "channel is not one of Moleculer's")),
        (b"\xff", b"{}", Malformed("\ufffd", "channel is not one of Moleculer's")),
        (b"MOL.REQ.a", b"{}", Malformed("MOL.REQ.a", "field 'id' is None, expected text")),
        (b"MOL.INFO", b'{"sender":"a"}', Malformed("MOL.INFO", "field 'ver' is None, expected text")),
        (b"MOL.INFO", b'{"sender":"a","ver":5}', Malformed("MOL.INFO", "field 'ver' is 5, expected text")),
        (b"MOL.INFO", b" null", Malformed("MOL.INFO", "packet is None, expected an object")),
        (b"MOL-x.y.RES.n.1", b"\x80", Malformed("MOL-x.y.RES.n.1", "field 'id' is None, expected text")),
    ],
)
def test_what_is_no_packet_says_where_it_came_from_and_why(channel: bytes, body: bytes, expected: Malformed) -> None:
    assert decode(channel, body) == expected


def test_odd_values_are_kept_where_they_do_no_harm() -> None:
    body = b'{"ver":"5","sender":"a","services":7,"client":null,"seq":"x","ipList":{"a":1}}'
    assert decode(b"MOL.INFO", body) == Info(ver="5", sender="a", services=7, seq="x", ip_list={"a": 1})


@given(st.sampled_from(sorted(PACKETS)), st.binary(max_size=300))
def test_any_bytes_are_a_packet_or_malformed(command: str, body: bytes) -> None:
    for begin in (b"", b'{"ver":"5","sender":"', b"\x83\xa3ver\xa15\xa6sender\xa1a\xa2id"):
        decoded = decode(Channel("ns", command, "x"), begin + body)
        assert isinstance(decoded, PACKETS[command] | Malformed)
        decode_body(begin + body)
