"""PySide6 6.12.0 on CPython 3.11 loses references to None; with it this program would abort after a while."""

from __future__ import annotations

import sys

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

ROUNDS = 20_000
SLACK = 2_000


class Speaker(QObject):
    said = Signal()


class Painted(QWidget):
    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        for _ in range(50):
            painter.drawLine(0, 0, 5, 5)
        painter.end()


def test_none_keeps_its_references_in_slots_handlers_and_painter_calls(qapp: object) -> None:  # noqa: ARG001
    if sys.version_info >= (3, 12):
        return  # None is immortal there
    speaker, widget, heard = Speaker(), Painted(), []
    speaker.said.connect(lambda: heard.append(1))
    before = sys.getrefcount(None)
    image = QImage(8, 8, QImage.Format.Format_ARGB32)
    painter = QPainter(image)
    for _ in range(ROUNDS):
        painter.drawLine(0, 0, 4, 4)
        speaker.said.emit()
    painter.end()
    for _ in range(ROUNDS // 100):
        widget.grab()
    assert len(heard) == ROUNDS
    assert sys.getrefcount(None) > before - SLACK
