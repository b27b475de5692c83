"""The journal inside its capture: an MCAP attachment, which other tools list or pass over."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

from mcap.data_stream import ReadDataStream, RecordBuilder
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import AttachmentIndex, DataEnd, Footer, McapRecord, Statistics, SummaryOffset

from broker.capture.journal import UnusableJournalError
from broker.capture.segment import MAGIC

NAME: Final = "meshscope-journal"
MEDIA_TYPE: Final = "application/vnd.meshscope.journal"
MAX_SUMMARY_BYTES: Final = 1 << 28
COPY_BYTES: Final = 1 << 20

PASSED_OVER: Final = 0x80
"""The first of the opcodes that MCAP leaves to programs, and that readers skip."""

_RECORD_HEAD: Final = struct.Struct("<BQ")
_TEXT_HEAD: Final = struct.Struct("<I")
_FOOTER_BYTES: Final = _RECORD_HEAD.size + 20
_DATA_END_BYTES: Final = _RECORD_HEAD.size + 4

Records = dict[int, list[bytes]]
"""Whole records by opcode, in their order."""


@dataclass(frozen=True, slots=True)
class Region:
    """Bytes [begin, begin + size) of a file, in a record that begins at `place`."""

    place: int
    begin: int
    size: int


def find(file: BinaryIO) -> Region | None:
    """Where the journal lies in a capture; None if there is none, or the capture was not closed properly.

    Raises:
        UnusableJournalError: It is not where the capture says.
        OSError: The file cannot be read.
    """
    found = _summary(file)
    if found is None:
        return None
    _, records = found
    for record in records.get(Opcode.ATTACHMENT_INDEX, ()):
        try:
            index = AttachmentIndex.read(ReadDataStream(BytesIO(record[_RECORD_HEAD.size :])))
        except (McapError, struct.error, ValueError):
            continue
        if index.name == NAME:
            return _region(file, index)
    return None


def attach(path: Path, journal: BinaryIO, at_ns: int) -> None:
    """Put a journal into a capture that was closed properly.

    The journal and a new end are written behind the old end, which then
    becomes a record that readers pass over: at every moment the file reads
    as a whole capture from its beginning.

    Args:
        path: The capture.
        journal: The journal, from its first byte.
        at_ns: When it was made.

    Raises:
        UnusableJournalError: The capture has no proper end, or has attachments already.
        OSError: It cannot be written; the capture is as before.
    """
    with path.open("r+b", buffering=0) as file:
        found = _summary(file)
        if found is None:
            raise UnusableJournalError(f"{path.name} was not closed properly")
        place, records = found
        if records.get(Opcode.ATTACHMENT_INDEX):
            raise UnusableJournalError(f"{path.name} holds attachments already")
        size = journal.seek(0, os.SEEK_END)
        journal.seek(0)
        old_size = file.seek(0, os.SEEK_END)
        try:
            _write_attachment(file, journal, size, at_ns)
            end = file.tell()
            index = AttachmentIndex(old_size, end - old_size, at_ns, at_ns, size, NAME, MEDIA_TYPE)
            _write(file, _end(end, _with_index(records, index)))
        except OSError:
            file.truncate(old_size)
            raise
        file.seek(place)
        _write(file, _RECORD_HEAD.pack(PASSED_OVER, old_size - place - _RECORD_HEAD.size))


def after_old_end(file: BinaryIO, place: int) -> int:
    """Where what follows the old end of a capture begins, if that was at this place; -1 if it was not."""
    file.seek(place)
    head = file.read(_RECORD_HEAD.size)
    if len(head) < _RECORD_HEAD.size or head[0] != PASSED_OVER:
        return -1
    return int(place + _RECORD_HEAD.size + _RECORD_HEAD.unpack(head)[1])


def _region(file: BinaryIO, index: AttachmentIndex) -> Region:
    """The attachment's data. Nothing but the end of all data may follow it: what did would not be in the journal."""
    head = _RECORD_HEAD.size + 16 + 2 * _TEXT_HEAD.size + len(NAME) + len(index.media_type.encode()) + 8
    file.seek(index.offset)
    opcode = file.read(1)
    file.seek(index.offset + index.length)
    follows = file.read(1)
    if opcode != bytes([Opcode.ATTACHMENT]) or follows != bytes([Opcode.DATA_END]):
        raise UnusableJournalError("it is not where the capture says")
    if index.length != head + index.data_size + 4:
        raise UnusableJournalError("it is not as long as the capture says")
    return Region(index.offset, index.offset + head, index.data_size)


def _summary(file: BinaryIO) -> tuple[int, Records] | None:
    """Where the end of all data is written, and the records behind it; None without a proper end."""
    size = file.seek(0, os.SEEK_END)
    tail = _FOOTER_BYTES + len(MAGIC)
    if size < tail + _DATA_END_BYTES + len(MAGIC):
        return None
    file.seek(size - tail)
    end = file.read(tail)
    if end[-len(MAGIC) :] != MAGIC or end[0] != Opcode.FOOTER:
        return None
    (begin,) = struct.unpack_from("<Q", end, _RECORD_HEAD.size)
    place = begin - _DATA_END_BYTES
    length = size - tail - begin
    if place < len(MAGIC) or not 0 <= length <= MAX_SUMMARY_BYTES:
        return None
    file.seek(place)
    data = file.read(_DATA_END_BYTES + length)
    if len(data) < _DATA_END_BYTES + length or data[0] != Opcode.DATA_END:
        return None
    records: Records = {}
    for opcode, record in _records(data[_DATA_END_BYTES:]):
        records.setdefault(opcode, []).append(record)
    return place, records


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _RECORD_HEAD.size <= len(data):
        opcode, length = _RECORD_HEAD.unpack_from(data, at)
        end = at + _RECORD_HEAD.size + length
        if end > len(data):
            return
        yield opcode, data[at:end]
        at = end


def _write_attachment(file: BinaryIO, journal: BinaryIO, size: int, at_ns: int) -> None:
    name, media_type = NAME.encode(), MEDIA_TYPE.encode()
    fields = struct.pack("<QQ", at_ns, at_ns)
    for text in (name, media_type):
        fields += _TEXT_HEAD.pack(len(text)) + text
    fields += struct.pack("<Q", size)
    _write(file, _RECORD_HEAD.pack(Opcode.ATTACHMENT, len(fields) + size + 4) + fields)
    checksum = zlib.crc32(fields)
    left = size
    while left:
        part = journal.read(min(COPY_BYTES, left))
        if not part:
            raise OSError(f"the journal ends {left:,} bytes too early")
        _write(file, part)
        checksum = zlib.crc32(part, checksum)
        left -= len(part)
    _write(file, struct.pack("<I", checksum))


def _write(file: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _with_index(records: Records, index: AttachmentIndex) -> Records:
    """The records of a summary, with an attachment more."""
    statistics = []
    for record in records.get(Opcode.STATISTICS, ()):
        counts = Statistics.read(ReadDataStream(BytesIO(record[_RECORD_HEAD.size :])))
        counts.attachment_count += 1
        statistics.append(_record(counts))
    return {**records, Opcode.STATISTICS: statistics, Opcode.ATTACHMENT_INDEX: [_record(index)]}


def _end(begin: int, records: Records) -> bytes:
    """All that follows the data: its end, the summary, where its parts are, the footer, the magic."""
    data_end = _record(DataEnd(0))
    summary_begin = begin + len(data_end)
    summary = offsets = b""
    for opcode, group in records.items():
        joined = b"".join(group)
        if joined and opcode != Opcode.SUMMARY_OFFSET:
            offsets += _record(SummaryOffset(Opcode(opcode), summary_begin + len(summary), len(joined)))
            summary += joined
    footer = Footer(summary_begin, summary_begin + len(summary), 0)
    return data_end + summary + offsets + _record(footer) + MAGIC


def _record(record: McapRecord) -> bytes:
    builder = RecordBuilder()
    record.write(builder)
    return bytes(builder.end())  # type: ignore[no-untyped-call]
