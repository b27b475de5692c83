"""Batches of one probe after another as one journal: the same names keep their numbers, what was lost is a gap."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from broker.clock import SECOND
from broker.observe.journal import (
    CALL_NAMES,
    COUNTER_NAMES,
    EVENT_NAMES,
    NO_NAME,
    OTHER_NAME,
    Batch,
    Name,
    NameKind,
    OpenCall,
    StateChange,
    Tally,
)

UNHEARD_NS: Final = 40 * SECOND
"""A node that was there before a gap and is not heard so long after it is gone."""
SEGMENT_BITS: Final = 40

_SHORT_KINDS: Final = frozenset(
    (NameKind.NAMESPACE, NameKind.NODE, NameKind.SERVICE, NameKind.ERROR, NameKind.PACKET_TYPE)
)
"""Kept in 16 bits."""


class Joiner:
    """Joins what one probe after the other tells.

    Attributes:
        through_ns: All up to here was told.
    """

    def __init__(self) -> None:
        self.through_ns = 0
        self._numbers: dict[tuple[NameKind, int, str], int] = {}
        self._last: dict[NameKind, int] = dict.fromkeys(NameKind, 0)
        self._tables: dict[NameKind, list[int]] = {}
        self._first_segment = 0  # what is added to the segments of the probe of now
        self._last_segment = 0
        self._before = Tally()  # of all probes before this one
        self._tally = Tally()
        self._waiting: dict[int, OpenCall] = {}
        self._nodes: dict[tuple[str, str], StateChange] = {}
        self._unheard: dict[tuple[str, str], StateChange] = {}
        self._unheard_until_ns = 0
        self._is_lost = False
        self._begin_probe()

    def _begin_probe(self) -> None:
        self._tables = {kind: [NO_NAME] for kind in NameKind}

    @property
    def is_lost(self) -> bool:
        """Whether nobody tells anything."""
        return self._is_lost

    # what happens

    def take(self, batch: Batch) -> Batch:
        """A batch of the probe of now, as one of the whole journal."""
        names = [new for name in batch.names if (new := self._join_name(name)) is not None]
        waiting = [self._join_waiting(call) for call in batch.waiting]
        joined = Batch(
            through_ns=max(batch.through_ns, self.through_ns),
            names=names,
            calls=self._frames(self._named(batch.calls, CALL_NAMES), "request_frame", "response_frame"),
            events=self._frames(self._named(batch.events, EVENT_NAMES), "frame"),
            counters=self._named(batch.counters, COUNTER_NAMES),
            waiting=waiting,
            changes=[*self._end_of_gap(batch), *batch.changes],
            tally=_sum(self._before, batch.tally),
        )
        self._tally, self.through_ns = joined.tally, joined.through_ns
        self._keep(joined)
        joined.changes += self._gone_unheard()
        return joined

    def lose(self, reason: str, advice: str, retry_in_s: float) -> Batch:
        """The probe of now is gone: what is not known from here on."""
        value: dict[str, Any] = {"reason": reason, "advice": advice, "retry_in_s": retry_in_s}
        ended = [call._replace(end_ns=self.through_ns) for call in self._waiting.values()]
        if not self._is_lost:
            self._begin_probe()
            self._before, self._first_segment = self._tally, self._last_segment
            self._waiting.clear()
        self._is_lost = True
        change = StateChange("gap", "", "", self.through_ns, value, "source")
        return Batch(self.through_ns, waiting=ended, changes=[change], tally=self._tally)

    def pass_time(self, through_ns: int) -> Batch:
        """Nobody tells anything, and time goes on."""
        self.through_ns = max(self.through_ns, through_ns)
        return Batch(self.through_ns, tally=self._tally)

    def number_there(self, number: int) -> int | None:
        """A frame's number as the probe of now has it; None if another had it, which took it along."""
        segment = (number >> SEGMENT_BITS) - self._first_segment
        return number - (self._first_segment << SEGMENT_BITS) if segment > 0 else None

    # names

    def _join_name(self, name: Name) -> Name | None:
        """The name as it is to be told; None if it was told before."""
        kind = NameKind(name.kind)
        namespace = self._number(NameKind.NAMESPACE, name.namespace)
        key = (kind, namespace, name.text)
        number, is_new = self._numbers.get(key), False
        if number is None:
            number, is_new = self._new_number(kind), True
            self._numbers[key] = number
        table = self._tables[kind]
        table.extend([OTHER_NAME] * (name.number + 1 - len(table)))
        table[name.number] = number
        return Name(kind, number, namespace, name.text) if is_new and number != OTHER_NAME else None

    def _new_number(self, kind: NameKind) -> int:
        number = self._last[kind] + 1
        if number >= OTHER_NAME and kind in _SHORT_KINDS:
            return OTHER_NAME
        number += number == OTHER_NAME
        self._last[kind] = number
        return number

    def _number(self, kind: NameKind, number: int) -> int:
        table = self._tables[kind]
        return table[number] if number < len(table) else OTHER_NAME

    def _named(self, rows: NDArray[np.void], columns: dict[str, NameKind]) -> NDArray[np.void]:
        """Rows with the journal's numbers in these columns."""
        if not len(rows):
            return rows
        rows = rows.copy()
        for column, kind in columns.items():
            table = np.asarray([*self._tables[kind], OTHER_NAME], np.uint32)
            rows[column] = np.take(table, rows[column].astype(np.int64), mode="clip")
        return rows

    def _frames(self, rows: NDArray[np.void], *columns: str) -> NDArray[np.void]:
        """Rows whose frames are told from those of the probes before."""
        for column in columns if len(rows) else ():
            self._last_segment = max(
                self._last_segment, self._first_segment + (int(rows[column].max()) >> SEGMENT_BITS)
            )
            if self._first_segment:
                base = np.uint64(self._first_segment << SEGMENT_BITS)
                rows[column] = np.where(rows[column] > 0, rows[column] + base, rows[column])
        return rows

    def _join_waiting(self, call: OpenCall) -> OpenCall:
        return call._replace(
            action=self._number(NameKind.ACTION, call.action),
            caller=self._number(NameKind.SERVICE, call.caller),
            source=self._number(NameKind.NODE, call.source),
            target=self._number(NameKind.NODE, call.target),
        )

    # what is so

    def _end_of_gap(self, batch: Batch) -> list[StateChange]:
        if not self._is_lost:
            return []
        self._is_lost = False
        at_ns = max(self.through_ns, min([batch.through_ns, *(change.at_ns for change in batch.changes)]))
        self._unheard = dict(self._nodes)
        self._unheard_until_ns = at_ns + UNHEARD_NS
        return [StateChange("gap", "", "", at_ns, None, "source")]

    def _keep(self, batch: Batch) -> None:
        for call in batch.waiting:
            if call.end_ns:
                self._waiting.pop(call.span, None)
            else:
                self._waiting[call.span] = call
        for change in batch.changes:
            if change.kind == "node":
                key = change.namespace, change.key
                self._unheard.pop(key, None)
                if change.value is None or change.value.get("state") == "offline":
                    self._nodes.pop(key, None)
                else:
                    self._nodes[key] = change

    def _gone_unheard(self) -> list[StateChange]:
        """Nodes that were there before the gap and are not after it."""
        if not self._unheard or self.through_ns < self._unheard_until_ns:
            return []
        gone, self._unheard = self._unheard, {}
        for key in gone:
            self._nodes.pop(key, None)
        reason = "not heard again after the connection was lost"
        return [
            change._replace(
                at_ns=self.through_ns,
                value=(change.value or {}) | {"state": "offline", "reason": reason},
                source="guess",
            )
            for change in gone.values()
        ]


def _sum(before: Tally, now: Tally) -> Tally:
    """Totals of both. What is open now is open now only."""
    totals: dict[str, Any] = {}
    for each in fields(Tally):
        first, second = getattr(before, each.name), getattr(now, each.name)
        if isinstance(second, dict):
            totals[each.name] = {key: first.get(key, 0) + second.get(key, 0) for key in first | second}
        else:
            totals[each.name] = first + second
    return replace(Tally(**totals), requests_open=now.requests_open)
