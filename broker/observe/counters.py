"""Packets and bytes by second, namespace and packet type; and why packets could not be decoded."""

from __future__ import annotations

import re
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from broker.clock import SECOND
from broker.native import compiled
from broker.observe.journal import COUNTER_COLUMNS, OTHER_NAME

_MOST_COUNTERS = 5_000
OTHER_REASONS = "(other reasons)"
_REASON_LENGTH = 120

_PARTICULARS = (
    (re.compile(r":? ?(line \d+ column \d+ )?\((char|byte) \d+\)"), ""),
    (re.compile(r"begins with [0-9a-f ]+"), "begins with other bytes"),
    (re.compile(r"\d+ bytes too many"), "some bytes too many"),
    (re.compile(r"is -?[\d.][\d.e+-]*, expected"), "is a number, expected"),
    (re.compile(r"is (['\"]).*, expected"), "is a text, expected"),
)


def general(reason: str) -> str:
    """A reason without what differs from packet to packet: positions, numbers, bytes."""
    for particular, instead in _PARTICULARS:
        reason = particular.sub(instead, reason, count=1)
    return reason[:_REASON_LENGTH]


class Counter:
    """Counts one packet type of one namespace, within the current second."""

    __slots__ = ("bytes", "namespace", "ours", "packet_type", "packets", "undecodable")

    def __init__(self, namespace: int, packet_type: int) -> None:
        self.namespace = namespace
        self.packet_type = packet_type
        self.packets = self.bytes = self.undecodable = self.ours = 0


AnyCounter: TypeAlias = "Counter | compiled.Counter"


class Counters:
    """All counters of the session.

    Attributes:
        packets, bytes, undecodable, ours: Totals of all finished counting; see ``settle``.
        reasons: How often a packet could not be decoded, by reason; at most ``most_reasons`` and one for the rest.
    """

    def __init__(self, most_reasons: int, *, is_compiled: bool) -> None:
        self._new = compiled.Counter if is_compiled else Counter
        self._most_reasons = most_reasons
        self._counters: dict[tuple[int, int], AnyCounter] = {}
        self._rows: list[tuple[int, int, int, int, int, int, int]] = []
        self._second = 0
        self.next_second_ns = 0
        self.packets = self.bytes = self.undecodable = self.ours = 0
        self.reasons: dict[str, int] = {}

    def counter(self, namespace: int, packet_type: int) -> AnyCounter:
        """Where a packet type of a namespace is counted. The same object for good."""
        if len(self._counters) >= _MOST_COUNTERS and (namespace, packet_type) not in self._counters:
            namespace = OTHER_NAME
        key = (namespace, packet_type)
        counter = self._counters.get(key)
        if counter is None:
            counter = self._counters[key] = self._new(namespace, packet_type)
        return counter

    def begin_second(self, at_ns: int) -> None:
        """From this moment on count into the second that holds it."""
        self.settle()
        self._second = at_ns // SECOND
        self.next_second_ns = (self._second + 1) * SECOND

    def settle(self) -> None:
        """Make rows, and totals, of what was counted."""
        for counter in self._counters.values():
            if not (counter.packets or counter.undecodable):
                continue
            self._rows.append(
                (
                    self._second,
                    counter.namespace,
                    counter.packet_type,
                    counter.packets,
                    counter.bytes,
                    counter.undecodable,
                    counter.ours,
                )
            )
            self.packets += counter.packets
            self.bytes += counter.bytes
            self.undecodable += counter.undecodable
            self.ours += counter.ours
            counter.packets = counter.bytes = counter.undecodable = counter.ours = 0

    def malformed(self, counter: AnyCounter, reason: str) -> None:
        """Count a packet that could not be decoded, and why."""
        counter.undecodable += 1
        reason = general(reason)
        if reason not in self.reasons and len(self.reasons) >= self._most_reasons - 1:
            reason = OTHER_REASONS
        self.reasons[reason] = self.reasons.get(reason, 0) + 1

    def take(self) -> NDArray[np.void]:
        """The rows since the last time, as COUNTER_COLUMNS."""
        self.settle()
        rows, self._rows = self._rows, []
        return np.array(rows, COUNTER_COLUMNS)
