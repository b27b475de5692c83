"""Ctrl+K: find a thing or run a command by a few of its letters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.widgets.controls import label

MOST = 60
NOTE_ROLE = int(Qt.ItemDataRole.UserRole) + 1
WHY_ROLE = int(Qt.ItemDataRole.UserRole) + 2


class Entry(NamedTuple):
    """Something that can be found.

    Attributes:
        text: What is matched and shown.
        note: What it is: "service in prod".
        icon: A name that `app.theme.icon` knows.
        run: What choosing it does.
        why: Why it cannot be chosen now; empty if it can.
    """

    text: str
    note: str
    icon: str
    run: Callable[[], object]
    why: str = ""


def score(wanted: str, text: str) -> float:
    """How well letters fit a text: 0 for not at all; higher for whole words, beginnings and shortness."""
    if not wanted:
        return 1.0
    low, text_low = wanted.lower(), text.lower()
    at = text_low.find(low)
    if at >= 0:
        begins = at == 0 or not text_low[at - 1].isalnum()
        return 100.0 + 50.0 * begins + 20.0 * (at == 0) - len(text) / 100
    position, points = -1, 0.0
    for letter in "".join(low.split()):  # words stand for what is between dots
        found = text_low.find(letter, position + 1)
        if found < 0:
            return 0.0
        points += 3.0 if found == position + 1 else 1.0
        position = found
    return points - len(text) / 100


class EntryDelegate(QStyledItemDelegate):
    """Writes what an entry is at the right, dim."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """One entry; one that cannot be chosen is faint, and says why instead of what it is."""
        colours, why = theme.current(), index.data(WHY_ROLE)
        if why:
            option = QStyleOptionViewItem(option)
            option.state &= ~QStyle.StateFlag.State_Enabled
        super().paint(painter, option, index)
        painter.setPen(QColor(colours.ink(colours.slow) if why else colours.dim))
        painter.setFont(theme.font(theme.SMALL_PX))
        taken = option.fontMetrics.horizontalAdvance(index.data() or "") + 60
        box = option.rect.adjusted(taken, 0, -12, 0)
        note = painter.fontMetrics().elidedText(index.data(NOTE_ROLE) or "", Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, note)


class Palette(QDialog):
    """A box over the window: type, arrows, Enter."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        self.setAccessibleName("Search or run")
        self._over = parent
        self._entries: list[Entry] = []
        self._shown: list[Entry] = []
        self.edit = QLineEdit()
        self.edit.setAccessibleName("Search or run")
        self.edit.setPlaceholderText("Node, service, action, event, view or command")
        self.edit.textChanged.connect(self._fill)
        self.edit.installEventFilter(self)
        self.list = QListWidget()
        self.list.setAccessibleName("What was found")
        self.list.setItemDelegate(EntryDelegate(self.list))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.itemClicked.connect(lambda _item: self._run())
        self._none = label("Nothing of that name. Names appear as they are heard.", "dim")
        self._none.setAlignment(Qt.AlignmentFlag.AlignCenter)
        box = QFrame()
        box.setObjectName("palette")
        inside = QVBoxLayout(box)
        inside.setContentsMargins(10, 10, 10, 10)
        inside.addWidget(self.edit)
        inside.addWidget(self.list)
        inside.addWidget(self._none)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(box)

    def open_with(self, entries: Sequence[Entry]) -> None:
        """Open over the window with these to choose from."""
        self._entries = list(entries)
        self.edit.clear()
        self._fill("")
        parent = self._over
        width = min(640, parent.width() - 80)
        self.resize(width, min(460, parent.height() - 120))
        corner = parent.mapToGlobal(parent.rect().topLeft())
        self.move(corner.x() + (parent.width() - width) // 2, corner.y() + 60)
        self.show()
        self.edit.setFocus()

    def add(self, entries: Sequence[Entry]) -> None:
        """More to choose from, found meanwhile."""
        self._entries += entries
        self._fill(self.edit.text())

    def texts(self) -> list[str]:
        """What is offered now, best first."""
        return [entry.text for entry in self._shown]

    def _fill(self, wanted: str) -> None:
        scored = [(score(wanted, entry.text), number) for number, entry in enumerate(self._entries)]
        best = sorted((-points, number) for points, number in scored if points > 0)[:MOST]
        self._shown = [self._entries[number] for _, number in best]
        self.list.clear()
        for entry in self._shown:
            item = QListWidgetItem(theme.icon(entry.icon, theme.current().dim), entry.text)
            item.setData(NOTE_ROLE, entry.why or entry.note)
            item.setData(WHY_ROLE, entry.why)
            item.setToolTip(entry.why)
            spoken = f"{entry.text}, {entry.note}"
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{spoken}. Not now: {entry.why}" if entry.why else spoken)
            self.list.addItem(item)
        self.list.setCurrentRow(0)
        self.list.setVisible(bool(self._shown))
        self._none.setVisible(not self._shown)

    def _run(self) -> None:
        row = self.list.currentRow()
        if 0 <= row < len(self._shown):
            entry = self._shown[row]
            if entry.why:
                return  # it stays open, and says why
            self.hide()
            entry.run()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrows move in the list while the line has the focus; Enter runs."""
        if watched is self.edit and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 10, Qt.Key.Key_PageUp: -10}.get(
                Qt.Key(event.key()), 0
            )
            if step:
                row = min(self.list.count() - 1, max(0, self.list.currentRow() + step))
                self.list.setCurrentRow(row)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._run()
                return True
        return super().eventFilter(watched, event)
