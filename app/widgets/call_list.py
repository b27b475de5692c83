"""A table of calls, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QVBoxLayout, QWidget

from app import theme
from app.widgets.format import byte_size, clock_time, duration_ms
from broker.mesh.answers import CallRecord
from broker.mesh.subject import Subject

Index = QModelIndex | QPersistentModelIndex
HEADINGS = ("ended", "action", "caller", "from", "to", "duration", "outcome", "request", "answer")
DURATION_COLUMN, OUTCOME_COLUMN = 5, 6
SIGNS = {"ok": "", "failed": "▲ ", "timed_out": "◷ ", "no_answer": "◷ "}


def outcome_text(call: CallRecord) -> str:
    """How a call ended, in words, with its error."""
    if call.outcome == "ok":
        return "ok"
    return SIGNS.get(call.outcome, "") + (call.error or call.outcome.replace("_", " "))


class CallRows(QAbstractTableModel):
    """A view on a list of calls; it is replaced as a whole, since it is short."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._calls: list[CallRecord] = []

    def show_calls(self, calls: Sequence[CallRecord]) -> None:
        """Show these instead of what was shown."""
        self.beginResetModel()
        self._calls = list(calls)
        self.endResetModel()

    def call_at(self, row: int) -> CallRecord:
        """The call in a row."""
        return self._calls[row]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """As many as were given."""
        return 0 if parent.isValid() else len(self._calls)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Those of HEADINGS."""
        return 0 if parent.isValid() else len(HEADINGS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        """Headings."""
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return HEADINGS[section]
        return None

    def data(self, index: Index, role: int = 0) -> Any:
        """Formatted cells."""
        if not index.isValid():
            return None
        call, column = self._calls[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return _cells(call)[column]
        if role == Qt.ItemDataRole.TextAlignmentRole and column in (DURATION_COLUMN, 7, 8):
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.ForegroundRole and column == OUTCOME_COLUMN:
            colours = theme.current()
            return QColor(colours.ok if call.outcome == "ok" else colours.failed)
        return None


def _cells(call: CallRecord) -> tuple[str, ...]:
    return (
        clock_time(call.end_ns, with_ms=True),
        call.action,
        call.caller or "outside services",
        call.source,
        call.target,
        duration_ms(call.duration_ms),
        outcome_text(call),
        byte_size(call.request_size),
        byte_size(call.response_size),
    )


class CallList(QWidget):
    """The table; a chosen row is told as the subject of its call."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = CallRows(self)
        table = QTableView()
        table.setAccessibleName("Calls, newest first")
        table.setModel(self._rows)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(26)
        header = table.horizontalHeader()
        for number, width in enumerate((104, 170, 120, 110, 110, 80, 150, 70, 70)):
            header.resizeSection(number, width)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        table.selectionModel().currentRowChanged.connect(self._on_row)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(table)

    def show_calls(self, calls: Sequence[CallRecord]) -> None:
        """Show these instead of what was shown."""
        self._rows.show_calls(calls)

    def _on_row(self, current: QModelIndex) -> None:
        if current.isValid():
            call = self._rows.call_at(current.row())
            self.chosen.emit(Subject("call", call.namespace, call.action, call.target, call.address))
