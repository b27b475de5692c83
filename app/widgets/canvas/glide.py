"""Cards that glide to where they belong, so that the eye can follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QEasingCurve, QObject, QVariantAnimation

from app.widgets.canvas.items import Point

MS = 260
Places = Mapping[str, Point]
Bends = Mapping[str, Sequence[Point]]


class Glide:
    """One movement of all cards from where they are to where they belong."""

    def __init__(self, parent: QObject, show: Callable[[Places, Bends], None]) -> None:
        """Make it.

        Args:
            parent: Its lifetime.
            show: Takes the places of a moment.
        """
        self._show = show
        self._is_under_way = False
        self._begin: Places = {}
        self._end: Places = {}
        self._bends: Bends = {}
        self._animation = QVariantAnimation(parent)
        self._animation.setDuration(MS)
        self._animation.setStartValue(0.0)
        self._animation.setEndValue(1.0)
        self._animation.setEasingCurve(QEasingCurve.Type.InOutCubic)
        self._animation.valueChanged.connect(self._on_value)

    @property
    def is_under_way(self) -> bool:
        """Whether cards are moving."""
        return self._is_under_way

    def begin(self, begin: Places, end: Places, bends: Bends) -> None:
        """Move; new cards appear where they belong."""
        self._begin, self._end, self._bends = dict(begin), dict(end), dict(bends)
        self._is_under_way = True
        self._animation.start()

    def stop(self) -> None:
        """Stay where things are."""
        self._is_under_way = False
        self._animation.stop()

    def finish(self) -> None:
        """Be there at once."""
        if self._is_under_way:
            self.stop()
            self._show(self._end, self._bends)

    def _on_value(self, value: float) -> None:
        share = float(value)
        if not self._is_under_way:
            return
        if share >= 1.0:
            self._is_under_way = False
            self._show(self._end, self._bends)
            return
        at = {}
        for key, (x, y) in self._end.items():
            from_x, from_y = self._begin.get(key, (x, y))
            at[key] = (from_x + (x - from_x) * share, from_y + (y - from_y) * share)
        self._show(at, self._bends)
