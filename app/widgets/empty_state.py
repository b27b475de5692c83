"""What stands where there is nothing to show: why, and what to do."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app import theme
from app.widgets.controls import button, label, set_text

ADVICE_PX = 560
MARGIN_PX = 12


class EmptyState(QWidget):
    """An icon, why there is nothing, and what to do about it."""

    def __init__(self, icon: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon = icon
        self._picture = QLabel()
        self._picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._why = label("", "title", name="Why there is nothing", wraps=True)
        self._advice = label("", "dim", wraps=True)
        for text in (self._why, self._advice):
            text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._advice.setMaximumWidth(ADVICE_PX)
        self._act = button("", self._do, name="What to do about it")
        self._act.hide()
        self._action: Callable[[], object] | None = None
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addStretch(2)
        layout.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(self._why)
        beside = QHBoxLayout()  # no alignment: aligned, a wrapped text is given the height of a wider one
        beside.addStretch(1)
        beside.addWidget(self._advice, 1000)
        beside.addStretch(1)
        layout.addLayout(beside)
        layout.addWidget(self._act, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(3)
        self.tint()

    def say(
        self, why: str, advice: str, action: str = "", do: Callable[[], object] | None = None, *, icon: str = ""
    ) -> None:
        """Say why there is nothing and what to do; with a button if there is something to do here."""
        if icon and icon != self._icon:
            self._icon = icon
            self.tint()
        set_text(self._why, why)
        set_text(self._advice, advice)
        self._give_room()
        self._action = do
        set_text(self._act, action)
        self._act.setAccessibleName(action or "What to do about it")
        self._act.setVisible(bool(action))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width, other lines."""
        super().resizeEvent(event)
        self._give_room()

    def _give_room(self) -> None:
        """The advice has all its lines also before it is laid out for the first time."""
        margins = self.contentsMargins()
        width = min(ADVICE_PX, self.width() - margins.left() - margins.right() - 2 * MARGIN_PX)
        self._advice.setMinimumHeight(max(0, self._advice.heightForWidth(max(60, width))))

    def tint(self) -> None:
        """Take the colours of the theme in use."""
        self._picture.setPixmap(theme.icon(self._icon, theme.current().dim).pixmap(40, 40))

    @property
    def text(self) -> str:
        """All it says."""
        return f"{self._why.text()}\n{self._advice.text()}"

    def _do(self) -> None:
        if self._action is not None:
            self._action()
