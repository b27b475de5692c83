"""Parameters of an action: a form made from its schema, and raw JSON, each following the other."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.widgets.controls import label
from app.widgets.form.json_editor import JsonEditor
from broker.operate.forms import Form, JsonMistakeError, Problem, write_json


class ParamsForm(QWidget):
    """What an action is called with."""

    changed = Signal()
    """A person changed the value, or made a mistake in the JSON."""

    def __init__(self, schema: object = None, value: object = None, parent: QWidget | None = None) -> None:
        """Make it.

        Args:
            schema: The ``params`` of the action as INFO carries them; None where it has none.
            value: What to begin with; None for what the schema asks for.
            parent: Qt's.
        """
        super().__init__(parent)
        self._why = label("", "dim", wraps=True, name="Why there is no form")
        self._json = JsonEditor("Parameters as JSON")
        self._json.edited.connect(self.changed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._why)
        layout.addWidget(self._json, 1)
        self.setFocusProxy(self._json)
        self.set_action(schema, value)

    def set_action(self, schema: object, value: object = None) -> None:
        """Show another action. Signals nothing."""
        self._form = Form(schema)
        self._why.setText(self._form.broken)
        self._why.setVisible(bool(self._form.broken))
        self.set_value(self._form.start() if value is None else value)

    def set_value(self, value: object) -> None:
        """Show another value. Signals nothing."""
        self._json.set_value(value)

    def value(self) -> Any:
        """What is to be sent; while the JSON has a mistake, what it was before."""
        return self._json.value()

    def text(self) -> str:
        """The same as JSON; while that has a mistake, the text with its mistake."""
        return self._json.text() if self._json.mistake is not None else write_json(self.value())

    def mistake(self) -> JsonMistakeError | None:
        """What keeps the raw JSON from being JSON."""
        return self._json.mistake

    def problems(self) -> list[Problem]:
        """What the service would refuse, as far as INFO says."""
        return self._form.problems(self.value())

    def retint(self) -> None:
        """Take the colours of the theme in use."""
        self._json.retint()
