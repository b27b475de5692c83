"""A list of which each item is one of a few values: chips that are in or out."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from app.widgets.controls import button, clear, row, set_property
from app.widgets.flow_layout import FlowLayout
from app.widgets.form.caption import Caption, Remarks
from app.widgets.form.node import Node, Owner, Told, name_of
from broker.operate.forms import Field
from broker.operate.forms.field import Path
from broker.operate.forms.texts import choice_text
from broker.validation import UNDEFINED


class ChipsNode(Node):
    """Chips in the order in which they are offered; the list is in the order in which they were taken."""

    def __init__(self, field: Field, path: Path, owner: Owner) -> None:
        super().__init__(field, path, owner)
        self._part: Any = UNDEFINED
        self._shown: list[Any] | None = None
        self._name = name_of(field, path)
        self._box = QWidget()
        self._flow = FlowLayout(self._box, spacing=6)
        self._chips: list[QPushButton] = []
        self._remarks = Remarks(field)
        self._caption = Caption(field, self._name)
        self._leave = button("Leave out", lambda: owner.edit(path, UNDEFINED), role="link")
        self._leave.setAccessibleName(f"Leave {self._name} out")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        line = row(self._caption, self._leave)
        line.setStretch(0, 1)
        column.addLayout(line)
        column.addWidget(self._box)
        column.addWidget(self._remarks)

    def display(self, part: Any, told: Told) -> None:
        """Show a list; what is no list is shown as one strange item."""
        self._part = part
        items = part if isinstance(part, list) else [] if part is UNDEFINED or part is None else [part]
        strange = [each for each in items if not _is_in(each, self.field.choices)]
        if self._shown != strange:
            self._shown = strange
            self._make(strange)
        for chip, value in zip(self._chips, self.field.choices, strict=False):
            is_in = _is_in(value, items)
            chip.setChecked(is_in)
            text = choice_text(value, self.field.choices)
            chip.setText(f"✓ {text}" if is_in else text)
            chip.setAccessibleName(f"{text}, {'in' if is_in else 'not in'} {self._name}")
        self._leave.setVisible(part is not UNDEFINED and not self.field.is_required)
        self._remarks.tell([each for at in self._paths(items) for each in told.at(at)])

    def _paths(self, items: list[Any]) -> list[Path]:
        return [self.path, *((*self.path, place) for place in range(len(items)))]

    def _make(self, strange: list[Any]) -> None:
        clear(self._flow)
        self._chips = []
        for value in self.field.choices:
            chip = button("", partial(self._toggle, value), role="chip")
            chip.setCheckable(True)
            self._chips.append(chip)
            self._flow.addWidget(chip)
        for value in strange:
            text = choice_text(value, self.field.choices)
            chip = button(f"▲ {text} ×", partial(self._toggle, value), role="chip", name=f"Take {text} away")
            set_property(chip, "tone", "failed")
            self._chips.append(chip)
            self._flow.addWidget(chip)
        self.owner.rearranged()

    def _toggle(self, value: Any) -> None:
        items = self._part if isinstance(self._part, list) else []
        if _is_in(value, items):
            items = [each for each in items if not _is(each, value)]
        elif _is_in(value, self.field.choices):
            items = [*items, value]
        self.owner.touch(self.path)
        self.owner.edit(self.path, items)

    def drop_name(self) -> None:
        """Show the chips alone."""
        self._caption.hide()

    def stops(self) -> Iterator[QWidget]:
        """Every chip."""
        yield from self._chips
        if self._leave.focusPolicy() != Qt.FocusPolicy.NoFocus:
            yield self._leave


def _is(one: Any, other: Any) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _is_in(value: Any, values: Any) -> bool:
    return any(_is(value, each) for each in values)
