"""Frames in, batches out: decodes, correlates, keeps the roster, counts. Pure: it is told what time it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import repeat
from typing import Any, Final

from broker.native import IS_COMPILED
from broker.observe.announcements import cpu_percent, read_announcement
from broker.observe.breakers import HELPER_SERVICE, BreakerWatch, is_breaker_event
from broker.observe.correlation import Correlation
from broker.observe.counters import Counters
from broker.observe.fast_path import StraightIntake
from broker.observe.glance import NOT_AT_A_GLANCE, decode_event, decode_request, decode_response
from broker.observe.journal import Batch, NameKind, StateChange, Tally
from broker.observe.lanes import Lane
from broker.observe.limits import Limits
from broker.observe.names import NameBook
from broker.observe.notes import Notes
from broker.observe.roster import Roster
from broker.observe.routes import Routes
from broker.observe.rows import EventRow, event_columns
from broker.protocol.channels import parse_channel
from broker.protocol.codec import decode_body
from broker.protocol.frame import RawFrame
from broker.protocol.headers import EventHeader, Malformed, read_event, read_other
from broker.protocol.runs import by_moment, not_before

_LONGEST_CHANNEL: Final = 2_048

_MANY_ROWS: Final = 4_000


FrameNumbers = Callable[[int, Sequence[RawFrame]], Sequence[int]]


class Pipeline:
    """Takes in frames, gives batches of what they tell. A FrameSink.

    The same frames give the same rows, names and states, however they are cut
    into feeds, and however often ``advance`` and ``take`` are called between.
    """

    def __init__(
        self,
        *,
        begin_ns: int,
        limits: Limits | None = None,
        frame_numbers: FrameNumbers | None = None,
        withhold: Callable[[bytes], None] | None = None,
        is_compiled: bool = IS_COMPILED,
    ) -> None:
        """
        Args:
            begin_ns: When the session begins.
            limits: How much is kept.
            frame_numbers: Keeps frames (at_ns, frames) and gives each a FrameNumber, 0 for one
                that it did not keep. Asked by ``feed`` when it is not told numbers.
            withhold: Told the body, the very object, of each answer that tells a node's options, or may do so since its
                question was not heard; while its frame is being taken in. None for nobody.
            is_compiled: Whether what is ordinary is left to the compiled module.
        """
        self._limits = limits or Limits()
        self._frame_numbers = frame_numbers
        self._now_ns = begin_ns
        self._calm_until_ns = 0  # before this moment nodes and counters want nothing of the clock
        self._tally = Tally()
        self._names = NameBook(self._limits)
        self._counters = Counters(self._limits.reasons, is_compiled=is_compiled)
        self._lanes: dict[bytes, Lane] = {}
        self._events: list[EventRow] = []
        self._changes: list[StateChange] = []
        self._breakers = BreakerWatch(self._changes.append)
        self._roster = Roster(self._limits, self._changes.append, self._node_gone, self._forget_lanes)
        self._routes = Routes(self._names, self._roster, self._limits.channels, self._forget_lanes)
        self._correlation = Correlation(
            self._names, self._limits, self._tally, self._routes, self._malformed, withhold, is_compiled=is_compiled
        )
        self._fast_path = self._correlation.fast_path
        self._notes = Notes(
            self._correlation, self._roster, self._breakers, self._tally, self._changes.append, self._forget_lanes
        )
        self._ours = self._roster.ours
        self._first_namespace: int | None = None
        self._takers: dict[str, tuple[Callable[[Lane, int, bytes, int], None], Callable[[bytes], Any]]] = {
            "REQ": (self._correlation.request, decode_request),
            "REQB": (self._correlation.request, decode_request),
            "RES": (self._correlation.response, decode_response),
            "EVENT": (self._event, decode_event),
            "EVENTB": (self._event, decode_event),
            "INFO": (self._info, bytes),
        }

    # -- intake

    def feed(self, at_ns: int, frames: Sequence[RawFrame], numbers: Sequence[int] | None = None) -> None:
        """Take in frames that arrived together, oldest first. Never raises, whatever they hold.

        Args:
            at_ns: When they were received, in ns since the epoch. What lies before
                an earlier moment is taken as of that moment.
            frames: Channel and body of each.
            numbers: FrameNumber of each, parallel to frames; 0 for one that was not kept.
        """
        if numbers is None and self._frame_numbers is not None:
            numbers = self._frame_numbers(at_ns, frames)
        at_ns = max(at_ns, self._now_ns)
        if frames and self._fast_path.is_there:
            self._feed_fast([at_ns] * len(frames), frames, numbers)
        else:
            self._reach(at_ns)
            for frame, number in zip(frames, repeat(0) if numbers is None else numbers, strict=False):
                self._handle(at_ns, frame, number)
        if len(self._correlation.rows) >= _MANY_ROWS:
            self._correlation.compact()

    def feed_run(self, moments: list[int], frames: Sequence[RawFrame], numbers: Sequence[int] | None = None) -> None:
        """Take in frames that arrived one after the other: as `feed`, with a moment for each, never falling."""
        if not self._fast_path.is_there or (numbers is None and self._frame_numbers is not None):
            for at_ns, part in by_moment(moments):
                self.feed(at_ns, frames[part], None if numbers is None else numbers[part])
        elif frames:
            self._feed_fast(not_before(self._now_ns, moments), frames, numbers)
            if len(self._correlation.rows) >= _MANY_ROWS:
                self._correlation.compact()

    def straight(self, at_ns: int) -> StraightIntake | None:
        """What takes in ordinary messages that arrive from a moment on, without frames; `went_straight` must follow."""
        at_ns = max(at_ns, self._now_ns)
        self._reach(at_ns)
        return self._fast_path.straight(self._events, self._next_due_ns(at_ns))

    def went_straight(self, last_ns: int) -> None:
        """The last message that was taken in there arrived at this moment."""
        self._now_ns = max(self._now_ns, last_ns)
        self._fast_path.went_straight()
        if len(self._correlation.rows) >= _MANY_ROWS:
            self._correlation.compact()

    def _feed_fast(self, moments: list[int], frames: Sequence[RawFrame], numbers: Sequence[int] | None) -> None:
        """Take in frames: runs of ordinary ones at once, the others one by one."""
        many = frames if type(frames) is list else list(frames)
        numbered = numbers if numbers is None or type(numbers) is list else list(numbers)
        place, count = 0, len(many) if numbered is None else min(len(many), len(numbered))
        at_ns = -1
        while place < count:
            if moments[place] != at_ns:
                at_ns = moments[place]
                self._reach(at_ns)
            if self._fast_path.knows(many[place][0]):
                place = self._fast_path.take(moments, many, numbered, place, self._events, self._next_due_ns(at_ns))
                if place == count:
                    break
                if moments[place] >= self._next_due_ns(at_ns):
                    continue
                at_ns = moments[place]
            self._handle(at_ns, many[place], 0 if numbered is None else numbered[place])
            place += 1
        self._now_ns = moments[-1]

    def _reach(self, at_ns: int) -> None:
        """Frames arrived at this moment: do what is to be done before they are taken in."""
        self._now_ns = at_ns
        if at_ns >= self._calm_until_ns or at_ns >= self._correlation.due_ns:
            self.advance(at_ns)
            if at_ns >= self._counters.next_second_ns:
                self._counters.begin_second(at_ns)
            self._calm_until_ns = min(self._roster.due_ns, self._counters.next_second_ns)

    def _next_due_ns(self, at_ns: int) -> int:
        """After what arrived at a moment, the first at which something is to be done before more is taken in."""
        return max(at_ns + 1, min(self._calm_until_ns, self._correlation.due_ns))

    def _handle(self, at_ns: int, frame: RawFrame, number: int) -> None:
        """Take in one frame."""
        self._calm_until_ns = 0  # it may tell of nodes
        channel, body = frame
        lane = self._lanes.get(channel)
        if lane is None:
            lane = self._new_lane(channel)
        lane.handle(lane, at_ns, body, number)

    def advance(self, now_ns: int) -> None:
        """It is this moment now: end what ends by itself, each at its own moment."""
        self._now_ns = max(self._now_ns, now_ns)
        if self._now_ns >= min(self._correlation.due_ns, self._roster.due_ns):
            self._advance(self._now_ns)

    def _advance(self, now_ns: int) -> None:
        """Deadlines of calls and of nodes, in the order of their moments."""
        self._calm_until_ns = 0
        correlation, roster = self._correlation, self._roster
        while True:
            if roster.due_ns > now_ns:
                correlation.advance(now_ns)
                return
            correlation.advance(roster.due_ns)
            roster.advance(roster.due_ns)

    def take(self, now_ns: int) -> Batch:
        """What was observed since the last time.

        Args:
            now_ns: The moment it is; what ends by itself has ended by then.

        Returns:
            Names before the rows that use them; arrays in the dtypes of the journal.
        """
        self.advance(now_ns)
        calls, waiting = self._correlation.take()
        events, self._events = self._events, []
        changes, self._changes[:] = list(self._changes), []
        return Batch(
            through_ns=self._now_ns,
            calls=calls,
            events=event_columns(events),
            counters=self._counters.take(),
            names=self._names.take(),
            waiting=waiting,
            changes=changes,
            tally=self._settled_tally(),
        )

    def _settled_tally(self) -> Tally:
        """Totals as of now; a copy. Counters must have been settled."""
        counters = self._counters
        return replace(
            self._tally,
            packets=counters.packets,
            bytes=counters.bytes,
            undecodable=counters.undecodable,
            ours=counters.ours,
            requests_open=self._correlation.open_count,
            names_refused=self._names.refused,
            undecodable_reasons=dict(counters.reasons),
        )

    # -- channels

    def _new_lane(self, name: bytes) -> Lane:
        """Look at a channel's name; keep what it says, within the limit."""
        if name.startswith(b"@"):
            return Lane(name[:_LONGEST_CHANNEL], self._note, self._counter("?", 0))
        channel = parse_channel(name) if len(name) <= _LONGEST_CHANNEL else None
        if channel is None:
            return Lane(name[:_LONGEST_CHANNEL], self._foreign, self._counter("?", 0))
        namespace = self._names.number(NameKind.NAMESPACE, 0, channel.namespace)
        handle, decode = self._takers.get(channel.command, (self._other, bytes))
        is_node = channel.rest and channel.command not in ("REQB", "EVENTB")
        lane = Lane(
            name,
            handle,
            self._counter(channel.command, namespace),
            decode=decode,
            command=channel.command,
            namespace=channel.namespace,
            namespace_number=namespace,
            prefix=self._prefix(namespace),
            rest=channel.rest,
            node=self._names.number(NameKind.NODE, namespace, channel.rest) if is_node else 0,
        )
        if len(self._lanes) >= self._limits.channels:
            self._forget_lanes()
        self._lanes[name] = lane
        self._fast_path.know(lane)
        return lane

    def _prefix(self, namespace: int) -> str:
        """What makes ids of a namespace differ from those of others; nothing for the first one heard."""
        if self._first_namespace is None:
            self._first_namespace = namespace
        return "" if namespace == self._first_namespace else f"{namespace}\0"

    def _counter(self, command: str, namespace: int) -> Any:
        return self._counters.counter(namespace, self._names.number(NameKind.PACKET_TYPE, 0, command))

    def _forget_lanes(self) -> None:
        """Begin the cache anew: it is full, or what it was made from has changed."""
        self._lanes.clear()
        self._fast_path.forget()
        self._routes.begin_anew()

    # -- packets

    def _event(self, lane: Lane, at_ns: int, body: bytes, frame: int) -> None:
        """EVENT, EVENTB: part of the hot path."""
        size = len(body)
        counter = lane.counter
        counter.packets += 1
        counter.bytes += size
        try:
            header = lane.decode(body)
            groups = header.groups
            route = lane.routes[
                header.event,
                header.caller,
                header.sender,
                header.broadcast,
                None if groups is None else tuple(groups),
            ]
        except NOT_AT_A_GLANCE:
            checked = self._checked_event(lane, at_ns, body)
            if checked is None:
                return
            header, route = checked
        self._events.append((at_ns, route, size, header.id, header.requestID, header.parentID, frame))

    def _checked_event(self, lane: Lane, at_ns: int, body: bytes) -> tuple[EventHeader, bytes] | None:
        """Header and route of an event that is new or odd; None if it is malformed."""
        header = read_event(body)
        if isinstance(header, Malformed):
            self._malformed(lane, header.reason)
            return None
        if body[:1] != b"{":
            lane.decode = read_event  # which finds the serializer for each packet
            self._fast_path.leave(lane)
        if is_breaker_event(header.event):
            packet = decode_body(body)
            data = packet.get("data") if isinstance(packet, dict) else None
            self._breakers.heard(lane.namespace, header.sender, header.event, data, at_ns)
        return header, self._routes.of_event(lane, header, at_ns)

    def _info(self, lane: Lane, at_ns: int, body: bytes, _frame: int) -> None:
        self._count(lane, body)
        digest = hash(body) or 1
        if self._roster.is_known_info(lane.namespace, digest, at_ns):
            return
        if len(body) > self._limits.info_bytes:
            self._malformed(lane, f"INFO of more than {self._limits.info_bytes:,} bytes")
            return
        payload = decode_body(body)
        info = payload.reason if isinstance(payload, Malformed) else read_announcement(payload)
        if isinstance(info, str):
            self._malformed(lane, info)
            return
        if info.node_id in self._ours:
            lane.counter.ours += 1
        self._roster.announced(lane.namespace, info, at_ns, "info", digest=digest, size=len(body))
        if info.offers and all(offer.full_name != HELPER_SERVICE for offer in info.offers):
            self._breakers.helper_gone(lane.namespace, info.node_id, at_ns)

    def _other(self, lane: Lane, at_ns: int, body: bytes, _frame: int) -> None:
        """HEARTBEAT, DISCONNECT, DISCOVER, PING, PONG."""
        self._count(lane, body)
        header = read_other(body)
        if isinstance(header, Malformed):
            self._malformed(lane, header.reason)
            return
        protocol = header.ver if isinstance(header.ver, str) else ""
        sender = header.sender
        if sender in self._ours:
            lane.counter.ours += 1
        if len(sender) > self._limits.id_length:
            return
        if lane.command == "HEARTBEAT":
            packet = decode_body(body)
            cpu = cpu_percent(packet.get("cpu")) if isinstance(packet, dict) else None
            self._roster.beat(lane.namespace, sender, at_ns, cpu, protocol, "heartbeat")
        elif lane.command == "DISCONNECT":
            self._roster.disconnected(lane.namespace, sender, at_ns)
        else:
            self._roster.heard(lane.namespace, sender, at_ns, protocol)

    def _foreign(self, lane: Lane, _at_ns: int, body: bytes, _frame: int) -> None:
        self._count(lane, body)
        self._malformed(lane, "channel is not one of Moleculer's")

    def _note(self, lane: Lane, at_ns: int, body: bytes, _frame: int) -> None:
        wrong = self._notes.take(lane.name, at_ns, body)
        if wrong is not None:
            self._malformed(lane, f"our own frame: {wrong}")

    def _count(self, lane: Lane, body: bytes) -> None:
        lane.counter.packets += 1
        lane.counter.bytes += len(body)

    def _malformed(self, lane: Lane, reason: str) -> None:
        self._counters.malformed(lane.counter, reason)

    # -- nodes

    def _node_gone(self, namespace: str, node_id: str, at_ns: int) -> None:
        """A node left, or began anew: its calls, its breakers, and what is cached of it."""
        space = self._names.number(NameKind.NAMESPACE, 0, namespace)
        self._correlation.node_gone(self._names.number(NameKind.NODE, space, node_id), at_ns)
        self._breakers.node_gone(namespace, node_id, at_ns)
        self._forget_lanes()
