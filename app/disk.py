"""Small files of the window's, written in a thread: the window never waits for a disk. No Qt."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from app.errands import Errands
from broker.operate.files import replace_file

log = logging.getLogger(__name__)
ADVICE: Final = "Free some space, or make it writable; it is tried again with the next change."


class Disk(Errands):
    """Reads and writes in order; what a disk says no to is told once, until it works again.

    Attributes:
        tell: Told what cannot be kept and why, and what to do; in the thread. The log alone is told if it is None.
    """

    def __init__(self) -> None:
        super().__init__("disk")
        self.tell: Callable[[str, str], None] | None = None
        self._in_trouble: set[Path] = set()

    def write(self, path: Path, text: str, what: str) -> None:
        """Let a file hold this text. A text that still waits for the same file is not written any more.

        Args:
            path: Its folder is made.
            text: All that it holds then.
            what: What is kept in it, for whoever is told that it is not: "Preferences".
        """
        self.run(partial(self._write, path, text, what), path)

    def note(self, path: Path, what: str, error: OSError | None) -> None:
        """Something was written by somebody else, or could not be. In the thread.

        Args:
            path: Where.
            what: As in `write`.
            error: Why it could not; None if it could.
        """
        if error is None:
            self._in_trouble.discard(path)
            return
        problem = f"{what} cannot be kept in {path}: {error.strerror or error}."
        log.info("%s", problem)
        if path not in self._in_trouble:
            self._in_trouble.add(path)
            if self.tell is not None:
                self.tell(problem, ADVICE)

    def _write(self, path: Path, text: str, what: str) -> None:
        try:
            replace_file(path, text)
        except OSError as error:
            self.note(path, what, error)
        else:
            self.note(path, what, None)
