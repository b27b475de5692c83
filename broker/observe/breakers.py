"""Circuit breakers, as far as their events tell (protocol, section 10.4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from broker.observe.announcements import plain
from broker.observe.journal import StateChange

_PREFIX: Final = "$circuit-breaker."
_STATES: Final = {"opened": "open", "half-opened": "half-open", "closed": "closed"}
_MOST: Final = 50_000


def is_breaker_event(event: str) -> bool:
    """Whether an event speaks of a breaker."""
    return event.startswith(_PREFIX) and event[len(_PREFIX) :] in _STATES


class BreakerWatch:
    """Keeps the state of every breaker that was heard of.

    A breaker belongs to the node that sent the event, and is about one
    endpoint. The same event comes once for each node that listens: only the
    first one is a change.
    """

    def __init__(self, tell: Callable[[StateChange], None]) -> None:
        """
        Args:
            tell: Takes each change, oldest first.
        """
        self._tell = tell
        self._states: dict[tuple[str, str], dict[str, Any]] = {}

    def heard(self, namespace: str, owner: str, event: str, data: object, at_ns: int) -> None:
        """Take in an event of a breaker.

        Args:
            namespace: Where it was heard.
            owner: Node id of its sender.
            event: Its name, one for which ``is_breaker_event`` holds.
            data: Its payload; whatever it is.
            at_ns: When it was heard.
        """
        fields = plain(data) if isinstance(data, dict) else {}
        node_id, action = fields.get("nodeID"), fields.get("action")
        if not isinstance(node_id, str) or not isinstance(action, str):
            return
        key = (namespace, f"{owner}|{node_id}:{action}")
        value: dict[str, Any] = {"state": _STATES[event[len(_PREFIX) :]]}
        for name in ("failures", "count", "rate"):
            number = fields.get(name)
            if isinstance(number, int | float) and not isinstance(number, bool):
                value[name] = number
        if self._states.get(key) == value or (key not in self._states and len(self._states) >= _MOST):
            return
        self._states[key] = value
        self._tell(StateChange("breaker", *key, at_ns, value, "event"))

    def node_gone(self, namespace: str, node_id: str, at_ns: int) -> None:
        """A node left: its breakers are no more, and those for its endpoints are about nothing."""
        about = f"|{node_id}:"
        left = [key for key in self._states if key[0] == namespace and _is_of(key[1], node_id, about)]
        for key in left:
            del self._states[key]
            self._tell(StateChange("breaker", *key, at_ns, None, "event"))


def _is_of(key: str, node_id: str, about: str) -> bool:
    return key.startswith(f"{node_id}|") or about in key
