"""What every part of a form is: one field, at one path, that shows a part of the value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from PySide6.QtWidgets import QHBoxLayout, QWidget

from broker.operate.forms import Field, Problem
from broker.operate.forms.field import Kind, Path
from broker.operate.forms.templates import IsTemplate


@dataclass(frozen=True, slots=True)
class Told:
    """What is wrong, by path, as far as it shall be shown now."""

    problems: dict[Path, list[Problem]] = field(default_factory=dict)

    def at(self, path: Path) -> list[Problem]:
        """What is wrong with one field itself."""
        return self.problems.get(path, [])

    def within(self, path: Path) -> int:
        """How much is wrong with a field and all in it."""
        return sum(len(found) for at, found in self.problems.items() if at[: len(path)] == path)


class Owner(Protocol):
    """What the parts of a form tell it, and ask it."""

    is_variable: IsTemplate

    def edit(self, path: Path, part: Any) -> None:
        """A person changed a part; UNDEFINED takes it away."""

    def touch(self, path: Path) -> None:
        """A person was there: what is missing there may be told from now on."""

    def alternative(self, union: Field, path: Path, part: Any) -> int:
        """Which alternative of a union a part is shown as."""

    def choose(self, union: Field, path: Path, part: Any, which: int) -> None:
        """A person wants another alternative."""

    def unfinished(self, path: Path, why: str) -> None:
        """A person is typing JSON that is none yet: why; empty when it is finished."""

    def rearranged(self) -> None:
        """Parts came or went: the order of the keyboard is to be set anew."""


class Node(QWidget):
    """A field, or a group of them."""

    def __init__(self, field: Field, path: Path, owner: Owner) -> None:
        super().__init__()
        self.field, self.path, self.owner = field, path, owner

    def display(self, part: Any, told: Told) -> None:
        """Show a part of the value, and what is wrong with it. What a person types in is not disturbed."""
        raise NotImplementedError

    def stops(self) -> Iterator[QWidget]:
        """Where the Tab key stops, in order."""
        raise NotImplementedError

    def nodes(self) -> Iterator[Node]:
        """It and those within it, as far as they are made."""
        yield self

    def drop_name(self) -> None:
        """Show no name: something else beside it says it."""

    def tools_line(self) -> QHBoxLayout | None:
        """Where buttons of a list may stand in its heading; None if it has none for them."""
        return None

    def reveal(self, path: Path) -> None:
        """Open what hides a field within it."""

    def retint(self) -> None:
        """Take the colours of the theme in use."""


BUILDERS: Final[dict[Kind, Callable[[Field, Path, Owner], Node]]] = {}
"""What makes the node of each kind; filled by `app.widgets.form.nodes`."""


def build(field: Field, path: Path, owner: Owner) -> Node:
    """A node for a field."""
    return BUILDERS[field.kind](field, path, owner)


def name_of(field: Field, path: Path) -> str:
    """What a field is called where it stands: its name, or its number in a list."""
    if field.name:
        return field.name
    last = path[-1] if path else ""
    return f"{last + 1}" if isinstance(last, int) else str(last)
