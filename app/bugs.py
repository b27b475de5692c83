"""A bug of ours: logged, told in one dialog, and the window goes on."""

from __future__ import annotations

import logging
import sys
import traceback
from types import TracebackType

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from broker.operate.log_masks import hidden

log = logging.getLogger(__name__)


class _Told:
    """What was told already: the same bug ten times a second needs one dialog."""

    places: set[str] = set()  # noqa: RUF012  one for the program, as the hook is


def catch_bugs(window: QWidget) -> None:
    """Let what nobody caught be logged and told once, instead of ending the program."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        log.error("this is a bug", exc_info=(kind, error, trace))
        frames = traceback.extract_tb(trace)
        place = f"{kind.__name__} {frames[-1].filename}:{frames[-1].lineno}" if frames else kind.__name__
        if place not in _Told.places:
            _Told.places.add(place)
            # what is shown is copied into reports: nothing secret may be in it
            details = "".join(traceback.format_exception(kind, error, trace))
            _tell(window, hidden(f"{kind.__name__}: {error}"), hidden(details))

    sys.excepthook = hook


def _tell(window: QWidget, error: str, details: str) -> None:
    box = QMessageBox(window)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(QMessageBox.Icon.Warning)
    box.setWindowTitle("A bug")
    box.setText("Something went wrong inside Meshscope. Listening goes on.")
    box.setInformativeText(error)
    box.setDetailedText(details)
    box.open()
