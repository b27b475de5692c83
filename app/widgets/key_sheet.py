"""`?`: which keys do what."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.widgets.controls import button, label, row, section
from app.widgets.edged import EdgedDialog

Keys = Sequence[tuple[str, Sequence[tuple[str, str]]]]
"""Parts of the sheet: heading, and lines of key and meaning."""
KEY_PX = 112


class KeySheet(EdgedDialog):
    """A list of keys in two columns; Esc closes it."""

    def __init__(self, keys: Keys, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        self.setAccessibleName("Which keys do what")
        columns = (QVBoxLayout(), QVBoxLayout())
        half = sum(len(lines) + 2 for _, lines in keys) / 2
        height = 0
        for heading, lines in keys:
            column = columns[height + len(lines) / 2 > half]
            column.addLayout(_part(heading, lines))
            height += len(lines) + 2
        beside = QHBoxLayout()
        beside.setSpacing(36)
        for column in columns:
            column.setSpacing(12)
            column.addStretch(1)
            beside.addLayout(column)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 16)
        layout.setSpacing(14)
        layout.addWidget(label("Keys", "title"))
        layout.addLayout(beside)
        layout.addLayout(row(None, button("Close", self.accept)))


def _part(heading: str, lines: Sequence[tuple[str, str]]) -> QGridLayout:
    """A heading, and its keys with their meanings."""
    grid = QGridLayout()
    grid.setHorizontalSpacing(20)
    grid.setVerticalSpacing(3)
    grid.setColumnMinimumWidth(0, KEY_PX)
    grid.setColumnStretch(1, 1)
    grid.addWidget(section(heading), 0, 0, 1, 2)
    for place, (key, meaning) in enumerate(lines, 1):
        grid.addWidget(label(key, "chip"), place, 0, Qt.AlignmentFlag.AlignLeft)
        grid.addWidget(label(meaning), place, 1)
    return grid
