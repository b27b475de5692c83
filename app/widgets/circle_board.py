"""A board of cards with circles: how much, how bad, in which state. Painted, and only what is seen of it."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import Final

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolTip, QWidget

from app import theme
from app.widgets.circle_card import CARD_PX, CircleCard, paint_card

LEAST_CARD_PX: Final = 330
GAP_PX: Final = 10


class CircleBoard(QAbstractScrollArea):
    """Cards in as many columns as there is room for. Arrow keys walk over them, Enter opens one."""

    chosen = Signal(object)
    """The key of the card that was selected, or None."""
    opened = Signal(object)
    """The key of the card that was drilled into."""
    menu_wanted = Signal(object, QPoint)
    """The key of a card, and where its menu shall open."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalScrollBar().setSingleStep(CARD_PX // 2)
        self.viewport().setMouseTracking(True)
        self._cards: list[CircleCard] = []
        self._selected: Hashable | None = None
        self._now_ns = 0

    # what it shows

    def show_cards(self, cards: Sequence[CircleCard], now_ns: int) -> None:
        """Show these, in this order. The selection stays on its card."""
        self._cards, self._now_ns = list(cards), now_ns
        self._arrange()
        self._say_current()
        self.viewport().update()

    def set_now(self, now_ns: int) -> None:
        """It is this moment: what counts down is told anew."""
        if now_ns != self._now_ns:
            self._now_ns = now_ns
            self.viewport().update()

    def select(self, key: Hashable | None) -> None:
        """Select the card with this key without telling anybody."""
        if key != self._selected:
            self._selected = key
            self._say_current()
            self.viewport().update()

    def show_key(self, key: Hashable) -> None:
        """Scroll to the card with this key, if there is one."""
        place = self._place(key)
        if place >= 0:
            self._show_place(place)

    def texts(self) -> list[str]:
        """What every card says."""
        return [card.words(self._now_ns) for card in self._cards]

    def box_of(self, key: Hashable) -> QRect:
        """Where a card is in the viewport; empty if it is not on the board."""
        place = self._place(key)
        return self._box(place) if place >= 0 else QRect()

    def sizeHint(self) -> QSize:
        """Two rows of three."""
        return QSize(3 * (LEAST_CARD_PX + GAP_PX), 2 * (CARD_PX + GAP_PX))

    # where things are

    @property
    def _columns(self) -> int:
        return max(1, (self.viewport().width() + GAP_PX) // (LEAST_CARD_PX + GAP_PX))

    def _box(self, place: int) -> QRect:
        row, column = divmod(place, self._columns)
        width = (self.viewport().width() + GAP_PX) / self._columns
        left = round(column * width)
        top = row * (CARD_PX + GAP_PX) - self.verticalScrollBar().value()
        return QRect(left, top, round((column + 1) * width) - GAP_PX - left, CARD_PX)

    def _place_at(self, point: QPoint) -> int:
        row = (point.y() + self.verticalScrollBar().value()) // (CARD_PX + GAP_PX)
        for place in range(max(0, row) * self._columns, (max(0, row) + 1) * self._columns):
            if place < len(self._cards) and self._box(place).contains(point):
                return place
        return -1

    def _place(self, key: Hashable | None) -> int:
        return next((place for place, card in enumerate(self._cards) if card.key == key), -1) if key is not None else -1

    def _arrange(self) -> None:
        rows = math.ceil(len(self._cards) / self._columns)
        height = rows * (CARD_PX + GAP_PX) - GAP_PX
        bar = self.verticalScrollBar()
        bar.setPageStep(self.viewport().height())
        bar.setRange(0, max(0, height - self.viewport().height()))

    # painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """The cards that are seen."""
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(event.rect(), QColor(theme.current().surface0))
        step = CARD_PX + GAP_PX
        first = self.verticalScrollBar().value() // step * self._columns
        rows = self.viewport().height() // step + 2
        for place in range(first, min(len(self._cards), first + rows * self._columns)):
            card = self._cards[place]
            is_selected = card.key == self._selected
            is_current = is_selected and self.hasFocus()
            box = self._box(place)
            paint_card(painter, card, box, self._now_ns, is_selected=is_selected, is_current=is_current)
        painter.end()

    # what a user does

    def resizeEvent(self, event: QResizeEvent) -> None:
        """More or fewer columns."""
        super().resizeEvent(event)
        self._arrange()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click selects."""
        place = self._place_at(event.position().toPoint())
        self._choose(place)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """A double click drills in."""
        place = self._place_at(event.position().toPoint())
        if place >= 0 and event.button() is Qt.MouseButton.LeftButton:
            self.opened.emit(self._cards[place].key)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The menu of the card below the pointer, or of the selected one."""
        by_mouse = event.reason() is QContextMenuEvent.Reason.Mouse
        place = self._place_at(self.viewport().mapFrom(self, event.pos())) if by_mouse else self._place(self._selected)
        if place >= 0:
            self._choose(place)
            at = event.globalPos() if by_mouse else self.viewport().mapToGlobal(self._box(place).center())
            self.menu_wanted.emit(self._cards[place].key, at)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows walk, Enter drills in, Esc selects nothing."""
        place, columns = self._place(self._selected), self._columns
        page = max(1, self.viewport().height() // (CARD_PX + GAP_PX)) * columns
        steps = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -columns,
            Qt.Key.Key_Down: columns,
            Qt.Key.Key_PageUp: -page,
            Qt.Key.Key_PageDown: page,
            Qt.Key.Key_Home: -len(self._cards),
            Qt.Key.Key_End: len(self._cards),
        }
        step = steps.get(Qt.Key(event.key()))
        if step is not None and self._cards:
            self._choose(min(max(0, place + step), len(self._cards) - 1) if place >= 0 else 0)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and place >= 0:
            self.opened.emit(self._cards[place].key)
        else:
            event.ignore()  # Space and the like are the window's

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Whoever comes with the keyboard sees where it is."""
        super().focusInEvent(event)
        by_keys = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        if by_keys and self._place(self._selected) < 0 and self._cards:
            self._choose(0)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Its frame tells where the keyboard is."""
        super().focusOutEvent(event)
        self.viewport().update()

    def viewportEvent(self, event: object) -> bool:
        """What the pointer is told of a card."""
        if isinstance(event, QHelpEvent):
            place = self._place_at(event.pos())
            if place >= 0:
                QToolTip.showText(event.globalPos(), self._cards[place].tip, self.viewport(), self._box(place))
            else:
                QToolTip.hideText()
            return True
        return bool(super().viewportEvent(event))  # type: ignore[arg-type]

    def _choose(self, place: int) -> None:
        key = self._cards[place].key if 0 <= place < len(self._cards) else None
        if key is not None:
            self._show_place(place)
        if key != self._selected:
            self._selected = key
            self._say_current()
            self.viewport().update()
            self.chosen.emit(key)

    def _show_place(self, place: int) -> None:
        box, bar = self._box(place), self.verticalScrollBar()
        if box.top() < 0:
            bar.setValue(bar.value() + box.top())
        elif box.bottom() > self.viewport().height():
            bar.setValue(bar.value() + box.bottom() - self.viewport().height() + 1)

    def _say_current(self) -> None:
        place = self._place(self._selected)
        if place >= 0:
            self.setAccessibleDescription(self._cards[place].words(self._now_ns))
        else:
            self.setAccessibleDescription(f"{len(self._cards):,} cards")
