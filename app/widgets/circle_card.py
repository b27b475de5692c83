"""A card with a circle: how much, how bad, in which state; and how it is painted."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from app import theme
from app.widgets.controls import Tone
from app.widgets.state_signs import error_colour, paint_sign

CARD_PX: Final = 104
CIRCLE_PX: Final = 92
MOST_RADIUS_PX: Final = 30
LEAST_RADIUS_PX: Final = 7

Text = tuple[str, Tone]


@dataclass(frozen=True, slots=True)
class CircleCard:
    """One card.

    Attributes:
        key: What it is known by.
        title, subtitle: What it is about.
        state: A word, and its colour.
        state_note: A few letters behind it: where it is from.
        sign: In the circle; one of the signs that the board draws: "", bar, pause, half, ask.
        note: What is said below, at a moment (ns since the epoch): it may count down.
        figures: The last line, in parts.
        volume: Area of the circle, to the largest of all: 0 to 1.
        failed: Share of failed calls, 0 to 1.
        curve: Drawn behind the circle, oldest first.
        tip: What the pointer is told.
        aside: At the right, beside the state: since when.
    """

    key: Hashable
    title: str
    subtitle: str
    state: Text
    state_note: str
    sign: str
    note: Callable[[int], str]
    figures: Sequence[Text]
    volume: float
    failed: float
    curve: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    tip: str = ""
    aside: str = ""

    def words(self, now_ns: int) -> str:
        """All it says."""
        figures = "".join(text for text, _ in self.figures)
        source = f" ({self.state_note})" if self.state_note else ""
        return f"{self.title}, {self.subtitle}: {self.state[0]}{source}. {self.note(now_ns)}. {figures}. {self.aside}"


def paint_card(
    painter: QPainter, card: CircleCard, box: QRect, now_ns: int, *, is_selected: bool, is_current: bool
) -> None:
    """A card: the circle over its curve at the left, what it says at the right.

    Args:
        painter: Paints.
        card: What.
        box: Where.
        now_ns: The moment, for what counts down.
        is_selected, is_current: Whether it is selected, and has the keyboard.
    """
    colours = theme.current()
    ground = colours.selected if is_selected else colours.surface1
    painter.setPen(QPen(QColor(colours.accent if is_selected else colours.line), 2 if is_current else 1))
    painter.setBrush(QColor(ground))
    painter.drawRoundedRect(QRectF(box).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
    circle = QRectF(box.left() + 12, box.top() + 8, CIRCLE_PX, CARD_PX - 16)
    _paint_curve(painter, card.curve, circle.adjusted(2, 18, -2, -18), theme.mix(colours.dim, ground, 0.45))
    _paint_circle(painter, card, circle.center(), ground)
    left = box.left() + CIRCLE_PX + 22
    width = box.right() - 10 - left
    _paint_texts(painter, card, QRect(left, box.top() + 9, width, CARD_PX - 18), ground, now_ns)


def _paint_texts(painter: QPainter, card: CircleCard, box: QRect, ground: str, now_ns: int) -> None:
    colours = theme.current()
    dim = colours.ink(colours.dim, ground)

    def say(text: str, top: int, colour: str, size: int, *, bold: bool = False) -> None:
        painter.setFont(theme.font(size, bold=bold))
        painter.setPen(QColor(colour))
        fitted = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(QPoint(box.left(), box.top() + top), fitted)

    word, tone = card.state
    say(card.title, 11, colours.text, theme.BODY_PX, bold=True)
    say(card.subtitle, 27, dim, theme.SMALL_PX)
    say(word, 47, colours.ink(colours.colours()[tone], ground) if tone else colours.text, theme.BODY_PX, bold=True)
    if card.state_note:
        left = box.left() + painter.fontMetrics().horizontalAdvance(word)
        painter.setFont(theme.font(theme.SMALL_PX))
        painter.setPen(QColor(dim))
        painter.drawText(QPoint(left, box.top() + 47), f"  {card.state_note}")
    if card.aside:
        painter.setFont(theme.font(theme.SMALL_PX))
        painter.setPen(QColor(dim))
        right = box.right() - painter.fontMetrics().horizontalAdvance(card.aside)
        painter.drawText(QPoint(right, box.top() + 47), card.aside)
    say(card.note(now_ns), 64, dim, theme.SMALL_PX)
    painter.setFont(theme.font(12))
    left = box.left()
    for text, tone in card.figures:
        painter.setPen(QColor(colours.ink(colours.colours()[tone], ground) if tone else colours.text))
        painter.drawText(QPoint(left, box.top() + 83), text)
        left += painter.fontMetrics().horizontalAdvance(text)


def _paint_curve(painter: QPainter, curve: NDArray[np.float64], box: QRectF, colour: str) -> None:
    top = float(curve.max()) if len(curve) else 0.0
    if top <= 0:
        return
    step = box.width() / max(1, len(curve) - 1)
    points = [QPointF(box.left() + index * step, box.bottom() - box.height() * value / top)
              for index, value in enumerate(curve.tolist())]  # fmt: skip
    painter.setPen(QPen(QColor(colour), 1))
    painter.drawPolyline(QPolygonF(points))


def _paint_circle(painter: QPainter, card: CircleCard, middle: QPointF, ground: str) -> None:
    """Area by volume, filled in the colour of its errors, edged in that of its state."""
    colours = theme.current()
    radius = max(LEAST_RADIUS_PX, MOST_RADIUS_PX * math.sqrt(min(1.0, max(0.0, card.volume))))
    tone = card.state[1]
    edge = colours.colours()[tone] if tone not in ("", "dim") else theme.mix(colours.dim, ground, 0.8)
    fill = error_colour(card.failed) if card.volume > 0 else edge
    painter.setPen(QPen(QColor(edge), 1.6))
    painter.setBrush(QColor(theme.mix(fill, ground, 0.38 if tone not in ("", "dim") else 0.2)))
    painter.drawEllipse(middle, radius, radius)
    paint_sign(painter, card.sign, middle, min(radius, 13.0) * 0.62, colours.ink(edge, ground))
