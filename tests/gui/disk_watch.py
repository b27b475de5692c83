"""Notices who touches files in the GUI thread."""

from __future__ import annotations

import os
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

import app

TOUCHES: Final = frozenset(
    f"os.{each}" for each in ("chmod", "listdir", "mkdir", "remove", "rename", "rmdir", "scandir", "truncate", "utime")
) | {"open", "subprocess.Popen", "os.posix_spawn", "os.fork"}
OURS: Final = tuple(
    str(Path(each).resolve()) for each in (sys.prefix, sys.base_prefix, Path(app.__file__).parents[1], "/proc", "/dev")
)
"""What the program is made of is read as it is imported; that is no business of a user's disk."""


class DiskWatch:
    """What was done to files in this thread, a line each, with where in our code."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.elsewhere: set[str] = set()
        self._thread = threading.get_ident()

    def take(self, event: str, path: object) -> None:
        if not isinstance(path, str | bytes | os.PathLike):
            return
        name = os.fsdecode(path)
        if event != "subprocess.Popen" and name.startswith(OURS):
            return
        if threading.get_ident() != self._thread:
            self.elsewhere.add(Path(name).name)
            return
        frames = [each for each in traceback.extract_stack() if "/app/" in each.filename or "/broker/" in each.filename]
        where = " < ".join(f"{Path(each.filename).name}:{each.lineno}" for each in reversed(frames[-4:]))
        if frames:
            self.seen.append(f"{event} {name} by {where}")


class _Now:
    watch: DiskWatch | None = None
    is_hooked = False


def _hook(event: str, args: tuple[Any, ...]) -> None:
    watch = _Now.watch
    if watch is not None and event in TOUCHES:
        watch.take(event, args[0] if args else "")


@contextmanager
def disk_watch(monkeypatch: pytest.MonkeyPatch) -> Iterator[DiskWatch]:
    """Watch what this thread does to files, and what it asks of them."""
    if not _Now.is_hooked:
        sys.addaudithook(_hook)  # there is no taking it away again
        _Now.is_hooked = True
    watch = DiskWatch()
    ask = os.stat

    def stat(path: Any, *more: Any, **named: Any) -> os.stat_result:
        watch.take("os.stat", path)
        return ask(path, *more, **named)

    monkeypatch.setattr(os, "stat", stat)
    _Now.watch = watch
    try:
        yield watch
    finally:
        _Now.watch = None
        monkeypatch.setattr(os, "stat", ask)
