"""A table of records: shows the latest answer, holds nothing else, and never loses a selection."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Generic, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

Record = TypeVar("Record")
Index = QModelIndex | QPersistentModelIndex

RECORD_ROLE: Final = int(Qt.ItemDataRole.UserRole) + 20
TONE_ROLE: Final = int(Qt.ItemDataRole.UserRole) + 21
"""A tone of `app.widgets.controls`: "", ok, slow, failed, held, dim."""
BELOW_ROLE: Final = int(Qt.ItemDataRole.UserRole) + 23
"""The second line of a cell; None for none."""
BAR_ROLE: Final = int(Qt.ItemDataRole.UserRole) + 22
"""A share from 0 to 1, drawn as a bar behind the number; None for none."""

LEFT: Final = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT: Final = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True, slots=True)
class Column(Generic[Record]):
    """A column of a table of records.

    Attributes:
        title: Its heading.
        text: What a cell says.
        order: What rows are sorted by; the text if left out. Must give values that compare.
        is_number: Whether cells line up at the right, largest first when sorted.
        width: In pixels; 0 takes what is left.
        least: Of one that takes what is left, in pixels: it is never narrower by itself.
        tone: The colour of a cell.
        bar: A share from 0 to 1 that is drawn behind the number.
        note: What its heading explains.
        tip: What a cell explains.
        shown: Whether it is there until a user asks for it.
        below: A second line, small and dim; only in tables whose rows have room for two.
    """

    title: str
    text: Callable[[Record], str]
    order: Callable[[Record], Any] | None = None
    is_number: bool = False
    width: int = 100
    least: int = 150
    tone: Callable[[Record], str] | None = None
    bar: Callable[[Record], float | None] | None = None
    note: str = ""
    tip: Callable[[Record], str] | None = None
    shown: bool = True
    below: Callable[[Record], str] | None = None


def in_order(records: Sequence[Record], column: Column[Record], *, is_descending: bool) -> list[Record]:
    """Records by a column. Called in the worker, never on the GUI thread.

    Args:
        records: In any order; those that compare equal keep theirs.
        column: What to sort by.
        is_descending: Largest first.
    """
    return sorted(records, key=column.order or column.text, reverse=is_descending)


class Records(QAbstractTableModel, Generic[Record]):
    """The latest answer as a table. Rows are known by their key, so selection follows the thing, not the row."""

    def __init__(
        self, columns: Sequence[Column[Record]], key: Callable[[Record], Hashable], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.columns = tuple(columns)
        self._key = key
        self._rows: list[Record] = []
        self._keys: list[Hashable] = []

    def show(self, records: Sequence[Record]) -> None:
        """Show these, in this order, instead of what was shown. Keys must differ from each other."""
        keys = [self._key(record) for record in records]
        if keys == self._keys:
            self._rows = list(records)
        else:
            self._remove_all_but(set(keys))
            self._append_new(records, keys)
            if self._keys != keys:
                self._put_in_order(records, keys)
            self._rows = list(records)
        if self._rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._rows) - 1, len(self.columns) - 1))

    def record(self, row: int) -> Record | None:
        """What a row shows; None where there is no such row."""
        return self._rows[row] if 0 <= row < len(self._rows) else None

    def key_at(self, row: int) -> Hashable:
        """The key of a row; None where there is no such row."""
        return self._keys[row] if 0 <= row < len(self._keys) else None

    def row_of(self, key: Hashable) -> int:
        """Where a key stands; -1 if it does not."""
        try:
            return self._keys.index(key)
        except ValueError:
            return -1

    def _remove_all_but(self, wanted: set[Hashable]) -> None:
        gone = [row for row, key in enumerate(self._keys) if key not in wanted]
        for first, last in reversed(_runs(gone)):
            self.beginRemoveRows(QModelIndex(), first, last)
            del self._rows[first : last + 1]
            del self._keys[first : last + 1]
            self.endRemoveRows()

    def _append_new(self, records: Sequence[Record], keys: list[Hashable]) -> None:
        """Insert what is new: in its place if the rest keeps its order, at the end otherwise."""
        known = set(self._keys)
        new = [place for place, key in enumerate(keys) if key not in known]
        if not new:
            return
        keeps_order = [key for key in keys if key in known] == self._keys
        if not keeps_order:
            self._insert(len(self._keys), [(records[place], keys[place]) for place in new])
            return
        for first, last in _runs(new):
            self._insert(first, [(records[place], keys[place]) for place in range(first, last + 1)])

    def _insert(self, row: int, pairs: list[tuple[Record, Hashable]]) -> None:
        self.beginInsertRows(QModelIndex(), row, row + len(pairs) - 1)
        self._rows[row:row] = [record for record, _ in pairs]
        self._keys[row:row] = [key for _, key in pairs]
        self.endInsertRows()

    def _put_in_order(self, records: Sequence[Record], keys: list[Hashable]) -> None:
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        held = [self._keys[index.row()] for index in before]
        place = {key: row for row, key in enumerate(keys)}
        self._rows, self._keys = list(records), keys
        after = [self.index(place[key], index.column()) for key, index in zip(held, before, strict=True)]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    # Qt

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """As many as the answer has."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Those it was made with."""
        return 0 if parent.isValid() else len(self.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        """Headings and what they explain."""
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        column = self.columns[section]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return column.title
            case Qt.ItemDataRole.ToolTipRole:
                return column.note or None
            case Qt.ItemDataRole.TextAlignmentRole:
                return RIGHT if column.is_number else LEFT
        return None

    def data(self, index: Index, role: int = 0) -> Any:
        """Formatted cells; nothing is computed here but their text."""
        if not index.isValid():
            return None
        record, column = self._rows[index.row()], self.columns[index.column()]
        if role == TONE_ROLE:
            return column.tone(record) if column.tone else ""
        if role == BAR_ROLE:
            return column.bar(record) if column.bar else None
        if role == BELOW_ROLE:
            return column.below(record) if column.below else None
        if role == RECORD_ROLE:
            return record
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return column.text(record).replace("\n", " ")  # a row is one line high
            case Qt.ItemDataRole.AccessibleTextRole:
                below = column.below(record) if column.below else ""
                return f"{column.text(record)}: {below}" if below else column.text(record)
            case Qt.ItemDataRole.TextAlignmentRole:
                return RIGHT if column.is_number else LEFT
            case Qt.ItemDataRole.ToolTipRole:
                return column.tip(record) if column.tip else column.text(record) or None
        return None


def _runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Rising numbers as runs of neighbours: [1, 2, 5] gives [(1, 2), (5, 5)]."""
    if not numbers:
        return []
    breaks = [number for number, (a, b) in enumerate(pairwise(numbers), 1) if b != a + 1]
    begins = [0, *breaks]
    ends = [*breaks, len(numbers)]
    return [(numbers[begin], numbers[end - 1]) for begin, end in zip(begins, ends, strict=True)]
