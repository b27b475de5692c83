"""Requests and their answers: which belong together, and which end without one.

The hot path is ``request`` and ``response``: plain tuples in dictionaries. A
call younger than a second lies in ``_open``, in order of begin; most calls
are answered there. One that gets older moves to ``_waiting`` and into the
heap of deadlines; streamed calls have a table of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Any, Final

from broker.observe.endings import CallKey, Endings
from broker.observe.ids import id64
from broker.observe.journal import CallFlag, NameKind, OpenCall, Outcome, Tally
from broker.observe.lanes import CallRoute, Lane, edge_of, target_of
from broker.observe.limits import (
    CALLEE_TIMEOUT_MARGIN_NS,
    LONGEST_TIMEOUT_MS,
    NO_ANSWER_AFTER_NS,
    WAITING_AFTER_NS,
    Limits,
)
from broker.observe.names import NameBook
from broker.observe.rows import SAMPLED_LEVEL, CallRow, Entry
from broker.observe.streams import StreamCall
from broker.protocol.headers import RequestHeader, ResponseHeader, read_error

NEVER_NS: Final = 2**63 - 1

_OK: Final = int(Outcome.OK)
_BALANCED_EDGE: Final = CallFlag.BALANCED << 48
_TARGET_UNKNOWN_EDGE: Final = CallFlag.TARGET_UNKNOWN << 48
_SHORT_TIMEOUT_MS: Final = WAITING_AFTER_NS // 1_000_000
_FORGOTTEN_AT_ONCE: Final = 8  # an eighth of them: to find the oldest is dear, to take many from there is not


class Correlation:
    """Joins answers to requests by (namespace, id).

    Attributes:
        due_ns: ``advance`` has nothing to do before this moment.
    """

    def __init__(
        self,
        names: NameBook,
        limits: Limits,
        tally: Tally,
        new_route: Callable[[Lane, RequestHeader], CallRoute],
        node_number: Callable[[Lane, str], int],
    ) -> None:
        """
        Args:
            names: Where errors get their numbers.
            limits: How much is kept.
            tally: Where is counted what is no row.
            new_route: The route of a request whose caller is new on its lane; keeps it there.
            node_number: The number of a node id in a lane's namespace.
        """
        self._names = names
        self._limits = limits
        self._tally = tally
        self._new_route = new_route
        self._node_number = node_number
        self._open: dict[CallKey, Entry] = {}
        self._waiting: dict[CallKey, Entry] = {}
        self._streams: dict[CallKey, StreamCall] = {}
        self._room = limits.open_calls  # how many calls `_open` may hold
        self._endings = Endings(limits.ended_calls, limits.ended_ns)
        self._heap: list[tuple[int, CallKey]] = []  # calls that ended linger in it
        self._rows: list[CallRow] = []
        self._announced: list[OpenCall] = []
        self._deaf_since_ns = NEVER_NS  # begin of the gap that lasts
        self._heard_again_ns = -1  # end of the last gap
        self.due_ns = 0

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
            route = self._new_route(lane, header)
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
        if key in self._waiting or self._open.setdefault(key, entry) is not entry or key in self._streams:
            self._repeated(key, size)
            return
        if deadline_ns and deadline_ns <= at_ns + WAITING_AFTER_NS:
            self._look_at(deadline_ns, key)
        if len(self._open) > self._room:
            self._forget_oldest(at_ns)

    def response(self, lane: Lane, at_ns: int, header: ResponseHeader, size: int, frame: int) -> None:
        """Take in a RES; arguments as of ``request``."""
        key = (lane.namespace_number, header.id)
        if header.stream or header.seq:
            self._response_packet(key, lane, at_ns, header, size, frame)
            return
        entry = self._open.pop(key, None)
        if entry is None:
            if key in self._streams:
                self._response_packet(key, lane, at_ns, header, size, frame)
                return
            entry = self._end_waiting(key, at_ns)
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
        edge = (edge & ~(_TARGET_UNKNOWN_EDGE | 0xFFFF)) | self._node_number(lane, sender)
        return (entry[0], (action, edge), *entry[2:])

    def _repeated(self, key: CallKey, size: int) -> None:
        """A request whose id is open already: part of that call, and no call of its own."""
        self._tally.requests_repeated += 1
        for table in (self._open, self._waiting):
            entry = table.get(key)
            if entry is not None:
                table[key] = (*entry[:3], entry[3] + size, *entry[4:])
        if key in self._streams:
            self._open.pop(key, None)
            self._streams[key].request_packet(self._streams[key].entry[0], size, None, is_last=False)

    def _request_packet(self, key: CallKey, entry: Entry, header: RequestHeader) -> None:
        """A packet of a streamed request: its first opens a call, the others belong to it."""
        at_ns, size = entry[0], entry[3]
        call = self._streams.get(key)
        if call is not None:
            call.request_packet(at_ns, size, header.seq, is_last=not header.stream)
            self._end_stream_if_over(key, call, at_ns)
        elif key in self._open or key in self._waiting:
            self._repeated(key, size)
        elif not header.seq:  # others joined too late, or speak after the end
            call = StreamCall(entry, request_is_streamed=True)
            call.opening_number(header.seq)
            self._add_stream(key, call)
            if len(self._open) > self._room:
                self._forget_oldest(at_ns)

    def _response_packet(
        self, key: CallKey, lane: Lane, at_ns: int, header: ResponseHeader, size: int, frame: int
    ) -> None:
        """A packet of a streamed response, or any answer to a streamed request."""
        call = self._streams.get(key)
        if call is None:
            is_announced = key in self._waiting
            entry = self._waiting.pop(key, None) if is_announced else self._open.pop(key, None)
            if entry is None:
                if header.seq and self._endings.answered_route(key) is not None:
                    return  # the rest of a stream that was noted at its first packet
                self._unmatched(key, lane, at_ns, header, size, frame)
                return
            call = StreamCall(entry, request_is_streamed=False, is_announced=is_announced)
            self._add_stream(key, call)
        if call.entry[1][1] & _TARGET_UNKNOWN_EDGE:
            call.entry = self._answered_by(call.entry, lane, header.sender)
        call.response_packet(at_ns, size, header.seq, frame)
        if not header.stream:
            outcome, error = _OK, 0
            if not header.success:
                outcome, error = self._failure(call.entry[8] if call.has_deadline else 0, at_ns, header)
            call.close(outcome, error)
            self._end_stream_if_over(key, call, at_ns)

    def _add_stream(self, key: CallKey, call: StreamCall) -> None:
        self._streams[key] = call
        self._measure_room()
        call.due_ns = call.next_look_ns
        self._look_at(call.due_ns, key)

    def _end_stream_if_over(self, key: CallKey, call: StreamCall, at_ns: int) -> None:
        if not call.has_ended or call.outcome is None:
            return
        self._drop_stream(key, call, at_ns)
        self._endings.answer(key, call.entry[1])
        self._rows.append(call.row(at_ns, call.outcome, call.error))

    def _drop_stream(self, key: CallKey, call: StreamCall, at_ns: int) -> None:
        del self._streams[key]
        self._measure_room()
        self._tally.lost += call.lost_packets
        if call.is_announced:
            self._announce(call.entry, at_ns)

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
                source, target = self._node_number(lane, lane.rest), self._node_number(lane, header.sender)
                route = (0, edge_of(flags=0, caller=0, source=source, target=target))
            entry = (at_ns, route, 0, 0, header.id, "", "", 0, 0)
        if outcome != Outcome.ORPHAN or header.stream or header.seq:
            self._endings.answer(key, entry[1])
        self._rows.append((*entry, at_ns, outcome, error, size, frame))

    # -- time

    def heard(self, at_ns: int) -> None:
        """Frames of this moment come next."""
        self._endings.passed(at_ns)

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

    def advance(self, now_ns: int) -> None:
        """End what ends until a moment, that moment included, each call at its own deadline."""
        aged: list[tuple[CallKey, Entry]] = []
        for item in self._open.items():  # in order of begin
            if item[1][0] + WAITING_AFTER_NS > now_ns:
                break
            aged.append(item)
        for key, entry in aged:
            waits_from_ns = entry[0] + WAITING_AFTER_NS
            self._end_due(waits_from_ns)
            if self._open.get(key) is entry:
                del self._open[key]
                self._waiting[key] = entry
                self._announce(entry, 0)
                self._look_at(entry[8] or entry[0] + NO_ANSWER_AFTER_NS, key)
        self._end_due(now_ns)
        self._measure_room()
        oldest = next(iter(self._open.values()), None)
        self.due_ns = WAITING_AFTER_NS + (now_ns if oldest is None else oldest[0])
        if self._heap:
            self.due_ns = min(self.due_ns, self._heap[0][0])

    def _look_at(self, moment_ns: int, key: CallKey) -> None:
        heap = self._heap
        heappush(heap, (moment_ns, key))
        self.due_ns = min(self.due_ns, moment_ns)
        if len(heap) > 1_000 + 2 * (len(self._open) + len(self._waiting) + len(self._streams)):
            self._compact()

    def _compact(self) -> None:
        """Take calls that ended out of the heap."""
        self._heap = [item for item in self._heap if self._is_due(*item)]
        heapify(self._heap)

    def _is_due(self, moment_ns: int, key: CallKey) -> bool:
        """Whether a call that was to be looked at then is one still."""
        call = self._streams.get(key)
        if call is not None:
            return call.due_ns == moment_ns
        entry = self._open.get(key) or self._waiting.get(key)
        return entry is not None and moment_ns == (entry[8] or entry[0] + NO_ANSWER_AFTER_NS)

    def _end_due(self, until_ns: int) -> None:
        """End the calls whose deadline has come."""
        heap = self._heap
        while heap and heap[0][0] <= until_ns:
            moment_ns, key = heappop(heap)
            if not self._is_due(moment_ns, key):
                continue
            call = self._streams.get(key)
            if call is not None:
                self._look_at_stream(key, call, moment_ns)
                continue
            entry = self._open.pop(key, None) or self._end_waiting(key, moment_ns)
            if entry is not None:
                self._give_up(key, entry, moment_ns, is_deadline=entry[8] != 0)

    def _look_at_stream(self, key: CallKey, call: StreamCall, moment_ns: int) -> None:
        """A streamed call is open for a second now, or has come to its deadline."""
        if moment_ns >= call.deadline_ns:
            self._end_stream_unanswered(key, call, moment_ns)
            return
        if not call.is_announced and moment_ns >= call.entry[0] + WAITING_AFTER_NS:
            call.is_announced = True
            self._announce(call.entry, 0)
        call.due_ns = call.next_look_ns
        self._look_at(call.due_ns, key)

    def _end_stream_unanswered(self, key: CallKey, call: StreamCall, at_ns: int) -> None:
        self._drop_stream(key, call, at_ns)
        if call.outcome is None:
            self._give_up(key, call.whole_entry(), at_ns, is_deadline=call.has_deadline)
        else:  # answered; only its request was never closed
            self._endings.answer(key, call.entry[1])
            self._rows.append(call.row(at_ns, call.outcome, call.error))

    def _end_waiting(self, key: CallKey, at_ns: int) -> Entry | None:
        """Take a call out of the waiting ones, and tell that it ended."""
        entry = self._waiting.pop(key, None)
        if entry is not None:
            self._measure_room()
            self._announce(entry, at_ns)
        return entry

    def _give_up(self, key: CallKey, entry: Entry, at_ns: int, *, is_deadline: bool) -> None:
        """A call ends without an answer: its deadline passed, or it had none and waited long enough."""
        self._endings.give_up(key, entry)
        if self._heard_again_ns >= entry[0] or self._deaf_since_ns <= at_ns:
            self._tally.requests_unheard += 1  # it may have been answered while nothing was heard
            return
        if is_deadline:
            self._tally.requests_timed_out += 1
        outcome = Outcome.TIMED_OUT if is_deadline else Outcome.NO_ANSWER
        self._rows.append((*entry, at_ns, outcome, 0, 0, 0))

    def node_gone(self, node: int, at_ns: int) -> None:
        """A node left: calls to it that have no timeout end now; the others keep their deadlines.

        Args:
            node: The node's number.
            at_ns: When it left.
        """
        for table in (self._waiting, self._open):
            left = [item for item in table.items() if target_of(item[1][1][1]) == node and not item[1][8]]
            for key, entry in left:
                del table[key]
                if table is self._waiting:
                    self._announce(entry, at_ns)
                self._give_up(key, entry, at_ns, is_deadline=False)
        for key, call in list(self._streams.items()):
            if target_of(call.entry[1][1]) == node and not call.has_deadline:
                self._end_stream_unanswered(key, call, at_ns)
        self._measure_room()

    def _forget_oldest(self, at_ns: int) -> None:
        """There are too many open calls: drop the oldest of them."""
        excess = 1 + self._limits.open_calls // _FORGOTTEN_AT_ONCE
        for table in (self._waiting, self._open):
            for key in list(table)[:excess]:
                entry = table.pop(key)
                excess -= 1
                self._tally.requests_forgotten += 1
                if table is self._waiting:
                    self._announce(entry, at_ns)
        for key, call in list(self._streams.items())[:excess]:
            self._drop_stream(key, call, at_ns)
            self._tally.requests_forgotten += 1
        self._measure_room()
        self._compact()

    def _measure_room(self) -> None:
        self._room = self._limits.open_calls - len(self._waiting) - len(self._streams)

    def _announce(self, entry: Entry, end_ns: int) -> None:
        """Tell that a call waits (end 0), or waits no longer."""
        action, edge = entry[1]
        self._announced.append(
            OpenCall(
                span=id64(entry[4]),
                begin_ns=entry[0],
                end_ns=end_ns,
                action=action,
                caller=edge >> 32 & 0xFFFF,
                source=edge >> 16 & 0xFFFF,
                target=target_of(edge),
                trace=id64(entry[5]),
            )
        )

    # -- what was observed

    @property
    def open_count(self) -> int:
        """How many calls wait for their answer."""
        return len(self._open) + len(self._waiting) + len(self._streams)

    def take(self) -> tuple[list[CallRow], list[OpenCall]]:
        """Rows in order of end, and calls that begin or cease to wait, since the last time."""
        rows, self._rows = self._rows, []
        announced, self._announced = self._announced, []
        return rows, announced
