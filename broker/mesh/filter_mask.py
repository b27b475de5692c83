"""The filter language: a tree to a mask over a block of calls or events."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from broker.mesh.blocks import Block, CallBlock
from broker.mesh.counting import look_up
from broker.mesh.durations import milliseconds
from broker.mesh.filter_terms import (
    OUTCOMES,
    WORD_FIELDS,
    And,
    Compare,
    Expression,
    Not,
    Or,
    Word,
    number_test,
    text_test,
)
from broker.mesh.names import error_code
from broker.mesh.patterns import glob
from broker.observe.journal import NO_NAME, NameKind

if TYPE_CHECKING:
    from broker.mesh.timeline import Snapshot

Mask = NDArray[np.bool_]
Test = Callable[[str], bool]

OUTSIDE_PREFIX = "node:"
CALL_TYPES = ("REQ", "RES")
EVENT_TYPES = ("EVENT",)


class Tables:
    """What the names of a snapshot say to each comparison, by number; kept from block to block."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._names = snapshot.names
        self._directory = snapshot.directory
        self._kept: dict[tuple[Compare | Word, str], Mask] = {}

    def is_of(self, snapshot: Snapshot) -> bool:
        """Whether they hold for a snapshot: it has the same names and services."""
        return self._names.counts == snapshot.names.counts and self._directory is snapshot.directory

    def look_up(self, key: Compare | Word, what: str, test: Test, column: NDArray[Any]) -> Mask:
        """Which rows pass a test of a name.

        Args:
            key: The comparison that the test belongs to.
            what: Which table: see ``_texts``.
            test: Whether a name passes.
            column: The names' numbers. Shape (n,).
        """
        table = self._kept.get((key, what))
        if table is None:
            table = np.fromiter((test(text) for text in self._texts(what)), np.bool_)
            if what == "service":
                table = table[self._directory.of_action]
            self._kept[key, what] = table
        return look_up(table, column)

    def _texts(self, what: str) -> list[str]:
        """Texts by number: of actions' and events' namespaces, of services by their index, of nodes as callers."""
        names = self._names
        if what == "service":
            return [name for _, name in self._directory.services]
        if what == "outside":
            return [OUTSIDE_PREFIX + text for text in names.texts(NameKind.NODE)]
        if what in {"namespace of ACTION", "namespace of EVENT"}:
            return list(names.namespace_texts_of(NameKind[what.rpartition(" ")[2]]))
        return list(names.texts(NameKind[what]))


def evaluate(expression: Expression, tables: Tables, block: Block) -> Mask:
    """Which rows of a block pass. Shape (block.count,)."""
    if isinstance(expression, And):
        masks = [evaluate(part, tables, block) for part in expression.parts]
        return np.asarray(np.logical_and.reduce(masks))
    if isinstance(expression, Or):
        masks = [evaluate(part, tables, block) for part in expression.parts]
        return np.asarray(np.logical_or.reduce(masks))
    if isinstance(expression, Not):
        return ~evaluate(expression.part, tables, block)
    if isinstance(expression, Word):
        return _word(expression, tables, block)
    found = _numeric(expression, block, tables) if expression.is_numeric else _text(expression, tables, block)
    return ~found if expression.operator == "!=" else found


def _word(word: Word, tables: Tables, block: Block) -> Mask:
    is_meant = glob(word.text)
    mask = _none(block)
    for field in WORD_FIELDS:
        mask |= _named(word, field, is_meant, tables, block)
    return mask


def _text(compare: Compare, tables: Tables, block: Block) -> Mask:
    test = text_test(compare)
    if compare.kind == "outcome":
        if not isinstance(block, CallBlock):
            return _none(block)
        return look_up(np.array([test(name) for name in OUTCOMES]), block.column("outcome"))
    if compare.field == "type":
        types = CALL_TYPES if isinstance(block, CallBlock) else EVENT_TYPES
        return np.full(block.count, any(test(name) for name in types))
    return _named(compare, compare.field, test, tables, block)


def _named(key: Compare | Word, field: str, test: Test, tables: Tables, block: Block) -> Mask:
    """Which rows have a name in this field that passes."""
    is_call = isinstance(block, CallBlock)
    if field == "node":
        return tables.look_up(key, "NODE", test, block.column("source")) | tables.look_up(
            key, "NODE", test, block.column("target")
        )
    if field in {"source", "target"}:
        return tables.look_up(key, "NODE", test, block.column(field))
    if field == "caller":
        return _caller(key, test, tables, block)
    if field == "namespace":
        kind = "action" if is_call else "event"
        return tables.look_up(key, f"namespace of {kind.upper()}", test, block.column(kind))
    if is_call and field == "action":
        return tables.look_up(key, "ACTION", test, block.column("action"))
    if is_call and field == "service":
        return tables.look_up(key, "service", test, block.column("action"))
    if is_call and field == "error":
        return tables.look_up(key, "ERROR", test, block.column("error"))
    if not is_call and field == "event":
        return tables.look_up(key, "EVENT", test, block.column("event"))
    if not is_call and field == "service":  # who emits it
        return tables.look_up(key, "SERVICE", test, block.column("caller"))
    return _none(block)


def _caller(key: Compare | Word, test: Test, tables: Tables, block: Block) -> Mask:
    callers = block.column("caller")
    mask = tables.look_up(key, "SERVICE", test, callers)
    outside = callers == NO_NAME
    if outside.any():
        nodes = tables.look_up(key, "outside", test, block.column("source"))
        mask = np.where(outside, nodes, mask)
    return mask


def _numeric(compare: Compare, block: Block, tables: Tables) -> Mask:
    if not isinstance(block, CallBlock):
        return _none(block)
    test = number_test(compare)
    if compare.field == "error":

        def has_code(text: str) -> bool:
            code = error_code(text)
            return code is not None and test(code)

        return tables.look_up(compare, "ERROR", has_code, block.column("error"))
    if compare.field == "duration":
        return np.asarray(test(milliseconds(block.column("duration_s"))))  # type: ignore[arg-type]
    if compare.field == "level":
        return np.asarray(test(block.column("level")))  # type: ignore[arg-type]
    return _none(block)


def _none(block: Block) -> Mask:
    return np.zeros(block.count, np.bool_)
