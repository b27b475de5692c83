"""The small map in the corner: all cards, and what of them is seen. Click or drag moves the view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QWidget

from app import theme
from app.widgets.canvas.colours import Colours, colours_of
from app.widgets.canvas.items import Card
from app.widgets.canvas.viewport import Viewport

if TYPE_CHECKING:
    from app.widgets.canvas.canvas import GraphCanvas

SIZE = QSize(172, 108)
MARGIN = 9
MANY = 150
"""Above so many cards they are painted as blocks."""


def _at_least(box: QRectF, high: float) -> QRectF:
    """The box, large enough to be seen."""
    if box.height() >= high:
        return box
    wide = max(box.width(), high * 1.6)
    return QRectF(box.center().x() - wide / 2, box.center().y() - high / 2, wide, high)


class Minimap(QWidget):
    """Shows a canvas as a whole. Its picture is kept; only the frame of what is seen is drawn anew."""

    def __init__(self, canvas: GraphCanvas) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._picture: QPixmap | None = None
        self._map = Viewport()
        self.setFixedSize(SIZE)
        self.setAccessibleName("Map of the whole graph")
        self.setToolTip("The whole graph. Click or drag to move")
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def forget(self) -> None:
        """Paint the map anew when it is shown next."""
        self._picture = None
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The map, and the frame of what is seen."""
        colours = theme.current()
        if self._picture is None or self._picture.devicePixelRatio() != self.devicePixelRatio():
            self._picture = self._painted()
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._picture)
        seen = self._map.transform().mapRect(self._canvas.viewport.rect)
        inside = QRectF(self.rect()).adjusted(6.5, 6.5, -6.5, -6.5)
        painter.setPen(QPen(QColor(colours.accent), 1.0))
        painter.drawRect(seen.intersected(inside))
        painter.end()

    def _painted(self) -> QPixmap:
        scene, named = self._canvas.scene, theme.current()
        colours = colours_of(named)
        picture = QPixmap(self.size() * self.devicePixelRatio())
        picture.setDevicePixelRatio(self.devicePixelRatio())
        picture.fill(Qt.GlobalColor.transparent)
        self._map = Viewport(self.width(), self.height()).fitted(scene.bounds(), margin=MARGIN + 4)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(colours.line, 1.0))
        painter.setBrush(QColor(named.surface1))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        painter.setPen(Qt.PenStyle.NoPen)
        transform = self._map.transform()
        painter.setBrush(colours.line)
        for rect in scene.frames.rects.values():
            painter.drawRoundedRect(transform.mapRect(rect), 2, 2)
        if len(scene.cards) > MANY:
            self._paint_blocks(painter, colours)
        else:
            for key, card in scene.cards.items():
                if key in scene.at:
                    painter.setBrush(self._colour(card, colours))
                    painter.drawRoundedRect(_at_least(transform.mapRect(scene.rect_of(key)), 5.0), 2, 2)
        painter.end()
        return picture

    def _paint_blocks(self, painter: QPainter, colours: Colours) -> None:
        """Many cards, without round corners, which nobody would see."""
        scene, zoom = self._canvas.scene, self._map.zoom
        # whole px, and no object of Qt for each card: making one gives the interpreter away
        high = max(2, round(scene.height * zoom))
        wide = max(round(scene.width * zoom), round(high * 1.6))
        left, top = self._map.origin
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for key, card in scene.cards.items():
            if key in scene.at:
                x, y = scene.at[key]
                at_x, at_y = round(x * zoom + left - wide / 2), round(y * zoom + top - high / 2)
                painter.fillRect(at_x, at_y, wide, high, self._colour(card, colours))

    def _colour(self, card: Card, colours: Colours) -> QColor:
        return colours.line if card.key in self._canvas.scene.faded else colours.tones[card.tone]

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Move what is seen to where the mouse is."""
        self._go(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """As long as a button is held."""
        self._go(event.position())

    def _go(self, point: QPointF) -> None:
        there = self._map.to_plane(point)
        self._canvas.look_at(self._canvas.viewport.centred(there.x(), there.y()))
