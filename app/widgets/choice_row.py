"""A few choices beside each other, one of them taken."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QWidget

from app.widgets.controls import button


class ChoiceRow(QWidget):
    """Chips of which one is down."""

    picked = Signal(str)
    """Its user took another one."""

    def __init__(self, name: str, choices: Sequence[tuple[str, str]], parent: QWidget | None = None) -> None:
        """
        Args:
            name: What is chosen.
            choices: Value and title of each.
            parent: Qt's.
        """
        super().__init__(parent)
        self.setAccessibleName(name)
        self.buttons: dict[str, QPushButton] = {}
        self._group = QButtonGroup(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for value, title in choices:
            made = button(title, role="segment", name=f"{name}: {title}")
            made.setCheckable(True)
            self._group.addButton(made)
            self.buttons[value] = made
            layout.addWidget(made)
        self._group.buttonClicked.connect(lambda _made: self.picked.emit(self.value))
        self.choose(choices[0][0])

    @property
    def value(self) -> str:
        """Which is taken."""
        return next(value for value, made in self.buttons.items() if made.isChecked())

    def choose(self, value: str) -> None:
        """Take one. Signals nothing."""
        self.buttons[value].setChecked(True)

    def allow(self, value: str, *, is_allowed: bool, why_not: str = "") -> None:
        """Let one be taken, or say why not."""
        self.buttons[value].setEnabled(is_allowed)
        self.buttons[value].setToolTip("" if is_allowed else why_not)
