"""Whether a kept journal says only what a journal can say: it may come from anywhere."""

from __future__ import annotations

from typing import Any, Final, TypedDict

import msgspec

from broker.capture.journal import UnusableJournalError
from broker.capture.journal.block import Arrays, Parts
from broker.observe.buckets import BUCKET_COUNT, NO_BUCKET
from broker.observe.journal import (
    CALL_NAMES,
    COUNTER_NAMES,
    EVENT_NAMES,
    OTHER_NAME,
    Batch,
    NameKind,
    OpenCall,
    Outcome,
    StateChange,
)
from broker.observe.limits import Limits
from broker.observe.names import SHORT_KINDS

RULES: Final = 1
"""Counts up with everything that is looked at here, or in another way: what was found whole by other rules is not."""

LATEST_NS: Final = 1 << 62
LONGEST_S: Final = 1e9
_LIMITS: Final = Limits()


class _Node(TypedDict, total=False):
    state: str
    reason: str
    protocol: str
    client: dict[str, str]
    hostname: str
    ips: list[str]
    instance_id: str
    seq: int
    metadata: dict[str, Any]
    services: list[str]
    ours: bool
    saved_ns: int


class _Service(TypedDict):
    name: str
    version: int | float | str | None
    settings: dict[str, Any]
    metadata: dict[str, Any]
    supposed: bool
    nodes: dict[str, Any]  # what stands in it was looked at when the block was read


class _Load(TypedDict):
    cpu: float


class _Breaker(TypedDict, total=False):
    state: str
    failures: int | float
    count: int | float
    rate: int | float
    counted_ns: int
    threshold: int | float
    min: int | float
    window_ms: int | float
    half_open_ms: int | float
    enabled: bool
    reason: str
    since_ns: int
    until_ns: int
    hold: str
    by: str
    under: str


class _Helper(TypedDict, total=False):
    instance: str
    program: str
    acts: bool
    refused: dict[str, int]
    at_ns: int
    heard_ns: int


VALUES: Final[dict[str, Any]] = {
    "node": _Node,
    "service": _Service,
    "load": _Load,
    "breaker": _Breaker,
    "helper": _Helper,
    "gap": dict[str, Any],
    "session": dict[str, Any],
    "clock": dict[str, Any],
}
"""What the value of a change may be, by its kind; more than that is not looked at by anybody."""


class JournalCheck:
    """Looks at the batches of one journal, in their order."""

    def __init__(self, frames: int) -> None:
        """
        Args:
            frames: How many its capture holds: no row comes of less than one.
        """
        self._rows_left = frames
        self._names = dict.fromkeys(NameKind, 0)  # the highest number told of each kind
        self._letters = 0
        self._through_ns = 0

    def take(self, told: Parts) -> None:
        """Look at the next batch.

        Raises:
            UnusableJournalError: It says what cannot be; names it.
        """
        batch, calls, events, counters = told
        self._check_names(batch)
        self._rows_left -= _count(calls) + _count(events)
        _want(self._rows_left >= 0, "it holds more rows than its capture has frames")
        _want(self._through_ns <= batch.through_ns < LATEST_NS, f"it jumps to the moment {batch.through_ns}")
        self._through_ns = batch.through_ns
        self._check_calls(calls)
        self._check_refs(events, EVENT_NAMES)
        _check_range(events, "at_ns", 0, LATEST_NS)
        self._check_refs(counters, COUNTER_NAMES)
        _check_range(counters, "second", 0, LATEST_NS // 1_000_000_000)
        for call in batch.waiting:
            self._check_waiting(call)
        for change in batch.changes:
            _check_change(change)

    def _check_names(self, batch: Batch) -> None:
        for kind, number, namespace, text in batch.names:
            _want(0 <= namespace <= self._names[NameKind.NAMESPACE], f"name '{text}' has no namespace {namespace}")
            if kind is NameKind.NAMESPACE and not number:
                continue  # the empty one
            before = self._names[kind]
            follows = before + 1 if before + 1 != OTHER_NAME else OTHER_NAME + 1
            _want(number == follows, f"name '{text}' has number {number}, expected {follows}")
            most = _LIMITS.short_names if kind in SHORT_KINDS else _LIMITS.long_names + 1
            self._letters += len(text)
            _want(
                number <= most and len(text) <= _LIMITS.name_length and self._letters <= _LIMITS.name_characters,
                "it holds more names than are ever kept",
            )
            self._names[kind] = number

    def _check_calls(self, calls: Arrays) -> None:
        if not calls:
            return
        self._check_refs(calls, CALL_NAMES)
        _check_range(calls, "end_ns", 0, LATEST_NS)
        _check_range(calls, "outcome", 0, max(Outcome))
        _check_range(calls, "bucket", NO_BUCKET, BUCKET_COUNT - 1)
        longest_s = float(calls["duration_s"].max())  # not a number, if any of them is none
        _want(longest_s <= LONGEST_S and float(calls["duration_s"].min()) >= 0, "a call lasted no time that can be")

    def _check_refs(self, rows: Arrays, kinds: dict[str, NameKind]) -> None:
        for column, kind in kinds.items() if rows else ():
            most = self._names[kind]
            numbers = rows[column]
            if int(numbers.max()) > most:
                unknown = numbers[(numbers > most) & (numbers != OTHER_NAME)]
                _want(not len(unknown), f"column '{column}' holds numbers that no name has")

    def _check_waiting(self, call: OpenCall) -> None:
        _want(0 <= call.begin_ns < LATEST_NS and 0 <= call.end_ns < LATEST_NS, "a call waits since no moment")
        for column, kind in CALL_NAMES.items():
            number = getattr(call, column, 0)
            _want(number <= self._names[kind] or number == OTHER_NAME, "a waiting call has numbers that no name has")


def _check_change(change: StateChange) -> None:
    shape = VALUES.get(change.kind)
    _want(shape is not None, f"it tells of '{change.kind}'")
    _want(0 <= change.at_ns < LATEST_NS, f"a {change.kind} changed at the moment {change.at_ns}")
    if change.value is None:
        return
    try:
        msgspec.convert(change.value, shape)
    except msgspec.ValidationError as error:
        raise UnusableJournalError(f"its {change.kind} '{change.key}' is none: {error}") from error


def _count(rows: Arrays) -> int:
    return len(next(iter(rows.values()))) if rows else 0


def _check_range(rows: Arrays, column: str, least: int, most: int) -> None:
    if rows:
        _want(
            int(rows[column].min()) >= least and int(rows[column].max()) <= most,
            f"column '{column}' holds numbers that cannot be",
        )


def _want(is_so: bool, what: str) -> None:
    if not is_so:
        raise UnusableJournalError(what)
