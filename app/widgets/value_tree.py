"""Decoded data as a tree that opens level by level."""

from __future__ import annotations

import json
from typing import Any, Final

from PySide6.QtCore import QItemSelectionModel, QSize, Qt
from PySide6.QtGui import QColor, QContextMenuEvent, QGuiApplication, QKeyEvent, QKeySequence, QPainter
from PySide6.QtWidgets import QMenu, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTreeView, QWidget

from app import theme
from app.items.records import TONE_ROLE
from app.items.values import KEY_ROLE, Index, ValueModel

ROW_PX: Final = 21
OPENED: Final = 40
"""A container with more values stays closed at first."""
MOST_COPIED: Final = 2_000_000


class _ValueDelegate(QStyledItemDelegate):
    """Key in the accent's colour, value in its tone."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """One value."""
        colours = theme.current()
        is_selected = bool(option.state & QStyle.StateFlag.State_Selected)
        ground = colours.selected if is_selected else colours.surface0
        box = option.rect
        painter.fillRect(box, QColor(ground))
        painter.setFont(theme.font(12, mono=True))
        metrics = painter.fontMetrics()
        side = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        x = box.left() + 3
        key = str(index.data(KEY_ROLE) or "")
        if key:
            painter.setPen(QColor(colours.ink(colours.accent, ground)))
            painter.drawText(box.adjusted(x - box.left(), 0, 0, 0), side, key)
            x += metrics.horizontalAdvance(key)
            painter.setPen(QColor(colours.dim))
            painter.drawText(box.adjusted(x - box.left(), 0, 0, 0), side, ":")
            x += metrics.horizontalAdvance(": ")
        tone = str(index.data(TONE_ROLE) or "")
        painter.setPen(QColor(colours.ink(colours.colours()[tone], ground) if tone else colours.text))
        inside = box.adjusted(x - box.left(), 0, -4, 0)
        text = str(index.data(Qt.ItemDataRole.DisplayRole) or "")
        if option.state & QStyle.StateFlag.State_Open and text.startswith("{ "):
            text = "{"  # what is in it stands below
        painter.drawText(inside, side, metrics.elidedText(text, Qt.TextElideMode.ElideRight, inside.width()))

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        """All rows alike: a tree of many thousand asks each otherwise."""
        return QSize(100, ROW_PX)


class ValueTree(QTreeView):
    """Shows one value. Arrows open and close, Ctrl+C copies what is selected."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setProperty("role", "code")
        self.values = ValueModel(self)
        self.setModel(self.values)
        self.setItemDelegate(_ValueDelegate(self))
        self.setHeaderHidden(True)
        self.setUniformRowHeights(True)
        self.setIndentation(16)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def show_value(self, value: Any) -> None:
        """Show a value, its first levels open as far as they are small."""
        self.values.show_value(value)
        root = self.values.index(0, 0)
        self.selectionModel().setCurrentIndex(root, QItemSelectionModel.SelectionFlag.NoUpdate)
        self._open(root, 3)

    def _open(self, index: Index, levels: int) -> None:
        if levels <= 0 or not self.values.hasChildren(index):
            return
        value = self.values.value(index)
        if index.parent().isValid() and len(value) > OPENED:
            return
        if self.values.canFetchMore(index):
            self.values.fetchMore(index)
        self.expand(index)
        for row in range(min(OPENED, self.values.rowCount(index))):
            inner = self.values.index(row, 0, index)
            if levels > 1 and isinstance(self.values.value(inner), list):
                self._open(inner, levels - 1)

    def clear(self) -> None:
        """Show nothing."""
        self.values.clear()

    def texts(self) -> list[str]:
        """What is open, a line a row, as it is read."""
        found = []
        index = self.values.index(0, 0)
        while index.isValid():
            key = index.data(KEY_ROLE)
            found.append(f"{key}: {index.data()}" if key else str(index.data()))
            index = self.indexBelow(index)
        return found

    def copied(self) -> str:
        """JSON text of what is selected."""
        return json.dumps(self.values.value(self.currentIndex()), indent=2, ensure_ascii=False)[:MOST_COPIED]

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Copy a value, or where it is."""
        index = self.currentIndex()
        if not index.isValid():
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        clipboard = QGuiApplication.clipboard()
        menu.addAction("Copy value\tCtrl+C", lambda: clipboard.setText(self.copied()))
        path = self.values.path(index)
        if path:
            menu.addAction(f"Copy path: {path[:60]}", lambda: clipboard.setText(path))
        menu.popup(event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ctrl+C."""
        if event.matches(QKeySequence.StandardKey.Copy):
            QGuiApplication.clipboard().setText(self.copied())
            return
        super().keyPressEvent(event)
