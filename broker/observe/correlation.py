"""Requests and their answers: which belong together, and which end without one.

The hot path is ``request`` and ``response``: plain tuples in dictionaries.
"""

from __future__ import annotations

from typing import Any, Final

from broker.observe.endings import CallKey, Endings
from broker.observe.journal import CallFlag, NameKind, OpenCall, Outcome, Tally
from broker.observe.lanes import Lane, edge_of
from broker.observe.limits import (
    CALLEE_TIMEOUT_MARGIN_NS,
    LONGEST_TIMEOUT_MS,
    NEVER_NS,
    WAITING_AFTER_NS,
    Limits,
)
from broker.observe.names import NameBook
from broker.observe.open_calls import OpenCalls
from broker.observe.routes import Routes
from broker.observe.rows import SAMPLED_LEVEL, CallRow, Entry
from broker.observe.streams import StreamCall
from broker.protocol.headers import RequestHeader, ResponseHeader, read_error

_OK: Final = int(Outcome.OK)  # plain numbers: rows are made of them a million times
_TIMED_OUT: Final = int(Outcome.TIMED_OUT)
_NO_ANSWER: Final = int(Outcome.NO_ANSWER)
_BALANCED_EDGE: Final = CallFlag.BALANCED << 48
_TARGET_UNKNOWN_EDGE: Final = CallFlag.TARGET_UNKNOWN << 48


class Correlation:
    """Joins answers to requests by (namespace, id)."""

    def __init__(
        self,
        names: NameBook,
        limits: Limits,
        tally: Tally,
        routes: Routes,
    ) -> None:
        """
        Args:
            names: Where errors get their numbers.
            limits: How much is kept.
            tally: Where is counted what is no row.
            routes: Makes the route of a request that is new on its lane, and keeps it there.
        """
        self._names = names
        self._limits = limits
        self._tally = tally
        self._routes = routes
        self._calls = OpenCalls(limits.open_calls, self)
        self._young = self._calls.young
        self._endings = Endings(limits.ended_calls, limits.ended_ns)
        self._rows: list[CallRow] = []
        self._deaf_since_ns = NEVER_NS  # begin of the gap that lasts
        self._heard_again_ns = -1  # end of the last gap

    # -- the hot path

    def request(self, lane: Lane, at_ns: int, header: RequestHeader, size: int, frame: int) -> None:
        """Take in a REQ.

        Args:
            lane: The channel it came on.
            at_ns: When it was heard; never before an earlier packet.
            header: What it says.
            size: Bytes of its body.
            frame: Its FrameNumber, 0 for none.
        """
        try:
            route = lane.routes[header.action, header.caller, header.sender]
        except (KeyError, TypeError):
            route = self._routes.of_call(lane, header, at_ns)
        level = header.level
        if level.__class__ is not int or not 0 <= level <= 255:
            level = 0
        if header.tracing is True:
            level += SAMPLED_LEVEL
        timeout_ms = header.timeout
        deadline_ns = 0
        if timeout_ms:
            deadline_ns = self._deadline_ns(at_ns, timeout_ms)
        trace = header.requestID
        if trace.__class__ is not str:
            trace = ""
        parent = header.parentID
        if parent.__class__ is not str:
            parent = ""
        call_id = header.id
        key = (lane.namespace_number, call_id)
        entry = (at_ns, route, level, size, call_id, trace, parent, frame, deadline_ns)
        if header.stream or header.seq:
            self._request_packet(key, entry, header)
            return
        calls = self._calls
        if key in calls.waiting or key in calls.streams or self._young.setdefault(key, entry) is not entry:
            self._repeated(key, at_ns, size)
            return
        if deadline_ns and deadline_ns <= at_ns + WAITING_AFTER_NS:
            calls.look_at(deadline_ns, key)
        if len(self._young) > calls.room:
            self._tally.requests_forgotten += calls.forget_oldest(at_ns)

    def response(self, lane: Lane, at_ns: int, header: ResponseHeader, size: int, frame: int) -> None:
        """Take in a RES; arguments as of ``request``."""
        key = (lane.namespace_number, header.id)
        if header.stream or header.seq:
            self._response_packet(key, lane, at_ns, header, size, frame)
            return
        entry = self._young.pop(key, None)
        if entry is None:
            if key in self._calls.streams:
                self._response_packet(key, lane, at_ns, header, size, frame)
                return
            entry = self._calls.end_waiting(key, at_ns)
            if entry is None:
                self._unmatched(key, lane, at_ns, header, size, frame)
                return
        outcome, error = _OK, 0
        if not header.success:
            outcome, error = self._failure(entry[8], at_ns, header)
        route = entry[1]
        if route[1] & _BALANCED_EDGE:
            entry = self._answered_by(entry, lane, header.sender)
        endings = self._endings
        if len(endings.answered) >= endings.room:
            endings.turn()
        endings.answered[key] = route
        self._rows.append((*entry, at_ns, outcome, error, size, frame))

    # -- what is rarer

    def _deadline_ns(self, at_ns: int, timeout_ms: Any) -> int:
        """When a request times out; 0 for a timeout that is none (negative, NaN, text, more than a day)."""
        if type(timeout_ms) not in (int, float) or not 0 < timeout_ms <= LONGEST_TIMEOUT_MS:
            return 0
        return at_ns + (int(timeout_ms * 1e6) or 1)

    def _failure(self, deadline_ns: int, at_ns: int, header: ResponseHeader) -> tuple[int, int]:
        """Outcome and number of the error of an answer that failed."""
        error = read_error(header)
        code = "" if error.code is None else str(error.code)
        number = self._names.number(NameKind.ERROR, 0, f"{code}|{error.type or ''}|{error.name or ''}")
        timed_out = error.type == "REQUEST_TIMEOUT" and code == "504"
        if timed_out and deadline_ns and at_ns >= deadline_ns - CALLEE_TIMEOUT_MARGIN_NS:
            # The callee's clock of this call ran out, so the caller's does at this moment too.
            self._tally.requests_timed_out += 1
            return Outcome.TIMED_OUT, number
        return Outcome.FAILED, number

    def _answered_by(self, entry: Entry, lane: Lane, sender: str) -> Entry:
        """A balanced call went to whoever answered it."""
        action, edge = entry[1]
        edge = (edge & ~(_TARGET_UNKNOWN_EDGE | 0xFFFF)) | self._routes.node_number(lane, sender)
        return (entry[0], (action, edge), *entry[2:])

    def _repeated(self, key: CallKey, at_ns: int, size: int) -> None:
        """A request whose id is open already: part of that call, and no call of its own."""
        self._tally.requests_repeated += 1
        for table in (self._young, self._calls.waiting):
            entry = table.get(key)
            if entry is not None:
                table[key] = (*entry[:3], entry[3] + size, *entry[4:])
        call = self._calls.streams.get(key)
        if call is not None:
            call.request_packet(at_ns, size, None, is_last=False)

    def _request_packet(self, key: CallKey, entry: Entry, header: RequestHeader) -> None:
        """A packet of a streamed request: its first opens a call, the others belong to it."""
        at_ns, size = entry[0], entry[3]
        call = self._calls.streams.get(key)
        if call is not None:
            call.request_packet(at_ns, size, header.seq, is_last=not header.stream)
            self._end_stream_if_over(key, call, at_ns)
        elif key in self._young or key in self._calls.waiting:
            self._repeated(key, at_ns, size)
        elif not header.seq:  # others joined too late, or speak after the end
            call = StreamCall(entry, request_is_streamed=True)
            call.opening_number(header.seq)
            self._calls.add_stream(key, call)
            if len(self._young) > self._calls.room:
                self._tally.requests_forgotten += self._calls.forget_oldest(at_ns)

    def _response_packet(
        self, key: CallKey, lane: Lane, at_ns: int, header: ResponseHeader, size: int, frame: int
    ) -> None:
        """A packet of a streamed response, or any answer to a streamed request."""
        call = self._calls.streams.get(key)
        if call is None:
            call = self._calls.become_stream(key)
            if call is None:
                if not header.seq or self._endings.answered_route(key) is None:
                    self._unmatched(key, lane, at_ns, header, size, frame)
                return  # else the rest of a stream that was noted at its first packet
        if call.entry[1][1] & _TARGET_UNKNOWN_EDGE:
            call.entry = self._answered_by(call.entry, lane, header.sender)
        call.response_packet(at_ns, size, header.seq, frame)
        if not header.stream:
            outcome, error = _OK, 0
            if not header.success:
                outcome, error = self._failure(call.entry[8] if call.has_deadline else 0, at_ns, header)
            call.close(outcome, error)
            self._end_stream_if_over(key, call, at_ns)

    def _end_stream_if_over(self, key: CallKey, call: StreamCall, at_ns: int) -> None:
        if call.outcome is None or not call.has_ended:
            return
        self._calls.drop_stream(key, call, at_ns)
        self._tally.lost += call.lost_packets
        self._endings.answer(key, call.entry[1])
        self._rows.append(call.row(at_ns, call.outcome, call.error))

    def _unmatched(self, key: CallKey, lane: Lane, at_ns: int, header: ResponseHeader, size: int, frame: int) -> None:
        """An answer to no open call: too late, once too often, or to a request that we did not see."""
        _, error = (0, 0) if header.success or header.stream else self._failure(0, at_ns, header)
        entry = self._endings.take_given_up(key)
        if entry is not None:
            self._tally.responses_late += 1
            outcome = Outcome.LATE
            if entry[1][1] & _TARGET_UNKNOWN_EDGE:
                entry = self._answered_by(entry, lane, header.sender)
        else:
            route = self._endings.answered_route(key)
            if route is not None:
                self._tally.responses_doubled += 1
                outcome = Outcome.DOUBLE
            else:
                self._tally.responses_orphaned += 1
                outcome = Outcome.ORPHAN
                source, target = (
                    self._routes.node_number(lane, lane.rest),
                    self._routes.node_number(lane, header.sender),
                )
                route = (0, edge_of(flags=0, caller=0, source=source, target=target))
            entry = (at_ns, route, 0, 0, header.id, "", "", 0, 0)
        if outcome != Outcome.ORPHAN or header.stream or header.seq:
            self._endings.answer(key, entry[1])
        self._rows.append((*entry, at_ns, outcome, error, size, frame))

    # -- time

    def heard(self, at_ns: int) -> None:
        """Frames of this moment come next."""
        self._endings.passed(at_ns)

    def advance(self, now_ns: int) -> None:
        """End what ends until a moment, that moment included, each call at its own deadline."""
        self._calls.advance(now_ns)

    @property
    def due_ns(self) -> int:
        """``advance`` has nothing to do before this moment."""
        return self._calls.due_ns

    def node_gone(self, node: int, at_ns: int) -> None:
        """A node left: calls to it that have no timeout end now; the others keep their deadlines.

        Args:
            node: The node's number.
            at_ns: When it left.
        """
        self._calls.node_left(node, at_ns)

    def deaf(self, since_ns: int) -> None:
        """Nothing is heard from this moment on."""
        if self._deaf_since_ns == NEVER_NS:
            self._deaf_since_ns = since_ns

    def hears(self, at_ns: int) -> None:
        """From this moment on all is heard again."""
        self._deaf_since_ns = NEVER_NS
        self._heard_again_ns = at_ns

    def missed(self, at_ns: int) -> None:
        """Packets were lost at this moment, answers maybe among them."""
        self._heard_again_ns = at_ns

    def give_up(self, key: CallKey, entry: Entry, at_ns: int, *, is_deadline: bool) -> None:
        """A call ends without an answer: its deadline passed, or it had none and waited long enough."""
        self._endings.give_up(key, entry)
        if self._heard_again_ns >= entry[0] or self._deaf_since_ns <= at_ns:
            self._tally.requests_unheard += 1  # it may have been answered while nothing was heard
            return
        if is_deadline:
            self._tally.requests_timed_out += 1
        self._rows.append((*entry, at_ns, _TIMED_OUT if is_deadline else _NO_ANSWER, 0, 0, 0))

    def give_up_stream(self, key: CallKey, call: StreamCall, at_ns: int) -> None:
        """A streamed call ends before its closing packet."""
        self._tally.lost += call.lost_packets
        if call.outcome is None:
            self.give_up(key, call.whole_entry(), at_ns, is_deadline=call.has_deadline)
        else:  # answered; only its request was never closed
            self._endings.answer(key, call.entry[1])
            self._rows.append(call.row(at_ns, call.outcome, call.error))

    # -- what was observed

    @property
    def open_count(self) -> int:
        """How many calls wait for their answer."""
        return len(self._calls)

    def take(self) -> tuple[list[CallRow], list[OpenCall]]:
        """Rows in order of end, and calls that begin or cease to wait, since the last time."""
        rows, self._rows = self._rows, []
        return rows, self._calls.take_announced()
