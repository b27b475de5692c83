"""Durations by percentile: how long the slowest tenth, hundredth, thousandth took."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QToolTip, QWidget

from app import theme
from app.widgets.format import count, duration_ms

MARKS: Final = (0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999)
LEFT_PX, RIGHT_PX, TOP_PX, BELOW_PX = 62, 16, 14, 26


class PercentileChart(QWidget):
    """One line, from the quickest at the left to the slowest at the right, both axes logarithmic."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Durations by percentile")
        self.setMinimumSize(320, 200)
        self.setMouseTracking(True)
        self._shares = np.zeros(0)
        self._values = np.zeros(0)
        self._calls = 0

    def show_counts(self, counts: Sequence[int], values_ms: Sequence[float]) -> None:
        """Show calls by bucket of duration.

        Args:
            counts: Calls, shape (buckets,).
            values_ms: What a duration in each bucket is taken to be, rising.
        """
        numbers = np.asarray(counts, np.int64)
        filled = np.flatnonzero(numbers)
        self._calls = int(numbers.sum())
        before = np.cumsum(numbers)[filled] / max(1, self._calls)
        self._shares = before
        self._values = np.asarray(values_ms, np.float64)[: len(numbers)][filled]
        told = ", ".join(f"{_word(share)} {duration_ms(self.value_at(share))}" for share in self._marks()[1:])
        self.setAccessibleDescription(f"{count(self._calls)} calls: {told}" if self._calls else "no calls yet")
        self.update()

    def value_at(self, share: float) -> float:
        """The duration in ms that so many calls did not exceed; NaN without calls."""
        if not self._calls:
            return math.nan
        place = int(np.searchsorted(self._shares, share - 1e-12))
        return float(self._values[min(place, len(self._values) - 1)])

    def _marks(self) -> list[float]:
        """The percentiles that stand on enough calls, the lowest first."""
        return [share for share in MARKS if share == 0 or self._calls * (1 - share) >= 1]

    def _last(self) -> float:
        """How far the axis goes: 1 for the median, 2 for p99..."""
        return max(1.0, math.log10(max(10.0, float(self._calls))))

    def _x(self, share: float, box: QRectF) -> float:
        far = self._last()
        at = far if share >= 1 else min(far, -math.log10(max(1e-9, 1 - share)))
        return box.left() + box.width() * at / far

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Grid, line, words."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font(theme.SMALL_PX))
        colours = theme.current()
        box = QRectF(self.rect()).adjusted(LEFT_PX, TOP_PX, -RIGHT_PX, -BELOW_PX)
        if not self._calls:
            painter.setPen(QColor(colours.dim))
            painter.drawText(QRectF(self.rect()), Qt.AlignmentFlag.AlignCenter, "No answer yet")
            painter.end()
            return
        low, high = self._range()
        self._paint_grid(painter, box, low, high)
        line = QPolygonF()
        begin = 0.0
        for share, value in zip(self._shares.tolist(), self._values.tolist(), strict=True):
            y = _y(value, low, high, box)
            line.append(QPointF(self._x(begin, box), y))
            line.append(QPointF(self._x(share, box), y))
            begin = share
        painter.setPen(QPen(QColor(colours.accent), 2))
        painter.drawPolyline(line)
        painter.end()

    def _range(self) -> tuple[float, float]:
        low = 10 ** math.floor(math.log10(max(1e-3, float(self._values[0]))))
        high = 10 ** math.ceil(math.log10(max(2e-3, float(self._values[-1]) * 1.02)))
        return low, max(high, low * 10)

    def _paint_grid(self, painter: QPainter, box: QRectF, low: float, high: float) -> None:
        colours = theme.current()
        ink, grid = QColor(colours.dim), QPen(QColor(colours.line), 1)
        value = low
        while value <= high * 1.001:
            y = _y(value, low, high, box)
            painter.setPen(grid)
            painter.drawLine(QPointF(box.left(), y), QPointF(box.right(), y))
            painter.setPen(ink)
            words = QRectF(0, y - 9, LEFT_PX - 8, 18)
            right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(words, right, duration_ms(value, short=True))
            value *= 10
        for share in self._marks():
            x = self._x(share, box)
            painter.setPen(grid)
            painter.drawLine(QPointF(x, box.top()), QPointF(x, box.bottom()))
            painter.setPen(ink)
            words = QRectF(x - 30, box.bottom() + 4, 60, 18)
            painter.drawText(words, Qt.AlignmentFlag.AlignCenter, _word(share))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Read the line."""
        box = QRectF(self.rect()).adjusted(LEFT_PX, TOP_PX, -RIGHT_PX, -BELOW_PX)
        if not self._calls or not box.contains(event.position()):
            QToolTip.hideText()
            return
        far = self._last() * (event.position().x() - box.left()) / box.width()
        share = 1 - 10**-far
        text = f"{share * 100:.4g} % of {count(self._calls)} calls took at most {duration_ms(self.value_at(share))}"
        QToolTip.showText(event.globalPosition().toPoint(), text, self)


def _y(value: float, low: float, high: float, box: QRectF) -> float:
    share = (math.log10(max(value, 1e-6)) - math.log10(low)) / (math.log10(high) - math.log10(low))
    return box.bottom() - min(1.0, max(0.0, share)) * box.height()


def _word(share: float) -> str:
    return "quickest" if share == 0 else f"p{share * 100:.6g}"
