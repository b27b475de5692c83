"""A small table of texts inside a panel: no scrolling, as high as it has rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QContextMenuEvent, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app import theme
from app.widgets.controls import Tone

ROW_PX = 24


class Cell(NamedTuple):
    """A text in a tone."""

    text: str
    tone: Tone = ""


class MiniRow(NamedTuple):
    """Cells, and what choosing the row means."""

    cells: Sequence[Cell]
    subject: Any = None
    tip: str = ""


class MiniTable(QWidget):
    """Rows of a few texts. A click or Enter chooses a row."""

    chosen = Signal(object)
    menu_wanted = Signal(object, QPoint)
    """What a row means, and where on the screen its menu belongs."""

    def __init__(self, name: str, heads: Sequence[str], widths: Sequence[int], parent: QWidget | None = None) -> None:
        """Make the table.

        Args:
            name: Its accessible name.
            heads: Heading of each column; none for no headings.
            widths: Of each column in pixels: 0 takes what is left, negative ones line up at the right.
            parent: What it belongs to.
        """
        super().__init__(parent)
        self._name = name
        self._heads, self._widths = tuple(heads), tuple(widths)
        self._rows: list[MiniRow] = []
        self._current = -1
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)

    def show_rows(self, rows: Sequence[MiniRow]) -> None:
        """Show these rows."""
        is_other = len(rows) != len(self._rows)
        self._rows = list(rows)
        self._current = min(self._current, len(rows) - 1)
        self.setAccessibleDescription("; ".join(" ".join(c.text for c in row.cells) for row in rows))
        if is_other:
            self.setFixedHeight(self.sizeHint().height())
        self.update()

    def texts(self) -> list[list[str]]:
        """What it says, row by row."""
        return [[cell.text for cell in row.cells] for row in self._rows]

    def sizeHint(self) -> QSize:
        """As high as its rows."""
        return QSize(240, ROW_PX * (len(self._rows) + bool(self._heads)) + 1)

    def _boxes(self, top: int) -> list[QRect]:
        left = self.width() - sum(abs(width) for width in self._widths)
        boxes, x = [], 0
        for width in self._widths:
            real = abs(width) or max(40, left)
            boxes.append(QRect(x, top, real, ROW_PX))
            x += real
        return boxes

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Headings, rows, hairlines."""
        painter = QPainter(self)
        colours = theme.current()
        top = 0
        if self._heads:
            painter.setFont(theme.font(theme.SMALL_PX))
            cells = [Cell(head, "dim") for head in self._heads]
            self._paint_row(painter, cells, top, colours.surface1)
            top += ROW_PX
        painter.setFont(theme.font(12))
        for number, row in enumerate(self._rows):
            ground = colours.selected if number == self._current and self.hasFocus() else colours.surface1
            painter.fillRect(0, top, self.width(), ROW_PX, QColor(ground))
            self._paint_row(painter, row.cells, top, ground)
            top += ROW_PX
        painter.end()

    def _paint_row(self, painter: QPainter, cells: Sequence[Cell], top: int, ground: str) -> None:
        colours = theme.current()
        metrics = painter.fontMetrics()
        for cell, box, width in zip(cells, self._boxes(top), self._widths, strict=True):
            painter.setPen(QColor(colours.ink(colours.colours()[cell.tone], ground) if cell.tone else colours.text))
            side = Qt.AlignmentFlag.AlignRight if width < 0 else Qt.AlignmentFlag.AlignLeft
            inside = box.adjusted(2, 0, -6 if width >= 0 else -4, 0)
            text = metrics.elidedText(cell.text, Qt.TextElideMode.ElideRight, inside.width())
            painter.drawText(inside, side | Qt.AlignmentFlag.AlignVCenter, text)
        painter.setPen(QColor(colours.line))
        painter.drawLine(0, top + ROW_PX - 1, self.width(), top + ROW_PX - 1)

    def _row_at(self, y: float) -> int:
        row = int(y) // ROW_PX - bool(self._heads)
        return row if 0 <= row < len(self._rows) else -1

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Whoever comes with the keyboard sees where it is."""
        super().focusInEvent(event)
        if self._current < 0 and self._rows:
            self._current = 0
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose a row."""
        self._current = self._row_at(event.position().y())
        self._choose()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show the hand and the tip of a row."""
        row = self._row_at(event.position().y())
        can = row >= 0 and self._rows[row].subject is not None
        self.setCursor(Qt.CursorShape.PointingHandCursor if can else Qt.CursorShape.ArrowCursor)
        self.setToolTip(self._rows[row].tip if row >= 0 else "")

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The menu of the row under the mouse, or of the one with the keyboard."""
        by_mouse = event.reason() == QContextMenuEvent.Reason.Mouse
        number = self._row_at(event.pos().y()) if by_mouse else self._current
        if 0 <= number < len(self._rows) and self._rows[number].subject is not None:
            self.menu_wanted.emit(self._rows[number].subject, event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows move, Enter chooses."""
        match event.key():
            case Qt.Key.Key_Down:
                self._current = min(len(self._rows) - 1, self._current + 1)
            case Qt.Key.Key_Up:
                self._current = max(0, self._current - 1)
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self._choose()
            case _:
                super().keyPressEvent(event)
                return
        self.update()

    def _choose(self) -> None:
        self.update()
        if 0 <= self._current < len(self._rows) and self._rows[self._current].subject is not None:
            self.chosen.emit(self._rows[self._current].subject)
