"""Batches as a person reads them: names for numbers, seconds for moments."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from broker.clock import SECOND
from broker.observe.journal import Batch, NameKind, Outcome, StateChange
from tests.script import START_NS


class Ended(NamedTuple):
    """A row of calls, in short."""

    at_s: float
    action: str
    outcome: Outcome
    duration_s: float


def seconds(at_ns: int) -> float:
    """A moment of a story, in s, to the ms."""
    return round((int(at_ns) - START_NS) / SECOND, 3)


def texts(*batches: Batch) -> dict[tuple[NameKind, int], str]:
    """The names of batches, by kind and number."""
    return {(name.kind, name.number): name.text for batch in batches for name in batch.names}


def ended(*batches: Batch) -> list[Ended]:
    """The rows of calls, in order."""
    names = texts(*batches)
    return [
        Ended(
            seconds(row["end_ns"]),
            names.get((NameKind.ACTION, int(row["action"])), ""),
            Outcome(row["outcome"]),
            round(float(row["duration_s"]), 3),
        )
        for batch in batches
        for row in batch.calls
    ]


def column(batch: Batch, kind: NameKind, name: str) -> list[str]:
    """A column of calls that holds names, as texts."""
    names = texts(batch)
    return [names.get((kind, int(number)), "") for number in batch.calls[name]]


def outcomes(*batches: Batch) -> list[str]:
    """How the rows of calls ended, in short."""
    return [row.outcome.name for row in ended(*batches)]


def changes(batch: Batch, kind: str) -> list[StateChange]:
    """State changes of one kind."""
    return [change for change in batch.changes if change.kind == kind]


def states(batch: Batch, kind: str = "node") -> list[tuple[float, str, Any, str]]:
    """State changes of one kind as (moment in s, key, state or value, source)."""
    return [
        (seconds(change.at_ns), change.key, (change.value or {}).get("state"), change.source)
        for change in changes(batch, kind)
    ]


def final(changes: Iterable[StateChange]) -> dict[tuple[str, str, str], Any]:
    """What is so at the end: the last value of each state."""
    return {(change.kind, change.namespace, change.key): change.value for change in changes}
