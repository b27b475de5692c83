"""A locked profile, on a real bus: whatever a user does, every acting control says why, and nothing of us is sent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QFileDialog, QMenu
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from app import settings
from app.permits import NEEDS
from app.profile_keeper import ProfileKeeper
from app.settings import Connection
from app.shell import Shell
from app.sittings import Sittings, opening
from app.views.registry import load_views
from app.wanted import Wanted
from app.widgets.confirm import ConfirmDialog
from app.window import Window
from broker.operate.audit import Audit
from broker.operate.commands import Command
from broker.operate.profiles import Profile, ProfileStore
from tests.e2e.redis_server import RedisServer
from tests.gui.conftest import no_check
from tests.gui.fake_mesh import FakeMesh

LEAVES = ("Close this session", "Full screen", "Dark theme", "Light theme", "Theme of the system")
"""Would end the walk, or only make it long: all views are styled anew."""
OURS = "meshscope-test"


class BusWatch:
    """Everything that a server is told, by whom: MONITOR on a connection of its own."""

    def __init__(self, server: RedisServer) -> None:
        self.told: list[str] = []
        self._client = redis.Redis(port=server.port)
        self._monitor = self._client.monitor()
        self._monitor.__enter__()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        try:
            for line in self._monitor.listen():
                self.told.append(str(line["command"]))
        except (redis.ConnectionError, ValueError, OSError):
            return  # closed

    def close(self) -> None:
        self._monitor.connection.disconnect()
        self._thread.join(5.0)
        self._client.close()


@pytest.fixture
def watch(shared_redis: RedisServer) -> Iterator[BusWatch]:
    made = BusWatch(shared_redis)
    yield made
    made.close()


@pytest.fixture
def locked(
    shared_redis: RedisServer, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Sittings]:
    """A window on a production profile of the server, opened with all that a URL can ask for."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for ask in ("getSaveFileName", "getOpenFileName", "getOpenFileNames"):
        monkeypatch.setattr(QFileDialog, ask, lambda *_args, **_more: ("", ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_args, **_more: "")
    url = f"redis://127.0.0.1:{shared_redis.port}"
    store = ProfileStore(tmp_path / "profiles.json")
    store.save(Profile("till", url, is_production=True))
    keeper = ProfileKeeper(store)
    made = Sittings(None, keeper, Audit(tmp_path / "audit.jsonl"))
    window = Window(settings.load(None), load_views(), no_check, opening(made), keeper)
    made.window = window
    window.show()
    made.open_live(Wanted(Connection(url, may="act", announce=True)))
    qtbot.waitUntil(lambda: window.shell is not None, timeout=5000)
    assert window.shell is not None
    desk = window.shell.desk
    qtbot.waitUntil(lambda: desk.status is not None and desk.status.state == "listening", timeout=15_000)
    FakeMesh().fill(desk.timeline, 20)
    yield made
    window.close()
    qtbot.waitUntil(lambda: not isValid(window), timeout=5000)


def shell_of(sittings: Sittings) -> Shell:
    assert sittings.window is not None
    assert sittings.window.shell is not None
    return sittings.window.shell


def close_all(shell: Shell) -> None:
    """Whatever was opened by a click is left without a yes."""
    for dialog in shell.window().findChildren(QDialog):
        if dialog.isVisible():
            dialog.reject()
    popup = QApplication.activePopupWidget()
    while popup is not None:
        popup.close()
        popup = QApplication.activePopupWidget()


def acting(shell: Shell) -> list[QAbstractButton | QAction]:
    """Every control of the window that takes more than seeing."""
    window = shell.window()
    found = [*window.findChildren(QAbstractButton), *window.findChildren(QAction)]
    return [each for each in found if each.property(NEEDS) not in (None, "see")]


def settle(shell: Shell, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: shell.desk._worker.is_idle, timeout=10_000)
    qtbot.wait(20)


def test_every_acting_control_is_disabled_and_says_why_and_the_bus_hears_nothing_of_us(
    locked: Sittings, watch: BusWatch, qtbot: QtBot, tmp_path: Path
) -> None:
    shell = shell_of(locked)
    asked: list[Command] = []
    run = shell.desk.run_command
    assert run is not None

    def note(command: Command, *more: object) -> int:
        asked.append(command)
        return run(command, *more)  # type: ignore[arg-type]

    shell.desk.run_command = note
    assert shell.bar.profile.text() == "till · locked"
    named: set[str] = set()
    for view in load_views():
        shell.desk.show_view(view.id)
        settle(shell, qtbot)
        shell.window()._name_recording()  # type: ignore[attr-defined]  as when the menu opens
        for control in acting(shell):
            name = control.text() or (control.accessibleName() if isinstance(control, QAbstractButton) else "")
            named.add(name.partition("\t")[0].strip())
            assert not control.isEnabled(), f"{name} in {view.id}"
            assert "locked" in control.toolTip(), f"{name} in {view.id} says '{control.toolTip()}'"
        widget = shell.area.widget(view.id)
        for button in [each for each in widget.findChildren(QAbstractButton) if each.isEnabled() and each.isVisible()]:
            if isValid(button) and button.isEnabled():
                button.click()
                close_all(shell)
        for menu in [each for each in widget.findChildren(QMenu) if isValid(each)]:
            for action in [each for each in menu.actions() if each.isEnabled()] if isValid(menu) else ():
                if isValid(action):
                    action.trigger()
                    close_all(shell)
    assert {"Call", "Bench…", "Trip…", "Hold open…", "Reset…"} <= named, named
    shell.open_palette()
    settle(shell, qtbot)
    entries = list(shell.palette_box._entries)
    shell.palette_box.hide()
    ask = next(entry for entry in entries if entry.text == "Ask once")
    assert "locked" in ask.why
    led: set[str] = set()
    for entry in entries:
        # of things of the mesh one of each kind: they lead to a view, and all in the same way
        is_thing = " in prod" in entry.note
        if is_thing and entry.note in led:
            continue
        led.add(entry.note)
        if entry.text not in LEAVES and not entry.why:
            entry.run()
            close_all(shell)
    shell.window().ask_once()  # type: ignore[attr-defined]  as from a key
    assert "locked" in shell.report.text
    close_all(shell)
    settle(shell, qtbot)
    assert [command for command in asked if command.needs != "see"] == []
    assert Audit(tmp_path / "audit.jsonl").read().entries == ()
    heard = [line for line in watch.told if line.split(" ", 1)[0].strip('"').upper() in ("PUBLISH", "SPUBLISH", "SET")]
    assert heard == []
    assert shell.desk.status is not None
    assert (shell.desk.status.may_now, shell.desk.status.is_announced) == ("see", False)


def test_unlocking_in_the_window_opens_a_second_connection_and_locking_closes_it_each_with_two_lines(
    locked: Sittings, shared_redis: RedisServer, qtbot: QtBot, tmp_path: Path
) -> None:
    shell = shell_of(locked)
    client = redis.Redis(port=shared_redis.port)

    def connections() -> int:
        return len(client.client_list())

    before = connections()
    shell.bar.profile.click()
    dialog = shell.findChild(ConfirmDialog)
    assert dialog is not None
    dialog.name.setText("till")
    dialog.act.click()
    qtbot.waitUntil(lambda: " · unlocked " in shell.bar.profile.text(), timeout=10_000)
    qtbot.waitUntil(lambda: connections() > before, timeout=10_000)
    assert shell.bar.mode.text() == "may call and emit"
    audit = Audit(tmp_path / "audit.jsonl")
    qtbot.waitUntil(lambda: [each.outcome for each in audit.read().entries] == ["done"], timeout=10_000)
    shell.bar.profile.click()
    qtbot.waitUntil(lambda: shell.bar.profile.text() == "till · locked", timeout=10_000)
    qtbot.waitUntil(lambda: connections() == before, timeout=10_000)
    qtbot.waitUntil(lambda: [each.outcome for each in audit.read().entries] == ["done", "done"], timeout=10_000)
    acts = [each.before for each in audit.read().entries]
    assert [(act.command, act.profile, act.confirm) for act in acts if act] == [
        ("lock", "till", "none"),
        ("unlock", "till", "type"),
    ]
    client.close()
