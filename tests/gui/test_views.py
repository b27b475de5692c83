"""Every view, one test: opened empty, filled, in both themes, closed, nothing left alive."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fake_mesh import FakeMesh
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from app import theme
from app.desk import Desk
from app.record_view import RecordView
from app.views.registry import VIEWS, View, load_views
from app.widgets.empty_state import EmptyState
from broker.mesh.subject import Subject
from broker.mesh.timeline import Timeline

Show = Callable[[QWidget], QWidget]
load_views()


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_view_opens_empty_fills_and_closes_in_both_themes(
    view: View, desk: Desk, timeline: Timeline, qtbot: QtBot
) -> None:
    widget = view.build(desk)
    widget.resize(1100, 700)
    widget.show()
    qtbot.waitExposed(widget)
    widget.grab()
    FakeMesh().fill(timeline, 20)
    for choice in ("light", "dark"):
        theme.use(choice)
        desk.theme_changed.emit()
        desk.cursor_changed.emit()
        qtbot.waitUntil(lambda: desk._worker.is_idle, timeout=5000)
        qtbot.wait(20)
        assert not widget.grab().isNull()
    timers = widget.findChildren(QTimer)
    widget.close()
    widget.deleteLater()
    qtbot.waitUntil(lambda: not isValid(widget), timeout=2000)
    assert [timer for timer in timers if isValid(timer)] == []


def rows(widget: RecordView) -> dict[str, list[str]]:
    """What a table shows, by its first column."""
    return {row[0].lstrip("▲◷ "): row for row in widget.table.texts()}


def open_filled(view_id: str, desk: Desk, timeline: Timeline, shown: Show, qtbot: QtBot) -> RecordView:
    FakeMesh().fill(timeline, 240)
    widget = shown(VIEWS[view_id].build(desk))
    assert isinstance(widget, RecordView)
    qtbot.waitUntil(lambda: bool(widget.table.texts()), timeout=5000)
    return widget


def test_nodes_are_shown_with_client_protocol_and_state(
    desk: Desk, timeline: Timeline, shown: Show, qtbot: QtBot
) -> None:
    shop = rows(open_filled("nodes", desk, timeline, shown, qtbot))
    assert {"nodejs 0.15.2", "5", "● online"} <= set(shop["pay-1"])
    assert {"nodejs 0.14.36", "4"} <= set(shop["users-1"])
    assert "▲ offline" in shop["pay-2"]
    assert "? supposed" in shop["edge-admin"]


def test_services_show_how_many_instances_are_left(desk: Desk, timeline: Timeline, shown: Show, qtbot: QtBot) -> None:
    shop = rows(open_filled("services", desk, timeline, shown, qtbot))
    assert "1, 1 offline" in shop["payments"]
    assert "3" in shop["v2.orders"]


def test_actions_show_parameters_and_caching(desk: Desk, timeline: Timeline, shown: Show, qtbot: QtBot) -> None:
    shop = rows(open_filled("actions", desk, timeline, shown, qtbot))
    assert "id: number" in shop["v2.orders.get"]
    assert any("id" in cell and "30" in cell for cell in shop["v2.orders.get"])
    assert "user: uuid, lines: array, note?: string" in shop["v2.orders.create"]


def test_events_show_groups_and_who_listens(desk: Desk, timeline: Timeline, shown: Show, qtbot: QtBot) -> None:
    shop = rows(open_filled("events", desk, timeline, shown, qtbot))
    assert {"mail, reports", "shop-1"} <= set(shop["order.created"])


def test_what_vanished_is_told_with_its_moment(desk: Desk, timeline: Timeline, shown: Show, qtbot: QtBot) -> None:
    view = open_filled("nodes", desk, timeline, shown, qtbot)
    told = [row for row in view.comings.texts() if row[1] == "pay-2"]
    assert [row[2] for row in told if row[2] == "vanished"] == ["vanished"]


def test_selecting_a_row_selects_its_subject_and_back(
    desk: Desk, timeline: Timeline, shown: Show, qtbot: QtBot
) -> None:
    view = open_filled("nodes", desk, timeline, shown, qtbot)
    view.table.selectRow(0)
    assert desk.selection == Subject("node", "prod", view.table.texts()[0][0])
    desk.select(Subject("node", "prod", "pay-1"))
    assert view.table.texts()[view.table.currentIndex().row()][0] == "pay-1"


def test_a_filter_that_leaves_nothing_says_so_and_offers_to_be_removed(
    desk: Desk, timeline: Timeline, shown: Show, qtbot: QtBot
) -> None:
    from broker.mesh.filter import parse

    view = open_filled("services", desk, timeline, shown, qtbot)
    desk.set_filter(parse("service = nowhere"))
    qtbot.waitUntil(lambda: not view.table.texts(), timeout=5000)
    empty = view.findChild(EmptyState)
    assert empty is not None
    assert "service = nowhere" in empty.text
    empty._act.click()
    qtbot.waitUntil(lambda: bool(view.table.texts()), timeout=5000)


def test_an_empty_table_says_why_and_what_to_do(desk: Desk, timeline: Timeline, shown: Show, qtbot: QtBot) -> None:
    from broker.observe.journal import Batch, StateChange

    timeline.take(Batch(through_ns=10**18, changes=[StateChange("session", "", "", 10**18, {}, "source")]))
    timeline.take(Batch(through_ns=10**18 + 30 * 10**9))
    view = shown(VIEWS["services"].build(desk))
    assert isinstance(view, RecordView)
    qtbot.waitUntil(lambda: "No services seen in 30 s" in view.empty.text, timeout=5000)
    assert "inside one node" in view.empty.text
