"""The breakers of one node as the helper tells them: every endpoint that this node may call, and its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from broker.agent.holds import Hold, HoldBook
from broker.agent.signature import Endpoint
from broker.node.circuit import State
from broker.node.endpoints import ActionEndpoint
from broker.node.middleware import CircuitBreaker
from broker.node.options import CircuitBreakerPolicy

if TYPE_CHECKING:
    from broker.node.broker import Broker

_WORDS: Final[Mapping[State, str]] = {
    "close": "closed",
    "open": "open",
    "half_open": "half-open",
    "half_open_wait": "half-open",
}
Row = dict[str, Any]


class Listing:
    """Reads the breakers of a broker."""

    def __init__(self, broker: Broker, breakers: CircuitBreaker, holds: HoldBook) -> None:
        self._broker = broker
        self._breakers = breakers
        self._holds = holds

    def rows(self, most: int) -> tuple[list[Row], int]:
        """A row for each endpoint, those first that say most: held, not closed, counted, enabled.

        What others call helpers and ``$node`` for is left out.

        Args:
            most: Rows.

        Returns:
            The rows, and how many endpoints have none for want of room.
        """
        found: dict[Endpoint, ActionEndpoint | Hold] = {hold.endpoint: hold for hold in self._holds}
        for name, endpoints in self._broker.registry.actions.items():
            if not name.startswith("$"):
                for endpoint in endpoints.endpoints:
                    which = Endpoint(endpoint.node.id, name)
                    if isinstance(found.get(which), Hold | None):
                        found[which] = endpoint
        ordered = sorted(found, key=lambda which: self._says_little(which, found[which]))
        rows = [self._row_of(which, found[which]) for which in ordered[:most]]
        return rows, len(ordered) - len(rows)

    def row(self, which: Endpoint) -> Row | None:
        """The row of one endpoint; None if there is no such endpoint and no hold of it."""
        found = self.endpoint(which) or self._holds.of(which)
        return self._row_of(which, found) if found is not None else None

    def endpoint(self, which: Endpoint) -> ActionEndpoint | None:
        """An endpoint whose breaker may be set."""
        if which.action.startswith("$"):
            return None
        return next(iter(self._broker.registry.endpoints_on(which.node, which.action)), None)

    def _row_of(self, which: Endpoint, found: ActionEndpoint | Hold) -> Row:
        return self._row_of_nobody(found) if isinstance(found, Hold) else self._row(which, found, self._holds.of(which))

    def _says_little(self, which: Endpoint, found: ActionEndpoint | Hold) -> tuple[bool, bool, bool, bool]:
        if isinstance(found, Hold):
            return False, True, True, True
        circuit = self._breakers.circuit_at(found)
        is_enabled = self._breakers.policy_of(found.action).enabled
        is_held = self._holds.of(which) is not None
        return not is_held, circuit is None or circuit.state == "close", not (circuit and circuit.count), not is_enabled

    def _row(self, which: Endpoint, endpoint: ActionEndpoint, hold: Hold | None) -> Row:
        circuit = self._breakers.circuit_at(endpoint)
        row: Row = {
            "node": which.node,
            "action": which.action,
            "service": endpoint.service.full_name,
            "local": endpoint.local,
            **_settings(self._breakers.policy_of(endpoint.action)),
            "state": _WORDS[circuit.state] if circuit is not None else "closed",
            "available": endpoint.is_available,
            **_held(hold),
            "failures": circuit.failures if circuit is not None else 0,
            "count": circuit.count if circuit is not None else 0,
        }
        return row | {
            "since": self._at_ms(circuit.since_s) if circuit is not None else None,
            "until": self._at_ms(circuit.until_s) if circuit is not None and circuit.state == "open" else None,
            "reason": circuit.reason if circuit is not None else "",
        }

    def _row_of_nobody(self, hold: Hold) -> Row:
        """A hold that waits for its node to come back."""
        return {
            "node": hold.endpoint.node,
            "action": hold.endpoint.action,
            "service": "",
            "local": False,
            **_settings(self._broker.options.circuit_breaker),
            "state": "closed",
            "available": False,
            **_held(hold),
            "failures": 0,
            "count": 0,
            "since": None,
            "until": None,
            "reason": "the endpoint is gone for now",
        }

    def _at_ms(self, moment_s: float | None) -> int | None:
        """A moment of the timers' clock in ms since the epoch."""
        if moment_s is None:
            return None
        return self._broker.now_ms() + round((moment_s - self._broker.timers.now_s()) * 1000)


def _settings(policy: CircuitBreakerPolicy) -> Row:
    return {
        "enabled": policy.enabled,
        "threshold": policy.threshold,
        "min": policy.min_request_count,
        "window_ms": round((policy.window_s or 60.0) * 1000),
        "half_open_ms": round(policy.half_open_s * 1000),
    }


def _held(hold: Hold | None) -> Row:
    return {"held": hold.state if hold is not None else "", "hold": hold.to_wire() if hold is not None else None}
