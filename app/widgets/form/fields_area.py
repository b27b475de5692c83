"""The fields of a form below each other, and the value that they show."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from app.widgets.controls import label
from app.widgets.form.node import Node, Told
from app.widgets.form.nodes import build
from broker.operate.forms import Field, Form, Problem
from broker.operate.forms.field import Path
from broker.operate.forms.paths import put
from broker.operate.forms.templates import IsTemplate, is_template
from broker.operate.forms.texts import fits, shown, typed
from broker.operate.forms.unions import blank_of, looks_like
from broker.validation import UNDEFINED

JUDGE_AFTER_MS = 60
_MAY_CHECK_MORE = "Checked here as far as INFO says. Functions are not in it: the service may check more."


class FieldsArea(QScrollArea):
    """Shows a value as a form, and changes it as a person does.

    Attributes:
        value: What the form shows.
        mistakes: By path: why JSON that is being typed is none yet.
    """

    edited = Signal()
    """A person changed the value, or is about to."""
    judged = Signal(int)
    """It was looked at: so much is wrong."""

    def __init__(self, before: QWidget) -> None:
        """Make it empty.

        Args:
            before: What the Tab key reaches before its first field.
        """
        super().__init__()
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.is_variable: IsTemplate = is_template
        self.value: Any = {}
        self.mistakes: dict[Path, str] = {}
        self._before = before
        self._form = Form(None)
        self._root: Node | None = None
        self._told = Told()
        # a union may stand in a union, at the same path: told apart by their rules
        self._chosen: dict[tuple[Path, int], int] = {}
        self._touched: set[Path] = set()
        self._tells_all = False
        self._judging = QTimer(self)
        self._judging.setSingleShot(True)
        self._judging.setInterval(JUDGE_AFTER_MS)
        self._judging.timeout.connect(self.judge)
        self._ordering = QTimer(self)
        self._ordering.setSingleShot(True)
        self._ordering.timeout.connect(self._set_tab_order)

    # what it is told

    def set_form(self, form: Form) -> None:
        """Show the fields of another form, all of them untouched."""
        self._form = form
        self._chosen, self._touched, self.mistakes, self._tells_all = {}, set(), {}, False
        self._told = Told()
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 10, 8)
        self._root = build(form.field, (), self)
        column.addWidget(self._root)
        if not form.broken:
            column.addSpacing(12)
            column.addWidget(label(_MAY_CHECK_MORE, "small", wraps=True))
        column.addStretch(1)
        self.setWidget(holder)

    def show_value(self, value: Any) -> None:
        """Show a value that is not from here: what it is, is found anew."""
        self.value, self._chosen, self.mistakes = value, {}, {}
        self._show()

    def tell_all(self) -> None:
        """Tell from now on what is missing, too, where nobody was yet."""
        self._tells_all = True
        self.judge()

    def judge(self) -> None:
        """Find what is wrong, and show it."""
        self._judging.stop()
        problems = self.problems()
        self._told = Told(self._by_path(problems))
        if self._root is not None:
            self._root.display(self._shown(), self._told)
        self.judged.emit(len(problems))

    def problems(self) -> list[Problem]:
        """What is wrong; with a union, what the alternative that is shown has against it."""
        found = self._form.problems(self.value, self.is_variable)
        chosen: dict[Path, set[int]] = {}
        for (at, _), which in self._chosen.items():
            chosen.setdefault(at, set()).add(which)
        of_chosen = [
            each for each in found if all(which in chosen.get(at, (which,)) for at, which in each.alternatives)
        ]
        return of_chosen or found

    def find_fields(self, text: str) -> None:
        """Show only fields whose name holds a text."""
        for each in self._top():
            each.setVisible(text.lower() in (each.field.name + each.field.label).lower())

    def go_to(self, path: Path) -> None:
        """Open what hides a field, and go there."""
        if self._root is None:
            return
        self._root.reveal(path)
        matching = [each for each in self._root.nodes() if path[: len(each.path)] == each.path]
        nearest = max(matching, key=lambda each: len(each.path), default=self._root)
        stop = next((each for each in nearest.stops() if each.isVisible()), None)
        if stop is not None:
            stop.setFocus()
            self.ensureWidgetVisible(nearest, 0, 24)

    def retint(self) -> None:
        """Take the colours of the theme in use."""
        for each in self._root.nodes() if self._root is not None else ():
            each.retint()

    # what its parts tell it

    def edit(self, path: Path, part: Any) -> None:
        """A person changed a part."""
        if isinstance(part, list):  # what was at a place may be at another one now
            self._chosen = {key: which for key, which in self._chosen.items() if not _is_below(key[0], path)}
        self.mistakes = {at: why for at, why in self.mistakes.items() if not _is_below(at, path)}
        changed = put(self.value, path, part)
        self.value = None if changed is UNDEFINED else changed
        self._show()
        self.edited.emit()

    def touch(self, path: Path) -> None:
        """A person was there."""
        if path not in self._touched:
            self._touched.add(path)
            self._judging.start()

    def alternative(self, union: Field, path: Path, part: Any) -> int:
        """The alternative that was chosen, as long as it can show the part; else the one that fits best."""
        key = (path, id(union.rule))
        chosen = self._chosen.get(key)
        if chosen is None or chosen >= len(union.fields) or not _can_show(union.fields[chosen], part):
            chosen = self._chosen[key] = self._form.alternative_of(union, part)
        return chosen

    def choose(self, union: Field, path: Path, part: Any, which: int) -> None:
        """Another alternative, with what of the part it can hold."""
        self.touch(path)
        kept = _carried(union.fields[self.alternative(union, path, part)], union.fields[which], part)
        if union.is_required and kept in ("", None):
            kept = UNDEFINED  # its field is shown all the same
        self._chosen = {key: each for key, each in self._chosen.items() if not _is_below(key[0], path)}
        self._chosen[path, id(union.rule)] = which
        self.edit(path, kept)

    def unfinished(self, path: Path, why: str) -> None:
        """JSON that is none yet."""
        if why:
            self.mistakes[path] = why
        else:
            self.mistakes.pop(path, None)
        self.edited.emit()

    def rearranged(self) -> None:
        """Set the order of the keyboard when all is in its place."""
        self._ordering.start(0)

    # how

    def _top(self) -> list[Node]:
        nodes = list(self._root.nodes()) if self._root is not None else []
        return [each for each in nodes if len(each.path) == 1 and each.field.name == each.path[0]]

    def _shown(self) -> Any:
        return UNDEFINED if self.value is None else self.value

    def _show(self) -> None:
        if self._root is not None:
            self._root.display(self._shown(), self._told)
        self._judging.start()

    def _by_path(self, problems: list[Problem]) -> dict[Path, list[Problem]]:
        found: dict[Path, list[Problem]] = {}
        for each in problems:
            if self._tells_all or each.type != "required" or each.path in self._touched:
                found.setdefault(each.path, []).append(each)
        return found

    def _set_tab_order(self) -> None:
        if self._root is None or not self.isVisible():
            return
        for one, other in pairwise([self._before, *self._root.stops()]):
            QWidget.setTabOrder(one, other)


def _is_below(path: Path, top: Path) -> bool:
    return len(path) > len(top) and path[: len(top)] == top


_CONTAINERS = ("object", "record", "array", "tuple", "choices")


def _can_show(alternative: Field, part: Any) -> bool:
    """Whether what a person types in an alternative's field may be what it is, right or wrong."""
    if part is UNDEFINED or part is None:
        return True
    if isinstance(part, dict | list) or alternative.kind in _CONTAINERS:
        return looks_like(alternative, part)
    return True


def _carried(old: Field, new: Field, part: Any) -> Any:
    """What is left of a part when it becomes another alternative."""
    if part is not UNDEFINED and looks_like(new, part) and new.kind != "object":
        return part
    if part is not UNDEFINED and new.kind != "any" and fits(old.kind, part):
        kept = typed(new.kind, shown(old.kind, part))
        if fits(new.kind, kept):
            return kept
    begun = blank_of(new)
    if isinstance(begun, dict) and isinstance(part, dict):
        known = {each.name for each in new.fields}
        return {**{key: each for key, each in part.items() if key in known}, **begun}
    return begun
