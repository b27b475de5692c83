"""A table for many rows: flat, paints only what is seen, keeps its place when rows come and go."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Sequence
from typing import Any

from PySide6.QtCore import QByteArray, QModelIndex, QPersistentModelIndex, QPoint, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QAction,
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
    QHeaderView,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from app import theme
from app.items.records import BAR_ROLE, BELOW_ROLE, LEFT, TONE_ROLE, Column, Records

ROW_PX = 28
PADDING_PX = 10
ELASTIC_PX = 150
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
        self._set_headers(columns, row_px)
        self._key, self._sort, self._is_descending = key, sorted_by, is_descending
        self._is_showing = False
        self._show_sort()
        self.selectionModel().currentRowChanged.connect(self._on_current)
        self.doubleClicked.connect(lambda index: self._open(index.row()))

    def _set_headers(self, columns: Sequence[Column[Any]], row_px: int) -> None:
        rows = self.verticalHeader()
        rows.setVisible(False)
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(row_px)
        rows.setMinimumSectionSize(row_px)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsMovable(True)
        header.setSectionsClickable(True)
        header.setMinimumSectionSize(40)
        header.setDefaultAlignment(LEFT)
        header.setTextElideMode(Qt.TextElideMode.ElideRight)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._choose_columns)
        header.sectionClicked.connect(self._sort_by)
        for number, column in enumerate(columns):
            self.setColumnHidden(number, not column.shown)
            self.setColumnWidth(number, column.width or ELASTIC_PX)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Columns without a width of their own share what the others leave."""
        super().resizeEvent(event)
        self.resized.emit()
        self._stretch()

    def hide_columns(self, numbers: Collection[int]) -> None:
        """Hide just these of the columns that are there by default; the others take their room."""
        for number, column in enumerate(self.records.columns):
            if column.shown:
                self.setColumnHidden(number, number in numbers)
        self._stretch()

    def _stretch(self) -> None:
        shown = [number for number in range(len(self.records.columns)) if not self.isColumnHidden(number)]
        elastic = [number for number in shown if not self.records.columns[number].width]
        if elastic:
            rest = self.viewport().width() - sum(self.columnWidth(number) for number in shown if number not in elastic)
            for number in elastic:
                self.setColumnWidth(number, max(ELASTIC_PX, rest // len(elastic)))

    def show_column(self, title: str, *, is_shown: bool) -> None:
        """Show or hide a column."""
        for number, column in enumerate(self.records.columns):
            if column.title == title and self.isColumnHidden(number) == is_shown:
                self.setColumnHidden(number, not is_shown)
                self._stretch()

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

    def header_state(self) -> str:
        """Widths and order of its columns, to be kept."""
        return bytes(self.horizontalHeader().saveState().toBase64().data()).decode()

    def restore(self, state: str) -> None:
        """Take widths and order of columns from a kept state."""
        if state:
            self.horizontalHeader().restoreState(QByteArray.fromBase64(state.encode()))
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

    def _show_sort(self) -> None:
        order = Qt.SortOrder.DescendingOrder if self._is_descending else Qt.SortOrder.AscendingOrder
        header = self.horizontalHeader()
        header.setSortIndicatorShown(True)
        header.setSortIndicator(self._sort, order)

    def _choose_columns(self, at: QPoint) -> None:
        menu = QMenu(self)
        for number, column in enumerate(self.records.columns):
            action = QAction(column.title, menu, checkable=True, checked=not self.isColumnHidden(number))
            action.toggled.connect(lambda shown, number=number: self.setColumnHidden(number, not shown))
            menu.addAction(action)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.horizontalHeader().mapToGlobal(at))
