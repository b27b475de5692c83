"""Which journals were looked at and found whole: a file of some bytes for each, bounded in number."""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

MOST: Final = 500
_MOST_BYTES: Final = 64
_SUFFIX: Final = ".whole"


class Verdicts:
    """Digests of journals by name, in a folder that is its owner's only. What cannot be kept is not known, no more."""

    def __init__(self, folder: Path, *, most: int = MOST) -> None:
        """
        Args:
            folder: Made when it is needed.
            most: Files kept; those not used for longest go.
        """
        self._folder = folder
        self._most = most

    def digest(self, name: str) -> bytes:
        """Of the journal of this name that was found whole; empty if none was."""
        place = self._place(name)
        try:
            with place.open("rb") as file:
                digest = file.read(_MOST_BYTES)
        except OSError:
            return b""
        with contextlib.suppress(OSError):
            os.utime(place)  # used just now
        return digest

    def remember(self, name: str, digest: bytes) -> None:
        """Keep that the journal of this name and digest was found whole."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # written in place: half a digest is that of no journal
            with os.fdopen(os.open(self._place(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(digest)
            self._tidy()
        except OSError as error:
            log.info("that a journal is whole cannot be kept: %s", error)

    def _tidy(self) -> None:
        found = sorted((entry.stat().st_mtime_ns, entry) for entry in self._folder.glob(f"*{_SUFFIX}"))
        for _, entry in found[: -self._most]:
            entry.unlink(missing_ok=True)

    def _place(self, name: str) -> Path:
        return self._folder / f"{name}{_SUFFIX}"
