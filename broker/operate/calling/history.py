"""What was sent before: kept in the user's state folder, bounded, the same for all windows, without secrets.

Several windows write at once. Nobody rewrites a file: a line is appended to
the newest segment, a segment that is full is followed by the next, and the
oldest is deleted.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final

import platformdirs

from broker.operate.calling.masked import USUAL, mask_text
from broker.operate.calling.request import Request, from_plain
from broker.operate.masks import Masks

log = logging.getLogger(__name__)

SEGMENT_BYTES: Final = 256 * 1024
SEGMENTS: Final = 8
MOST_LETTERS: Final = 16_000
"""Longer texts are not kept: a history is to find a call again, not to hold a payload of megabytes."""
TOO_LONG: Final = '"•••• too long to be kept"'


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was sent, and what became of it.

    Attributes:
        at_ns: When, in ns since the epoch.
        place: The profile, or the URL without password.
        request: What was sent, variables as they were written, secrets masked.
        outcome: Of the report.
        message: In words, for instance ``422 VALIDATION_ERROR``; empty when all went well.
        duration_ms: Of a call; 0 for none.
        node_id: Who answered.
        size_bytes: Of the answer.
    """

    at_ns: int
    place: str
    request: Request
    outcome: str
    message: str = ""
    duration_ms: float = 0.0
    node_id: str = ""
    size_bytes: int = 0

    @property
    def searched(self) -> str:
        """What is looked through when somebody searches."""
        request = self.request
        parts = (request.name, request.kind, self.place, self.outcome, self.message, self.node_id, request.node_id)
        return " ".join((*parts, request.params, request.meta)).casefold()


def default_folder() -> Path:
    """Where the history is kept on this machine."""
    return Path(platformdirs.user_state_dir("meshscope", appauthor=False)) / "calls"


@dataclass(slots=True)
class History:
    """What was sent before, newest first.

    Attributes:
        folder: Where it is kept; None to keep it in memory only.
        masks: What is masked.
        trouble: Why the last entry is in memory only; None if it is on the disk.
    """

    folder: Path | None = None
    masks: Masks = USUAL
    trouble: OSError | None = None
    _read: dict[str, tuple[int, list[Entry]]] = field(default_factory=dict, repr=False)
    _here: list[Entry] = field(default_factory=list, repr=False)

    def add(self, entry: Entry) -> Entry:
        """Keep an entry, masked; what is kept is given back. What a disk says no to is kept in memory: `trouble`."""
        kept = replace(entry, request=self._masked(entry.request))
        if self.folder is None:
            self._here.insert(0, kept)
            return kept
        try:
            self._append(kept)
        except OSError as error:
            self.trouble = error
            self._here.insert(0, kept)
        else:
            self.trouble = None
        return kept

    def entries(self) -> list[Entry]:
        """All that is kept, newest first. Reads only what has grown since it was read."""
        found = list(self._here)
        for path in self._segments():
            found += self._segment(path)
        return sorted(found, key=lambda entry: -entry.at_ns)

    def search(self, words: str) -> list[Entry]:
        """The entries that hold every one of some words, newest first."""
        wanted = words.casefold().split()
        return [entry for entry in self.entries() if all(word in entry.searched for word in wanted)]

    def clear(self) -> None:
        """Forget everything, on the disk too. Raises OSError."""
        self._here.clear()
        self._read.clear()
        for path in self._segments():
            path.unlink(missing_ok=True)

    def _masked(self, request: Request) -> Request:
        def kept(text: str) -> str:
            masked = mask_text(text, self.masks)
            return masked if len(masked) <= MOST_LETTERS else TOO_LONG

        return request.with_texts(kept)

    def _segments(self) -> list[Path]:
        if self.folder is None or not self.folder.is_dir():
            return []
        return sorted(path for path in self.folder.glob("*.jsonl") if path.stem.isdecimal())

    def _append(self, entry: Entry) -> None:
        assert self.folder is not None  # noqa: S101  asked before
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        segments = self._segments()
        number = int(segments[-1].stem) if segments else 1
        if segments and segments[-1].stat().st_size >= SEGMENT_BYTES:
            number += 1
        path = self.folder / f"{number:08d}.jsonl"
        line = json.dumps(_to_plain(entry), separators=(",", ":"))
        is_new = not path.exists()
        with path.open("ab") as file:  # one write of one line: windows that append at once do not mix
            file.write(f"{line}\n".encode())
        if is_new:
            path.chmod(0o600)
        for old in segments[: max(0, len(segments) + is_new - SEGMENTS)]:
            self._read.pop(old.name, None)
            try:
                old.unlink(missing_ok=True)
            except OSError as error:
                log.info("cannot remove %s: %s", old, error)

    def _segment(self, path: Path) -> list[Entry]:
        try:
            size = path.stat().st_size
            known_size, entries = self._read.get(path.name, (0, []))
            if size < known_size:
                known_size, entries = 0, []
            if size > known_size:
                with path.open("rb") as file:
                    file.seek(known_size)
                    lines = file.read(size - known_size)
                whole = lines.rfind(b"\n") + 1  # another window may be in the middle of a line
                entries = entries + [made for line in lines[:whole].splitlines() if (made := _from_line(line))]
                self._read[path.name] = (known_size + whole, entries)
        except OSError as error:
            log.info("cannot read %s: %s", path, error)
            return []
        return entries


def _to_plain(entry: Entry) -> dict[str, Any]:
    plain = {known.name: getattr(entry, known.name) for known in fields(Entry)}
    return plain | {"request": entry.request.to_plain()}


def _from_line(line: bytes) -> Entry | None:
    """An entry; None for a line that is none, for instance of a disk that was full."""
    try:
        plain = json.loads(line)
        request = from_plain(plain["request"])
        made = Entry(int(plain["at_ns"]), str(plain["place"]), request, str(plain["outcome"]))
        usual = asdict(made)
        rest = {name: type(usual[name])(plain.get(name, usual[name])) for name in _REST}
        return replace(made, **rest)
    except (ValueError, TypeError, KeyError):
        return None


_REST: Final = ("message", "duration_ms", "node_id", "size_bytes")
