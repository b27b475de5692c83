"""A line over the views that leaves no doubt that the picture stands still."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from app.widgets.controls import button, label, set_text


class PausedBar(QFrame):
    """What stands still, what came meanwhile, and the way back. Hidden while live."""

    def __init__(self, follow: Callable[[], object], back: Callable[[], object], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pausedBar")
        self.setAccessibleName("Paused")
        self._text = label("", name="Paused", tone="slow")
        self._back = button("Previous zoom", back, tip="Backspace or Esc")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 5, 12, 5)
        layout.addWidget(self._text)
        layout.addStretch(1)
        layout.addWidget(self._back)
        layout.addWidget(button("Follow live", follow, tip="Space or End"))
        self.hide()

    def say(self, text: str, *, is_zoomed: bool) -> None:
        """Say what stands still; with a way back if it was zoomed into."""
        set_text(self._text, f"❚❚  {text}")
        self._back.setVisible(is_zoomed)

    @property
    def text(self) -> str:
        """What it says."""
        return self._text.text()
