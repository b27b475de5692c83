"""The canvas: shows a scene, moves over it, says what was chosen. It knows nothing of meshes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, Signal
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
from app.widgets.canvas.chips import CHIP_ZOOM, Chip, chip_scale, place_chips
from app.widgets.canvas.colours import colours_of
from app.widgets.canvas.easel import Easel
from app.widgets.canvas.glide import Glide
from app.widgets.canvas.hands import Hands
from app.widgets.canvas.items import Point
from app.widgets.canvas.legend import Legend
from app.widgets.canvas.minimap import Minimap
from app.widgets.canvas.motion import Motion
from app.widgets.canvas.overlay import Marked, paint_overlay
from app.widgets.canvas.painting import Brush
from app.widgets.canvas.picture import Picture
from app.widgets.canvas.scene import Content, Scene
from app.widgets.canvas.viewport import Viewport

DRAG_WIRES = 80
"""With more wires dots wait until a dragged card is let go."""
MOST_GLIDING = 150
MOST_FIT_ZOOM = 1.5
MARGIN = 12
_NO_CHIPS: dict[str, Chip] = {}


class GraphCanvas(QWidget):
    """A painted graph.

    Attributes:
        scene: What is shown.
        viewport: From where.
        selected: Key of the card, wire or frame that is selected; "" for none.
        other: Key of a second card that was chosen beside it; "" for none.
        hovered: Key of what is under the mouse.
        steps_back: What Escape does before anything else; tells whether there was anything to do.
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
    toggle_wanted = Signal(str)
    """A stack or what a card stands in shall be opened or closed; a key of a card or frame."""
    hide_wanted = Signal(str)
    """A card shall be taken out."""
    other_chosen = Signal(str)
    """A second card was chosen beside the selected one."""
    view_moved = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.scene = Scene()
        self.viewport = Viewport()
        self.selected = self.hovered = self.other = ""
        self.steps_back: Callable[[], bool] = bool
        self.words: Callable[[str], str] = self._title
        self._chips: dict[str, Chip] | None = None
        self._chip_growth = 0.0
        self._is_at_home = True
        self._easel = Easel(self)
        self._motion = Motion(self)
        self._glide = Glide(self, self._glided)
        self._minimap = Minimap(self)
        self._legend = Legend(self)
        self._hands = Hands(self)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(320, 200)
        self.setAccessibleName("Graph of services")

    # what it is told

    def show_content(self, content: Content) -> bool:
        """Show these; those that have no place yet are not seen until `place` gives them one.

        Returns:
            Whether other cards or wires are there than before.
        """
        change = self.scene.show(content)
        if change.is_other or change.has_other_labels:
            self._chips = None
        if change.is_other:
            self._forget_what_is_gone()
            self._easel.repaint()
        else:
            self._easel.repaint_changed(change)
        if change.is_other or change.far_cards:
            self._minimap.forget()
        self._set_dots()
        return change.is_other

    def place(self, at: Mapping[str, Point], bends: Mapping[str, Sequence[Point]], *, glides: bool = False) -> None:
        """Put cards somewhere; small graphs glide there if they are asked to."""
        can_glide = glides and self._motion.is_allowed and self.isVisible() and len(at) <= MOST_GLIDING
        self._glide.stop()
        if can_glide and self.scene.at and any(self.scene.at.get(key) != point for key, point in at.items()):
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
        self._easel.put_elsewhere()

    def set_marks(self, found: Iterable[str], faded: Iterable[str]) -> None:
        """What is meant by a search, and what is not."""
        new_found, new_faded = frozenset(found), frozenset(faded)
        if (new_found, new_faded) != (self.scene.found, self.scene.faded):
            self.scene.found, self.scene.faded = new_found, new_faded
            self._minimap.forget()
            self._set_dots()
            self._easel.repaint()

    def select(self, key: str) -> None:
        """Mark a card or wire as selected; nothing is emitted."""
        if key != self.selected:
            self.selected = key
            self._speak()
            self.update()

    def choose_other(self, key: str) -> None:
        """Mark a second card; nothing is emitted."""
        if key != self.other:
            self.other = key
            self.update()

    def set_dots(self, is_on: bool) -> None:
        """Whether anything may run along wires."""
        self._motion.is_wanted = is_on
        self._set_dots()

    def set_still(self, is_still: bool) -> None:
        """Whether nothing may move at all, as people ask for who are made ill by it."""
        self._motion.is_allowed = not is_still
        self._set_dots()

    def set_theme(self) -> None:
        """Take the colours of the theme in use."""
        self._motion.make_stamps()
        self._minimap.forget()
        self._legend.update()
        self._easel.repaint()

    # where it looks

    def look_at(self, viewport: Viewport, *, is_home: bool = False) -> None:
        """Look from somewhere else: what was painted is shown there at once and sharpened soon."""
        if viewport == self.viewport:
            return
        zoom, self.viewport = self.viewport.zoom, viewport
        self._is_at_home = is_home
        if viewport.zoom != zoom:
            self._motion.zoomed(zoom)
        self._easel.follow()
        self._show_minimap()
        self._minimap.update()
        self.view_moved.emit()
        self.update()

    def _show_minimap(self) -> None:
        """The map is there where there is room, and in narrow windows only while not everything is seen."""
        has_room = self.width() > 900 and self.height() > 500
        sees_all = self.viewport.rect.contains(self.scene.bounds())
        self._minimap.setVisible(self.height() > 240 and (has_room or not sees_all))

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
        return self._motion.is_running

    @property
    def has_sharp_picture(self) -> bool:
        """Whether what is seen was painted for just this view and these things."""
        return self._easel.is_sharp

    @property
    def picture(self) -> Picture:
        """What was painted last."""
        return self._easel.picture

    @property
    def chips(self) -> dict[str, Chip]:
        """Labels that found room; none where they could not be read or would be too many."""
        if self.scene.is_crowded or self.viewport.zoom < CHIP_ZOOM:
            return _NO_CHIPS
        growth = round(max(1.0, chip_scale(self.viewport.zoom) / self.viewport.zoom), 1)
        if self._chips is None or growth != self._chip_growth:
            self._chip_growth = growth
            self._chips = place_chips(self.scene, self.scene.wires.values(), growth)
        return self._chips

    def shown(self) -> list[str]:
        """What is seen, in words: a line for each card."""
        return [self.words(key) for key in self.scene.cards_in(self.viewport.rect)]

    def _speak(self) -> None:
        groups = f", {len(self.scene.frames)} open groups" if len(self.scene.frames) else ""
        words = f"{len(self.scene.cards)} cards, {len(self.scene.wires)} connections{groups}."
        self.setAccessibleDescription(f"Selected: {self.words(self.selected)}. {words}" if self.selected else words)
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.DescriptionChanged))

    def _title(self, key: str) -> str:
        card = self.scene.cards.get(key)
        return card.title if card else key

    def _forget_what_is_gone(self) -> None:
        scene = self.scene
        if not scene.has(self.hovered):
            self.hovered = ""
        if not scene.has(self.selected):
            self.selected = ""
        if self.other not in scene.cards:
            self.other = ""
        self._speak()

    # painting

    def brush(self, *, is_smooth: bool = False) -> Brush:
        """With what the picture is painted now."""
        return Brush(theme.current(), self.chips, is_smooth=is_smooth)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The picture, what runs over it, what is selected and under the mouse."""
        painter = QPainter(self)
        self.picture.draw(painter, self.viewport, colours_of(theme.current()).ground)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self._easel.is_of_before:
            self._motion.paint(painter)
        marked = Marked(self.selected, self.hovered, self.hasFocus(), self.other)
        paint_overlay(painter, self.scene, self.viewport, marked, self.chips)
        self._hands.paint(painter)
        painter.end()

    def _set_dots(self, *, is_held: bool = False) -> None:
        """Let run what should run now."""
        self._motion.refresh(is_held=is_held or self._glide.is_under_way)
        self._legend.set_note(self._motion.note)

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
        self._easel.repaint()

    def showEvent(self, event: QShowEvent) -> None:
        """Paint what has changed meanwhile, and let dots run again."""
        super().showEvent(event)
        if self._is_at_home:
            self._go_home()
        self._set_dots()
        self._easel.repaint()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nothing moves and nothing is painted while nobody looks."""
        super().hideEvent(event)
        self._glide.finish()
        self._motion.stop()
        self._easel.stop()

    def moved_card(self, key: str, point: Point) -> None:
        """Put a card, or a frame with all its cards, somewhere by hand: large graphs are painted again at the end."""
        self._is_at_home = False
        self.scene.move(key, point)
        self._chips = None
        self._set_dots(is_held=len(self.scene.wires) > DRAG_WIRES)
        if not self.scene.is_crowded:
            self._easel.repaint()
        self.update()

    def dropped_card(self, key: str) -> None:
        """A card was let go."""
        self._minimap.forget()
        self._set_dots()
        self._easel.repaint()
        for card in self.scene.frames.cards_of(key) or [key]:
            self.card_moved.emit(card)

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
