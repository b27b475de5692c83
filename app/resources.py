"""Files that come with the program: our own icon."""

from __future__ import annotations

from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QLabel

from app.shipped import path


def app_icon() -> QIcon:
    """The program's icon."""
    return QIcon(str(path("icons/meshscope.svg")))


def logo(size_px: int) -> QLabel:
    """The program's icon as a picture."""
    made = QLabel()
    made.setPixmap(app_icon().pixmap(size_px, size_px))
    made.setFixedSize(size_px, size_px)
    made.setAccessibleName("Meshscope")
    return made
