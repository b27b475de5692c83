"""Writes frames to disk without making anybody wait: cheap here, the rest in the disk's thread."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from broker.capture.blank import blank_payload
from broker.capture.bodies import Shelf, frame_at, place_of_body
from broker.capture.channels import ENVELOPE_ID, ChannelTable, enveloped
from broker.capture.chunk import OpenChunk
from broker.capture.disk import Disk
from broker.capture.masking import EVERYTHING, Masking
from broker.capture.messages import append_frames, append_message
from broker.capture.numbers import CHUNKS_A_SEGMENT, MAX_OFFSET, Place, chunk_base, place_of
from broker.capture.options_answers import OptionsAnswers
from broker.capture.segment import Segment
from broker.capture.spool import FileSpool, RingSpool, Spool
from broker.clock import SECOND
from broker.protocol.frame import GAP_CHANNEL, RawFrame

LIBRARY: Final = "meshscope"
SEGMENT_BYTES: Final = 64 * 1024 * 1024
RING_BYTES: Final = 512 * 1024 * 1024
CHUNK_BYTES: Final = 1024 * 1024
CHUNK_NS: Final = SECOND // 2
CATCH_UP_CHUNKS: Final = 16


StraightChunk = tuple[bytearray, bytearray, dict[bytes, int], int, int, int]
"""Records, where each begins, numbers of channels, what is added to a place to make a frame's number, how long the
records may become, and the moment (ns since the epoch) from which on another chunk is wanted."""


class CaptureWriter:
    """A capture being written. A full or broken disk never stops anybody: see `trouble`.

    `write`, `withhold`, `tick`, `body` and `close` belong to one thread. What was written goes to the disk with the
    next `write` or `tick` at the earliest, so that until then it can be withheld.

    Attributes:
        frames: How many were given.
    """

    def __init__(
        self,
        spool: Spool,
        *,
        segment_bytes: int,
        masking: Masking,
        on_trouble: Callable[[str], None] | None,
        first: Segment | None = None,
    ) -> None:
        """Use `ring` or `file` instead."""
        self.frames = 0
        self._spool = spool
        self._segment_bytes = segment_bytes
        self._masking = masking
        self._table = ChannelTable()
        self._ids: dict[bytes, int] = {}
        self._chunk = OpenChunk(1, 0)
        self._base = chunk_base(1, 0)
        self._full: list[OpenChunk] = []  # the disk gets them next time
        self._shelf = Shelf()
        self._is_closed = False
        self._answers = OptionsAnswers()
        self._mask = masking.for_chunks(self._table.name, self._answers)
        self._disk = Disk(spool, first, self._mask, on_trouble)

    @classmethod
    def ring(
        cls,
        folder: Path,
        *,
        ring_bytes: int = RING_BYTES,
        segment_bytes: int = SEGMENT_BYTES,
        masking: Masking = EVERYTHING,
        on_trouble: Callable[[str], None] | None = None,
    ) -> CaptureWriter:
        """Write a ring of segments into a folder of its own below `folder`; `close` deletes it.

        Args:
            folder: Of all sessions; made when it is not there, for its owner only.
            ring_bytes: How much the segments may take in all.
            segment_bytes: A new one begins after this many.
            masking: What must not reach the disk.
            on_trouble: Told once when writing fails, and with "" when it works again; in another thread.

        Raises:
            OSError: The folder cannot be made.
        """
        spool = RingSpool(folder, max(0, ring_bytes - segment_bytes), LIBRARY)
        return cls(spool, segment_bytes=segment_bytes, masking=masking, on_trouble=on_trouble)

    @classmethod
    def file(
        cls, path: Path, *, masking: Masking = EVERYTHING, on_trouble: Callable[[str], None] | None = None
    ) -> CaptureWriter:
        """Write one file.

        Raises:
            OSError: It is there already, or cannot be made.
        """
        spool = FileSpool(path, LIBRARY)
        return cls(spool, segment_bytes=0, masking=masking, on_trouble=on_trouble, first=spool.begin(1))

    @property
    def trouble(self) -> str:
        """Why frames are not being kept; empty while they are."""
        return self._disk.trouble

    @property
    def lost_frames(self) -> int:
        """Frames that did not reach the disk."""
        return self._disk.lost_frames

    @property
    def waiting_chunks(self) -> int:
        """Chunks that the disk has not taken yet."""
        return len(self._full) + self._disk.waiting

    @property
    def written_bytes(self) -> int:
        """Bytes written in all."""
        return self._disk.written_bytes

    @property
    def kept_bytes(self) -> int:
        """Bytes on disk now."""
        return self._spool.closed_bytes + self._disk.open_bytes

    def write(self, at_ns: int, frames: Sequence[RawFrame]) -> list[int]:
        """Take frames that arrived together.

        Args:
            at_ns: When; never before an earlier call's.
            frames: Channel and body of each.

        Returns:
            Their frame numbers, parallel to `frames`.
        """
        return self.write_run([at_ns] * len(frames), frames)

    def write_run(self, moments: list[int], frames: Sequence[RawFrame]) -> list[int]:
        """Take frames that arrived one after the other: as `write`, with a moment for each, never falling."""
        self._hand_over()
        numbers: list[int] = []
        while (place := len(numbers)) < len(frames):
            at_ns = moments[place]
            chunk = self._chunk_at(at_ns)
            written = append_frames(
                chunk.raw,
                chunk.offsets,
                self._ids,
                frames,
                place,
                moments,
                self._base,
                CHUNK_BYTES,
                chunk.begin_ns + CHUNK_NS,
            )
            if written:
                numbers += written
                chunk.end_ns = moments[len(numbers) - 1]
                continue
            if len(chunk.raw) >= CHUNK_BYTES:
                self._next_chunk(at_ns)
            else:  # it is not ordinary
                chunk.end_ns = at_ns
                numbers.append(self._append(at_ns, *frames[place]))
        self.frames += len(frames)
        return numbers

    def straight(self, at_ns: int) -> StraightChunk:
        """Where records may be written, at or after a moment, by who tells `went_straight` afterwards."""
        self._hand_over()
        chunk = self._chunk_at(at_ns)
        if len(chunk.raw) >= CHUNK_BYTES:
            chunk = self._next_chunk(at_ns)
        return chunk.raw, chunk.offsets, self._ids, self._base, CHUNK_BYTES, chunk.begin_ns + CHUNK_NS

    def went_straight(self, count: int, last_ns: int) -> None:
        """So many frames were written there, the last at this moment."""
        self.frames += count
        if count:
            self._chunk.end_ns = last_ns

    def _chunk_at(self, at_ns: int) -> OpenChunk:
        """The chunk for what arrived then."""
        chunk = self._chunk
        if not chunk.offsets:
            chunk.begin_ns = at_ns
            self._report_losses(chunk, at_ns)
        elif at_ns - chunk.begin_ns >= CHUNK_NS:
            chunk = self._next_chunk(at_ns)
        return chunk

    def _append(self, at_ns: int, channel: bytes, body: bytes) -> int:
        """Take any frame, also of a channel that has no number yet, or gets none; returns the frame's."""
        number = self._ids.get(channel) or self._number(channel, body)
        if number == ENVELOPE_ID:
            body = enveloped(channel, body)
        return self._base + append_message(self._chunk.raw, self._chunk.offsets, number, at_ns, body)

    def withhold(self, numbers: Iterable[int]) -> None:
        """Keep nothing but the headers of frames of the last `write`, whatever the policy.

        Args:
            numbers: Their frame numbers; 0 for one that was not written.
        """
        for place in map(place_of, numbers):
            chunk = self._chunk_of(place)
            if chunk is not None:
                blank_payload(chunk.raw, *place_of_body(chunk.raw, place.offset))

    def tick(self, now_ns: int) -> None:
        """Called several times a second: hands over a chunk that is half a second old."""
        if self._chunk.offsets and now_ns - self._chunk.begin_ns >= CHUNK_NS:
            self._next_chunk(now_ns)
        self._hand_over()

    def flush(self) -> None:
        """Hand over what there is, without waiting until it is written."""
        if self._chunk.offsets:
            self._next_chunk(self._chunk.end_ns)
        self._hand_over()

    def _hand_over(self) -> None:
        """Full chunks to the disk."""
        for chunk in self._full:
            self._disk.put(chunk)
        self._full.clear()

    def catch_up(self) -> None:
        """Wait for the disk, so that nothing is lost; for those who read faster than it writes."""
        self._hand_over()
        self._disk.catch_up(CATCH_UP_CHUNKS)

    def body(self, number: int) -> bytes | None:
        """What a frame carried, as it is kept: masked. None if it is not kept."""
        place = place_of(number)
        waiting = self._chunk_of(place) or self._disk.pending(place.segment, place.chunk)
        if waiting is not None:
            frame = frame_at(bytes(waiting.raw), place.offset, self._table.name)
            return self._masked(frame) if frame is not None else None
        found = self._spool.place(place.segment, place.chunk)
        return self._shelf.body(*found, place.offset, self._table.name) if found is not None else None

    def _chunk_of(self, place: Place) -> OpenChunk | None:
        """The chunk of a frame, if the disk has not got it yet."""
        mine = (self._chunk, *self._full)
        return next((one for one in mine if (one.segment, one.ordinal) == (place.segment, place.chunk)), None)

    def _masked(self, frame: RawFrame) -> bytes:
        """What will be kept of a frame that is not on disk yet."""
        channel, body = frame
        waiting = [*self._disk.waiting_chunks(), *self._full, self._chunk]
        if self._answers.is_asked(channel, body, waiting, self._table.name):
            return replace(self._masking, policy="headers").masked(channel, body)
        return self._masking.masked(channel, body)

    def hide(self, secrets: tuple[str, ...]) -> None:
        """Know of more secrets; in what is written from now on they are masked."""
        self._masking = self._mask.masking = self._masking.hiding(secrets)

    def close(self, *, keep: bool = True) -> None:
        """Write what waits and close the last file. Waits for the disk.

        Args:
            keep: Whether the files stay; a ring's usually do not.
        """
        if self._is_closed:
            return
        self._is_closed = True
        self.flush()
        self._disk.close()
        self._shelf.close()
        if not keep:
            self._spool.clear()

    def _next_chunk(self, at_ns: int) -> OpenChunk:
        chunk = self._chunk
        self._full.append(chunk)
        is_full = self._segment_bytes and (
            self._disk.open_bytes >= self._segment_bytes or chunk.ordinal + 1 >= CHUNKS_A_SEGMENT
        )
        self._chunk = OpenChunk(chunk.segment + 1, 0) if is_full else OpenChunk(chunk.segment, chunk.ordinal + 1)
        if is_full:
            self._ids = {}  # each file names its channels again
            self._disk.open_bytes = 0
        self._base = chunk_base(self._chunk.segment, self._chunk.ordinal)
        self._chunk.begin_ns = at_ns
        self._report_losses(self._chunk, at_ns)
        return self._chunk

    def _number(self, channel: bytes, body: bytes) -> int:
        number, record = self._table.number(channel, body)
        self._chunk.new_channels.append((number, record))
        if number != ENVELOPE_ID:
            self._ids[channel] = number
        return number

    def _report_losses(self, chunk: OpenChunk, at_ns: int) -> None:
        """A capture says itself what it misses."""
        lost = self._disk.take_unreported()
        if not lost:
            return
        body = json.dumps({"phase": "lost", "packets": lost, "reason": "the capture could not be written"}).encode()
        number = self._ids.get(GAP_CHANNEL) or self._number(GAP_CHANNEL, body)
        chunk.notes, chunk.told_lost = chunk.notes + 1, chunk.told_lost + lost
        append_message(chunk.raw, chunk.offsets, number, at_ns, body)


assert CHUNK_BYTES <= MAX_OFFSET  # noqa: S101  an offset fits its bits
