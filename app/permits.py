"""Controls that act: disabled while they may not, and then they say why, to the mouse, to the eye and to a reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QWidget
from shiboken6 import isValid

from app.desk import Desk
from app.widgets.controls import button, label, row, set_text
from broker.operate.commands import Command

NEEDS: Final = "needs"
"""The property of a control that says what permission it takes."""


def _nothing() -> str:
    return ""


@dataclass(frozen=True, slots=True)
class _Followed:
    control: QAbstractButton | QAction
    command: Callable[[], Command]
    missing: Callable[[], str]
    name: str
    tip: str
    beside: WhyNot | None


class Permits(QObject):
    """Keeps controls that act in step with what may be done now.

    A view makes one, names its controls, and forgets about it::

        self._permits = Permits(desk, self)
        self._permits.follow(self.send, lambda: self._call(), missing=self._problem, beside=self.why)

    Call `refresh` when what `missing` says may have changed; what may be done is watched already.
    """

    def __init__(self, desk: Desk, owner: QObject) -> None:
        """
        Args:
            desk: Tells what may be done.
            owner: Whose controls they are; this ends with it.
        """
        super().__init__(owner)
        self._desk = desk
        self._followed: list[_Followed] = []
        desk.permission_changed.connect(self.refresh)

    def follow(
        self,
        control: QAbstractButton | QAction,
        command: Command | Callable[[], Command],
        *,
        missing: Callable[[], str] = _nothing,
        name: str = "",
        beside: WhyNot | None = None,
    ) -> None:
        """Let a control be enabled only while its command may be sent.

        Args:
            control: A button, or an action of a menu.
            command: What it sends, or one that needs the same permission.
            missing: What else is missing before it can act; empty for nothing. Told only where it may act at all.
            name: As in `Desk.may`.
            beside: Where why it may not is written besides.
        """
        ask = command if callable(command) else (lambda: command)
        control.setProperty(NEEDS, ask().needs)
        self._followed.append(_Followed(control, ask, missing, name, control.toolTip(), beside))
        self._weigh(self._followed[-1])

    def refresh(self) -> None:
        """Weigh all controls anew."""
        for followed in list(self._followed):
            if isValid(followed.control):
                self._weigh(followed)
            else:
                self._followed.remove(followed)

    def _weigh(self, followed: _Followed) -> None:
        command = followed.command()
        found = self._desk.may(command, followed.name)
        why = found.why if not found.allowed else followed.missing()
        control = followed.control
        control.setEnabled(not why)
        control.setToolTip(why or followed.tip)
        if isinstance(control, QAction):
            control.setStatusTip(why)
        else:
            control.setAccessibleDescription(why)
        if followed.beside is not None:
            followed.beside.say(why, command.needs if not found.allowed else "")


class WhyNot(QWidget):
    """Why something cannot be done, beside it; with the way to unlock it where that is what is missing."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk, self._needs = desk, ""
        self._why = label("", "small", wraps=True, name="Why this cannot be done now")
        self._unlock = button("Unlock…", self._ask, role="link", name="Unlock, to be allowed to do this")
        inside = row(self._why, self._unlock)
        inside.setStretch(0, 1)
        self.setLayout(inside)
        self.hide()

    def say(self, why: str, needs: str = "") -> None:
        """Say why; empty hides it.

        Args:
            why: In words.
            needs: The permission that is missing, where that is what is missing.
        """
        self._needs = needs
        set_text(self._why, why)
        self._unlock.setVisible(bool(needs) and self._desk.can_unlock)
        self.setVisible(bool(why))

    @property
    def text(self) -> str:
        """What it says; empty while hidden."""
        return "" if self.isHidden() else self._why.text()

    def _ask(self) -> None:
        self._desk.unlock_wanted.emit(self._needs)
