"""What holds other fields: a heading that opens and closes, and a body that is made when it is first opened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.widgets.controls import button, label, row, set_text
from app.widgets.form.caption import Caption, Remarks
from app.widgets.form.node import Node, Owner, Told, build, name_of
from broker.operate.forms import Field
from broker.operate.forms.field import Path
from broker.operate.forms.unions import start_of
from broker.operate.forms.words import plural
from broker.validation import UNDEFINED

AT_ONCE, A_FEW = 24, 8
"""So many fields are made at once; the others a few at a time, so that the window lives."""


class GroupNode(Node):
    """A heading with a body. The whole form is one without a heading."""

    def __init__(self, field: Field, path: Path, owner: Owner) -> None:
        super().__init__(field, path, owner)
        self.part: Any = UNDEFINED
        self.told = Told()
        self._name = name_of(field, path)
        self._has_heading = bool(path)
        self._is_open = True
        self._fold = button("▾", self._toggle, role="flat", name=f"Close {self._name}")
        self._add = button("Add", self._put_in, role="link", name=f"Add {self._name}")
        self._leave = button("Leave out", self._leave_out, role="link", name=f"Leave {self._name} out")
        self._count = label("", "small")
        caption = Caption(field, self._name)
        self.heading = QWidget()
        self._line = line = row(self._fold, caption, self._count, self._add, self._leave, spacing=4)
        line.setStretch(1, 1)
        self.heading.setLayout(line)
        if not self._has_heading:
            self.heading.hide()
        self.body = QFrame()
        self.body.setObjectName("formBody" if self._has_heading else "formRoot")
        self.column = QVBoxLayout(self.body)
        self.column.setContentsMargins(12 if self._has_heading else 0, 2, 0, 2)
        self.column.setSpacing(12)
        self.remarks = Remarks(field)
        self._raw: Node | None = None
        self.outer = outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(4)
        for each in (self.heading, self.remarks, self.body):
            outer.addWidget(each)

    # what each kind of group does

    def is_mine(self, part: Any) -> bool:
        """Whether a value is one that this group shows."""
        raise NotImplementedError

    def fill(self) -> None:
        """Bring the body in line with `part` and `told`."""
        raise NotImplementedError

    def summary(self, part: Any) -> str:
        """What is in it, in a few words."""
        raise NotImplementedError

    def children_nodes(self) -> Iterator[Node]:
        """The nodes within it that are made, in order."""
        raise NotImplementedError

    def further_stops(self) -> Iterator[QWidget]:
        """Where Tab stops after the nodes within it."""
        yield from ()

    # showing

    def display(self, part: Any, told: Told) -> None:
        """Show a part."""
        self.part, self.told = part, told
        is_there = part is not UNDEFINED and part is not None
        is_root = not self.path
        is_open = self._is_open and (is_there or is_root or self.field.is_required)
        set_text(self._count, self._said(part, told, is_open=is_open))
        self._add.setVisible(not is_there and not self.field.is_required)
        self._leave.setVisible(part is not UNDEFINED and not self.field.is_required)
        set_text(self._fold, "▾" if is_open else "▸")
        self._fold.setAccessibleName(f"{'Close' if is_open else 'Open'} {self._name}")
        self._fold.setEnabled(is_there or self.field.is_required)
        is_raw = is_there and not self.is_mine(part)
        self.body.setVisible(is_open and not is_raw)
        self.remarks.tell([] if is_raw else told.at(self.path))
        self._show_raw(part if is_raw else UNDEFINED, told)
        if is_open and not is_raw:
            self.fill()

    def _show_raw(self, part: Any, told: Told) -> None:
        """What is not of the sort that this group shows stands as JSON in its place."""
        if part is not UNDEFINED and self._raw is None:
            self._raw = build(replace(self.field, kind="any", words="", unsure=()), self.path, self.owner)
            self._raw.drop_name()  # the heading says it
            self.outer.addWidget(self._raw)
            self.owner.rearranged()
        if self._raw is not None:
            self._raw.setVisible(part is not UNDEFINED)
            self._raw.display(part, told)

    def _said(self, part: Any, told: Told, *, is_open: bool) -> str:
        if part is UNDEFINED:
            return ""
        if part is None:
            return "null"
        wrong = 0 if is_open else told.within(self.path)
        return f"▲ {plural(wrong, 'problem')} within" if wrong else self.summary(part)

    def _toggle(self) -> None:
        self._is_open = not self._is_open
        self.display(self.part, self.told)
        self.owner.rearranged()

    def _put_in(self) -> None:
        self._is_open = True
        self.owner.touch(self.path)
        self.owner.edit(self.path, start_of(self.field, is_chosen=True))
        first = next(iter(self.inner_stops()), None)
        if first is not None:
            first.setFocus()

    def _leave_out(self) -> None:
        self.owner.edit(self.path, UNDEFINED)
        self._add.setFocus()

    def drop_name(self) -> None:
        """Show the body alone, always open."""
        self._has_heading = False
        self.heading.hide()
        self.column.setContentsMargins(12, 2, 0, 2)

    def tools_line(self) -> QHBoxLayout | None:
        """At the end of the heading."""
        return self._line if self._has_heading else None

    def reveal(self, path: Path) -> None:
        """Open it and what is within it, down to a field."""
        if not self._is_open:
            self._toggle()
        for each in self.children_nodes():
            if path[: len(each.path)] == each.path:
                each.reveal(path)

    def inner_stops(self) -> Iterator[QWidget]:
        """Where Tab stops in the body."""
        for each in self.children_nodes():
            yield from each.stops()
        yield from self.further_stops()

    def stops(self) -> Iterator[QWidget]:
        """The heading's buttons, then the body."""
        if self._has_heading:
            yield from (self._fold, self._add, self._leave)
        if self._raw is not None:
            yield from self._raw.stops()
        yield from self.inner_stops()

    def nodes(self) -> Iterator[Node]:
        """It and those within it."""
        yield self
        for each in self.children_nodes():
            yield from each.nodes()


class ObjectNode(GroupNode):
    """A field for each property."""

    def __init__(self, field: Field, path: Path, owner: Owner) -> None:
        super().__init__(field, path, owner)
        self._made: list[Node] = []
        self._more = label("", "small", wraps=True)
        self.column.addWidget(self._more)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._make_more)

    def is_mine(self, part: Any) -> bool:
        """Objects."""
        return isinstance(part, dict)

    def summary(self, part: Any) -> str:
        """How many keys."""
        return plural(len(part), "key") if isinstance(part, dict) else "no object"

    def fill(self) -> None:
        """Make what is not made yet, and show all."""
        if len(self._made) < min(AT_ONCE, len(self.field.fields)):
            self._make(AT_ONCE)
        for each in self._made:
            self._tell(each)
        known = {each.name for each in self.field.fields}
        others = [key for key in self.part if key not in known] if isinstance(self.part, dict) else []
        set_text(self._more, f"Also sent, not in the schema: {', '.join(map(str, others))}" if others else "")
        self._more.setVisible(bool(others))
        if len(self._made) < len(self.field.fields):
            self._later.start(0)

    def _tell(self, node: Node) -> None:
        part = self.part.get(node.path[-1], UNDEFINED) if isinstance(self.part, dict) else UNDEFINED
        node.display(part, self.told)

    def _make(self, count: int) -> None:
        start = len(self._made)
        for each in self.field.fields[start : start + count]:
            node = build(each, (*self.path, each.name), self.owner)
            self._made.append(node)
            self.column.insertWidget(self.column.count() - 1, node)
        self.owner.rearranged()

    def _make_more(self) -> None:
        start = len(self._made)
        self._make(A_FEW)
        for each in self._made[start:]:
            self._tell(each)
        if len(self._made) < len(self.field.fields):
            self._later.start(0)

    def reveal(self, path: Path) -> None:
        """Make all that is not made yet, too."""
        missing = len(self.field.fields) - len(self._made)
        if missing:
            self._make(missing)
            self.fill()
        super().reveal(path)

    def children_nodes(self) -> Iterator[Node]:
        """Fields, in the schema's order."""
        yield from self._made
