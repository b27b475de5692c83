"""The overview as its users act on it: lines are muted and shown again, waiting calls are listed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fake_mesh import FakeMesh
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QWidget
from pytestqt.qtbot import QtBot

from app.desk import Desk
from app.mutes import Mutes
from app.views.overview import OverviewView
from broker.clock import SECOND
from broker.mesh.subject import Subject
from broker.mesh.timeline import Timeline
from broker.observe.journal import Batch, OpenCall

Show = Callable[[QWidget], QWidget]
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def overview(desk: Desk, mesh: FakeMesh, shown: Show, qtbot: QtBot) -> OverviewView:  # noqa: ARG001
    view = OverviewView(desk)
    shown(view)
    qtbot.waitUntil(lambda: view.concerns.records.rowCount() > 2, timeout=5000)
    return view


def titles(view: OverviewView) -> list[str]:
    return [row[1] for row in view.concerns.texts()]


def pick(menu: QMenu, text: str) -> None:
    next(action for action in menu.actions() if action.text().startswith(text)).trigger()


def test_a_line_is_muted_from_its_menu_counted_listed_and_shown_again(overview: OverviewView, qtbot: QtBot) -> None:
    panel = overview.wrong
    before = titles(overview)
    first = panel.table.records.record(0)
    assert not panel.toggle.isVisible()
    pick(panel.menu_for(first), "Mute for 1 hour")
    assert titles(overview) == before[1:]
    assert panel.toggle.text() == "1 muted"
    assert not panel.muted.isVisible()
    qtbot.mouseClick(panel.toggle, LEFT)
    assert panel.muted.isVisible()
    assert panel.muted.texts()[0][:2] == [before[0], "still so"]
    panel.muted.selectRow(0)
    qtbot.mouseClick(panel._one, LEFT)
    assert titles(overview) == before
    assert not panel.toggle.isVisible()
    assert not panel.muted.isVisible()


def test_a_line_is_taken_note_of_with_the_keyboard(overview: OverviewView, qtbot: QtBot) -> None:
    panel = overview.wrong
    before = titles(overview)
    panel.table.setFocus()
    panel.table.selectRow(1)
    qtbot.keyClick(panel.table, Qt.Key.Key_M)
    menu = panel.findChild(QMenu)
    assert menu is not None
    pick(menu, "Acknowledge")
    menu.close()
    assert titles(overview) == [before[0], *before[2:]]
    panel.toggle.click()
    assert panel.muted.texts()[0][-1] == "it is over or worse"


def test_when_all_is_muted_nothing_else_is_wrong_and_it_is_said_how_much_is_muted(overview: OverviewView) -> None:
    panel = overview.wrong
    count = panel.table.records.rowCount()
    for _ in range(count):
        panel.mute(panel.table.records.record(0), 900)
    assert panel.empty.isVisible()
    assert "Nothing else is wrong" in panel.empty.text
    assert f"{count} muted" in panel.empty.text
    panel._all.click()
    assert panel.table.records.rowCount() == count


def test_what_is_muted_on_one_connection_is_not_on_another(overview: OverviewView, desk: Desk) -> None:
    overview.wrong.mute(overview.wrong.table.records.record(0), 900)
    desk.mutes = Mutes()
    overview._split()
    assert not overview.wrong.toggle.isVisible()


def test_waiting_calls_are_listed_oldest_first_and_lead_to_their_action(
    overview: OverviewView, desk: Desk, timeline: Timeline, mesh: FakeMesh, qtbot: QtBot
) -> None:
    lately = overview.lately
    before = lately.waiting.records.rowCount()
    now_ns = mesh.through_ns
    first = timeline.snapshot().call_blocks[0]
    names = [int(first.column(name)[0]) for name in ("action", "caller", "source", "target")]
    waiting = [OpenCall(10 + age, now_ns - age * SECOND, 0, *names, 7) for age in (4, 300, 11)]
    timeline.take(Batch(through_ns=now_ns + 1, waiting=waiting))
    qtbot.mouseClick(lately._pick_waiting, LEFT)
    qtbot.waitUntil(lambda: lately.waiting.records.rowCount() == before + 3, timeout=5000)
    assert lately._pick_waiting.text() == f"Calls waiting · {before + 3}"
    waited = [lately.waiting.records.record(row).waited_ms for row in range(before + 3)]
    assert waited == sorted(waited, reverse=True)
    assert lately.waiting.texts()[0][1] == "5 min 00 s"
    lately.waiting.selectRow(0)
    assert desk.selection is not None
    assert desk.selection.kind == "action"
    led: list[tuple[str, Subject | None]] = []
    desk.view_wanted.connect(lambda view: led.append((view, desk.selection)))
    qtbot.keyClick(lately.waiting, Qt.Key.Key_Return)
    assert led == [("latency", desk.selection)]


def test_both_lists_stand_beside_each_other_in_a_wide_window(overview: OverviewView) -> None:
    assert not overview.lately._waiting_panel.isVisible()
    overview.resize(1900, 900)
    assert overview.lately._waiting_panel.isVisible()
    assert overview.lately._came_panel.isVisible()
    assert not overview.lately._picks.isVisible()
