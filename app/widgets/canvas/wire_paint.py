"""Painting wires: with care where they are few, fast where they are many."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF

from app.widgets.canvas.colours import Colours
from app.widgets.canvas.items import Wire
from app.widgets.canvas.routes import Route, add_to
from app.widgets.canvas.viewport import Viewport

Look = tuple[str, bool, bool]
"""What decides the pen of a wire: tone, is it an event, is it silent."""
EVENT_DASH, SILENT_DASH = (1.6, 1.7), (3.0, 3.0)


def look_of(wire: Wire) -> Look:
    """The look of a wire."""
    return wire.tone, wire.is_event, wire.is_silent


def colour_of(look: Look, colours: Colours) -> QColor:
    """The colour of a look."""
    tone, is_event, is_silent = look
    if is_silent:
        return colours.silent
    return colours.event if is_event and tone in ("none", "ok") else colours.wires[tone]


def importance(look: Look) -> int:
    """What is painted later, over others."""
    return {"none": 0, "ok": 1, "held": 2, "slow": 3, "failed": 4}[look[0]] - (2 if look[1] or look[2] else 0)


@lru_cache(maxsize=512)
def careful_pen(look: Look, thickness: float, colours: Colours) -> QPen:
    """A pen in px, the same at every zoom."""
    _, is_event, is_silent = look
    pen = QPen(colour_of(look, colours), 1.0 if is_silent else thickness)
    pen.setCosmetic(True)
    if is_silent:
        pen.setDashPattern(SILENT_DASH)
    elif is_event:
        pen.setDashPattern(EVENT_DASH)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    return pen


def thickness_at(wire: Wire, zoom: float) -> float:
    """How thick a wire is, in px: a little thinner far away, never thinner than a line."""
    size = min(1.6, max(0.45, zoom))
    return max(1.0, round(wire.thickness * size * 4) / 4)


def paint_carefully(painter: QPainter, wire: Wire, route: Route, view: Viewport, colours: Colours) -> None:
    """One wire in its thickness; antialiased. The painter is in the plane."""
    thickness = thickness_at(wire, view.zoom)
    painter.setPen(careful_pen(look_of(wire), thickness, colours))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(route.path())
    if route.has_arrow and view.zoom > 0.35:
        _paint_arrow(painter, wire, route, thickness, view.zoom, colours)


def _paint_arrow(painter: QPainter, wire: Wire, route: Route, thickness: float, zoom: float, colours: Colours) -> None:
    _, _, _, _, cx, cy, x, y = route.curves[-1]
    angle = math.atan2(y - cy, x - cx) if (cx, cy) != (x, y) else 0.0
    size = (5.0 + thickness) / max(zoom, 0.6)
    back = [(angle + math.pi + turn) for turn in (-0.45, 0.45)]
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour_of(look_of(wire), colours))
    points = [QPointF(x, y), *(QPointF(x + size * math.cos(a), y + size * math.sin(a)) for a in back)]
    painter.drawPolygon(QPolygonF(points))


def paint_fast(painter: QPainter, routes: Iterable[Route], look: Look, colours: Colours) -> None:
    """Wires of one look, one pixel thick and opaque: the only pen that the raster engine draws fast."""
    path = QPainterPath()
    for route in routes:
        add_to(path, route)
    pen = QPen(colours.crowd["held" if look[1] and look[0] in ("none", "ok") else look[0]], 0)
    pen.setCosmetic(True)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(path)
