"""Parameters of an action: a form made from its schema, and raw JSON, each following the other."""

from __future__ import annotations

from functools import partial
from typing import Any, Final, Literal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QLineEdit, QSplitter, QVBoxLayout, QWidget

from app.widgets.controls import button, label, row, section, set_property, set_text
from app.widgets.form.fields_area import FieldsArea
from app.widgets.form.json_editor import JsonEditor
from broker.operate.forms import Form, JsonMistakeError, Problem, write_json
from broker.operate.forms.words import plural

Side = Literal["form", "json", "both"]
_SIDES: Final[tuple[tuple[Side, str, str], ...]] = (
    ("form", "Form", "Fields as the schema says"),
    ("json", "JSON", "The same as raw JSON"),
    ("both", "Both", "Form and JSON beside each other"),
)
MANY_FIELDS = 15
"""From so many on there is a box that finds fields."""


class ParamsForm(QWidget):
    """What an action is called with."""

    changed = Signal()
    """A person changed the value, or made a mistake in JSON."""
    judged = Signal()
    """What is wrong with the value was found anew: see `problems`."""

    def __init__(self, schema: object = None, value: object = None, parent: QWidget | None = None) -> None:
        """Make it.

        Args:
            schema: The ``params`` of the action as INFO carries them; None where it has none.
            value: What to begin with; None for what the schema asks for.
            parent: Qt's.
        """
        super().__init__(parent)
        self._side: Side = "form"
        self._make_head()
        self._why = label("", "dim", wraps=True, name="Why there is no form")
        self._waits = label("", wraps=True, tone="slow", name="Why the form waits")
        self._waits.hide()
        self._find = QLineEdit()
        self._find.setAccessibleName("Find a field")
        self._find.setPlaceholderText("Find a field")
        self._find.setClearButtonEnabled(True)
        self._json = JsonEditor("Parameters as JSON")
        self._fields = FieldsArea(self._find)
        self._find.textChanged.connect(self._fields.find_fields)
        self._json.edited.connect(self._on_json)
        self._fields.edited.connect(self._on_fields)
        self._fields.judged.connect(self._on_judged)
        self._split = QSplitter()
        self._split.setChildrenCollapsible(False)
        self._split.addWidget(self._fields)
        self._beside = QWidget()  # keeps its distance from the line between them
        self._json_beside = QVBoxLayout(self._beside)
        self._json_beside.setContentsMargins(0, 0, 0, 0)
        self._json_beside.addWidget(self._json)
        self._split.addWidget(self._beside)
        self._fields.setMinimumWidth(240)
        self._json.setMinimumWidth(160)
        self._split.setStretchFactor(0, 1)
        self._split.setStretchFactor(1, 1)
        self._split.setHandleWidth(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(self._head)
        for each in (self._why, self._waits, self._find):
            layout.addWidget(each)
        layout.addWidget(self._split, 1)
        self.set_action(schema, value)

    def _make_head(self) -> None:
        self._count = button("", self.go_to_problem, role="link", name="Go to the first problem")
        self._group = QButtonGroup(self)
        self._buttons = {}
        for side, text, tip in _SIDES:
            made = button(text, partial(self.show_side, side), role="chip", tip=tip)
            made.setCheckable(True)
            self._group.addButton(made)
            self._buttons[side] = made
        self._title = section("Parameters")
        self._head = row(self._title, None, self._count, *self._buttons.values(), spacing=4)

    # what it is told

    def set_action(self, schema: object, value: object = None) -> None:
        """Show another action. Signals nothing."""
        self._form = Form(schema)
        set_text(self._why, self._form.broken)
        self._why.setVisible(bool(self._form.broken))
        self._fields.set_form(self._form)
        self._find.clear()
        self._find.setVisible(len(self._form.field.fields) >= MANY_FIELDS)
        self.set_value(self._form.start() if value is None else value)
        self.show_side("json" if self._form.broken else self._side)

    def set_title(self, text: str) -> None:
        """What stands above it; "Parameters" if nobody says."""
        set_text(self._title, text.upper())
        self._title.setAccessibleName(text)

    def set_value(self, value: object) -> None:
        """Show another value. Signals nothing."""
        self._json.set_value(value)
        self._wait()
        self._fields.show_value(value)
        self._fields.judge()

    def show_side(self, side: Side) -> None:
        """Show the form, the JSON, or both."""
        has_form = not self._form.broken
        if has_form:
            self._side = side
        self._buttons[side].setChecked(True)
        for each in self._buttons.values():
            each.setEnabled(has_form or each is self._buttons["json"])
        self._fields.setVisible(side != "json")
        self._beside.setVisible(side != "form")
        self._json_beside.setContentsMargins(8 if side == "both" else 0, 0, 0, 0)
        if side == "both":
            half = max(1, self._split.width() // 2)
            self._split.setSizes([half, half])
        self._find.setVisible(side != "json" and len(self._form.field.fields) >= MANY_FIELDS)
        self.setFocusProxy(self._json if side == "json" else self._buttons[side])
        self._fields.rearranged()

    # what it says

    def value(self) -> Any:
        """What is to be sent; while the JSON has a mistake, what it was before."""
        return self._json.value() if self._form.broken else self._fields.value

    def text(self) -> str:
        """The same as JSON; while that has a mistake, the text with its mistake."""
        return self._json.text() if self._json.mistake is not None else write_json(self.value())

    def mistake(self) -> JsonMistakeError | None:
        """What keeps the raw JSON, or the JSON in one of the fields, from being JSON."""
        if self._json.mistake is not None:
            return self._json.mistake
        for path, why in self._fields.mistakes.items():
            return JsonMistakeError(f"in '{'.'.join(map(str, path))}': {why}", "", 0)
        return None

    def problems(self) -> list[Problem]:
        """What the service would refuse, as far as INFO says; nothing where a variable stands."""
        return [] if self._form.broken else self._fields.problems()

    def show_all_problems(self) -> None:
        """Tell what is missing, too, where nobody was yet: before sending."""
        self._fields.tell_all()

    def go_to_problem(self) -> None:
        """Go to the first thing that is wrong."""
        self.show_all_problems()
        if self._json.mistake is not None:
            if self._side == "form":
                self.show_side("json")
            self._json.go_to_mistake()
            return
        problems = self.problems()
        if not problems or self._form.broken:
            return
        if self._side == "json":
            self.show_side("form")
        self._fields.go_to(problems[0].path)

    def retint(self) -> None:
        """Take the colours of the theme in use."""
        self._json.retint()
        self._fields.retint()

    # how each follows the other

    def _on_json(self) -> None:
        self._wait()
        if self._json.mistake is None:
            self._fields.show_value(self._json.value())
        self.changed.emit()

    def _on_fields(self) -> None:
        self._json.set_value(self._fields.value)
        self.changed.emit()

    def _wait(self) -> None:
        mistake = self._json.mistake
        self._fields.setEnabled(mistake is None)
        set_text(self._waits, f"The JSON has a mistake: the form waits. {mistake}" if mistake is not None else "")
        self._waits.setVisible(mistake is not None and self._side != "json")

    def _on_judged(self, count: int) -> None:
        has_form = not self._form.broken
        set_text(self._count, f"▲ {plural(count, 'problem')}" if count and has_form else "")
        self._count.setVisible(bool(count) and has_form)
        set_property(self._count, "tone", "failed")
        self.judged.emit()
