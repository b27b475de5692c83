"""Labels on wires: where they find room, and how they look."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen

from app.widgets.canvas.card_paint import scaled_font, snapped
from app.widgets.canvas.colours import Colours
from app.widgets.canvas.items import HEAD, Wire
from app.widgets.canvas.routes import sampled
from app.widgets.canvas.scene import Scene

CHIP_ZOOM = 0.42
"""From this zoom on chips are shown."""
LEAST_SCALE = 0.8
"""Chips do not get smaller than this: further away they need more of the plane."""
CHIP_PX, CHIP_HEIGHT, CHIP_PADDING = 11, 19.0, 8.0
SAMPLES = 25
ORDER = (12, 10, 14, 8, 16, 6, 18, 5, 19)
"""Places along a way that a chip tries, the middle first."""


class Chip(NamedTuple):
    """A label that found room."""

    wire: str
    x: float
    y: float
    width: float
    text: str


@lru_cache(maxsize=2048)
def chip_width(text: str) -> float:
    """How wide the chip of a text is, in px at full size."""
    return QFontMetricsF(scaled_font(CHIP_PX)).horizontalAdvance(text) + 2 * CHIP_PADDING


def chip_scale(zoom: float) -> float:
    """How large chips are painted at a zoom."""
    return max(LEAST_SCALE, zoom)


def place_chips(scene: Scene, wires: Iterable[Wire], growth: float = 1.0) -> dict[str, Chip]:
    """A place for the label of each wire, most important first, off cards and off each other.

    Those that find no room are left out; they are shown when the mouse is over them. What holds calls up is always
    said, over others if need be.

    Args:
        scene: Where cards and wires are.
        wires: Those that may have a chip.
        growth: How much larger chips are on the plane than at zoom 1.
    """
    labelled = [wire for wire in wires if wire.text and wire.key in scene.routes]
    if not labelled:
        return {}
    labelled.sort(key=lambda wire: (-_weight(wire), wire.key))
    ways = sampled([scene.routes[wire.key] for wire in labelled], SAMPLES)
    obstacles = _Obstacles(scene)
    taken: list[tuple[float, float, float]] = []
    chips: dict[str, Chip] = {}
    for wire, way in zip(labelled, ways, strict=True):
        # what holds calls up is said in fewer words rather than not at all
        texts = dict.fromkeys((wire.text, wire.barrier, wire.barrier[:1])) if wire.barrier else (wire.text,)
        for text in texts:
            half = chip_width(text) * growth / 2
            place = _free_place(way, (half, CHIP_HEIGHT * growth / 2), obstacles, taken)
            if place is None and wire.barrier and len(text) == 1:
                place = (float(way[ORDER[0], 0]), float(way[ORDER[0], 1]))
            if place is not None:
                chips[wire.key] = Chip(wire.key, place[0], place[1], 2 * half, text)
                taken.append((place[0], place[1], half))
                break
    return chips


class _Obstacles:
    """What a chip must not cover: cards, and the names of frames."""

    def __init__(self, scene: Scene) -> None:
        cards = [
            (*scene.at[key], scene.width / 2 + 3.0, scene.height / 2 + 3.0) for key in scene.cards if key in scene.at
        ]
        heads = [
            (rect.center().x(), rect.top() + HEAD / 2, rect.width() / 2, HEAD / 2)
            for rect in scene.frames.rects.values()
        ]
        boxes = np.array([*cards, *heads], np.float64).reshape(-1, 4)
        self._middles, self._reaches = boxes[:, :2], boxes[:, 2:]

    def cover(self, x: float, y: float, half: tuple[float, float]) -> bool:
        """Whether a chip of half this width and height at a point would lie on one."""
        return bool((np.abs(self._middles - (x, y)) < self._reaches + half).all(1).any())


def _weight(wire: Wire) -> float:
    barrier = 4e9 if wire.barrier else 0.0
    return barrier + {"failed": 3e9, "slow": 2e9, "held": 2e9}.get(wire.tone, 0.0) + wire.calls_per_s


def _free_place(
    way: NDArray[np.float64],
    half: tuple[float, float],
    obstacles: _Obstacles,
    taken: list[tuple[float, float, float]],
) -> tuple[float, float] | None:
    for place in ORDER:
        x, y = float(way[place, 0]), float(way[place, 1])
        if obstacles.cover(x, y, half):
            continue
        if any(abs(x - ox) < half[0] + wide + 4 and abs(y - oy) < 2 * half[1] + 3 for ox, oy, wide in taken):
            continue
        return x, y
    return None


def paint_chip(painter: QPainter, wire: Wire, text: str, middle: QPointF, scale: float, colours: Colours) -> None:
    """A chip with a text. The painter is in px."""
    high, wide = CHIP_HEIGHT * scale, chip_width(text) * scale
    box = snapped(QRectF(middle.x() - wide / 2, middle.y() - high / 2, wide, high))
    tone = "held" if wire.is_event and wire.tone in ("none", "ok") else wire.barrier_tone if wire.barrier else wire.tone
    edge = colours.line if tone in ("none", "ok", "held") else colours.wires[tone]
    painter.setPen(QPen(edge, 1.0))
    painter.setBrush(colours.chip)
    painter.drawRoundedRect(box, high / 2, high / 2)
    painter.setFont(scaled_font(CHIP_PX * scale))
    painter.setPen(colours.inks[tone])
    painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), text)
