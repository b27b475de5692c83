"""Signs of states, painted so that they look alike in every font; and the colour of a share of failures."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from app import theme

ERROR_STEPS: Final = (0.10, 0.25, 0.40)
"""Shares of failed calls at which a circle changes its colour; as on boards that operators know."""


def error_colour(failed: float) -> str:
    """The colour of a share of failed calls."""
    colours = theme.current()
    if failed >= ERROR_STEPS[2]:
        return colours.failed
    if failed >= ERROR_STEPS[1]:
        return theme.mix(colours.failed, colours.slow, 0.5)
    return colours.slow if failed >= ERROR_STEPS[0] else colours.ok


def paint_sign(painter: QPainter, sign: str, middle: QPointF, size: float, colour: str) -> None:
    """A sign of a state: bar, pause, half, play, ask, dot, ring; nothing for others."""
    painter.save()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour))
    x, y = middle.x(), middle.y()
    if sign == "bar":
        painter.drawRoundedRect(QRectF(x - size, y - size * 0.28, 2 * size, size * 0.56), 1, 1)
    elif sign == "pause":
        for left in (x - size * 0.8, x + size * 0.2):
            painter.drawRoundedRect(QRectF(left, y - size * 0.9, size * 0.6, size * 1.8), 1, 1)
    elif sign == "play":
        painter.drawPolygon(
            QPolygonF([QPointF(x - size * 0.6, y - size), QPointF(x + size, y), QPointF(x - size * 0.6, y + size)])
        )
    elif sign in ("dot", "half", "ring"):
        if sign == "dot":
            painter.drawEllipse(middle, size * 0.8, size * 0.8)
        else:
            painter.setPen(QPen(QColor(colour), 1.4))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(middle, size * 0.8, size * 0.8)
        if sign == "half":
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colour))
            painter.drawPie(QRectF(x - size * 0.8, y - size * 0.8, size * 1.6, size * 1.6), 90 * 16, 180 * 16)
    elif sign == "ask":
        painter.setPen(QColor(colour))
        painter.setFont(theme.font(max(9, round(size * 1.9)), bold=True))
        painter.drawText(QRectF(x - 12, y - 12, 24, 24), Qt.AlignmentFlag.AlignCenter, "?")
    painter.restore()
