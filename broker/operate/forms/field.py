"""What a form is made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from broker.validation import UNDEFINED

Kind = Literal[
    "text", "number", "boolean", "choice", "choices", "date", "array", "tuple", "record", "object", "union", "any",
    "forbidden", "never",
]  # fmt: skip
"""How a value is edited. ``choices`` is a list of which each item is one of a few; ``never`` cannot be sent at all."""

Path = tuple[str | int, ...]
"""Keys of objects and places in lists, from the outside in."""

CONTAINERS: Final = frozenset({"object", "array", "choices", "tuple", "record", "union"})


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One field of a form: a rule, as a person may fill it in.

    Attributes:
        name: Its key in its object; empty for items, alternatives and the whole.
        kind: How it is edited.
        type: The rule's own type: ``string``, ``email``, ``uuid``, …
        rule: The rule in long form, as it can be checked here.
        label: What its author calls it; its name if nothing else.
        words: What it may be: "integer, positive, at most 100".
        is_required: Whether it must be there.
        is_nullable: Whether null is a value for it.
        default: What the service takes where it is absent; UNDEFINED for none.
        help: What its author says about it.
        choices: The values of a ``choice`` or ``choices``.
        fields: Properties of an object, places of a tuple, alternatives of a union.
        item: Items of an array, values of a record.
        unsure: What only the service can check, in words; empty when all can be checked here.
    """

    name: str
    kind: Kind
    type: str
    rule: dict[str, Any]
    label: str = ""
    words: str = ""
    is_required: bool = True
    is_nullable: bool = False
    default: Any = UNDEFINED
    help: str = ""
    choices: tuple[Any, ...] = ()
    fields: tuple[Field, ...] = ()
    item: Field | None = None
    unsure: tuple[str, ...] = field(default=())

    def named(self, name: str) -> Field | None:
        """A property by its name."""
        return next((each for each in self.fields if each.name == name), None)

    def walk(self) -> Iterator[Field]:
        """It and all within it."""
        yield self
        for each in (*self.fields, *(() if self.item is None else (self.item,))):
            yield from each.walk()
