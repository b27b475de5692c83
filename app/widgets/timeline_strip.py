"""The strip below the views: everything that is held, by time, and the window as a band that is dragged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app import theme
from app.widgets.format import age, clock_time, count, zone_name
from broker.clock import SECOND

MARGIN_PX = 12
SCALE_PX = 13
"""Below the bars, for the times."""
STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
TICK_PX = 130
GRIP_PX = 6
LEAST_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened, as a line across the strip."""

    at_ns: int
    tone: Literal["failed", "slow", "held", "ok"]
    text: str


@dataclass(frozen=True, slots=True)
class StripContent:
    """What the strip draws. Arrays of shape (buckets,) over from_ns to to_ns, oldest first."""

    from_ns: int
    to_ns: int
    calls: NDArray[np.int64]
    failed: NDArray[np.int64]
    gaps: tuple[tuple[int, int], ...] = ()
    marks: tuple[Mark, ...] = ()


class TimelineStrip(QWidget):
    """Bars of calls, failed ones red from below, gaps hatched, marks dashed, the window as a band."""

    window_dragged = Signal(object, object)
    """The window was dragged or resized to [from_ns, to_ns); objects, since Qt's int has 32 bits."""
    live_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("strip")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Timeline of everything held; arrows move the window, End goes back to live")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(58 + SCALE_PX)
        self.setMouseTracking(True)
        self._content: StripContent | None = None
        self._from_ns = self._to_ns = 0
        self._is_live = True
        self._drag: Literal["", "move", "left", "right", "new"] = ""
        self._grab_ns = 0
        self._at_grab = (0, 0)

    def show_content(self, content: StripContent) -> None:
        """Show this activity."""
        self._content = content
        self.update()

    def show_window(self, from_ns: int, to_ns: int, *, is_live: bool) -> None:
        """Show where the window stands; ignored while it is being dragged."""
        if not self._drag and (from_ns, to_ns, is_live) != (self._from_ns, self._to_ns, self._is_live):
            before, second = self._look(), self._to_ns // SECOND
            self._from_ns, self._to_ns, self._is_live = from_ns, to_ns, is_live
            # a live window moves several times a second, and mostly by less than a pixel
            if to_ns // SECOND != second:
                self.setAccessibleDescription(f"window {clock_time(from_ns)} to {clock_time(to_ns)}")
            if self._look() != before:
                self.update()

    def _look(self) -> tuple[int, int, bool]:
        """What of the window is seen: its edges in px."""
        band = self._band()
        return round(band.left()), round(band.right()), self._is_live

    # geometry

    def _range(self) -> tuple[int, int]:
        content = self._content
        if content is None or content.to_ns <= content.from_ns:
            return 0, 1
        return content.from_ns, content.to_ns

    def _x(self, at_ns: int) -> float:
        begin, end = self._range()
        return MARGIN_PX + (self.width() - 2 * MARGIN_PX) * (at_ns - begin) / (end - begin)

    def _at(self, x: float) -> int:
        begin, end = self._range()
        return begin + round((x - MARGIN_PX) / max(1, self.width() - 2 * MARGIN_PX) * (end - begin))

    def _band(self) -> QRectF:
        left = max(self._x(self._from_ns), float(MARGIN_PX))
        right = min(max(self._x(self._to_ns), left + 2), float(self.width() - MARGIN_PX))
        return QRectF(left, 6, max(2.0, right - left), self._bottom() - 4)

    def _bottom(self) -> float:
        """Where bars stand."""
        return self.height() - 8 - SCALE_PX

    # painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Band, bars, gaps, marks."""
        super().paintEvent(event)
        painter = QPainter(self)
        colours = theme.current()
        painter.fillRect(self.rect(), QColor(colours.surface1))
        painter.fillRect(QRectF(0, 0, self.width(), 1), QColor(colours.line))
        content = self._content
        if content is None or not len(content.calls):
            painter.setPen(QColor(colours.dim))
            painter.setFont(theme.font(theme.SMALL_PX))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "nothing heard yet")
            return
        tone = colours.accent if self._is_live else colours.slow
        band = self._band()
        painter.fillRect(band, QColor(theme.mix(tone, colours.surface1, 0.16)))
        self._paint_bars(painter, content, band)
        self._paint_gaps(painter, content)
        self._paint_marks(painter, content)
        self._paint_times(painter, content)
        painter.setPen(QPen(QColor(tone), 2 if self.hasFocus() else 1))
        painter.drawRect(band)

    def _paint_bars(self, painter: QPainter, content: StripContent, band: QRectF) -> None:
        colours = theme.current()
        buckets = len(content.calls)
        room = self._bottom() - 10
        most = max(1, int(content.calls.max()))
        width = (self.width() - 2 * MARGIN_PX) / buckets
        quiet = QColor(theme.mix(colours.dim, colours.surface1, 0.32))
        inside = QColor(theme.mix(colours.accent if self._is_live else colours.slow, colours.surface1, 0.5))
        red = QColor(colours.failed)
        # the square root lets failures be seen beside a thousand times as many calls
        heights = (np.sqrt(content.calls / most) * room).tolist()
        failed = np.where(content.failed > 0, np.maximum(2, np.sqrt(content.failed / most) * room), 0).tolist()
        bottom = self._bottom()
        # numbers, not objects of Qt: making one gives the interpreter away
        bars, fallen = {True: QPainterPath(), False: QPainterPath()}, QPainterPath()
        begin, end = band.left(), band.right()
        for number in np.flatnonzero(content.calls).tolist():
            x, wide = MARGIN_PX + number * width, max(1.0, width - 1)
            bars[begin <= x + width / 2 <= end].addRect(x, bottom - heights[number], wide, heights[number])
            if failed[number]:
                fallen.addRect(x, bottom - failed[number], wide, failed[number])
        for colour, some in ((inside, bars[True]), (quiet, bars[False]), (red, fallen)):
            painter.fillPath(some, colour)

    def _paint_gaps(self, painter: QPainter, content: StripContent) -> None:
        colours = theme.current()
        for begin, end in content.gaps:
            box = QRectF(self._x(begin), 6, max(2.0, self._x(end) - self._x(begin)), self._bottom() - 4)
            painter.fillRect(box, QColor(colours.surface0))
            painter.fillRect(box, QBrush(QColor(colours.failed), Qt.BrushStyle.BDiagPattern))

    def _paint_marks(self, painter: QPainter, content: StripContent) -> None:
        colours = theme.current()
        for mark in content.marks:
            colour = QColor(colours.colours()[mark.tone])
            x = round(self._x(mark.at_ns)) + 0.5
            painter.setPen(QPen(colour, 1, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(x, 5), QPointF(x, self._bottom() + 2))

    def _paint_times(self, painter: QPainter, content: StripContent) -> None:
        """Round moments below the bars, with the zone behind the last."""
        colours = theme.current()
        painter.setPen(QColor(colours.dim))
        painter.setFont(theme.font(theme.SMALL_PX - 1))
        metrics, y = painter.fontMetrics(), self.height() - 5
        zone = zone_name()
        right = self.width() - MARGIN_PX - metrics.horizontalAdvance(zone)
        painter.drawText(QPointF(right, y), zone)
        seconds = (content.to_ns - content.from_ns) / SECOND
        ticks = max(1.0, (self.width() - 2 * MARGIN_PX) / TICK_PX)
        step_ns = next((step for step in STEPS_S if seconds / step <= ticks), STEPS_S[-1]) * SECOND
        for at_ns in range(-(-content.from_ns // step_ns) * step_ns, content.to_ns + 1, step_ns):
            text = clock_time(at_ns)
            x = self._x(at_ns) - metrics.horizontalAdvance(text) / 2
            if x >= MARGIN_PX and x + metrics.horizontalAdvance(text) < right - 8:
                painter.drawText(QPointF(x, y), text)

    # dragging

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the band, one of its ends, or begin a new one."""
        if event.button() != Qt.MouseButton.LeftButton or self._content is None:
            return
        x, band = event.position().x(), self._band()
        self._drag = self._grip(x)
        if self._drag == "new":
            length = self._to_ns - self._from_ns
            self._from_ns = self._at(x) - length // 2
            self._to_ns = self._from_ns + length
            self._drag = "move"
        self._grab_ns = self._at(x)
        self._at_grab = (self._from_ns, self._to_ns) if band.isValid() else self._range()
        self.update()

    def _grip(self, x: float) -> Literal["move", "left", "right", "new"]:
        band = self._band()
        if abs(x - band.left()) <= GRIP_PX:
            return "left"
        if abs(x - band.right()) <= GRIP_PX:
            return "right"
        return "move" if band.left() < x < band.right() else "new"

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag, or tell what is under the pointer."""
        x = event.position().x()
        if not self._drag:
            shapes = {"left": Qt.CursorShape.SizeHorCursor, "right": Qt.CursorShape.SizeHorCursor}
            self.setCursor(shapes.get(self._grip(x), Qt.CursorShape.OpenHandCursor))
            self._tell(event)
            return
        moved = self._at(x) - self._grab_ns
        begin, end = self._at_grab
        if self._drag == "left":
            self._from_ns = min(begin + moved, end - LEAST_NS)
        elif self._drag == "right":
            self._to_ns = max(end + moved, begin + LEAST_NS)
        else:
            self._from_ns, self._to_ns = begin + moved, end + moved
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go: everybody follows."""
        if self._drag and event.button() == Qt.MouseButton.LeftButton:
            self._drag = ""
            self._send(self._from_ns, self._to_ns)

    def mouseDoubleClickEvent(self, _event: QMouseEvent) -> None:
        """Back to live."""
        self._drag = ""
        self.live_wanted.emit()

    def _send(self, from_ns: int, to_ns: int) -> None:
        newest = self._range()[1]
        if to_ns > newest:
            from_ns, to_ns = from_ns - (to_ns - newest), newest
        self.window_dragged.emit(from_ns, to_ns)

    def _tell(self, event: QMouseEvent) -> None:
        content = self._content
        if content is None or not len(content.calls):
            return
        at_ns = self._at(event.position().x())
        near_ns = (content.to_ns - content.from_ns) / max(1, self.width()) * 5
        lines: Sequence[str] = [mark.text for mark in content.marks if abs(mark.at_ns - at_ns) <= near_ns][:4]
        bucket_ns = (content.to_ns - content.from_ns) / len(content.calls)
        bucket = int((at_ns - content.from_ns) / max(1, bucket_ns))
        if 0 <= bucket < len(content.calls):
            calls, failed = content.calls[bucket], content.failed[bucket]
            head = f"{clock_time(at_ns)} · {count(calls)} calls, {count(failed)} failed in {age(bucket_ns / 1e9)}"
            QToolTip.showText(event.globalPosition().toPoint(), "\n".join([head, *lines]), self)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows move the window by a tenth (Shift: by all of it), End goes back to live."""
        length = self._to_ns - self._from_ns
        step = length if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else length // 10
        match event.key():
            case Qt.Key.Key_Left:
                self._send(self._from_ns - step, self._to_ns - step)
            case Qt.Key.Key_Right:
                self._send(self._from_ns + step, self._to_ns + step)
            case Qt.Key.Key_Home:
                begin = self._range()[0]
                self._send(begin, begin + length)
            case Qt.Key.Key_End:
                self.live_wanted.emit()
            case _:
                super().keyPressEvent(event)
