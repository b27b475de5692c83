"""What dots, diamonds, lines and widths mean: one line at the foot of the canvas."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from app import theme

TEXT = "width = rate · seen on the bus; calls inside one node are not"
HEIGHT = 20


class Legend(QWidget):
    """Painted small signs with their meaning; a click goes through to the canvas."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._note = ""
        self.setAccessibleName("What the signs mean")
        self.setAccessibleDescription(f"Dots are calls, diamonds are failures, dashed violet lines are events. {TEXT}")
        self.resize(self.sizeHint())

    def set_note(self, note: str) -> None:
        """What is said at the end, such as why nothing runs."""
        if note != self._note:
            self._note = note
            self.resize(self.sizeHint())
            self.update()

    @property
    def text(self) -> str:
        """All it says."""
        return " · ".join(filter(None, ("calls", "errors", "events", TEXT, self._note)))

    def sizeHint(self) -> QSize:
        """As wide as what it says."""
        metrics = QFontMetricsF(theme.font(theme.SMALL_PX))
        text = TEXT + (f" · {self._note}" if self._note else "")
        words = sum(metrics.horizontalAdvance(word) for word in ("calls", "errors", "events", text))
        return QSize(round(words) + 150, HEIGHT)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Signs and words, from left to right."""
        colours = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font(theme.SMALL_PX))
        metrics = QFontMetricsF(painter.font())
        middle, x = HEIGHT / 2, 6.0
        painter.setPen(QPen(QColor(colours.surface0), 1))
        painter.setBrush(QColor(colours.text))
        painter.drawEllipse(QPointF(x, middle), 3.2, 3.2)
        x = self._word(painter, metrics, "calls", x + 10)
        painter.setPen(QPen(QColor(colours.surface0), 1))
        painter.setBrush(QColor(colours.failed))
        corners = [(0.0, -5.0), (5.0, 0.0), (0.0, 5.0), (-5.0, 0.0)]
        painter.drawPolygon(QPolygonF([QPointF(x + 5 + dx, middle + dy) for dx, dy in corners]))
        x = self._word(painter, metrics, "errors", x + 16)
        pen = QPen(QColor(colours.held), 2.0)
        pen.setDashPattern([1.5, 1.5])
        painter.setPen(pen)
        painter.drawLine(QPointF(x, middle), QPointF(x + 26, middle))
        x = self._word(painter, metrics, "events", x + 32)
        self._word(painter, metrics, TEXT + (f" · {self._note}" if self._note else ""), x)
        painter.end()

    @staticmethod
    def _word(painter: QPainter, metrics: QFontMetricsF, word: str, x: float) -> float:
        painter.setPen(QColor(theme.current().dim))
        painter.drawText(QPointF(x, HEIGHT / 2 + 4), word)
        return x + metrics.horizontalAdvance(word) + 18
