"""A stream's chunks come out in order, whatever order and batches they came in."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.protocol.channels import Channel
from broker.protocol.codec import decode, encode
from broker.protocol.packets import Packet, Request, Response
from broker.protocol.streams import OBJECT_MODE, STREAM_ERROR, Assembly, InOrder, as_bytes

versions_and_serializers = pytest.mark.parametrize(
    ("ver", "serializer"), [("4", "JSON"), ("5", "JSON"), ("4", "MsgPack"), ("5", "MsgPack")]
)


def answer(ver: str, chunks: list[Any], *, object_mode: bool, error: Any = None) -> list[Packet]:
    """The packets of a streamed answer, as MoleculerJS sends them."""
    marks = {OBJECT_MODE: True} if object_mode else {}
    place = {"meta": marks} if ver == "4" else {"headers": marks}

    def packet(seq: int, data: Any, *, stream: bool) -> Packet:
        success = stream or error is None
        why = None if success else error
        return Response(
            ver=ver, sender="b", id="1", success=success, data=data, error=why, stream=stream, seq=seq, **place
        )

    body = [packet(seq, chunk, stream=True) for seq, chunk in enumerate(chunks, 1)]
    return [packet(0, None, stream=True), *body, packet(len(chunks) + 1, None, stream=False)]


def question(ver: str, chunks: list[Any], *, error: Any = None) -> list[Packet]:
    """The packets of a streamed request of bytes."""

    def packet(seq: int, params: Any, *, stream: bool) -> Packet:
        marks = {STREAM_ERROR: error} if error is not None and not stream else {}
        place = {"meta": marks} if ver == "4" else {"headers": marks}
        return Request(ver=ver, sender="a", id="1", action="x", params=params, stream=stream, seq=seq, **place)

    body = [packet(seq, chunk, stream=True) for seq, chunk in enumerate(chunks, 1)]
    return [
        packet(0, {"side": 1} if ver == "5" else None, stream=True),
        *body,
        packet(len(chunks) + 1, None, stream=False),
    ]


def assembled(packets: list[Packet], serializer: str) -> Assembly:
    """What comes out when these go over the wire in this order."""
    assembly = Assembly()
    for packet in packets:
        decoded = decode(Channel("", packet.COMMAND, "x"), encode(packet, serializer))
        assert isinstance(decoded, Request | Response)
        assembly.take(decoded)
    return assembly


@versions_and_serializers
@given(chunks=st.lists(st.binary(max_size=20), max_size=8), data=st.data())
def test_bytes_in_any_order_are_the_same_bytes(ver: str, serializer: str, chunks: list[bytes], data: Any) -> None:
    for packets in (question(ver, chunks), answer(ver, chunks, object_mode=False)):
        there = assembled(data.draw(st.permutations(packets)), serializer)
        assert there.content() == b"".join(chunks)
        assert there.is_complete
        assert there.error is None


@versions_and_serializers
@given(chunks=st.lists(st.none() | st.integers(0, 9) | st.text(max_size=5), max_size=8), data=st.data())
def test_values_in_any_order_are_the_same_values(ver: str, serializer: str, chunks: list[Any], data: Any) -> None:
    packets = data.draw(st.permutations(answer(ver, chunks, object_mode=True)))
    assert assembled(packets, serializer).chunks == chunks


@given(st.lists(st.binary(max_size=9), max_size=6), st.data())
def test_packets_that_come_twice_change_nothing(chunks: list[bytes], data: Any) -> None:
    packets = answer("5", chunks, object_mode=False)
    twice = data.draw(st.permutations(packets * 2))
    assert assembled(twice, "JSON").content() == b"".join(chunks)


@pytest.mark.parametrize("ver", ["4", "5"])
def test_a_stream_that_failed_says_so(ver: str) -> None:
    error = {"name": "Error", "message": "disk full"}
    for packets in (question(ver, [b"a"], error=error), answer(ver, [b"a"], object_mode=False, error=error)):
        there = assembled(packets, "JSON")
        assert (there.content(), there.is_complete, there.error) == (b"a", True, error)


def test_a_stream_with_a_hole_is_not_complete() -> None:
    packets = answer("5", [b"a", b"b", b"c"], object_mode=False)
    there = assembled(packets[:2] + packets[3:], "MsgPack")
    assert (there.content(), there.is_complete) == (b"a", False)


@given(st.permutations(range(8)))
def test_numbered_items_come_out_in_order(numbers: list[int]) -> None:
    in_order: InOrder[int] = InOrder()
    assert [item for number in numbers for item in in_order.take(number, number)] == list(range(8))
    assert (in_order.expected, in_order.early, in_order.dropped) == (8, 0, 0)
    assert in_order.taken == 8


@pytest.mark.parametrize("number", [None, True, "1", -1, 1.5, float("nan"), float("inf"), [], 10**400])
def test_what_has_no_number_is_dropped_or_waits(number: object) -> None:
    in_order: InOrder[str] = InOrder()
    assert in_order.take(number, "odd") == []
    assert in_order.dropped + in_order.early == 1
    assert in_order.take(0.0, "first") == ["first"]


def test_no_more_wait_than_allowed() -> None:
    in_order: InOrder[int] = InOrder(most_early=3)
    for number in range(5, 10):
        assert in_order.take(number, number) == []
    assert (in_order.early, in_order.dropped) == (3, 2)
    assert in_order.taken == 5
    assert in_order.take(0, 0) == [0]


@pytest.mark.parametrize(
    "value",
    [
        {"type": "Buffer"}, {"type": "Buffer", "data": "aGk="}, {"type": "Buffer", "data": [256]},
        {"type": "Buffer", "data": ["a"]}, {"type": "Buffer", "data": [1], "more": 1}, {"type": "File", "data": [1]},
        [1, 2], "text", None,
    ],
)  # fmt: skip
def test_what_only_looks_like_a_buffer_stays_as_it_is(value: object) -> None:
    assert as_bytes(value) is value
