"""Tables stay as their user set them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QHeaderView
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from app import settings
from app.desk import Desk
from app.place import Place
from app.record_view import RecordView
from app.views.registry import load_views
from app.widgets.table import RecordTable
from app.window import Opener, Window
from broker.mesh.timeline import Timeline
from tests.gui.conftest import no_check

Opened = tuple[Window, RecordTable]


@pytest.fixture
def open_nodes(tmp_path: Path, qtbot: QtBot) -> Callable[[], Opened]:
    """Opens a window anew with the preferences that the one before left; its table of nodes."""

    def open_it() -> Opened:
        window = Window(settings.load(tmp_path / "window.json"), load_views(), no_check, Opener())
        window.show()
        desk = Desk(Timeline())
        shell = window.show_session(desk, Place("shop", "", "ghost", "redis://h"), desk.close)
        shell.desk.show_view("nodes")
        view = shell.area.widget("nodes")
        assert isinstance(view, RecordView)
        qtbot.waitUntil(lambda: desk.is_idle)  # that there is no node is said before its place is taken by the table
        view._stack.setCurrentWidget(view.table)
        qtbot.waitExposed(window)
        return window, view.table

    return open_it


def close(window: Window, qtbot: QtBot) -> None:
    window.close()
    qtbot.waitUntil(lambda: not isValid(window), timeout=3000)


def number(table: RecordTable, title: str) -> int:
    return [column.title for column in table.records.columns].index(title)


def drag(header: QHeaderView, qtbot: QtBot, begin: QPoint, by: int) -> None:
    """As a mouse does it."""
    surface = header.viewport()
    qtbot.mouseMove(surface, begin)
    qtbot.mousePress(surface, Qt.MouseButton.LeftButton, pos=begin)
    for step in range(1, 11):
        qtbot.mouseMove(surface, begin + QPoint(by * step // 10, 0))
    qtbot.mouseRelease(surface, Qt.MouseButton.LeftButton, pos=begin + QPoint(by, 0))


def test_a_width_an_order_a_hidden_column_and_the_sorting_are_there_next_time(
    open_nodes: Callable[[], Opened], qtbot: QtBot, tmp_path: Path
) -> None:
    window, table = open_nodes()
    header = table.horizontalHeader()
    node, state, cpu = number(table, "node"), number(table, "state"), number(table, "CPU")
    edge = header.sectionViewportPosition(node) + header.sectionSize(node) - 1
    drag(header, qtbot, QPoint(edge, 8), 70)
    width = header.sectionSize(node)
    assert width > 180
    middle = header.sectionViewportPosition(state) + 20
    drag(header, qtbot, QPoint(middle, 8), 200)
    assert header.visualIndex(state) > header.visualIndex(cpu)
    qtbot.mouseClick(
        header.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(header.sectionViewportPosition(cpu) + 20, 8)
    )
    menu = table.columns.menu()
    next(action for action in menu.actions() if action.text() == "host").trigger()
    order = [header.logicalIndex(place) for place in range(header.count())]
    close(window, qtbot)

    window, table = open_nodes()
    header = table.horizontalHeader()
    assert header.sectionSize(node) == width
    assert [header.logicalIndex(place) for place in range(header.count())] == order
    assert (table.order[0].title, table.order[1]) == ("CPU", True)
    assert header.sortIndicatorSection() == cpu
    assert table.isColumnHidden(number(table, "host"))
    next(action for action in table.columns.menu().actions() if action.text() == "All as at first").trigger()
    close(window, qtbot)

    window, table = open_nodes()
    assert table.columnWidth(node) == table.records.columns[node].width
    assert not table.isColumnHidden(number(table, "host"))
    kept = json.loads((tmp_path / "window.json").read_text())["tables"]
    assert kept == {"nodes: Nodes": {"sorted_by": "CPU", "descending": True}}
    close(window, qtbot)


def test_a_column_that_its_user_hid_stays_hidden_when_the_view_finds_room(
    open_nodes: Callable[[], Opened], qtbot: QtBot
) -> None:
    window, table = open_nodes()
    table.columns.choose(number(table, "namespace"), is_shown=False)
    table.columns.show("namespace", is_shown=False)
    table.columns.show("namespace", is_shown=True)
    assert table.isColumnHidden(number(table, "namespace"))
    close(window, qtbot)


def test_what_was_kept_and_makes_no_sense_is_left_out(open_nodes: Callable[[], Opened], qtbot: QtBot) -> None:
    window, table = open_nodes()
    before = table.columnWidth(number(table, "node"))
    table.restore({"widths": {"node": "wide", "gone": 90}, "shown": [], "order": ["gone", 4], "sorted_by": ["x"]})
    assert table.columnWidth(number(table, "node")) == before
    assert table.memory() == {}
    close(window, qtbot)
