"""The journal of a recording, put into it when it is finished."""

from __future__ import annotations

import logging
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from broker.capture.journal import UnusableJournalError
from broker.capture.journal.attachment import attach
from broker.capture.journal.maker import JournalMaker
from broker.capture.masking import EVERYTHING
from broker.capture.reader import CaptureReader, NotACaptureError
from broker.clock import SystemClock
from broker.probe.client import PROBE_COMMAND
from broker.probe.offline import Progress
from broker.probe.options import KEEP_OPTION
from broker.probe.reading import batches_of_frames, rule

log = logging.getLogger(__name__)


def _ignore(_: Progress) -> None:
    """Nobody looks."""


def _never() -> bool:
    return False


def store_journal(
    path: Path, *, progress: Callable[[Progress], None] = _ignore, cancelled: Callable[[], bool] = _never
) -> bool:
    """Read a recording and put its journal into it, so that opening it is instant. The frames stay as they are.

    Args:
        path: A recording that this program has just closed.
        progress: Told now and then.
        cancelled: Asked now and then whether to leave it.

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
    return True


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
    if sys.platform == "win32":
        psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
    else:
        psutil.Process().nice(10)
    return 0 if store_journal(path) else 1
