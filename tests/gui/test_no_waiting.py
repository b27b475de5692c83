"""The GUI thread touches no file, whatever a user does; what was asked for is on the disk all the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from conftest import no_check
from disk_watch import disk_watch
from fake_mesh import FakeMesh
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from app import settings
from app.caller.name_dialog import NameDialog
from app.profile_keeper import ProfileKeeper
from app.settings_page import SettingsPage
from app.shell import Shell
from app.sittings import Sittings, opening
from app.views.audit import AuditView
from app.views.caller import CallerView
from app.views.graph import GraphView
from app.views.overview import OverviewView
from app.views.registry import VIEWS, load_views
from app.window import Window
from broker.clock import SECOND, SystemClock
from broker.operate.audit import Audit
from broker.operate.calling.request import Request
from broker.operate.profiles import Profile, ProfileStore
from tests.e2e.redis_server import RedisServer

LEFT = Qt.MouseButton.LeftButton
SOON_MS = 15_000


class Desktop(NamedTuple):
    """A window as the program builds it, and where it keeps things."""

    window: Window
    sittings: Sittings
    folder: Path


@pytest.fixture
def desktop(
    shared_redis: RedisServer, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desktop]:
    for name in ("CACHE", "STATE", "CONFIG", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    folder = tmp_path / "kept"
    folder.mkdir()
    store = ProfileStore(folder / "profiles.json")
    store.save(Profile("shop", shared_redis.url, may="act", variables={"order": "1"}))
    kept = settings.load(folder / "window.json")
    keeper = ProfileKeeper(store, kept.path)
    sittings = Sittings(None, keeper, Audit(folder / "audit.jsonl"))
    window = Window(kept, load_views(), no_check, opening(sittings), keeper)
    sittings.window = window
    window.show()
    yield Desktop(window, sittings, folder)
    if isValid(window):
        window.close()
        qtbot.waitUntil(lambda: not isValid(window), timeout=5000)


def open_shop(desktop: Desktop, qtbot: QtBot) -> Shell:
    """Click the profile on the start page."""
    window = desktop.window
    row = next(each for each in window.start.findChildren(QPushButton) if "shop" in each.accessibleName())
    qtbot.mouseClick(row, LEFT)
    qtbot.waitUntil(lambda: window.shell is not None, timeout=SOON_MS)
    shell = window.shell
    assert shell is not None
    desk = shell.desk
    qtbot.waitUntil(lambda: desk.status is not None and desk.status.state == "listening", timeout=SOON_MS)
    FakeMesh(begin_ns=SystemClock().now_ns() - 240 * SECOND).fill(desk.timeline, 240)
    return shell


def look_at_everything(desktop: Desktop, shell: Shell, qtbot: QtBot) -> None:
    for view in VIEWS:
        qtbot.mouseClick(shell.rail.buttons[view], LEFT)
    desktop.window.show_settings()
    page = desktop.window.findChild(SettingsPage)
    page.theme.setCurrentIndex(page.theme.findData("light"))
    page.utc.click()
    page.masks.own.setPlainText("iban")
    qtbot.keyClick(page, Qt.Key.Key_Escape)
    shell.toggle_side()
    shell._save_filter("outcome = failed")


def use_overview_and_graph(desktop: Desktop, shell: Shell, qtbot: QtBot) -> None:
    overview, graph = shell.area.widget("overview"), shell.area.widget("graph")
    assert isinstance(overview, OverviewView)
    assert isinstance(graph, GraphView)
    shell.desk.show_view("overview")
    concerns = overview.wrong
    qtbot.waitUntil(lambda: concerns.table.records.rowCount() > 0, timeout=SOON_MS)
    concerns.mute(concerns.table.records.record(0), 600)
    shell.desk.show_view("graph")
    scene = graph.canvas.scene
    qtbot.waitUntil(lambda: bool(scene.cards) and scene.cards.keys() <= scene.at.keys(), timeout=SOON_MS)
    graph.toggle(next(iter(scene.cards)))
    graph._arranger.move(next(iter(scene.cards)), (5.0, 5.0))
    for kind in ("svg", "png", "json", "dot"):
        path = desktop.folder / f"graph.{kind}"
        graph.export_to(path)
        qtbot.waitUntil(lambda path=path: graph._hint_line.text == f"Written to {path}", timeout=SOON_MS)


def use_caller(desktop: Desktop, shell: Shell, qtbot: QtBot) -> None:
    caller = shell.area.widget("caller")
    assert isinstance(caller, CallerView)
    shell.desk.show_view("caller")
    qtbot.waitUntil(lambda: caller.has_heard, timeout=SOON_MS)
    caller.request.show_request(Request("call", "users.get", "prod", params='{"id": {{order}}}', timeout_ms=200))
    upload, answer = desktop.folder / "up.bin", desktop.folder / "down.bin"
    for path in (None, upload):
        caller.request.files.choose(upload=path, download=answer if path else None)
        qtbot.mouseClick(caller.request.anyway if caller.request.anyway.isVisible() else caller.request.send, LEFT)
        qtbot.waitUntil(lambda: not caller.courier.is_busy, timeout=SOON_MS)
    for name in ("by id", "on-call/by id"):
        caller.shelf.save_as() if name == "by id" else caller.shelf.rename("by id")
        naming = next(each for each in caller.findChildren(NameDialog) if each.isVisible())
        naming.edit.selectAll()
        qtbot.keyClicks(naming.edit, name)
        qtbot.keyClick(naming.edit, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda name=name: caller.past.current_name == name, timeout=SOON_MS)
    caller.shelf.take_in([desktop.folder / "kept" / "none.json"])
    qtbot.mouseClick(caller.shelf.delete("on-call/by id").act, LEFT)
    qtbot.waitUntil(lambda: not caller.past.saved_texts(), timeout=SOON_MS)
    variables = caller.open_variables()
    qtbot.keyClicks(variables.name, "page")
    qtbot.keyClicks(variables.value, "2")
    qtbot.mouseClick(variables.add, LEFT)
    variables.close()
    caller.shelf.use_folder(desktop.folder / "in git")


def use_audit_and_a_capture(desktop: Desktop, shell: Shell, qtbot: QtBot) -> None:
    view = shell.area.widget("audit")
    assert isinstance(view, AuditView)
    shell.desk.show_view("audit")
    qtbot.waitUntil(lambda: bool(view.table.texts()), timeout=SOON_MS)
    view.export_to(desktop.folder / "acts.csv")
    qtbot.waitUntil(lambda: "written to" in view._note.text(), timeout=SOON_MS)
    said = desktop.window.start.banner
    desktop.window._open_file(str(desktop.folder / "gone.mcap"))
    qtbot.waitUntil(lambda: "is not there any more" in said.text, timeout=SOON_MS)


def test_a_user_may_do_everything_and_the_gui_thread_touches_no_file(
    desktop: Desktop, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    with disk_watch(monkeypatch) as watch:
        shell = open_shop(desktop, qtbot)
        look_at_everything(desktop, shell, qtbot)
        use_overview_and_graph(desktop, shell, qtbot)
        use_caller(desktop, shell, qtbot)
        use_audit_and_a_capture(desktop, shell, qtbot)
        desktop.window.leave()
        desktop.window.close()
        qtbot.waitUntil(lambda: not isValid(desktop.window), timeout=SOON_MS)
    assert watch.seen == []
    expected = {"audit.jsonl", "acts.csv", "graph.png", "00000001.jsonl", "by id.json", "up.bin", "profiles.json"}
    assert expected <= watch.elsewhere, "the watch would notice"


def test_what_was_just_done_is_on_the_disk_though_the_window_was_closed_at_once(desktop: Desktop, qtbot: QtBot) -> None:
    shell = open_shop(desktop, qtbot)
    caller = shell.area.widget("caller")
    assert isinstance(caller, CallerView)
    shell.desk.show_view("caller")
    qtbot.waitUntil(lambda: caller.has_heard, timeout=SOON_MS)
    disk = desktop.window.settings.disk
    caller.request.show_request(Request("call", "users.get", "prod", params='{"id": 1}', timeout_ms=20_000))
    qtbot.mouseClick(caller.request.anyway if caller.request.anyway.isVisible() else caller.request.send, LEFT)
    audit = desktop.folder / "audit.jsonl"
    qtbot.waitUntil(lambda: audit.exists() and "users.get" in audit.read_text(), timeout=SOON_MS)
    desktop.window.use_theme("light")
    desktop.window.close()
    assert disk.finish()
    kept = (desktop.folder / "calls" / "00000001.jsonl").read_text()
    lines = [json.loads(line) for line in kept.splitlines()]
    assert [line["request"]["name"] for line in lines] == ["users.get"]
    assert lines[0]["outcome"] in ("unknown", "failed")  # nobody offers it: the answer may have been the quicker one
    assert settings.load(desktop.folder / "window.json").theme == "light"


def test_what_cannot_be_kept_is_said_once(desktop: Desktop, qtbot: QtBot) -> None:
    window, report = desktop.window, desktop.window.start.banner
    path = desktop.folder / "window.json"
    path.mkdir()  # a file cannot take its place, whoever asks
    window.use_theme("light")
    problem = f"Preferences of the window cannot be kept in {path}: Is a directory."
    qtbot.waitUntil(lambda: problem in report.text, timeout=SOON_MS)
    assert "tried again with the next change" in report.text
    report.all_well()
    window.use_theme("dark")
    assert window.settings.disk.finish()
    qtbot.wait(50)
    assert report.text == ""
    path.rmdir()
    window.use_theme("light")
    assert window.settings.disk.finish()
    assert settings.load(path).theme == "light"
