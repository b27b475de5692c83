"""Showing the window for a while without anybody there: a picture, and what it saw."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QMessageLogContext, QTimer, QtMsgType, qInstallMessageHandler

from app.window import Window

DEMO_SIZE = (1440, 900)
NO_NEWS = "This plugin does not support propagateSizeHints()"
"""What Qt says of every window without a screen."""


def drop_no_news() -> None:
    """Print what Qt warns of, but for what is so wherever there is no screen."""
    qInstallMessageHandler(_print_news)


def _print_news(_kind: QtMsgType, _context: QMessageLogContext, message: str) -> None:
    if message != NO_NEWS:
        sys.stderr.write(f"{message}\n")


def show_for(window: Window, seconds: float, picture: str) -> None:
    """Close the window after some seconds; before, write a picture and print what it saw."""
    window.resize(*DEMO_SIZE)
    QTimer.singleShot(1000, lambda: _begin(window))
    QTimer.singleShot(round(seconds * 1000), lambda: _end(window, picture))


def _begin(window: Window) -> None:
    """The graph is what a picture shall show."""
    if window.shell is None:
        QTimer.singleShot(300, lambda: _begin(window))
    else:
        window.shell.desk.show_view("graph")
        window.shell.set_span(60)


def _end(window: Window, picture: str) -> None:
    if picture:
        path = Path(picture)
        path.parent.mkdir(parents=True, exist_ok=True)
        is_written = window.grab().save(str(path))
        sys.stdout.write(f"picture: {path}\n" if is_written else f"cannot write {path}\n")
    sys.stdout.write(f"{what_it_saw(window)}\n")
    sys.stdout.flush()
    is_open = window.shell is not None
    window.close()
    if not is_open:
        QCoreApplication.exit(1)  # whoever runs this in a script shall know that nothing was seen


def what_it_saw(window: Window) -> str:
    """What the window knows now, in a line."""
    if window.shell is None:
        return window.start.banner.text or "nothing was opened"
    return window.shell.status.text or "nothing was heard"
