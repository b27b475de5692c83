"""The window on a real bus: probe, timeline and views together."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from conftest import no_check
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from app import settings
from app.record_view import RecordView
from app.settings import Connection
from app.sittings import Sittings, opening
from app.views.registry import load_views
from app.window import Window
from broker.operate.commands import Record, StopRecording


class Bus:
    """A Redis of our own that a test may end and start again."""

    def __init__(self, folder: Path, password: str = "") -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"redis://127.0.0.1:{self.port}"
        self._folder, self._password = folder, password
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = shutil.which("redis-server")
        assert program is not None, "redis-server is not on PATH"
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder)]
        if self._password:
            options += ["--requirepass", self._password]
        self._process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
        until = time.monotonic() + 10
        while time.monotonic() < until:
            try:
                with redis.Redis(port=self.port, password=self._password or None) as client:
                    client.ping()
                    return
            except redis.ConnectionError:
                time.sleep(0.02)
        raise AssertionError("redis-server does not answer")

    def end(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def call(self, number: int, *, succeeds: bool = True) -> None:
        """One call from api-1 to users-1, answered."""
        request = {
            "ver": "5", "sender": "api-1", "id": f"c{number}", "action": "users.get", "params": {"id": number},
            "meta": {}, "timeout": 0, "level": 1, "requestID": f"c{number}", "caller": "api", "stream": False,
        }  # fmt: skip
        answer = {"ver": "5", "sender": "users-1", "id": f"c{number}", "success": succeeds, "data": {}, "stream": False}
        if not succeeds:
            answer["error"] = {"name": "MoleculerServerError", "code": 500, "type": "BROKEN", "message": "no"}
        with redis.Redis(port=self.port, password=self._password or None) as client:
            client.publish("MOL.REQ.users-1", json.dumps(request))
            client.publish("MOL.RES.api-1", json.dumps(answer))


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[Bus]:
    made = Bus(tmp_path)
    made.start()
    yield made
    made.end()


@pytest.fixture
def sittings(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sittings]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    made = Sittings()
    window = Window(settings.load(None), load_views(), no_check, opening(made))
    made.window = window
    window.show()
    yield made
    window.close()
    qtbot.waitUntil(lambda: not isValid(window), timeout=3000)


def actions(sittings: Sittings) -> dict[str, list[str]]:
    """What the Actions view shows, by action."""
    assert sittings.window is not None
    shell = sittings.window.shell
    if shell is None:
        return {}
    view = shell.area.widget("actions")
    assert isinstance(view, RecordView)
    return {row[0].lstrip("▲◷ "): row for row in view.table.texts()}


def open_on(sittings: Sittings, bus: Bus, qtbot: QtBot, password: str = "") -> None:
    """Open the window on the bus and wait until it listens."""
    window = sittings.window
    assert window is not None
    sittings.open_connection(Connection(bus.url, "test"), password)
    qtbot.waitUntil(lambda: window.shell is not None, timeout=5000)
    shell = window.shell
    assert shell is not None
    shell.desk.show_view("actions")
    qtbot.waitUntil(lambda: shell.desk.status is not None and shell.desk.status.state == "listening", timeout=15_000)


def test_calls_on_the_bus_are_counted_in_the_window_one_by_one(sittings: Sittings, bus: Bus, qtbot: QtBot) -> None:
    open_on(sittings, bus, qtbot)
    for number in range(40):
        bus.call(number, succeeds=number % 10 != 0)
    qtbot.waitUntil(lambda: "10.0 %" in actions(sittings).get("users.get", []), timeout=15_000)
    window = sittings.window
    assert window is not None
    assert window.shell is not None
    desk = window.shell.desk
    # a tenth of thirty fails as well as a tenth of forty
    qtbot.waitUntil(lambda: sum(block.count for block in desk.snapshot.call_blocks) == 40, timeout=15_000)
    side = window.shell.side
    qtbot.waitUntil(lambda: bool(side.recent.texts()), timeout=5000)
    window.shell.desk.select(side.recent._rows[0].subject)
    qtbot.waitUntil(lambda: side._facts is not None and side._facts.kind == "call", timeout=5000)
    side._show_body(0)
    qtbot.waitUntil(lambda: '"action": "users.get"' in side._body.toPlainText(), timeout=5000)


def test_a_server_that_goes_and_comes_back_is_told_and_listened_to_again(
    sittings: Sittings, bus: Bus, qtbot: QtBot
) -> None:
    open_on(sittings, bus, qtbot)
    window = sittings.window
    assert window is not None
    shell = window.shell
    assert shell is not None
    bus.call(1)
    bus.end()
    qtbot.waitUntil(lambda: "Nothing heard since" in shell.banner.text, timeout=15_000)
    bus.start()
    qtbot.waitUntil(lambda: shell.banner.text == "", timeout=20_000)
    bus.call(2)
    qtbot.waitUntil(lambda: shell.facts is not None and shell.facts.calls_held == 2, timeout=10_000)
    assert shell.facts is not None
    assert shell.facts.strip.gaps


def test_a_wrong_password_is_said_on_the_start_page(sittings: Sittings, tmp_path: Path, qtbot: QtBot) -> None:
    bus = Bus(tmp_path, password="right")
    bus.start()
    try:
        sittings.open_connection(Connection(bus.url, "test"), "wrong")
        window = sittings.window
        assert window is not None
        qtbot.waitUntil(lambda: "password" in window.start.banner.text.lower(), timeout=15_000)
        assert window.shell is None
        assert "wrong" not in window.start.banner.text.replace("wrong password", "").replace("is wrong", "")
    finally:
        bus.end()


def test_a_capture_that_is_gone_is_told(sittings: Sittings, qtbot: QtBot) -> None:
    window = sittings.window
    assert window is not None
    window._open_file("/nowhere/checkout.mcap")
    gone = "/nowhere/checkout.mcap is not there any more."
    qtbot.waitUntil(lambda: gone in window.start.banner.text, timeout=5000)


def test_what_is_recorded_opens_as_a_capture_with_the_same_calls(
    sittings: Sittings, bus: Bus, tmp_path: Path, qtbot: QtBot
) -> None:
    open_on(sittings, bus, qtbot)
    window = sittings.window
    assert window is not None
    shell = window.shell
    assert shell is not None
    path = tmp_path / "kept.mcap"
    shell.desk.submit(Record(str(path)))
    qtbot.waitUntil(lambda: bool(shell.desk.status and shell.desk.status.recording), timeout=10_000)
    for number in range(7):
        bus.call(number)
    qtbot.waitUntil(lambda: shell.facts is not None and shell.facts.calls_held == 7, timeout=10_000)
    shell.desk.submit(StopRecording())
    qtbot.waitUntil(lambda: bool(shell.desk.status and not shell.desk.status.recording), timeout=10_000)
    sittings.open_file(str(path))
    qtbot.waitUntil(lambda: window.shell is not shell, timeout=5000)
    opened = window.shell
    assert opened is not None
    qtbot.waitUntil(lambda: opened.facts is not None and opened.facts.calls_held == 7, timeout=15_000)
    assert opened.bar.live.text().startswith("end of file")
    assert "read: " in opened.status.text
