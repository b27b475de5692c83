"""Raw JSON: says at once whether it is JSON, and points at its mistake."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QColor, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit, QVBoxLayout, QWidget

from app import theme
from app.widgets.controls import button, label, row
from app.widgets.form.json_highlighter import JsonHighlighter
from broker.operate.forms import JsonMistakeError, read_json, write_json


class JsonEditor(QWidget):
    """A text that is a value, or is on its way to become one.

    Attributes:
        mistake: What is wrong with the text; None when it is JSON.
    """

    edited = Signal()
    """A person changed the text: it is JSON, or `mistake` says why not."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.mistake: JsonMistakeError | None = None
        self._value: Any = None
        self.text_edit = QPlainTextEdit()
        self.text_edit.setProperty("role", "code")
        self.text_edit.setAccessibleName(name)
        self.text_edit.setTabChangesFocus(True)
        self.text_edit.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._highlighter = JsonHighlighter(self.text_edit.document())
        self._message = label("", wraps=True, tone="failed", name="What is wrong with the JSON")
        self._go = button("Go there", self.go_to_mistake, role="link", name="Go to the mistake")
        self._told = QWidget()
        line = row(self._message, self._go)
        line.setStretch(0, 1)
        self._told.setLayout(line)
        self._told.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.text_edit, 1)
        layout.addWidget(self._told)
        self.setFocusProxy(self.text_edit)
        self.text_edit.textChanged.connect(self._on_changed)
        self._is_told = False

    def text(self) -> str:
        """What stands in it."""
        return self.text_edit.toPlainText()

    def value(self) -> Any:
        """What it says; while it has a mistake, what it said last."""
        return self._value

    def set_value(self, value: Any) -> None:
        """Say another value. The cursor stays where it is in what did not change, and undo goes back over it."""
        self._value = value
        self._replace(write_json(value))
        self._judge()

    def set_text(self, text: str) -> None:
        """Say a text, right or wrong, as if it had been typed."""
        self._replace(text)
        self._on_changed()

    def go_to_mistake(self) -> None:
        """Put the cursor where the mistake is."""
        if self.mistake is not None:
            cursor = self.text_edit.textCursor()
            cursor.setPosition(_units(self.text(), self.mistake.position))
            self.text_edit.setTextCursor(cursor)
            self.text_edit.setFocus()

    def retint(self) -> None:
        """Take the colours of the theme in use."""
        self._highlighter.retint()
        self._mark()

    def _replace(self, text: str) -> None:
        now = self.text()
        if now == text:
            return
        start = _same_start(now, text)
        end = _same_start(now[start:][::-1], text[start:][::-1])
        before = self.text_edit.textCursor().position()
        cursor = QTextCursor(self.text_edit.document())
        cursor.setPosition(_units(now, start))
        cursor.setPosition(_units(now, len(now) - end), QTextCursor.MoveMode.KeepAnchor)
        self._is_told = True
        cursor.insertText(text[start : len(text) - end])
        self._is_told = False
        if before <= _units(now, start):
            kept = self.text_edit.textCursor()
            kept.setPosition(before)
            self.text_edit.setTextCursor(kept)

    def _on_changed(self) -> None:
        if self._is_told:
            return
        self._judge()
        self.edited.emit()

    def _judge(self) -> None:
        text = self.text()
        try:
            self._value, self.mistake = read_json(text), None
        except JsonMistakeError as mistake:
            self.mistake = mistake
        self._told.setVisible(self.mistake is not None)
        self._message.setText(f"▲ {self.mistake}" if self.mistake is not None else "")
        self._mark()

    def _mark(self) -> None:
        selections = []
        if self.mistake is not None:
            marked = QTextEdit.ExtraSelection()
            style = QTextCharFormat()
            colours = theme.current()
            style.setBackground(QColor(colours.tint(colours.failed, 0.4)))
            style.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
            style.setUnderlineColor(QColor(colours.failed))
            cursor = QTextCursor(self.text_edit.document())
            place = min(self.mistake.position, max(0, len(self.text()) - 1))
            cursor.setPosition(_units(self.text(), place))
            cursor.movePosition(QTextCursor.MoveOperation.NextCharacter, QTextCursor.MoveMode.KeepAnchor)
            marked.cursor, marked.format = cursor, style
            selections.append(marked)
        self.text_edit.setExtraSelections(selections)


def _same_start(one: str, other: str) -> int:
    """How many characters two texts have in common at their start."""
    most = min(len(one), len(other))
    if one[:most] == other[:most]:
        return most
    return next(place for place in range(most) if one[place] != other[place])


def _units(text: str, position: int) -> int:
    """A position in characters as Qt counts it: an emoji is two."""
    start = text[:position]
    return len(start) if start.isascii() else len(start.encode("utf-16-le", "surrogatepass")) // 2
