"""Requests and their answers: which belong together, and which end without one.

``request`` and ``response`` are the hot path: they decode no more than the
header, look names up once a caller and action, and make plain tuples. What
they do not know at a glance goes the long way, which checks everything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from broker.observe.endings import Endings, note_table
from broker.observe.fast_path import FastPath
from broker.observe.glance import NOT_AT_A_GLANCE, is_answer, odd_deadline_ns
from broker.observe.journal import CALL_COLUMNS, NameKind, OpenCall, Outcome, Tally
from broker.observe.lanes import Lane
from broker.observe.limits import (
    CALLEE_TIMEOUT_MARGIN_NS,
    LONGEST_TIMEOUT_MS,
    NEVER_NS,
    WAITING_AFTER_NS,
    Limits,
)
from broker.observe.names import NameBook
from broker.observe.open_calls import OpenCalls
from broker.observe.routes import Routes, answered_by, is_target_unknown, parties_of
from broker.observe.rows import (
    BEGIN,
    DEADLINE,
    ROUTE,
    SIZE,
    Entry,
    call_rows,
    ending_of,
    identity,
    take_columns,
)
from broker.observe.streams import StreamCall
from broker.observe.young import CallKey
from broker.protocol.headers import (
    NODE_OPTIONS,
    Malformed,
    RequestHeader,
    ResponseHeader,
    read_error,
    read_request,
    read_response,
)

_OK: Final = int(Outcome.OK)  # plain numbers: rows are made of them a million times
_TIMED_OUT: Final = int(Outcome.TIMED_OUT)
_NO_ANSWER: Final = int(Outcome.NO_ANSWER)


class Correlation:
    """Joins answers to requests by namespace and id.

    Attributes:
        rows: Calls that ended and are no columns yet; ``compact`` when there are many.
        fast_path: Takes in what is ordinary, where it can.
    """

    def __init__(
        self,
        names: NameBook,
        limits: Limits,
        tally: Tally,
        routes: Routes,
        malformed: Callable[[Lane, str], None],
        withhold: Callable[[bytes], None] | None = None,
        *,
        is_compiled: bool,
    ) -> None:
        """
        Args:
            names: Where errors get their numbers.
            limits: How much is kept.
            tally: Where is counted what is no row.
            routes: Makes the route of a request that is new on its lane, and keeps it there.
            malformed: Counts what cannot be decoded, with its reason.
            withhold: Told the body of each answer that tells a node's options, or may do so; None for nobody.
            is_compiled: Whether what is ordinary is left to the compiled module.
        """
        self._names = names
        self._id_length = limits.id_length
        self._tally = tally
        self._routes = routes
        self._malformed = malformed
        self._withhold = withhold
        self._option_actions: set[int] = set()  # numbers of NODE_OPTIONS, one a namespace
        self._calls = OpenCalls(limits.open_calls, self, is_compiled=is_compiled)
        self._young = self._calls.young
        self._endings = Endings(limits.ended_calls, limits.ended_ns)
        self.rows = call_rows(is_compiled=is_compiled)
        self._tables: list[NDArray[np.void]] = []
        self._deaf_since_ns = NEVER_NS  # begin of the gap that lasts
        self._heard_again_ns = -1  # end of the last gap
        self.fast_path = FastPath(self._calls, self.rows, limits)

    # -- the hot path

    def request(self, lane: Lane, at_ns: int, body: bytes, frame: int) -> None:
        """Take in a REQ or REQB.

        Args:
            lane: The channel it came on.
            at_ns: When it was heard; never before an earlier packet.
            body: The packet.
            frame: Its FrameNumber, 0 for none.
        """
        size = len(body)
        counter = lane.counter
        counter.packets += 1
        counter.bytes += size
        try:
            header = lane.decode(body)
            route = lane.routes[header.action, header.caller, header.sender, header.level, header.tracing]
            call_id = header.id
            key = lane.prefix + call_id
        except NOT_AT_A_GLANCE:
            call_id = ""
        if not call_id or (size > self._id_length and self._is_endless(call_id, header.requestID, header.parentID)):
            checked = self._checked_request(lane, at_ns, body)
            if checked is None:
                return
            header, route = checked
            call_id = header.id
            key = lane.prefix + call_id
        timeout_ms = header.timeout
        if not timeout_ms:
            deadline_ns = 0
        elif timeout_ms.__class__ is int and 0 < timeout_ms <= LONGEST_TIMEOUT_MS:
            deadline_ns = at_ns + timeout_ms * 1_000_000
        else:
            deadline_ns = odd_deadline_ns(at_ns, timeout_ms)
        entry = (at_ns, route, size, call_id, header.requestID, header.parentID, frame, deadline_ns)
        calls = self._calls
        if header.stream or header.seq or key in calls.others or not lane.node or header.action == NODE_OPTIONS:
            self._unusual_request(key, entry, header)
            return
        if self._young.setdefault(key, entry) is not entry:
            self._repeated(key, at_ns, size)
            return
        if deadline_ns and deadline_ns <= at_ns + WAITING_AFTER_NS:
            calls.look_at(deadline_ns, key)
        if len(self._young) > calls.room:
            self._tally.requests_forgotten += calls.forget_oldest(at_ns)

    def response(self, lane: Lane, at_ns: int, body: bytes, frame: int) -> None:
        """Take in a RES; arguments as of ``request``."""
        size = len(body)
        counter = lane.counter
        counter.packets += 1
        counter.bytes += size
        header = None
        try:
            header = lane.decode(body)
            if header.sender in lane.senders and header.success is True and not (header.stream or header.seq):
                key = lane.prefix + header.id
                entry = self._young.pop(key, None)
                if entry is not None:
                    self.rows.append(entry + (at_ns, 0, size, frame))  # noqa: RUF005 - half the time of unpacking
                    return
        except NOT_AT_A_GLANCE:
            pass
        self._unusual_response(lane, at_ns, header, body, frame)

    # -- requests, the long way

    def _checked_request(self, lane: Lane, at_ns: int, body: bytes) -> tuple[RequestHeader, bytes] | None:
        """Header and route of a request that is new, large or odd; None if it is malformed."""
        header = read_request(body)
        if isinstance(header, Malformed):
            self._malformed(lane, header.reason)
            return None
        if body[:1] != b"{":
            lane.decode = read_request  # which finds the serializer for each packet
            self.fast_path.leave(lane)
        if self._is_endless(header.id, header.requestID, header.parentID):
            self._malformed(lane, f"ids of more than {self._id_length} letters")
            return None
        try:
            route = lane.routes[header.action, header.caller, header.sender, header.level, header.tracing]
        except (KeyError, TypeError):
            route = self._routes.of_call(lane, header, at_ns)
        if header.action == NODE_OPTIONS:
            self._option_actions.add(parties_of(route)[0])
        return header, route

    def _is_endless(self, *ids: object) -> bool:
        """Whether ids would fill memory."""
        return sum(len(text) for text in ids if isinstance(text, str)) > self._id_length

    def _unusual_request(self, key: CallKey, entry: Entry, header: RequestHeader) -> None:
        """A request that is streamed, repeated or balanced, or whose answer is withheld and so must go the long way."""
        at_ns, size = entry[BEGIN], entry[SIZE]
        is_streamed = bool(header.stream or header.seq)
        call = self._calls.streams.get(key)
        if call is not None and is_streamed:
            call.request_packet(at_ns, size, header.seq, is_last=not header.stream)
            self._end_stream_if_over(key, call, at_ns)
        elif call is not None or key in self._young or key in self._calls.waiting:
            self._repeated(key, at_ns, size)
        elif not header.seq:  # others joined too late, or speak after the end
            call = StreamCall(entry, request_is_streamed=is_streamed)
            if is_streamed:
                call.opening_number(header.seq)
            self._calls.add_stream(key, call)
            if len(self._young) > self._calls.room:
                self._tally.requests_forgotten += self._calls.forget_oldest(at_ns)

    def _repeated(self, key: CallKey, at_ns: int, size: int) -> None:
        """A request whose id is open already: part of that call, and no call of its own."""
        self._tally.requests_repeated += 1
        for table in (self._young, self._calls.waiting):
            entry = table.get(key)
            if entry is not None:
                begin_ns, route, first_size, *others = entry
                table[key] = (begin_ns, route, first_size + size, *others)
        call = self._calls.streams.get(key)
        if call is not None:
            call.request_packet(at_ns, size, None, is_last=False)

    # -- answers, the long way

    def _unusual_response(self, lane: Lane, at_ns: int, seen: Any, body: bytes, frame: int) -> None:
        """An answer that failed, is streamed, belongs to no young call, or is from a sender that is new.

        Args:
            seen: Its header, unchecked; anything else if it could not be read at a glance.
        """
        header: ResponseHeader | Malformed = seen
        if not is_answer(seen):
            header = read_response(body)
            if body[:1] != b"{":
                lane.decode = read_response  # which finds the serializer for each packet
                self.fast_path.leave(lane)
        if isinstance(header, Malformed):
            self._malformed(lane, header.reason)
            return
        if self._is_endless(header.id):
            self._malformed(lane, f"ids of more than {self._id_length} letters")
            return
        if header.sender not in lane.senders:
            self._routes.hear(lane, header, at_ns)
        key, size = lane.prefix + header.id, len(body)
        if header.stream or header.seq or key in self._calls.streams:
            self._streamed_response(key, lane, at_ns, header, body, frame)
            return
        entry = self._young.pop(key, None) or self._calls.end_waiting(key, at_ns)
        if entry is None:
            self._unmatched(key, lane, at_ns, header, body, frame)
            return
        ending = _OK if header.success else self._failure(entry[DEADLINE], at_ns, header)
        self.rows.append((*entry, at_ns, ending, size, frame))

    def _failure(self, deadline_ns: int, at_ns: int, header: ResponseHeader) -> int:
        """The ending of an answer that failed."""
        error = read_error(header)
        code = "" if error.code is None else str(error.code)
        number = self._names.number(NameKind.ERROR, 0, f"{code}|{error.type}|{error.name}")
        timed_out = error.type == "REQUEST_TIMEOUT" and error.code == 504
        if timed_out and deadline_ns and at_ns >= deadline_ns - CALLEE_TIMEOUT_MARGIN_NS:
            # The callee's clock of this call ran out, so the caller's does at this moment too.
            self._tally.requests_timed_out += 1
            return ending_of(_TIMED_OUT, number)
        return ending_of(Outcome.FAILED, number)

    def _streamed_response(
        self, key: CallKey, lane: Lane, at_ns: int, header: ResponseHeader, body: bytes, frame: int
    ) -> None:
        """A packet of a streamed response, or any answer to a streamed or balanced request."""
        call = self._calls.streams.get(key) or self._calls.become_stream(key)
        if call is None:
            self._unmatched(key, lane, at_ns, header, body, frame)
            return
        call.entry = self._with_target(call.entry, lane, header.sender)
        self._look_whether_withheld(call.entry[ROUTE], body)
        call.response_packet(at_ns, len(body), header.seq, frame)
        if not header.stream:
            deadline_ns = call.entry[DEADLINE] if call.has_deadline else 0
            call.close(_OK if header.success else self._failure(deadline_ns, at_ns, header))
        self._end_stream_if_over(key, call, at_ns)

    def _with_target(self, entry: Entry, lane: Lane, sender: str) -> Entry:
        """A balanced call went to whoever answered it."""
        if not is_target_unknown(entry[ROUTE]):
            return entry
        route = answered_by(entry[ROUTE], self._routes.node_number(lane, sender))
        begin_ns, _, *others = entry
        return (begin_ns, route, *others)

    def _end_stream_if_over(self, key: CallKey, call: StreamCall, at_ns: int) -> None:
        if call.ending is None or not call.has_ended:
            if call.is_waiting_for_overtaken:
                self._calls.look_again(key, call)
            return
        self._calls.drop_stream(key, call, at_ns)
        self._tally.lost += call.lost_packets
        self.rows.append(call.row(at_ns, call.ending))

    def _look_whether_withheld(self, route: bytes | None, body: bytes) -> None:
        """Withhold the answer to a question for a node's options; and one to nobody knows what, which is no route."""
        if self._withhold is not None and (route is None or parties_of(route)[0] in self._option_actions):
            self._withhold(body)

    def _unmatched(self, key: CallKey, lane: Lane, at_ns: int, header: ResponseHeader, body: bytes, frame: int) -> None:
        """An answer to no open call: too late, once too often, or to a request that we did not see."""
        entry = self._endings.take_given_up(key, at_ns)
        if entry is not None:
            self._tally.responses_late += 1
            outcome = Outcome.LATE
            entry = self._with_target(entry, lane, header.sender)
            self._look_whether_withheld(entry[ROUTE], body)
        else:
            self._endings.look_at(self.rows)
            before = self._endings.answer(identity(lane.namespace_number, header.id), at_ns)
            known = before if before is not None and before.outcome != Outcome.ORPHAN else None
            self._look_whether_withheld(None if known is None else known.route, body)
            if before is not None and header.seq:
                return  # the rest of a stream whose first packet left a row
            if known is not None:
                self._tally.responses_doubled += 1
                outcome, route = Outcome.DOUBLE, known.route
            else:
                self._tally.responses_orphaned += 1
                outcome, route = Outcome.ORPHAN, self._routes.of_answer(lane, header.sender)
            entry = (at_ns, route, 0, header.id, "", "", 0, 0)
        error = 0 if header.success or header.stream else self._failure(0, at_ns, header) >> 8
        self.rows.append((*entry, at_ns, ending_of(outcome, error), len(body), frame))

    # -- time

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
        self._deaf_since_ns = min(self._deaf_since_ns, since_ns)

    def hears(self, at_ns: int) -> None:
        """From this moment on all is heard again."""
        if self._deaf_since_ns != NEVER_NS:
            self._deaf_since_ns = NEVER_NS
            self._heard_again_ns = at_ns

    def session_ends(self, at_ns: int) -> None:
        """Nothing is heard from this moment on, and what is open now is told, however young."""
        self._calls.let_all_wait()
        self.deaf(at_ns)

    def missed(self, at_ns: int) -> None:
        """Packets were lost at this moment, answers maybe among them."""
        self._heard_again_ns = at_ns

    def give_up(self, key: CallKey, entry: Entry, at_ns: int, *, is_deadline: bool) -> None:
        """A call ends without an answer: its deadline passed, or it had none and waited long enough."""
        self._endings.give_up(key, entry, at_ns)
        if self._heard_again_ns > entry[BEGIN] or self._deaf_since_ns <= at_ns:
            self._tally.requests_unheard += 1  # it may have been answered while nothing was heard
            return
        if is_deadline:
            self._tally.requests_timed_out += 1
        self.rows.append((*entry, at_ns, _TIMED_OUT if is_deadline else _NO_ANSWER, 0, 0))

    def give_up_stream(self, key: CallKey, call: StreamCall, at_ns: int) -> None:
        """A streamed call ends before its closing packet."""
        self._tally.lost += call.lost_packets
        if call.ending is None:
            self.give_up(key, call.whole_entry(), at_ns, is_deadline=call.has_deadline)
        else:  # answered; only its request was never closed
            self.rows.append(call.row(at_ns, call.ending))

    # -- what was observed

    @property
    def open_count(self) -> int:
        """How many calls wait for their answer."""
        return len(self._calls)

    def compact(self) -> None:
        """Make columns of the rows so far: once they are many they take less room, and the processor's cache less."""
        if not len(self.rows):
            return
        table, routes = take_columns(self.rows)
        self._tables.append(table)
        note_table(self._endings, table, routes)

    def take(self) -> tuple[NDArray[np.void], list[OpenCall]]:
        """Rows of CALL_COLUMNS, and calls that begin or cease to wait, since the last time.

        Rows come in order of end; only where the end of a stream overtook packets before it, its row comes when these
        are there or are given up, OVERTAKEN_NS later at most.
        """
        self.compact()
        tables, self._tables = self._tables, []
        calls = tables[0] if len(tables) == 1 else np.concatenate([np.empty(0, CALL_COLUMNS), *tables])
        return calls, self._calls.take_announced()
