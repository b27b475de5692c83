"""Rows of the latency table: one action, edge or endpoint each."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor

from app import theme
from app.widgets.format import change_ms, count, duration_ms, percent, rate
from app.widgets.sparkline import CURVE_ROLE
from broker.mesh.answers import ActionRow
from broker.mesh.subject import Subject

Index = QModelIndex | QPersistentModelIndex
SUBJECT_ROLE = int(Qt.ItemDataRole.UserRole) + 1
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class Column(NamedTuple):
    """A column of the table.

    Attributes:
        title: Its heading.
        text: The cell.
        order: What rows are sorted by; larger is worse.
        is_number: Whether it lines up at the right.
        note: Tooltip of its heading.
    """

    title: str
    text: Callable[[ActionRow], str]
    order: Callable[[ActionRow], Any]
    is_number: bool = True
    note: str = ""


def _last(value: float) -> float:
    """NaN sorts below everything."""
    return -math.inf if math.isnan(value) else value


SIGNS = {"none": "", "ok": "", "slow": "◷ ", "failed": "▲ "}


def title_of(row: ActionRow) -> str:
    """What a row is called: an action, an edge with its arrow, an endpoint with its node."""
    subject = row.subject
    if subject.kind == "edge":
        return f"{subject.name.removeprefix('node:')} → {subject.other}"
    if subject.kind == "endpoint":
        return f"{subject.name} on {subject.other}"
    return subject.name


COLUMNS = (
    Column("action", lambda row: SIGNS[row.health] + title_of(row), title_of, False),
    Column("calls/s", lambda row: rate(row.figures.rate), lambda row: row.figures.rate, note="Calls between nodes"),
    Column(
        "failed",
        lambda row: percent(row.figures.error_share * 100),
        lambda row: row.figures.error_share,
        note="Error answers, timeouts and calls without answer, of all calls",
    ),
    Column("p50", lambda row: duration_ms(row.figures.p50_ms), lambda row: _last(row.figures.p50_ms)),
    Column("p90", lambda row: duration_ms(row.figures.p90_ms), lambda row: _last(row.figures.p90_ms)),
    Column("p99", lambda row: duration_ms(row.figures.p99_ms), lambda row: _last(row.figures.p99_ms)),
    Column("p99 over time", lambda _row: "", lambda row: _last(row.figures.p99_ms), False),
    Column(
        "Δ p99",
        lambda row: change_ms(row.p99_change_ms),
        lambda row: _last(row.p99_change_ms),
        note="Change of p99 against the window before",
    ),
    Column(
        "samples",
        lambda row: count(row.figures.completed),
        lambda row: row.figures.completed,
        note="Completed calls: what the percentiles rest on",
    ),
)
FAILED_COLUMN, P99_COLUMN, CURVE_COLUMN, CHANGE_COLUMN = 2, 5, 6, 7


class LatencyRows(QAbstractTableModel):
    """A view on the latest answer; selection follows the subject, not the row."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[ActionRow] = []

    def show_rows(self, rows: Sequence[ActionRow]) -> None:
        """Show these, in this order, instead of what was shown; selection stays on its subjects."""
        same_order = [row.subject for row in rows] == [row.subject for row in self._rows]
        if same_order:
            self._rows = list(rows)
            if rows:
                self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, len(COLUMNS) - 1))
            return
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        subjects = [self._rows[index.row()].subject for index in before]
        self._rows = list(rows)
        place = {row.subject: number for number, row in enumerate(rows)}
        after = [
            self.index(place[subject], index.column()) if subject in place else QModelIndex()
            for index, subject in zip(before, subjects, strict=True)
        ]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def row_of(self, subject: Subject) -> int:
        """Where a subject stands, -1 if it does not."""
        return next((number for number, row in enumerate(self._rows) if row.subject == subject), -1)

    def subject_at(self, row: int) -> Subject:
        """What a row is about."""
        return self._rows[row].subject

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """As many as the answer has."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Those of COLUMNS."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        """Headings, with a note for those that need one."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section].title
        if role == Qt.ItemDataRole.ToolTipRole:
            return COLUMNS[section].note or None
        if role == Qt.ItemDataRole.TextAlignmentRole and COLUMNS[section].is_number:
            return RIGHT
        return None

    def data(self, index: Index, role: int = 0) -> Any:
        """Formatted cells; nothing is computed here."""
        if not index.isValid():
            return None
        row, column = self._rows[index.row()], index.column()
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return COLUMNS[column].text(row)
            case Qt.ItemDataRole.TextAlignmentRole:
                return RIGHT if COLUMNS[column].is_number else None
            case Qt.ItemDataRole.ForegroundRole:
                return _colour(row, column)
            case Qt.ItemDataRole.ToolTipRole:
                return _sum(row) if column else f"{title_of(row)}, namespace {row.subject.namespace or '-'}"
        if role == CURVE_ROLE and column == CURVE_COLUMN:
            return row.spark_ms
        return row.subject if role == SUBJECT_ROLE else None


def _colour(row: ActionRow, column: int) -> QColor | None:
    colours = theme.current()
    if column == FAILED_COLUMN and row.figures.failed:
        return QColor(colours.failed)
    if column in (P99_COLUMN, CHANGE_COLUMN) and row.health == "slow":
        return QColor(colours.slow)
    if row.figures.calls == 0:
        return QColor(colours.dim)
    return None


def _sum(row: ActionRow) -> str:
    figures = row.figures
    return (
        f"{count(figures.calls)} calls: {count(figures.errors)} error answers, {count(figures.timeouts)} timed out, "
        f"{count(figures.no_answer)} without answer. Percentiles of {count(figures.completed)} completed calls."
    )
