"""The painted picture: shown at once in whatever view, painted anew in slices of a few ms."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter

from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter, QTransform

from app.widgets.canvas.painting import Brush, Step, steps
from app.widgets.canvas.scene import Scene
from app.widgets.canvas.viewport import Viewport

AT_ONCE_S = 0.010
"""A picture that takes no longer is painted in one go."""


class Picture:
    """What was painted last, from where, and what is being painted.

    Attributes:
        view: Where the shown picture is looked at from; None before the first.
        is_smooth: Whether the shown picture is in its final quality.
        cost_s: How long the last whole picture took to paint.
    """

    def __init__(self) -> None:
        self.view: Viewport | None = None
        self.is_smooth = False
        self.cost_s = 0.0
        self._front: QImage | None = None
        self._back: QImage | None = None
        self._steps: Iterator[Step] | None = None
        self._next_view: Viewport | None = None
        self._next_is_smooth = False
        self._clip: QRectF | None = None
        self._spent_s = 0.0
        self._ratio = 1.0

    @property
    def is_painting(self) -> bool:
        """Whether a picture is being painted."""
        return self._steps is not None

    @property
    def painting_view(self) -> Viewport | None:
        """Where the picture that is being painted is looked at from."""
        return self._next_view if self._steps is not None else None

    @property
    def painting_smoothly(self) -> bool:
        """Whether what is being painted will be in its final quality."""
        return self.is_painting and self._next_is_smooth

    def begin(self, scene: Scene, view: Viewport, brush: Brush, ratio: float, part: QRectF | None = None) -> None:
        """Begin to paint; what was being painted is given up.

        Args:
            scene: What to paint. Must not change until it is painted: begin again if it does.
            view: Where it is looked at from.
            brush: How.
            ratio: Device pixels a px.
            part: Only this part of the plane; the shown picture must be of the same view.
        """
        self._spent_s, self._ratio = 0.0, ratio
        self._next_view, self._next_is_smooth = view, brush.is_smooth
        if part is not None and self._front is not None and self.view == view:
            self._back = self._front.copy()
            self._clip = view.transform().mapRect(part).adjusted(-2, -2, 2, 2)
            self._steps = steps(scene, view, brush, view.transform().inverted()[0].mapRect(self._clip))
            return
        self._clip = None
        self._back = QImage(round(view.width * ratio), round(view.height * ratio), QImage.Format.Format_RGB32)
        self._back.setDevicePixelRatio(ratio)
        self._steps = steps(scene, view, brush)

    def work(self, budget_s: float) -> bool:
        """Paint for a while. Whether the picture is finished, and shown from now on."""
        if self._steps is None or self._back is None:
            return False
        begin_s = perf_counter()
        painter = QPainter(self._back)
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing, True)
        if self._clip is not None:
            painter.setClipRect(self._clip)
        is_done = True
        for step in self._steps:
            step(painter)
            if perf_counter() - begin_s >= budget_s:
                is_done = False
                break
        painter.end()
        self._spent_s += perf_counter() - begin_s
        if is_done:
            self._finish()
        return is_done

    def _finish(self) -> None:
        self._front, self._back = self._back, None
        self._steps = None
        self.view, self.is_smooth = self._next_view, self._next_is_smooth
        if self._clip is None:
            self.cost_s = self._spent_s

    def give_up(self) -> None:
        """Forget what is being painted."""
        self._steps, self._back = None, None

    def draw(self, painter: QPainter, view: Viewport, ground: QColor) -> None:
        """Show what was painted last in a view: to the pixel where it is the same, scaled otherwise."""
        if self._front is None or self.view is None:
            painter.fillRect(0, 0, view.width, view.height, ground)
            return
        if self.view == view:
            painter.drawImage(0, 0, self._front)
            return
        painter.fillRect(0, 0, view.width, view.height, ground)
        moved = view.mapping_from(self.view)
        painter.setTransform(moved)
        painter.drawImage(0, 0, self._front)
        painter.setTransform(QTransform())
