"""Who did what, where and with what result: a log that is only ever added to, one line before an act and one after."""

from __future__ import annotations

import getpass
import json
import os
import socket
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import platformdirs

from broker.operate.files import FILE_MODE, locked, make_folder

FORMAT: Final = 1
MOST_BYTES: Final = 64 * 1024 * 1024
"""Of the log's end, how much is read."""

NO_ANSWER_YET: Final = "No outcome was written: it still runs, or the program ended before it was known."


class AuditError(Exception):
    """A line could not be written. What it was about must not be done."""


@dataclass(frozen=True, slots=True)
class Before:
    """What is about to be done.

    Attributes:
        id: Joins it with its outcome.
        at_ns: When, in ns since the epoch.
        who: ``user@host``.
        profile: Its name; empty for a bare URL.
        url: Without secrets.
        command: The act in a word: call, emit, broadcast, bench, unlock, trip, hold, reset, release, …
        namespace: Of the mesh.
        target: What it is done to.
        details: How; nothing secret is in it.
        confirm: The second step that was taken: ask, type, or none.
        may: What the session may do.
        source: ``window`` or ``command line``.
    """

    id: str
    at_ns: int
    who: str
    profile: str
    url: str
    command: str
    namespace: str = ""
    target: str = ""
    details: str = ""
    confirm: str = ""
    may: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class After:
    """What became of it. Attributes as of a Report."""

    id: str
    at_ns: int
    outcome: str
    message: str = ""
    targets: tuple[dict[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """An act as it is read back.

    Attributes:
        before: What was to be done; None for an outcome whose first line is not there.
        after: Its outcome; None where none was written.
        unreadable: A line that is none of ours, as it stands there.
    """

    before: Before | None = None
    after: After | None = None
    unreadable: str = ""

    @property
    def at_ns(self) -> int:
        """When it was done; 0 for what cannot be read."""
        return self.before.at_ns if self.before else self.after.at_ns if self.after else 0

    @property
    def outcome(self) -> str:
        """In a word. What has no second line is unknown: it may have been done."""
        if self.unreadable:
            return "unreadable"
        return self.after.outcome if self.after else "unknown"

    @property
    def message(self) -> str:
        """What is told of the outcome."""
        if self.unreadable:
            return "This line of the log cannot be read."
        return self.after.message if self.after else NO_ANSWER_YET


@dataclass(frozen=True, slots=True)
class Page:
    """What was read.

    Attributes:
        entries: The newest first; lines that cannot be read stand where they are in the file.
        left_out_bytes: Of the log's beginning, how much was not read.
    """

    entries: tuple[Entry, ...] = ()
    left_out_bytes: int = 0


def default_path() -> Path:
    """Where the log is kept on this machine."""
    return Path(platformdirs.user_state_dir("meshscope", appauthor=False)) / "audit.jsonl"


@dataclass(slots=True)
class Audit:
    """The log of this machine's user. Methods may be called from any thread; several processes may write.

    Attributes:
        path: The file, its user's alone; JSON, one object a line.
    """

    path: Path = field(default_factory=default_path)

    def write(self, line: Before | After) -> None:
        """Add a line and wait until the disk has it.

        Raises:
            AuditError: It cannot be kept; why, and what to do.
        """
        plain = {"format": FORMAT, "step": "before" if isinstance(line, Before) else "after", **asdict(line)}
        text = json.dumps(plain, ensure_ascii=True).encode() + b"\n"
        try:
            with locked(self.path.with_suffix(".lock")):
                _append(self.path, text)
        except OSError as error:
            raise AuditError(
                f"The audit log {self.path} cannot be written: {error.strerror or error}. "
                "Without it nothing is done: free some space, or make it writable."
            ) from error

    def read(self, *, most_bytes: int = MOST_BYTES) -> Page:
        """What was done, the newest first.

        Args:
            most_bytes: Of the file's end, how much is read.

        Raises:
            AuditError: It is there and cannot be read.
        """
        try:
            with self.path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                begin = max(0, size - most_bytes)
                file.seek(begin)
                if begin:
                    begin += len(file.readline())  # the rest of a line that began before
                lines = file.read().splitlines()
        except FileNotFoundError:
            return Page()
        except OSError as error:
            raise AuditError(f"The audit log {self.path} cannot be read: {error.strerror or error}.") from error
        return Page(tuple(reversed(list(_entries(lines)))), begin)


_TEXTS: Final = {each.name for kind in (Before, After) for each in fields(kind)} - {"at_ns", "targets"}


def new_id() -> str:
    """An id for one act."""
    return uuid4().hex


@cache
def who() -> str:
    """``user@host`` of whoever runs this."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # an id without a name, as in containers
        user = str(os.getuid()) if hasattr(os, "getuid") else "somebody"
    return f"{user}@{socket.gethostname()}"


def _append(path: Path, text: bytes) -> None:
    """Add a line whole or not at all; the lock is held. Raises OSError."""
    make_folder(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, FILE_MODE)
    try:
        size = os.lseek(descriptor, 0, os.SEEK_END)
        if size and _last_byte(descriptor, size) != b"\n":
            text = b"\n" + text  # whoever wrote last was stopped in the middle
        try:
            _write_all(descriptor, text)
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, size)  # half a line of ours says nothing
            raise
    finally:
        os.close(descriptor)


def _last_byte(descriptor: int, size: int) -> bytes:
    os.lseek(descriptor, size - 1, os.SEEK_SET)
    return os.read(descriptor, 1)


def _write_all(descriptor: int, text: bytes) -> None:
    view = memoryview(text)
    while view:
        view = view[os.write(descriptor, view) :]


def _entries(lines: Iterable[bytes]) -> Iterator[Entry]:
    """Lines joined by id, in the order of the acts."""
    places: dict[str, int] = {}
    entries: list[Entry] = []
    for line in lines:
        if not line.strip():
            continue
        found = _line(line)
        if found is None:
            entries.append(Entry(unreadable=line.decode("utf-8", "replace")))
        elif isinstance(found, Before):
            places[found.id] = len(entries)
            entries.append(Entry(found))
        elif found.id in places:
            place = places[found.id]
            entries[place] = Entry(entries[place].before, found)
        else:
            entries.append(Entry(None, found))
    return iter(entries)


def _line(line: bytes) -> Before | After | None:
    """A line read; None for what is none of ours."""
    try:
        plain: Any = json.loads(line)
        step, known = plain.pop("step"), plain.pop("format")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    if not isinstance(known, int) or not all(_fits(name, value) for name, value in plain.items()):
        return None
    try:
        match step:
            case "before":
                return Before(**_known(Before, plain))
            case "after":
                return After(**_known(After, plain))
    except TypeError:  # a field is missing
        return None
    return None


def _known(kind: type[Before | After], plain: dict[str, Any]) -> dict[str, Any]:
    """What a newer program added is left out."""
    names = {each.name for each in fields(kind)}
    return {name: tuple(value) if name == "targets" else value for name, value in plain.items() if name in names}


def _fits(name: str, value: Any) -> bool:
    if name == "at_ns":
        return isinstance(value, int) and not isinstance(value, bool)
    if name == "targets":
        return isinstance(value, list) and all(isinstance(each, dict) for each in value)
    return name not in _TEXTS or isinstance(value, str)
