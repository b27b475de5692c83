"""Journals of captures that hold none themselves: files in a folder of the user's cache, bounded."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, Final

from broker.capture.journal.maker import JournalMaker
from broker.capture.journal.verdicts import Verdicts
from broker.capture.reader import CaptureReader

log = logging.getLogger(__name__)

MOST_BYTES: Final = 1 << 30
LEAST_FRAMES: Final = 50_000
"""Smaller captures are read in a moment: no journal of them is kept."""

_SUFFIX: Final = ".journal"


class JournalShelf:
    """One folder of journals. Opening a capture never changes the capture: its journal is kept here.

    Attributes:
        folder: Where.
        verdicts: What is known of journals that captures brought along.
    """

    def __init__(self, folder: Path, *, most_bytes: int = MOST_BYTES, least_frames: int = LEAST_FRAMES) -> None:
        """
        Args:
            folder: Made when it is needed, for its owner only.
            most_bytes: Of all journals; those not used for longest go.
            least_frames: Of a capture whose journal is kept.
        """
        self.folder = folder
        self.verdicts = Verdicts(folder)
        self._most_bytes = most_bytes
        self._least_frames = least_frames

    def open(self, path: Path) -> tuple[BinaryIO, int] | None:
        """What is kept for a capture, as a file, and its size; None for nothing."""
        place = self._place(path)
        try:
            file = place.open("rb")
        except OSError:
            return None
        with contextlib.suppress(OSError):
            os.utime(place)  # used just now
        return file, os.fstat(file.fileno()).st_size

    def wants(self, frames: int) -> bool:
        """Whether a capture of so many frames is worth a file."""
        return frames >= self._least_frames

    @contextlib.contextmanager
    def making(self, reader: CaptureReader, masking: str) -> Iterator[JournalMaker]:
        """Make the journal of a capture that is being read; it is kept if nothing is raised before the end.

        Args:
            reader: What reads it.
            masking: The rule by which settings are masked.
        """
        draft = self.folder / f".{os.getpid()}-{os.urandom(4).hex()}.part"

        def open_draft() -> BinaryIO:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")

        maker = JournalMaker(open_draft)
        before = identity(reader.path)
        try:
            yield maker
            is_same = before is not None and identity(reader.path) == before
            if is_same and self.wants(reader.frames) and maker.finish(reader, masking, before):
                maker.close()
                self._keep(draft, self._place(reader.path))
        finally:
            maker.close()
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)

    def _keep(self, draft: Path, place: Path) -> None:
        try:
            draft.replace(place)
            self._tidy(place)
        except OSError as error:
            log.warning("the journal cannot be kept: %s", error)

    def _tidy(self, newest: Path) -> None:
        """Delete what was not used for longest, until there is room."""
        found = sorted((entry.stat().st_mtime_ns, entry.stat().st_size, entry) for entry in self._all())
        left = sum(size for _, size, _ in found)
        for _, size, entry in found:
            if left <= self._most_bytes:
                return
            if entry != newest:
                entry.unlink(missing_ok=True)
                left -= size

    def _all(self) -> Iterator[Path]:
        return self.folder.glob(f"*{_SUFFIX}")

    def _place(self, path: Path) -> Path:
        name = blake2b(os.fsencode(path.absolute()), digest_size=16).hexdigest()
        return self.folder / f"{name}{_SUFFIX}"


def identity(path: Path) -> tuple[int, int] | None:
    """Size and time of change (ns) of a file; None if it is not there."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
