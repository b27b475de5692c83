"""What runs along wires, and its own frame timer: it stands still when nothing runs or nobody looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QElapsedTimer, QTimer
from PySide6.QtGui import QPainter

from app import theme
from app.widgets.canvas.colours import colours_of
from app.widgets.canvas.dots import MOST_WIRES, Dots, stamp

if TYPE_CHECKING:
    from app.widgets.canvas.canvas import GraphCanvas

FRAME_MS: Final = 33
LONGEST_S: Final = 0.25
"""After a pause dots go on from where they were, and do not jump."""
DOTS_ZOOM: Final = 0.2
"""Further away dots are only noise."""
DOT_PX, DIAMOND_PX = 7.0, 11.0


class Motion:
    """Dots on a canvas.

    Attributes:
        is_wanted: Whether the user wants dots.
        is_allowed: Whether anything may move at all.
    """

    def __init__(self, canvas: GraphCanvas) -> None:
        self.is_wanted = self.is_allowed = True
        self._canvas = canvas
        self._dots = Dots()
        self._since = QElapsedTimer()
        self._frames = QTimer(canvas)
        self._frames.setInterval(FRAME_MS)
        self._frames.timeout.connect(self._frame)
        self._scale = 0.0
        self.make_stamps()

    @property
    def is_running(self) -> bool:
        """Whether dots run just now."""
        return self._frames.isActive()

    @property
    def note(self) -> str:
        """Why nothing moves though it is wanted; "" if that is not so."""
        is_too_big = self.is_wanted and len(self._canvas.scene.wires) > MOST_WIRES
        return "nothing moves in a graph this big" if is_too_big else ""

    def refresh(self, *, is_held: bool = False) -> None:
        """Let run what should run now.

        Args:
            is_held: Cards are on their way somewhere: dots wait.
        """
        canvas = self._canvas
        has_few = len(canvas.scene.wires) <= MOST_WIRES
        is_near = canvas.viewport.zoom >= DOTS_ZOOM
        if self.is_wanted and self.is_allowed and has_few and is_near and not is_held:
            self._dots.set_wires(canvas.scene, canvas.scene.wires.values(), canvas.chips)
        else:
            self._dots.clear()
        if not self._dots.count or not canvas.isVisible():
            self._frames.stop()
        elif not self._frames.isActive():
            self._since.start()
            self._frames.start()
        canvas.update()

    def zoomed(self, before: float) -> None:
        """The zoom is another one: dots are smaller far away, and then are not there any more."""
        zoom = self._canvas.viewport.zoom
        if _scale_at(zoom) != self._scale:
            self.make_stamps()
        if (before < DOTS_ZOOM) != (zoom < DOTS_ZOOM):
            self.refresh()

    def stop(self) -> None:
        """Nobody looks."""
        self._frames.stop()

    def make_stamps(self) -> None:
        """Paint a dot and a diamond, in the colours and the size of now."""
        colours, ratio = colours_of(theme.current()), self._canvas.devicePixelRatio()
        self._scale = _scale_at(self._canvas.viewport.zoom)
        self._dot = stamp(colours.dot, colours.ground, DOT_PX * self._scale, ratio, is_diamond=False)
        self._diamond = stamp(colours.diamond, colours.ground, DIAMOND_PX * self._scale, ratio, is_diamond=True)

    def paint(self, painter: QPainter) -> None:
        """Draw everything that runs. The painter is in px."""
        self._dots.paint(painter, self._canvas.viewport, self._dot, self._diamond)

    def _frame(self) -> None:
        self._dots.advance(min(LONGEST_S, self._since.restart() / 1000))
        self._canvas.update()


def _scale_at(zoom: float) -> float:
    """How large dots are: smaller among small cards, in few steps, since they are painted beforehand."""
    return round(min(1.15, max(0.6, 0.35 + 0.65 * zoom)), 1)
