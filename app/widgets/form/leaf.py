"""A field that holds one value: a text, a number, a choice, or any JSON."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from app.widgets.form.caption import Caption, Remarks
from app.widgets.form.choice_editor import ChoiceEditor
from app.widgets.form.line_editor import LineEditor, TextEditor
from app.widgets.form.node import Node, Owner, Told, name_of
from broker.clock import SystemClock
from broker.operate.forms import Field, JsonMistakeError, read_json, write_json
from broker.operate.forms.dates import understood, why_no_date
from broker.operate.forms.field import Path
from broker.operate.forms.texts import fits, shown, typed
from broker.operate.forms.words import shortly
from broker.validation import UNDEFINED

Mode = Literal["", "line", "lines", "choice", "json"]
_JSON_KINDS = ("any", "forbidden", "never")


class LeafNode(Node):
    """Caption, an editor that suits the value, remarks."""

    def __init__(self, field: Field, path: Path, owner: Owner) -> None:
        super().__init__(field, path, owner)
        self._part: Any = UNDEFINED
        self._mode: Mode = ""
        self._wanted: Mode = ""
        self._mistake = ""
        self._name = name_of(field, path)
        self.caption = Caption(field, self._name, has_menu=True)
        self.caption.more.connect(self.open_menu)
        self.remarks = Remarks(field)
        self.editor: LineEditor | TextEditor | ChoiceEditor | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(3)
        self._column.addWidget(self.caption)
        self._column.addWidget(self.remarks)
        self.display(UNDEFINED, Told())

    # showing

    def display(self, part: Any, told: Told) -> None:
        """Show a value."""
        is_new = not _same(part, self._part)
        self._part = part
        if is_new:
            self._finish("")
        mode = self._mode_for(part)
        if mode != self._mode:
            self._swap(mode)
        self._say(part)
        problems = told.at(self.path)
        reason = why_no_date(part) if self.field.type == "date" and problems else ""
        self.remarks.tell(problems, self._mistake or (f"not a date: {reason}" if reason else ""))
        is_date = self.field.type == "date" and not problems
        taken = understood(part) if is_date else ""
        self.remarks.hint(f"= {taken}" if taken else "")
        self._set_wrong(bool(problems or self._mistake))

    def _mode_for(self, part: Any) -> Mode:
        can = self._modes_of(part)
        if self._mode in can and self.editor is not None and self.editor.hasFocus() and not self._wanted:
            return self._mode
        return self._wanted if self._wanted in can else can[0]

    def _modes_of(self, part: Any) -> tuple[Mode, ...]:
        """In which ways a value can be edited, the best first."""
        kind = self.field.kind
        if isinstance(part, str) and self.owner.is_variable(part):
            return ("lines", "json") if "\n" in part else ("line", "lines", "json")
        if kind in _JSON_KINDS:
            return ("json", "line") if isinstance(part, str) else ("json",)
        if kind in ("choice", "boolean"):
            return ("choice", "line", "json") if part is UNDEFINED or isinstance(part, str) else ("choice", "json")
        if part is None or part == "":
            return ("line", "lines", "json")
        if not fits(kind, part):
            return ("json",)
        if isinstance(part, str) and "\n" in part:
            return ("lines", "json")
        return ("line", "lines", "json") if kind == "text" else ("line", "json")

    def _swap(self, mode: Mode) -> None:
        before, self._mode = self.editor, mode
        had_focus = before is not None and before.hasFocus()
        made = self._made(mode)
        made.left.connect(lambda: self.owner.touch(self.path))
        made.wants_menu.connect(self.open_menu)
        self.editor = made
        if before is None:
            self._column.insertWidget(1, made)
        else:
            self._column.replaceWidget(before, made)
            before.blockSignals(True)
            before.hide()
            before.deleteLater()
        if had_focus:
            made.setFocus()
        self.owner.rearranged()

    def _made(self, mode: Mode) -> LineEditor | TextEditor | ChoiceEditor:
        if mode == "choice":
            choices = (True, False) if self.field.kind == "boolean" else self.field.choices
            choice = ChoiceEditor(self._name, choices, self._nothing(), is_nullable=self.field.is_nullable)
            choice.chosen.connect(self._on_chosen)
            return choice
        if mode == "line":
            line = LineEditor(self._name)
            line.edited.connect(self._on_typed)
            return line
        text = TextEditor(self._name, is_code=mode == "json")
        text.edited.connect(self._on_json if mode == "json" else self._on_typed)
        return text

    def _say(self, part: Any) -> None:
        editor = self.editor
        if isinstance(editor, ChoiceEditor):
            editor.show_value(part)
        elif editor is not None:
            text = editor.written()
            if not _same(self._meant(text), part) and not (text == "" and part in (None, "")) and not self._mistake:
                text = self._text_of(part)
            editor.say(text, self._placeholder(part), "")

    def _text_of(self, part: Any) -> str:
        if self._mode == "json":
            return "" if part is UNDEFINED else write_json(part, 2 if isinstance(part, dict) else None)
        return "" if part in (None, "") else shown(self.field.kind, part)

    def _meant(self, text: str) -> Any:
        """What a text in the editor means; a value that nothing equals where it means none."""
        if self._mode != "json":
            return typed(self.field.kind, text)
        if not text.strip():
            return UNDEFINED
        try:
            return read_json(text)
        except JsonMistakeError:
            return object()

    def _placeholder(self, part: Any) -> str:
        if part is None:
            return "null"
        return "empty text" if part == "" else self._nothing()

    def _nothing(self) -> str:
        if self.field.default is not UNDEFINED:
            return f"default {shortly(self.field.default)}"
        if self.field.kind == "forbidden":
            return "not sent, as it must be"
        if self.field.kind == "any" and self.field.is_required:
            return "JSON"
        return "" if self.field.is_required else "not sent"

    def _set_wrong(self, is_wrong: bool) -> None:
        if isinstance(self.editor, LineEditor | TextEditor):
            is_variable = isinstance(self._part, str) and self.owner.is_variable(self._part)
            state = "wrong" if is_wrong else "variable" if is_variable else ""
            self.editor.say(self.editor.written(), self._placeholder(self._part), state)

    # editing

    def _on_typed(self, text: str) -> None:
        self._edit(typed(self.field.kind, text))

    def _on_json(self, text: str) -> None:
        if not text.strip():
            self._finish("")
            self._edit(UNDEFINED)
            return
        try:
            part = read_json(text)
        except JsonMistakeError as mistake:
            hint = "; a text needs quotes" if mistake.message == "expected a value" else ""
            self._finish(f"{mistake.message}{hint}")
            self.remarks.tell([], self._mistake)
            self._set_wrong(True)
            return
        self._finish("")
        self._edit(part)

    def _on_chosen(self, value: Any) -> None:
        self.owner.touch(self.path)
        self._edit(value)

    def _edit(self, part: Any) -> None:
        self._part = part
        self.owner.edit(self.path, part)

    def _finish(self, why: str) -> None:
        if why or self._mistake:
            self._mistake = why
            self.owner.unfinished(self.path, why)

    def drop_name(self) -> None:
        """Show the editor alone; its menu opens with the right button and Alt+Down."""
        self.caption.hide()

    # the menu

    def open_menu(self) -> None:
        """What can be done with a field besides typing."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for text, do in self._acts():
            action = QAction(text, menu)
            action.triggered.connect(lambda _=False, do=do: do())
            menu.addAction(action)
        anchor = self.editor or self
        menu.popup(anchor.mapToGlobal(anchor.rect().bottomLeft()))

    def _acts(self) -> Iterator[tuple[str, Any]]:
        field, part = self.field, self._part
        if part is not UNDEFINED:
            yield "Leave it out", lambda: self._set(UNDEFINED)
        if field.default is not UNDEFINED:
            yield f"Send the default, {shortly(field.default)}", lambda: self._set(field.default)
        if field.kind == "text":
            yield "Send an empty text", lambda: self._set("")
        if field.is_nullable or field.kind in _JSON_KINDS:
            yield "Send null", lambda: self._set(None)
        if field.type == "date":
            yield "Send the moment it is now", lambda: self._set(_now())
        names: dict[Mode, str] = {"line": "one line", "lines": "several lines", "choice": "a choice", "json": "JSON"}
        for mode in self._modes_of(part):
            if mode != self._mode:
                yield f"Edit as {names[mode]}", lambda mode=mode: self._want(mode)

    def _set(self, part: Any) -> None:
        self._wanted = ""
        self.owner.touch(self.path)
        self._edit(part)

    def _want(self, mode: Mode) -> None:
        self._wanted = mode
        self.owner.edit(self.path, self._part)
        if self.editor is not None:
            self.editor.setFocus()

    def stops(self) -> Iterator[QWidget]:
        """The editor; its menu opens with Alt+Down."""
        if self.editor is not None:
            yield self.editor

    def retint(self) -> None:
        """Take the colours of the theme in use."""
        if isinstance(self.editor, TextEditor):
            self.editor.retint()


def _now() -> str:
    moment = datetime.fromtimestamp(SystemClock().now_ns() / 1e9, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _same(one: Any, other: Any) -> bool:
    if one is other:
        return True
    if isinstance(one, bool) or isinstance(other, bool) or type(one) is not type(other):
        return False
    if isinstance(one, dict | list):
        return write_json(one, None) == write_json(other, None)
    return bool(one == other)
