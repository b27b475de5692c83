"""Small places on the canvas that do something when they are clicked: open, close, hide."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter, QPen

from app.widgets.canvas.card_paint import DETAIL_ZOOM, TEXT_ZOOM, open_spot
from app.widgets.canvas.colours import Colours
from app.widgets.canvas.scene import Scene
from app.widgets.canvas.viewport import Viewport

HIDE_ZOOM: Final = DETAIL_ZOOM
HIDE_PX: Final = 17.0


class Spot(NamedTuple):
    """What a click would do.

    Attributes:
        act: Open or close what is behind the key, or hide it.
        key: Of a card or a frame.
    """

    act: Literal["toggle", "hide"]
    key: str


def hide_spot(scene: Scene, view: Viewport, key: str) -> QRectF:
    """Where a card is hidden with the mouse, in px: over its upper right corner."""
    corner = view.transform().mapRect(scene.rect_of(key)).topRight()
    return QRectF(corner.x() - HIDE_PX / 2, corner.y() - HIDE_PX / 2, HIDE_PX, HIDE_PX)


def spot_at(scene: Scene, view: Viewport, at: QPointF, hovered: str) -> Spot | None:
    """The spot at a place in px; None for none. A card can be hidden while the mouse is over it."""
    if hovered in scene.at and view.zoom >= HIDE_ZOOM and hide_spot(scene, view, hovered).contains(at):
        return Spot("hide", hovered)
    point = view.to_plane(at)
    key = scene.card_at(point)
    if key:
        rect = view.transform().mapRect(scene.rect_of(key))
        is_open = scene.cards[key].is_stack and view.zoom >= DETAIL_ZOOM and open_spot(rect, view.zoom).contains(at)
        return Spot("toggle", key) if is_open else None
    frame = scene.frames.at(point)
    if frame and view.zoom >= TEXT_ZOOM and scene.frames.button(frame).contains(point):
        return Spot("toggle", frame)
    return None


def paint_hide(painter: QPainter, box: QRectF, colours: Colours) -> None:
    """A small round button with a cross. The painter is in px."""
    painter.setPen(QPen(colours.dim, 1.0))
    painter.setBrush(colours.chip)
    painter.drawEllipse(box)
    middle, half = box.center(), 3.2
    painter.setPen(QPen(colours.text, 1.4))
    painter.drawLine(middle + QPointF(-half, -half), middle + QPointF(half, half))
    painter.drawLine(middle + QPointF(-half, half), middle + QPointF(half, -half))
