"""Keeps the picture of a canvas up to date: a few ms at a time, between two frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF, QTimer

from app.widgets.canvas.card_paint import TEXT_ZOOM
from app.widgets.canvas.painting import is_crowded
from app.widgets.canvas.picture import AT_ONCE_S, Picture
from app.widgets.canvas.scene import Change

if TYPE_CHECKING:
    from app.widgets.canvas.canvas import GraphCanvas

SLICE_S: Final = 0.005
REST_MS: Final = 150
"""So long after a crowded picture was painted fast, it is painted once more in its final quality."""
MOST: Final = 0.5
"""A part that covers more than this share of what is seen is not worth being clipped."""


class Easel:
    """Decides when what is painted.

    Attributes:
        picture: What is shown.
    """

    def __init__(self, canvas: GraphCanvas) -> None:
        self.picture = Picture()
        self._canvas = canvas
        self._is_dirty = self._is_of_before = True
        self._slices = QTimer(canvas)
        self._slices.setInterval(0)
        self._slices.timeout.connect(lambda: self._work(SLICE_S))
        self._rest = QTimer(canvas)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._on_rest)

    @property
    def is_sharp(self) -> bool:
        """Whether what is seen was painted for just this view and these things."""
        picture = self.picture
        return picture.view == self._canvas.viewport and not self._is_dirty and not picture.is_painting

    @property
    def is_of_before(self) -> bool:
        """Whether what is shown was painted before things were put elsewhere: nothing may run over it."""
        return self._is_of_before

    def put_elsewhere(self) -> None:
        """Things stand elsewhere: paint all of it again."""
        self._is_of_before = True
        self.repaint()

    def follow(self) -> None:
        """The view has moved: what is being painted is finished all the same, so that long drags see something."""
        if self.picture.painting_smoothly:
            self.picture.give_up()
        if not self.picture.is_painting:
            self._begin()

    def repaint(self, part: QRectF | None = None, *, is_calm: bool = False) -> None:
        """What is shown has changed: paint it again, or only a part of it.

        Args:
            part: Of the plane; everything if left out.
            is_calm: Only colours and figures are others: what is shown stays until its final quality is painted,
                instead of being rough for a moment each time.
        """
        is_other = not self.is_sharp
        is_smooth = is_calm and not is_other and self.picture.is_smooth
        self.picture.give_up()
        self._is_dirty = True
        if self._canvas.isVisible():
            self._begin(None if is_other else part, is_smooth=is_smooth)

    def repaint_changed(self, change: Change) -> None:
        """Paint again what looks different from where we are."""
        canvas = self._canvas
        is_far, is_many = canvas.viewport.zoom < TEXT_ZOOM, is_crowded(canvas.scene, canvas.viewport)
        keys = (change.far_cards if is_far else change.cards) | (change.far_wires if is_many else change.wires)
        if not keys:
            return
        # labels that need more room may have gone elsewhere
        part = None if change.has_other_labels else self._part_of(keys)
        if part is None or not part.isEmpty():
            self.repaint(part, is_calm=True)

    def stop(self) -> None:
        """Nobody looks: paint when somebody does."""
        self._slices.stop()
        self._rest.stop()
        self.picture.give_up()
        self._is_dirty = True

    def _part_of(self, keys: set[str]) -> QRectF | None:
        """The part of the plane that some things cover; None where that is most of what is seen."""
        scene, chips, part = self._canvas.scene, self._canvas.chips, QRectF()
        for key in keys:
            if key in scene.cards and key in scene.at:
                part = part.united(scene.rect_of(key))
            elif key in scene.routes:
                left, top, right, bottom = scene.routes[key].box
                part = part.united(QRectF(left, top, right - left, bottom - top))
            if key in chips:
                chip = chips[key]
                part = part.united(QRectF(chip.x - chip.width / 2, chip.y - 20, chip.width, 40))
        seen = self._canvas.viewport.rect
        part = part.adjusted(-8, -8, 8, 8).intersected(seen)
        return None if part.width() * part.height() > MOST * seen.width() * seen.height() else part

    def _begin(self, part: QRectF | None = None, *, is_smooth: bool = False) -> None:
        canvas = self._canvas
        if not canvas.isVisible() or canvas.width() < 2:
            return
        self._is_dirty = False
        self._rest.stop()
        brush = canvas.brush(is_smooth=is_smooth)
        self.picture.begin(canvas.scene, canvas.viewport, brush, canvas.devicePixelRatio(), part)
        # a picture that took long the last time is not begun while the mouse waits
        if not is_smooth and self.picture.cost_s <= AT_ONCE_S:
            self._work(AT_ONCE_S)
        if self.picture.is_painting:
            self._slices.start()

    def _work(self, budget_s: float) -> None:
        is_smooth = self.picture.painting_smoothly
        if not self.picture.work(budget_s):
            return
        self._slices.stop()
        self._is_of_before = self._is_dirty
        self._canvas.update()
        if not self.is_sharp:
            self._begin()
        elif not is_smooth and is_crowded(self._canvas.scene, self._canvas.viewport):
            self._rest.start()

    def _on_rest(self) -> None:
        if self._canvas.isVisible() and self.is_sharp:
            self._begin(is_smooth=True)
