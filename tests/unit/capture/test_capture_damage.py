import errno
import os
from pathlib import Path

import pytest

from broker.capture import segment
from broker.capture.reader import CaptureReader, NotACaptureError, read
from broker.capture.repair import repair
from broker.capture.writer import CaptureWriter
from broker.clock import SECOND
from broker.protocol.frame import RawFrame

REQ = b"MOL.REQ.node-1"


def capture(path: Path, chunks: int = 5) -> list[RawFrame]:
    writer = CaptureWriter.file(path)
    frames = [(REQ, b'{"n":%d}' % n) for n in range(chunks * 3)]
    for chunk in range(chunks):
        writer.write(chunk * SECOND, frames[chunk * 3 : chunk * 3 + 3])
    writer.close()
    return frames


def test_a_file_cut_anywhere_gives_all_whole_chunks_and_says_where_it_stops(tmp_path: Path) -> None:
    frames = capture(tmp_path / "whole.mcap")
    data = (tmp_path / "whole.mcap").read_bytes()
    cut = tmp_path / "cut.mcap"
    seen = set()
    for size in range(len(segment.MAGIC), len(data)):
        cut.write_bytes(data[:size])
        reader = CaptureReader(cut)
        found = [frame for group in reader.groups() for frame in group.frames]
        assert found == frames[: len(found)]
        assert len(found) % 3 == 0
        assert not reader.stopped or f"the {len(found):,} frames before it were read" in reader.stopped
        seen.add(len(found))
    assert seen == {0, 3, 6, 9, 12, 15}


def test_a_damaged_chunk_ends_reading_with_a_message(tmp_path: Path) -> None:
    capture(tmp_path / "a.mcap")
    data = bytearray((tmp_path / "a.mcap").read_bytes())
    reader = CaptureReader(tmp_path / "a.mcap")
    list(reader.groups())
    data[reader.chunks.places[3] + 70] ^= 0xFF
    (tmp_path / "b.mcap").write_bytes(data)
    reader = CaptureReader(tmp_path / "b.mcap")
    assert sum(len(group.frames) for group in reader.groups()) == 9
    assert "b.mcap stops at a damaged record" in reader.stopped
    assert "the 9 frames before it were read" in reader.stopped


def test_a_cut_file_is_repaired_into_a_new_one(tmp_path: Path) -> None:
    frames = capture(tmp_path / "a.mcap")
    data = (tmp_path / "a.mcap").read_bytes()
    reader = CaptureReader(tmp_path / "a.mcap")
    list(reader.groups())
    (tmp_path / "cut.mcap").write_bytes(data[: reader.chunks.places[4] + 10])
    repaired = repair(tmp_path / "cut.mcap", tmp_path / "new.mcap")
    assert (repaired.frames, repaired.left_out_bytes) == (12, 10)
    again = CaptureReader(tmp_path / "new.mcap")
    assert [frame for group in again.groups() for frame in group.frames] == frames[:12]
    assert again.stopped == ""
    with pytest.raises(FileExistsError):
        repair(tmp_path / "cut.mcap", tmp_path / "new.mcap")


def test_what_is_no_capture_leaves_no_new_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"once upon a time")
    with pytest.raises(NotACaptureError, match=r"a.txt is no capture"):
        repair(tmp_path / "a.txt", tmp_path / "new.mcap")
    assert not (tmp_path / "new.mcap").exists()


class FullDisk:
    """Lets so many bytes through to the real disk, then says that it is full until it is freed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
        self.room = room
        self._write = os.write
        monkeypatch.setattr(segment.os, "write", self.write)

    def write(self, descriptor: int, data: bytes) -> int:
        if self.room <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        part = bytes(data)[: self.room]
        self.room -= len(part)
        return self._write(descriptor, part)


def test_a_full_disk_is_told_once_and_costs_bodies_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    disk = FullDisk(monkeypatch, 30_000)
    writer = CaptureWriter.file(tmp_path / "a.mcap", on_trouble=told.append)
    bodies = [os.urandom(9_000) for _ in range(12)]
    numbers = []
    for step, body in enumerate(bodies):
        if step == 9:
            disk.room = 10_000_000
        numbers += writer.write(step * SECOND, [(REQ, body)])
        writer.flush()
        writer._disk.catch_up(0)
    kept = [writer.body(number) for number in numbers]
    assert kept == [*bodies[:3], *[None] * 6, *bodies[9:]]
    assert len(told) == 2
    assert "No space left on device" in told[0]
    assert "Listening goes on" in told[0]
    assert told[1] == writer.trouble == ""
    assert writer.lost_frames == 6
    writer.close()
    frames = list(read(tmp_path / "a.mcap"))
    assert [frame.body for frame in frames if frame.channel == REQ] == [*bodies[:3], *bodies[9:]]
    lost = [frame.body for frame in frames if frame.channel == b"@gap"]
    assert lost == [b'{"phase": "lost", "packets": 6, "reason": "the capture could not be written"}']


def test_a_ring_gives_up_its_oldest_segment_for_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = FullDisk(monkeypatch, 10_000_000)
    writer = CaptureWriter.ring(tmp_path, segment_bytes=50_000, ring_bytes=5_000_000)
    for step in range(9):
        first_of_all = writer.write(step * SECOND, [(REQ, os.urandom(40_000))])[0] if step == 0 else 0
        writer.write(step * SECOND, [(REQ, os.urandom(40_000))])
        writer.flush()
        writer._disk.catch_up(0)
    before = writer.kept_bytes
    disk.room = 0
    writer.write(20 * SECOND, [(REQ, os.urandom(40_000))])
    writer.flush()
    writer._disk.catch_up(0)
    assert writer.kept_bytes < before
    assert writer.body(first_of_all) is None
    assert writer.trouble
    writer.close(keep=False)
