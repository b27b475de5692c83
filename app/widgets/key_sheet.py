"""`?`: which keys do what."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QGridLayout, QVBoxLayout, QWidget

from app.widgets.controls import button, label, row, section

Keys = Sequence[tuple[str, Sequence[tuple[str, str]]]]
"""Parts of the sheet: heading, and lines of key and meaning."""


class KeySheet(QDialog):
    """A list of keys in two columns; Esc closes it."""

    def __init__(self, keys: Keys, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        self.setAccessibleName("Which keys do what")
        grid = QGridLayout()
        grid.setHorizontalSpacing(28)
        grid.setVerticalSpacing(6)
        half = (sum(len(lines) + 2 for _, lines in keys) + 1) // 2
        at, side = 0, 0
        for heading, lines in keys:
            if at >= half and side == 0:
                at, side = 0, 2
            grid.addWidget(section(heading), at, side, 1, 2)
            at += 1
            for key, meaning in lines:
                chip = label(key, "chip")
                grid.addWidget(chip, at, side, Qt.AlignmentFlag.AlignLeft)
                grid.addWidget(label(meaning), at, side + 1)
                at += 1
            at += 1
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 16)
        layout.setSpacing(14)
        layout.addWidget(label("Keys", "title"))
        layout.addLayout(grid)
        layout.addLayout(row(None, button("Close", self.accept)))
