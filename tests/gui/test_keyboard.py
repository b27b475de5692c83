"""The window with the keyboard alone: where Tab leads, and that nothing steals the focus."""

from __future__ import annotations

from typing import ClassVar

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.record_view import RecordView
from app.shell import Shell
from tests.gui.test_shell import settle


def test_no_view_flashes_a_window_of_its_own_when_it_is_built(shell: Shell, qtbot: QtBot) -> None:
    class Watch(QObject):
        seen: ClassVar[list[str]] = []

        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
                self.seen.append(f"{type(watched).__name__} {watched.accessibleName()}")
            return False

    settle(shell, qtbot)
    app = QApplication.instance()
    assert app is not None
    watch = Watch()
    app.installEventFilter(watch)
    for view in shell.rail.buttons:
        shell.desk.show_view(view)
    app.removeEventFilter(watch)
    assert watch.seen == []


def test_tab_leads_from_the_filter_into_the_view_and_from_there_to_the_side_and_the_timeline(
    shell: Shell, qtbot: QtBot
) -> None:
    settle(shell, qtbot)
    shell.window().activateWindow()
    for view_id in ("nodes", "latency", "overview"):
        shell.desk.show_view(view_id)
        qtbot.waitUntil(lambda: bool(shell.side.table.texts()), timeout=5000)
        view = shell.area.widget(view_id)
        shell.filter_bar.last.setFocus()
        stops: list[str] = []
        for _ in range(60):
            qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
            here = QApplication.focusWidget()
            place = "view" if view.isAncestorOf(here) else "side" if shell.side.isAncestorOf(here) else ""
            place = "strip" if here is shell.strip else place
            if place and (not stops or stops[-1] != place):
                stops.append(place)
            if here is shell.strip:
                break
        assert stops == ["view", "side", "strip"]


def test_the_menu_opens_and_says_what_can_be_done_now(shell: Shell, qtbot: QtBot) -> None:
    settle(shell, qtbot)
    menu = shell.bar.menu.menu()
    menu.popup(shell.mapToGlobal(shell.rect().center()))
    texts = {action.objectName(): action for action in menu.actions()}
    assert texts["record"].text().startswith("Record to a file")
    assert texts["record"].isEnabled()
    assert not texts["ask"].isEnabled()
    menu.close()


def test_a_filter_that_leaves_nothing_selects_nothing(shell: Shell, qtbot: QtBot) -> None:
    settle(shell, qtbot)
    shell.window().activateWindow()
    shell.desk.show_view("nodes")
    view = shell.area.widget("nodes")
    assert isinstance(view, RecordView)
    qtbot.waitUntil(lambda: view.table.records.rowCount() > 0, timeout=5000)
    view.table.setFocus()
    shell.filter_bar.set_text("service = nobody")
    qtbot.waitUntil(lambda: view.table.records.rowCount() == 0, timeout=5000)
    assert shell.desk.selection is None


def test_a_narrow_window_gives_its_room_to_the_view_and_ctrl_b_brings_the_side_panel(
    shell: Shell, qtbot: QtBot
) -> None:
    settle(shell, qtbot)
    window = shell.window()
    assert shell.side.isVisible()
    window.resize(960, 600)
    qtbot.waitUntil(lambda: not shell.side.isVisible())
    shell.toggle_side()
    assert shell.side.isVisible()
    window.resize(1280, 800)
    qtbot.waitUntil(lambda: shell.width() > 1200)
    assert shell.side.isVisible()
    assert shell.settings.side_open
