"""A dialog whose edge is seen, also where no window manager draws one."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRect
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QDialog

from app import theme

EDGE_PX: Final = 2


class EdgedDialog(QDialog):
    """Paints its edge itself: Qt's style sheets leave the border of a dialog out."""

    def paintEvent(self, event: QPaintEvent) -> None:
        """The edge, in the colour that other dialogs have."""
        super().paintEvent(event)
        painter = QPainter(self)
        colour, inside = QColor(theme.current().accent), self.rect()
        inside.adjust(EDGE_PX, EDGE_PX, -EDGE_PX, -EDGE_PX)
        wide, high = self.width(), self.height()
        for side in (
            QRect(0, 0, wide, EDGE_PX),
            QRect(0, inside.bottom() + 1, wide, EDGE_PX),
            QRect(0, 0, EDGE_PX, high),
            QRect(inside.right() + 1, 0, EDGE_PX, high),
        ):
            painter.fillRect(side, colour)
        painter.end()
