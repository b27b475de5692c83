"""Routes: what all packets of one caller about one thing on one lane have in common, made once and kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from broker.observe.breakers import is_breaker_event
from broker.observe.journal import CallFlag, EventFlag, NameKind
from broker.observe.lanes import CallRoute, EventRoute, Lane, edge_of
from broker.observe.names import NameBook
from broker.observe.roster import Roster
from broker.protocol.headers import EventHeader, RequestHeader, ResponseHeader

_MOST_LETTERS: Final = 2_000


class Routes:
    """Makes routes and keeps them on their lanes; tells the roster of senders that are new there."""

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

    def hear(self, lane: Lane, header: ResponseHeader | EventHeader, at_ns: int) -> None:
        """Tell of a sender that is new on its lane."""
        if self._roster.heard(lane.namespace, header.sender, at_ns, _protocol(header)):
            lane.senders.add(header.sender)
            self._keep(lane)

    def of_call(self, lane: Lane, header: RequestHeader, at_ns: int) -> CallRoute:
        """The route of a request that is new on its lane."""
        flags = 0
        if lane.command == "REQB":
            flags = CallFlag.BALANCED | CallFlag.TARGET_UNKNOWN
        elif not lane.node:
            flags = CallFlag.TARGET_UNKNOWN
        is_ours = header.sender in self._roster.ours
        if is_ours:
            flags |= CallFlag.OURS
        route = (
            self._names.number(NameKind.ACTION, lane.namespace_number, header.action),
            self._edge(lane, header, flags),
        )
        is_heard = self._roster.heard(lane.namespace, header.sender, at_ns, _protocol(header))
        if lane.command == "REQ" and lane.rest and not is_ours and len(header.action) < _MOST_LETTERS:
            self._roster.called(lane.namespace, header.action, lane.rest, at_ns)
        if is_heard and _is_short(header.action, header.caller, header.sender):
            lane.routes[header.action, header.caller, header.sender] = route
            self._keep(lane)
        return route

    def of_event(self, lane: Lane, header: EventHeader, groups: tuple[Any, ...], at_ns: int) -> EventRoute:
        """The route of an event that is new on its lane."""
        flags = EventFlag.BALANCED if lane.command == "EVENTB" else 0
        is_broadcast = header.broadcast is True
        if is_broadcast:
            flags |= EventFlag.BROADCAST
        if header.sender in self._roster.ours:
            flags |= EventFlag.OURS
        texts = sorted(group for group in groups if isinstance(group, str))
        route = (
            self._names.number(NameKind.EVENT, lane.namespace_number, header.event),
            self._edge(lane, header, flags),
            self._names.number(NameKind.GROUPS, lane.namespace_number, ",".join(texts)),
            is_breaker_event(header.event),
        )
        is_heard = self._roster.heard(lane.namespace, header.sender, at_ns, _protocol(header))
        if is_heard and len(texts) == len(groups) and _is_short(header.event, header.caller, header.sender, *texts):
            lane.routes[header.event, header.caller, header.sender, is_broadcast, groups] = route
            self._keep(lane)
        return route

    def _edge(self, lane: Lane, header: RequestHeader | EventHeader, flags: int) -> int:
        caller = header.caller if isinstance(header.caller, str) else ""
        return edge_of(
            flags=int(flags),
            caller=self._names.number(NameKind.SERVICE, lane.namespace_number, caller),
            source=self.node_number(lane, header.sender),
            target=lane.node,
        )


def _is_short(*names: object) -> bool:
    """Whether names may be part of a key that is kept: nothing odd that equals another one, nothing endless."""
    return sum(_MOST_LETTERS if not isinstance(name, str | None) else len(name or "") for name in names) < _MOST_LETTERS


def _protocol(header: RequestHeader | ResponseHeader | EventHeader) -> str:
    return header.ver if isinstance(header.ver, str) else ""
