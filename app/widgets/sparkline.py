"""A curve in a table cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QStyleOptionViewItem, QWidget

from app import theme
from app.items.records import RECORD_ROLE
from app.widgets.table import CellDelegate

FLAT_SHARE = 0.1
"""A curve that varies by less than this share of its height is drawn flat: noise is no mountain."""


def paint_curve(painter: QPainter, box: QRectF, values: NDArray[np.float64], colour: str) -> None:
    """Draw values, oldest at the left, scaled to the box; NaN breaks the line, a lone value is a dot."""
    finite = np.isfinite(values)
    if not finite.any():
        return
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    reach = max(high - low, abs(high) * FLAT_SHARE, 1e-12)
    x = box.left() + box.width() * np.arange(len(values)) / max(1, len(values) - 1)
    y = box.bottom() - box.height() * (np.nan_to_num(values) - low) / reach
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(colour), 1))
    painter.setBrush(QColor(colour))
    edges = np.flatnonzero(np.diff(np.concatenate(([0], finite.view(np.int8), [0]))))
    for begin, end in edges.reshape(-1, 2):
        if end - begin == 1:
            painter.drawEllipse(QPointF(x[begin], y[begin]), 1, 1)
        else:
            painter.drawPolyline(QPolygonF([QPointF(x[i], y[i]) for i in range(begin, end)]))
    painter.restore()


class CurveDelegate(CellDelegate):
    """A cell like all others, with a curve of its record over it."""

    def __init__(self, values: Callable[[Any], NDArray[np.float64]], parent: QWidget) -> None:
        """Draw for the table that is the parent.

        Args:
            values: Of a record; shape (buckets,), oldest first, NaN for gaps.
            parent: The table.
        """
        super().__init__(parent)
        self._values = values

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """The cell, and the curve."""
        super().paint(painter, option, index)
        record = index.data(RECORD_ROLE)
        box: QRect = option.rect
        paint_curve(painter, QRectF(box).adjusted(8, 6, -8, -7), self._values(record), theme.current().accent)
