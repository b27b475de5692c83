"""The filter that every view obeys: ``duration > 200ms and not (action ~ v2.orders.* or outcome = failed)``.

A filter is compiled to a mask over a block: texts are compared once, over
the table of names, and rows look their number up. ``matches`` asks the same
of one thing, given as fields; it and the mask always agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from broker.mesh.blocks import Block
from broker.mesh.filter_complete import Completion, complete
from broker.mesh.filter_lexer import FilterError
from broker.mesh.filter_mask import Tables, evaluate
from broker.mesh.filter_parser import parse_expression
from broker.mesh.filter_terms import WORD_FIELDS, And, Compare, Expression, Not, Or, Word, value_test
from broker.mesh.patterns import glob

if TYPE_CHECKING:
    from broker.mesh.timeline import Snapshot

__all__ = ["EMPTY", "Completion", "Filter", "FilterError", "complete", "parse"]


class Filter:
    """A filter; made by ``parse``. Equal to one that says the same."""

    __slots__ = ("_tables", "expression", "text")

    def __init__(self, text: str, expression: Expression | None) -> None:
        self.text = text
        self.expression = expression
        self._tables: Tables | None = None

    def __str__(self) -> str:
        return "" if self.expression is None else str(self.expression)

    def __repr__(self) -> str:
        return f"Filter({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Filter) and self.expression == other.expression

    def __hash__(self) -> int:
        return hash(self.expression)

    @property
    def is_empty(self) -> bool:
        """Whether it lets everything pass."""
        return self.expression is None

    def mask(self, snapshot: Snapshot, block: Block) -> NDArray[np.bool_] | None:
        """Which rows of a block of calls or events pass; None for all. Shape (block.count,)."""
        if self.expression is None:
            return None
        tables = self._tables
        if tables is None or not tables.is_of(snapshot):
            tables = self._tables = Tables(snapshot)
        return evaluate(self.expression, tables, block)

    def matches(self, fields: Mapping[str, object]) -> bool:
        """Whether a thing passes.

        Args:
            fields: What it has, by names of fields: texts, numbers (durations in ms, errors in
                percent), or a tuple or list of them, of which any may fit. What it lacks equals nothing.
        """
        return self.expression is None or _matches(self.expression, fields)

    def fields(self) -> frozenset[str]:
        """The fields it asks for; those that a bare word looks at are not among them."""
        return frozenset() if self.expression is None else frozenset(_fields(self.expression))


EMPTY: Final = Filter("", None)


def parse(text: str) -> Filter:
    """The filter that a text says; an empty one lets everything pass. FilterError where it says nothing."""
    expression = parse_expression(text)
    return Filter(text, expression)


def _fields(expression: Expression) -> set[str]:
    if isinstance(expression, Compare):
        return {expression.field}
    if isinstance(expression, Not):
        return _fields(expression.part)
    if isinstance(expression, And | Or):
        return set().union(*(_fields(part) for part in expression.parts))
    return set()


def _matches(expression: Expression, fields: Mapping[str, object]) -> bool:
    if isinstance(expression, And):
        return all(_matches(part, fields) for part in expression.parts)
    if isinstance(expression, Or):
        return any(_matches(part, fields) for part in expression.parts)
    if isinstance(expression, Not):
        return not _matches(expression.part, fields)
    if isinstance(expression, Word):
        is_meant = glob(expression.text)
        texts = (value for name in WORD_FIELDS for value in _values(fields, name))
        return any(is_meant(str(text)) for text in texts)
    test = value_test(expression)
    found = any(test(value) for value in _values(fields, expression.field))
    return not found if expression.operator == "!=" else found


def _values(fields: Mapping[str, object], name: str) -> tuple[object, ...]:
    value = fields.get(name)
    if value is None:
        return ()
    return tuple(value) if isinstance(value, tuple | list | set | frozenset) else (value,)
