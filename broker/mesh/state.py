"""State is intervals: from this moment to that one, this was so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from broker.clock import SECOND
from broker.mesh.span import Span
from broker.observe.journal import PASSING, StateChange

MAX_INTERVALS: Final = 200_000
OPEN_NS: Final = 2**63 - 1
"""Where an interval ends that has not ended."""

BURSTS: Final = frozenset({"service"})
BURST_NS: Final = SECOND // 2
"""When a mesh introduces itself, a service on a thousand nodes changes a thousand times: so close, it is one change."""

MOVES: Final = frozenset({"breaker"})
"""What passes through a state at one moment was there: a half-open breaker is closed again by the next answer, and what
the kernel joins before we read it has one stamp."""

Key = tuple[str, str]
"""(namespace, key) of a state: see StateChange."""


class Interval(NamedTuple):
    """[from_ns, to_ns): so long this was so; no time at all for one of MOVES that was passed through at one moment.

    Attributes:
        from_ns: Since when, in ns since the epoch.
        to_ns: Until when; OPEN_NS while it is so.
        value: What was so; None where there was nothing.
        source: How we know: see StateChange.
    """

    from_ns: int
    to_ns: int
    value: dict[str, Any] | None
    source: str

    @property
    def is_open(self) -> bool:
        """Whether it is still so."""
        return self.to_ns == OPEN_NS

    def meets(self, span: Span) -> bool:
        """Whether any of it lies in the span."""
        return self.from_ns < span.to_ns and self.to_ns > span.from_ns


History = tuple[Interval, ...]
"""Intervals of one key, oldest first, each beginning where the one before ends."""


class StateBook:
    """The intervals known at one moment; never changes."""

    __slots__ = ("_histories", "revisions")

    def __init__(self, histories: Mapping[str, Mapping[Key, History]], revisions: Mapping[str, int]) -> None:
        self._histories = histories
        self.revisions = revisions  # by kind: raised when any of its intervals changes

    def of_kind(self, kind: str) -> Mapping[Key, History]:
        """All histories of a kind, by (namespace, key)."""
        return self._histories.get(kind, {})

    def history(self, kind: str, namespace: str, key: str) -> History:
        """The history of one key; empty when nothing is known."""
        return self.of_kind(kind).get((namespace, key), ())

    def at(self, kind: str, namespace: str, key: str, at_ns: int) -> Interval | None:
        """The interval that holds a moment; None before the first."""
        return interval_at(self.history(kind, namespace, key), at_ns)

    def values_at(self, kind: str, at_ns: int) -> Iterator[tuple[Key, dict[str, Any], Interval]]:
        """What was so at a moment: key, value and interval of all that had a value."""
        for key, history in self.of_kind(kind).items():
            found = interval_at(history, at_ns)
            if found is not None and found.value is not None:
                yield key, found.value, found


def interval_at(history: History, at_ns: int) -> Interval | None:
    """The interval of a history that holds a moment; None before the first."""
    interval: Interval
    for interval in reversed(history):
        if interval.from_ns <= at_ns:
            return interval
    return None


class StateWriter:
    """Takes in changes; gives a StateBook of them. One thread."""

    def __init__(self, max_intervals: int = MAX_INTERVALS) -> None:
        self._histories: dict[str, dict[Key, History]] = {}
        self._revisions: dict[str, int] = {}
        self._count = 0
        self._max_intervals = max_intervals
        self._book = StateBook({}, {})
        self._changed: set[str] = set()

    def take(self, changes: Iterable[StateChange]) -> None:
        """Keep these changes, oldest first."""
        for change in changes:
            key = (change.namespace, change.key)
            histories = self._histories.setdefault(change.kind, {})
            before = histories.get(key, ())
            histories[key] = _continued(before, change)
            self._count += len(histories[key]) - len(before)
            self._mark(change.kind)
        if self._count > self._max_intervals:
            self._halve()

    def _mark(self, kind: str) -> None:
        self._changed.add(kind)
        self._revisions[kind] = self._revisions.get(kind, 0) + 1

    def _halve(self) -> None:
        begins = sorted(
            one.from_ns for kind in self._histories.values() for history in kind.values() for one in history
        )
        self.forget(begins[len(begins) // 2])

    def forget(self, before_ns: int) -> None:
        """Forget what ended before a moment; of each key the interval that holds the moment stays."""
        for kind, histories in self._histories.items():
            for key, history in histories.items():
                if len(history) > 1 and history[0].to_ns <= before_ns:
                    kept = tuple(interval for interval in history if interval.to_ns > before_ns)
                    self._count -= len(history) - len(kept)
                    histories[key] = kept
                    self._mark(kind)

    def book(self) -> StateBook:
        """The intervals as they are now."""
        if self._changed:
            copied = {kind: dict(self._histories[kind]) for kind in self._changed}
            self._book = StateBook({**self._book._histories, **copied}, dict(self._revisions))
            self._changed.clear()
        return self._book


def _continued(history: History, change: StateChange) -> History:
    """A history with one change more. One that is late is taken as of the latest moment known."""
    if not history:
        return (Interval(change.at_ns, OPEN_NS, change.value, change.source),)
    last = history[-1]
    at_ns = max(change.at_ns, last.from_ns)
    if (
        change.kind in BURSTS
        and change.value is not None
        and last.value is not None
        and at_ns < last.from_ns + BURST_NS
    ):
        return (*history[:-1], Interval(last.from_ns, OPEN_NS, change.value, change.source))
    if change.source == last.source == "helper" and _goes_on(change.kind, last.value, change.value):
        return (*history[:-1], last._replace(value=change.value))
    new = Interval(at_ns, OPEN_NS, change.value, change.source)
    if at_ns == last.from_ns and not _moved_on(change.kind, last.value, change.value):
        # all else was never so for no time at all
        return (*history[:-1], new)
    return (*history[:-1], last._replace(to_ns=at_ns), new)


def _moved_on(kind: str, was: dict[str, Any] | None, value: dict[str, Any] | None) -> bool:
    """Whether there was a state worth telling, however short it was."""
    return kind in MOVES and was is not None and value is not None and was.get("state") != value.get("state")


def _goes_on(kind: str, was: dict[str, Any] | None, value: dict[str, Any] | None) -> bool:
    """Whether a state is as it was, but for what is of one moment."""
    passing = PASSING.get(kind)
    if passing is None or was is None or value is None:
        return False
    return all(was.get(name) == value.get(name) for name in {*was, *value} - passing)
