"""Painting a card, in px of the screen, so that lines and letters stay crisp at every zoom."""

from __future__ import annotations

import math
from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen, QPolygonF

from app.theme import BODY_PX, SMALL_PX, font
from app.widgets.canvas.colours import Colours
from app.widgets.canvas.items import Card

TEXT_ZOOM, DETAIL_ZOOM = 0.27, 0.44
"""From these on cards have a title, and everything."""
LEAST_TITLE_PX, LEAST_DETAIL_PX = 10.5, 9.0
"""Letters do not get smaller than this; what finds no room is left out."""
SIGN_PX = 11.0
BLOCK_INSET = 0.14
MOST_MARKS = 6
OPEN = 14.0


@lru_cache(maxsize=64)
def scaled_font(size_px: float, *, bold: bool = False) -> QFont:
    """The text font in any size."""
    made = font(BODY_PX, bold=bold)
    made.setPixelSize(max(6, round(size_px)))
    return made


@lru_cache(maxsize=20_000)
def fitted(text: str, size_px: float, bold: bool, width: int) -> str:
    """A text cut to a width in px, with the dots at its end."""
    metrics = QFontMetricsF(scaled_font(size_px, bold=bold))
    return metrics.elidedText(text, Qt.TextElideMode.ElideRight, width)


def snapped(rect: QRectF) -> QRectF:
    """A rectangle with its lines in the middle of pixels."""
    left, top = math.floor(rect.left()) + 0.5, math.floor(rect.top()) + 0.5
    return QRectF(left, top, round(rect.width()) - 1.0, round(rect.height()) - 1.0)


def paint_card(
    painter: QPainter,
    card: Card,
    rect: QRectF,
    zoom: float,
    colours: Colours,
    *,
    is_selected: bool,
    ring: QColor | None,
) -> None:
    """One card.

    Args:
        painter: In px.
        card: What to show.
        rect: Where, in px.
        zoom: How large: below `DETAIL_ZOOM` details are left out.
        colours: Of the theme.
        is_selected: On the colour of selection, with a line in the accent.
        ring: A line in another colour around it; None for none.
    """
    box = snapped(rect)
    if card.is_stack:
        _paint_behind(painter, box, zoom, colours)
    _paint_ground(painter, card, box, zoom, colours, is_selected=is_selected, ring=ring)
    _paint_bar(painter, card, box, zoom, colours)
    if zoom >= DETAIL_ZOOM:
        _paint_details(painter, card, box, zoom, colours)
    elif zoom >= TEXT_ZOOM:
        _paint_title_only(painter, card, box, colours)


def _paint_behind(painter: QPainter, box: QRectF, zoom: float, colours: Colours) -> None:
    """Two more cards behind a stack, as far as they are seen."""
    painter.setPen(QPen(colours.line, 1.0))
    painter.setBrush(colours.card)
    for step in (6.0, 3.0):
        behind = box.translated(0, step * zoom).adjusted(step * zoom, 0, -step * zoom, 0)
        painter.drawRoundedRect(behind, 6.0 * zoom, 6.0 * zoom)


def _radius(card: Card, box: QRectF, zoom: float) -> float:
    return {"card": 8.0 * zoom, "square": 2.0 * zoom, "pill": box.height() / 2}[card.shape]


def _paint_ground(
    painter: QPainter, card: Card, box: QRectF, zoom: float, colours: Colours, *, is_selected: bool, ring: QColor | None
) -> None:
    edge = QPen(ring or (colours.accent if is_selected else colours.dim if card.is_hatched else colours.line))
    edge.setWidthF(1.5 if is_selected or ring else 1.0)
    if (card.is_dashed or card.is_hatched) and not is_selected:
        edge.setDashPattern([3, 3])
    painter.setPen(edge)
    painter.setBrush(colours.selected if is_selected else colours.card)
    radius = _radius(card, box, zoom)
    painter.drawRoundedRect(box, radius, radius)
    if card.is_hatched:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QBrush(colours.hatch, Qt.BrushStyle.BDiagPattern))
        painter.drawRoundedRect(box, radius, radius)


def _paint_bar(painter: QPainter, card: Card, box: QRectF, zoom: float, colours: Colours) -> None:
    inset = 10.0 * zoom if card.shape != "pill" else box.height() * 0.28
    wide = max(2.0, round(4.0 * zoom))
    left = box.left() - 0.5 if card.shape != "pill" else box.left() + 6.0 * zoom
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colours.tones[card.tone])
    painter.drawRoundedRect(QRectF(left, box.top() + inset, wide, box.height() - 2 * inset), wide / 3, wide / 3)


def _paint_details(painter: QPainter, card: Card, box: QRectF, zoom: float, colours: Colours) -> None:
    indent = (15.0 if card.shape != "pill" else 22.0) * zoom
    left, right = box.left() + indent, box.right() - 11.0 * zoom
    marks = _paint_marks(painter, card, right, box.top() + 12.5 * zoom, zoom, colours)
    title_px, detail_px = max(LEAST_TITLE_PX, BODY_PX * zoom), max(LEAST_DETAIL_PX, SMALL_PX * zoom)
    before = _paint_gateway(painter, left, box.top() + 17.0 * zoom, zoom, colours) if card.is_gateway else 0.0
    room = right - left - before - marks
    text = fitted(f"{card.title} ?" if card.is_doubtful else card.title, title_px, True, int(room))
    painter.setFont(scaled_font(title_px, bold=True))
    painter.setPen(colours.text)
    painter.drawText(QPointF(left + before, round(box.top() + 21.5 * zoom)), text)
    painter.setFont(scaled_font(detail_px))
    painter.setPen(colours.dim)
    if card.is_stack:
        opener = open_spot(box, zoom)
        paint_toggle(painter, opener, colours, is_open=False)
        right = opener.left() - 5.0 * zoom
    room = right - left - ((SIGN_PX + 5) * zoom if card.sign else 0)
    painter.drawText(QPointF(left, round(box.top() + 42.0 * zoom)), _detail(card.detail, detail_px, int(room)))
    paint_sign(painter, card.sign, QPointF(right - SIGN_PX * zoom / 2, box.bottom() - 15.0 * zoom), zoom, colours)


def _detail(text: str, size_px: float, room: int) -> str:
    """The line below the title: only its first part where there is no room for both."""
    whole = fitted(text, size_px, False, room)
    return whole if whole == text else fitted(text.partition(" · ")[0].partition(", ")[0], size_px, False, room)


def _paint_gateway(painter: QPainter, left: float, middle: float, zoom: float, colours: Colours) -> float:
    """A small arrow into a door, before the title. How much room it takes, in px."""
    size = 4.5 * zoom
    painter.setPen(QPen(colours.dim, max(1.0, 1.3 * zoom)))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawLine(QPointF(left, middle), QPointF(left + size * 1.6, middle))
    painter.drawPolyline(
        [
            QPointF(left + size * 0.8, middle - size * 0.75),
            QPointF(left + size * 1.6, middle),
            QPointF(left + size * 0.8, middle + size * 0.75),
        ]
    )
    painter.drawLine(QPointF(left + size * 2.3, middle - size), QPointF(left + size * 2.3, middle + size))
    return size * 2.3 + 6.0 * zoom


def _paint_marks(painter: QPainter, card: Card, right: float, top: float, zoom: float, colours: Colours) -> float:
    """Small squares, one an instance, or their number where they are many. How much room they take, in px."""
    if not card.marks:
        return 0.0
    size, step = 5.0 * zoom, 7.5 * zoom
    if card.marks > MOST_MARKS:
        text = f"×{card.marks}"
        painter.setFont(scaled_font(SMALL_PX * zoom))
        painter.setPen(colours.dim)
        wide = QFontMetricsF(painter.font()).horizontalAdvance(text)
        painter.drawText(QPointF(right - wide, round(top + 8.0 * zoom)), text)
        return wide + 6.0 * zoom
    for place in range(card.marks):
        left = right - (card.marks - place) * step + (step - size)
        box = QRectF(left, top, size, size)
        if place >= card.marks - card.lost:
            painter.setPen(QPen(colours.tones["failed"], 1.0))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            box.adjust(0.5, 0.5, -0.5, -0.5)
        else:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colours.dim)
        painter.drawRoundedRect(box, 1.0, 1.0)
    return card.marks * step + 4.0 * zoom


def _paint_title_only(painter: QPainter, card: Card, box: QRectF, colours: Colours) -> None:
    size = LEAST_TITLE_PX
    room = box.width() - 12.0
    painter.setFont(scaled_font(size, bold=True))
    painter.setPen(colours.inks[card.tone] if card.tone in ("failed", "slow") else colours.text)
    text = fitted(card.title, size, True, int(room))
    inside = QRectF(box.left() + 8.0, box.top(), room, box.height())
    painter.drawText(inside, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), text)


def paint_sign(painter: QPainter, sign: str, middle: QPointF, zoom: float, colours: Colours) -> None:
    """A triangle for failures (amber: a few), a clock for slowness, bars for what is held by hand."""
    half = SIGN_PX / 2 * zoom
    x, y = middle.x(), middle.y()
    if sign in ("failed", "warned"):
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colours.tones["failed" if sign == "failed" else "slow"])
        points = [QPointF(x, y - half * 0.95), QPointF(x + half, y + half * 0.85), QPointF(x - half, y + half * 0.85)]
        painter.drawPolygon(QPolygonF(points))
    elif sign == "slow":
        pen = QPen(colours.tones["slow"], max(1.0, 1.5 * zoom))
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(middle, half * 0.95, half * 0.95)
        painter.drawPolyline(
            [QPointF(x, y - half * 0.55), QPointF(x, y + half * 0.05), QPointF(x + half * 0.45, y + half * 0.25)]
        )
    elif sign == "held":
        painter.setPen(QPen(colours.tones["held"], max(1.0, 1.8 * zoom)))
        for away in (-0.5, 0.0, 0.5):
            painter.drawLine(QPointF(x + away * half, y - half * 0.8), QPointF(x + away * half, y + half * 0.8))


def open_spot(rect: QRectF, zoom: float) -> QRectF:
    """Where a stack is opened with the mouse; of its rectangle in px."""
    size = OPEN * zoom
    return QRectF(rect.right() - size - 9.0 * zoom, rect.bottom() - size - 8.0 * zoom, size, size)


def paint_toggle(painter: QPainter, box: QRectF, colours: Colours, *, is_open: bool) -> None:
    """A small square with a minus (it can be closed) or a plus (it can be opened). The painter is in px."""
    box = snapped(box)
    painter.setPen(QPen(colours.line, 1.0))
    painter.setBrush(colours.chip)
    painter.drawRoundedRect(box, 3.0, 3.0)
    middle, half = box.center(), box.width() * 0.24
    painter.setPen(QPen(colours.dim, max(1.0, box.width() / 11)))
    painter.drawLine(QPointF(middle.x() - half, middle.y()), QPointF(middle.x() + half, middle.y()))
    if not is_open:
        painter.drawLine(QPointF(middle.x(), middle.y() - half), QPointF(middle.x(), middle.y() + half))


Block = tuple[float, float, float, float]
"""Left, top, width and height in px: numbers, since making an object of Qt for each gives the interpreter away."""


def paint_blocks(
    painter: QPainter, cards: list[tuple[Card, Block]], colours: Colours, *, ring: dict[str, QColor]
) -> None:
    """Cards too small for text: blocks in the colour of their health, many at once."""
    by_tone: dict[tuple[str, bool], QPainterPath] = {}
    for card, (left, top, wide, high) in cards:
        # a little smaller than they are, so that the wires between them are seen
        inset = high * BLOCK_INSET
        look = card.tone, card.is_dashed or card.is_hatched
        path = by_tone.get(look)
        if path is None:
            path = by_tone[look] = QPainterPath()
            path.setFillRule(Qt.FillRule.WindingFill)
        path.addRect(left + inset, top + inset, wide - 2 * inset, high - 2 * inset)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    # what needs a look is painted last, and never under what is fine
    for (tone, is_absent), path in sorted(by_tone.items(), key=lambda group: group[0][0] in ("slow", "failed")):
        colour = colours.blocks[tone]
        painter.setPen(QPen(colour, 0) if is_absent else Qt.PenStyle.NoPen)
        painter.setBrush(colours.card if is_absent else colour)
        painter.drawPath(path)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for card, (left, top, wide, high) in cards:
        if card.key in ring:
            painter.setPen(QPen(ring[card.key], 2))
            painter.drawRect(QRectF(left - 2, top - 2, wide + 4, high + 4))
