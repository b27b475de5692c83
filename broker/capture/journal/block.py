"""Batches of the journal as one run of bytes, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple, TypedDict

import msgspec
import numpy as np
from numpy.typing import NDArray

from broker.capture.journal import UnusableJournalError
from broker.observe.journal import (
    CALL_COLUMNS,
    COUNTER_COLUMNS,
    EVENT_COLUMNS,
    Batch,
    Name,
    NameKind,
    OpenCall,
    StateChange,
    Tally,
)

WAITING_COLUMNS: Final = np.dtype(
    [
        ("span", np.uint64),
        ("begin_ns", np.int64),
        ("end_ns", np.int64),
        ("action", np.uint32),
        ("caller", np.uint16),
        ("source", np.uint16),
        ("target", np.uint16),
        ("trace", np.uint64),
    ]
)
"""An OpenCall."""

_RISING: Final = frozenset({"end_ns", "at_ns", "begin_ns", "second", "request_frame", "response_frame", "frame"})
"""Columns kept as differences from row to row, which take a third of the room."""

Columns = dict[str, memoryview]
Arrays = dict[str, NDArray[Any]]


class _Definitions(TypedDict):
    """What one node offers of one service."""

    actions: dict[str, dict[str, Any]]
    events: dict[str, dict[str, Any]]


class _Content(msgspec.Struct, array_like=True):
    """What a block holds. A service's definitions are kept once, and by number in ``changes``."""

    through_ns: int
    names: list[tuple[int, int, int, str]]
    calls: Columns
    events: Columns
    counters: Columns
    waiting: Columns
    definitions: list[_Definitions]
    changes: list[tuple[str, str, str, int, dict[str, Any] | None, str]]
    tally: Tally


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(_Content)


def layout() -> list[Any]:
    """Names and types of all columns: whoever has others cannot read a block."""
    return [columns.descr for columns in (CALL_COLUMNS, EVENT_COLUMNS, COUNTER_COLUMNS, WAITING_COLUMNS)]


def encode(batches: Sequence[Batch]) -> bytes:
    """Batches that follow one another, as one block.

    Raises:
        TypeError, ValueError, OverflowError: They hold what cannot be written.
    """
    definitions, changes = _interned([change for batch in batches for change in batch.changes])
    waiting = np.array([tuple(call) for batch in batches for call in batch.waiting], WAITING_COLUMNS)
    return _encoder.encode(
        _Content(
            through_ns=batches[-1].through_ns,
            names=[(int(n.kind), n.number, n.namespace, n.text) for batch in batches for n in batch.names],
            calls=_columns(np.concatenate([batch.calls for batch in batches])),
            events=_columns(np.concatenate([batch.events for batch in batches])),
            counters=_columns(np.concatenate([batch.counters for batch in batches])),
            waiting=_columns(waiting),
            definitions=definitions,
            changes=changes,
            tally=batches[-1].tally,
        )
    )


class Parts(NamedTuple):
    """A block's content, its rows still as one array a column.

    Attributes:
        batch: All that is no row.
        calls, events, counters: Arrays of equal length by the name of their column; empty for no rows.
    """

    batch: Batch
    calls: Arrays
    events: Arrays
    counters: Arrays


def parts(block: bytes) -> Parts:
    """What a block holds. Whether its numbers make sense is not looked at.

    Raises:
        UnusableJournalError: It is no block.
    """
    try:
        content = _decoder.decode(block)
        waiting = _rows(_arrays(content.waiting, WAITING_COLUMNS), WAITING_COLUMNS)
        batch = Batch(
            through_ns=content.through_ns,
            names=[Name(NameKind(name[0]), *name[1:]) for name in content.names],
            waiting=[OpenCall(*row) for row in waiting.tolist()],
            changes=[_spread(StateChange(*change), content.definitions) for change in content.changes],
            tally=content.tally,
        )
        return Parts(
            batch,
            _arrays(content.calls, CALL_COLUMNS),
            _arrays(content.events, EVENT_COLUMNS),
            _arrays(content.counters, COUNTER_COLUMNS),
        )
    except (
        msgspec.DecodeError,
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        RecursionError,
    ) as error:
        raise UnusableJournalError(f"a block of it cannot be read ({error})") from error


def decode(block: bytes) -> Batch:
    """A block as one batch.

    Raises:
        UnusableJournalError: It is no block.
    """
    found = parts(block)
    return replace(
        found.batch,
        calls=_rows(found.calls, CALL_COLUMNS),
        events=_rows(found.events, EVENT_COLUMNS),
        counters=_rows(found.counters, COUNTER_COLUMNS),
    )


def _columns(rows: NDArray[np.void]) -> Columns:
    if not len(rows):
        return {}
    return {name: _packed(name, np.ascontiguousarray(rows[name])) for name in rows.dtype.names or ()}


def _packed(name: str, column: NDArray[Any]) -> memoryview:
    if name in _RISING:
        column = np.diff(column.view(np.uint64), prepend=np.uint64(0))
    return column.data.cast("B")


def _arrays(columns: Columns, dtype: np.dtype[np.void]) -> Arrays:
    arrays: Arrays = {}
    for name in (dtype.names or ()) if columns else ():
        if name in _RISING:
            rising = np.cumsum(np.frombuffer(columns[name], np.uint64), dtype=np.uint64)
            arrays[name] = rising.view(dtype[name])
        else:
            arrays[name] = np.frombuffer(columns[name], dtype[name])
    lengths = {len(array) for array in arrays.values()}
    if len(lengths) > 1 or 0 in lengths:
        raise ValueError(f"columns have {sorted(lengths)} rows, expected as many as each other, and some")
    return arrays


def _rows(arrays: Arrays, dtype: np.dtype[np.void]) -> NDArray[np.void]:
    if not arrays:
        return np.empty(0, dtype)
    rows = np.empty(len(next(iter(arrays.values()))), dtype)
    for name, array in arrays.items():
        rows[name] = array
    return rows


def _interned(changes: Sequence[StateChange]) -> tuple[list[Any], list[Any]]:
    """The changes with each service's definitions by number: a thousand nodes share one object."""
    definitions: list[Any] = []
    numbers: dict[int, int] = {}
    told = []
    for change in changes:
        value = change.value
        if change.kind == "service" and value is not None:
            nodes: dict[str, int] = {}
            for node, offered in value["nodes"].items():
                number = numbers.setdefault(id(offered), len(definitions))
                if number == len(definitions):
                    definitions.append(offered)
                nodes[node] = number
            value = {**value, "nodes": nodes}
        told.append((*change[:4], value, change.source))
    return definitions, told


def _spread(change: StateChange, definitions: Sequence[Any]) -> StateChange:
    if change.kind != "service" or change.value is None:
        return change
    nodes = {node: definitions[number] for node, number in change.value["nodes"].items()}
    return change._replace(value={**change.value, "nodes": nodes})
