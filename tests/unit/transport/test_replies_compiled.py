"""Messages split in C are those that hiredis gives, whatever comes and however it was cut."""

from __future__ import annotations

import tracemalloc
from collections import deque
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.protocol.frame import RawFrame
from broker.transport.redis.reading import Arrived
from broker.transport.redis.replies import MOST_LINES, SLICE_BYTES, Replies, pack

pytestmark = pytest.mark.usefixtures("compiled_module")

NAMES = st.one_of(st.sampled_from([b"MOL.INFO", b"MOL.REQ.node-1", b"", b"\r\n"]), st.binary(max_size=300))
BODIES = st.one_of(
    st.binary(max_size=300),
    st.tuples(st.sampled_from([b"\n", b"+PONG\r\n", b"\r\n$*", b"{}"]), st.integers(0, 40_000)).map(
        lambda t: t[0] * t[1]
    ),
)
MESSAGES = st.one_of(
    st.builds(pack, st.just(b"pmessage"), NAMES, NAMES, BODIES), st.builds(pack, st.just(b"message"), NAMES, BODIES)
)
OTHERS = st.sampled_from(
    [
        b"+PONG\r\n", b":3\r\n", b":0\r\n:1\r\n", b":03\r\n", b":-3\r\n", b":9999999999\r\n", b":\r\n",
        b"$-1\r\n", b"*0\r\n", b"*-1\r\n", b"-ERR no\r\n", pack(b"pong", b""), b"$0\r\n\r\n",
        b"*3\r\n$10\r\npsubscribe\r\n$4\r\nMOL*\r\n:1\r\n", pack(b"message", b"a"), pack(b"message", b"a", b"b", b"c"),
        pack(b"smessage", b"a", b"b"), pack(b"pmessage", b"a", b"b"), b"*4\r\n:1\r\n:2\r\n:3\r\n*1\r\n+a\r\n",
        b"*3\r\n+message\r\n$1\r\na\r\n$1\r\nb\r\n", b"*3\r\n$7\r\nmessage\r\n$-1\r\n:7\r\n",
        b"*4\r\n$8\r\npmessage\r\n$1\r\np\r\n$1\r\nc\r\n$-1\r\n", b"*3\r\n$7\r\nmessage\r\n*0\r\n$1\r\nb\r\n",
        b"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$01\r\nb\r\n", b"*3\r\n$7\r\nmessage\r\n$00\r\n\r\n$1\r\nb\r\n",
        b"*3\r\n$7\r\nmessage??$1\r\na??$2\r\nbb??", b"$3\r\nabc??", b"#f\r\n", b"#t\r\n", b"_\r\n", b",1.5\r\n",
        b"(123456789012345678901234567890\r\n", b"=5\r\ntxt:a\r\n", b"%1\r\n+a\r\n:1\r\n", b"~2\r\n:1\r\n:2\r\n",
        b"|1\r\n+a\r\n+b\r\n",
        b">" + pack(b"pmessage", b"p", b"c", b"b")[1:], b">" + pack(b"message", b"c", b"b")[1:],
        pack(*[b"\n" * 9] * 2 * MOST_LINES), b"%1\r\n*0\r\n+a\r\n",
    ]
)  # fmt: skip
STREAMS = st.lists(st.one_of(MESSAGES, OTHERS), max_size=12)
CUTS = st.lists(st.integers(0, 1_000_000), max_size=20)
CHANGES = st.lists(
    st.tuples(
        st.integers(0, 1_000_000),
        st.integers(0, 3),
        st.sampled_from([b"", b"0", b"9", b"-", b"\r", b"\n", b"*", b"@", b"\0"]),
    ),
    min_size=1,
    max_size=3,
)


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(each % (len(data) + 1) for each in cuts)})
    return [data[begin:end] for begin, end in pairwise(edges)]


def changed(data: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    """The bytes with some of them left out, and others in their place."""
    for place, left_out, instead in changes:
        begin = place % (len(data) + 1)
        data = data[:begin] + instead + data[begin + left_out :]
    return data


def story_of_pieces(pieces: list[Arrived], *, in_runs: bool, again_every: int) -> tuple[list[Any], int]:
    """All that pieces give, in its order, or why they could not be read; and how much had piled up at the end.

    Args:
        pieces: What arrived.
        in_runs: Whether they are taken in as runs.
        again_every: Whoever takes so many messages lets more be taken in, if there is more.
    """
    told: list[Any] = []
    left = deque(pieces)
    replies = Replies(lambda reply: told.append(repr(reply)), is_compiled=True)

    def take(at_ns: int, frames: list[RawFrame]) -> None:
        told.extend((at_ns, frame) for frame in frames)
        if len(frames) % again_every == 0:
            arrived()

    def take_run(moments: list[int], frames: list[RawFrame]) -> None:
        assert len(moments) == len(frames)
        told.extend(zip(moments, frames, strict=True))
        if len(frames) % again_every == 0:
            arrived()

    def rest() -> Iterator[Arrived]:
        while left:
            yield left.popleft()

    def arrived() -> None:
        each = rest()
        if not in_runs:
            for piece in each:
                if frames := replies.feed_piece(piece):
                    take(piece[0], frames)
            return
        while (run := replies.feed_run(each)) is not None:
            if run[1]:
                take_run(*run)

    try:
        arrived()
    except ValueError as error:
        told.append(str(error))
    return told, replies.behind_bytes


WAITS = st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=9)


@given(STREAMS, CUTS, WAITS, CHANGES | st.just([]), st.integers(1, 3))
def test_runs_hold_what_their_pieces_hold(
    parts: list[bytes],
    cuts: list[int],
    waits: list[tuple[int, bool]],
    changes: list[tuple[int, int, bytes]],
    again_every: int,
) -> None:
    at_ns, pieces = 0, list[Arrived]()
    for place, block in enumerate(cut(changed(b"".join(parts), changes), cuts)):
        pause_ns, has_waited = waits[place % len(waits)]
        at_ns += pause_ns
        pieces.append((at_ns, block, has_waited))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("broker.transport.redis.replies.RUN_BYTES", 2_000)
        ours = story_of_pieces(pieces, in_runs=True, again_every=again_every)
    assert ours == story_of_pieces(pieces, in_runs=False, again_every=again_every)


def test_moments_of_a_run_never_fall() -> None:
    one = pack(b"message", b"c", b"b")
    replies = Replies(lambda _reply: None, is_compiled=True)
    pieces: list[Arrived] = [(5, one, False), (3, one + one, False), (9, b"", False), (4, one[:9], True)]
    run = replies.feed_run(iter([*pieces, (6, one[9:], True)]))
    assert run == ([5, 5, 5, 6], [(b"c", b"b")] * 4)
    assert replies.behind_bytes == len(one)


def story(blocks: list[bytes], *, is_compiled: bool) -> list[tuple[str, str]]:
    """What each block gives: the frames or the error, and all else that came until then."""
    others: list[Any] = []
    replies = Replies(others.append, is_compiled=is_compiled)
    told: list[tuple[str, str]] = []
    for block in blocks:
        try:
            told.append((repr(replies.feed(block)), repr(others)))
        except ValueError as error:
            told.append((str(error), repr(others)))
    return told


def same(blocks: list[bytes]) -> None:
    assert story(blocks, is_compiled=True) == story(blocks, is_compiled=False)


@given(STREAMS, CUTS)
def test_each_block_gives_what_it_gives_with_hiredis(stream, cuts):
    same(cut(b"".join(stream), cuts))


@given(STREAMS)
def test_each_byte_gives_what_it_gives_with_hiredis(stream):
    data = b"".join(stream)[:3_000]
    same([data[place : place + 1] for place in range(len(data))])


@given(STREAMS, CUTS)
def test_blocks_may_be_bytearrays_as_on_windows(stream, cuts):
    blocks = cut(b"".join(stream), cuts)
    assert story([bytearray(block) for block in blocks], is_compiled=True) == story(blocks, is_compiled=True)


@given(STREAMS, CHANGES, CUTS)
def test_what_came_broken_gives_what_it_gives_with_hiredis(stream, changes, cuts):
    same(cut(changed(b"".join(stream), changes), cuts))


@given(
    st.sampled_from([pack(b"pmessage", b"MOL*", b"MOL.INFO", b"{}"), pack(b"message", b"MOL.INFO", b"[]" * 200)]),
    CHANGES,
)
def test_a_broken_message_is_noticed_at_the_byte_where_hiredis_notices_it(message, changes):
    data = message + changed(message, changes) + message
    same([data[place : place + 1] for place in range(len(data))])


@pytest.mark.parametrize("size", [SLICE_BYTES, 1 << 16, (1 << 16) + 1, 3_000_000])
@pytest.mark.parametrize("step", [700, 1 << 14, 100_000])
def test_long_names_and_bodies_give_what_they_give_with_hiredis(size, step):
    data = pack(b"message", b"c" * size, b"b" * size) * 2 + pack(b"pmessage", b"p" * size, b"c", b"b")
    same([data[begin : begin + step] for begin in range(0, len(data), step)])


def test_a_channel_is_the_same_object_each_time():
    replies = Replies(lambda _other: None, is_compiled=True)
    one = pack(b"pmessage", b"MOL*", b"MOL.REQ.node-1", b"{}")
    frames = replies.feed(one * 2) + replies.feed(one[:40]) + replies.feed(one[40:] + one[:55]) + replies.feed(one[55:])
    assert len(frames) == 4
    assert len({id(channel) for channel, _ in frames}) == 1


def test_channels_are_not_kept_for_ever():
    replies = Replies(lambda _other: None, is_compiled=True)
    tracemalloc.start()
    try:
        for number in range(20_000):
            replies.feed(pack(b"message", b"MOL.RES.%0240d" % number, b"{}"))
        assert tracemalloc.get_traced_memory()[0] < 3_000_000  # all of them would be 6 MB
    finally:
        tracemalloc.stop()


def test_who_announces_much_gets_room_as_it_comes():
    replies = Replies(lambda _other: None, is_compiled=True)
    body = b"x" * 100_000
    tracemalloc.start()
    try:
        replies.feed(b"*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$999999999\r\n")
        assert tracemalloc.get_traced_memory()[1] < 200_000
        for _ in range(10):
            replies.feed(body)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()
