"""A journal that came with its capture is looked at once; afterwards it is known by its bytes, and by nothing else."""

import os
import zlib
from contextlib import closing, suppress
from pathlib import Path

import pytest

from broker.capture.journal import UnusableJournalError, whole
from broker.capture.journal.attachment import find
from broker.capture.journal.block import Parts
from broker.capture.journal.file import PackedBlock
from broker.capture.journal.kept import kept_journal
from broker.capture.journal.shelf import JournalShelf
from broker.capture.journal.verdicts import Verdicts
from broker.capture.journal.whole import look
from broker.mesh.summary import summary
from broker.mesh.timeline import Timeline
from broker.probe.keeping import store_journal
from broker.probe.offline import load
from tests.unit.capture.test_kept_journal import record, shelf


class _Looks:
    """Sees the blocks that are unpacked to be looked at."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._blocks: list[PackedBlock] = []
        parts = PackedBlock.parts

        def seen(block: PackedBlock) -> Parts:
            self._blocks.append(block)
            return parts(block)

        patch.setattr(PackedBlock, "parts", seen)

    def at(self, path: Path, journals: JournalShelf) -> int:
        """How many are while all of the journal in a capture is looked at.

        Raises:
            UnusableJournalError: It is not whole.
        """
        self._blocks.clear()
        journal = kept_journal(path, "", None)
        if journal is None:
            raise UnusableJournalError("it is of another version")
        with closing(journal):
            for _ in look(journal, journals):
                pass
        return len(self._blocks)

    @property
    def count(self) -> int:
        return len(self._blocks)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> _Looks:
    return _Looks(monkeypatch)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "a.mcap"
    record(path)
    assert store_journal(path)
    return path


def told(path: Path, journals: JournalShelf) -> str:
    """What opening a capture tells, from its journal."""
    timeline = Timeline()
    reader = load(path, timeline.take, shelf=journals)
    assert reader.is_from_journal
    assert reader.message == ""
    snapshot = timeline.snapshot()
    return str((summary(snapshot, snapshot.everything()), snapshot.tally))


def test_the_second_time_its_bytes_are_enough(tmp_path: Path, recording: Path, looks: _Looks) -> None:
    before = recording.read_bytes()
    first = told(recording, shelf(tmp_path))
    assert looks.count == 1
    assert told(recording, shelf(tmp_path)) == first
    assert looks.count == 1
    assert recording.read_bytes() == before


def test_a_verdict_is_a_small_file_for_the_eyes_of_its_owner(tmp_path: Path, recording: Path, looks: _Looks) -> None:
    looks.at(recording, shelf(tmp_path))
    [verdict] = (tmp_path / "journals").iterdir()
    assert verdict.stat().st_size == 32
    assert verdict.stat().st_mode & 0o777 == 0o600
    assert verdict.parent.stat().st_mode & 0o777 == 0o700


def test_a_copy_under_another_name_is_known_too(tmp_path: Path, recording: Path, looks: _Looks) -> None:
    looks.at(recording, shelf(tmp_path))
    assert looks.at(recording.rename(tmp_path / "b.mcap"), shelf(tmp_path)) == 0


def test_any_byte_that_changed_since_is_found_as_if_there_were_no_verdict(
    tmp_path: Path, recording: Path, looks: _Looks
) -> None:
    looks.at(recording, shelf(tmp_path))
    status, sound = recording.stat(), recording.read_bytes()
    with recording.open("rb") as file:
        region = find(file)
    assert region is not None
    for at in range(region.begin, region.begin + region.size, 13):
        data = bytearray(sound)
        data[at] ^= 4
        recording.write_bytes(data)
        os.utime(recording, ns=(status.st_atime_ns, status.st_mtime_ns))  # the time of change proves nothing
        with pytest.raises(UnusableJournalError):
            looks.at(recording, shelf(tmp_path))
    recording.write_bytes(sound)
    assert looks.at(recording, shelf(tmp_path)) == 0


def test_a_changed_block_whose_checksum_fits_is_looked_at_again(tmp_path: Path, recording: Path, looks: _Looks) -> None:
    looks.at(recording, shelf(tmp_path))
    journal = kept_journal(recording, "", None)
    assert journal is not None
    with closing(journal), recording.open("rb") as file:
        [block] = journal.packed_blocks()
        region = find(file)
        assert region is not None
        begin = region.begin + journal.index.blocks[0].offset
    changed = bytearray(block.packed)
    middle = len(changed) // 2
    # the polynomial of CRC-32, lowest bit first: whatever it is added to has the checksum that it had
    for at, byte in enumerate((0x41, 0x06, 0x71, 0xDB, 0x01)):
        changed[middle + at] ^= byte
    assert zlib.crc32(changed) == block.checksum
    assert changed != block.packed
    data = bytearray(recording.read_bytes())
    data[begin : begin + len(changed)] = changed
    recording.write_bytes(data)
    with suppress(UnusableJournalError):  # most of what is changed in zstd cannot be unpacked
        looks.at(recording, shelf(tmp_path))
    assert looks.count == 1


def test_a_verdict_of_other_rules_or_of_another_version_is_none(
    tmp_path: Path, recording: Path, looks: _Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setattr(whole, "RULES", 0)
        assert looks.at(recording, shelf(tmp_path)) == 1
    with monkeypatch.context() as older:
        older.setattr(whole, "program_version", lambda: "0.0.1")
        assert looks.at(recording, shelf(tmp_path)) == 1
    assert looks.at(recording, shelf(tmp_path)) == 1
    assert looks.at(recording, shelf(tmp_path)) == 0


def test_a_journal_that_is_refused_gets_no_verdict(tmp_path: Path, recording: Path, looks: _Looks) -> None:
    data = bytearray(recording.read_bytes())
    with recording.open("rb") as file:
        region = find(file)
    assert region is not None
    data[region.begin + region.size // 2] ^= 4
    recording.write_bytes(data)
    for _ in range(2):
        with pytest.raises(UnusableJournalError, match="checksum"):
            looks.at(recording, shelf(tmp_path))
    assert not (tmp_path / "journals").exists()


def test_one_that_was_left_half_way_gets_no_verdict(tmp_path: Path, recording: Path) -> None:
    journal = kept_journal(recording, "", None)
    assert journal is not None
    with closing(journal):
        next(look(journal, shelf(tmp_path)))  # its only block, and not the end
    assert not (tmp_path / "journals").exists()


@pytest.mark.parametrize("torn", [b"", b"\0" * 32, b"x" * 5_000], ids=["empty", "of nothing", "long"])
def test_a_verdict_that_is_damaged_is_none_and_is_made_anew(
    tmp_path: Path, recording: Path, looks: _Looks, torn: bytes
) -> None:
    looks.at(recording, shelf(tmp_path))
    [verdict] = (tmp_path / "journals").iterdir()
    verdict.write_bytes(torn)
    assert looks.at(recording, shelf(tmp_path)) == 1
    assert looks.at(recording, shelf(tmp_path)) == 0


def test_where_no_verdict_can_be_kept_everything_is_looked_at_each_time(
    tmp_path: Path, recording: Path, looks: _Looks
) -> None:
    (tmp_path / "file").write_bytes(b"")
    nowhere = JournalShelf(tmp_path / "file" / "journals", least_frames=0)
    assert [looks.at(recording, nowhere) for _ in range(2)] == [1, 1]
    occupied = shelf(tmp_path)
    looks.at(recording, occupied)
    [verdict] = (tmp_path / "journals").iterdir()
    verdict.unlink()
    verdict.mkdir()  # neither read nor written, whoever asks
    assert [looks.at(recording, occupied) for _ in range(2)] == [1, 1]


def test_a_disk_that_is_full_costs_the_verdict_only(
    tmp_path: Path, recording: Path, looks: _Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", full)
        assert [looks.at(recording, shelf(tmp_path)) for _ in range(2)] == [1, 1]
    assert [looks.at(recording, shelf(tmp_path)) for _ in range(2)] == [1, 0]


def test_small_recordings_are_just_looked_at(tmp_path: Path, recording: Path, looks: _Looks) -> None:
    usual = JournalShelf(tmp_path / "journals")
    assert [looks.at(recording, usual) for _ in range(2)] == [1, 1]
    assert not (tmp_path / "journals").exists()


def test_a_recording_of_ours_is_looked_at_when_its_journal_is_stored(tmp_path: Path, looks: _Looks) -> None:
    path = tmp_path / "a.mcap"
    record(path)
    assert store_journal(path, shelf=shelf(tmp_path))
    assert looks.count == 1
    assert looks.at(path, shelf(tmp_path)) == 0


def test_verdicts_that_were_not_used_for_longest_make_room(tmp_path: Path) -> None:
    verdicts = Verdicts(tmp_path, most=3)
    (tmp_path / "other.journal").write_bytes(b"x")
    for age, name in enumerate("abc"):
        verdicts.remember(name, name.encode())
        os.utime(tmp_path / f"{name}.whole", ns=(age, age))
    assert verdicts.digest("a") == b"a"  # used just now
    verdicts.remember("d", b"d")
    assert [verdicts.digest(name) for name in "abcd"] == [b"a", b"", b"c", b"d"]
    assert (tmp_path / "other.journal").exists()


def test_journals_and_verdicts_do_not_push_each_other_out(tmp_path: Path, recording: Path, looks: _Looks) -> None:
    small = JournalShelf(tmp_path / "journals", least_frames=0, most_bytes=1)
    looks.at(recording, small)
    for name in "bc":
        record(tmp_path / f"{name}.mcap")
        load(tmp_path / f"{name}.mcap", lambda _: None, shelf=small)
    assert looks.at(recording, small) == 0
