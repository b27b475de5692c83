"""The columns of a table: as it came, as its view wants them, and as its user set them, who has the last word."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHeaderView, QMenu, QTableView

from app.items.records import LEFT, Column

LEAST_PX, MOST_PX = 40, 2000


class TableColumns(QObject):
    """Widths, order and presence of columns. Everything here is by number as the table was made; kept by title."""

    changed = Signal()
    """Its user set a width, moved a column, showed or hid one, or wants all as it came."""

    def __init__(self, table: QTableView, columns: Sequence[Column[Any]]) -> None:
        super().__init__(table)
        self._table, self._columns = table, tuple(columns)
        self._widths: dict[int, int] = {}  # as its user set them
        self._shown: dict[int, bool] = {}  # as its user chose
        self._wanted = [column.shown for column in self._columns]  # as the view wants
        self._is_ours = False
        self._set_header()
        with self._ours():
            self._apply()

    @property
    def _header(self) -> QHeaderView:
        # found anew each time: its wrapper does not always live as long as the header
        return self._table.horizontalHeader()

    def _set_header(self) -> None:
        header = self._header
        header.setHighlightSections(False)
        header.setSectionsMovable(True)
        header.setSectionsClickable(True)
        header.setMinimumSectionSize(LEAST_PX)
        header.setDefaultAlignment(LEFT)
        header.setTextElideMode(Qt.TextElideMode.ElideRight)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._open_menu)
        header.sectionResized.connect(self._on_resized)
        header.sectionMoved.connect(self._on_moved)

    @contextmanager
    def _ours(self) -> Iterator[None]:
        """What changes in here was not done by the user."""
        before, self._is_ours = self._is_ours, True
        try:
            yield
        finally:
            self._is_ours = before

    # what a view wants

    def hide(self, numbers: Collection[int]) -> None:
        """Hide just these of the columns that are there by default; the others take their room."""
        for number, column in enumerate(self._columns):
            if column.shown:
                self._wanted[number] = number not in numbers
        with self._ours():
            self._apply()

    def show(self, title: str, *, is_shown: bool) -> None:
        """Show or hide a column, unless its user chose otherwise."""
        for number, column in enumerate(self._columns):
            if column.title == title and self._wanted[number] != is_shown:
                self._wanted[number] = is_shown
                with self._ours():
                    self._apply()

    def stretch(self) -> None:
        """Columns without a width of their own share what the others leave."""
        shown = [number for number in range(len(self._columns)) if not self._header.isSectionHidden(number)]
        elastic = [number for number in shown if not self._columns[number].width and number not in self._widths]
        if elastic:
            taken = sum(self._header.sectionSize(number) for number in shown if number not in elastic)
            rest = self._table.viewport().width() - taken
            with self._ours():
                for number in elastic:
                    self._header.resizeSection(number, max(self._columns[number].least, rest // len(elastic)))

    def _apply(self) -> None:
        for number, column in enumerate(self._columns):
            self._header.setSectionHidden(number, not self._shown.get(number, self._wanted[number]))
            if column.width or number in self._widths:
                self._header.resizeSection(number, self._widths.get(number, column.width))
        self.stretch()

    # what a user sets

    def _on_resized(self, number: int, _before: int, width: int) -> None:
        if not self._is_ours and width > 0:
            self._widths[number] = width
            self.changed.emit()

    def _on_moved(self, *_places: int) -> None:
        if not self._is_ours:
            self.changed.emit()

    def choose(self, number: int, *, is_shown: bool) -> None:
        """Its user shows or hides a column."""
        self._shown[number] = is_shown
        with self._ours():
            self._apply()
        self.changed.emit()

    def reset(self) -> None:
        """Everything as it came."""
        self._widths.clear()
        self._shown.clear()
        with self._ours():
            for number in range(len(self._columns)):
                self._header.moveSection(self._header.visualIndex(number), number)
            self._apply()
        self.changed.emit()

    def menu(self) -> QMenu:
        """Which columns are there."""
        menu = QMenu(self._table)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for number, column in enumerate(self._columns):
            action = QAction(column.title, menu, checkable=True, checked=not self._header.isSectionHidden(number))
            action.toggled.connect(lambda is_shown, number=number: self.choose(number, is_shown=is_shown))
            menu.addAction(action)
        menu.addSeparator()
        menu.addAction("All as at first", self.reset)
        return menu

    def _open_menu(self, at: QPoint) -> None:
        self.menu().popup(self._header.mapToGlobal(at))

    # what is kept

    def state(self) -> dict[str, Any]:
        """What its user set, by titles, as JSON knows it; empty if all is as it came."""
        names = [_name(number, column) for number, column in enumerate(self._columns)]
        order = [names[self._header.logicalIndex(place)] for place in range(len(names))]
        state: dict[str, Any] = {}
        if order != names:
            state["order"] = order
        if self._widths:
            state["widths"] = {names[number]: width for number, width in self._widths.items()}
        if self._shown:
            state["shown"] = {names[number]: is_shown for number, is_shown in self._shown.items()}
        return state

    def restore(self, state: dict[str, Any]) -> None:
        """Take what was kept. What it does not know, or what makes no sense, is left as it came."""
        numbers = {_name(number, column): number for number, column in enumerate(self._columns)}
        widths, shown, order = (state.get(name) for name in ("widths", "shown", "order"))
        for name, width in widths.items() if isinstance(widths, dict) else ():
            if name in numbers and isinstance(width, int):
                self._widths[numbers[name]] = min(MOST_PX, max(LEAST_PX, width))
        for name, is_shown in shown.items() if isinstance(shown, dict) else ():
            if name in numbers and isinstance(is_shown, bool):
                self._shown[numbers[name]] = is_shown
        with self._ours():
            known = [name for name in order if name in numbers] if isinstance(order, list) else []
            for place, name in enumerate(known):
                self._header.moveSection(self._header.visualIndex(numbers[name]), place)
            self._apply()


def _name(number: int, column: Column[Any]) -> str:
    return column.title or f"column {number + 1}"


def hidden_rows(table: QTableView, row_px: int) -> None:
    """Rows of one height, without numbers before them."""
    rows = table.verticalHeader()
    rows.setVisible(False)
    rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    rows.setDefaultSectionSize(row_px)
    rows.setMinimumSectionSize(row_px)
