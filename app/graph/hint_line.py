"""The line that says what the graph does not show, and what would help."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from app.widgets.controls import button


class HintLine(QWidget):
    """A sentence, and groupings to choose where there are too many cards to be read."""

    def __init__(self, pick: Callable[[str], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = QLabel()
        self._text.setProperty("role", "dim")
        self._text.setAccessibleName("About the layout")
        self._links = [
            button("Group by node", lambda: pick("node"), role="link"),
            button("by namespace", lambda: pick("namespace"), role="link"),
        ]
        line = QHBoxLayout(self)
        line.setContentsMargins(18, 6, 14, 0)
        for part in (self._text, *self._links):
            line.addWidget(part)
        line.addStretch(1)
        self.hide()

    @property
    def text(self) -> str:
        """What it says."""
        return self._text.text()

    def say(self, text: str, *, offers_groups: bool) -> None:
        """Say something, "" for nothing; groupings are only offered where they help."""
        self._text.setText(text)
        self.setVisible(bool(text))
        for link in self._links:
            link.setVisible(offers_groups)
