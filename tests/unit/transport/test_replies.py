"""Bytes of a subscribed connection become frames, however they were cut."""

from __future__ import annotations

import contextlib
from itertools import pairwise
from typing import Any

import hiredis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.transport.redis.replies import SLICE_BYTES, Replies, pack

CHANNELS = st.binary(max_size=40)
BODIES = st.one_of(st.binary(max_size=300), st.integers(0, 3 * SLICE_BYTES).map(lambda size: b"\r\n$*" * (size // 4)))
PATTERN_MESSAGES = st.tuples(CHANNELS, BODIES).map(lambda f: (pack(b"pmessage", b"MOL*", *f), f))
MESSAGES = st.tuples(CHANNELS, BODIES).map(lambda f: (pack(b"message", *f), f))
OTHERS = st.sampled_from(
    [b"+PONG\r\n", b"$-1\r\n", b"*0\r\n", b"*-1\r\n", b"+abcd\r\n", b"-ERR no\r\n", pack(b"pong", b""),
     b"*3\r\n$10\r\npsubscribe\r\n$4\r\nMOL*\r\n:1\r\n"]
).map(lambda reply: (reply, None))  # fmt: skip
NUMBERS = st.sampled_from([b":0\r\n", b":31\r\n", b":1\r\n:1\r\n:2\r\n", b":-1\r\n", b":1234567890123\r\n"])
STREAMS = st.lists(st.one_of(PATTERN_MESSAGES, MESSAGES, OTHERS), max_size=20)


def read(blocks: list[bytes]) -> tuple[list[tuple[bytes, bytes]], list[Any]]:
    """The frames and everything else that comes of some blocks."""
    others: list[Any] = []
    replies = Replies(others.append)
    return [frame for block in blocks for frame in replies.feed(block)], others


def shown(others: list[Any]) -> list[str]:
    return [repr(other) for other in others]


@given(STREAMS, st.lists(st.integers(0, 100_000), max_size=30))
def test_cutting_the_stream_anywhere_changes_nothing(stream, cuts):
    data = b"".join(reply for reply, _ in stream)
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    blocks = [data[begin:end] for begin, end in pairwise(edges)]
    whole_frames, whole_others = read([data])
    frames, others = read(blocks)
    assert frames == whole_frames == [frame for _, frame in stream if frame is not None]
    assert shown(others) == shown(whole_others)
    assert len(others) == sum(frame is None for _, frame in stream)


@given(STREAMS)
def test_bytes_one_by_one_give_what_they_give_at_once(stream):
    data = b"".join(reply for reply, _ in stream)[:2_000]
    assert read([data[i : i + 1] for i in range(len(data))])[0] == read([data])[0]


@given(st.lists(st.one_of(NUMBERS, MESSAGES.map(lambda f: f[0]), OTHERS.map(lambda f: f[0])), max_size=12), st.data())
def test_numbers_answer_what_nobody_waits_for_and_are_left_out_wherever_they_are_cut(stream, data):
    without = [reply for reply in stream if not reply.startswith(b":")]
    whole = b"".join(stream)
    edge = data.draw(st.integers(0, len(whole)))
    frames, others = read([whole[:edge], whole[edge:]])
    same_frames, same_others = read([b"".join(without)])
    assert (frames, shown(others)) == (same_frames, shown(same_others))


@given(st.lists(st.binary(max_size=200), max_size=10))
def test_any_bytes_give_frames_or_a_value_error(blocks):
    replies = Replies(lambda _other: None)
    with contextlib.suppress(ValueError):
        for block in blocks:
            replies.feed(block)


def test_an_error_between_messages_comes_in_its_place():
    frames, others = read([b"-NOPERM no\r\n" + pack(b"pmessage", b"MOL*", b"MOL.INFO", b"{}")])
    assert frames == [(b"MOL.INFO", b"{}")]
    assert isinstance(others[0], hiredis.ReplyError)


def test_a_packet_larger_than_all_buffers_arrives_whole():
    body = bytes(range(256)) * 40_000
    data = pack(b"pmessage", b"MOL*", b"MOL.RES.a", body)
    assert read([data[i : i + (1 << 18)] for i in range(0, len(data), 1 << 18)])[0] == [(b"MOL.RES.a", body)]


@pytest.mark.parametrize("data", [b"\x15\x03\x03\x00\x02", b"HTTP/1.1 400 Bad Request\r\n", b"%1\r\n*0\r\n+a\r\n"])
def test_another_protocol_is_told_apart(data):
    with pytest.raises(ValueError, match=r"Protocol error|unhashable"):
        read([data])


def test_a_command_is_packed_as_the_server_reads_it():
    assert pack(b"PUBLISH", b"MOL.INFO", b"") == b"*3\r\n$7\r\nPUBLISH\r\n$8\r\nMOL.INFO\r\n$0\r\n\r\n"
