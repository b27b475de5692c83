"""Ordinary requests, answers and events, taken in by the compiled module a run at a time."""

from __future__ import annotations

from typing import Final

from broker.native import compiled
from broker.observe.counters import Counter
from broker.observe.lanes import Lane
from broker.observe.limits import LONGEST_TIMEOUT_MS, WAITING_AFTER_NS, Limits
from broker.observe.open_calls import OpenCalls
from broker.observe.rows import CallRows, EventRow
from broker.observe.young import Young
from broker.protocol.frame import RawFrame

_TAKES: Final = {"REQ": "Q", "RES": "S", "EVENT": "E", "EVENTB": "E"}
"""By packet type, what a fast lane is told to take."""


StraightIntake = tuple["compiled.Intake", dict[bytes, "compiled.FastLane"], list[EventRow], int, int]
"""What compiled.Straight wants to know of where messages are taken in."""


class FastPath:
    """Knows lanes on which requests, answers and events come; what is not ordinary there it leaves to their handlers.

    Without the compiled module it knows no lanes, and takes nothing.
    """

    def __init__(self, calls: OpenCalls, rows: CallRows, limits: Limits) -> None:
        """
        Args:
            calls: Where requests go.
            rows: Where answered calls go.
            limits: How long ids may be.
        """
        self._calls = calls
        self._lanes: dict[bytes, compiled.FastLane] = {}
        self._intake: compiled.Intake | None = None
        if not (isinstance(calls.young, Young) or isinstance(rows, list)):
            self._intake = compiled.Intake(
                calls.young, rows, calls.others, limits.id_length, LONGEST_TIMEOUT_MS, WAITING_AFTER_NS
            )

    @property
    def is_there(self) -> bool:
        """Whether it takes anything."""
        return self._intake is not None

    def know(self, lane: Lane) -> None:
        """A lane is new."""
        takes = _TAKES.get(lane.command, "")
        if not takes or (takes == "Q" and not lane.node):
            return
        if self._intake is not None and not isinstance(lane.counter, Counter):
            self._lanes[lane.name] = compiled.FastLane(takes, lane.counter, lane.prefix, lane.routes, lane.senders)

    def leave(self, lane: Lane) -> None:
        """What comes on a lane is not JSON."""
        self._lanes.pop(lane.name, None)

    def knows(self, channel: bytes) -> bool:
        """Whether it may take what comes on a channel."""
        return channel in self._lanes

    def forget(self) -> None:
        """All lanes begin anew."""
        self._lanes.clear()

    def take(
        self,
        moments: list[int],
        frames: list[RawFrame],
        numbers: list[int] | None,
        first: int,
        events: list[EventRow],
        until_ns: int,
    ) -> int:
        """Take frames in, up to the first that is not ordinary, or comes when something is to be done before.

        Args:
            moments: When each arrived, in ns since the epoch, never falling; parallel to frames.
            frames: Channel and body of each.
            numbers: FrameNumber of each; None for 0.
            first: The first of them to be taken.
            events: Where rows of events go.
            until_ns: What arrived at this moment, or later, is not taken; nor is what arrived when a call that was
                taken here ends, or later.

        Returns:
            The place of the first that was not taken; the count of frames if all were.
        """
        intake = self._intake
        if intake is None:
            return first
        place = intake.take(self._lanes, moments, frames, numbers, first, self._calls.room, events, until_ns)
        self._look_at_soon(intake)
        return place

    def straight(self, events: list[EventRow], until_ns: int) -> StraightIntake | None:
        """What takes ordinary messages in without frames of them, told as `take` is; None if nothing does."""
        if self._intake is None:
            return None
        return self._intake, self._lanes, events, self._calls.room, until_ns

    def went_straight(self) -> None:
        """Messages were taken in there."""
        if self._intake is not None:
            self._look_at_soon(self._intake)

    def _look_at_soon(self, intake: compiled.Intake) -> None:
        if intake.has_soon:
            for deadline_ns, key in intake.take_soon():
                self._calls.look_at(deadline_ns, key)
