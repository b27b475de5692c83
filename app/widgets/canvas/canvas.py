"""The canvas: shows a scene, moves over it, says what was chosen. It knows nothing of meshes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from PySide6.QtCore import QElapsedTimer, QEvent, QPoint, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QContextMenuEvent,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from app import theme
from app.widgets.canvas.card_paint import TEXT_ZOOM
from app.widgets.canvas.chips import CHIP_ZOOM, LEAST_SCALE, Chip, chip_scale, place_chips
from app.widgets.canvas.colours import colours_of
from app.widgets.canvas.dots import MOST_WIRES, Dots, stamp
from app.widgets.canvas.glide import Glide
from app.widgets.canvas.hands import Hands
from app.widgets.canvas.items import Card, Point, Wire
from app.widgets.canvas.legend import Legend
from app.widgets.canvas.minimap import Minimap
from app.widgets.canvas.overlay import Marked, paint_overlay
from app.widgets.canvas.painting import Brush, is_crowded
from app.widgets.canvas.picture import AT_ONCE_S, Picture
from app.widgets.canvas.scene import Change, Scene
from app.widgets.canvas.viewport import Viewport

SLICE_S = 0.005
FRAME_MS = 33
REST_MS = 150
MOST_FIT_ZOOM = 1.5
MARGIN = 12


class GraphCanvas(QWidget):
    """A painted graph.

    Attributes:
        scene: What is shown.
        viewport: From where.
        selected: Key of the card or wire that is selected; "" for none.
        hovered: Key of what is under the mouse.
        words: Tells what a card or a wire shows, for those who cannot see it and for tool tips.
    """

    chosen = Signal(str)
    """A card, a wire or "" for nothing was selected by mouse or keyboard."""
    opened = Signal(str)
    """A card or wire was double clicked, or Enter was pressed on it."""
    menu_wanted = Signal(str, QPoint)
    """A menu for a card, a wire or "", at a global place."""
    card_moved = Signal(str)
    """A card was put somewhere else by hand."""
    view_moved = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.scene = Scene()
        self.viewport = Viewport()
        self.picture = Picture()
        self.selected = self.hovered = ""
        self.words: Callable[[str], str] = self._title
        self._dots = Dots()
        self._chips: dict[str, Chip] | None = None
        self._chip_growth = 0.0
        self._wants_dots, self._is_still = True, False
        self._is_at_home = True
        self._is_dirty = True
        self._since = QElapsedTimer()
        self._painting = self._timer(0, self._paint_slice)
        self._frames = self._timer(FRAME_MS, self._frame)
        self._rest = self._timer(REST_MS, self._on_rest)
        self._rest.setSingleShot(True)
        self._glide = Glide(self, self._glided)
        self._minimap = Minimap(self)
        self._legend = Legend(self)
        self._hands = Hands(self)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(320, 200)
        self.setAccessibleName("Graph of services")
        self._make_stamps()

    def _timer(self, ms: int, do: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setInterval(ms)
        timer.timeout.connect(do)
        return timer

    # what it is told

    def show_content(self, cards: Iterable[Card], wires: Iterable[Wire]) -> bool:
        """Show these; those that have no place yet are not seen until `place` gives them one.

        Returns:
            Whether other cards or wires are there than before.
        """
        change = self.scene.show(cards, wires)
        if change.is_other or change.has_other_labels:
            self._chips = None
        if change.is_other:
            self._forget_what_is_gone()
            self._repaint()
        else:
            self._repaint_changed(change)
        if change.is_other or change.far_cards:
            self._minimap.forget()
        self._set_dots()
        return change.is_other

    def _repaint_changed(self, change: Change) -> None:
        """Paint again what looks different from here."""
        is_far, is_many = self.viewport.zoom < TEXT_ZOOM, is_crowded(self.scene, self.viewport)
        keys = (change.far_cards if is_far else change.cards) | (change.far_wires if is_many else change.wires)
        if keys:
            part = self._part_of(keys)
            if part is None or not part.isEmpty():
                self._repaint(part)

    def place(self, at: Mapping[str, Point], bends: Mapping[str, Sequence[Point]], *, glides: bool = False) -> None:
        """Put cards somewhere; small graphs glide there if they are asked to."""
        can_glide = glides and not self._is_still and self.isVisible() and len(at) <= 150 and bool(self.scene.at)
        self._glide.stop()
        if can_glide and any(self.scene.at.get(key) != point for key, point in at.items()):
            self._glide.begin(self.scene.at, at, bends)
        else:
            self._glided(at, bends)

    def _glided(self, at: Mapping[str, Point], bends: Mapping[str, Sequence[Point]]) -> None:
        self.scene.place(at, bends)
        self._chips = None
        self._minimap.forget()
        if self._is_at_home:
            self._go_home()
        self._set_dots()
        self._repaint()

    def set_marks(self, found: Iterable[str], faded: Iterable[str]) -> None:
        """What is meant by a search, and what is not."""
        new_found, new_faded = frozenset(found), frozenset(faded)
        if (new_found, new_faded) != (self.scene.found, self.scene.faded):
            self.scene.found, self.scene.faded = new_found, new_faded
            self._minimap.forget()
            self._set_dots()
            self._repaint()

    def select(self, key: str) -> None:
        """Mark a card or wire as selected; nothing is emitted."""
        if key != self.selected:
            self.selected = key
            self._speak()
            self.update()

    def set_dots(self, is_on: bool) -> None:
        """Whether anything may run along wires."""
        self._wants_dots = is_on
        self._set_dots()

    def set_still(self, is_still: bool) -> None:
        """Whether nothing may move at all, as people ask for who are made ill by it."""
        self._is_still = is_still
        self._set_dots()

    def set_theme(self) -> None:
        """Take the colours of the theme in use."""
        self._make_stamps()
        self._minimap.forget()
        self._legend.update()
        self._repaint()

    # where it looks

    def look_at(self, viewport: Viewport, *, is_home: bool = False) -> None:
        """Look from somewhere else: what was painted is shown there at once and sharpened soon."""
        if viewport == self.viewport:
            return
        if viewport.zoom != self.viewport.zoom:
            self._zoomed_to(viewport.zoom)
        self.viewport = viewport
        self._is_at_home = is_home
        if self.picture.painting_smoothly:
            self.picture.give_up()
        if not self.picture.is_painting:
            self._begin()
        self._show_minimap()
        self._minimap.update()
        self.view_moved.emit()
        self.update()

    def _show_minimap(self) -> None:
        """The map is there where there is room, and in narrow windows only while not everything is seen."""
        has_room = self.width() > 900 and self.height() > 500
        sees_all = self.viewport.rect.contains(self.scene.bounds())
        self._minimap.setVisible(self.height() > 240 and (has_room or not sees_all))

    def _zoomed_to(self, zoom: float) -> None:
        if _stamp_scale(zoom) != self._stamp_scale:
            self.viewport = replace(self.viewport, zoom=zoom)
            self._make_stamps()

    def fit(self, keys: Iterable[str] | None = None) -> None:
        """See everything, or everything named."""
        if keys is None:
            self._go_home()
            return
        box = self.scene.bounds(keys)
        if not box.isEmpty():
            self.look_at(self.viewport.fitted(box, margin=80, most_zoom=MOST_FIT_ZOOM))

    def _go_home(self) -> None:
        box = self.scene.bounds()
        if not box.isEmpty():
            home = self.viewport.fitted(
                box, margin=min(44, 16 + self.width() // 50), below=self._legend.height(), most_zoom=MOST_FIT_ZOOM
            )
            self.look_at(home, is_home=True)
        self._is_at_home = True

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        """Larger or smaller around a point; around the middle if none is given."""
        point = at if at is not None else QPointF(self.width() / 2, self.height() / 2)
        self.look_at(self.viewport.zoomed(factor, point))

    def reveal(self, key: str) -> None:
        """Move just so far that a card is seen."""
        if key in self.scene.at and not self.viewport.rect.contains(self.scene.rect_of(key)):
            x, y = self.scene.at[key]
            self.look_at(self.viewport.centred(x, y))

    # what it says

    @property
    def is_moving(self) -> bool:
        """Whether dots run just now."""
        return self._frames.isActive()

    @property
    def has_sharp_picture(self) -> bool:
        """Whether what is seen was painted for just this view and these things."""
        return self.picture.view == self.viewport and not self._is_dirty and not self.picture.is_painting

    @property
    def chips(self) -> dict[str, Chip]:
        """Labels that found room; none where they could not be read or would be too many."""
        if self.scene.is_crowded or self.viewport.zoom < CHIP_ZOOM:
            return {}
        growth = (
            round(chip_scale(self.viewport.zoom) / self.viewport.zoom, 1) if self.viewport.zoom < LEAST_SCALE else 1.0
        )
        if self._chips is None or growth != self._chip_growth:
            self._chip_growth = growth
            self._chips = place_chips(self.scene, self.scene.wires.values(), growth)
        return self._chips

    def shown(self) -> list[str]:
        """What is seen, in words: a line for each card."""
        return [self.words(key) for key in self.scene.cards_in(self.viewport.rect)]

    def _speak(self) -> None:
        words = f"{len(self.scene.cards)} cards, {len(self.scene.wires)} connections."
        self.setAccessibleDescription(f"Selected: {self.words(self.selected)}. {words}" if self.selected else words)
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.DescriptionChanged))

    def _title(self, key: str) -> str:
        card = self.scene.cards.get(key)
        return card.title if card else key

    def _forget_what_is_gone(self) -> None:
        scene = self.scene
        if self.hovered not in scene.cards and self.hovered not in scene.wires:
            self.hovered = ""
        if self.selected not in scene.cards and self.selected not in scene.wires:
            self.selected = ""
        self._speak()

    # painting

    def brush(self, *, is_smooth: bool = False) -> Brush:
        """With what the picture is painted now."""
        return Brush(theme.current(), self.chips, is_smooth=is_smooth)

    def _part_of(self, keys: set[str]) -> QRectF | None:
        """The part of the plane that some things cover; None where that is most of what is seen."""
        scene, part = self.scene, QRectF()
        chips = self.chips
        for key in keys:
            if key in scene.cards and key in scene.at:
                part = part.united(scene.rect_of(key))
            elif key in scene.routes:
                left, top, right, bottom = scene.routes[key].box
                part = part.united(QRectF(left, top, right - left, bottom - top).adjusted(-4, -4, 4, 4))
            if key in chips:
                part = part.united(QRectF(chips[key].x - chips[key].width, chips[key].y - 14, chips[key].width * 2, 28))
        seen = self.viewport.rect
        part = part.adjusted(-6, -6, 6, 6).intersected(seen)
        is_most = part.width() * part.height() > 0.5 * seen.width() * seen.height()
        return None if is_most else part

    def _repaint(self, part: QRectF | None = None) -> None:
        """What is shown has changed: paint it again, or only a part of it."""
        is_moved = self.picture.view != self.viewport or self._is_dirty or self.picture.is_painting
        self.picture.give_up()
        self._is_dirty = True
        if self.isVisible():
            self._begin(None if is_moved else part)

    def _begin(self, part: QRectF | None = None, *, is_smooth: bool = False) -> None:
        if not self.isVisible() or self.width() < 2:
            return
        self._is_dirty = False
        self._rest.stop()
        self.picture.begin(self.scene, self.viewport, self.brush(is_smooth=is_smooth), self.devicePixelRatio(), part)
        # a picture that took long the last time is not begun while the mouse waits
        if not is_smooth and self.picture.cost_s <= AT_ONCE_S:
            self._work(AT_ONCE_S)
        if self.picture.is_painting:
            self._painting.start()

    def _paint_slice(self) -> None:
        self._work(SLICE_S)

    def _work(self, budget_s: float) -> None:
        is_smooth = self.picture.painting_smoothly
        if not self.picture.work(budget_s):
            return
        self._painting.stop()
        self.update()
        if self.picture.view != self.viewport or self._is_dirty:
            self._begin()
        elif not is_smooth and is_crowded(self.scene, self.viewport):
            self._rest.start()

    def _on_rest(self) -> None:
        if self.isVisible() and not self.picture.is_painting and self.picture.view == self.viewport:
            self._begin(is_smooth=True)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The picture, what runs over it, what is selected and under the mouse."""
        painter = QPainter(self)
        self.picture.draw(painter, self.viewport, self.brush())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._frames.isActive() or self._dots.count:
            self._dots.paint(painter, self.viewport, self._dot, self._diamond)
        paint_overlay(painter, self.scene, self.viewport, Marked(self.selected, self.hovered, self.hasFocus()))
        self._hands.paint(painter)
        painter.end()

    def _make_stamps(self) -> None:
        colours, ratio = colours_of(theme.current()), self.devicePixelRatio()
        self._stamp_scale = _stamp_scale(self.viewport.zoom)
        self._dot = stamp(colours.dot, colours.ground, 7.0 * self._stamp_scale, ratio, is_diamond=False)
        self._diamond = stamp(colours.diamond, colours.ground, 11.0 * self._stamp_scale, ratio, is_diamond=True)

    # moving

    def _set_dots(self) -> None:
        """Begin or end what runs along wires."""
        has_few = len(self.scene.wires) <= MOST_WIRES
        if self._wants_dots and not self._is_still and has_few:
            self._dots.set_wires(self.scene, self.scene.wires.values(), self.chips.values())
        else:
            self._dots.clear()
        if self._dots.count and self.isVisible():
            if not self._frames.isActive():
                self._since.start()
                self._frames.start()
        else:
            self._frames.stop()
        is_off = self._wants_dots and not has_few
        self._legend.set_note("nothing moves in a graph this big" if is_off else "")
        self.update()

    def _frame(self) -> None:
        self._dots.advance(min(0.25, self._since.restart() / 1000))
        self.update()

    # what Qt tells it

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the middle, or everything, in view."""
        super().resizeEvent(event)
        self.viewport = self.viewport.sized(self.width(), self.height())
        size = self._minimap.size()
        self._minimap.move(self.width() - size.width() - MARGIN - 6, self.height() - size.height() - MARGIN - 4)
        self._legend.move(MARGIN, self.height() - self._legend.height() - MARGIN)
        if self._is_at_home:
            self._go_home()
        self._show_minimap()
        self._repaint()

    def showEvent(self, event: QShowEvent) -> None:
        """Paint what has changed meanwhile, and let dots run again."""
        super().showEvent(event)
        if self._is_at_home:
            self._go_home()
        self._set_dots()
        self._repaint()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nothing moves and nothing is painted while nobody looks."""
        super().hideEvent(event)
        for timer in (self._frames, self._painting, self._rest):
            timer.stop()
        self._glide.finish()
        self.picture.give_up()
        self._is_dirty = True

    def moved_card(self, key: str, point: Point) -> None:
        """Put a card somewhere by hand: large graphs are painted again when it is let go."""
        self._is_at_home = False
        self.scene.move(key, point)
        self._chips = None
        if not self.scene.is_crowded:
            self._set_dots()
            self._repaint()
        self.update()

    def dropped_card(self, key: str) -> None:
        """A card was let go."""
        self._minimap.forget()
        self._set_dots()
        self._repaint()
        self.card_moved.emit(key)

    # mouse and keyboard

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """See `Hands`."""
        self._hands.press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """See `Hands`."""
        self._hands.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """See `Hands`."""
        self._hands.release(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """See `Hands`."""
        self._hands.double_click(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """See `Hands`."""
        self._hands.wheel(event)

    def leaveEvent(self, event: QEvent) -> None:
        """See `Hands`."""
        super().leaveEvent(event)
        self._hands.leave()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """See `Hands`."""
        if not self._hands.key(event):
            super().keyPressEvent(event)

    def focusNextPrevChild(self, is_next: bool) -> bool:
        """Tab goes from card to card, and on to the next control after the last."""
        return self._hands.cycle(is_forward=is_next) or super().focusNextPrevChild(is_next)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """A menu for what is under the mouse, or for what is selected when a key asked."""
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            point = QPointF(self.rect().center())
            if self.selected in self.scene.at:
                point = self.viewport.to_screen(*self.scene.at[self.selected])
            self.menu_wanted.emit(self.selected, self.mapToGlobal(point.toPoint()))
            return
        key = self._hands.thing_at(QPointF(event.pos()))
        if key:
            self._hands.choose(key)
        self.menu_wanted.emit(key, event.globalPos())


def _stamp_scale(zoom: float) -> float:
    """How large dots are: smaller among small cards, in few steps, since they are painted beforehand."""
    return round(min(1.15, max(0.6, 0.35 + 0.65 * zoom)), 1)
