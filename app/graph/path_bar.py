"""The line above the graph that tells the way between two cards."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QPushButton, QWidget

from app.widgets.controls import button
from app.widgets.format import count
from broker.mesh.paths import Paths


class PathBar(QWidget):
    """Which way is shown: a shortest one or all of them, and an end to it."""

    shows_all_picked = Signal(bool)
    closed = Signal()
    swapped = Signal()
    """The way from the end to the beginning is wanted."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = QLabel()
        self._text.setAccessibleName("Way between two cards")
        self._shortest = self._choice("Shortest", "A way with the fewest calls one after the other")
        self._all = self._choice("All ways", "Every way along seen calls that visits no card twice")
        group = QButtonGroup(self)
        for choice in (self._shortest, self._all):
            group.addButton(choice)
        self._shortest.setChecked(True)
        self._all.toggled.connect(self.shows_all_picked.emit)
        self.swap = button("", self.swapped.emit, icon="swap-horizontal", name="The way back", role="flat")
        self._close = button("", self.closed.emit, icon="close", name="End the path (Esc)", role="flat")
        line = QHBoxLayout(self)
        line.setContentsMargins(18, 6, 14, 0)
        line.setSpacing(8)
        for part in (self._text, self._shortest, self._all, self.swap, self._close):
            line.addWidget(part)
        line.addStretch(1)
        self.hide()

    def _choice(self, text: str, tip: str) -> QPushButton:
        made = QPushButton(text)
        made.setCheckable(True)
        made.setAutoDefault(False)
        made.setToolTip(tip)
        made.setAccessibleName(text)
        return made

    @property
    def text(self) -> str:
        """What it says."""
        return "" if self.isHidden() else self._text.text()

    def begin(self) -> None:
        """Another two: the shortest way is shown first."""
        self._shortest.setChecked(True)

    def say(self, source: str, target: str, found: Paths | None) -> None:
        """Tell of the ways from the one to the other; None while they are looked for."""
        hops = len(found.shortest) - 1 if found else 0
        for choice in (self._shortest, self._all):
            choice.setVisible(hops > 0)
        if found is None:
            self._text.setText(f"{source} → {target}: looking …")
        elif not found.shortest:
            self._text.setText(f"{source} → {target}: no way along calls seen in this window")
        else:
            some = "" if found.is_whole else "at least "
            ways = f"{some}{count(found.count)} way{'' if found.count == 1 else 's'}"
            self._text.setText(f"{source} → {target}: {hops} hop{'' if hops == 1 else 's'}, {ways}")
            self._all.setEnabled(found.count > 1)
        self.show()
