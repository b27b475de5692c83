"""Files that come with the program: our own icon."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QLabel

_HERE = Path(__file__).parent
_FOLDERS = (_HERE / "resources", _HERE.parent / "resources")
"""In an installed package, and in the repository."""


def path(name: str) -> Path:
    """Where a file is, as "icons/meshscope.svg"; in the first folder when it is nowhere."""
    return next((folder / name for folder in _FOLDERS if (folder / name).exists()), _FOLDERS[0] / name)


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
