"""Holds: endpoints that an operator keeps open or closed, each until its time is over, whoever is still there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from broker.agent.signature import Endpoint, HoldState
from broker.node.holds import Holds
from broker.node.timers import Timer, Timers


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold.

    Attributes:
        id: New for each hold.
        endpoint: What is held.
        state: Open: no call is let through; closed: every one is.
        by, reason: Whose it is and why, for people.
        since_ms, until_ms: In ms since the epoch.
    """

    id: str
    endpoint: Endpoint
    state: HoldState
    by: str
    reason: str
    since_ms: int
    until_ms: int

    def to_wire(self) -> dict[str, Any]:
        """As the helper tells it."""
        return {
            "id": self.id,
            "state": self.state,
            "by": self.by,
            "reason": self.reason,
            "since": self.since_ms,
            "until": self.until_ms,
        }


class HoldBook:
    """The holds of one node."""

    def __init__(self, holds: Holds, timers: Timers, changed: Callable[[], None]) -> None:
        """Begin with none.

        Args:
            holds: What obeys them.
            timers: What their ends wait on.
            changed: Called when a hold ended by itself.
        """
        self._holds = holds
        self._timers = timers
        self._changed = changed
        self._kept: dict[Endpoint, tuple[Hold, Timer]] = {}

    def __iter__(self) -> Iterator[Hold]:
        return (hold for hold, _ in self._kept.values())

    def of(self, endpoint: Endpoint) -> Hold | None:
        """The hold of an endpoint."""
        kept = self._kept.get(endpoint)
        return kept[0] if kept is not None else None

    def begin(self, hold: Hold) -> None:
        """Hold from now on, in the place of what that endpoint was held at."""
        if (before := self._kept.pop(hold.endpoint, None)) is not None:
            before[1].cancel()
        lasts_s = (hold.until_ms - hold.since_ms) / 1000
        timer = self._timers.call_later(lasts_s, lambda: self._expire(hold))
        self._kept[hold.endpoint] = hold, timer
        self._holds.hold(hold.endpoint.node, hold.endpoint.action, hold.state == "closed")

    def end(self, endpoint: Endpoint) -> None:
        """Let its circuit breaker decide again, if it is held."""
        kept = self._kept.pop(endpoint, None)
        if kept is not None:
            kept[1].cancel()
            self._holds.release(endpoint.node, endpoint.action)

    def end_all(self) -> None:
        """Hold nothing any more."""
        for endpoint in list(self._kept):
            self.end(endpoint)

    def _expire(self, hold: Hold) -> None:
        self.end(hold.endpoint)
        self._changed()
