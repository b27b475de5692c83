"""Axes and view boxes of charts whose x is time and whose y may be a duration.

pyqtgraph carries no types, hence the ignores on its subclasses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt

from app.widgets.format import duration_ms

TICK_PX = 20  # what a tick needs so that its text does not touch the next
LOWEST_LOG_MS = -2.0  # 10 microseconds: below it nothing crosses a network


class DurationAxis(pg.AxisItem):  # type: ignore[misc]
    """A y axis in ms, or in log10 of ms with a tick at each power of ten."""

    def __init__(self) -> None:
        super().__init__("left")
        self.is_log = True

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[float]]]:  # noqa: N803
        """Where ticks stand: on a log axis at whole powers of ten, and at 3 between when there is room."""
        if not self.is_log:
            ticks: list[tuple[float, list[float]]] = super().tickValues(minVal, maxVal, size)
            return ticks[:1]
        low, high = int(minVal // 1), int(maxVal // 1) + 1
        powers = [float(p) for p in range(low, high + 1) if minVal <= p <= maxVal]
        step = max(1, -(-len(powers) * TICK_PX // max(1, int(size))))
        powers = powers[::step]
        if step == 1 and size / (len(powers) + 1) > 60:
            between = [p + 0.4771 for p in range(low, high + 1) if minVal <= p + 0.4771 <= maxVal]
            return [(1.0, sorted(powers + between))]
        return [(1.0, powers)]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:  # noqa: ARG002
        """What ticks say: a duration with its unit."""
        return [duration_ms(round(10**value, 6) if self.is_log else value, short=True) for value in values]


class CountAxis(pg.AxisItem):  # type: ignore[misc]
    """A y axis of a few plain numbers with a unit."""

    def __init__(self, unit: str) -> None:
        super().__init__("left")
        self._unit = unit

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[float]]]:  # noqa: N803
        """Where ticks stand: as many as fit without crowding."""
        ticks: list[tuple[float, list[float]]] = super().tickValues(minVal, maxVal, size)
        return ticks[:1]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:  # noqa: ARG002
        """What ticks say: the number and its unit."""
        return [f"{value:,.4g}{self._unit}" for value in values]


class BrushBox(pg.ViewBox):  # type: ignore[misc]
    """A plot area in which a drag marks a span of time, or a box of time and value.

    It does not pan or zoom by itself: charts show the span of the one cursor.
    """

    def __init__(self, brushed: Callable[[QRectF], None], zoom_back: Callable[[], None], *, is_box: bool) -> None:
        super().__init__(enableMenu=False)
        self.setMouseEnabled(x=False, y=False)
        self._brushed = brushed
        self._zoom_back = zoom_back
        self._is_box = is_box
        self.band = pg.QtWidgets.QGraphicsRectItem()
        self.band.setZValue(50)
        self.band.hide()
        self.addItem(self.band, ignoreBounds=True)

    def mouseDragEvent(self, event: Any, axis: int | None = None) -> None:  # noqa: ARG002
        """Draw the mark while dragging; hand it over when the button is let go."""
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        event.accept()
        box = self._marked(self.mapToView(event.buttonDownPos()), self.mapToView(event.pos()))
        self.band.setRect(box)
        self.band.setVisible(not event.isFinish())
        if event.isFinish() and box.width() > 0:
            self._brushed(box)

    def mouseDoubleClickEvent(self, event: Any) -> None:
        """The zoom before."""
        event.accept()
        self._zoom_back()

    def wheelEvent(self, event: Any, axis: int | None = None) -> None:  # noqa: ARG002
        """The wheel belongs to the page around the chart."""
        event.ignore()

    def _marked(self, begin: QPointF, end: QPointF) -> QRectF:
        box = QRectF(begin, end).normalized()
        view: QRectF = self.viewRect()
        if not self._is_box:
            box.setTop(view.top())
            box.setBottom(view.bottom())
        return box.intersected(view)
