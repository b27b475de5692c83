"""A few lines of JSON with variables: grows with what is written, says below what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QSyntaxHighlighter, QTextCharFormat, QTextDocument
from PySide6.QtWidgets import QPlainTextEdit, QVBoxLayout, QWidget

from app import theme
from app.widgets.controls import label, set_property, set_text

MOST_LINES: Final = 6
_VARIABLE: Final = re.compile(r"\{\{[^{}]+\}\}")
_KEY: Final = re.compile(r'"(?:[^"\\]|\\.)*"(?=\s*:)')
_TEXT: Final = re.compile(r'"(?:[^"\\]|\\.)*"')


class _Highlighter(QSyntaxHighlighter):
    """Keys, texts, and variables before all."""

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)

    def highlightBlock(self, text: str) -> None:
        """One line."""
        colours = theme.current()
        for pattern, colour in ((_TEXT, colours.ok), (_KEY, colours.accent), (_VARIABLE, colours.held)):
            style = QTextCharFormat()
            style.setForeground(QColor(colours.ink(colour, colours.surface0)))
            for found in pattern.finditer(text):
                self.setFormat(found.start(), found.end() - found.start(), style)


class SmallJson(QWidget):
    """JSON, or nothing."""

    edited = Signal()

    def __init__(
        self, name: str, placeholder: str, problem_of: Callable[[str], str], parent: QWidget | None = None
    ) -> None:
        """
        Args:
            name: Its accessible name.
            placeholder: What stands in it while it is empty.
            problem_of: What is wrong with a text; "" for nothing.
            parent: Qt's.
        """
        super().__init__(parent)
        self._problem_of = problem_of
        self.edit = QPlainTextEdit()
        self.edit.setProperty("role", "code")
        self.edit.setAccessibleName(name)
        self.edit.setPlaceholderText(placeholder)
        self.edit.setTabChangesFocus(True)
        self.edit.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.edit.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._highlighter = _Highlighter(self.edit.document())
        self._note = label("", "small", wraps=True, name=f"About {name.lower()}")
        self._note.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(self.edit)
        layout.addWidget(self._note)
        self.setFocusProxy(self.edit)
        self._why_not = ""
        self.edit.textChanged.connect(self._on_changed)
        self._fit()

    @property
    def text(self) -> str:
        """What stands in it."""
        return self.edit.toPlainText()

    @property
    def note(self) -> str:
        """What stands below it."""
        return self._note.text() if self._note.isVisibleTo(self) else ""

    def set_text(self, text: str) -> None:
        """Let it say something else."""
        if text != self.text:
            self.edit.setPlainText(text)

    def allow(self, why_not: str = "") -> None:
        """Let it be written in, or say why not."""
        if why_not != self._why_not:
            self._why_not = why_not
            self.edit.setReadOnly(bool(why_not))
            self.edit.setEnabled(not why_not)
            self._judge()

    def retint(self) -> None:
        """Take the colours of the theme in use."""
        self._highlighter.rehighlight()
        self._fit()

    def _on_changed(self) -> None:
        self._fit()
        self._judge()
        self.edited.emit()

    def _judge(self) -> None:
        wrong = "" if self._why_not else self._problem_of(self.text)
        set_text(self._note, f"▲ {wrong}" if wrong else self._why_not)
        set_property(self._note, "tone", "failed" if wrong else "")
        self._note.setVisible(bool(wrong or self._why_not))

    def _fit(self) -> None:
        self.edit.setFont(theme.font(12, mono=True))
        wanted = max(1, self.edit.blockCount())
        lines = min(MOST_LINES, wanted)
        is_long = wanted > MOST_LINES
        bar = Qt.ScrollBarPolicy.ScrollBarAsNeeded if is_long else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        self.edit.setVerticalScrollBarPolicy(bar)
        self.edit.setFixedHeight(lines * self.edit.fontMetrics().lineSpacing() + 20)
