"""What is compiled gives the same as its twin. Without a compiler both are the twin."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.capture.chunk import index, index_slowly
from broker.capture.messages import (
    MESSAGE,
    MESSAGE_OPCODE,
    FrameGroup,
    append_frames,
    append_frames_slowly,
    append_message,
    split_messages,
    split_messages_slowly,
)
from broker.capture.search import all_below, all_below_slowly, places_of, places_of_slowly
from broker.capture.secret_names import DEFAULT_NAMES, SecretNames
from broker.capture.writer import CHUNK_BYTES, CHUNK_NS, CaptureWriter
from broker.protocol.frame import RawFrame

CHANNELS = [b"MOL.REQ.a", b"MOL.RES.a", b"", b"@gap", b"\xff"]
channels = st.sampled_from(CHANNELS)
frames = st.lists(st.tuples(channels, st.binary(max_size=40)), max_size=12)


@given(
    st.lists(frames | frames.map(tuple), max_size=4),
    st.dictionaries(channels, st.integers(1, 65_535)),
    st.integers(0, 3),
    st.lists(st.integers(0, 2**63) | st.integers(0, 3), min_size=12, max_size=12).map(sorted),
    st.integers(0, 2**63),
    st.integers(0, 400),
    st.integers(0, 2**63) | st.integers(0, 3),
)
def test_frames_are_written_as_the_twin_writes_them(
    feeds: list[list[RawFrame]],
    ids: dict[bytes, int],
    first: int,
    moments: list[int],
    base: int,
    full: int,
    until_ns: int,
) -> None:
    told = []
    for write in (append_frames, append_frames_slowly):
        raw, offsets = bytearray(), bytearray()
        numbers = [
            write(raw, offsets, ids, feed, min(first, len(feed)), moments, base, full, until_ns) for feed in feeds
        ]
        told.append((raw, offsets, numbers))
    assert told[0] == told[1]


pauses = st.sampled_from([0, 1, CHUNK_NS // 3, CHUNK_NS - 1, CHUNK_NS])
pieces = st.lists(st.tuples(pauses, frames.filter(bool)), max_size=12)


@settings(max_examples=40)
@given(st.lists(pieces, max_size=3), st.sampled_from([90, 400, CHUNK_BYTES]))
def test_a_run_is_written_as_its_frames_are_moment_by_moment(
    runs: list[list[tuple[int, list[RawFrame]]]], chunk_bytes: int
) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("broker.capture.writer.CHUNK_BYTES", chunk_bytes)
        ours, theirs = (CaptureWriter.file(Path(folder, name)) for name in ("ours", "theirs"))
        now_ns = 0
        for run in runs:
            moments: list[int] = []
            all_of_it: list[RawFrame] = []
            numbers: list[int] = []
            for pause_ns, some in run:
                now_ns += pause_ns
                moments += [now_ns] * len(some)
                all_of_it += some
                numbers += theirs.write(now_ns, some)
            assert ours.write_run(moments, all_of_it) == numbers
            for writer in (ours, theirs):
                writer.tick(now_ns)
        for writer in (ours, theirs):
            writer.close()
        assert Path(folder, "ours").read_bytes() == Path(folder, "theirs").read_bytes()
        assert ours.frames == theirs.frames == sum(len(some) for run in runs for _, some in run)


NAMES = [*DEFAULT_NAMES, "abc", "x=y=z", 'say "hi"']
keys = st.sampled_from(["password", "userPassword", "PWD", "cvv", "apiKeys", "card-number", "keyword", "id", "é", ""])
keys |= st.sampled_from(NAMES) | st.text(max_size=12)
marks = st.sampled_from(['"', '":', '":{"', '" :', '"\\n: ', '\\":', '\\\\\\":', "://", ":/", "=", "&", ":", " "])
blanks = st.integers(1, 40).map(lambda count: " " * count)
slashes = st.integers(1, 20).map(lambda count: "\\" * count)
runs = st.lists(keys | marks | blanks | slashes, max_size=60).map(lambda parts: "".join(parts).encode())


@given(runs | st.binary(max_size=300), st.integers(65, 200))
def test_keys_are_suspected_as_the_twin_suspects_them(run: bytes, block: int) -> None:
    secrets, octets = SecretNames(NAMES), np.frombuffer(run, np.uint8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("broker.capture.secret_names._KEYS_BLOCK", block)
        expected = secrets.suspect_keys_slowly(octets).tolist()
    assert secrets.suspect_keys_slowly(octets).tolist() == expected  # where blocks are cut changes nothing
    assert secrets.suspect_keys(octets).tolist() == expected


@given(st.binary(max_size=200) | st.text("ab", max_size=200).map(str.encode), st.text("ab", min_size=1, max_size=4))
def test_some_bytes_are_found_where_the_twin_finds_them(text: bytes, wanted: str) -> None:
    for looked_for in (wanted.encode(), text[3:6] or b"x"):
        assert places_of(bytearray(text), looked_for) == places_of_slowly(bytearray(text), looked_for)


messages = st.lists(
    st.tuples(st.integers(0, 65_535) | st.integers(0, 3), st.integers(0, 2**63), st.binary(max_size=9)), min_size=1
)


@given(messages)
def test_chunks_are_indexed_as_the_twin_does(told: list[tuple[int, int, bytes]]) -> None:
    raw, offsets = bytearray(), bytearray()
    for channel, at_ns, body in told:
        append_message(raw, offsets, channel, at_ns, body)
    places = np.frombuffer(offsets, np.int64)
    assert index(raw, places) == index_slowly(raw, places)


@given(st.binary(min_size=1, max_size=99), st.lists(st.integers(0, 98)), st.integers(0, 40), st.integers(0, 256))
def test_bytes_below_a_limit_are_told_as_the_twin_does(
    octets: bytes, offsets: list[int], ahead: int, limit: int
) -> None:
    told = np.frombuffer(octets, np.uint8), np.array(offsets, np.int64), ahead, limit
    assert all_below(*told) is all_below_slowly(*told)


records = st.builds(
    lambda opcode, length, channel, at_ns, body: MESSAGE.pack(opcode, length, channel, 0, at_ns, at_ns) + body,
    st.just(MESSAGE_OPCODE) | st.integers(0, 255),
    st.integers(20, 30) | st.integers(0, 2**64 - 1),
    st.integers(0, 4),
    st.integers(0, 5) | st.integers(0, 2**64 - 1),
    st.binary(max_size=8),
)
ordinary = st.tuples(st.integers(0, 3), st.integers(0, 3), st.binary(max_size=9)).map(
    lambda told: MESSAGE.pack(MESSAGE_OPCODE, 22 + len(told[2]), told[0], 0, told[1], told[1]) + told[2]
)


@given(
    st.lists(ordinary | ordinary | ordinary | records | st.binary(max_size=9), max_size=12).map(b"".join),
    st.integers(0, 9),
    st.dictionaries(st.integers(0, 4), st.binary(max_size=3) | st.none()),
    st.integers(0, 2**60),
    st.integers(0, 99),
    st.integers(0, 9),
    st.integers(0, 3),
)
def test_chunks_are_split_as_the_twin_splits_them(
    raw: bytes, at: int, names: dict[int, bytes | None], base: int, most_offset: int, most: int, last_ns: int
) -> None:
    told = raw, at, names, base, most_offset, most, last_ns, FrameGroup
    assert split_messages(*told) == split_messages_slowly(*told)
