"""The journal of a recording, put into it when it is finished."""

from __future__ import annotations

import contextlib
import logging
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from broker.capture.journal import UnusableJournalError
from broker.capture.journal.attachment import attach
from broker.capture.journal.kept import kept_journal
from broker.capture.journal.maker import JournalMaker
from broker.capture.journal.shelf import JournalShelf
from broker.capture.journal.whole import look
from broker.capture.masking import EVERYTHING
from broker.capture.reader import CaptureReader, NotACaptureError
from broker.clock import SystemClock
from broker.probe.client import PROBE_COMMAND
from broker.probe.niceness import give_way
from broker.probe.offline import Progress
from broker.probe.options import KEEP_OPTION, SessionOptions
from broker.probe.reading import batches_of_frames, rule

log = logging.getLogger(__name__)


def _ignore(_: Progress) -> None:
    """Nobody looks."""


def _never() -> bool:
    return False


def store_journal(
    path: Path,
    *,
    progress: Callable[[Progress], None] = _ignore,
    cancelled: Callable[[], bool] = _never,
    shelf: JournalShelf | None = None,
) -> bool:
    """Read a recording and put its journal into it, so that opening it is instant. The frames stay as they are.

    Args:
        path: A recording that this program has just closed.
        progress: Told now and then.
        cancelled: Asked now and then whether to leave it.
        shelf: Remembers that the journal is whole, so that who opens it need not look; None for nobody.

    Returns:
        Whether it has its journal now; without it, it is read from its frames.
    """
    reader = CaptureReader(path)
    try:
        with tempfile.TemporaryFile(dir=path.parent) as stream:
            maker = JournalMaker(lambda: stream)
            try:
                # masked by nothing but the recording itself: whoever opens it masks what is shown
                for batch in batches_of_frames(reader, SystemClock(), EVERYTHING):
                    maker.take(batch)
                    progress(Progress(reader.stopped_at / max(1, reader.size), reader.frames))
                    if cancelled():
                        return False
                if reader.stopped or not maker.finish(reader, rule(EVERYTHING), None):
                    return False
                attach(path, stream, reader.last_ns)
            finally:
                maker.close()
    except (OSError, NotACaptureError, UnusableJournalError) as error:
        log.warning("%s stays without its journal: %s", path.name, error)
        return False
    if shelf is not None and shelf.wants(reader.frames):
        _look_now(path, shelf)
    return True


def _look_now(path: Path, shelf: JournalShelf) -> None:
    """Look at the journal as it lies in its recording, as whoever opens it first would have to."""
    try:
        journal = kept_journal(path, rule(EVERYTHING), None)
        if journal is not None:
            with contextlib.closing(journal):
                for _ in look(journal, shelf):
                    pass
    except (OSError, UnusableJournalError) as error:
        log.warning("the journal in %s cannot be read again: %s", path.name, error)


def store_journal_aside(path: Path, argv: Sequence[str] = PROBE_COMMAND) -> None:
    """The same in a process of its own, which outlives this one: nobody waits, and nothing stamped is late."""
    try:
        process = subprocess.Popen(
            [*argv, KEEP_OPTION, str(path.absolute())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        log.warning("%s stays without its journal: %s", path.name, error)
        return
    threading.Thread(target=process.wait, name="journal process", daemon=True).start()


def store_journal_behind(path: Path) -> int:
    """What that process does: behind everybody else. Its exit code."""
    give_way()
    return 0 if store_journal(path, shelf=JournalShelf(SessionOptions().journals())) else 1
