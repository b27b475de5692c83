"""Dots that run along wires: calls, and diamonds for failures. More where the rate is high, faster where calls are."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap, QPolygonF

from app.widgets.canvas.chips import CHIP_HEIGHT, Chip
from app.widgets.canvas.items import Wire
from app.widgets.canvas.routes import Route, sampled
from app.widgets.canvas.scene import Scene
from app.widgets.canvas.viewport import Viewport

MOST_WIRES: Final = 400
"""With more wires nothing runs: it could not be followed, and costs."""
MOST_A_WIRE: Final = 7
SAMPLES: Final = 64
GOLDEN: Final = 0.618034
SLOWEST_S, FASTEST_S = 7.0, 1.6
MANY_DOTS: Final = 90
"""With so many dots a picture is full; on more wires there are fewer each."""
SPACE: Final = 34.0
"""Dots on one wire keep this far apart, on average."""


def dots_for(calls_per_s: float, length: float) -> int:
    """How many dots run on a wire of a length: by the logarithm of its rate."""
    if calls_per_s <= 0:
        return 0
    wanted = 1.0 + 1.5 * math.log10(1.0 + calls_per_s * 2.0)
    return max(1, min(MOST_A_WIRE, round(wanted), int(length / SPACE) or 1))


def seconds_across(seconds: float) -> float:
    """How long a dot takes from end to end, for calls that take so long: by the logarithm, 1 ms to 3 s."""
    if seconds <= 0:
        return 3.0
    share = (math.log10(min(3.0, max(0.001, seconds))) + 3.0) / 3.48
    return FASTEST_S + share * (SLOWEST_S - FASTEST_S)


class Dots:
    """Everything that runs, in arrays. Time is handed in.

    Attributes:
        count: How many run.
    """

    def __init__(self) -> None:
        self.count = 0
        self._ways: NDArray[np.float64] = np.zeros((0, SAMPLES, 2))
        self._hidden: NDArray[np.bool_] = np.zeros((0, SAMPLES), np.bool_)
        self._way = np.zeros(0, np.intp)
        self._at = np.zeros(0)
        self._speed = np.zeros(0)
        self._is_failure = np.zeros(0, np.bool_)
        self._keys: list[tuple[str, int]] = []
        self._sampled_for: tuple[Mapping[str, Route], list[str], Mapping[str, Chip] | None] | None = None

    def clear(self) -> None:
        """Nothing runs."""
        self.__init__()  # type: ignore[misc]

    def set_wires(self, scene: Scene, wires: Iterable[Wire], chips: Mapping[str, Chip] | None = None) -> None:
        """Let dots run on these wires, behind cards and chips. Those that ran before go on where they are."""
        routes = scene.routes
        running = [w for w in wires if w.key in routes and w.calls_per_s > 0 and w.key not in scene.faded]
        if not running or len(running) > MOST_WIRES:
            self.clear()
            return
        before = dict(zip(self._keys, self._at.tolist(), strict=True))
        self._sample(scene, [wire.key for wire in running], chips)
        share = min(1.0, MANY_DOTS / (3.0 * len(running)))
        lengths = np.hypot(*np.moveaxis(np.diff(self._ways, axis=1), 2, 0)).sum(1).tolist()
        way, at, speed, failure, keys = [], [], [], [], []
        for number, wire in enumerate(running):
            many = max(1, round(dots_for(wire.calls_per_s, lengths[number]) * share))
            failing = wire.failures_per_s / max(wire.calls_per_s, 1e-9)
            diamonds = max(1, round(many * min(1.0, failing))) if wire.failures_per_s > 0 and failing > 0.002 else 0
            begin = crc32(wire.key.encode()) % 997 / 997
            across_s = seconds_across(wire.seconds)
            for place in range(many):
                key = (wire.key, place)
                keys.append(key)
                way.append(number)
                at.append(before.get(key, (begin + place * GOLDEN) % 1.0))
                speed.append((1.0 + 0.12 * math.sin(place * 2.4)) / across_s)
                failure.append(place < diamonds)
        self._way, self._at, self._speed = np.array(way, np.intp), np.array(at), np.array(speed)
        self._is_failure, self._keys, self.count = np.array(failure, np.bool_), keys, len(keys)

    def _sample(self, scene: Scene, keys: list[str], chips: Mapping[str, Chip] | None) -> None:
        """Points on the ways, and which are covered; kept while ways, cards and chips stay the same."""
        sampled_for = (scene.routes, keys, chips)
        before = self._sampled_for
        if before is not None and before[0] is scene.routes and before[1] == keys and before[2] is chips:
            return
        self._sampled_for = sampled_for
        self._ways = sampled([scene.routes[key] for key in keys], SAMPLES)
        self._hidden = _covered(scene, chips.values() if chips else (), self._ways)

    def advance(self, elapsed_s: float) -> None:
        """Let time pass."""
        if self.count:
            self._at = (self._at + self._speed * elapsed_s) % 1.0

    def points(self, view: Viewport) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Where dots and diamonds are now, in px: shapes (dots, 2) and (diamonds, 2). Hidden ones are left out."""
        along = self._at * (SAMPLES - 1)
        low = along.astype(np.intp)
        share = (along - low)[:, None]
        here = (
            self._ways[self._way, low] * (1 - share) + self._ways[self._way, np.minimum(low + 1, SAMPLES - 1)] * share
        )
        px = (here - (view.x, view.y)) * view.zoom + (view.width / 2, view.height / 2)
        seen = ~self._hidden[self._way, low]
        seen &= (px > -10).all(1) & (px < (view.width + 10, view.height + 10)).all(1)
        return px[seen & ~self._is_failure], px[seen & self._is_failure]

    def paint(self, painter: QPainter, view: Viewport, dot: QPixmap, diamond: QPixmap) -> None:
        """Draw all of them. The painter is in px."""
        if not self.count:
            return
        for points, stamp in zip(self.points(view), (dot, diamond), strict=True):
            half = stamp.deviceIndependentSize().width() / 2
            for x, y in (points - half).tolist():
                painter.drawPixmap(QPointF(x, y), stamp)


def _covered(scene: Scene, chips: Iterable[Chip], ways: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which samples lie behind a card or a chip."""
    hidden = np.zeros(ways.shape[:2], np.bool_)
    places = [(*scene.at[key], scene.width / 2 - 1, scene.height / 2 - 1) for key in scene.cards if key in scene.at]
    places += [(chip.x, chip.y, chip.width / 2, CHIP_HEIGHT / 2) for chip in chips]
    for x, y, wide, high in places:
        hidden |= (np.abs(ways[..., 0] - x) < wide) & (np.abs(ways[..., 1] - y) < high)
    return hidden


def stamp(colour: QColor, edge: QColor, size: float, ratio: float, *, is_diamond: bool) -> QPixmap:
    """A dot or a diamond, painted once to be drawn often.

    Args:
        colour: Inside.
        edge: A thin line that sets it off from its wire.
        size: Across, in px.
        ratio: Device pixels a px.
        is_diamond: A square on its corner instead of a circle.
    """
    whole = size + 3.0
    made = QPixmap(math.ceil(whole * ratio), math.ceil(whole * ratio))
    made.setDevicePixelRatio(ratio)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(edge, 1.0))
    painter.setBrush(colour)
    middle, half = whole / 2, size / 2
    if is_diamond:
        corners = [(0, -half), (half, 0), (0, half), (-half, 0)]
        painter.drawPolygon(QPolygonF([QPointF(middle + x, middle + y) for x, y in corners]))
    else:
        painter.drawEllipse(QPointF(middle, middle), half, half)
    painter.end()
    return made
