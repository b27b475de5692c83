"""A bar that fills."""

from __future__ import annotations

from PySide6.QtWidgets import QProgressBar


def progress_bar() -> QProgressBar:
    """How much of a capture is read; hidden until one is."""
    made = QProgressBar()
    made.setAccessibleName("Reading the capture")
    made.setTextVisible(False)
    made.setRange(0, 1000)
    made.hide()
    return made
