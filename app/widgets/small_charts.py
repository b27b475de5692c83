"""Small charts without axes, for side panels and the overview; painted, since a plot each would be heavy."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app import theme
from app.widgets.time_marks import TimeMark, near, paint_marks
from broker.mesh.span import Span

Floats = NDArray[np.float64]
Point = tuple[float, float]
SCALE_PX = 13
"""Room above (and below) a chart for what its lines stand for."""


def _along(path: QPainterPath, points: Sequence[Point]) -> None:
    """Go along points. Numbers, not objects of Qt: making one gives the interpreter away."""
    path.moveTo(*points[0])
    for x, y in points[1:]:
        path.lineTo(x, y)


class Curves(QWidget):
    """Curves over one span of time, oldest at the left. Gaps are gaps; a pointer reads the values."""

    hovered_share = Signal(float)

    def __init__(self, name: str, *, height: int = 72, is_log: bool = False, parent: QWidget | None = None) -> None:
        """
        Args:
            name: What it shows.
            height: In px.
            is_log: Whether values stand on a logarithmic scale.
            parent: Of the widget.
        """
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(height)
        self.setMouseTracking(True)
        self._is_log = is_log
        self._curves: list[tuple[Floats, str]] = []
        self._read: Callable[[int], str] | None = None
        self._top = 0.0
        self._is_filled = False
        self._span, self._marks, self._gaps = Span(0, 0), list[TimeMark](), list[Span]()
        self._unit: Callable[[float], str] | None = None

    def show_moments(self, span: Span, marks: Sequence[TimeMark], gaps: Sequence[Span] = ()) -> None:
        """Show when something happened, and when nothing was heard, on the span that the curves cover."""
        self._span, self._marks, self._gaps = span, list(marks), list(gaps)
        self.update()

    def show_curves(
        self,
        curves: Sequence[tuple[Floats, str]],
        read: Callable[[int], str] | None = None,
        *,
        top: float = 0.0,
        is_filled: bool = False,
        unit: Callable[[float], str] | None = None,
    ) -> None:
        """Show these.

        Args:
            curves: Values (shape (buckets,), NaN for gaps) with their colour; the last is drawn on top.
            read: What the pointer is told about a bucket.
            top: The least value that reaches the top; so that little is not drawn as much.
            is_filled: Whether the area below the last curve is tinted.
            unit: Writes a value with its unit: what the lowest and the highest line of the grid stand for is told.
        """
        self._unit = unit
        self._curves, self._read, self._top, self._is_filled = list(curves), read, top, is_filled
        self.update()

    def sizeHint(self) -> QSize:
        """Wide enough to see a shape."""
        return QSize(240, self.height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Grid, area, curves."""
        painter = QPainter(self)
        colours = theme.current()
        has_scale = self._unit is not None
        box = QRectF(self.rect()).adjusted(
            0, SCALE_PX if has_scale else 4, 0, -SCALE_PX if has_scale and self._is_log else -3
        )
        painter.setPen(QPen(QColor(colours.line), 1))
        has_data = any(np.isfinite(self._scaled(values)).any() for values, _ in self._curves)
        for share in (0.0, 0.5, 1.0) if has_data else (0.0, 1.0):
            y = round(box.top() + box.height() * share) + 0.5
            painter.drawLine(QPointF(box.left(), y), QPointF(box.right(), y))
        low, high = self._range()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for number, (values, colour) in enumerate(self._curves):
            parts = self._parts(values, box, low, high)
            if self._is_filled and number == len(self._curves) - 1:
                self._fill(painter, parts, box.bottom(), colour)
            painter.setPen(QPen(QColor(colour), 1.4))
            line = QPainterPath()
            for part in parts:
                if len(part) == 1:
                    line.addEllipse(part[0][0] - 1, part[0][1] - 1, 2, 2)
                else:
                    _along(line, part)
            painter.drawPath(line)
        # where nothing bends they explain nothing, and would cross the words
        paint_marks(painter, box, self._span, self._marks if has_data else (), self._gaps)
        if self._unit is not None and has_data:
            self._paint_scale(painter, low, high)
        elif not has_data:
            painter.setFont(theme.font(theme.SMALL_PX))
            painter.setPen(QColor(colours.dim))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, "no data in this window")
        painter.end()

    def _paint_scale(self, painter: QPainter, low: float, high: float) -> None:
        """What the highest line stands for, above it; on a logarithmic scale the lowest one too, below it."""
        assert self._unit is not None  # noqa: S101  asked by the only caller
        painter.setFont(theme.font(theme.SMALL_PX - 1))
        painter.setPen(QColor(theme.current().dim))
        ascent = painter.fontMetrics().ascent()
        painter.drawText(QPointF(0, ascent - 1), self._unit(10.0**high if self._is_log else high))
        if self._is_log:
            painter.drawText(QPointF(0, self.height() - 2), self._unit(10.0**low))

    def _scaled(self, values: Floats) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log10(np.where(values > 0, values, np.nan)) if self._is_log else values

    def _range(self) -> tuple[float, float]:
        parts = [self._scaled(values) for values, _ in self._curves]
        finite = np.concatenate([part[np.isfinite(part)] for part in parts]) if parts else np.empty(0)
        if not len(finite):
            return 0.0, max(self._top, 1.0)
        high = float(finite.max())
        if self._is_log:
            low = float(finite.min())
            return low - 0.1, max(high, low + 0.5) + 0.1
        return 0.0, max(high * 1.08, self._top, 1e-9)

    def _parts(self, values: Floats, box: QRectF, low: float, high: float) -> list[list[Point]]:
        """Where the curve runs, in px; cut where it has gaps."""
        scaled = self._scaled(values)
        x = (box.left() + box.width() * np.arange(len(values)) / max(1, len(values) - 1)).tolist()
        y = (box.bottom() - box.height() * (scaled - low) / (high - low)).tolist()
        finite = np.isfinite(scaled)
        edges = np.flatnonzero(np.diff(np.concatenate(([0], finite.view(np.int8), [0]))))
        return [list(zip(x[begin:end], y[begin:end], strict=True)) for begin, end in edges.reshape(-1, 2).tolist()]

    @staticmethod
    def _fill(painter: QPainter, parts: list[list[Point]], bottom: float, colour: str) -> None:
        area = QPainterPath()
        for part in parts:
            _along(area, part)
            area.lineTo(part[-1][0], bottom)
            area.lineTo(part[0][0], bottom)
            area.closeSubpath()
        painter.fillPath(area, QColor(theme.current().tint(colour, 0.18, theme.current().surface2)))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Tell the values under the pointer."""
        buckets = len(self._curves[0][0]) if self._curves else 0
        if buckets and self._read is not None:
            bucket = min(buckets - 1, max(0, int(event.position().x() / max(1, self.width()) * buckets)))
            length_ns = self._span.to_ns - self._span.from_ns
            at_ns = self._span.from_ns + length_ns * (bucket + 0.5) / buckets
            lines = [self._read(bucket), *near(self._marks, at_ns, length_ns / buckets * 1.5)]
            QToolTip.showText(event.globalPosition().toPoint(), "\n".join(lines), self)


class HeatStrip(QWidget):
    """Time by duration, darker where more calls fell. Without axes."""

    def __init__(self, name: str, *, height: int = 84, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(height)
        self._heat: NDArray[np.int64] = np.zeros((0, 0), np.int64)

    def show_heat(self, heat: NDArray[np.int64]) -> None:
        """Show counts. Shape (rows, buckets), the shortest durations first."""
        self._heat = heat
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """One cell a count, with a hair between them while they are large enough."""
        rows, buckets = self._heat.shape
        if not rows or not buckets or not self._heat.any():
            return
        colours = theme.current()
        share = np.sqrt(self._heat / self._heat.max())
        share = np.where(self._heat > 0, 0.1 + 0.9 * share, 0.0)
        front, back = QColor(colours.accent), QColor(colours.surface1)
        ends = np.array([[c.red(), c.green(), c.blue()] for c in (front, back)], np.float64)
        mixed = ends[0] * share[..., None] + ends[1] * (1 - share[..., None])
        pixels = np.full((rows, buckets, 4), 255, np.uint8)
        pixels[..., :3] = mixed[::-1].round().astype(np.uint8)
        pixels = np.ascontiguousarray(pixels)
        image = QImage(pixels.data, buckets, rows, buckets * 4, QImage.Format.Format_RGBA8888)
        painter = QPainter(self)
        painter.drawImage(QRectF(self.rect()), image)
        painter.setPen(QColor(colours.surface1))
        if self.width() / buckets >= 4:
            for number in range(1, buckets):
                x = round(self.width() * number / buckets)
                painter.drawLine(x, 0, x, self.height())
        if self.height() / rows >= 4:
            for number in range(1, rows):
                y = round(self.height() * number / rows)
                painter.drawLine(0, y, self.width(), y)
        painter.end()
