"""What a connection may do: production or not, one of four steps, announced or not; the rules are seen at once."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QRadioButton, QWidget

from app.settings import Connection
from app.widgets.controls import column
from broker.operate.permissions import Permission

MAY: Final[dict[Permission, str]] = {
    "see": "See: publishes nothing",
    "ask": "Ask: DISCOVER, PING and $node.*, unannounced",
    "call": "Call: call actions, emit events",
    "act": "Act: breakers, broadcast, bench; asks before each",
}
PRODUCTION: Final = "Production: red, starts with see and locked; more only for ten minutes at a time"


class MayFields(QWidget):
    """Production starts with see; who only sees cannot announce. What cannot be chosen says why."""

    edited = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.production = QCheckBox(PRODUCTION)
        self.steps: dict[Permission, QRadioButton] = {may: QRadioButton(text) for may, text in MAY.items()}
        self.announce = QCheckBox("Announce: become a node in everybody's registry, to be sent breaker events")
        self.steps["see"].setChecked(True)
        self.setLayout(column(self.production, *self.steps.values(), self.announce, spacing=6))
        for box in (self.production, self.announce, *self.steps.values()):
            box.toggled.connect(self._follow)
        self._follow()

    def fill(self, connection: Connection) -> None:
        """Put a connection in."""
        self.production.setChecked(False)
        step = next((step for may, step in self.steps.items() if may == connection.may), self.steps["see"])
        step.setChecked(True)
        self.announce.setChecked(connection.announce)

    def read_into(self, connection: Connection) -> None:
        """Take what the fields say."""
        connection.may = next(may for may, step in self.steps.items() if step.isChecked())
        connection.announce = self.announce.isChecked()

    def _follow(self, *_on: object) -> None:
        is_production, see = self.production.isChecked(), self.steps["see"]
        if is_production:
            see.setChecked(True)
        for step in self.steps.values():
            step.setEnabled(not is_production or step is see)
            why = "Production starts with see; unlock it in the bar when more is needed"
            step.setToolTip(why if is_production else "")
        only_sees = see.isChecked()
        self.announce.setEnabled(not only_sees)
        self.announce.setToolTip("Announcing needs at least the permission to ask" if only_sees else "")
        if only_sees:
            self.announce.setChecked(False)
        self.edited.emit()
