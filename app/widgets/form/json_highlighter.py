"""JSON in colours: keys, texts, numbers, words, and variables that are filled in later."""

from __future__ import annotations

import re
from typing import Final

from PySide6.QtGui import QColor, QSyntaxHighlighter, QTextCharFormat, QTextDocument

from app import theme
from broker.operate.forms.templates import TEMPLATE

_KEY: Final = re.compile(r'"(?:\\.|[^"\\])*"(?=\s*:)')
_STRING: Final = re.compile(r'"(?:\\.|[^"\\])*"(?!\s*:)')
_WORD: Final = re.compile(r"\b(?:true|false|null)\b")
_NUMBER: Final = re.compile(r'(?<![\w."])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?')


class JsonHighlighter(QSyntaxHighlighter):
    """Colours of the theme in use; `retint` after it changed."""

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        self._styles: list[tuple[re.Pattern[str], QTextCharFormat]] = []
        self._take_colours()

    def retint(self) -> None:
        """Take the colours of the theme in use."""
        self._take_colours()
        self.rehighlight()

    def _take_colours(self) -> None:
        colours = theme.current()
        self._styles = [
            (pattern, _style(colours.ink(colour, colours.surface0)))
            for pattern, colour in (
                (_NUMBER, colours.slow),
                (_WORD, colours.slow),
                (_STRING, colours.ok),
                (_KEY, colours.accent),
                (TEMPLATE, colours.held),
            )
        ]

    def highlightBlock(self, text: str) -> None:
        """Colour one line; what comes later wins."""
        for pattern, style in self._styles:
            for found in pattern.finditer(text):
                start = len(text[: found.start()].encode("utf-16-le", "surrogatepass")) // 2
                length = len(found.group().encode("utf-16-le", "surrogatepass")) // 2
                self.setFormat(start, length, style)


def _style(colour: str) -> QTextCharFormat:
    made = QTextCharFormat()
    made.setForeground(QColor(colour))
    return made
