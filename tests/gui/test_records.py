"""Tables of records: they change little by little, and never lose a selection."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPersistentModelIndex, Qt
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from app.items.records import RECORD_ROLE, TONE_ROLE, Column, Records, in_order
from app.widgets.table import RecordTable


class Thing(NamedTuple):
    name: str
    size: int


COLUMNS: tuple[Column[Thing], ...] = (
    Column("name", lambda t: t.name),
    Column(
        "size", lambda t: str(t.size), lambda t: t.size, is_number=True, tone=lambda t: "failed" if t.size > 8 else ""
    ),
)


def made(names: str, size: int = 1) -> list[Thing]:
    return [Thing(name, size) for name in names]


def names(model: Records[Thing]) -> str:
    return "".join(model.data(model.index(row, 0)) for row in range(model.rowCount()))


@pytest.mark.parametrize(
    "steps",
    [["abc", "abc"], ["", "abc", ""], ["abc", "axbyc"], ["abcdef", "be"], ["abc", "cab"], ["abcd", "dxa", "", "xyz"]],
)
def test_every_change_obeys_the_laws_of_models(steps: list[str], qtmodeltester: ModelTester, qapp: object) -> None:  # noqa: ARG001
    model: Records[Thing] = Records(COLUMNS, lambda t: t.name)
    qtmodeltester.check(model, force_py=True)
    for step in steps:
        model.show(made(step))
        assert names(model) == step


@settings(max_examples=80)
@given(st.lists(st.lists(st.sampled_from("abcdefgh"), unique=True), min_size=1, max_size=8))
def test_it_shows_the_last_answer_and_indexes_follow_their_record(steps: list[list[str]]) -> None:
    model: Records[Thing] = Records(COLUMNS, lambda t: t.name)
    held: dict[str, QPersistentModelIndex] = {}
    for step in steps:
        model.show(made("".join(step)))
        assert names(model) == "".join(step)
        for name, index in list(held.items()):
            if name in step:
                assert index.isValid()
                assert model.data(index) == name
            else:
                assert not index.isValid()
                del held[name]
        for row, name in enumerate(step):
            held.setdefault(name, QPersistentModelIndex(model.index(row, 0)))


def test_an_answer_in_the_same_order_resets_and_moves_nothing(qtbot: QtBot) -> None:
    model: Records[Thing] = Records(COLUMNS, lambda t: t.name)
    model.show(made("abc"))
    with (
        qtbot.assertNotEmitted(model.modelReset),
        qtbot.assertNotEmitted(model.layoutChanged),
        qtbot.assertNotEmitted(model.rowsInserted),
        qtbot.assertNotEmitted(model.rowsRemoved),
        qtbot.waitSignal(model.dataChanged),
    ):
        model.show(made("abc", size=9))
    assert model.data(model.index(0, 1)) == "9"
    assert model.data(model.index(0, 1), TONE_ROLE) == "failed"
    assert model.data(model.index(0, 1), RECORD_ROLE) == Thing("a", 9)


def test_selection_and_top_row_stay_when_rows_come_before_them(qtbot: QtBot) -> None:
    table = RecordTable("Things", COLUMNS, lambda t: t.name)
    qtbot.addWidget(table)
    table.resize(400, 300)
    table.show()
    many = [Thing(f"m{number:04d}", number) for number in range(1000)]
    table.show_records(many)
    table.select("m0500")
    table.verticalScrollBar().setValue(498)
    chosen: list[object] = []
    table.chosen.connect(chosen.append)
    table.show_records([Thing(f"a{number:04d}", 0) for number in range(100)] + many)
    assert table.records.key_at(table.currentIndex().row()) == "m0500"
    assert table.records.key_at(table.verticalScrollBar().value()) == "m0498"
    assert chosen == []


def test_clicking_a_heading_sorts_numbers_largest_first(qtbot: QtBot) -> None:
    table = RecordTable("Things", COLUMNS, lambda t: t.name)
    qtbot.addWidget(table)
    with qtbot.waitSignal(table.sort_changed):
        table.horizontalHeader().sectionClicked.emit(1)
    column, is_descending = table.order
    assert [t.size for t in in_order([Thing("a", 1), Thing("b", 3)], column, is_descending=is_descending)] == [3, 1]


def test_enter_drills_into_the_current_row(qtbot: QtBot) -> None:
    table = RecordTable("Things", COLUMNS, lambda t: t.name)
    qtbot.addWidget(table)
    table.show()
    table.show_records(made("abc"))
    table.selectRow(1)
    with qtbot.waitSignal(table.opened) as opened:
        qtbot.keyClick(table, Qt.Key.Key_Return)
    assert opened.args == [Thing("b", 1)]
