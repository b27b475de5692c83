"""The line at the bottom: what the tool itself is doing and costing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from app.widgets.controls import Tone, label, set_property, set_text


class Told(NamedTuple):
    """One thing that the line tells."""

    text: str
    tone: Tone = ""
    note: str = ""


class StatusLine(QFrame):
    """Facts at the left, and at the right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("status")
        self.setAccessibleName("What the tool itself is doing")
        self.setFixedHeight(26)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 0, 14, 0)
        layout.setSpacing(18)
        self._left: list[QLabel] = []
        self._right: list[QLabel] = []
        self._layout = layout
        layout.addStretch(1)

    def tell(self, left: Sequence[Told], right: Sequence[Told]) -> None:
        """Say these."""
        self._fill(self._left, left, 0)
        self._fill(self._right, right, None)

    def _fill(self, labels: list[QLabel], told: Sequence[Told], begin: int | None) -> None:
        while len(labels) < len(told):
            made = label()
            place = begin + len(labels) if begin is not None else self._layout.count()
            self._layout.insertWidget(place, made)
            labels.append(made)
        for number, made in enumerate(labels):
            is_used = number < len(told)
            made.setVisible(is_used)
            if is_used:
                set_text(made, told[number].text)
                set_property(made, "tone", told[number].tone)
                made.setToolTip(told[number].note)

    @property
    def text(self) -> str:
        """All it says."""
        shown = [made for made in (*self._left, *self._right) if not made.isHidden()]
        return " · ".join(made.text() for made in shown)
