"""A session in the caller's own process: for the command line, for tests, for the window's `open`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from broker.capture.journal.shelf import JournalShelf
from broker.capture.masking import Masking
from broker.capture.reader import CaptureReader
from broker.clock import Clock, SystemClock
from broker.observe.journal import Batch
from broker.probe.door import Door
from broker.probe.far import FarSession
from broker.probe.options import SessionOptions
from broker.probe.reading import batches
from broker.probe.recording import Wanted
from broker.probe.session import ProbeSession
from broker.probe.ssh import Machine
from broker.probe.status import ProbeStatus
from broker.protocol.peeling import Peeling

Deliver = Callable[[Batch], None]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is.

    Attributes:
        done: 0 to 1.
        frames: Read, or heard, so far.
        message: What is wrong, where something is; otherwise empty.
        status: Of a live session; None of a capture.
    """

    done: float
    frames: int
    message: str = ""
    status: ProbeStatus | None = None


def _ignore(_: Progress) -> None:
    """Nobody looks."""


def _never() -> bool:
    return False


def load(
    path: Path,
    deliver: Deliver,
    *,
    progress: Callable[[Progress], None] = _ignore,
    cancelled: Callable[[], bool] = _never,
    masking: Masking | None = None,
    peeling: Peeling | None = None,
    clock: Clock | None = None,
    shelf: JournalShelf | None = None,
) -> CaptureReader:
    """Read a capture; the first batch comes within a fraction of a second.

    Args:
        path: The file.
        deliver: Given batches, oldest first: ``Timeline().take`` for instance.
        progress: Told after each batch.
        cancelled: Asked after each batch whether to stop here.
        masking: What of settings and metadata is shown; the usual names are masked if it is left out.
        peeling: For a capture of encrypted packets.
        clock: Tells how long reading has gone on.
        shelf: Where journals of captures are kept; in the user's cache folder if it is left out.

    Returns:
        The reader: its `stopped` says where a damaged file ended, its `body` gives bodies.

    Raises:
        NotACaptureError: It is no MCAP file.
        OSError: It cannot be read.
    """
    reader = CaptureReader(path)
    shelf = shelf or JournalShelf(SessionOptions().journals())
    for batch in batches(reader, clock or SystemClock(), masking or Masking(), shelf, peeling):
        deliver(batch)
        progress(Progress(reader.stopped_at / max(1, reader.size), reader.frames, reader.message))
        if cancelled():
            break
    return reader


async def listen(
    options: SessionOptions,
    deliver: Deliver,
    *,
    duration_s: float | None,
    progress: Callable[[Progress], None] = _ignore,
    clock: Clock | None = None,
    door: Door | None = None,
    wanted: Wanted | None = None,
    machine: Machine | None = None,
) -> None:
    """Listen to a live mesh for a while; cancelling it ends it as cleanly as the time does.

    Args:
        options: What to listen to and what it may do.
        deliver: Given ten batches a second.
        duration_s: How long; None until cancelled.
        progress: Told with each batch.
        clock: Stamps frames.
        door: The way to the bus; by the options' URL if it is left out.
        wanted: Which frames (at_ns, channel, body) are recorded; all if it is left out.
        machine: The other one on which its probe runs; None for this process.

    Raises:
        TransportError: The bus said no, and trying again would not help.
        ValueError: The URL is none; says what is wrong with it.
    """
    clock = clock or SystemClock()
    session: ProbeSession | FarSession
    if machine is None:
        session = ProbeSession(options, clock=clock, door=door, wanted=wanted)
    else:
        session = FarSession(options, machine)
    begin_ns = clock.now_ns()

    def pass_on(batch: Batch) -> None:
        deliver(batch)
        status = session.status()
        passed_s = (clock.now_ns() - begin_ns) / 1e9
        done = min(1.0, passed_s / duration_s) if duration_s else 0.0
        message = f"{status.message} {status.advice}".strip()
        progress(Progress(done, batch.tally.packets, message, status))

    if duration_s is not None:
        later = partial(asyncio.get_running_loop().call_later, duration_s, session.stop)
        if isinstance(session, FarSession):
            session.on_listening = later  # ssh takes its time first
        else:
            later()
    await session.run(pass_on)
