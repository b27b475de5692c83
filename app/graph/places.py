"""Where boxes were, kept by name from one sitting to the next. No Qt."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

import msgspec

from app.disk import Disk
from app.graph.plan import Point

log = logging.getLogger(__name__)
MOST_PICTURES: Final = 24


class Places(msgspec.Struct):
    """The places of one picture.

    Attributes:
        at: Middle of each box, by key; also of those that are not there now.
        pinned: Keys that were put there by hand.
        bends: Points that a line passes, by its key.
    """

    at: dict[str, Point] = {}
    pinned: list[str] = []
    bends: dict[str, list[Point]] = {}

    def move(self, key: str, point: Point) -> None:
        """Put a box somewhere by hand; it is not laid out from then on."""
        self.at[key] = point
        if key not in self.pinned:
            self.pinned.append(key)

    def unpin(self, key: str = "") -> None:
        """Let a box, or all if none is named, be laid out again."""
        self.pinned = [other for other in self.pinned if key and other != key]


class Openness(msgspec.Struct):
    """Which groups of one grouping are open.

    Attributes:
        by_default: Whether those are that are not named; None where nobody has said so yet.
        others: Keys of the groups that are not as the default says.
    """

    by_default: bool | None = None
    others: list[str] = []


class _Kept(msgspec.Struct):
    pictures: dict[str, Places] = {}
    groups: dict[str, Openness] = {}


class PlaceStore:
    """Places by the name of the picture ("service/layered"), in one JSON file for a connection."""

    def __init__(self, path: Path | None = None, disk: Disk | None = None) -> None:
        """Read what is kept; not on the GUI thread.

        Args:
            path: The file; None for places that are forgotten in the end. A file that
                cannot be read counts as empty.
            disk: Writes the file.
        """
        self._path, self._disk = path, disk or Disk()
        self._pictures: dict[str, Places] = {}
        self._groups: dict[str, Openness] = {}
        if path is not None and path.exists():
            try:
                kept = msgspec.json.decode(path.read_bytes(), type=_Kept)
                self._pictures, self._groups = kept.pictures, kept.groups
            except (OSError, msgspec.DecodeError) as error:
                log.info("cannot read the places kept in %s: %s", path, error)

    def places(self, picture: str) -> Places:
        """The places of a picture; changing them changes the store."""
        return self._pictures.setdefault(picture, Places())

    def openness(self, group_by: str) -> Openness:
        """Which groups of a grouping are open; changing it changes the store."""
        return self._groups.setdefault(group_by, Openness())

    def save(self) -> None:
        """Let the file be written soon, as it is now."""
        if self._path is None:
            return
        kept = dict(list(self._pictures.items())[-MOST_PICTURES:])
        text = msgspec.json.encode(_Kept(kept, self._groups)).decode()
        self._disk.write(self._path, text, "Places of the graph")


class _InUse:
    store = PlaceStore()


def current_store() -> PlaceStore:
    """The store of the connection that is open."""
    return _InUse.store


def use_store(store: PlaceStore) -> None:
    """Take the places of another connection into use; graphs that are built or emptied from now on read it."""
    _InUse.store = store
