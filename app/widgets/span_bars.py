"""Calls as bars over the time they took, one below the other, deeper ones to the right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app import theme
from app.widgets.controls import SIGNS, Tone
from app.widgets.row_walk import RowWalk

ROW_PX = 26
BAR_PX = 13
STEP_PX = 14
FIGURE_PX = 62


class Bar(NamedTuple):
    """One call.

    Attributes:
        title: What was called.
        depth: How many calls it is below the first.
        begin, end: Shares of the whole, 0 to 1.
        figure: How long it took, in words.
        tone: ok, slow, failed; accent for the call itself is "".
        tip: What the mouse is told.
        thing: What choosing it means; None for nothing.
    """

    title: str
    depth: int
    begin: float
    end: float
    figure: str
    tone: Tone = ""
    tip: str = ""
    thing: Any = None


class SpanBars(RowWalk):
    """As high as it has bars."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, ROW_PX, parent=parent)
        self._bars: list[Bar] = []

    def show_bars(self, bars: Sequence[Bar]) -> None:
        """Show these."""
        self._bars = list(bars)
        self._set_meanings([bar.thing for bar in bars], [bar.tip for bar in bars])
        self.setFixedHeight(self.sizeHint().height())
        self.setAccessibleDescription("; ".join(f"{bar.title} {bar.figure}" for bar in bars))
        self.update()

    def texts(self) -> list[str]:
        """What it says, a line a bar."""
        return [f"{'  ' * bar.depth}{bar.title} {bar.figure}" for bar in self._bars]

    def sizeHint(self) -> QSize:
        """As high as its bars."""
        return QSize(300, max(1, ROW_PX * len(self._bars)))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Title, bar, figure."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font(12))
        titles = round(self.width() * 0.36)
        for number, bar in enumerate(self._bars):
            self._paint_bar(painter, bar, QRect(0, number * ROW_PX, self.width(), ROW_PX), titles, number)
        painter.end()

    def _paint_bar(self, painter: QPainter, bar: Bar, box: QRect, titles: int, number: int) -> None:
        colours = theme.current()
        metrics = painter.fontMetrics()
        ground = colours.surface1
        if self._is_marked(number):
            ground = colours.selected
            painter.fillRect(box, QColor(ground))
        middle = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        indent = min(bar.depth, 8) * STEP_PX
        inside = QRect(box.left() + indent, box.top(), titles - indent - 8, box.height())
        painter.setPen(QColor(colours.text))
        sign = SIGNS.get(bar.tone, "")
        title = f"{sign} {bar.title}" if sign else bar.title
        painter.drawText(inside, middle, metrics.elidedText(title, Qt.TextElideMode.ElideMiddle, inside.width()))
        room = max(20, box.width() - titles - FIGURE_PX)
        left = titles + bar.begin * room
        width = max(3.0, (bar.end - bar.begin) * room)
        colour = colours.colours()[bar.tone] if bar.tone else colours.accent
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colour))
        top = box.top() + (box.height() - BAR_PX) / 2
        painter.drawRoundedRect(QRectF(left, top, width, BAR_PX), 3, 3)
        painter.setPen(QColor(colours.ink(colours.dim, ground)))
        painter.drawText(QRectF(left + width + 6, box.top(), FIGURE_PX, box.height()), middle, bar.figure)
