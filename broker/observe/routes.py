"""Routes: what all packets of one caller about one thing on one lane have in common, made once and kept.

A route is 16 bytes, laid out as CALL_ROUTE or EVENT_ROUTE: the hot path
hands the same object on, and a thousand of them joined are columns at once.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Any, Final

import numpy as np

from broker.observe.breakers import is_breaker_event
from broker.observe.journal import CallFlag, EventFlag, NameKind
from broker.observe.lanes import Lane
from broker.observe.names import NameBook
from broker.observe.roster import Roster
from broker.protocol.headers import NODE_OPTIONS, EventHeader, RequestHeader, ResponseHeader

CALL_ROUTE: Final = np.dtype(
    [
        ("action", "<u4"),
        ("caller", "<u2"),
        ("source", "<u2"),
        ("target", "<u2"),
        ("flags", "<u2"),
        ("level", "u1"),
        ("unused", "V1"),
        ("namespace", "<u2"),
    ]
)
EVENT_ROUTE: Final = np.dtype(
    [
        ("event", "<u4"),
        ("caller", "<u2"),
        ("source", "<u2"),
        ("target", "<u2"),
        ("flags", "<u2"),
        ("groups", "<u4"),
    ]
)
_CALL: Final = Struct("<IHHHHBxH")
_EVENT: Final = Struct("<IHHHHI")
_MOST_LETTERS: Final = 2_000


def target_of(route: bytes) -> int:
    """The node that a call goes to."""
    return route[8] | route[9] << 8


def parties_of(route: bytes) -> tuple[int, int, int, int]:
    """Action, caller, source and target of a call."""
    action, caller, source, target, *_ = _CALL.unpack(route)
    return action, caller, source, target


def is_target_unknown(route: bytes) -> bool:
    """Whether it is not known yet to which node a call goes."""
    return bool(_CALL.unpack(route)[4] & CallFlag.TARGET_UNKNOWN)


def answered_by(route: bytes, node: int) -> bytes:
    """The route of a call when it turns out which node it went to."""
    action, caller, source, _, flags, level, namespace = _CALL.unpack(route)
    return _CALL.pack(action, caller, source, node, flags & ~CallFlag.TARGET_UNKNOWN, level, namespace)


def flagged(route: bytes, flags: int) -> bytes:
    """The route of a call of which more is known."""
    action, caller, source, target, before, level, namespace = _CALL.unpack(route)
    return _CALL.pack(action, caller, source, target, before | flags, level, namespace)


def between(source: int, target: int, namespace: int) -> bytes:
    """The route of an answer of which only its nodes are known."""
    return _CALL.pack(0, 0, source, target, 0, 0, namespace)


def namespace_of(route: bytes) -> int:
    """The namespace of a call."""
    return route[14] | route[15] << 8


class Routes:
    """Makes routes and keeps them on their lanes; tells the roster of senders that are new there.

    Packets of our own are never kept: so each of them comes here, to be counted. Nor are questions for a node's
    options: so each of them goes the long way, where its answer is withheld.
    """

    def __init__(self, names: NameBook, roster: Roster, most: int, forget: Callable[[], None]) -> None:
        """
        Args:
            names: Gives numbers.
            roster: Told of senders and of called actions.
            most: How many routes and senders are kept on all lanes together.
            forget: Drops all lanes with what is kept on them.
        """
        self._names = names
        self._roster = roster
        self._most = most
        self._forget = forget
        self._kept = 0

    def begin_anew(self) -> None:
        """All lanes were dropped."""
        self._kept = 0

    def _keep(self, lane: Lane) -> None:
        """One thing more is kept on a lane."""
        self._kept += 1
        if self._kept > self._most:
            self._forget()
            lane.routes.clear()
            lane.senders.clear()

    def node_number(self, lane: Lane, node_id: str) -> int:
        """The number of a node of a lane's namespace."""
        return self._names.number(NameKind.NODE, lane.namespace_number, node_id)

    def of_answer(self, lane: Lane, sender: str) -> bytes:
        """The route of an answer to nothing we know."""
        source, target = self.node_number(lane, lane.rest), self.node_number(lane, sender)
        return between(source, target, lane.namespace_number)

    def hear(self, lane: Lane, header: ResponseHeader, at_ns: int) -> None:
        """Tell of a sender that is new on its lane."""
        if self._is_heard(lane, header, at_ns) and len(header.sender) < _MOST_LETTERS:
            lane.senders.add(header.sender)
            self._keep(lane)

    def _is_heard(self, lane: Lane, header: RequestHeader | ResponseHeader | EventHeader, at_ns: int) -> bool:
        """Tell the roster of a sender. Whether that need not be done for its next packet."""
        protocol = header.ver if isinstance(header.ver, str) else ""
        is_heard = self._roster.heard(lane.namespace, header.sender, at_ns, protocol)
        if header.sender in self._roster.ours:
            lane.counter.ours += 1
            return False
        return is_heard

    def of_call(self, lane: Lane, header: RequestHeader, at_ns: int) -> bytes:
        """The route of a request that is new on its lane."""
        flags = CallFlag.SAMPLED if header.tracing is True else 0
        if lane.command == "REQB":
            flags |= CallFlag.BALANCED | CallFlag.TARGET_UNKNOWN
        elif not lane.node:
            flags |= CallFlag.TARGET_UNKNOWN
        is_ours = header.sender in self._roster.ours
        if is_ours:
            flags |= CallFlag.OURS
        level = header.level
        level = level if type(level) is int and 0 <= level <= 255 else 0
        action = self._names.number(NameKind.ACTION, lane.namespace_number, header.action)
        route = _CALL.pack(action, *self._parties(lane, header), lane.node, flags, level, lane.namespace_number)
        is_heard = self._is_heard(lane, header, at_ns)
        if lane.command == "REQ" and lane.rest and not is_ours and len(header.action) < _MOST_LETTERS:
            self._roster.called(lane.namespace, header.action, lane.rest, at_ns)
        is_plain = type(header.level) is int and (header.tracing is None or type(header.tracing) is bool)
        is_plain = is_plain and header.action != NODE_OPTIONS
        if is_heard and is_plain and _is_short(header.action, header.caller, header.sender):
            lane.routes[header.action, header.caller, header.sender, header.level, header.tracing] = route
            self._keep(lane)
        return route

    def of_event(self, lane: Lane, header: EventHeader, at_ns: int) -> bytes:
        """The route of an event that is new on its lane. Those of breakers are never kept."""
        flags = EventFlag.BALANCED if lane.command == "EVENTB" else 0
        if header.broadcast is True:
            flags |= EventFlag.BROADCAST
        if header.sender in self._roster.ours:
            flags |= EventFlag.OURS
        groups = header.groups if isinstance(header.groups, list) else []
        texts = [group for group in groups if isinstance(group, str)]
        route = _EVENT.pack(
            self._names.number(NameKind.EVENT, lane.namespace_number, header.event),
            *self._parties(lane, header),
            lane.node,
            flags,
            self._names.number(NameKind.GROUPS, lane.namespace_number, ",".join(sorted(texts))),
        )
        is_heard = self._is_heard(lane, header, at_ns) and not is_breaker_event(header.event)
        is_plain = len(texts) == len(groups) and (header.broadcast is None or type(header.broadcast) is bool)
        if is_heard and is_plain and _is_short(header.event, header.caller, header.sender, *texts):
            given = None if header.groups is None else tuple(texts)
            lane.routes[header.event, header.caller, header.sender, header.broadcast, given] = route
            self._keep(lane)
        return route

    def _parties(self, lane: Lane, header: RequestHeader | EventHeader) -> tuple[int, int]:
        """Numbers of the calling service and of the sending node."""
        caller = header.caller if isinstance(header.caller, str) else ""
        return (
            self._names.number(NameKind.SERVICE, lane.namespace_number, caller),
            self.node_number(lane, header.sender),
        )


def _is_short(*names: Any) -> bool:
    """Whether names may be part of a key that is kept: nothing odd that equals another one, nothing endless."""
    return sum(_MOST_LETTERS if not isinstance(name, str | None) else len(name or "") for name in names) < _MOST_LETTERS
