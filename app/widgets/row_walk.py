"""Rows of one height that are painted, not made of widgets: arrows walk them, a click or Enter chooses one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QSizePolicy, QWidget


class RowWalk(QWidget):
    """What tables and bars in panels have in common. Whoever paints the rows says what they mean."""

    chosen = Signal(object)
    """What a row means."""

    def __init__(self, name: str, row_px: int, *, head_rows: int = 0, parent: QWidget | None = None) -> None:
        """
        Args:
            name: Its accessible name.
            row_px: The height of a row.
            head_rows: How many rows above the first are headings.
            parent: What it belongs to.
        """
        super().__init__(parent)
        self._row_px, self._head_rows = row_px, head_rows
        self._meanings: list[Any] = []
        self._tips: list[str] = []
        self._current = -1
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)

    def _set_meanings(self, meanings: Sequence[Any], tips: Sequence[str]) -> None:
        """What each row means, None for nothing; and what the mouse is told over it."""
        self._meanings, self._tips = list(meanings), list(tips)
        self._current = min(self._current, len(self._meanings) - 1)

    def _is_marked(self, row: int) -> bool:
        """Whether the keyboard is at this row."""
        return row == self._current and self.hasFocus()

    def _meaning(self, row: int) -> Any:
        return self._meanings[row] if 0 <= row < len(self._meanings) else None

    def _row_at(self, y: float) -> int:
        row = int(y) // self._row_px - self._head_rows
        return row if 0 <= row < len(self._meanings) else -1

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Whoever comes with the keyboard sees where it is."""
        super().focusInEvent(event)
        if self._current < 0 and self._meanings:
            self._current = 0
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose a row."""
        self._current = self._row_at(event.position().y())
        self._choose()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show the hand and the tip of a row."""
        row = self._row_at(event.position().y())
        can = self._meaning(row) is not None
        self.setCursor(Qt.CursorShape.PointingHandCursor if can else Qt.CursorShape.ArrowCursor)
        self.setToolTip(self._tips[row] if row >= 0 else "")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows move, Enter chooses."""
        match event.key():
            case Qt.Key.Key_Down:
                self._current = min(len(self._meanings) - 1, self._current + 1)
            case Qt.Key.Key_Up:
                self._current = max(0, self._current - 1)
            # with a modifier it belongs to the view: Ctrl+Enter sends
            case Qt.Key.Key_Return | Qt.Key.Key_Enter if not self._has_modifier(event):
                self._choose()
            case _:
                super().keyPressEvent(event)
                return
        self.update()

    @staticmethod
    def _has_modifier(event: QKeyEvent) -> bool:
        return bool(event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier)

    def _choose(self) -> None:
        self.update()
        if self._meaning(self._current) is not None:
            self.chosen.emit(self._meaning(self._current))
