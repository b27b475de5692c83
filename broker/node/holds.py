"""Endpoints that somebody keeps in or out of use by hand, whatever their circuit breakers say."""

from __future__ import annotations

from typing import Any

from broker.node.local_bus import LocalBus
from broker.node.registry import Registry


class Holds:
    """By node and action, so that a hold outlives the node's going and coming back, which makes new endpoints.

    Only this node obeys. Requests that were sent are waited for, and calls of a service's own ``actions`` are
    made past the balancer, held or not.
    """

    def __init__(self, registry: Registry, local_bus: LocalBus) -> None:
        self._registry = registry
        self._states: dict[tuple[str, str], bool] = {}
        local_bus.on("$services.changed", self._hold_again)

    def state(self, node_id: str, action: str) -> bool | None:
        """Whether calls are let through; None where nobody holds anything."""
        return self._states.get((node_id, action))

    def hold(self, node_id: str, action: str, state: bool) -> None:
        """From now on let every call through, or none; in the place of an earlier hold."""
        self._states[node_id, action] = state
        self._apply(node_id, action, state)

    def release(self, node_id: str, action: str) -> None:
        """Let the circuit breaker decide again."""
        if self._states.pop((node_id, action), None) is not None:
            self._apply(node_id, action, None)

    def _apply(self, node_id: str, action: str, state: bool | None) -> None:
        for endpoint in self._registry.endpoints_on(node_id, action):
            endpoint.hold(state)

    def _hold_again(self, _services: Any) -> None:
        """Endpoints may be new. This is told before anything else can happen in this node."""
        for (node_id, action), state in self._states.items():
            self._apply(node_id, action, state)
