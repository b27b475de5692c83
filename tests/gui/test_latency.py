"""The latency view as its users meet it: what it says, what a click, a drag and a choice do."""

from __future__ import annotations

import numpy as np
import pytest
from fake_mesh import FakeMesh
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from app.desk import Desk
from app.views.latency import LatencyView, build
from broker.clock import SECOND
from broker.mesh.filter import parse
from broker.mesh.subject import Subject
from broker.mesh.timeline import Timeline
from broker.observe.journal import Batch, StateChange

CHARGE = Subject("action", "prod", "payments.charge")


@pytest.fixture
def view(desk: Desk, mesh: FakeMesh, qtbot: QtBot) -> LatencyView:  # noqa: ARG001
    made = build(desk)
    qtbot.addWidget(made)
    made.resize(1900, 900)
    made.show()
    # two answers: the table's and the charts'
    qtbot.waitUntil(lambda: made.table.records.rowCount() > 0 and label_named(made, "What the charts show") != "")
    return made


def label_named(view: LatencyView, name: str) -> str:
    return next(label.text() for label in view.findChildren(QLabel) if label.accessibleName() == name)


def choose(view: LatencyView, name: str, text: str) -> None:
    box = next(box for box in view.findChildren(QComboBox) if box.accessibleName() == name)
    box.setCurrentText(text)


def names(view: LatencyView) -> list[str]:
    return [line[0].lstrip("▲◷ ") for line in view.table.texts()]


def click_row(view: LatencyView, name: str, qtbot: QtBot) -> None:
    index = view.table.records.index(names(view).index(name), 0)
    at = view.table.visualRect(index).center()
    qtbot.mouseClick(view.table.viewport(), Qt.MouseButton.LeftButton, pos=at)


def plot_point(view: LatencyView, row: int, share_x: float, share_y: float) -> QPoint:
    """A point of the chart in this row (0 latency, 1 rate, 2 distribution), in pixels of its canvas."""
    canvas = view.charts.canvas
    plot = canvas.getItem(row, 0)
    box = plot.getViewBox().sceneBoundingRect()
    return canvas.mapFromScene(QPointF(box.left() + box.width() * share_x, box.top() + box.height() * share_y))


def drag(view: LatencyView, row: int, begin: tuple[float, float], end: tuple[float, float], qtbot: QtBot) -> None:
    viewport = view.charts.canvas.viewport()
    steps = np.linspace(begin, end, 6)
    qtbot.mousePress(viewport, Qt.MouseButton.LeftButton, pos=plot_point(view, row, *begin))
    for x, y in steps:
        qtbot.mouseMove(viewport, plot_point(view, row, x, y))
        qtbot.wait(25)  # pyqtgraph takes moves at most so often
    qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=plot_point(view, row, *end))


def test_the_worst_p99_stands_first_with_its_samples(view: LatencyView) -> None:
    assert {"payments.charge", "bank.transfer", "v2.orders.create"} == set(names(view)[:3])
    assert all(int(line[-1].replace(",", "")) > 0 for line in view.table.texts())


def test_choosing_a_row_shows_it_in_the_charts(view: LatencyView, desk: Desk, qtbot: QtBot) -> None:
    assert label_named(view, "What the charts show") == "All actions"
    click_row(view, "payments.charge", qtbot)
    qtbot.waitUntil(lambda: label_named(view, "What the charts show") == "payments.charge")
    assert desk.selection == CHARGE
    assert "2 endpoints" in label_named(view, "How many calls the charts rest on")
    assert "as seen on the bus" in label_named(view, "How many calls the charts rest on")


def test_the_pointer_reads_all_lines_of_its_moment(view: LatencyView) -> None:
    reading = "\n".join(view.charts.reading(60))
    for word in ("calls", "failed", "p99", "p90", "p50"):
        assert word in reading


def test_dragging_over_a_chart_zooms_everything_and_a_double_click_goes_back(
    view: LatencyView, desk: Desk, qtbot: QtBot
) -> None:
    whole = desk.span()
    drag(view, 0, (0.25, 0.5), (0.75, 0.5), qtbot)
    assert desk.span().seconds == pytest.approx(whole.seconds / 2, rel=0.05)
    assert not desk.cursor.follows
    at = plot_point(view, 1, 0.5, 0.5)
    qtbot.mouseDClick(view.charts.canvas.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert desk.span() == whole


def test_backspace_is_the_zoom_before(view: LatencyView, desk: Desk, qtbot: QtBot) -> None:
    whole = desk.span()
    drag(view, 1, (0.1, 0.5), (0.2, 0.5), qtbot)
    assert desk.span() != whole
    qtbot.keyClick(view.charts, Qt.Key.Key_Backspace)
    assert desk.span() == whole


def test_a_box_in_the_distribution_lists_its_calls(view: LatencyView, desk: Desk, qtbot: QtBot) -> None:
    desk.select(CHARGE)
    qtbot.waitUntil(lambda: label_named(view, "What the charts show") == "payments.charge")
    drag(view, 2, (0.02, 0.98), (0.98, 0.02), qtbot)
    qtbot.waitUntil(lambda: view.calls.records.rowCount() > 0)
    actions = {line[1] for line in view.calls.texts()}
    assert actions == {"payments.charge"}
    rows = view.calls.records
    durations = [rows.record(row).duration_ms for row in range(rows.rowCount())]
    assert durations == sorted(durations, reverse=True)


def test_a_table_of_edges_names_caller_and_called(view: LatencyView, qtbot: QtBot) -> None:
    choose(view, "Table of", "edges")
    qtbot.waitUntil(lambda: any("→" in name for name in names(view)))
    assert "v2.orders → payments" in names(view)


def test_splitting_by_endpoint_says_so_of_each_line(view: LatencyView, desk: Desk, qtbot: QtBot) -> None:
    desk.select(CHARGE)
    choose(view, "Split by", "endpoint")
    qtbot.waitUntil(lambda: len(view.charts.reading(60)) > 1 and "pay-1" in "\n".join(view.charts.reading(60)))


def test_a_filter_that_leaves_nothing_says_so_and_can_be_removed(view: LatencyView, desk: Desk, qtbot: QtBot) -> None:
    desk.set_filter(parse("action = nothing.of.the.kind"))
    qtbot.waitUntil(lambda: "The filter leaves no calls" in visible_texts(view))
    remove = next(b for b in view.findChildren(QPushButton) if b.text() == "Remove the filter")
    qtbot.mouseClick(remove, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: view.table.records.rowCount() > 0)


def visible_texts(view: LatencyView) -> list[str]:
    return [label.text() for label in view.findChildren(QLabel) if label.isVisible()]


def test_the_table_keeps_its_laws_while_calls_arrive(
    view: LatencyView, desk: Desk, mesh: FakeMesh, qtbot: QtBot, qtmodeltester: ModelTester
) -> None:
    qtmodeltester.check(view.table.records)
    click_row(view, "payments.charge", qtbot)
    before = desk.timeline.revision
    mesh.fill(desk.timeline, 30)
    assert desk.timeline.revision > before
    view.refresh()
    qtbot.waitUntil(lambda: view.desk.span().to_ns > 0)
    current = view.table.records.record(view.table.currentIndex().row())
    assert current is not None
    assert current.subject == CHARGE


def test_seconds_and_nanoseconds_are_not_mixed(view: LatencyView, desk: Desk) -> None:
    left, right = view.charts.canvas.getItem(0, 0).getViewBox().viewRange()[0]
    assert left == pytest.approx(desk.span().from_ns / SECOND, abs=1)
    assert right == pytest.approx(desk.span().to_ns / SECOND, abs=1)


def test_a_deploy_is_a_line_on_every_chart_and_the_reading_line_tells_of_it(
    view: LatencyView, timeline: Timeline, mesh: FakeMesh, qtbot: QtBot
) -> None:
    at_ns = mesh.through_ns - 60 * SECOND
    before = timeline.snapshot().state.at("node", "prod", "users-1", at_ns)
    assert before is not None
    assert before.value is not None
    anew = before.value | {"instance_id": "another", "metadata": {"version": "2.0"}}
    timeline.take(
        Batch(through_ns=mesh.through_ns + 1, changes=[StateChange("node", "prod", "users-1", at_ns, anew, "info")])
    )
    mesh.fill(timeline, 2)
    legend = next(made for made in view.findChildren(QLabel) if made.accessibleName() == "What the lines across mean")
    qtbot.waitUntil(lambda: "⟳ deployed anew" in legend.text(), timeout=8000)
    series = view.charts._series[0]
    bucket = int((at_ns - series.span.from_ns) / SECOND / series.bucket_s)
    told = view.charts.reading(bucket)
    assert any(line.startswith("⟳ ") and "node users-1 restarted (" in line for line in told)
    assert any("another instance" in line for line in told)
    far = view.charts.reading(max(0, bucket - 20))
    assert not any("users-1" in line for line in far)


def test_charts_are_read_with_the_arrow_keys(view: LatencyView, qtbot: QtBot) -> None:
    charts = view.charts
    qtbot.waitUntil(lambda: bool(charts._series), timeout=5000)
    charts.setFocus()
    qtbot.keyClick(charts, Qt.Key.Key_Left)
    newest = charts.accessibleDescription()
    qtbot.keyClick(charts, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert charts._readout.isVisible()
    last = len(charts._series[0].calls) - 1
    assert newest == "; ".join(charts.reading(last))
    assert charts.accessibleDescription() == "; ".join(charts.reading(last - 10))
