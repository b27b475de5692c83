"""Garbage is collected while nobody touches the window."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.tidying import AT_THE_LATEST, Tidier


@pytest.fixture
def tidier(qapp: QApplication) -> Iterator[Tidier]:
    before = gc.get_threshold()
    made = Tidier(qapp)
    yield made
    made.end()
    assert gc.get_threshold() == before


def test_an_untouched_window_is_tidied(tidier: Tidier) -> None:
    assert tidier.tidy()


def test_somebody_at_work_is_not_disturbed_but_not_for_ever(tidier: Tidier, qtbot: QtBot) -> None:
    widget = QWidget()
    qtbot.addWidget(widget)
    with qtbot.waitActive(widget):
        widget.show()
    QTest.keyClick(widget.windowHandle(), Qt.Key.Key_A)
    assert [tidier.tidy() for _ in range(AT_THE_LATEST + 1)] == [False] * AT_THE_LATEST + [True]
