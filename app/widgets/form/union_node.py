"""A value of one of several kinds: which one, and its field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from app.widgets.controls import row
from app.widgets.form.caption import Caption
from app.widgets.form.line_editor import WheelGuard
from app.widgets.form.node import Node, Owner, Told, build, name_of
from broker.operate.forms import Field
from broker.operate.forms.field import Path
from broker.operate.forms.unions import only_value
from broker.operate.forms.words import shortly
from broker.validation import UNDEFINED


class UnionNode(Node):
    """The field of the alternative that the value is, with a list of the others."""

    def __init__(self, field: Field, path: Path, owner: Owner) -> None:
        super().__init__(field, path, owner)
        self._part: Any = UNDEFINED
        self._which = -1
        self.inner: Node | None = None
        self.kinds = QComboBox()
        self.kinds.setAccessibleName(f"Kind of {field.name or 'value'}")
        self._has_nothing = not field.is_required
        nothing = [f"default {shortly(field.default)}" if field.default is not UNDEFINED else "not sent"]
        kinds = [title(each, number) for number, each in enumerate(field.fields)]
        self.kinds.addItems([*(nothing if self._has_nothing else []), *kinds])
        self.kinds.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.kinds.setMinimumContentsLength(16)
        self._guard = WheelGuard(self)
        self.kinds.installEventFilter(self._guard)
        self.kinds.activated.connect(self._on_kind)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(3)
        self._caption = Caption(replace(field, words=""), name_of(field, path))
        self._line = row(self._caption, self.kinds, spacing=6)
        self._line.setStretch(0, 1)
        self._column.addLayout(self._line)

    def display(self, part: Any, told: Told) -> None:
        """Show a part as the alternative that it is."""
        self._part = part
        which = self.owner.alternative(self.field, self.path, part)
        if which != self._which:
            self._which = which
            self._swap(which)
        is_absent = part is UNDEFINED and self._has_nothing
        self.kinds.setCurrentIndex(0 if is_absent else which + self._has_nothing)
        if self.inner is not None:
            self.inner.display(part, told)
            self.inner.setVisible(not is_absent)

    def _on_kind(self, index: int) -> None:
        if index == 0 and self._has_nothing:
            self.owner.edit(self.path, UNDEFINED)
        else:
            self.owner.choose(self.field, self.path, self._part, index - self._has_nothing)

    def _swap(self, which: int) -> None:
        before = self.inner
        if before is not None:
            before.hide()
            before.deleteLater()
            self._column.removeWidget(before)
        # it stands where the union does: there or not as the union may be
        chosen = replace(
            self.field.fields[which],
            name=self.field.name,
            label=self.field.label,
            is_required=self.field.is_required,
            is_nullable=self.field.is_nullable,
            default=self.field.default,
        )
        self.inner = build(chosen, self.path, self.owner)
        self.inner.drop_name()
        self._column.addWidget(self.inner)
        self.owner.rearranged()

    def stops(self) -> Iterator[QWidget]:
        """What it is, then its field."""
        yield self.kinds
        if self.inner is not None:
            yield from self.inner.stops()

    def drop_name(self) -> None:
        """Show the list of kinds and the field alone."""
        self._caption.hide()
        self._line.setStretch(1, 1)

    def tools_line(self) -> QHBoxLayout | None:
        """Behind the list of kinds."""
        return self._line

    def nodes(self) -> Iterator[Node]:
        """It and the field of its alternative."""
        yield self
        if self.inner is not None:
            yield from self.inner.nodes()

    def reveal(self, path: Path) -> None:
        """Open what is within it."""
        if self.inner is not None:
            self.inner.reveal(path)


def title(field: Field, number: int) -> str:
    """What an alternative is called: what tells it apart, else what it is."""
    for each in field.fields if field.kind == "object" else ():
        only = only_value(each)
        if only is not UNDEFINED:
            return f"{each.name} {shortly(only)}"
    if field.kind == "object" and field.fields:
        named = ", ".join(each.name for each in field.fields[:3])
        return f"object with {named}{' …' if len(field.fields) > 3 else ''}"
    return field.words or f"kind {number + 1}"
