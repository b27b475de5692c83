"""Lines of the overview that somebody has muted or taken note of, kept for each connection. No Qt."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from app.disk import Disk
from broker.mesh.answers import Concern

log = logging.getLogger(__name__)
_ORDER: Final = ("note", "slow", "failed")


class Mute(msgspec.Struct, frozen=True):
    """A line that is not shown.

    Attributes:
        key: Of the concern.
        title: What it said then.
        severity: How bad it was then; a worse one is shown again if it was only taken note of.
        since_ns: Since when it is muted, in ns since the epoch.
        until_ns: Until when; 0 until it is over by itself: taken note of.
    """

    key: str
    title: str
    severity: str
    since_ns: int
    until_ns: int = 0

    @property
    def is_note(self) -> bool:
        """Whether it was taken note of: it is shown when it comes back, or becomes worse."""
        return self.until_ns == 0


class Split(NamedTuple):
    """Concerns that are shown, and those that are muted, with their mute."""

    shown: tuple[Concern, ...]
    muted: tuple[tuple[Mute, Concern | None], ...]


class _Kept(msgspec.Struct):
    mutes: list[Mute] = []


class Mutes:
    """What is muted on one connection."""

    def __init__(self, path: Path | None = None, disk: Disk | None = None) -> None:
        """Read what is kept; not on the GUI thread.

        Args:
            path: The file; None for mutes that are forgotten in the end. A file that cannot be read counts as empty.
            disk: Writes the file.
        """
        self._path, self._disk = path, disk or Disk()
        self._mutes: dict[str, Mute] = {}
        if path is not None and path.exists():
            try:
                kept = msgspec.json.decode(path.read_bytes(), type=_Kept).mutes
            except (OSError, msgspec.DecodeError) as error:
                log.info("cannot read what is muted from %s: %s", path, error)
            else:
                self._mutes = {mute.key: mute for mute in kept}

    def __len__(self) -> int:
        return len(self._mutes)

    def add(self, concern: Concern, now_ns: int, until_ns: int) -> None:
        """Mute a line until a moment; for 0 until it is over."""
        self._mutes[concern.key] = Mute(concern.key, concern.title, concern.severity, now_ns, until_ns)
        self._save()

    def remove(self, key: str) -> None:
        """Show a line again."""
        if self._mutes.pop(key, None) is not None:
            self._save()

    def clear(self) -> None:
        """Show all of them again."""
        if self._mutes:
            self._mutes.clear()
            self._save()

    def split(self, concerns: Sequence[Concern], now_ns: int, *, is_all: bool) -> Split:
        """Concerns that are shown, and those that are muted; mutes that are over are forgotten.

        Args:
            concerns: What is wrong, worst first.
            now_ns: The moment.
            is_all: Whether these are all concerns of now: without a filter, and not looking back.
        """
        found = {concern.key: concern for concern in concerns}
        over = [mute.key for mute in self._mutes.values() if self._is_over(mute, found.get(mute.key), now_ns, is_all)]
        for key in over:
            del self._mutes[key]
        if over:
            self._save()
        shown = tuple(concern for concern in concerns if concern.key not in self._mutes)
        return Split(shown, tuple((mute, found.get(mute.key)) for mute in self._mutes.values()))

    @staticmethod
    def _is_over(mute: Mute, concern: Concern | None, now_ns: int, is_all: bool) -> bool:
        if not mute.is_note:
            return now_ns >= mute.until_ns
        if concern is None:
            return is_all
        return _ORDER.index(concern.severity) > _ORDER.index(mute.severity)

    def _save(self) -> None:
        if self._path is None:
            return
        text = msgspec.json.encode(_Kept(list(self._mutes.values()))).decode()
        self._disk.write(self._path, text, "What is muted")
