"""JSON in colours: keys, texts, numbers, words, and variables that are filled in later."""

from __future__ import annotations

import re
from typing import Final

from PySide6.QtGui import QColor, QSyntaxHighlighter, QTextCharFormat, QTextDocument

from app import theme
from broker.operate.forms.templates import TEMPLATE

_TOKEN: Final = re.compile(
    r'(?P<key>"(?:\\.|[^"\\])*")(?=\s*:)|(?P<text>"(?:\\.|[^"\\])*"?)'
    r"|\b(?P<word>true|false|null)\b|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
)


class JsonHighlighter(QSyntaxHighlighter):
    """Colours of the theme in use; `retint` after it changed."""

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        self._styles: dict[str, QTextCharFormat] = {}
        self._take_colours()

    def retint(self) -> None:
        """Take the colours of the theme in use."""
        self._take_colours()
        self.rehighlight()

    def _take_colours(self) -> None:
        colours = theme.current()
        chosen = {
            "key": colours.accent,
            "text": colours.ok,
            "word": colours.slow,
            "number": colours.slow,
            "variable": colours.held,
        }
        self._styles = {name: _style(colours.ink(colour, colours.surface0)) for name, colour in chosen.items()}

    def highlightBlock(self, text: str) -> None:
        """Colour one line."""
        for found in _TOKEN.finditer(text):
            self._colour(text, found.start(), found.end(), self._styles[found.lastgroup or "text"])
        for found in TEMPLATE.finditer(text):
            self._colour(text, found.start(), found.end(), self._styles["variable"])

    def _colour(self, text: str, start: int, end: int, style: QTextCharFormat) -> None:
        self.setFormat(_units(text[:start]), _units(text[start:end]), style)


def _units(text: str) -> int:
    """How long a text is for Qt: an emoji is two."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _style(colour: str) -> QTextCharFormat:
    made = QTextCharFormat()
    made.setForeground(QColor(colour))
    return made
