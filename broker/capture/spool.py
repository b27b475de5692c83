"""Where a writer's segments are: a ring of files in a folder of ours, or one file that somebody named."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from array import array
from collections import OrderedDict
from pathlib import Path
from typing import Protocol

import psutil

from broker.capture.numbers import CHUNKS_A_SEGMENT
from broker.capture.segment import Segment

log = logging.getLogger(__name__)


class Spool(Protocol):
    """Gives files to write to, and tells where a chunk lies.

    Attributes:
        is_brief: Whether what is written goes again by itself.
    """

    is_brief: bool

    def begin(self, segment: int) -> Segment:
        """Begin the file of this segment. Raises OSError."""
        ...

    def make_room(self) -> bool:
        """The disk is full: give up something old. Whether anything was freed."""
        ...

    def finished(self, segment: int, file: Segment) -> None:
        """A segment has been closed."""
        ...

    def place(self, segment: int, chunk: int) -> tuple[Path, int, int] | None:
        """File, first byte and length of a Chunk record; None if it is not kept."""
        ...

    def clear(self) -> None:
        """Delete everything."""
        ...

    @property
    def closed_bytes(self) -> int:
        """Bytes of the closed segments that are still there."""
        ...


class RingSpool:
    """Segments in a folder; the oldest go when there are too many bytes."""

    is_brief = True

    def __init__(self, folder: Path, ring_bytes: int, library: str) -> None:
        """Make the folder, readable by its owner only, and clear away what dead sessions left in it.

        Args:
            folder: Of all sessions; ours is a folder in it.
            ring_bytes: How much all closed segments may take.
            library: Written into each file.

        Raises:
            OSError: The folder cannot be made.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        clear_abandoned(folder)
        self.folder = folder / f"session-{os.getpid()}-{os.urandom(3).hex()}"
        self.folder.mkdir(mode=0o700)
        self._ring_bytes = ring_bytes
        self._library = library
        self._segments: OrderedDict[int, tuple[Path, int, array[int], array[int]]] = OrderedDict()
        self._open: dict[int, Segment] = {}
        self._closed_bytes = 0

    @property
    def closed_bytes(self) -> int:
        """Bytes of the closed segments that are still there."""
        return self._closed_bytes

    def begin(self, segment: int) -> Segment:
        """Begin the file of this segment."""
        file = Segment(self.folder / f"{segment:06}.mcap", self._library)
        self._open[segment] = file
        return file

    def finished(self, segment: int, file: Segment) -> None:
        """A segment has been closed: keep it as long as the ring has room."""
        self._open.pop(segment, None)
        self._segments[segment] = (file.path, file.size, file.places, file.lengths)
        self._closed_bytes += file.size
        while self._closed_bytes > self._ring_bytes and self._drop_oldest():
            pass

    def make_room(self) -> bool:
        """Give up the oldest closed segment."""
        return self._drop_oldest()

    def _drop_oldest(self) -> bool:
        if not self._segments:
            return False
        _, (path, size, _, _) = self._segments.popitem(last=False)
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        self._closed_bytes -= size
        return True

    def place(self, segment: int, chunk: int) -> tuple[Path, int, int] | None:
        """Where a chunk lies; None if the ring has let it go."""
        file = self._open.get(segment)
        if file is not None:
            return _place(file.path, file.places, file.lengths, chunk)
        kept = self._segments.get(segment)
        return _place(kept[0], kept[2], kept[3], chunk) if kept is not None else None

    def clear(self) -> None:
        """Delete everything."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._segments.clear()
        self._closed_bytes = 0


class FileSpool:
    """One file that grows until it is closed."""

    is_brief = False
    closed_bytes = 0

    def __init__(self, path: Path, library: str) -> None:
        self.path = path
        self._library = library
        self._file: Segment | None = None

    def begin(self, segment: int) -> Segment:  # noqa: ARG002  there is only one
        """Begin the file."""
        self._file = Segment(self.path, self._library)
        return self._file

    def finished(self, segment: int, file: Segment) -> None:
        """It stays where it is."""

    def make_room(self) -> bool:
        """Nothing here may be given up."""
        return False

    def clear(self) -> None:
        """Delete it."""
        self.path.unlink(missing_ok=True)

    def place(self, segment: int, chunk: int) -> tuple[Path, int, int] | None:
        """Where a chunk lies."""
        ordinal = chunk + (segment - 1) * CHUNKS_A_SEGMENT  # a recording of days counts on in the segment
        return _place(self.path, self._file.places, self._file.lengths, ordinal) if self._file is not None else None


def clear_abandoned(folder: Path) -> None:
    """Delete the folders of sessions whose process is gone."""
    for left in folder.glob("session-*-*"):
        number = left.name.split("-")[1]
        if number.isdecimal() and not psutil.pid_exists(int(number)):
            log.info("deleting what session %s left behind", left.name)
            shutil.rmtree(left, ignore_errors=True)


def _place(path: Path, places: array[int], lengths: array[int], chunk: int) -> tuple[Path, int, int] | None:
    if chunk >= len(places) or not lengths[chunk]:
        return None
    return path, places[chunk], lengths[chunk]
