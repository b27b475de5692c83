"""One of a few values, or nothing."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QComboBox

from app.widgets.form.line_editor import WheelGuard
from broker.operate.forms.texts import choice_text
from broker.validation import UNDEFINED


class ChoiceEditor(QComboBox):
    """A list to choose from. A value that is none of its choices is shown all the same."""

    chosen = Signal(object)
    left = Signal()
    wants_menu = Signal()

    def __init__(self, name: str, choices: tuple[Any, ...], nothing: str, *, is_nullable: bool) -> None:
        """Make it.

        Args:
            name: Its accessible name.
            choices: What can be chosen.
            nothing: What stands for an absent value.
            is_nullable: Whether null can be chosen too.
        """
        super().__init__()
        self.setAccessibleName(name)
        self._offered = [UNDEFINED, *choices, *([None] if is_nullable else [])]
        self._choices, self._nothing = choices, nothing
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)
        self.setMaxVisibleItems(16)
        self._guard = WheelGuard(self)
        self.installEventFilter(self._guard)
        self._values: list[Any] = []
        self._fill(self._offered)
        self.activated.connect(lambda index: self.chosen.emit(self._values[index]))

    def show_value(self, value: Any) -> None:
        """Select a value; one that cannot be chosen is added for as long as it is there."""
        place = next((n for n, each in enumerate(self._offered) if _is(each, value)), -1)
        wanted = self._offered if place >= 0 else [*self._offered, value]
        if len(wanted) != len(self._values) or not all(map(_is, wanted, self._values)):
            self._fill(wanted)
        self.setCurrentIndex(place if place >= 0 else len(wanted) - 1)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Somebody was here."""
        super().focusOutEvent(event)
        self.left.emit()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The right button, or the key for it, opens the menu."""
        event.accept()
        self.wants_menu.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete leaves the field out."""
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.chosen.emit(UNDEFINED)
            return
        super().keyPressEvent(event)

    def _fill(self, values: list[Any]) -> None:
        self._values = list(values)
        self.clear()
        self.addItems([self._nothing if each is UNDEFINED else choice_text(each, self._choices) for each in values])


def _is(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return one is other or bool(one == other)
