"""Without a screen, with a desk that is ended with its test, and nothing left alive."""

from __future__ import annotations

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"  # before any Qt is imported

import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence

import pytest
from fake_mesh import FakeMesh
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app import settings, theme
from app.desk import Desk
from app.place import Place
from app.shell import Shell
from app.views.registry import load_views
from app.window import Opener, Window
from broker.mesh.timeline import Timeline
from broker.transport.base import CheckResult
from broker.transport.url import ConnectionSettings

PLACE = Place("shop-production", "failed", "ghost: publishes nothing", "redis://10.4.0.7")


async def no_check(_settings: ConnectionSettings, _namespaces: Sequence[str] | None) -> AsyncIterator[CheckResult]:
    yield CheckResult("connection", True, "connected")


@pytest.fixture(autouse=True)
def nothing_is_left_alive() -> Iterator[None]:
    """No test leaves a thread behind."""
    before = set(threading.enumerate())
    yield
    left = [thread for thread in threading.enumerate() if thread not in before and thread.is_alive()]
    for thread in left:
        thread.join(5.0)
    assert [thread.name for thread in left if thread.is_alive()] == []


@pytest.fixture(autouse=True)
def dark_theme(qapp: object) -> None:  # noqa: ARG001
    # what the tests before closed would be styled once more
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    theme.use("dark")


@pytest.fixture
def timeline() -> Timeline:
    return Timeline()


@pytest.fixture
def desk(timeline: Timeline, qtbot: QtBot) -> Iterator[Desk]:  # noqa: ARG001
    made = Desk(timeline)
    yield made
    made.close()


@pytest.fixture
def mesh(timeline: Timeline) -> FakeMesh:
    """A shop that was watched for 240 s; `timeline` holds it."""
    made = FakeMesh()
    made.fill(timeline, 240)
    return made


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[Window]:
    made = Window(settings.load(None), load_views(), no_check, Opener())
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.close()


@pytest.fixture
def shell(window: Window, timeline: Timeline, mesh: FakeMesh) -> Shell:  # noqa: ARG001
    """A sitting on the shop, in a window."""
    desk = Desk(timeline)
    return window.show_session(desk, PLACE, desk.close)


@pytest.fixture
def shown(qtbot: QtBot) -> Callable[[QWidget], QWidget]:
    """Shows a widget and closes it with the test."""

    def show(widget: QWidget) -> QWidget:
        qtbot.addWidget(widget)
        widget.resize(1100, 700)
        widget.show()
        qtbot.waitExposed(widget)
        return widget

    return show
