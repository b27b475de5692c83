"""A tree of decoded data: makes rows when they are looked at, so that ten megabytes open as fast as ten bytes."""

from __future__ import annotations

import json
from typing import Any, Final

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from app.items.records import TONE_ROLE
from app.widgets.format import count

Index = QModelIndex | QPersistentModelIndex

KEY_ROLE: Final = int(Qt.ItemDataRole.UserRole) + 40
"""Key or place of a value in what holds it; "" for the root."""
BATCH: Final = 200
"""Rows that are made at once."""
MOST_LETTERS: Final = 400
_PREVIEWED: Final = 4
_PREVIEW_LETTERS: Final = 24
MASKED: Final = "***"
MASKED_TEXT: Final = "•••• masked"


class _Node:
    """A value and where it is. Its children are made when they are wanted."""

    __slots__ = ("children", "key", "parent", "row", "value")

    def __init__(self, key: str, value: Any, parent: _Node | None, row: int) -> None:
        self.key, self.value, self.parent, self.row = key, value, parent, row
        self.children: list[_Node] = []

    @property
    def size(self) -> int:
        """How many values it holds."""
        return len(self.value) if isinstance(self.value, dict | list) else 0

    def grow(self, by: int) -> None:
        """Make some more children."""
        begin = len(self.children)
        end = min(self.size, begin + by)
        if isinstance(self.value, dict):
            keys = list(self.value)[begin:end]
            pairs = [(str(key), self.value[key]) for key in keys]
        else:
            pairs = [(f"[{number}]", self.value[number]) for number in range(begin, end)]
        self.children += [_Node(key, item, self, begin + n) for n, (key, item) in enumerate(pairs)]


class ValueModel(QAbstractItemModel):
    """One column: values with their keys. Holds the value it shows and no copy."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._root: _Node | None = None

    def show_value(self, value: Any) -> None:
        """Show another value."""
        self.beginResetModel()
        self._root = _Node("", value, None, 0)
        self.endResetModel()

    def clear(self) -> None:
        """Show nothing."""
        self.beginResetModel()
        self._root = None
        self.endResetModel()

    def value(self, index: Index) -> Any:
        """The value of a row; None for no row."""
        node = self._node(index)
        return node.value if node is not None else None

    def path(self, index: Index) -> str:
        """Where a value is: ``lines[1].sku``."""
        parts: list[str] = []
        node = self._node(index)
        while node is not None and node.parent is not None:
            parts.append(node.key)
            node = node.parent
        return ".".join(reversed(parts)).replace(".[", "[")

    def _node(self, index: Index) -> _Node | None:
        return index.internalPointer() if index.isValid() else None

    # what Qt asks

    def index(self, row: int, column: int, parent: Index = QModelIndex()) -> QModelIndex:  # noqa: B008
        """A row of a value, or the root."""
        if column != 0 or row < 0:
            return QModelIndex()
        if not parent.isValid():
            return self.createIndex(0, 0, self._root) if self._root is not None and row == 0 else QModelIndex()
        children = self._node(parent).children  # type: ignore[union-attr]  # valid
        return self.createIndex(row, 0, children[row]) if row < len(children) else QModelIndex()

    def parent(self, index: Index) -> QModelIndex:  # type: ignore[override]  # Qt has another without argument
        """What holds a value."""
        node = self._node(index)
        if node is None or node.parent is None:
            return QModelIndex()
        return self.createIndex(node.parent.row, 0, node.parent)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Rows made so far."""
        if not parent.isValid():
            return int(self._root is not None)
        return len(self._node(parent).children)  # type: ignore[union-attr]

    def columnCount(self, _parent: Index = QModelIndex()) -> int:  # noqa: B008
        """One."""
        return 1

    def hasChildren(self, parent: Index = QModelIndex()) -> bool:  # noqa: B008
        """Whether it holds values, made or not."""
        if not parent.isValid():
            return self._root is not None
        return self._node(parent).size > 0  # type: ignore[union-attr]

    def canFetchMore(self, parent: Index) -> bool:
        """Whether there are values without rows."""
        node = self._node(parent)
        return node is not None and len(node.children) < node.size

    def fetchMore(self, parent: Index) -> None:
        """Make some more rows."""
        node = self._node(parent)
        if node is None or len(node.children) >= node.size:
            return
        begin = len(node.children)
        end = min(node.size, begin + BATCH)
        self.beginInsertRows(self.createIndex(node.row, 0, node), begin, end - 1)
        node.grow(BATCH)
        self.endInsertRows()

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text, key, tone."""
        node = self._node(index)
        if node is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return text_of(node.value)
        if role == KEY_ROLE:
            return node.key
        if role == TONE_ROLE:
            return tone_of(node.value)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{node.key}: {text_of(node.value)}" if node.key else text_of(node.value)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self.path(index) or None
        return None


def text_of(value: Any) -> str:
    """A value in a line: cut when it is long, a glance into objects."""
    if isinstance(value, dict):
        return _preview(value) if value else "{}"
    if isinstance(value, list):
        return f"[{count(len(value))}]"
    if value == MASKED:
        return MASKED_TEXT
    if isinstance(value, str) and len(value) > MOST_LETTERS:
        return f"{json.dumps(value[:MOST_LETTERS], ensure_ascii=False)[:-1]}… {count(len(value))} letters"
    return json.dumps(value, ensure_ascii=False)


def tone_of(value: Any) -> str:
    """The colour of a value: texts as what is right, masked ones as what is held, null and containers dim."""
    if value == MASKED:
        return "held"
    if isinstance(value, str):
        return "ok"
    return "dim" if value is None or isinstance(value, dict | list) else ""


def _preview(value: dict[Any, Any]) -> str:
    parts = []
    for key, item in list(value.items())[:_PREVIEWED]:
        if isinstance(item, dict):
            told = "{…}" if item else "{}"
        else:
            told = text_of(item) if not isinstance(item, str) or item == MASKED else _short(item)
        parts.append(f"{key}: {told}")
    more = ", …" if len(value) > _PREVIEWED else ""
    return "{ " + ", ".join(parts) + f"{more} }}"


def _short(text: str) -> str:
    cut = text if len(text) <= _PREVIEW_LETTERS else f"{text[:_PREVIEW_LETTERS]}…"
    return json.dumps(cut, ensure_ascii=False)
