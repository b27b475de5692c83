"""A table for many rows: flat, paints only what is seen, keeps its place when rows come and go."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFont,
    QGuiApplication,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from app import theme
from app.items.records import BAR_ROLE, BELOW_ROLE, LEFT, TONE_ROLE, Column, Records
from app.widgets.table_columns import TableColumns, hidden_rows

ROW_PX = 28
PADDING_PX = 10
Index = QModelIndex | QPersistentModelIndex


class CellDelegate(QStyledItemDelegate):
    """Paints a cell: a line below, a bar behind numbers, text in its tone. Much cheaper than a styled item."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """One cell."""
        colours = theme.current()
        box: QRect = option.rect
        state: QStyle.StateFlag = option.state
        is_selected = bool(state & QStyle.StateFlag.State_Selected)
        ground = colours.selected if is_selected else colours.surface1
        painter.fillRect(box, QColor(ground))
        painter.fillRect(QRect(box.left(), box.bottom(), box.width(), 1), QColor(colours.surface3))
        share = index.data(BAR_ROLE)
        if share is not None:
            self._paint_bar(painter, box, float(share), colours)
        tone = index.data(TONE_ROLE)
        colour = colours.ink(colours.colours()[tone], ground) if tone else colours.text
        inside = box.adjusted(PADDING_PX, 0, -PADDING_PX, -1)
        font: QFont = option.font
        painter.setFont(font)
        painter.setPen(QColor(colour))
        text = index.data(Qt.ItemDataRole.DisplayRole) or ""
        below = index.data(BELOW_ROLE)
        if below:
            inside = self._paint_below(painter, inside, below, colours.ink(colours.dim, ground))
            painter.setFont(font)
            painter.setPen(QColor(colour))
        fitted = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, inside.width())
        painter.drawText(inside, index.data(Qt.ItemDataRole.TextAlignmentRole) or LEFT, fitted)
        if state & QStyle.StateFlag.State_HasFocus and not is_selected:
            painter.setPen(QColor(colours.accent))
            painter.drawRect(box.adjusted(0, 0, -1, -2))

    @staticmethod
    def _paint_below(painter: QPainter, inside: QRect, text: str, colour: str) -> QRect:
        """The second line of a cell. Where the first one goes."""
        half = inside.height() // 2
        painter.setFont(theme.font(theme.SMALL_PX))
        painter.setPen(QColor(colour))
        lower = inside.adjusted(0, half, 0, -2)
        fitted = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, lower.width())
        painter.drawText(lower, LEFT, fitted)
        return inside.adjusted(0, 4, 0, -half)

    @staticmethod
    def _paint_bar(painter: QPainter, box: QRect, share: float, colours: theme.Theme) -> None:
        width = (box.width() - 8) * min(1.0, max(0.0, share))
        colour = colours.failed if share >= 0.8 else colours.slow if share >= 0.6 else colours.accent
        painter.fillRect(QRectF(box.left() + 4, box.bottom() - 4, width, 2), QColor(colour))


class RecordTable(QTableView):
    """Shows `Records`. Enter or a double click drills in; the header's menu chooses columns."""

    chosen = Signal(object)
    """The record that was selected, or None."""
    opened = Signal(object)
    """The record that was drilled into."""
    sort_changed = Signal()
    resized = Signal()
    """There is more or less room for columns."""
    set_by_user = Signal()
    """Its user changed columns or sorting: `memory` is worth keeping."""

    def __init__(
        self,
        name: str,
        columns: Sequence[Column[Any]],
        key: Callable[[Any], Hashable],
        parent: QWidget | None = None,
        *,
        sorted_by: int = 0,
        is_descending: bool = False,
        row_px: int = ROW_PX,
        nothing: str = "",
    ) -> None:
        """
        Args:
            name: What it shows.
            columns: Of a row.
            key: What a row is known by.
            parent: Of the widget.
            sorted_by: The column that rows are sorted by at first.
            is_descending: Whether largest first.
            row_px: How high a row is.
            nothing: What it says while it has no rows.
        """
        super().__init__(parent)
        self._nothing = nothing
        self.setAccessibleName(name)
        self.records: Records[Any] = Records(columns, key, self)
        self.setModel(self.records)
        self.setItemDelegate(CellDelegate(self))
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerItem)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.setFrameShape(QTableView.Shape.NoFrame)
        hidden_rows(self, row_px)
        self.columns = TableColumns(self, columns)
        self.columns.changed.connect(self.set_by_user)
        self.horizontalHeader().sectionClicked.connect(self._sort_by)
        self._key, self._sort, self._is_descending = key, sorted_by, is_descending
        self._first_sort = self._sort, self._is_descending
        self._is_showing = False
        self._show_sort()
        self.selectionModel().currentRowChanged.connect(self._on_current)
        self.doubleClicked.connect(lambda index: self._open(index.row()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Columns without a width of their own share what the others leave."""
        super().resizeEvent(event)
        self.resized.emit()
        self.columns.stretch()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Rows, or a word instead of them."""
        super().paintEvent(event)
        if self._nothing and not self.records.rowCount():
            painter = QPainter(self.viewport())
            painter.setPen(QColor(theme.current().dim))
            painter.drawText(self.viewport().rect(), int(Qt.AlignmentFlag.AlignCenter), self._nothing)
            painter.end()

    # what it shows

    def show_records(self, records: Sequence[Any]) -> None:
        """Show these, in this order. Selection stays on its record, and the top row stays on top."""
        bar = self.verticalScrollBar()
        top = self.records.key_at(bar.value()) if bar.value() > 0 else None
        self._is_showing = True
        self.records.show(records)
        self._is_showing = False
        if top is not None:
            row = self.records.row_of(top)
            if row >= 0 and row != bar.value():
                bar.setValue(row)

    def select(self, key: Hashable | None) -> None:
        """Select the record with this key without telling anybody; nothing if there is none."""
        row = self.records.row_of(key) if key is not None else -1
        self._is_showing = True
        if row < 0:
            self.clearSelection()
            self.setCurrentIndex(QModelIndex())
        elif row != self.currentIndex().row():
            self.selectRow(row)
        self._is_showing = False

    @property
    def order(self) -> tuple[Column[Any], bool]:
        """What rows shall be sorted by, and whether largest first."""
        return self.records.columns[self._sort], self._is_descending

    def texts(self) -> list[list[str]]:
        """What every cell says, row by row; for copying and for tests."""
        columns = [number for number in range(len(self.records.columns)) if not self.isColumnHidden(number)]
        model = self.records
        return [[model.data(model.index(row, column)) for column in columns] for row in range(model.rowCount())]

    def memory(self) -> dict[str, Any]:
        """What its user set: columns and sorting, as JSON knows it; empty if all is as it came."""
        state = self.columns.state()
        if (self._sort, self._is_descending) != self._first_sort:
            state["sorted_by"] = self.records.columns[self._sort].title
            state["descending"] = self._is_descending
        return state

    def restore(self, state: dict[str, Any]) -> None:
        """Take columns and sorting as they were kept."""
        self.columns.restore(state)
        titles = [column.title for column in self.records.columns]
        if state.get("sorted_by") in titles:
            self._sort, self._is_descending = titles.index(state["sorted_by"]), state.get("descending") is True
            self._show_sort()

    # what a user does

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter drills in; Ctrl+C copies the row as text with tabs."""
        row = self.currentIndex().row()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and row >= 0:
            self._open(row)
        elif event.modifiers() & Qt.KeyboardModifier.ControlModifier and event.key() == Qt.Key.Key_C and row >= 0:
            QGuiApplication.clipboard().setText("\t".join(self.texts()[row]))
        elif event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Backspace, Qt.Key.Key_Slash):
            event.ignore()  # the window's keys, not those of a search in the first column
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Whoever comes with the keyboard sees where it is. Nothing is chosen by that.

        Qt makes a row current by itself here, and focus also comes when what had it is hidden.
        """
        had_row = self.currentIndex().isValid()
        by_keys = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        self._is_showing = True
        super().focusInEvent(event)
        if by_keys and not had_row and self.records.rowCount():
            self.selectRow(0)
        self._is_showing = False

    def keyboardSearch(self, search: str) -> None:
        """Nothing: the filter box and Ctrl+K search."""

    def _on_current(self, current: QModelIndex, _before: QModelIndex) -> None:
        if not self._is_showing:
            self.chosen.emit(self.records.record(current.row()))

    def _open(self, row: int) -> None:
        record = self.records.record(row)
        if record is not None:
            self.opened.emit(record)

    def _sort_by(self, section: int) -> None:
        if section == self._sort:
            self._is_descending = not self._is_descending
        else:
            self._sort, self._is_descending = section, self.records.columns[section].is_number
        self._show_sort()
        self.sort_changed.emit()
        self.set_by_user.emit()

    def _show_sort(self) -> None:
        order = Qt.SortOrder.DescendingOrder if self._is_descending else Qt.SortOrder.AscendingOrder
        header = self.horizontalHeader()
        header.setSortIndicatorShown(True)
        header.setSortIndicator(self._sort, order)
