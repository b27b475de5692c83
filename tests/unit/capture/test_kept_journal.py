"""A kept journal tells what the frames tell, or nothing."""

import json
import random
import re
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import mcap.reader
import msgspec
import numpy as np
import pytest
import zstandard
from mcap.stream_reader import StreamReader

import broker.observe
from broker.capture.journal import UnusableJournalError
from broker.capture.journal import file as journal_file
from broker.capture.journal.attachment import MEDIA_TYPE, NAME, attach, find
from broker.capture.journal.block import decode, encode, parts
from broker.capture.journal.check import VALUES, JournalCheck
from broker.capture.journal.file import JournalIndex, JournalReader, JournalWriter
from broker.capture.journal.shelf import JournalShelf
from broker.capture.masking import Masking
from broker.capture.reader import CaptureReader, read
from broker.capture.writer import CaptureWriter
from broker.clock import SECOND
from broker.mesh.summary import summary
from broker.mesh.timeline import Timeline
from broker.observe.journal import CALL_COLUMNS, Batch, Name, NameKind, StateChange
from broker.probe.keeping import store_journal
from broker.probe.offline import load
from broker.protocol.encryption import Cipher
from broker.protocol.peeling import Peeling

BEGIN_NS = 1_700_000_000 * SECOND


def _json(channel: str, **fields: Any) -> tuple[bytes, bytes]:
    return channel.encode(), json.dumps({"ver": "5", **fields}).encode()


def record(path: Path, calls: int = 300, *, end: bool = True) -> list[int]:
    """A capture of two nodes that call, fail, emit, wait and go; the numbers of its frames."""
    writer = CaptureWriter.file(path, masking=Masking())
    at_ns, numbers = BEGIN_NS, []
    service = {
        "name": "users",
        "settings": {"apiKey": "abcdef"},
        "actions": {"users.get": {"cache": True}},
        "events": {},
    }
    info = {"sender": "b", "instanceID": "1", "seq": 1, "client": {"type": "nodejs"}, "services": [service]}
    numbers += writer.write(at_ns, [(b"@session", b'{"phase": "begin"}'), _json("MOL.INFO", **info)])
    for call in range(calls):
        at_ns += 20_000_000
        request = {"sender": "a", "id": f"call-{call}", "action": "users.get", "requestID": f"trace-{call // 3}"}
        numbers += writer.write(at_ns, [_json("MOL.REQ.b", **request, timeout=0, params={"n": call})])
        failed = {"success": False, "error": {"name": "E", "code": 500, "type": "T", "message": "no"}}
        answer = failed if call % 7 == 0 else {"success": True, "data": 1}
        if call % 11:
            numbers += writer.write(at_ns + 3_000_000, [_json("MOL.RES.a", sender="b", id=f"call-{call}", **answer)])
        if call % 5 == 0:
            numbers += writer.write(at_ns + 4_000_000, [_json("MOL.EVENT.b", sender="a", event="user.created", data=1)])
        if call % 50 == 0:
            numbers += writer.write(at_ns + 5_000_000, [_json("MOL.HEARTBEAT", sender="b", cpu=call % 100)])
    numbers += writer.write(at_ns + SECOND, [(b"other", b"\xff"), _json("MOL.DISCONNECT", sender="b")])
    if end:
        numbers += writer.write(at_ns + 2 * SECOND, [(b"@session", b'{"phase": "end"}')])
    writer.close()
    return numbers


def shelf(folder: Path) -> JournalShelf:
    return JournalShelf(folder / "journals", least_frames=0)


def seen(path: Path, journals: JournalShelf) -> tuple[Any, CaptureReader]:
    """All that is known after opening a capture."""
    timeline = Timeline()
    reader = load(path, timeline.take, shelf=journals)
    snapshot = timeline.snapshot()
    columns = [
        block.column(name).tobytes()
        for blocks in (snapshot.call_blocks, snapshot.event_blocks)
        for block in blocks
        for name in block._columns
    ]
    kinds = ("node", "service", "breaker", "gap", "session", "clock")
    state = {kind: dict(snapshot.state.of_kind(kind)) for kind in kinds}
    known = summary(snapshot, snapshot.everything()), snapshot.tally, snapshot.waiting, columns, state
    return (known, reader.frames, reader.last_ns, reader.stopped, reader.size), reader


def test_a_recording_opens_from_its_journal_as_from_its_frames(tmp_path: Path) -> None:
    numbers = record(tmp_path / "a.mcap")
    (tmp_path / "b.mcap").write_bytes((tmp_path / "a.mcap").read_bytes())
    assert store_journal(tmp_path / "a.mcap")
    journals = JournalShelf(tmp_path / "none", least_frames=1 << 60)
    again, reader = seen(tmp_path / "a.mcap", journals)
    first, of_frames = seen(tmp_path / "b.mcap", journals)
    assert (reader.is_from_journal, of_frames.is_from_journal) == (True, False)
    assert reader.message == ""
    assert again[0] == first[0]
    assert again[1:4] == first[1:4]
    assert again[1] == len(numbers)
    assert [reader.body(number) for number in numbers] == [frame.body for frame in read(tmp_path / "b.mcap")]
    assert list(read(tmp_path / "a.mcap")) == list(read(tmp_path / "b.mcap"))


def test_other_tools_open_a_recording_with_its_journal(tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    numbers = record(path)
    assert store_journal(path)
    with path.open("rb") as file:
        reader = mcap.reader.make_reader(file, validate_crcs=True)
        found = reader.get_summary()
        assert found is not None
        assert found.statistics is not None
        assert (found.statistics.message_count, found.statistics.attachment_count) == (len(numbers), 1)
        assert [(index.name, index.media_type) for index in found.attachment_indexes] == [(NAME, MEDIA_TYPE)]
        assert sum(1 for _ in reader.iter_messages()) == len(numbers)
        [attachment] = reader.iter_attachments()
        assert attachment.data.startswith(journal_file.MAGIC)
    with path.open("rb") as file:
        records = list(StreamReader(file, validate_crcs=True).records)
    assert sum(type(record).__name__ == "Message" for record in records) == len(numbers)
    assert sum(type(record).__name__ == "Attachment" for record in records) == 1


def test_the_attachment_has_the_checksum_that_mcap_wants(tmp_path: Path) -> None:
    record(tmp_path / "a.mcap")
    store_journal(tmp_path / "a.mcap")
    data = (tmp_path / "a.mcap").read_bytes()
    with (tmp_path / "a.mcap").open("rb") as file:
        region = find(file)
    assert region is not None
    end = region.begin + region.size
    assert zlib.crc32(data[region.place + 9 : end]) == int.from_bytes(data[end : end + 4], "little")


def test_opening_a_capture_never_changes_it_and_is_instant_the_second_time(tmp_path: Path) -> None:
    record(tmp_path / "a.mcap")
    before = (tmp_path / "a.mcap").read_bytes()
    first, of_frames = seen(tmp_path / "a.mcap", shelf(tmp_path))
    again, reader = seen(tmp_path / "a.mcap", shelf(tmp_path))
    assert (of_frames.is_from_journal, reader.is_from_journal) == (False, True)
    assert again == first
    assert (tmp_path / "a.mcap").read_bytes() == before
    assert (tmp_path / "journals").stat().st_mode & 0o777 == 0o700
    [kept] = (tmp_path / "journals").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600


def test_a_capture_that_was_cut_off_says_so_from_its_journal_too(tmp_path: Path) -> None:
    record(tmp_path / "a.mcap")
    cut = tmp_path / "cut.mcap"
    cut.write_bytes((tmp_path / "a.mcap").read_bytes()[:-9_000])
    first, _ = seen(cut, shelf(tmp_path))
    again, reader = seen(cut, shelf(tmp_path))
    assert reader.is_from_journal
    assert again == first
    assert "cut.mcap stops" in reader.message


def test_a_capture_that_changed_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    record(path, 300)
    seen(path, shelf(tmp_path))
    path.unlink()
    numbers = record(path, 200)
    again, reader = seen(path, shelf(tmp_path))
    assert not reader.is_from_journal
    assert reader.message == ""
    assert again[1] == len(numbers)


def test_other_names_to_mask_make_another_journal(tmp_path: Path) -> None:
    record(tmp_path / "a.mcap")
    journals = shelf(tmp_path)
    seen(tmp_path / "a.mcap", journals)
    strict = Masking(names=("cache hit",))
    assert not load(tmp_path / "a.mcap", lambda _: None, shelf=journals, masking=strict).is_from_journal
    assert load(tmp_path / "a.mcap", lambda _: None, shelf=journals, masking=strict).is_from_journal


def test_who_opens_a_recording_masks_what_its_journal_shows(tmp_path: Path) -> None:
    record(tmp_path / "a.mcap")
    store_journal(tmp_path / "a.mcap")
    timeline = Timeline()
    load(tmp_path / "a.mcap", timeline.take, masking=Masking(names=("instance port", "api key")))
    service = timeline.snapshot().state.history("service", "", "users")[0].value
    assert service is not None
    assert service["settings"] == {"apiKey": "***"}


def test_a_journal_of_another_version_is_made_anew_without_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(tmp_path / "a.mcap")
    with monkeypatch.context() as older:
        older.setattr(journal_file, "JOURNAL_FORMAT", 0)
        store_journal(tmp_path / "a.mcap")
    _, reader = seen(tmp_path / "a.mcap", shelf(tmp_path))
    assert not reader.is_from_journal
    assert reader.message == ""
    _, reader = seen(tmp_path / "a.mcap", shelf(tmp_path))
    assert reader.is_from_journal


def test_a_reading_that_was_stopped_keeps_no_journal(tmp_path: Path) -> None:
    record(tmp_path / "a.mcap")
    load(tmp_path / "a.mcap", lambda _: None, shelf=shelf(tmp_path), cancelled=lambda: True)
    assert not list((tmp_path / "journals").glob("*"))


def test_journals_that_were_not_used_for_longest_make_room(tmp_path: Path) -> None:
    journals = JournalShelf(tmp_path / "journals", least_frames=0, most_bytes=20_000)
    for name in "abcdef":
        record(tmp_path / f"{name}.mcap")
        load(tmp_path / f"{name}.mcap", lambda _: None, shelf=journals)
        load(tmp_path / "a.mcap", lambda _: None, shelf=journals)
    assert sum(kept.stat().st_size for kept in (tmp_path / "journals").iterdir()) <= 20_000
    assert load(tmp_path / "a.mcap", lambda _: None, shelf=journals).is_from_journal
    assert not load(tmp_path / "b.mcap", lambda _: None, shelf=journals).is_from_journal


def test_small_captures_are_just_read(tmp_path: Path) -> None:
    record(tmp_path / "a.mcap")
    load(tmp_path / "a.mcap", lambda _: None, shelf=JournalShelf(tmp_path / "journals"))
    assert not (tmp_path / "journals").exists()


def test_a_second_journal_is_refused_and_a_cut_capture_gets_none(tmp_path: Path) -> None:
    record(tmp_path / "a.mcap")
    assert store_journal(tmp_path / "a.mcap")
    with pytest.raises(UnusableJournalError, match="holds attachments already"):
        attach(tmp_path / "a.mcap", BytesIO(b"x"), 0)
    (tmp_path / "cut.mcap").write_bytes((tmp_path / "a.mcap").read_bytes()[:5_000])
    assert not store_journal(tmp_path / "cut.mcap")
    assert (tmp_path / "cut.mcap").stat().st_size == 5_000


def test_packets_that_need_a_key_are_told_of_from_the_journal_too(tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    writer = CaptureWriter.file(path)
    writer.write(BEGIN_NS, [(b"MOL.REQ.b", bytes([call]) * 64) for call in range(9)])
    writer.close()
    first, of_frames = seen(path, shelf(tmp_path))
    again, reader = seen(path, shelf(tmp_path))
    assert (of_frames.is_from_journal, reader.is_from_journal) == (False, True)
    assert again == first
    assert "probably they are encrypted" in reader.message
    assert reader.message == of_frames.message


def test_what_a_forged_journal_says_does_not_reach_the_terminal_as_it_is(tmp_path: Path) -> None:
    path, _, begin, size = _stored(tmp_path)
    _forge(path, begin, size, lambda _: None, stopped="\x1b]0;owned\x07")
    _, reader = seen(path, JournalShelf(tmp_path / "none", least_frames=1 << 60))
    assert reader.message == "?]0;owned?"


def test_a_key_has_the_frames_read_whatever_is_kept(tmp_path: Path) -> None:
    record(tmp_path / "a.mcap")
    assert store_journal(tmp_path / "a.mcap")
    for peeling in (Peeling(Cipher("a" * 32)), Peeling(method="deflateRaw")):
        assert not load(tmp_path / "a.mcap", lambda _: None, shelf=shelf(tmp_path), peeling=peeling).is_from_journal
    assert not (tmp_path / "journals").exists()


# damage


def _stored(tmp_path: Path) -> tuple[Path, Any, int, int]:
    """A recording with its journal, what its frames tell, and where the journal lies."""
    record(tmp_path / "frames.mcap", 60)
    told, _ = seen(tmp_path / "frames.mcap", JournalShelf(tmp_path / "none", least_frames=1 << 60))
    path = tmp_path / "a.mcap"
    path.write_bytes((tmp_path / "frames.mcap").read_bytes())
    assert store_journal(path)
    with path.open("rb") as file:
        region = find(file)
    assert region is not None
    return path, told, region.begin, region.size


def test_any_damage_to_the_journal_gives_what_the_frames_give(tmp_path: Path) -> None:
    path, told, begin, size = _stored(tmp_path)
    whole = path.read_bytes()
    chance = random.Random(4)
    journals = JournalShelf(tmp_path / "none", least_frames=1 << 60)
    complaints = set()
    for at in chance.sample(range(size), 250):
        data = bytearray(whole)
        data[begin + at] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
        again, reader = seen(path, journals)
        assert not reader.is_from_journal, at
        assert again[:3] == told[:3], at
        complaints.add(reader.message.partition(":")[0])
    assert complaints == {"", "The journal kept of a.mcap cannot be used"}  # none where another version is named


def test_any_damage_behind_the_frames_gives_what_the_frames_give(tmp_path: Path) -> None:
    path, told, begin, size = _stored(tmp_path)
    whole = path.read_bytes()
    chance = random.Random(5)
    journals = JournalShelf(tmp_path / "none", least_frames=1 << 60)
    behind = [*range(begin - 90, begin), *range(begin + size, len(whole))]
    for at in chance.sample(behind, 150):
        data = bytearray(whole)
        data[at] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
        again, _ = seen(path, journals)
        assert again[:3] == told[:3], at


def test_any_damage_to_a_journal_on_the_shelf_gives_what_the_frames_give(tmp_path: Path) -> None:
    record(tmp_path / "a.mcap", 60)
    journals = shelf(tmp_path)
    told, _ = seen(tmp_path / "a.mcap", journals)
    [kept] = (tmp_path / "journals").iterdir()
    whole = kept.read_bytes()
    chance = random.Random(7)
    for at in chance.sample(range(len(whole)), 100):
        data = bytearray(whole)
        data[at] ^= 1 << chance.randrange(8)
        kept.write_bytes(data)
        again, reader = seen(tmp_path / "a.mcap", journals)
        assert not reader.is_from_journal, at
        assert again[:3] == told[:3], at
    for length in range(0, len(whole), 211):
        kept.write_bytes(whole[:length])
        again, reader = seen(tmp_path / "a.mcap", journals)
        assert not reader.is_from_journal
        assert again[:3] == told[:3]


def test_a_journal_cut_off_anywhere_gives_what_the_frames_give(tmp_path: Path) -> None:
    path, told, begin, _ = _stored(tmp_path)
    whole = path.read_bytes()
    journals = JournalShelf(tmp_path / "none", least_frames=1 << 60)
    for length in range(begin, len(whole), 97):
        path.write_bytes(whole[:length])
        again, reader = seen(path, journals)
        assert again[0] == told[0]
        assert not reader.is_from_journal


def test_a_journal_of_other_frames_is_not_believed(tmp_path: Path) -> None:
    path, _, _, _ = _stored(tmp_path)
    with path.open("rb") as file:
        region = find(file)
        assert region is not None
        file.seek(region.begin)
        stolen = file.read(region.size)
    other = tmp_path / "other.mcap"
    numbers = record(other, 80)
    attach(other, BytesIO(stolen), BEGIN_NS)
    again, reader = seen(other, JournalShelf(tmp_path / "none", least_frames=1 << 60))
    assert not reader.is_from_journal
    assert "cannot be used" in reader.message
    assert again[1] == len(numbers)


# lies: whole journals that fit the capture and say what cannot be


def _forge(path: Path, begin: int, size: int, lie: Callable[[Batch], Any], **said: Any) -> None:
    """Write the journal anew with its last batch changed, or its index, checksums and all."""
    whole = path.read_bytes()
    with path.open("rb") as file:
        journal = JournalReader(file, begin, size)
        told = list(journal.batches())
    lie(told[-1])
    stream = BytesIO()
    writer = JournalWriter(stream)
    for batch in told:
        writer.write(encode([batch]))
    index = journal.index
    told_of = {name: getattr(index, name) for name in index.__struct_fields__ if name != "blocks"}
    writer.finish(JournalIndex(**told_of | said))
    frames_end = index.stopped_at
    path.write_bytes((path.parent / "frames.mcap").read_bytes())
    assert whole[:frames_end] == path.read_bytes()[:frames_end]
    attach(path, BytesIO(stream.getvalue()), BEGIN_NS)


def _set(column: str, value: Any) -> Callable[[Batch], None]:
    return lambda batch: batch.calls[column].__setitem__(5, value)


def _change(kind: str, value: Any, at_ns: int = BEGIN_NS) -> Callable[[Batch], None]:
    return lambda batch: batch.changes.append(StateChange(kind, "", "b", at_ns, value, "info"))


LIES: dict[str, Callable[[Batch], Any]] = {
    "an action that has no name": _set("action", 9_999),
    "a node that has no name": _set("target", 60_000),
    "an error that has no name": _set("error", 60_000),
    "an outcome that is none": _set("outcome", 200),
    "a bucket that is none": _set("bucket", 30_000),
    "a bucket below all": _set("bucket", -5),
    "a moment before the epoch": _set("end_ns", -5),
    "a moment at the end of time": _set("end_ns", 2**63 - 1),
    "a duration that is none": _set("duration_s", np.nan),
    "a duration below nothing": _set("duration_s", -1.0),
    "a duration without end": _set("duration_s", np.inf),
    "a name with a number far away": lambda b: b.names.append(Name(NameKind.ACTION, 2**40, 0, "x")),
    "a name told twice": lambda b: b.names.append(Name(NameKind.NODE, 1, 0, "x")),
    "a name in no namespace": lambda b: b.names.append(Name(NameKind.NODE, 4, 7, "x")),
    "more rows than frames": lambda b: setattr(b, "calls", np.concatenate([b.calls] * 9)),
    "a moment that runs back": lambda b: setattr(b, "through_ns", -1),
    "a node that is a number": _change("node", {"state": 5}),
    "services that are none": _change("node", {"state": "online", "services": 7}),
    "a client that is a list": _change("node", {"state": "online", "client": []}),
    "a load that is text": _change("load", {"cpu": "much"}),
    "a breaker that is a list": _change("breaker", {"state": []}),
    "a kind that is none": _change("party", {}),
    "a change at no moment": _change("gap", {}, -1),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_a_journal_that_lies_gives_what_the_frames_give(tmp_path: Path, lie: Callable[[Batch], Any]) -> None:
    path, told, begin, size = _stored(tmp_path)
    _forge(path, begin, size, lie)
    again, reader = seen(path, JournalShelf(tmp_path / "none", least_frames=1 << 60))
    assert not reader.is_from_journal
    assert "cannot be used" in reader.message
    assert again[:3] == told[:3]


def test_a_forged_journal_that_says_nothing_wrong_is_read(tmp_path: Path) -> None:
    path, told, begin, size = _stored(tmp_path)
    _forge(path, begin, size, lambda _: None)
    again, reader = seen(path, JournalShelf(tmp_path / "none", least_frames=1 << 60))
    assert reader.is_from_journal
    assert again[:3] == told[:3]


def test_blocks_with_random_content_are_refused_or_can_be_shown(tmp_path: Path) -> None:
    path, _, begin, size = _stored(tmp_path)
    with path.open("rb") as file:
        journal = JournalReader(file, begin, size)
        block = encode(list(journal.batches()))
    chance = random.Random(6)
    shown = 0
    for _ in range(1_500):
        data = bytearray(block)
        for _ in range(chance.randrange(1, 4)):
            data[chance.randrange(len(data))] = chance.choice((0x80, 0x90, 0xC0, 0xDF, 0xFF, chance.randrange(256)))
        try:
            JournalCheck(journal.index.frames).take(parts(bytes(data)))
            batch = decode(bytes(data))
        except UnusableJournalError:
            continue
        timeline = Timeline()
        timeline.take(batch)
        snapshot = timeline.snapshot()
        json.dumps(summary(snapshot, snapshot.everything()))
        shown += 1
    assert 100 < shown < 1_400


def test_columns_of_different_lengths_or_none_are_refused() -> None:
    whole = encode([Batch(calls=np.zeros(3, CALL_COLUMNS))])
    for length in (0, 2):
        content = msgspec.msgpack.decode(whole)
        content[2]["action"] = b"\0" * (4 * length)
        with pytest.raises(UnusableJournalError, match="columns have"):
            parts(msgspec.msgpack.encode(content))


def test_a_part_that_would_unpack_to_more_than_it_says_is_refused() -> None:
    bomb = zstandard.ZstdCompressor().compress(bytes(50_000_000))
    with pytest.raises(UnusableJournalError, match="not as long as it says"):
        journal_file._unpacked(bomb, 1_000, zlib.crc32(bomb), 1 << 20)
    with pytest.raises(UnusableJournalError, match="expected at most"):
        journal_file._unpacked(bomb, 50_000_000, zlib.crc32(bomb), 1 << 20)


def test_definitions_that_nodes_share_are_kept_once() -> None:
    offered = {"actions": {"users.get": {"params": {"id": "string" * 100}}}, "events": {}}
    value = {"name": "users", "version": 1, "settings": {}, "metadata": {}, "supposed": False}
    nodes = {f"n{n}": offered for n in range(500)}
    change = StateChange("service", "", "users", BEGIN_NS, {**value, "nodes": nodes}, "info")
    block = encode([Batch(changes=[change, change])])
    assert len(block) < 15_000
    told = decode(block).changes
    assert told == [change, change]
    assert len({id(there) for one in told if one.value for there in one.value["nodes"].values()}) == 1


def test_the_index_is_plain_msgpack() -> None:
    index = JournalIndex(1, 2, "", 3, "", b"", b"", {1: b"MOL.INFO", 65_535: None}, "masked")
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(index), type=JournalIndex) == index


def test_every_kind_of_change_that_is_told_can_be_kept() -> None:
    observe = Path(broker.observe.__path__[0])
    told = {
        kind
        for module in observe.glob("*.py")
        for kind in re.findall(r'StateChange\(\s*"(\w+)"', module.read_text(encoding="utf-8"))
    }
    assert {"node", "service", "load", "gap", "breaker", "session", "clock"} <= told
    assert told <= VALUES.keys(), "say in broker/capture/journal/check.py what their values are"
