"""Parts of the caller that are worth a look of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from app.items.values import ValueModel, text_of
from app.widgets.find_box import Findable, FindBox
from app.widgets.percentile_chart import PercentileChart
from app.widgets.span_bars import Bar, SpanBars
from app.widgets.value_tree import ValueTree

Show = Callable[[QWidget], QWidget]


def test_a_tree_of_values_is_a_sound_model_while_it_grows(qtmodeltester: ModelTester, qtbot: QtBot) -> None:
    del qtbot
    model = ValueModel()
    model.show_value({"a": [1, {"b": None}], "c": {}, "long": list(range(500))})
    root = model.index(0, 0)
    assert model.canFetchMore(root)
    model.fetchMore(root)
    for row in range(model.rowCount(root)):
        inner = model.index(row, 0, root)
        while model.canFetchMore(inner):
            model.fetchMore(inner)
    qtmodeltester.check(model, force_py=True)
    assert model.rowCount(model.index(2, 0, root)) == 500
    assert model.path(model.index(1, 0, model.index(0, 0, root))) == "a[1]"
    model.show_value(5)
    assert (model.rowCount(), model.index(0, 0).data()) == (1, "5")
    model.clear()
    assert model.rowCount() == 0


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, "{}"),
        ([], "[0]"),
        ({"a": 1, "b": "x" * 50, "c": {"d": 1}}, '{ a: 1, b: "xxxxxxxxxxxxxxxxxxxxxxxx…", c: {…} }'),
        ("y" * 1000, '"' + "y" * 400 + "… 1,000 letters"),
        (None, "null"),
        (True, "true"),
        ("***", "•••• masked"),
        ("\n\ud83d", '"\\n\ud83d"'),
    ],
)
def test_a_value_is_told_in_a_line(value: Any, text: str) -> None:
    assert text_of(value) == text


def test_what_is_selected_is_copied_as_json(shown: Show, qtbot: QtBot) -> None:
    tree = ValueTree("x")
    shown(tree)
    tree.show_value({"a": {"b": [1]}})
    qtbot.keyClick(tree, Qt.Key.Key_Down)
    assert tree.copied() == '{\n  "b": [\n    1\n  ]\n}'


def test_what_weighs_more_stands_first_of_what_fits_alike(shown: Show, qtbot: QtBot) -> None:
    box = FindBox("Action", "")
    shown(box)
    box.offer([Findable("a.one", weight=0.0), Findable("a.two", weight=1.0), Findable("b.one", weight=-5.0)])
    taken: list[Any] = []
    box.chosen.connect(taken.append)
    qtbot.keyClick(box.edit, Qt.Key.Key_Down)
    assert box.texts() == ["a.two", "a.one", "b.one"]
    qtbot.keyClicks(box.edit, "zzz")
    assert not box.list.isVisible()
    qtbot.keyClick(box.edit, Qt.Key.Key_Return)
    assert taken == []


def test_who_is_on_the_way_to_something_stays_there_when_more_is_known(shown: Show, qtbot: QtBot) -> None:
    box = FindBox("Action", "")
    shown(box)
    box.offer([Findable("a.one", thing=1), Findable("a.two", thing=2)])
    qtbot.keyClicks(box.edit, "a.")
    qtbot.keyClick(box.edit, Qt.Key.Key_Down)
    box.offer([Findable("a.zero", thing=0, weight=9), Findable("a.one", thing=1), Findable("a.two", thing=2)])
    taken: list[Any] = []
    box.chosen.connect(taken.append)
    qtbot.keyClick(box.edit, Qt.Key.Key_Return)
    assert taken == [2]


def test_percentiles_are_read_from_counts(shown: Show) -> None:
    chart = PercentileChart()
    shown(chart)
    chart.grab()
    chart.show_counts([0, 90, 9, 1], [1.0, 2.0, 20.0, 200.0])
    assert [chart.value_at(share) for share in (0.5, 0.9, 0.91, 0.99, 1.0)] == [2.0, 2.0, 20.0, 20.0, 200.0]
    assert chart.accessibleDescription() == "100 calls: p50 2.00 ms, p90 2.00 ms, p99 20.0 ms"
    chart.grab()
    chart.show_counts([], [])
    assert chart.accessibleDescription() == "no calls yet"


def test_a_bar_is_chosen_with_the_keyboard(shown: Show, qtbot: QtBot) -> None:
    bars = SpanBars("x")
    shown(bars)
    bars.show_bars([Bar("a", 0, 0, 1, "2 ms", thing="first"), Bar("b", 1, 0.2, 0.4, "1 ms", "failed", thing="second")])
    chosen: list[Any] = []
    bars.chosen.connect(chosen.append)
    bars.setFocus()
    qtbot.waitUntil(bars.hasFocus)
    qtbot.keyClick(bars, Qt.Key.Key_Down)
    qtbot.keyClick(bars, Qt.Key.Key_Return)
    assert chosen == ["second"]
    bars.grab()
