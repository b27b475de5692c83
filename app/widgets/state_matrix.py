"""Rows by columns of states: painted, only the cells that are seen; the keyboard walks over them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolTip, QWidget

from app import theme
from app.widgets.controls import Tone
from app.widgets.state_signs import paint_sign

ROW_PX: Final = 24
LEAST_COLUMN_PX, MOST_COLUMN_PX, LEVEL_PX = 26, 150, 92
"""A column is at least so wide, at most; from where on its heading is written level."""
UPRIGHT_PX, HEAD_PX = 108, 40
LABEL_PX: Final = 150


@dataclass(frozen=True, slots=True)
class Mark:
    """What a code of a cell looks like.

    Attributes:
        sign: As `paint_sign` knows it.
        tone: Its colour.
        word: What it means.
    """

    sign: str
    tone: Tone
    word: str


class StateMatrix(QAbstractScrollArea):
    """A matrix of states. Code 0 is an empty cell."""

    chosen = Signal(int, int)
    """Row and column of a cell that was selected."""
    opened = Signal(int, int)
    """Row and column of a cell that was drilled into."""
    menu_wanted = Signal(int, int, QPoint)

    def __init__(self, name: str, corner: str, marks: Sequence[Mark], parent: QWidget | None = None) -> None:
        """
        Args:
            name: What it shows.
            corner: What stands over the names of the rows.
            marks: By code, from 1.
            parent: Of the widget.
        """
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self._corner, self._marks = corner, tuple(marks)
        self._rows: Sequence[str] = ()
        self._columns: Sequence[tuple[str, str]] = ()
        self._cells: NDArray[np.uint8] = np.zeros((0, 0), np.uint8)
        self._current: tuple[int, int] | None = None
        self._hovered: tuple[int, int] | None = None
        self.tell: Callable[[int, int], str] | None = None

    # what it shows

    def show_states(self, rows: Sequence[str], columns: Sequence[tuple[str, str]], cells: NDArray[np.uint8]) -> None:
        """Show these.

        Args:
            rows: Their names.
            columns: Their names, in two lines.
            cells: Codes. Shape (rows, columns).
        """
        self._rows, self._columns, self._cells = rows, columns, cells
        if self._current is not None and not (self._current[0] < len(rows) and self._current[1] < len(columns)):
            self._current = None
        self._arrange()
        self._say_current()
        self.viewport().update()

    def select(self, cell: tuple[int, int] | None) -> None:
        """Select a cell without telling anybody."""
        if cell != self._current:
            self._current = cell
            self._say_current()
            self.viewport().update()

    def word(self, row: int, column: int) -> str:
        """What a cell says; "" for an empty one."""
        code = int(self._cells[row, column])
        return self._marks[code - 1].word if 0 < code <= len(self._marks) else ""

    def box_of(self, row: int, column: int) -> QRect:
        """Where a cell is in the viewport."""
        left = LABEL_PX + column * self._column_px - self.horizontalScrollBar().value()
        top = self._head_px + row * ROW_PX - self.verticalScrollBar().value()
        return QRect(round(left), top, round(self._column_px), ROW_PX)

    # where things are

    @property
    def _column_px(self) -> float:
        room = self.viewport().width() - LABEL_PX - 4
        return min(MOST_COLUMN_PX, max(LEAST_COLUMN_PX, room / max(1, len(self._columns))))

    @property
    def _is_level(self) -> bool:
        return self._column_px >= LEVEL_PX

    @property
    def _head_px(self) -> int:
        return HEAD_PX if self._is_level else UPRIGHT_PX

    def _arrange(self) -> None:
        view = self.viewport().size()
        width = LABEL_PX + self._column_px * len(self._columns)
        height = self._head_px + ROW_PX * len(self._rows)
        for bar, most, page, step in (
            (self.horizontalScrollBar(), width - view.width(), view.width(), round(self._column_px)),
            (self.verticalScrollBar(), height - view.height(), view.height(), ROW_PX),
        ):
            bar.setPageStep(page)
            bar.setSingleStep(step)
            bar.setRange(0, max(0, round(most)))

    def _cell_at(self, point: QPoint) -> tuple[int, int] | None:
        if point.x() < LABEL_PX or point.y() < self._head_px:
            return None
        column = int((point.x() - LABEL_PX + self.horizontalScrollBar().value()) / self._column_px)
        row = (point.y() - self._head_px + self.verticalScrollBar().value()) // ROW_PX
        return (row, column) if row < len(self._rows) and column < len(self._columns) else None

    # painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """The cells that are seen, then names over what slid below them."""
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours, view = theme.current(), self.viewport().rect()
        painter.fillRect(event.rect(), QColor(colours.surface1))
        rows, columns = self._seen()
        painter.setClipRect(QRect(LABEL_PX, self._head_px, view.width(), view.height()))
        self._paint_ground(painter, rows, columns)
        inks = [colours.ink(colours.colours()[mark.tone or "dim"], colours.surface1) for mark in self._marks]
        for row in rows:
            codes = self._cells[row, columns.start : columns.stop]
            for at in np.flatnonzero(codes).tolist():
                code, box = int(codes[at]), QRectF(self.box_of(row, columns.start + at))
                if code <= len(self._marks):
                    paint_sign(painter, self._marks[code - 1].sign, box.center(), 7.0, inks[code - 1])
        painter.setClipping(False)
        self._paint_names(painter, rows)
        self._paint_heads(painter, columns)
        painter.setPen(QColor(colours.dim))
        painter.setFont(theme.font(theme.SMALL_PX))
        corner = QRect(0, 0, LABEL_PX, self._head_px)
        painter.fillRect(corner, QColor(colours.surface1))
        painter.drawText(
            corner.adjusted(12, 0, -6, -6), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, self._corner
        )
        painter.end()

    def _seen(self) -> tuple[range, range]:
        top, left = self.verticalScrollBar().value(), self.horizontalScrollBar().value()
        first_row, first_column = top // ROW_PX, int(left / self._column_px)
        rows = range(first_row, min(len(self._rows), first_row + self.viewport().height() // ROW_PX + 2))
        many = int(self.viewport().width() / self._column_px) + 2
        return rows, range(first_column, min(len(self._columns), first_column + many))

    def _paint_ground(self, painter: QPainter, rows: range, columns: range) -> None:
        """Lines below rows, a stripe through what the pointer is over, the selected cell."""
        colours = theme.current()
        if self._hovered is not None:
            stripe = QColor(colours.surface2)
            box = self.box_of(*self._hovered)
            painter.fillRect(QRect(0, box.top(), self.viewport().width(), ROW_PX), stripe)
            painter.fillRect(QRect(box.left(), 0, box.width(), self.viewport().height()), stripe)
        painter.setPen(QColor(colours.surface3))
        for row in rows:
            bottom = self.box_of(row, 0).bottom()
            painter.drawLine(0, bottom, self.viewport().width(), bottom)
        if self._current is not None and self._current[0] in rows and self._current[1] in columns:
            painter.setBrush(QColor(colours.selected))
            painter.setPen(QColor(colours.accent if self.hasFocus() else colours.line))
            painter.drawRoundedRect(QRectF(self.box_of(*self._current)).adjusted(1.5, 1.5, -1.5, -2.5), 4, 4)

    def _paint_names(self, painter: QPainter, rows: range) -> None:
        colours = theme.current()
        painter.fillRect(QRect(0, self._head_px, LABEL_PX, self.viewport().height()), QColor(colours.surface1))
        painter.setFont(theme.font(12))
        painter.setClipRect(QRect(0, self._head_px, LABEL_PX, self.viewport().height()))
        for row in rows:
            box = QRect(12, self.box_of(row, 0).top(), LABEL_PX - 20, ROW_PX)
            is_current = self._current is not None and self._current[0] == row
            painter.setPen(QColor(colours.ink(colours.accent) if is_current else colours.text))
            name = painter.fontMetrics().elidedText(self._rows[row], Qt.TextElideMode.ElideMiddle, box.width())
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, name)
        painter.setClipping(False)

    def _paint_heads(self, painter: QPainter, columns: range) -> None:
        colours, head = theme.current(), self._head_px
        painter.fillRect(QRect(LABEL_PX, 0, self.viewport().width(), head), QColor(colours.surface1))
        painter.setClipRect(QRect(LABEL_PX, 0, self.viewport().width(), head))
        painter.setFont(theme.font(theme.SMALL_PX))
        for column in columns:
            is_current = self._current is not None and self._current[1] == column
            upper = colours.ink(colours.accent) if is_current else colours.text
            lines = [(text, ink) for text, ink in zip(self._columns[column], (upper, colours.dim), strict=True) if text]
            box = self.box_of(0, column)
            if self._is_level:
                _level(painter, QRect(box.left() + 3, 4, box.width() - 6, head - 8), lines)
            else:
                _upright(painter, QPointF(box.center().x(), head - 6), head - 10, lines)
        painter.setClipping(False)
        painter.setPen(QColor(colours.line))
        painter.drawLine(0, head - 1, self.viewport().width(), head - 1)

    # what a user does

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Other room, other columns."""
        super().resizeEvent(event)
        self._arrange()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Row and column of the pointer are shown."""
        hovered = self._cell_at(event.position().toPoint())
        if hovered != self._hovered:
            self._hovered = hovered
            self.viewport().update()

    def leaveEvent(self, event: object) -> None:
        """Nothing is pointed at."""
        super().leaveEvent(event)  # type: ignore[arg-type]
        self._hovered = None
        self.viewport().update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click selects."""
        cell = self._cell_at(event.position().toPoint())
        if cell is not None:
            self._choose(*cell)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """A double click drills in."""
        cell = self._cell_at(event.position().toPoint())
        if cell is not None and event.button() is Qt.MouseButton.LeftButton:
            self.opened.emit(*cell)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The menu of a cell."""
        by_mouse = event.reason() is QContextMenuEvent.Reason.Mouse
        cell = self._cell_at(self.viewport().mapFrom(self, event.pos())) if by_mouse else self._current
        if cell is not None:
            self._choose(*cell)
            at = event.globalPos() if by_mouse else self.viewport().mapToGlobal(self.box_of(*cell).center())
            self.menu_wanted.emit(*cell, at)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows walk, Enter drills in."""
        steps = {
            Qt.Key.Key_Left: (0, -1),
            Qt.Key.Key_Right: (0, 1),
            Qt.Key.Key_Up: (-1, 0),
            Qt.Key.Key_Down: (1, 0),
            Qt.Key.Key_Home: (0, -len(self._columns)),
            Qt.Key.Key_End: (0, len(self._columns)),
            Qt.Key.Key_PageUp: (-10, 0),
            Qt.Key.Key_PageDown: (10, 0),
        }
        step = steps.get(Qt.Key(event.key()))
        if step is not None and self._rows and self._columns:
            row, column = self._current or (0, 0)
            if self._current is not None:
                row = min(max(0, row + step[0]), len(self._rows) - 1)
                column = min(max(0, column + step[1]), len(self._columns) - 1)
            self._choose(row, column)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._current is not None:
            self.opened.emit(*self._current)
        else:
            event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The selected cell tells where the keyboard is."""
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """It is not here any more."""
        super().focusOutEvent(event)
        self.viewport().update()

    def viewportEvent(self, event: object) -> bool:
        """What the pointer is told of a cell."""
        if isinstance(event, QHelpEvent):
            cell = self._cell_at(event.pos())
            text = self._told(cell) if cell is not None else ""
            QToolTip.showText(event.globalPos(), text, self.viewport()) if text else QToolTip.hideText()
            return True
        return bool(super().viewportEvent(event))  # type: ignore[arg-type]

    def _told(self, cell: tuple[int, int]) -> str:
        if self.tell is not None:
            return self.tell(*cell)
        return self.word(*cell)

    def _choose(self, row: int, column: int) -> None:
        self._show_cell(row, column)
        if (row, column) != self._current:
            self._current = (row, column)
            self._say_current()
            self.viewport().update()
            self.chosen.emit(row, column)

    def _show_cell(self, row: int, column: int) -> None:
        box, view = self.box_of(row, column), self.viewport().rect()
        for bar, begin, end, least, most in (
            (self.verticalScrollBar(), box.top(), box.bottom(), self._head_px, view.height()),
            (self.horizontalScrollBar(), box.left(), box.right(), LABEL_PX, view.width()),
        ):
            if begin < least:
                bar.setValue(bar.value() + begin - least)
            elif end > most:
                bar.setValue(bar.value() + end - most + 1)

    def _say_current(self) -> None:
        if self._current is not None and self._rows:
            row, column = self._current
            name = " ".join(part for part in self._columns[column] if part)
            self.setAccessibleDescription(f"{self._rows[row]} → {name}: {self.word(row, column) or 'no calls'}")
        else:
            self.setAccessibleDescription(f"{len(self._rows):,} rows, {len(self._columns):,} columns")


def _level(painter: QPainter, box: QRect, lines: Sequence[tuple[str, str]]) -> None:
    height = painter.fontMetrics().height()
    top = box.bottom() - height * len(lines)
    for number, (text, ink) in enumerate(lines):
        painter.setPen(QColor(ink))
        fitted = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, box.width())
        line = QRect(box.left(), top + number * height, box.width(), height)
        painter.drawText(line, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter, fitted)


def _upright(painter: QPainter, foot: QPointF, room: int, lines: Sequence[tuple[str, str]]) -> None:
    height = painter.fontMetrics().height() - 2
    painter.save()
    painter.translate(foot)
    painter.rotate(-90)
    for number, (text, ink) in enumerate(lines):
        painter.setPen(QColor(ink))
        fitted = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, room)
        top = -height * len(lines) / 2 + number * height
        painter.drawText(
            QRectF(0, top, room, height), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, fitted
        )
    painter.restore()
