"""Latency: how fast each action (edge, endpoint) is, over time, beside a table of all of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QSplitter,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.desk import Desk
from app.items.latency_rows import COLUMNS, CURVE_COLUMN, LatencyRows, title_of
from app.views.registry import MAIN, View, register
from app.widgets.call_list import CallList
from app.widgets.format import count, duration_ms
from app.widgets.plot import FEW_SAMPLES, TimeCharts
from app.widgets.sparkline import CurveDelegate
from broker.mesh import calls, inventory, latency
from broker.mesh.answers import ActionRow, CallRecord, Coming, Series
from broker.mesh.filter import Filter, parse
from broker.mesh.span import Span
from broker.mesh.subject import Subject
from broker.mesh.timeline import Snapshot

MARK_CHANGES = {"restarted", "came back", "vanished", "opened", "closed", "half-opened"}
LISTED_CALLS = 200
BUCKETS = 120


class LatencyView(QWidget):
    """Charts of what is selected at the left, all actions at the right, the calls of a marked box below."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._rows = LatencyRows(self)
        self._order, self._worst_first = 5, True
        self._shown: Subject | None = None
        self.setAccessibleName("Latency")
        self._build()
        desk.ticked.connect(self._refresh)
        desk.cursor_changed.connect(self._refresh)
        desk.filter_changed.connect(self._refresh)
        desk.selection_changed.connect(self._on_selection)
        desk.theme_changed.connect(self._on_theme)
        self._on_selection()

    # building

    def _build(self) -> None:
        self._charts = TimeCharts(theme.current())
        self._charts.brushed.connect(self._desk.zoom)
        self._charts.zoomed_back.connect(self._desk.zoom_back)
        self._charts.boxed.connect(self._list_box)
        self._calls = CallList()
        self._calls.chosen.connect(self._desk.select)
        self._listing = QWidget()
        self._listing_title = QLabel()
        self._listing_title.setProperty("role", "section")
        close = QPushButton("Close")
        close.setAccessibleName("Close the list of calls")
        close.clicked.connect(self._listing.hide)
        head = QHBoxLayout()
        head.addWidget(self._listing_title, 1)
        head.addWidget(close)
        below = QVBoxLayout(self._listing)
        below.setContentsMargins(0, 8, 0, 0)
        below.addLayout(head)
        below.addWidget(self._calls)
        self._listing.hide()

        left = QFrame()
        left.setProperty("role", "panel")
        column = QVBoxLayout(left)
        column.setContentsMargins(12, 12, 12, 12)
        column.addLayout(self._build_head())
        stack = QSplitter(Qt.Orientation.Vertical)
        stack.addWidget(self._charts)
        stack.addWidget(self._listing)
        stack.setStretchFactor(0, 3)
        stack.setStretchFactor(1, 2)
        column.addWidget(stack, 1)
        self._hint = QLabel(
            "Drag to zoom all charts · double click or Backspace for the zoom before · "
            "drag in the distribution to list those calls · what stays inside one node is not on the bus"
        )
        self._hint.setProperty("role", "dim")
        self._hint.setWordWrap(True)
        column.addWidget(self._hint)

        parts = QSplitter(Qt.Orientation.Horizontal)
        parts.addWidget(left)
        parts.addWidget(self._build_table())
        parts.setStretchFactor(0, 3)
        parts.setStretchFactor(1, 2)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(8, 8, 8, 8)
        whole.addWidget(parts)

    def _build_head(self) -> QVBoxLayout:
        self._title = QLabel()
        self._title.setProperty("role", "title")
        self._state = QLabel()
        self._state.setProperty("role", "dim")
        self._state.setWordWrap(True)
        self._split = self._choice("Split", {"none": "none", "by endpoint": "endpoint", "by caller": "caller"})
        self._scale = self._choice("Scale", {"log": "log", "linear": "linear"})
        line = QHBoxLayout()
        line.addWidget(self._title, 1)
        for name, box in (("Split", self._split), ("Scale", self._scale)):
            label = QLabel(name)
            label.setProperty("role", "dim")
            label.setBuddy(box)
            line.addWidget(label)
            line.addWidget(box)
        head = QVBoxLayout()
        head.addLayout(line)
        head.addWidget(self._state)
        return head

    def _choice(self, name: str, options: dict[str, str]) -> QComboBox:
        box = QComboBox()
        box.setAccessibleName(name)
        for text, value in options.items():
            box.addItem(text, value)
        box.currentIndexChanged.connect(self._on_choice)
        return box

    def _build_table(self) -> QWidget:
        panel = QFrame()
        panel.setProperty("role", "panel")
        column = QVBoxLayout(panel)
        column.setContentsMargins(12, 12, 12, 12)
        self._table_title = QLabel("ACTIONS")
        self._table_title.setProperty("role", "section")
        self._by = self._choice("Table of", {"actions": "action", "edges": "edge", "endpoints": "endpoint"})
        head = QHBoxLayout()
        head.addWidget(self._table_title, 1)
        head.addWidget(self._by)
        column.addLayout(head)
        self._table = QTableView()
        self._table.setAccessibleName("Actions with rate, failures and percentiles")
        self._table.setModel(self._rows)
        self._table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self._table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self._table.setShowGrid(False)
        self._table.setWordWrap(False)
        self._table.verticalHeader().hide()
        self._table.verticalHeader().setDefaultSectionSize(28)
        self._table.setItemDelegateForColumn(CURVE_COLUMN, CurveDelegate(self._table))
        header = self._table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setMinimumSectionSize(44)
        for number, width in enumerate((160, 62, 62, 66, 66, 66, 100, 76, 70)):
            header.resizeSection(number, width)
        header.setSectionsClickable(True)
        header.setSortIndicatorShown(True)
        header.setSortIndicator(self._order, Qt.SortOrder.DescendingOrder)
        header.sectionClicked.connect(self._on_sort)
        self._table.selectionModel().currentRowChanged.connect(self._on_row)
        self._nothing = QLabel()
        self._nothing.setProperty("role", "dim")
        self._nothing.setWordWrap(True)
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.addWidget(self._table, 1)
        column.addWidget(self._nothing, 1)
        return panel

    # what the user does

    def _on_choice(self) -> None:
        if not hasattr(self, "_table"):  # choices are filled while the view is being built
            return
        self._charts.set_log(self._scale.currentData() == "log")
        self._refresh()

    def _on_sort(self, column: int) -> None:
        self._worst_first = not self._worst_first if column == self._order else column != 0
        self._order = column
        order = Qt.SortOrder.DescendingOrder if self._worst_first else Qt.SortOrder.AscendingOrder
        self._table.horizontalHeader().setSortIndicator(column, order)
        self._refresh()

    def _on_row(self, current: QModelIndex) -> None:
        if current.isValid():
            self._desk.select(self._rows.subject_at(current.row()))

    def _on_selection(self) -> None:
        chosen = self._desk.selection
        if chosen is None or chosen.kind in ("action", "service", "node", "edge", "endpoint"):
            self._shown = chosen
        self._refresh()

    def _on_theme(self) -> None:
        self._charts.set_theme(theme.current())
        self._table.viewport().update()

    def _list_box(self, span: Span, low_ms: float, high_ms: float) -> None:
        between = parse(f"duration >= {low_ms:.6f}ms and duration < {high_ms:.6f}ms")
        question = partial(_box_calls, span, self._shown, between, self._desk.filter)
        title = f"CALLS OF {duration_ms(low_ms)} TO {duration_ms(high_ms)}"
        self._desk.ask(self, "box", question, partial(self._show_calls, title))

    # what is shown

    def showEvent(self, event: object) -> None:
        """A view that comes back into sight is brought up to date."""
        super().showEvent(event)  # type: ignore[arg-type]
        self._refresh()

    def _refresh(self) -> None:
        if not self.isVisible():
            return
        span, wanted = self._desk.span(), self._desk.filter
        by, order, worst_first = self._by.currentData(), self._order, self._worst_first
        self._desk.ask(self, "rows", partial(_rows, span, wanted, by, order, worst_first), self._show_rows)
        split = self._split.currentData()
        self._desk.ask(self, "series", partial(_series, span, wanted, self._shown, split), self._show_series)

    def _show_rows(self, rows: list[ActionRow]) -> None:
        self._table_title.setText(f"{self._by.currentText().upper()} · {count(len(rows))}")
        self._rows.show_rows(rows)
        place = self._rows.row_of(self._shown) if self._shown else -1
        selection = self._table.selectionModel()
        if place >= 0 and selection.currentIndex().row() != place:
            selection.blockSignals(True)
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
            selection.setCurrentIndex(self._rows.index(place, 0), flags)
            selection.blockSignals(False)
            self._table.viewport().update()
        self._table.setVisible(bool(rows))
        self._nothing.setVisible(not rows)
        if not rows:
            self._nothing.setText(self._why_nothing())

    def _why_nothing(self) -> str:
        if not self._desk.filter.is_empty:
            return (
                "No call in this window passes the filter. Widen the window, or clear the filter with Esc in its box."
            )
        seconds = self._desk.span().seconds
        return (
            f"No call between nodes was seen in {seconds:.0f} s. Calls inside one node are not on the bus; "
            "Moleculer prefers the local endpoint. Widen the window above, or wait for traffic."
        )

    def _show_series(self, found: tuple[list[Series], list[Coming], int]) -> None:
        series, marks, endpoints = found
        self._charts.show_series(series, marks)
        self._title.setText(_name(self._shown))
        totals = [part.total for part in series]
        call_count = sum(figures.calls for figures in totals)
        completed = sum(figures.completed for figures in totals)
        span = self._desk.span()
        words = [
            f"{endpoints} endpoint{'s' if endpoints != 1 else ''}" if endpoints else "",
            f"{count(call_count)} calls in {duration_ms(span.seconds * 1000)}",
            f"{count(completed)} samples",
            "p99 rests on few samples" if 0 < completed < FEW_SAMPLES else "",
            "as seen on the bus",
        ]
        self._state.setText(" · ".join(word for word in words if word))

    def _show_calls(self, title: str, found: list[CallRecord]) -> None:
        more = f", the newest {LISTED_CALLS}" if len(found) >= LISTED_CALLS else f", {len(found)}"
        self._listing_title.setText(title + more)
        self._calls.show_calls(found)
        self._listing.show()


def _name(subject: Subject | None) -> str:
    if subject is None:
        return "All actions"
    if subject.kind in ("edge", "endpoint"):
        arrow = " → " if subject.kind == "edge" else " on "
        return f"{subject.name.removeprefix('node:')}{arrow}{subject.other}"
    return subject.name


def _rows(span: Span, wanted: Filter, by: str, order: int, worst_first: bool, snapshot: Snapshot) -> list[ActionRow]:
    rows = latency.action_table(snapshot, span, filter=wanted, by=by)  # type: ignore[arg-type]
    rows.sort(key=title_of)
    key: Callable[[ActionRow], object] = COLUMNS[order].order
    rows.sort(key=key, reverse=worst_first)  # type: ignore[arg-type]
    return rows


def _series(
    span: Span, wanted: Filter, subject: Subject | None, split: str, snapshot: Snapshot
) -> tuple[list[Series], list[Coming], int]:
    series = latency.series(
        snapshot,
        span,
        subject=subject,
        filter=wanted,
        buckets=BUCKETS,
        split=split,  # type: ignore[arg-type]
    )
    marks = [c for c in inventory.comings(snapshot, span) if c.change in MARK_CHANGES and c.kind != "gap"]
    endpoints = 0
    if subject is not None and subject.kind == "action":
        table = latency.action_table(snapshot, span, filter=wanted, by="endpoint")
        endpoints = sum(row.subject[1:3] == subject[1:3] for row in table)
    return series, marks, endpoints


def _box_calls(
    span: Span, subject: Subject | None, between: Filter, wanted: Filter, snapshot: Snapshot
) -> list[CallRecord]:
    both = between if wanted.is_empty else parse(f"({between.text}) and ({wanted.text})")
    return calls.recent(snapshot, span, subject=subject, filter=both, limit=LISTED_CALLS)


register(View(id="latency", title="Latency", area=MAIN, order=30, icon="mdi6.chart-line", build=LatencyView))
