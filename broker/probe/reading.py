"""A session with a capture: the same frames through the same pipeline, as fast as they can be read."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from broker.capture.journal import UnusableJournalError
from broker.capture.journal.file import JournalReader, PackedBlock
from broker.capture.journal.kept import kept_journal
from broker.capture.journal.shelf import JournalShelf
from broker.capture.journal.whole import look
from broker.capture.masking import Masking
from broker.capture.reader import CaptureReader
from broker.clock import MILLISECOND, Clock, SystemClock
from broker.observe.journal import Batch, NameKind, Tally
from broker.operate.commands import Command, Progress, Report
from broker.probe.intake import Intake
from broker.probe.masked import mask_changes
from broker.probe.options import SessionOptions
from broker.probe.status import ProbeStatus
from broker.protocol.frame import RawFrame
from broker.protocol.peeling import Peeling

if TYPE_CHECKING:  # a live session needs the network and a node; reading a file must not wait for them
    from broker.probe.session import Deliver, Pace
    from broker.probe.streams import Streams

SLICE_NS: Final = 100 * MILLISECOND
"""A batch is delivered after so much time spent reading."""

MOST_LETTERS: Final = 1_000
ASK_EVERY: Final = 256
"""What time it is, is asked after so many frames."""


def batches(
    reader: CaptureReader,
    clock: Clock,
    masking: Masking,
    shelf: JournalShelf | None = None,
    peeling: Peeling | None = None,
) -> Iterator[Batch]:
    """What a capture tells, in batches; the first comes soon, the last is of its end.

    The journal that is kept of it is read where there is one, otherwise its
    frames are, and the journal is kept on the shelf.

    Args:
        reader: Knows the capture; its figures and its `journal_trouble` follow what was read.
        clock: Tells how long reading has gone on.
        masking: What of settings and metadata is shown.
        shelf: Where journals are kept; None for looking into the capture only, and keeping none.
        peeling: Takes packets out of what is around them; where it was told how, nothing that is kept is used.

    Raises:
        NotACaptureError: It is no MCAP file.
        OSError: It cannot be read.
    """
    for told in _of_capture(reader, clock, masking, shelf, peeling, _unpacked):
        if isinstance(told, Batch):  # nothing else was asked for
            yield told


Teller = Callable[[CaptureReader, JournalReader, Masking], Iterator["Batch | PackedBlock"]]


def _of_capture(
    reader: CaptureReader,
    clock: Clock,
    masking: Masking,
    shelf: JournalShelf | None,
    peeling: Peeling | None,
    tell: Teller,
) -> Iterator[Batch | PackedBlock]:
    """As `batches`; what the kept journal tells as `tell` gives it."""
    peeling = peeling or Peeling()
    if not peeling.is_told_how and (yield from _from_journal(reader, clock, masking, shelf, tell)):
        return
    if shelf is None or peeling.is_told_how:
        yield from batches_of_frames(reader, clock, masking, peeling)
        return
    with shelf.making(reader, rule(masking)) as maker:
        for batch in batches_of_frames(reader, clock, masking, peeling):
            maker.take(batch)
            yield batch


def batches_of_frames(
    reader: CaptureReader, clock: Clock, masking: Masking, peeling: Peeling | None = None
) -> Iterator[Batch]:
    """As `batches`, from the frames, whatever is kept."""
    peeling = peeling or Peeling()
    intake: Intake | None = None
    slice_ends_ns = clock.now_ns() + SLICE_NS
    moments, frames, numbers = list[int](), list[RawFrame](), list[int]()
    for group in reader.groups():
        if intake is None:
            intake = Intake(group.at_ns, masking, peeling=peeling)
        moments += [group.at_ns] * len(group.frames)
        frames += group.frames
        numbers += group.numbers
        if len(frames) >= ASK_EVERY:
            intake.feed_run(moments, frames, numbers)
            moments, frames, numbers = [], [], []
            if clock.now_ns() >= slice_ends_ns:
                yield intake.take(intake.now_ns)
                slice_ends_ns = clock.now_ns() + SLICE_NS
    if intake is not None:
        intake.feed_run(moments, frames, numbers)
    reader.unreadable = peeling.trouble
    if intake is not None:
        yield intake.take(intake.now_ns)


def _from_journal(
    reader: CaptureReader, clock: Clock, masking: Masking, shelf: JournalShelf | None, tell: Teller
) -> Generator[Batch | PackedBlock, None, bool]:
    """What the kept journal tells. Whether there was one; if not, nothing was told of it."""
    try:
        journal = kept_journal(reader.path, rule(masking), shelf)
    except UnusableJournalError as error:
        _complain(reader, error)
        return False
    if journal is None:
        return False
    with contextlib.closing(journal):
        try:
            slice_ends_ns = clock.now_ns() + SLICE_NS
            for _ in look(journal, shelf):
                if clock.now_ns() >= slice_ends_ns:
                    yield Batch()  # nothing yet, but whoever waits may do something else
                    slice_ends_ns = clock.now_ns() + SLICE_NS
        except UnusableJournalError as error:
            _complain(reader, error)
            return False
        reader.size = reader.path.stat().st_size
        reader.chunks, reader.channels = journal.chunks, journal.index.channels
        try:
            yield from tell(reader, journal, masking)
        except UnusableJournalError as error:
            raise OSError(f"{reader.path.name} was changed while it was being read ({error})") from error
        _is_told(reader, journal)
    return True


def _unpacked(reader: CaptureReader, journal: JournalReader, masking: Masking) -> Iterator[Batch]:
    """A journal that was looked at. Raises UnusableJournalError if it is not what it was then."""
    index, told_bytes = journal.index, 0
    for place, batch in zip(index.blocks, journal.batches(), strict=True):
        told_bytes += place.length
        reader.frames, reader.last_ns = batch.tally.packets, batch.through_ns
        reader.stopped_at = index.stopped_at * told_bytes // journal.size
        mask_changes(batch, masking)
        yield batch


def _packed(reader: CaptureReader, journal: JournalReader, _masking: Masking) -> Iterator[PackedBlock]:
    """As `_unpacked`, for whoever unpacks and masks by himself."""
    told_bytes = 0
    for block in journal.packed_blocks():
        told_bytes += len(block.packed)
        reader.stopped_at = journal.index.stopped_at * told_bytes // journal.size
        yield block


def _is_told(reader: CaptureReader, journal: JournalReader) -> None:
    index = journal.index
    reader.frames, reader.last_ns = index.frames, index.last_ns
    reader.stopped, reader.unreadable = _printable(index.stopped), _printable(index.unreadable)
    reader.stopped_at = index.stopped_at
    reader.is_from_journal = True


def _printable(text: str) -> str:
    """A text that came with a file, fit for terminals."""
    return "".join(c if c.isprintable() else "?" for c in text[:MOST_LETTERS])


def _complain(reader: CaptureReader, error: UnusableJournalError) -> None:
    reader.journal_trouble = (
        f"The journal kept of {reader.path.name} cannot be used: {error}. Its frames are read instead."
    )


def rule(masking: Masking) -> str:
    """A rule of masking as text, to tell whether a journal was made by the same."""
    return "|".join((masking.policy, *masking.names))


class FileSession:
    """Reads one capture, then answers questions for bodies.

    Attributes:
        options: As given.
        node_id: Empty: we are nobody in a capture.
    """

    node_id = ""

    def __init__(
        self,
        options: SessionOptions,
        pace: Pace | None = None,
        *,
        clock: Clock | None = None,
        deliver_packed: Callable[[PackedBlock], None] | None = None,
    ) -> None:
        """Begin nothing yet.

        Args:
            options: Its `path` is read.
            pace: Awaited between batches, so that the reader of batches is not flooded.
            clock: Tells how long reading has gone on.
            deliver_packed: Given the blocks of a kept journal, neither unpacked nor masked; left out where batches
                are wanted. Namespaces are not in the status then: nobody has looked.

        Raises:
            ValueError: A key is none of its algorithm.
        """
        self.options = options
        self._pace = pace
        self._deliver_packed = deliver_packed
        self._clock = clock or SystemClock()
        self._reader = CaptureReader(Path(options.path))
        self._stopped = asyncio.Event()
        self._status = ProbeStatus(state="reading", url=options.path)
        self._tally = Tally()
        self._peeling = options.peeling()

    async def run(self, deliver: Deliver) -> None:
        """Read everything, then wait for `stop`.

        Raises:
            NotACaptureError: It is no MCAP file.
            OSError: It cannot be read.
        """
        shelf = JournalShelf(self.options.journals())
        tell = _unpacked if self._deliver_packed is None else _packed
        last: PackedBlock | None = None
        for told in _of_capture(self._reader, self._clock, self.options.masking, shelf, self._peeling, tell):
            if isinstance(told, Batch):
                self._notice(told)
                deliver(told)
            elif self._deliver_packed is not None:
                last = told
                self._deliver_packed(told)
            await asyncio.sleep(0)
            if self._stopped.is_set():
                return
            if self._pace is not None:
                await self._pace()
        if last is not None:
            self._tally = last.batch().tally
        message = self._reader.message
        self._status = replace(self._status, state="read", message=message)
        deliver(Batch(through_ns=self._reader.last_ns, tally=self._tally))
        await self._stopped.wait()

    def _notice(self, batch: Batch) -> None:
        spaces = tuple(name.text for name in batch.names if name.kind == NameKind.NAMESPACE)
        self._tally = batch.tally
        self._status = replace(self._status, namespaces=(*self._status.namespaces, *spaces))

    def stop(self) -> None:
        """End `run`."""
        self._stopped.set()

    def status(self) -> ProbeStatus:
        """How it stands."""
        reader = self._reader
        read_bytes = reader.size if self._status.state == "read" else reader.stopped_at
        return replace(self._status, read_bytes=read_bytes, size_bytes=reader.size, frames=reader.frames)

    def body(self, number: int) -> bytes | None:
        """What a frame carried; None if it is not kept."""
        return self._reader.body(number)

    def submit(
        self,
        command: Command,  # noqa: ARG002
        number: int = 0,  # noqa: ARG002
        told: Callable[[Progress], None] | None = None,  # noqa: ARG002
        streams: Streams | None = None,  # noqa: ARG002
    ) -> asyncio.Future[Report]:
        """Nothing can be done to what has passed."""
        reported: asyncio.Future[Report] = asyncio.get_running_loop().create_future()
        reported.set_result(Report("refused", "This is a capture: there is nobody to ask.", "Connect to a live mesh."))
        return reported
