"""Calls that wait for their answer, and the moments when something is to be done about them.

A call younger than a second lies in ``young``, in order of begin; most calls
are answered there and never cost more. One that gets older moves to
``waiting`` and into the heap of deadlines; streamed calls have a table of
their own and are in the heap from the start.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Final, Protocol

from broker.observe.ids import id64
from broker.observe.journal import OpenCall
from broker.observe.limits import NO_ANSWER_AFTER_NS, WAITING_AFTER_NS
from broker.observe.routes import parties_of, target_of
from broker.observe.rows import BEGIN, DEADLINE, ROUTE, SPAN, TRACE, Entry, text_of
from broker.observe.streams import StreamCall
from broker.observe.young import CallKey, YoungCalls, young_calls

_FORGOTTEN_AT_ONCE: Final = 8  # an eighth of them: finding the oldest is dear, taking many from there is not


class Unanswered(Protocol):
    """Takes calls that ended without an answer."""

    def give_up(self, key: CallKey, entry: Entry, at_ns: int, *, is_deadline: bool) -> None:
        """A call ended at its own deadline, or for want of one when it had waited long enough."""
        ...

    def give_up_stream(self, key: CallKey, call: StreamCall, at_ns: int) -> None:
        """A streamed call ended before its closing packet."""
        ...


class OpenCalls:
    """The tables of open calls.

    Attributes:
        young: Calls younger than a second, in order of begin. The hot path writes here.
        waiting: Older ones.
        streams: Calls whose request or response is streamed, and balanced ones.
        others: Keys of both of these: one look for the hot path.
        room: How many calls ``young`` may hold; beyond, ``forget_oldest`` is to be called.
        due_ns: ``advance`` has nothing to do before this moment.
    """

    def __init__(self, most: int, unanswered: Unanswered, *, is_compiled: bool) -> None:
        self.young: YoungCalls = young_calls(is_compiled=is_compiled)
        self.waiting: dict[CallKey, Entry] = {}
        self.streams: dict[CallKey, StreamCall] = {}
        self.others: set[CallKey] = set()
        self.room = most
        self.due_ns = 0
        self._most = most
        self._unanswered = unanswered
        self._heap: list[tuple[int, CallKey]] = []  # calls that ended linger in it
        self._announced: list[OpenCall] = []

    def __len__(self) -> int:
        return len(self.young) + len(self.waiting) + len(self.streams)

    # -- coming and going

    def look_at(self, moment_ns: int, key: CallKey) -> None:
        """Something is to be done about a call at this moment."""
        heappush(self._heap, (moment_ns, key))
        self.due_ns = min(self.due_ns, moment_ns)
        if len(self._heap) > 1_000 + 2 * len(self):
            self._compact()

    def add_stream(self, key: CallKey, call: StreamCall) -> None:
        """A streamed call began, or a call turned out to be streamed."""
        self.streams[key] = call
        self.others.add(key)
        self._measure_room()
        self.look_again(key, call)

    def look_again(self, key: CallKey, call: StreamCall) -> None:
        """Something is to be done about a streamed call at another moment than before."""
        call.due_ns = call.next_look_ns
        self.look_at(call.due_ns, key)

    def drop_stream(self, key: CallKey, call: StreamCall, at_ns: int) -> None:
        """A streamed call ended."""
        del self.streams[key]
        self.others.discard(key)
        self._measure_room()
        if call.is_announced:
            self._announce(call.entry, at_ns)

    def end_waiting(self, key: CallKey, at_ns: int) -> Entry | None:
        """Take a call out of the waiting ones and tell that it ended; None if it is not one."""
        entry = self.waiting.pop(key, None)
        if entry is not None:
            self.others.discard(key)
            self._measure_room()
            self._announce(entry, at_ns)
        return entry

    def become_stream(self, key: CallKey) -> StreamCall | None:
        """Take a call that turns out to be answered by a stream into that table; None if there is none."""
        is_announced = key in self.waiting
        entry = self.waiting.pop(key, None) if is_announced else self.young.pop(key, None)
        if entry is None:
            return None
        call = StreamCall(entry, request_is_streamed=False, is_announced=is_announced)
        self.add_stream(key, call)
        return call

    def node_left(self, node: int, at_ns: int) -> None:
        """End the calls to a node that have no timeout; the others keep their deadlines."""
        waiting = [item for item in self.waiting.items() if target_of(item[1][ROUTE]) == node and not item[1][DEADLINE]]
        for key, entry in waiting:
            self.end_waiting(key, at_ns)
            self._unanswered.give_up(key, entry, at_ns, is_deadline=False)
        for key, entry in self.young.endless_to(node):
            del self.young[key]
            self._unanswered.give_up(key, entry, at_ns, is_deadline=False)
        for key, call in list(self.streams.items()):
            if target_of(call.entry[ROUTE]) == node and not call.has_deadline:
                self.drop_stream(key, call, at_ns)
                self._unanswered.give_up_stream(key, call, at_ns)
        self._measure_room()

    def forget_oldest(self, at_ns: int) -> int:
        """There are too many: drop the oldest of them. Returns how many."""
        count = excess = 1 + self._most // _FORGOTTEN_AT_ONCE
        for key in list(self.waiting)[:excess]:
            self.end_waiting(key, at_ns)
            excess -= 1
        excess -= self.young.forget_oldest(excess)
        for key, call in list(self.streams.items())[:excess]:
            self.drop_stream(key, call, at_ns)
            excess -= 1
        self._measure_room()
        self._compact()
        return count - excess

    def _measure_room(self) -> None:
        self.room = self._most - len(self.others)

    # -- time

    def advance(self, now_ns: int) -> None:
        """Do what is due until a moment, that moment included, in the order in which it is due."""
        for key, entry in self.young.begun_until(now_ns - WAITING_AFTER_NS):
            self._end_due(entry[BEGIN] + WAITING_AFTER_NS)
            if key in self.young:
                self._let_wait(key, entry)
        self._end_due(now_ns)
        self._measure_room()
        oldest_ns = self.young.oldest_ns()
        self.due_ns = WAITING_AFTER_NS + (now_ns if oldest_ns is None else oldest_ns)
        if self._heap:
            self.due_ns = min(self.due_ns, self._heap[0][0])

    def _let_wait(self, key: CallKey, entry: Entry) -> None:
        """A young call becomes a waiting one, and is told of."""
        del self.young[key]
        self.waiting[key] = entry
        self.others.add(key)
        self._announce(entry, 0)
        self.look_at(entry[DEADLINE] or entry[BEGIN] + NO_ANSWER_AFTER_NS, key)

    def let_all_wait(self) -> None:
        """Nothing more will come for a while: tell of all open calls, however young, so that all are counted."""
        for key, entry in self.young.all():
            self._let_wait(key, entry)
        for call in self.streams.values():
            if not call.is_announced:
                call.is_announced = True
                self._announce(call.entry, 0)
        self._measure_room()

    def _end_due(self, until_ns: int) -> None:
        """End the calls whose deadline has come."""
        while self._heap and self._heap[0][0] <= until_ns:
            moment_ns, key = heappop(self._heap)
            if not self._is_due(moment_ns, key):
                continue
            call = self.streams.get(key)
            if call is not None:
                self._look_at_stream(key, call, moment_ns)
                continue
            entry = self.young.pop(key, None) or self.end_waiting(key, moment_ns)
            if entry is not None:
                self._unanswered.give_up(key, entry, moment_ns, is_deadline=entry[DEADLINE] != 0)

    def _is_due(self, moment_ns: int, key: CallKey) -> bool:
        """Whether a call that was to be looked at then is one still."""
        call = self.streams.get(key)
        if call is not None:
            return call.due_ns == moment_ns
        entry = self.young.get(key) or self.waiting.get(key)
        return entry is not None and moment_ns == (entry[DEADLINE] or entry[BEGIN] + NO_ANSWER_AFTER_NS)

    def _look_at_stream(self, key: CallKey, call: StreamCall, moment_ns: int) -> None:
        """A streamed call has been open for a second now, or has come to its deadline."""
        if moment_ns >= call.deadline_ns:
            self.drop_stream(key, call, moment_ns)
            self._unanswered.give_up_stream(key, call, moment_ns)
            return
        if not call.is_announced and moment_ns >= call.entry[BEGIN] + WAITING_AFTER_NS:
            call.is_announced = True
            self._announce(call.entry, 0)
        self.look_again(key, call)

    def _compact(self) -> None:
        """Take calls that ended out of the heap."""
        self._heap = [item for item in self._heap if self._is_due(*item)]
        heapify(self._heap)

    # -- what waits

    def _announce(self, entry: Entry, end_ns: int) -> None:
        """Tell that a call waits (end 0), or waits no longer."""
        action, caller, source, target = parties_of(entry[ROUTE])
        self._announced.append(
            OpenCall(
                span=id64(entry[SPAN]),
                begin_ns=entry[BEGIN],
                end_ns=end_ns,
                action=action,
                caller=caller,
                source=source,
                target=target,
                trace=id64(text_of(entry[TRACE])),
            )
        )

    def take_announced(self) -> list[OpenCall]:
        """Calls that began or ceased to wait since the last time, oldest first."""
        announced, self._announced = self._announced, []
        return announced
