"""Lists, tuples and records: rows that come, go and change places."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.widgets.controls import button, column, label, row, set_text
from app.widgets.form.group import GroupNode
from app.widgets.form.node import Node, Owner, build, name_of
from broker.operate.forms import Field
from broker.operate.forms.field import Path
from broker.operate.forms.form import ANYTHING
from broker.operate.forms.paths import at, moved, removed, renamed
from broker.operate.forms.unions import blank_of
from broker.operate.forms.words import plural
from broker.validation import UNDEFINED

PAGE = 40
"""So many rows are shown at once; the others on request."""


class _Row(QWidget):
    """An item with what moves and removes it; for a record with its key."""

    def __init__(self, node: Node, above: QWidget | None, buttons: list[QPushButton]) -> None:
        super().__init__()
        self.node, self.above, self.buttons = node, above, buttons
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(4)
        heading = node.tools_line() if above is None else None
        if heading is not None:
            for each in buttons:
                heading.addWidget(each)
            outer.addWidget(node)
            return
        node.drop_name()
        named = label(name_of(node.field, node.path), "small")
        named.setMinimumWidth(14)
        tools = column(row(*buttons, spacing=0), None, spacing=0)
        if above is not None:
            line = row(above, tools, spacing=4)
            line.setStretch(0, 1)
            outer.addLayout(line)
            outer.addWidget(node)
        else:
            line = row(column(6, named, None, spacing=0), node, tools, spacing=4)
            line.setStretch(1, 1)
            outer.addLayout(line)

    def stops(self) -> Iterator[QWidget]:
        """The key, the item, the buttons."""
        if self.above is not None:
            yield self.above
        yield from self.node.stops()
        yield from self.buttons


class RowsNode(GroupNode):
    """What lists and records have in common."""

    def __init__(self, field: Field, path: Path, owner: Owner) -> None:
        super().__init__(field, path, owner)
        self.rows: list[_Row] = []
        self._page = PAGE
        self.more = button("", self._show_more, role="link")
        self.new = button("Add an item", self.add, role="link", icon="plus", name=f"Add an item to {self._name}")
        self.column.addLayout(row(self.new, self.more, None))
        self.column.setSpacing(8)

    def add(self) -> None:
        """Put in one item more."""
        raise NotImplementedError

    def keys(self) -> list[str | int]:
        """What names the rows."""
        raise NotImplementedError

    def make_row(self, key: str | int) -> _Row:
        """A row for an item."""
        raise NotImplementedError

    def fill(self) -> None:
        """As many rows as items, up to a page."""
        keys = self.keys()
        shown = keys[: self._page]
        is_other = [each.node.path[-1] for each in self.rows[: len(shown)]] != shown[: len(self.rows)]
        kept = 0 if is_other else min(len(self.rows), len(shown))
        for each in self.rows[kept:]:
            each.hide()
            each.deleteLater()
            self.column.removeWidget(each)
        is_changed = kept != len(self.rows) or kept != len(shown)
        del self.rows[kept:]
        for key in shown[kept:]:
            made = self.make_row(key)
            self.rows.append(made)
            self.column.insertWidget(len(self.rows) - 1, made)
        for each in self.rows:
            each.node.display(self._item(each.node.path[-1]), self.told)
        left = len(keys) - len(shown)
        self.more.setVisible(left > 0)
        set_text(self.more, f"Show {min(PAGE, left)} of {left} more" if left > 0 else "")
        if is_changed:
            self.owner.rearranged()

    def _item(self, key: str | int) -> Any:
        return at(self.part, (key,))

    def _show_more(self) -> None:
        self._page += PAGE
        self.fill()

    def set_part(self, part: Any) -> None:
        """A person changed the rows."""
        self.owner.touch(self.path)
        self.owner.edit(self.path, part)

    def focus_row(self, place: int) -> None:
        """Go to the first place of a row."""
        if 0 <= place < len(self.rows):
            stop = next(iter(self.rows[place].stops()), None)
            if stop is not None:
                stop.setFocus()

    def reveal(self, path: Path) -> None:
        """Show so many rows that it is among them."""
        keys = self.keys()
        if len(path) > len(self.path) and path[len(self.path)] in keys:
            self._page = max(self._page, keys.index(path[len(self.path)]) + 1)
            self.display(self.part, self.told)
        super().reveal(path)

    def children_nodes(self) -> Iterator[Node]:
        """Items, in order."""
        for each in self.rows:
            yield each.node

    def inner_stops(self) -> Iterator[QWidget]:
        """Row after row, then what adds one."""
        for each in self.rows:
            yield from each.stops()
        yield from (self.new, self.more)


class ListNode(RowsNode):
    """An array, or a tuple, whose rows are what the schema says."""

    def __init__(self, field: Field, path: Path, owner: Owner) -> None:
        super().__init__(field, path, owner)
        self._is_tuple = field.kind == "tuple" and bool(field.fields)
        self.new.setVisible(not self._is_tuple)

    def is_mine(self, part: Any) -> bool:
        """Lists."""
        return isinstance(part, list)

    def summary(self, part: Any) -> str:
        """How many items."""
        return plural(len(part), "item") if isinstance(part, list) else ""

    @property
    def _items(self) -> list[Any]:
        return self.part if isinstance(self.part, list) else []

    def keys(self) -> list[str | int]:
        """Places, from 0."""
        count = max(len(self._items), len(self.field.fields) if self._is_tuple else 0)
        return list(range(count))

    def _item(self, key: str | int) -> Any:
        item = super()._item(key)
        return UNDEFINED if item is None and self._is_tuple else item

    def make_row(self, key: str | int) -> _Row:
        """An item with three buttons; a place of a tuple stays where it is."""
        place = int(key)
        buttons = []
        if not self._is_tuple or place >= len(self.field.fields):
            name = f"item {place + 1} of {self._name}"
            buttons = [
                button("", lambda: self._move(place, -1), role="flat", icon="chevron-up", name=f"Move {name} up"),
                button("", lambda: self._move(place, 1), role="flat", icon="chevron-down", name=f"Move {name} down"),
                button("", lambda: self._remove(place), role="flat", icon="close", name=f"Remove {name}"),
            ]
        return _Row(build(self._field_of(place), (*self.path, place), self.owner), None, buttons)

    def _field_of(self, place: int) -> Field:
        if self._is_tuple:
            return self.field.fields[place] if place < len(self.field.fields) else ANYTHING
        return self.field.item or ANYTHING

    def add(self) -> None:
        """One item at the end, as it starts."""
        item = self.field.item or ANYTHING
        self._page = max(self._page, len(self._items) + 1)
        self.set_part([*self._items, blank_of(item)])
        self.focus_row(len(self.rows) - 1)

    def _move(self, place: int, by: int) -> None:
        to = max(0, min(place + by, len(self._items) - 1))
        self.set_part(moved(self._items, place, to))
        if to < len(self.rows) and self.rows[to].buttons:
            self.rows[to].buttons[0 if by < 0 else 1].setFocus()

    def _remove(self, place: int) -> None:
        self.set_part(removed(self._items, place))
        if self.rows:
            self.focus_row(min(place, len(self.rows) - 1))
        else:
            self.new.setFocus()


class RecordNode(RowsNode):
    """An object whose keys a person writes."""

    def __init__(self, field: Field, path: Path, owner: Owner) -> None:
        super().__init__(field, path, owner)
        set_text(self.new, "Add a key")
        self.new.setAccessibleName(f"Add a key to {self._name}")

    def is_mine(self, part: Any) -> bool:
        """Objects."""
        return isinstance(part, dict)

    def summary(self, part: Any) -> str:
        """How many keys."""
        return plural(len(part), "key") if isinstance(part, dict) else ""

    @property
    def _fields(self) -> dict[str, Any]:
        return self.part if isinstance(self.part, dict) else {}

    def keys(self) -> list[str | int]:
        """As they stand."""
        return list(self._fields)

    def make_row(self, key: str | int) -> _Row:
        """A key above its value."""
        name = str(key)
        line = QLineEdit(name)
        line.setAccessibleName(f"Key of {self._name}")
        line.setPlaceholderText("key")
        line.editingFinished.connect(lambda: self._rename(name, line))
        taken = label("", "small", tone="failed")
        taken.hide()
        above = QWidget()
        above.setFocusProxy(line)
        above.setLayout(column(line, taken, spacing=2))
        line.textEdited.connect(lambda text: self._say_taken(taken, name, text))
        remove = button(
            "", lambda: self._remove(name), role="flat", icon="close", name=f"Remove {name} of {self._name}"
        )
        node = build(self.field.item or ANYTHING, (*self.path, name), self.owner)
        return _Row(node, above, [remove])

    def _say_taken(self, taken: QLabel, old: str, new: str) -> None:
        is_taken = new != old and new in self._fields
        taken.setText(f"▲ there is a key '{new}' already" if is_taken else "")
        taken.setVisible(is_taken)

    def _rename(self, old: str, line: QLineEdit) -> None:
        new = line.text()
        if new == old or old not in self._fields:
            return
        if new in self._fields:
            line.setText(old)
            return
        place = list(self._fields).index(old)
        self.set_part(renamed(self._fields, old, new))
        if place < len(self.rows):
            stops = list(self.rows[place].node.stops())
            (stops[0] if stops else self.rows[place]).setFocus()

    def add(self) -> None:
        """A key without a name, to be written."""
        number, key = 1, "key"
        while key in self._fields:
            number, key = number + 1, f"key{number + 1}"
        item = self.field.item or ANYTHING
        self._page = max(self._page, len(self._fields) + 1)
        self.set_part({**self._fields, key: blank_of(item)})
        self.focus_row(len(self.rows) - 1)
        line = self.rows[-1].findChild(QLineEdit) if self.rows else None
        if line is not None:
            line.selectAll()

    def _remove(self, key: str) -> None:
        self.set_part({name: each for name, each in self._fields.items() if name != key})
        self.new.setFocus()
