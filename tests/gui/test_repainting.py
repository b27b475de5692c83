"""What is painted again, and how: nothing that looks the same, and nothing rougher than it was."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app import theme
from app.widgets.canvas.canvas import GraphCanvas
from app.widgets.canvas.items import Card, Wire
from app.widgets.canvas.scene import Content
from app.widgets.format import clock_time
from app.widgets.timeline_strip import StripContent, TimelineStrip
from broker.clock import SECOND

Show = Callable[[QWidget], QWidget]
BEGIN_NS = 1_700_000_000 * SECOND
HOUR = 3600 * SECOND


class Paints(QObject):
    """Counts how often a widget is painted."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.count = 0
        widget.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.Paint
        return False


def test_a_live_window_that_moves_by_less_than_a_pixel_is_not_painted_again(shown: Show, qtbot: QtBot) -> None:
    strip = TimelineStrip()
    shown(strip)
    strip.resize(1200, strip.height())
    calls = np.full(120, 50)
    strip.show_content(StripContent(BEGIN_NS, BEGIN_NS + HOUR, calls, calls // 10))
    at_ns = BEGIN_NS + HOUR // 2
    strip.show_window(at_ns, at_ns + 300 * SECOND, is_live=True)
    strip.repaint()
    paints = Paints(strip)
    for tenth in range(1, 15):
        strip.show_window(at_ns + tenth * SECOND // 10, at_ns + 300 * SECOND + tenth * SECOND // 10, is_live=True)
    qtbot.wait(0)
    assert paints.count == 0
    assert strip.accessibleDescription().endswith(clock_time(at_ns + 301 * SECOND)), "who listens is told all the same"
    strip.show_window(at_ns + 60 * SECOND, at_ns + 360 * SECOND, is_live=True)
    qtbot.waitUntil(lambda: paints.count > 0)


def crowd(tone: str) -> Content:
    cards = [Card(f"s{n}", f"s{n}", tone="ok") for n in range(60)]
    wires = [
        Wire(f"{a}>{b}", f"s{a}", f"s{b}", tone="ok") for a in range(60) for b in range(60) if 0 < (b - a) % 60 < 15
    ]
    wires[0] = wires[0]._replace(tone=tone)  # type: ignore[arg-type]
    return Content(cards, wires)


def test_a_crowded_picture_stays_smooth_while_its_colours_change(shown: Show, qtbot: QtBot) -> None:
    canvas = GraphCanvas()
    shown(canvas)
    canvas.resize(900, 600)
    canvas.show_content(crowd("ok"))
    canvas.place({f"s{n}": (400.0 * (n % 8), 220.0 * (n // 8)) for n in range(60)}, {})
    qtbot.waitUntil(lambda: canvas.has_sharp_picture and canvas.picture.is_smooth)
    was = canvas.grab().toImage()
    qualities = set()
    canvas.show_content(crowd("failed"))
    assert not canvas.has_sharp_picture, "it is being painted"

    def is_painted() -> bool:
        qualities.add(canvas.picture.is_smooth)
        return canvas.has_sharp_picture

    qtbot.waitUntil(is_painted)
    assert qualities == {True}
    assert canvas.grab().toImage() != was


def accent_near(canvas: GraphCanvas, key: str) -> int:
    """How many pixels around a card have the colour of what was found."""
    image = canvas.grab().toImage()
    middle, accent = canvas.viewport.to_screen(*canvas.scene.at[key]).toPoint(), QColor(theme.current().accent)
    around = [(middle.x() + x, middle.y() + y) for x in range(-20, 21) for y in range(-12, 13)]
    return sum(image.pixelColor(x, y) == accent for x, y in around)


def test_far_away_no_card_covers_the_line_around_one_that_was_found(shown: Show, qtbot: QtBot) -> None:
    canvas = GraphCanvas()
    shown(canvas)
    canvas.resize(900, 600)
    keys = [f"s{n}" for n in range(300)]
    canvas.show_content(Content([Card(key, key, tone="failed" if key == "s299" else "ok") for key in keys], []))
    canvas.set_marks(["s150"], [key for key in keys if key != "s150"])
    at = {key: (400.0 * (n % 20), 400.0 * (n // 20)) for n, key in enumerate(keys)}
    canvas.place(at, {})
    qtbot.waitUntil(lambda: canvas.has_sharp_picture)
    alone = accent_near(canvas, "s150")
    assert alone > 50
    x, y = at["s150"]
    canvas.place(at | {"s299": at["s298"], "s298": (x + 120.0, y + 30.0), "s0": (x - 120.0, y + 30.0)}, {})
    qtbot.waitUntil(lambda: canvas.has_sharp_picture)
    assert accent_near(canvas, "s150") == alone
