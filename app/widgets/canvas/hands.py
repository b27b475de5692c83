"""What mouse and keyboard do on the canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPen, QWheelEvent
from PySide6.QtWidgets import QApplication

from app import theme
from app.widgets.canvas.spots import Spot, spot_at
from app.widgets.canvas.steering import Way, in_reading_order, next_card

if TYPE_CHECKING:
    from app.widgets.canvas.canvas import GraphCanvas

REACH_PX: Final = 7.0
WHEEL: Final = 1.0016
ZOOM_STEP: Final = 1.25
PAN_PX: Final = 80.0
_ARROWS: Final[dict[int, Way]] = {
    Qt.Key.Key_Left: "left",
    Qt.Key.Key_Right: "right",
    Qt.Key.Key_Up: "up",
    Qt.Key.Key_Down: "down",
}
_ACTS: Final[dict[int, str]] = {
    Qt.Key.Key_G: "toggle",
    Qt.Key.Key_H: "hide",
    Qt.Key.Key_Delete: "hide",
    Qt.Key.Key_P: "other",
}
_PANS: Final[dict[Way, tuple[float, float]]] = {
    "left": (PAN_PX, 0),
    "right": (-PAN_PX, 0),
    "up": (0, PAN_PX),
    "down": (0, -PAN_PX),
}


class Hands:
    """The mouse and the keyboard of a canvas.

    A drag on a card moves the card, on the head of a frame the frame, elsewhere the view; with Shift it draws the
    box that will be seen. A click with Ctrl chooses a second card.
    """

    def __init__(self, canvas: GraphCanvas) -> None:
        self._canvas = canvas
        self._pressed_at: QPointF | None = None
        self._last_at = QPointF()
        self._pressed_card = ""
        self._doing = ""  # "card", "view" or "box" once the mouse has moved
        self._grip = QPointF()
        self._spot: Spot | None = None

    # mouse

    def press(self, event: QMouseEvent) -> None:
        """A button goes down."""
        if event.button() not in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            return
        canvas, at = self._canvas, event.position()
        self._pressed_at = self._last_at = at
        self._doing = ""
        is_plain = event.button() == Qt.MouseButton.LeftButton and not event.modifiers()
        point = canvas.viewport.to_plane(at)
        self._spot = spot_at(canvas.scene, canvas.viewport, at, canvas.hovered) if is_plain else None
        is_held = is_plain and self._spot is None
        self._pressed_card = (canvas.scene.card_at(point) or canvas.scene.frames.at(point)) if is_held else ""
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._doing = "box"
        if self._pressed_card:
            self._grip = point - QPointF(*canvas.scene.place_of(self._pressed_card))

    def move(self, event: QMouseEvent) -> None:
        """The mouse moves, with or without a button."""
        at = event.position()
        if self._pressed_at is None:
            self._hover(at)
            return
        if not self._doing:
            if (at - self._pressed_at).manhattanLength() < QApplication.startDragDistance() / 2:
                return
            self._doing = "card" if self._pressed_card else "view"
            if self._doing == "view":
                self._canvas.setCursor(Qt.CursorShape.ClosedHandCursor)
        if self._doing == "card":
            point = self._canvas.viewport.to_plane(at) - self._grip
            self._canvas.moved_card(self._pressed_card, (point.x(), point.y()))
        elif self._doing == "view":
            away = at - self._last_at
            self._canvas.look_at(self._canvas.viewport.moved(away.x(), away.y()))
        self._last_at = at
        self._canvas.update()

    def release(self, event: QMouseEvent) -> None:
        """A button goes up: a click selects, a drag ends."""
        canvas, begun = self._canvas, self._pressed_at
        if begun is None:
            return
        doing, self._pressed_at, self._doing = self._doing, None, ""
        canvas.unsetCursor()
        if doing == "card":
            canvas.dropped_card(self._pressed_card)
        elif doing == "box":
            self._see_box(QRectF(begun, event.position()).normalized())
        elif not doing and event.button() == Qt.MouseButton.LeftButton:
            self._click(event)
        canvas.update()

    def _click(self, event: QMouseEvent) -> None:
        canvas, spot = self._canvas, self._spot
        key = self.thing_at(event.position())
        if spot is not None:
            wanted = canvas.toggle_wanted if spot.act == "toggle" else canvas.hide_wanted
            wanted.emit(spot.key)
        elif event.modifiers() & Qt.KeyboardModifier.ControlModifier and key in canvas.scene.cards:
            canvas.other_chosen.emit(key)
        else:
            self.choose(key)

    def _see_box(self, box: QRectF) -> None:
        canvas = self._canvas
        if box.width() < 8 or box.height() < 8:
            return
        seen = QRectF(canvas.viewport.to_plane(box.topLeft()), canvas.viewport.to_plane(box.bottomRight()))
        canvas.look_at(canvas.viewport.fitted(seen, margin=8))

    def double_click(self, event: QMouseEvent) -> None:
        """Drills in; on nothing, everything is seen again."""
        key = self.thing_at(event.position())
        self._pressed_at = None
        if key in self._canvas.scene.frames:
            self._canvas.toggle_wanted.emit(key)
        elif key:
            self.choose(key)
            self._canvas.opened.emit(key)
        else:
            self._canvas.fit()

    def wheel(self, event: QWheelEvent) -> None:
        """Zooms at the mouse."""
        turned = event.angleDelta().y() or event.angleDelta().x()
        if turned:
            self._canvas.zoom_by(WHEEL**turned, event.position())
        event.accept()

    def leave(self) -> None:
        """The mouse is gone."""
        self._set_hovered("")

    def thing_at(self, at: QPointF) -> str:
        """The card or wire at a place in px; "" for none."""
        canvas = self._canvas
        return canvas.scene.thing_at(canvas.viewport.to_plane(at), REACH_PX / canvas.viewport.zoom)

    def _hover(self, at: QPointF) -> None:
        canvas = self._canvas
        spot = spot_at(canvas.scene, canvas.viewport, at, canvas.hovered)
        self._set_hovered(spot.key if spot else self.thing_at(at))
        if spot is not None:
            canvas.setCursor(Qt.CursorShape.PointingHandCursor)
            word = "Close" if spot.key in canvas.scene.frames else "Open"
            canvas.setToolTip("Hide this (H)" if spot.act == "hide" else f"{word} this (G)")
        else:
            canvas.unsetCursor()
            canvas.setToolTip(canvas.words(canvas.hovered) if canvas.hovered else "")

    def _set_hovered(self, key: str) -> None:
        canvas = self._canvas
        if key == canvas.hovered:
            return
        canvas.hovered = key
        canvas.update()

    def choose(self, key: str) -> None:
        """Select, and say so."""
        self._canvas.select(key)
        self._canvas.chosen.emit(key)

    # keyboard

    def key(self, event: QKeyEvent) -> bool:
        """A key goes down. Whether it meant something here."""
        canvas, key = self._canvas, event.key()
        if event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier):
            return False
        if key in _ARROWS:
            self._step(_ARROWS[Qt.Key(key)])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and canvas.selected:
            canvas.opened.emit(canvas.selected)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            canvas.zoom_by(ZOOM_STEP)
        elif key in (Qt.Key.Key_Minus, Qt.Key.Key_Underscore):
            canvas.zoom_by(1 / ZOOM_STEP)
        elif key in (Qt.Key.Key_F, Qt.Key.Key_0, Qt.Key.Key_Home):
            canvas.fit()
        elif key == Qt.Key.Key_Z and canvas.selected:
            canvas.fit(canvas.scene.neighbours(canvas.selected) | {canvas.selected})
        elif key == Qt.Key.Key_Escape:
            return self._step_back()
        elif key in _ACTS and canvas.selected:
            wanted = {"toggle": canvas.toggle_wanted, "hide": canvas.hide_wanted, "other": canvas.other_chosen}
            wanted[_ACTS[Qt.Key(key)]].emit(canvas.selected)
        else:
            return False
        return True

    def _step_back(self) -> bool:
        if self._canvas.steps_back():
            return True
        if not self._canvas.selected:
            return False
        self.choose("")
        return True

    def _step(self, way: Way) -> None:
        """To the card in a direction; without a selected one the view moves."""
        canvas = self._canvas
        if canvas.selected not in canvas.scene.at:
            canvas.look_at(canvas.viewport.moved(*_PANS[way]))
            return
        found = next_card(canvas.scene, canvas.selected, way)
        if found:
            self.choose(found)
            canvas.reveal(found)

    def cycle(self, *, is_forward: bool) -> bool:
        """To the next or previous card in reading order. False at the end: the focus goes on from there."""
        canvas = self._canvas
        order = in_reading_order(canvas.scene)
        here = order.index(canvas.selected) if canvas.selected in order else (-1 if is_forward else len(order))
        there = here + (1 if is_forward else -1)
        if not 0 <= there < len(order):
            return False
        self.choose(order[there])
        canvas.reveal(order[there])
        return True

    def paint(self, painter: QPainter) -> None:
        """The box that is being drawn. The painter is in px."""
        if self._doing != "box" or self._pressed_at is None:
            return
        colours = theme.current()
        painter.setPen(QPen(QColor(colours.accent), 1.0, Qt.PenStyle.DashLine))
        inside = QColor(colours.accent)
        inside.setAlpha(30)
        painter.setBrush(inside)
        painter.drawRect(QRectF(self._pressed_at, self._last_at))
