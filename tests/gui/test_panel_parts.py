"""What stands in panels: small tables, bars, figures side by side."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.widgets.figures import Figure, FigureRow
from app.widgets.mini_table import Cell, MiniRow, MiniTable
from app.widgets.row_walk import RowWalk
from app.widgets.span_bars import Bar, SpanBars
from app.widgets.together import drawn

Show = Callable[[QWidget], QWidget]


def table() -> MiniTable:
    made = MiniTable("Services", ("", "p99", "Δ p99"), (0, -60, -66))
    made.show_rows([MiniRow([Cell(name), Cell("12 ms"), Cell("–")], name, name) for name in ("api", "bank", "mail")])
    return made


def bars() -> SpanBars:
    made = SpanBars("What it did")
    made.show_bars([Bar(name, 0, 0.0, 1.0, "12 ms", "ok", name, name) for name in ("api", "bank", "mail")])
    return made


@pytest.mark.parametrize("make", [table, bars])
def test_rows_are_walked_with_arrows_and_chosen_with_enter_or_a_click(
    make: Callable[[], RowWalk], shown: Show, qtbot: QtBot
) -> None:
    rows, chosen = make(), list[object]()
    rows.chosen.connect(chosen.append)
    shown(rows)
    rows.activateWindow()
    rows.setFocus()
    qtbot.waitUntil(rows.hasFocus)
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_End, Qt.Key.Key_Up, Qt.Key.Key_Enter):
        qtbot.keyClick(rows, key)
    qtbot.keyClick(rows, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert chosen == ["api", "bank", "api"], "Ctrl+Enter belongs to the view"
    qtbot.mouseClick(rows, Qt.MouseButton.LeftButton, pos=QPoint(20, rows.height() - 5))
    assert chosen[3:] == ["mail"]
    for _ in range(5):
        qtbot.keyClick(rows, Qt.Key.Key_Down)
    qtbot.keyClick(rows, Qt.Key.Key_Return)
    assert chosen[4:] == ["mail"]


def test_a_column_in_which_nothing_is_said_gives_its_room_to_the_names(shown: Show) -> None:
    made = table()
    shown(made)
    made.resize(300, made.height())
    assert [(column.number, column.width) for column in made.columns()] == [(0, 232), (1, 54)]
    made.show_rows([MiniRow([Cell("api"), Cell("12 ms"), Cell("+2 ms")])])
    assert [(column.number, column.width) for column in made.columns()] == [(0, 166), (1, 54), (2, 60)]


def test_figures_in_a_narrow_row_are_all_written_in_one_size(shown: Show) -> None:
    made = FigureRow(("calls", "errors", "p50", "p99"))
    shown(made)
    made.show_figures(
        [
            Figure(text, what)
            for text, what in (("7/s", "calls"), ("0", "errors"), ("41.4 ms", "p50"), ("814 ms", "p99"))
        ]
    )
    for width, fit in ((900, ""), (260, "tight")):
        made.resize(width, made.height())
        assert {card._value.property("fit") for card in made.cards} == {fit}


def test_durations_that_nobody_measured_are_drawn_where_they_may_be() -> None:
    values = np.array([0.0, 0.00101, 0.4, 41.6, np.nan])
    np.testing.assert_array_equal(drawn(values), [1.0, 1.0, 0.4, 41.6, np.nan])
