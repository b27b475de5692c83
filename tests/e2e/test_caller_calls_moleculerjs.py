"""The caller of the real window, on real MoleculerJS nodes: found by letters, filled in, sent, read, cancelled."""

from __future__ import annotations

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"  # before any Qt is imported

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.views.caller import CallerView
from app.widgets.confirm import ConfirmDialog
from broker.operate.audit import Audit
from broker.operate.commands import AskOnce
from tests.e2e.conftest import StartMesh
from tests.e2e.redis_server import RedisServer
from tests.e2e.screen import Screen

CTRL = Qt.KeyboardModifier.ControlModifier
ANSWER_MS = 20_000


@pytest.fixture
def screen(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Screen]:
    """The window; what it keeps between runs is the test's own."""
    for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    made = Screen(qtbot)
    yield made
    made.close()


class Hand:
    """Somebody at the caller."""

    def __init__(self, screen: Screen, qtbot: QtBot) -> None:
        self._screen, self._qtbot = screen, qtbot
        assert screen.window.shell is not None
        screen.window.shell.desk.show_view("caller")
        view = screen.window.shell.area.widget("caller")
        assert isinstance(view, CallerView)
        self.view = view

    def choose(self, letters: str, name: str) -> None:
        """Find by letters; nodes that are asked take a moment to tell."""
        box = self.view.request.find_box
        self._screen.wait_for(lambda: name in [one.text for one in box._all])
        box.edit.setFocus()
        box.edit.selectAll()
        self._qtbot.keyClicks(box.edit, letters)
        assert box.texts()[0] == name
        self._qtbot.keyClick(box.edit, Qt.Key.Key_Return)
        assert box.text == name

    def write(self, value: object) -> None:
        self.view.request.params.set_value(value)
        self.view.request.params.changed.emit()

    def send(self) -> None:
        self._qtbot.keyClick(self.view.request.meta.edit, Qt.Key.Key_Return, CTRL)

    def read(self, verdict: str) -> str:
        """Wait for the answer: what is told beside it."""
        answer = self.view.answer
        self._screen.wait_for(
            lambda: not self.view.courier.is_busy and answer.shown is not None and answer.verdict.text() == verdict,
            ANSWER_MS,
        )
        return answer.about.text()


def test_an_operator_calls_reads_errors_cancels_and_emits(
    redis_server: RedisServer, js_mesh: StartMesh, screen: Screen, qtbot: QtBot
) -> None:
    mesh = js_mesh(redis_server.url, namespace="acts", heartbeat_s=1.0)
    mesh.add("shop-1", ("orders", "payments", "users"))
    listener = mesh.add("shop-2", ("users", "mail"))
    mesh.start()
    screen.open(redis_server.url, may="act")
    assert screen.window.shell is not None
    screen.window.shell.desk.submit(AskOnce())
    hand = Hand(screen, qtbot)
    view = hand.view

    # what is written arrives, and what it set off is drawn
    hand.choose("v2ordget", "v2.orders.get")
    hand.write({"id": "no number"})
    assert not view.request.send.isEnabled()
    assert "id" in view.request.problem.text()
    hand.write({"id": 7})
    view.request.meta.set_text('{"user": {"id": 5}}')
    hand.send()
    assert "from shop-1" in hand.read("✓ ok")
    assert '"id": 7' in view.answer.raw.toPlainText()
    assert "User 7" in view.answer.raw.toPlainText()

    # an error of the service, with all that it told
    hand.choose("usersmissing", "users.missing")
    hand.write({"id": 9})
    view.request.node.setCurrentIndex(view.request.node.findData("shop-2"))
    hand.send()
    assert "from shop-2" in hand.read("▲ failed")
    assert view.answer.message.text().startswith("404 USER_NOT_FOUND · MoleculerClientError: No such user")
    assert "services.js" in view.answer.stack.toPlainText()

    # cancelled while it waits
    hand.choose("usersslow", "users.slow")
    hand.write({"ms": 20_000})
    hand.send()
    screen.wait_for(lambda: view.courier.sending is not None and view.courier.sending.number > 0)
    qtbot.keyClick(view.request.meta.edit, Qt.Key.Key_Escape)
    hand.read("✕ cancelled")

    # who will receive is known before it is sent
    qtbot.mouseClick(view.request.kind.buttons["emit"], Qt.MouseButton.LeftButton)
    view.request.event_box.edit.setFocus()
    qtbot.keyClicks(view.request.event_box.edit, "order.created")
    qtbot.keyClick(view.request.event_box.edit, Qt.Key.Key_Escape)
    screen.wait_for(lambda: "mail on shop-2" in view.request.who.text())
    hand.write({"id": 7})
    hand.send()
    hand.read("✓ ok")
    screen.wait_for(lambda: any(event.event == "order.created" for event in listener.events()))

    assert [row[0] for row in view.past.history.texts()] == [
        "emit order.created",
        "users.slow",
        "users.missing",
        "v2.orders.get",
    ]
    assert not view.findChildren(ConfirmDialog)
    outcomes = {
        entry.before.command: entry.after.outcome for entry in Audit().read().entries if entry.before and entry.after
    }
    assert outcomes["emit"] == "done"
    assert json.loads(view.answer.raw.toPlainText() or "null") is None
