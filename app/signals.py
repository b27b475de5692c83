"""Ctrl+C and SIGTERM close the window as its user would: recordings are closed, the demo's bus is ended."""

from __future__ import annotations

import signal
from types import FrameType

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QWidget

EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
LOOK_MS = 200
"""Qt's loop does not run Python's signal handlers; a timer that comes back to Python does."""


def close_on_signals(app: QApplication, window: QWidget) -> None:
    """Close the window and end the program when it is told to end."""

    def close(number: int, _frame: FrameType | None) -> None:
        window.close()
        app.exit(EXIT_CODES[signal.Signals(number)])

    for number in EXIT_CODES:
        signal.signal(number, close)
    timer = QTimer(window)
    timer.timeout.connect(lambda: None)
    timer.start(LOOK_MS)
