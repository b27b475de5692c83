"""What views share: they refresh when they are seen and something changed."""

from __future__ import annotations

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from app.desk import Desk
from app.widgets.pace import Pace


class LiveView(QWidget):
    """A view of the desk's span. Subclasses ask in `refresh`, which runs only while they are visible.

    Arriving data refreshes it at its own pace (numbers that change ten times
    a second cannot be read); what a user changed refreshes it at once.
    """

    def __init__(self, desk: Desk, *, every_ms: int = 500, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk = desk
        self._pace = Pace(self._refresh_if_seen, every_ms, self)
        desk.ticked.connect(self._pace.want)
        for changed in (desk.cursor_changed, desk.filter_changed):
            changed.connect(self._refresh_if_seen)
        desk.theme_changed.connect(self.retheme)

    def refresh(self) -> None:
        """Ask the desk for what is to be shown."""
        raise NotImplementedError

    def retheme(self) -> None:
        """Take the colours of the theme in use."""
        self.update()

    def showEvent(self, event: QShowEvent) -> None:
        """Whoever comes into sight shows what is so now."""
        super().showEvent(event)
        self._pace.now()

    def _refresh_if_seen(self) -> None:
        if self.isVisible():
            self.refresh()
