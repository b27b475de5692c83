"""Latency: how fast each action (edge, endpoint) is, over time, beside a table of all of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, cast

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from app import theme
from app.caller.row_menu import offer_menu
from app.desk import Desk
from app.items.records import Column, in_order
from app.latency_columns import (
    CALL_COLUMNS,
    CURVE_COLUMN,
    GIVEN_UP,
    NAME_PX,
    ROW_COLUMNS,
    WORST_COLUMN,
    title_of,
)
from app.live import LiveView
from app.views.registry import MAIN, View, register
from app.widgets.controls import button, column, frame, label, row, set_text
from app.widgets.empty_state import EmptyState
from app.widgets.format import FEW_SAMPLES, age, count, duration_ms
from app.widgets.plot import TimeCharts
from app.widgets.sparkline import CurveDelegate
from app.widgets.table import RecordTable
from broker.mesh import calls, latency
from broker.mesh.answers import ActionRow, CallRecord, Coming, Series
from broker.mesh.comings import turning_points
from broker.mesh.filter import Filter, parse
from broker.mesh.span import Span
from broker.mesh.subject import Subject
from broker.mesh.timeline import Snapshot

By = Literal["action", "edge", "endpoint"]
Split = Literal["none", "endpoint", "caller"]

SHOWN_KINDS = ("action", "service", "node", "edge", "endpoint")
LISTED_CALLS = 200
BUCKETS = 120
HINT = (
    "Drag to zoom all charts · double click or Backspace for the zoom before · drag in the distribution to list "
    "those calls · calls inside one node are not on the bus"
)


@dataclass(frozen=True, slots=True)
class _Chart:
    series: list[Series]
    marks: list[Coming]
    endpoints: int


class LatencyView(LiveView):
    """Charts of what is selected at the left, all actions at the right, the calls of a marked box below."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, every_ms=1000)
        self.setAccessibleName("Latency")
        self._shown = desk.selection
        self._box: tuple[Span, float, float] | None = None
        self._split = self._choice("Split by", {"none": "none", "endpoint": "endpoint", "caller": "caller"})
        self._scale = self._choice("Scale", {"log": "log", "linear": "linear"})
        self._by = self._choice("Table of", {"actions": "action", "edges": "edge", "endpoints": "endpoint"})
        self._title = label("", "title", name="What the charts show")
        self._state = label("", "dim", name="How many calls the charts rest on", wraps=True)
        self.charts = TimeCharts(theme.current())
        self._rows_title = label("", "section", name="How many rows the table has")
        self.table = RecordTable(
            "Rate, failures and percentiles",
            ROW_COLUMNS,
            lambda r: r.subject,
            sorted_by=WORST_COLUMN,
            is_descending=True,
        )
        self.table.setItemDelegateForColumn(CURVE_COLUMN, CurveDelegate(lambda r: r.spark_ms, self.table))
        self.calls = RecordTable(
            "Calls in the marked box", CALL_COLUMNS, lambda c: c.address, sorted_by=5, is_descending=True
        )
        self._calls_title = label("", "section")
        self._empty = EmptyState("chart-line")
        self._lay_out()
        self._connect()

    def _choice(self, name: str, options: dict[str, str]) -> QComboBox:
        box = QComboBox()
        box.setAccessibleName(name)
        for text, value in options.items():
            box.addItem(text, value)
        return box

    def _lay_out(self) -> None:
        calls_part = QWidget()
        hide = button("Close", lambda: self._list_box(None), name="Close the list of calls")
        calls_part.setLayout(column(row(self._calls_title, None, hide), self.calls, spacing=6))
        calls_part.hide()
        self._calls_part = calls_part
        charts = QSplitter(Qt.Orientation.Vertical)
        charts.addWidget(self.charts)
        charts.addWidget(calls_part)
        charts.setSizes([500, 260])
        head = row(self._title, None, label("Split", "dim"), self._split, label("Scale", "dim"), self._scale)
        left = frame("panel")
        left.setLayout(column(head, self._state, charts, label(HINT, "small", wraps=True), margin=12))
        cast(QVBoxLayout, left.layout()).setStretch(2, 1)

        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self.table)
        heading = row(self._rows_title, None, label("Table of", "dim"), self._by)
        heading.setContentsMargins(12, 0, 12, 0)
        right = frame("panel")
        right.setLayout(column(10, heading, self._stack, spacing=6, margin=1))
        cast(QVBoxLayout, right.layout()).setStretch(2, 1)

        parts = QSplitter(Qt.Orientation.Horizontal)
        parts.addWidget(left)
        parts.addWidget(right)
        parts.setSizes([600, 540])
        parts.setHandleWidth(8)
        parts.setStyleSheet("QSplitter::handle { background: transparent; }")
        self.setLayout(column(parts, margin=8))

    def _connect(self) -> None:
        desk = self.desk
        for box in (self._split, self._by):
            box.currentIndexChanged.connect(self.refresh)
        self._scale.currentIndexChanged.connect(lambda: self.charts.set_log(self._scale.currentData() == "log"))
        self.charts.brushed.connect(desk.zoom)
        self.charts.zoomed_back.connect(desk.zoom_back)
        self.charts.boxed.connect(lambda span, low, high: self._list_box((span, low, high)))
        self.table.resized.connect(self._fit_columns)  # a narrow table goes without columns rather than without names
        self.table.chosen.connect(lambda record: desk.select(record.subject) if record else None)
        self.table.opened.connect(lambda record: desk.show_view("graph", record.subject))
        self.table.sort_changed.connect(self.refresh)
        self.calls.chosen.connect(self._select_call)
        offer_menu(self.calls, desk, self._call_at)
        offer_menu(self.table, desk, self._row_at)
        self.calls.sort_changed.connect(self._ask_calls)
        desk.selection_changed.connect(self._on_selection)
        self.setFocusProxy(self.table)

    def _fit_columns(self) -> None:
        room = self.table.viewport().width() - NAME_PX
        needed = sum(made.width for made in ROW_COLUMNS if made.shown)
        given_up = []
        for number in GIVEN_UP:
            if needed > room:
                given_up.append(number)
                needed -= ROW_COLUMNS[number].width
        self.table.columns.hide(given_up)

    # asking

    def refresh(self) -> None:
        """Ask for the table and for the charts."""
        desk, span, wanted = self.desk, self.desk.span(), self.desk.filter
        by: By = self._by.currentData()
        split: Split = self._split.currentData()
        desk.ask(self, "rows", partial(_rows, span, wanted, by, self.table.order), self._show_rows)
        desk.ask(self, "chart", partial(_chart, span, wanted, self._shown, split), self._show_chart)

    def retheme(self) -> None:
        """Take the colours of the theme in use."""
        self.charts.set_theme(theme.current())
        self._empty.tint()
        self.table.viewport().update()

    def _on_selection(self) -> None:
        chosen = self.desk.selection
        if chosen is None or chosen.kind in SHOWN_KINDS:
            self._shown = chosen
            if self.isVisible():
                self.refresh()

    def _list_box(self, box: tuple[Span, float, float] | None) -> None:
        self._box = box
        self._calls_part.setVisible(box is not None)
        self._ask_calls()

    def _ask_calls(self) -> None:
        if self._box is not None:
            question = partial(_box_calls, self._box, self._shown, self.desk.filter, self.calls.order)
            self.desk.ask(self, "calls", question, self._show_calls)

    def _call_at(self, row: int) -> Subject | None:
        call = self.calls.records.record(row)
        return Subject("call", call.namespace, call.action, address=call.address) if call is not None else None

    def _row_at(self, row: int) -> Subject | None:
        record = self.table.records.record(row)
        return record.subject if record is not None else None

    def _select_call(self, call: CallRecord | None) -> None:
        if call is not None:
            self.desk.select(Subject("call", call.namespace, call.action, call.target, call.address))

    # showing

    def _show_rows(self, rows: list[ActionRow]) -> None:
        set_text(self._rows_title, f"{self._by.currentText().upper()} · {count(len(rows))}")
        self.table.show_records(rows)
        self.table.select(self._shown)
        self._stack.setCurrentIndex(1 if rows else 0)
        if rows:
            return
        if not self.desk.wanted.is_empty:
            text = f"Nothing matches “{self.desk.wanted.text}” in the last {age(self.desk.span().seconds)}."
            self._empty.say("The filter leaves no calls", text, "Remove the filter", self.desk.clear_filter)
        else:
            self._empty.say(
                f"No call seen in {age(self.desk.span().seconds)}",
                "Calls inside one node are not on the bus, and Moleculer prefers the local endpoint. "
                "Choose a longer window above, or wait for traffic.",
            )

    def _show_chart(self, chart: _Chart) -> None:
        self.charts.show_series(chart.series, chart.marks)
        set_text(self._title, title_of(self._shown) if self._shown else "All actions")
        totals = [series.total for series in chart.series]
        completed = sum(figures.completed for figures in totals)
        words = [
            f"{chart.endpoints} endpoint{'s' if chart.endpoints != 1 else ''}" if chart.endpoints else "",
            f"{count(sum(figures.calls for figures in totals))} calls in {age(self.desk.span().seconds)}",
            f"percentiles of {count(completed)} completed",
            "few for a p99" if 0 < completed < FEW_SAMPLES else "",
            "as seen on the bus",
        ]
        set_text(self._state, " · ".join(filter(None, words)))

    def _show_calls(self, found: list[CallRecord]) -> None:
        if self._box is None:
            return
        _, low_ms, high_ms = self._box
        many = f"newest {LISTED_CALLS}" if len(found) >= LISTED_CALLS else count(len(found))
        set_text(self._calls_title, f"CALLS OF {duration_ms(low_ms)} TO {duration_ms(high_ms)} · {many}")
        self.calls.show_records(found)


def _rows(span: Span, wanted: Filter, by: By, order: tuple[Column[Any], bool], snapshot: Snapshot) -> list[ActionRow]:
    """In the worker."""
    rows = latency.action_table(snapshot, span, filter=wanted, by=by)
    return in_order(rows, order[0], is_descending=order[1])


def _chart(span: Span, wanted: Filter, subject: Subject | None, split: Split, snapshot: Snapshot) -> _Chart:
    """In the worker."""
    series = latency.series(snapshot, span, subject=subject, filter=wanted, buckets=BUCKETS, split=split)
    marks = turning_points(snapshot, span)
    endpoints = 0
    if subject is not None and subject.kind == "action":
        table = latency.action_table(snapshot, span, filter=wanted, by="endpoint")
        endpoints = sum(line.subject[1:3] == subject[1:3] for line in table)
    return _Chart(series, marks, endpoints)


def _box_calls(
    box: tuple[Span, float, float],
    subject: Subject | None,
    wanted: Filter,
    order: tuple[Column[Any], bool],
    snapshot: Snapshot,
) -> list[CallRecord]:
    """In the worker."""
    span, low_ms, high_ms = box
    between = f"duration >= {low_ms:.6f}ms and duration < {high_ms:.6f}ms"
    both = parse(between if wanted.is_empty else f"{between} and ({wanted.text})")
    found = calls.recent(snapshot, span, subject=subject, filter=both, limit=LISTED_CALLS)
    return in_order(found, order[0], is_descending=order[1])


def build(desk: Desk) -> LatencyView:
    """The view for a desk."""
    return LatencyView(desk)


register(View(id="latency", title="Latency", area=MAIN, order=30, icon="chart-line", build=build))
