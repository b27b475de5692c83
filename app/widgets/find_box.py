"""A line in which a thing is found by a few of its letters; what fits stands below while it is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.widgets.controls import label, set_property, set_text
from app.widgets.palette import NOTE_ROLE, EntryDelegate, score

MOST: Final = 50
ROW_PX: Final = 27
MOST_ROWS: Final = 12
_STEPS: Final = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 10, Qt.Key.Key_PageUp: -10}


class Findable(NamedTuple):
    """Something that can be found.

    Attributes:
        text: What is matched and shown.
        note: What it is, dim beside it.
        thing: What choosing it means.
        weight: Of two that fit alike, the heavier stands first.
    """

    text: str
    note: str = ""
    thing: Any = None
    weight: float = 0.0


class FindBox(QWidget):
    """A line with a list below. Arrows move, Enter takes, Esc leaves what was there.

    Attributes:
        edit: The line.
        list: What fits, over what lies below.
    """

    chosen = Signal(object)
    """The thing that was taken."""
    edited = Signal(str)
    """The text as it is written, taken or not."""

    def __init__(self, name: str, placeholder: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._all: list[Findable] = []
        self._shown: list[Findable] = []
        self._taken = ""
        self.edit = QLineEdit()
        self.edit.setAccessibleName(name)
        self.edit.setPlaceholderText(placeholder)
        self.edit.textEdited.connect(self._on_edited)
        self.edit.installEventFilter(self)
        self.note = label("", "small", name=f"About the {name.lower()}")
        self.note.setMinimumWidth(10)
        self.list = QListWidget()
        self.list.setObjectName("findList")
        self.list.setAccessibleName(f"{name}: what fits")
        self.list.setItemDelegate(EntryDelegate(self.list))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.itemClicked.connect(lambda _item: self._take())
        self.list.hide()
        self.destroyed.connect(self.list.deleteLater)  # it is the window's child once it was shown
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(self.edit)
        layout.addWidget(self.note)
        self.setFocusProxy(self.edit)

    @property
    def text(self) -> str:
        """What stands in the line."""
        return self.edit.text().strip()

    def set_text(self, text: str, note: str = "") -> None:
        """Let something stand there. Signals nothing."""
        self._taken = text
        if self.edit.text() != text:
            self.edit.setText(text)
        self.say(note)
        self._close()

    def say(self, note: str, tone: str = "") -> None:
        """What stands below the line."""
        set_text(self.note, note)
        set_property(self.note, "tone", tone)

    def offer(self, things: Sequence[Findable]) -> None:
        """What can be found from now on."""
        self._all = list(things)
        if self.list.isVisible():
            row = self.list.currentRow()
            chosen = self._shown[row].thing if 0 <= row < len(self._shown) else None
            self._fill("" if self.edit.text() == self._taken else self.edit.text())
            found = next((number for number, one in enumerate(self._shown) if one.thing == chosen), 0)
            self.list.setCurrentRow(found)  # whoever is on the way to something stays there

    def texts(self) -> list[str]:
        """What is offered now, best first."""
        return [one.text for one in self._shown]

    def open(self) -> None:
        """Show what there is."""
        self._fill("" if self.edit.text() == self._taken else self.edit.text())
        self._show_list()

    def close_list(self) -> None:
        """Hide what there is."""
        self._close()

    def _on_edited(self, text: str) -> None:
        self._fill(text)
        self._show_list()
        self.edited.emit(text.strip())

    def _fill(self, wanted: str) -> None:
        wanted = wanted.strip()
        scored = [(score(wanted, one.text), one.weight, -number) for number, one in enumerate(self._all)]
        best = sorted((item for item in scored if item[0] > 0), reverse=True)[:MOST]
        self._shown = [self._all[-number] for _, _, number in best]
        self.list.clear()
        for one in self._shown:
            item = QListWidgetItem(one.text)
            item.setData(NOTE_ROLE, one.note)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{one.text}, {one.note}")
            self.list.addItem(item)
        self.list.setCurrentRow(0)

    def _show_list(self) -> None:
        if not self._shown:
            self._close()
            return
        window = self.window()
        if self.list.parent() is not window:
            self.list.setParent(window)
        corner = self.edit.mapTo(window, QPoint(0, self.edit.height() + 2))
        room = max(ROW_PX * 3, window.height() - corner.y() - 20)
        height = min(room, ROW_PX * min(MOST_ROWS, len(self._shown)) + 8)
        width = max(self.edit.width(), min(560, window.width() - corner.x() - 20))
        self.list.setGeometry(corner.x(), corner.y(), width, height)
        self.list.show()
        self.list.raise_()

    def _close(self) -> None:
        self.list.hide()

    def _take(self) -> None:
        row = self.list.currentRow()
        if not (self.list.isVisible() and 0 <= row < len(self._shown)):
            return
        one = self._shown[row]
        self.set_text(one.text, self.note.text())
        self.chosen.emit(one.thing)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width: the list would stand askew."""
        super().resizeEvent(event)
        self._close()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrows move in the list while the line has the keyboard; Enter takes; Esc closes."""
        if watched is not self.edit:
            return super().eventFilter(watched, event)
        if event.type() == QEvent.Type.FocusOut:
            self._close()
        elif event.type() == QEvent.Type.MouseButtonPress:
            self.open()
        elif isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            return self._on_key(event)
        return super().eventFilter(watched, event)

    def _on_key(self, event: QKeyEvent) -> bool:
        key = Qt.Key(event.key())
        if key in _STEPS:
            if not self.list.isVisible():
                self.open()
            else:
                row = min(self.list.count() - 1, max(0, self.list.currentRow() + _STEPS[key]))
                self.list.setCurrentRow(row)
            return True
        is_plain = not event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and is_plain and self.list.isVisible():
            self._take()
            return True
        if key == Qt.Key.Key_Escape and self.list.isVisible():
            self._close()
            return True
        return False
