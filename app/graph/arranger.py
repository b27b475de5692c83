"""Decides when a graph is laid out anew, and when new boxes are only put beside their neighbours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal

from app.graph.beside import place_beside
from app.graph.layouter import Layouter
from app.graph.meanwhile import meanwhile
from app.graph.places import Places, PlaceStore, current_store
from app.graph.plan import Kind, Line, Placing, Plan, Point

YOUNG_MS: Final = 12_000
"""So long after a picture was begun everything may still move: the mesh is just being found out."""
BETWEEN_MS: Final = 900
SAVE_AFTER_MS: Final = 1_500
MANY_BOXES: Final = 200
"""So many take so long to lay out that something else is shown before."""

Ends = tuple[str, str, str, float]
"""A line: its key, the keys of its ends, its weight."""


class Arranger(QObject):
    """Places for the boxes of one picture.

    A picture without places is laid out whole, and again while it is young and
    grows. Later what is new stands beside its neighbours and nothing else
    moves, unless there is more new than known. What was put somewhere by hand
    stays there in every layout.
    """

    arranged = Signal(object, object, bool)
    """Places by key, bends by line, and whether cards may glide there."""
    told = Signal(str)
    """Why the layout is not what was asked for; "" when it is."""

    def __init__(self, parent: QObject | None = None, layouter: Layouter | None = None) -> None:
        super().__init__(parent)
        self._layouter = layouter or Layouter(self)
        self._layouter.placed.connect(self._on_placed)
        self._store: PlaceStore = current_store()
        self._picture = ""
        self._kind: Kind = "layered"
        self._boxes: list[str] = []
        self._lines: list[Ends] = []
        self._shape: object = None
        self._width = self._height = 1.0
        self._frames: dict[str, str] = {}
        self._wants_whole = False
        self._number = 0
        self._age = QElapsedTimer()
        self._is_touched = False
        self._later = _single_shot(self, BETWEEN_MS, self._lay_out)
        self._save = _single_shot(self, SAVE_AFTER_MS, self._write)

    @property
    def places(self) -> Places:
        """The places of the picture that is shown."""
        return self._store.places(self._picture)

    @property
    def is_busy(self) -> bool:
        """Whether a layout is under way or about to be."""
        return self._layouter.is_busy or self._later.isActive()

    def begin(self, picture: str, kind: Kind) -> None:
        """Another picture: another grouping, layout or connection."""
        self._store = current_store()
        self._picture, self._kind, self._shape = picture, kind, None
        # what was placed in an earlier sitting is not moved about in this one
        self._is_touched = bool(self.places.at)
        self._age.start()
        self._later.stop()
        self._layouter.cancel()

    def want_whole(self) -> None:
        """What comes next is laid out whole: somebody opened or closed a group."""
        self._wants_whole = True

    def arrange(
        self,
        boxes: Sequence[str],
        lines: Sequence[Ends],
        width: float,
        height: float,
        frames: Mapping[str, str] | None = None,
    ) -> None:
        """Find a place for each box; nothing happens while boxes and lines are the same.

        Args:
            boxes: Keys.
            lines: Between them.
            width, height: Of a box.
            frames: The frame of each box that stands in one.
        """
        shape = (frozenset(boxes), frozenset(line[:3] for line in lines))
        if shape == self._shape:
            return
        is_first, self._shape = self._shape is None, shape
        self._boxes, self._lines = sorted(boxes), sorted(lines)
        was, self._frames = self._frames, dict(frames or {})
        self._width, self._height = width, height
        if self._wants_whole:
            self._wants_whole = False
            self._show_meanwhile(was)
            self._lay_out()
            return
        known = self.places.at
        new = [key for key in self._boxes if key not in known]
        is_young = not self._is_touched and self._age.elapsed() < YOUNG_MS
        # beside its neighbours a new box would stand in somebody else's frame
        is_framed = bool(self._frames) and bool(new) and not self.places.pinned
        if len(new) > len(self._boxes) / 2 or is_framed or (is_young and not is_first and not self.places.pinned):
            self._want_layout(is_first=is_first)
            if len(new) == len(self._boxes):
                if len(new) > MANY_BOXES:
                    self._show_meanwhile(was)
                return
        if new:
            pairs = [(source, target) for _, source, target, _ in self._lines]
            here = {key: known[key] for key in self._boxes if key in known}
            known.update(place_beside(new, here, pairs, width, height))
            self._save.start()
        self._give(glides=not is_first)

    def lay_out(self, *, forgets_pins: bool = False) -> None:
        """Lay out anew, because somebody asks for it."""
        if forgets_pins:
            self.places.unpin()
        self._is_touched = False
        self._age.start()
        self._lay_out()

    def move(self, key: str, point: Point) -> None:
        """Somebody put a box somewhere."""
        self._is_touched = True
        places = self.places
        places.move(key, point)
        for line, source, target, _ in self._lines:
            if key in (source, target):
                places.bends.pop(line, None)
        self._save.start()

    def stop(self) -> None:
        """End the process and write what was not written yet."""
        self._later.stop()
        self._layouter.stop()
        if self._save.isActive():
            self._save.stop()
            self._store.save()

    def _write(self) -> None:
        self._store.save()

    def _show_meanwhile(self, was: Mapping[str, str]) -> None:
        """Something to look at until there is a layout; nobody is to find it again."""
        places = self.places
        at = meanwhile(self._boxes, self._frames, places.at, was, self._width, self._height)
        at |= {key: places.at[key] for key in places.pinned if key in at and key in places.at}
        self.arranged.emit(at, {}, True)

    def _want_layout(self, *, is_first: bool) -> None:
        if is_first or not self._layouter.is_busy:
            if not is_first:
                self._later.start()
            else:
                self._lay_out()
        else:
            self._later.start()

    def _lay_out(self) -> None:
        self._later.stop()
        if not self._boxes:
            return
        self._number += 1
        number_of = {key: number for number, key in enumerate(self._boxes)}
        lines = [
            Line(key, number_of[source], number_of[target], weight)
            for key, source, target, weight in self._lines
            if source in number_of and target in number_of
        ]
        known = self.places
        at = {key: known.at[key] for key in self._boxes if key in known.at}
        pinned = [key for key in known.pinned if key in at]
        # force begins where things are only to keep what is pinned: a fresh start finds better places
        inside: dict[str, list[int]] = {}
        for key, frame in self._frames.items():
            if key in number_of:
                inside.setdefault(frame, []).append(number_of[key])
        groups = [sorted(inside[frame]) for frame in sorted(inside)]
        plan = Plan(
            self._number,
            self._kind,
            self._boxes,
            lines,
            self._width,
            self._height,
            at if pinned else {},
            pinned,
            groups,
        )
        self._layouter.ask(plan)

    def _on_placed(self, placing: Placing) -> None:
        if placing.number != self._number:
            return
        places = self.places
        pinned = {key: places.at[key] for key in places.pinned if key in places.at}
        places.at.update(placing.at)
        places.at.update(pinned)
        moved = set(pinned)
        ends = {key: (source, target) for key, source, target, _ in self._lines} if placing.bends else {}
        places.bends = {
            key: points for key, points in placing.bends.items() if key in ends and not moved.intersection(ends[key])
        }
        missing = [key for key in self._boxes if key not in places.at]
        if missing:
            pairs = [(source, target) for _, source, target, _ in self._lines]
            places.at.update(place_beside(missing, places.at, pairs, self._width, self._height))
        self.told.emit(placing.problem)
        self._save.start()
        self._give(glides=True)

    def _give(self, *, glides: bool) -> None:
        places = self.places
        at = {key: places.at[key] for key in self._boxes if key in places.at}
        bends = {line[0]: places.bends[line[0]] for line in self._lines if line[0] in places.bends}
        self.arranged.emit(at, bends, glides)


def _single_shot(parent: QObject, ms: int, do: Callable[[], None]) -> QTimer:
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(ms)
    timer.timeout.connect(do)
    return timer
