"""The graph with 1,000 cards and 5,000 wires: how soon it shows something, how soon it is sharp, what painting costs.

The control of the whole picture is the same number of lines drawn bare: 5,000
polylines of 17 points, one pixel thick, by one QPainter in one go.
"""

from __future__ import annotations

import os
import statistics
from time import perf_counter
from typing import Any

import numpy as np

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QPointF, QRectF, QTimer
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QApplication

from app import theme
from app.graph.layouter import Layouter
from app.graph.layouts import lay_out
from app.graph.meanwhile import meanwhile
from app.graph.plan import Line, Placing, Plan
from app.widgets.canvas.canvas import GraphCanvas
from app.widgets.canvas.items import CARD_HEIGHT, CARD_WIDTH, Card, Wire
from app.widgets.canvas.routes import sampled
from app.widgets.canvas.scene import Content

CARDS, WIRES = 1000, 5000
SIZE = (1400, 900)
MOVES = 24
FIRST_BUDGET_MS, SHARP_BUDGET_MS, LAYOUT_BUDGET_S = 16.0, 500.0, 1.0


def run() -> dict[str, Any]:
    """Measure, print, and return the figures."""
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    theme.use("dark")
    cards, wires = made_up()
    placing, layout = _layout(cards, wires)
    canvas = GraphCanvas()
    canvas.resize(*SIZE)
    canvas.show()
    canvas.show_content(Content(cards, wires))
    canvas.place(placing.at, placing.bends)
    _until_sharp(app, canvas)
    result = {
        "cards": CARDS,
        "wires": WIRES,
        "size": f"{SIZE[0]}x{SIZE[1]}",
        **layout,
        **_groups(cards, wires),
        **_moves(app, canvas),
        **_picture(canvas),
        **_small(app),
    }
    canvas.close()
    _print(result)
    return result


def made_up(card_count: int = CARDS, wire_count: int = WIRES) -> tuple[list[Card], list[Wire]]:
    """A graph by chance, the same every time."""
    random = np.random.default_rng(7)
    cards = [
        Card(f"s{n}", f"service-{n}", "12/s · p99 31 ms", "failed" if n % 97 == 0 else "ok", marks=2)
        for n in range(card_count)
    ]
    pairs: set[tuple[int, int]] = set()
    while len(pairs) < wire_count:
        # near numbers talk more, as in a real mesh
        source = int(random.integers(card_count))
        target = (source + int(random.exponential(card_count / 25)) + 1) % card_count
        pairs.add((source, target))
    wires = [
        Wire(f"{a}-{b}", f"s{a}", f"s{b}", "failed" if a % 97 == 0 else "ok", 2.0, "31 ms", calls_per_s=2.0)
        for a, b in sorted(pairs)
    ]
    return cards, wires


def _layout(cards: list[Card], wires: list[Wire]) -> tuple[Placing, dict[str, float]]:
    number = {card.key: n for n, card in enumerate(cards)}
    plan = Plan(1, "force", list(number), [Line(w.key, number[w.source], number[w.target]) for w in wires])
    begin_s = perf_counter()
    lay_out(plan)
    alone_s = perf_counter() - begin_s
    app = QApplication.instance()
    assert app is not None
    layouter = Layouter()
    answers: list[Placing] = []
    layouter.placed.connect(answers.append)
    times = []
    for _ in range(2):  # the first starts the process
        begin_s, stalls = perf_counter(), _Stalls()
        layouter.ask(plan)
        answers.clear()
        while not answers:
            app.processEvents()
        times.append(perf_counter() - begin_s)
        stall_ms = stalls.end()
    layouter.stop()
    figures = {
        "layout_s": alone_s,
        "layout_process_start_s": times[0],
        "layout_process_s": times[1],
        "layout_stall_ms": stall_ms,
    }
    return answers[0], figures


def _groups(cards: list[Card], wires: list[Wire]) -> dict[str, float]:
    """All groups opened at once, each with one card: what is seen at once, and the layout in its process."""
    number = {card.key: n for n, card in enumerate(cards)}
    lines = [Line(w.key, number[w.source], number[w.target]) for w in wires]
    plan = Plan(1, "layered", list(number), lines, groups=[[n] for n in range(len(cards))])
    begin_s = perf_counter()
    lay_out(plan)
    layout_s = perf_counter() - begin_s
    frames = {key: f"g{n}" for key, n in number.items()}
    stood = {group: (n % 40 * 200.0, n // 40 * 90.0) for n, group in enumerate(frames.values())}
    begin_s = perf_counter()
    meanwhile(list(number), frames, stood, {}, CARD_WIDTH, CARD_HEIGHT)
    return {"groups_layout_s": layout_s, "groups_at_once_ms": (perf_counter() - begin_s) * 1000}


class _Stalls:
    """The longest time between two ticks of a timer of 5 ms: how long the window stood still."""

    def __init__(self) -> None:
        self._last_s = perf_counter()
        self._longest_s = 0.0
        self._timer = QTimer()
        self._timer.timeout.connect(self._tick)
        self._timer.start(5)

    def _tick(self) -> None:
        now_s = perf_counter()
        self._longest_s = max(self._longest_s, now_s - self._last_s)
        self._last_s = now_s

    def end(self) -> float:
        """In ms, without the 5 that are meant."""
        self._tick()
        self._timer.stop()
        return max(0.0, self._longest_s * 1000 - 5.0)


def _until_sharp(app: QApplication, canvas: GraphCanvas, *, smoothly: bool = False) -> float:
    """In s."""
    begin_s = perf_counter()
    while not canvas.has_sharp_picture or (smoothly and not canvas.picture.is_smooth):
        app.processEvents()
        assert perf_counter() - begin_s < 20
    return perf_counter() - begin_s


def _moves(app: QApplication, canvas: GraphCanvas) -> dict[str, float]:
    """Pan and zoom, each begun on a sharp picture."""
    first, sharp, stalls_ms = [], [], []
    for move in range(MOVES):
        _until_sharp(app, canvas)
        begin_s, stalls = perf_counter(), _Stalls()
        if move % 2:
            canvas.zoom_by(1.3 if move % 4 == 1 else 1 / 1.3, QPointF(500, 300))
        else:
            canvas.look_at(canvas.viewport.moved(60 if move % 4 else -60, 35))
        canvas.repaint()
        first.append((perf_counter() - begin_s) * 1000)
        _until_sharp(app, canvas)
        sharp.append((perf_counter() - begin_s) * 1000)
        stalls_ms.append(stalls.end())
    smooth_s = _until_sharp(app, canvas, smoothly=True)
    return {
        "first_show_ms": statistics.median(first),
        "first_show_worst_ms": max(first),
        "sharp_ms": statistics.median(sharp),
        "sharp_worst_ms": max(sharp),
        "stall_worst_ms": max(stalls_ms),
        "smooth_after_ms": smooth_s * 1000,
    }


def _picture(canvas: GraphCanvas) -> dict[str, float]:
    """The whole picture in one go, beside the same lines drawn bare."""
    canvas.fit()
    costs, bare = [], []
    for _ in range(3):
        canvas.picture.begin(canvas.scene, canvas.viewport, canvas.brush(), 1.0)
        while not canvas.picture.work(1.0):
            pass
        costs.append(canvas.picture.cost_s * 1000)
        bare.append(_bare_lines(canvas) * 1000)
    canvas.picture.begin(canvas.scene, canvas.viewport, canvas.brush(is_smooth=True), 1.0)
    while not canvas.picture.work(1.0):
        pass
    return {
        "picture_ms": statistics.median(costs),
        "picture_smooth_ms": canvas.picture.cost_s * 1000,
        "bare_lines_ms": statistics.median(bare),
    }


def _bare_lines(canvas: GraphCanvas) -> float:
    """In s."""
    transform = canvas.viewport.transform()
    ways = sampled(list(canvas.scene.routes.values()), 17)
    lines = [transform.map(QPolygonF([QPointF(x, y) for x, y in way])) for way in ways.tolist()]
    image = QImage(*SIZE, QImage.Format.Format_RGB32)
    begin_s = perf_counter()
    painter = QPainter(image)
    painter.fillRect(QRectF(0, 0, *SIZE), QColor(theme.current().surface0))
    painter.setPen(QPen(QColor(theme.current().ok), 0))
    for line in lines:
        painter.drawPolyline(line)
    painter.end()
    return perf_counter() - begin_s


def _small(app: QApplication) -> dict[str, float]:
    """A small graph with dots: what a frame costs, and a picture."""
    cards, wires = made_up(12, 20)
    number = {card.key: n for n, card in enumerate(cards)}
    placing = lay_out(
        Plan(1, "layered", list(number), [Line(w.key, number[w.source], number[w.target]) for w in wires])
    )
    canvas = GraphCanvas()
    canvas.resize(*SIZE)
    canvas.show()
    canvas.show_content(Content(cards, wires))
    canvas.place(placing.at, placing.bends)
    _until_sharp(app, canvas)
    app.processEvents()
    frames = []
    for _ in range(30):
        begin_s = perf_counter()
        canvas.repaint()
        frames.append((perf_counter() - begin_s) * 1000)
    cost_ms = canvas.picture.cost_s * 1000
    canvas.close()
    return {"frame_with_dots_ms": statistics.median(frames), "small_picture_ms": cost_ms}


def _print(result: dict[str, Any]) -> None:
    budget = {
        "first_show_worst_ms": f"at most {FIRST_BUDGET_MS:.0f}",
        "sharp_worst_ms": f"at most {SHARP_BUDGET_MS:.0f}",
        "layout_s": f"at most {LAYOUT_BUDGET_S:.0f}",
        "bare_lines_ms": "control of picture_ms",
    }
    for name, value in result.items():
        shown = f"{value:10.2f}" if isinstance(value, float) else f"{value!s:>10}"
        print(f"{name:26}{shown}   {budget.get(name, '')}".rstrip())


if __name__ == "__main__":
    run()
