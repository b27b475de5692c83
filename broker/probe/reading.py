"""A session with a capture: the same frames through the same pipeline, as fast as they can be read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from broker.capture.masking import Masking
from broker.capture.reader import CaptureReader
from broker.clock import MILLISECOND, Clock, SystemClock
from broker.observe.journal import Batch, NameKind, Tally
from broker.operate.commands import Command, Report
from broker.probe.intake import Intake
from broker.probe.options import SessionOptions
from broker.probe.session import Deliver, Pace
from broker.probe.status import ProbeStatus

SLICE_NS: Final = 100 * MILLISECOND
"""A batch is delivered after so much time spent reading."""


def batches(reader: CaptureReader, clock: Clock, masking: Masking) -> Iterator[Batch]:
    """What a capture tells, in batches; the first comes soon, the last is of its end.

    Raises:
        NotACaptureError: It is no MCAP file.
        OSError: It cannot be read.
    """
    intake: Intake | None = None
    slice_ends_ns = clock.now_ns() + SLICE_NS
    for group in reader.groups():
        if intake is None:
            intake = Intake(group.at_ns, masking)
        intake.feed(group.at_ns, group.frames, group.numbers)
        if clock.now_ns() >= slice_ends_ns:
            yield intake.take(intake.now_ns)
            slice_ends_ns = clock.now_ns() + SLICE_NS
    if intake is not None:
        yield intake.take(intake.now_ns)


class FileSession:
    """Reads one capture, then answers questions for bodies.

    Attributes:
        options: As given.
        node_id: Empty: we are nobody in a capture.
    """

    node_id = ""

    def __init__(self, options: SessionOptions, pace: Pace | None = None, *, clock: Clock | None = None) -> None:
        """Begin nothing yet.

        Args:
            options: Its `path` is read.
            pace: Awaited between batches, so that the reader of batches is not flooded.
            clock: Tells how long reading has gone on.
        """
        self.options = options
        self._pace = pace
        self._clock = clock or SystemClock()
        self._reader = CaptureReader(Path(options.path))
        self._stopped = asyncio.Event()
        self._status = ProbeStatus(state="reading", url=options.path)
        self._tally = Tally()

    async def run(self, deliver: Deliver) -> None:
        """Read everything, then wait for `stop`.

        Raises:
            NotACaptureError: It is no MCAP file.
            OSError: It cannot be read.
        """
        for batch in batches(self._reader, self._clock, self.options.masking):
            self._notice(batch)
            deliver(batch)
            await asyncio.sleep(0)
            if self._stopped.is_set():
                return
            if self._pace is not None:
                await self._pace()
        self._status = replace(self._status, state="read", message=self._reader.stopped)
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

    def submit(self, command: Command) -> Report:  # noqa: ARG002
        """Nothing can be done to what has passed."""
        return Report("refused", "This is a capture: there is nobody to ask.", "Connect to a live mesh.")
