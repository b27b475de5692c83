"""A curve in a table cell."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app import theme

CURVE_ROLE = int(Qt.ItemDataRole.UserRole) + 7
"""The role under which a model gives the values of a curve: shape (buckets,), NaN for gaps."""


def paint_curve(painter: QPainter, box: QRectF, values: NDArray[np.float64], colour: str) -> None:
    """Draw values, oldest at the left, scaled to the box; NaN breaks the line, a lone value is a dot."""
    finite = np.isfinite(values)
    if not finite.any():
        return
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    # a nearly flat line is drawn flat: noise of 1 % is no mountain
    reach = max(high - low, abs(high) * 0.1, 1e-12)
    x = box.left() + box.width() * np.arange(len(values)) / max(1, len(values) - 1)
    y = box.bottom() - box.height() * (np.nan_to_num(values) - low) / reach
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(colour), 1))
    edges = np.flatnonzero(np.diff(np.concatenate(([0], finite.view(np.int8), [0]))))
    for begin, end in edges.reshape(-1, 2):
        if end - begin == 1:
            painter.setBrush(QColor(colour))
            painter.drawEllipse(QPointF(x[begin], y[begin]), 1, 1)
            continue
        painter.drawPolyline(QPolygonF([QPointF(x[i], y[i]) for i in range(begin, end)]))
    painter.restore()


class CurveDelegate(QStyledItemDelegate):
    """Draws what the model gives under CURVE_ROLE."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """The cell's background as everywhere, and the curve over it."""
        super().paint(painter, option, index)
        values = index.data(CURVE_ROLE)
        if values is None:
            return
        colours = theme.current()
        selected = bool(option.state & QStyle.StateFlag.State_Selected)  # type: ignore[attr-defined]
        box = QRectF(option.rect).adjusted(4, 5, -4, -5)  # type: ignore[attr-defined]
        paint_curve(painter, box, values, colours.text if selected else colours.accent)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """As high as a line of text, and wide enough to see a shape."""
        return QSize(96, super().sizeHint(option, index).height())
