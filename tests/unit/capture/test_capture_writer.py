import os
import time
from pathlib import Path

import mcap.reader
from mcap.stream_reader import StreamReader

from broker.capture.masking import Masking
from broker.capture.reader import CaptureReader, read
from broker.capture.writer import CHUNK_BYTES, CaptureWriter
from broker.clock import SECOND
from broker.protocol.frame import Frame

REQ = b"MOL.REQ.node-1"
RES = b"MOL-odd\xff.RES.node-2"


def settle(writer: CaptureWriter, but: int = 0) -> None:
    """Wait until the disk's thread has no more than so many chunks to write."""
    writer.tick(0)
    deadline_s = time.monotonic() + 5
    while writer.waiting_chunks > but:
        assert time.monotonic() < deadline_s
        time.sleep(0.001)


def test_what_was_written_is_read_in_order(tmp_path: Path) -> None:
    writer = CaptureWriter.file(tmp_path / "a.mcap")
    numbers = writer.write(5 * SECOND, [(REQ, b'{"a":1}'), (RES, b"\x81\xa1a\x01")])
    numbers += writer.write(6 * SECOND, [(REQ, b""), (b"@gap", b"{}")])
    writer.close()
    assert list(read(tmp_path / "a.mcap")) == [
        Frame(5 * SECOND, REQ, b'{"a":1}'),
        Frame(5 * SECOND, RES, b"\x81\xa1a\x01"),
        Frame(6 * SECOND, REQ, b""),
        Frame(6 * SECOND, b"@gap", b"{}"),
    ]
    reader = CaptureReader(tmp_path / "a.mcap")
    groups = list(reader.groups())
    assert [number for group in groups for number in group.numbers] == numbers
    assert [reader.body(number) for number in numbers] == [b'{"a":1}', b"\x81\xa1a\x01", b"", b"{}"]
    assert reader.stopped == ""


def test_chunks_of_a_run_are_cut_by_time(tmp_path: Path) -> None:
    half = SECOND // 2
    writer = CaptureWriter.file(tmp_path / "a.mcap")
    assert len(writer.write_run([0, 1, half - 1, half, half + 5, 3 * half], [(REQ, b"{}")] * 6)) == 6
    writer.close()
    with (tmp_path / "a.mcap").open("rb") as file:
        summary = mcap.reader.make_reader(file).get_summary()
    assert summary is not None
    assert [(chunk.message_start_time, chunk.message_end_time) for chunk in summary.chunk_indexes] == [
        (0, half - 1),
        (half, half + 5),
        (3 * half, 3 * half),
    ]


def test_a_chunk_that_gets_full_ends_with_its_last_message(tmp_path: Path) -> None:
    writer = CaptureWriter.file(tmp_path / "a.mcap")
    writer.write_run([0, 1, 2, 3], [(REQ, b"{}")] + [(REQ, bytes(CHUNK_BYTES // 2))] * 3)
    writer.close()
    with (tmp_path / "a.mcap").open("rb") as file:
        summary = mcap.reader.make_reader(file).get_summary()
    assert summary is not None
    ends = [(chunk.message_start_time, chunk.message_end_time) for chunk in summary.chunk_indexes]
    assert ends == [(0, 2), (3, 3)]


def test_other_tools_open_a_closed_file(tmp_path: Path) -> None:
    writer = CaptureWriter.file(tmp_path / "a.mcap")
    for second in range(4):
        writer.write(second * SECOND, [(REQ, b'{"a":%d}' % second), (b"MOL.RES.x", b"{}")])
    writer.close()
    with (tmp_path / "a.mcap").open("rb") as file:
        reader = mcap.reader.make_reader(file, validate_crcs=True)
        summary = reader.get_summary()
        assert summary is not None
        assert summary.statistics is not None
        assert summary.statistics.message_count == 8
        assert len(summary.chunk_indexes) == 4
        assert [message.data for _, _, message in reader.iter_messages(topics=["MOL.REQ.node-1"])] == [
            b'{"a":%d}' % second for second in range(4)
        ]
    with (tmp_path / "a.mcap").open("rb") as file:
        assert sum(1 for _ in StreamReader(file, validate_crcs=True).records) > 8


def test_a_body_is_found_wherever_it_is(tmp_path: Path) -> None:
    writer = CaptureWriter.ring(tmp_path, segment_bytes=20_000, ring_bytes=10_000_000)
    kept = {}
    for step in range(40):
        bodies = [b"%d" % n + os.urandom(2_000) for n in range(3)]
        numbers = writer.write(step * SECOND // 10, [(REQ, body) for body in bodies])
        kept.update(zip(numbers, bodies, strict=True))
        settle(writer, but=3)
    assert {number: writer.body(number) for number in kept} == kept
    assert len({number >> 40 for number in kept}) > 1
    writer.close(keep=False)
    assert list(tmp_path.iterdir()) == []


def test_a_ring_keeps_to_its_size_and_says_not_kept_of_what_is_gone(tmp_path: Path) -> None:
    writer = CaptureWriter.ring(tmp_path, segment_bytes=100_000, ring_bytes=400_000, masking=Masking("everything"))
    first = writer.write(0, [(REQ, b"{}")])[0]
    for step in range(60):
        writer.write(step * SECOND, [(REQ, os.urandom(40_000))])
        settle(writer)
    last = writer.write(60 * SECOND, [(REQ, b'{"last":1}')])[0]
    assert writer.body(first) is None
    assert writer.body(last) == b'{"last":1}'
    assert writer.kept_bytes <= 500_000
    assert (next(tmp_path.iterdir()).stat().st_mode & 0o777) == 0o700
    writer.close(keep=False)


def test_more_channels_than_numbers_are_kept_in_envelopes(tmp_path: Path) -> None:
    writer = CaptureWriter.file(tmp_path / "a.mcap")
    names = [b"MOL.REQ.%d" % n for n in range(66_000)]
    numbers = writer.write(0, [(name, b"{}") for name in names])
    assert writer.body(numbers[-1]) == b"{}"
    writer.close()
    assert [frame.channel for frame in read(tmp_path / "a.mcap")] == names
