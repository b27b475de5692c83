"""What is drawn over the picture: what is selected, what is under the mouse, and their wires."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter, QPen, QTransform

from app import theme
from app.widgets.canvas.card_paint import TEXT_ZOOM, paint_card
from app.widgets.canvas.chips import Chip, chip_scale, paint_chip
from app.widgets.canvas.colours import Colours, colours_of
from app.widgets.canvas.frames import paint_frame
from app.widgets.canvas.routes import sampled
from app.widgets.canvas.scene import Scene
from app.widgets.canvas.spots import HIDE_ZOOM, hide_spot, paint_hide
from app.widgets.canvas.viewport import Viewport
from app.widgets.canvas.wire_paint import thickness_at

MOST_WIRES = 60


class Marked(NamedTuple):
    """What stands out."""

    selected: str
    hovered: str
    has_focus: bool
    other: str = ""


def paint_overlay(painter: QPainter, scene: Scene, view: Viewport, marked: Marked, chips: Mapping[str, Chip]) -> None:
    """Draw what stands out once more, brighter. The painter is in px."""
    colours = colours_of(theme.current())
    for key in dict.fromkeys((marked.hovered, marked.selected)):
        if key in scene.frames.rects:
            ring = colours.accent if key == marked.selected else colours.dim
            paint_frame(painter, scene, key, view, colours, ring=ring)
    for key in dict.fromkeys((marked.selected, marked.hovered)):
        if key in scene.wires and key in scene.routes:
            _paint_wires(painter, scene, view, [key], chips, is_selected=key == marked.selected)
        elif key in scene.cards and key in scene.at and key == marked.hovered:
            _paint_wires(painter, scene, view, scene.wires_of(key)[:MOST_WIRES], chips, is_selected=False)
    for key in dict.fromkeys((marked.hovered, marked.selected)):
        if key in scene.cards and key in scene.at:
            _paint_card(painter, scene, view, key, colours, is_selected=key == marked.selected)
    if marked.other in scene.at:
        _paint_other(painter, scene, view, marked.other, colours)
    if marked.hovered in scene.at and view.zoom >= HIDE_ZOOM:
        paint_hide(painter, hide_spot(scene, view, marked.hovered), colours)


def _paint_other(painter: QPainter, scene: Scene, view: Viewport, key: str, colours: Colours) -> None:
    """The second one that was chosen: a dashed line around it."""
    pen = QPen(colours.accent, 1.5)
    pen.setDashPattern([3, 2])
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(view.transform().mapRect(scene.rect_of(key)).adjusted(-3, -3, 3, 3), 9, 9)


def _paint_card(
    painter: QPainter, scene: Scene, view: Viewport, key: str, colours: Colours, *, is_selected: bool
) -> None:
    rect = view.transform().mapRect(scene.rect_of(key))
    if view.zoom < TEXT_ZOOM:
        # too small for text where it is: shown in full beside the mouse or the block
        painter.setPen(QPen(colours.accent, 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(rect.adjusted(-2, -2, 2, 2))
        rect.setSize(scene.rect_of(key).size() * 0.85)
        rect.moveCenter(view.to_screen(*scene.at[key]))
        paint_card(painter, scene.cards[key], rect, 0.85, colours, is_selected=is_selected, ring=None)
        return
    ring = None if is_selected else colours.dim
    paint_card(painter, scene.cards[key], rect, view.zoom, colours, is_selected=is_selected, ring=ring)


def _paint_wires(
    painter: QPainter, scene: Scene, view: Viewport, keys: list[str], chips: Mapping[str, Chip], *, is_selected: bool
) -> None:
    colours = colours_of(theme.current())
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setTransform(view.transform())
    for key in keys:
        wire = scene.wires[key]
        colour = colours.accent if is_selected else _bright(wire.tone, wire.is_event, colours)
        pen = QPen(colour, thickness_at(wire, view.zoom) + 1.0)
        pen.setCosmetic(True)
        if wire.is_event or wire.is_silent:
            pen.setDashPattern([2.0, 2.0])
        painter.setPen(pen)
        painter.drawPath(scene.routes[key].path())
    painter.setTransform(QTransform())
    for key in keys if len(keys) <= 12 else ():
        wire = scene.wires[key]
        if wire.text:
            chip = chips.get(key)  # where it stands already
            x, y = (chip.x, chip.y) if chip else sampled([scene.routes[key]], 3)[0, 1].tolist()
            text = chip.text if chip else wire.text
            paint_chip(painter, wire, text, view.to_screen(x, y), chip_scale(view.zoom), colours)


def _bright(tone: str, is_event: bool, colours: Colours) -> QColor:
    return colours.tones["held"] if is_event and tone in ("none", "ok") else colours.tones[tone]
