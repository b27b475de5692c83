"""Calls whose request or response comes in many packets; and balanced ones, whose target comes with the answer."""

from __future__ import annotations

from typing import Final

from broker.observe.journal import CallFlag, Outcome
from broker.observe.limits import NO_ANSWER_AFTER_NS, OVERTAKEN_NS, WAITING_AFTER_NS
from broker.observe.routes import flagged
from broker.observe.rows import BEGIN, DEADLINE, SIZE, CallRow, Entry

_CREDIBLE_JUMP: Final = 100_000
"""A packet that claims to be further ahead than this is not proof that the ones between were lost."""


class Sequence:
    """Counts the packets of one direction of a stream by their numbers."""

    __slots__ = ("_last", "_seen")

    def __init__(self) -> None:
        self._seen = 0
        self._last = -1

    def take(self, number: object) -> None:
        """Take in the number that a packet carries: whatever it is."""
        if type(number) is int and self._last - _CREDIBLE_JUMP < number <= self._last + _CREDIBLE_JUMP:
            self._seen += 1
            self._last = max(self._last, number)

    @property
    def missing(self) -> int:
        """How many packets before the last one were not seen."""
        return max(0, self._last + 1 - self._seen)


class StreamCall:
    """A streamed (or balanced) call, from its first packet to its closing one.

    It ends when its response is closed and its request is closed as well (a
    failure ends it at once). Where a node compresses, the small closing packet
    overtakes big ones before it: those are waited for, for a second. Once its response has begun no timeout counts any
    more, as in Moleculer; then it is given up 10 minutes after its last packet.

    Attributes:
        entry: The request that opened it.
        is_announced: Whether it was shown as waiting.
        due_ns: When it is to be looked at again.
        ending: How its response ended, see ``ending_of``; None while it is not closed.
    """

    __slots__ = (
        "_closed_ns",
        "_flags",
        "_last_ns",
        "_request",
        "_request_is_open",
        "_request_size",
        "_response",
        "_response_frame",
        "_response_has_begun",
        "_response_size",
        "due_ns",
        "ending",
        "entry",
        "is_announced",
    )

    def __init__(self, entry: Entry, *, request_is_streamed: bool, is_announced: bool = False) -> None:
        self.entry = entry
        self.is_announced = is_announced
        self.ending: int | None = None
        self.due_ns = 0
        self._flags = int(CallFlag.REQUEST_STREAM) if request_is_streamed else 0
        self._request_is_open = request_is_streamed
        self._request_size = entry[SIZE]
        self._request = Sequence()
        self._response = Sequence()
        self._response_has_begun = False
        self._response_size = 0
        self._response_frame = 0
        self._last_ns = entry[BEGIN]
        self._closed_ns = 0

    def request_packet(self, at_ns: int, size: int, number: object, *, is_last: bool) -> None:
        """Take in a packet of the request after the first."""
        self._request_size += size
        self.opening_number(number)
        if is_last and self._request_is_open:
            self._request_is_open = False
            self._closed_ns = at_ns
        self._last_ns = at_ns

    def opening_number(self, number: object) -> None:
        """Take in the number of a request's packet."""
        self._request.take(number)

    def response_packet(self, at_ns: int, size: int, number: object, frame: int) -> None:
        """Take in a packet of the response, the closing one included."""
        self._response_size += size
        self._response_frame = frame
        self._response_has_begun = True
        self._last_ns = at_ns
        if number is not None:
            self._response.take(number)
            self._flags |= CallFlag.RESPONSE_STREAM

    def close(self, ending: int) -> None:
        """Its response is closed."""
        self.ending = ending
        self._closed_ns = self._last_ns

    @property
    def has_ended(self) -> bool:
        """Whether no packet of it is to come."""
        if self.ending is None or (self.ending == Outcome.OK and self._request_is_open):
            return False
        return self.ending != Outcome.OK or not self.lost_packets

    @property
    def is_waiting_for_overtaken(self) -> bool:
        """Whether both sides are closed, but packets before are missing."""
        return self.ending is not None and not self._request_is_open and not self.has_ended

    @property
    def has_deadline(self) -> bool:
        """Whether its own timeout still counts."""
        return self.entry[DEADLINE] != 0 and not self._response_has_begun

    @property
    def deadline_ns(self) -> int:
        """When it is given up, as things stand."""
        if self.is_waiting_for_overtaken:
            return self._closed_ns + OVERTAKEN_NS
        return self.entry[DEADLINE] if self.has_deadline else self._last_ns + NO_ANSWER_AFTER_NS

    @property
    def next_look_ns(self) -> int:
        """When there is something to do about it."""
        if self.is_announced:
            return self.deadline_ns
        return min(self.deadline_ns, self.entry[BEGIN] + WAITING_AFTER_NS)

    @property
    def lost_packets(self) -> int:
        """How many of its packets are known to be lost."""
        return self._request.missing + self._response.missing

    def whole_entry(self) -> Entry:
        """What is known of its request, all of its packets together."""
        begin_ns, route, _, span, trace, parent, frame, deadline_ns = self.entry
        return begin_ns, flagged(route, self._flags), self._request_size, span, trace, parent, frame, deadline_ns

    def row(self, at_ns: int, ending: int) -> CallRow:
        """The row it leaves; where packets were overtaken it ends with its closing one."""
        at_ns = self._closed_ns if self._closed_ns and not self._request_is_open else at_ns
        return (*self.whole_entry(), at_ns, ending, self._response_size, self._response_frame)
