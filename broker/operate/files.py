"""Small files of the user's that two processes may write: locked, private, replaced at once."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock that other processes respect who ask for the same one. Waits for them.

    Args:
        path: Of the lock's own file; made where it is missing, and left there.

    Raises:
        OSError: It cannot be made.
    """
    make_folder(path.parent)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, FILE_MODE), "r+b") as file:
        _lock(file)
        yield  # closing the file gives the lock back, and so does the end of the process


def make_folder(folder: Path) -> None:
    """Make a folder that is its user's alone. Raises OSError."""
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)


def replace_file(path: Path, text: str) -> None:
    """Write a file so that whoever reads it sees the old or the new one, never half of it. Raises OSError."""
    make_folder(path.parent)
    beside = path.with_suffix(f".{os.getpid()}.new")
    try:
        with os.fdopen(
            os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE), "w", encoding="utf-8"
        ) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        file.seek(0)
        while True:
            try:
                msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)  # gives up after ten tries of a second
            except OSError:
                continue
            return
else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX)
