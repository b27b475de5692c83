"""Who serves an action or a group of an event: lists of endpoints, and the choice among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from broker.node.definitions import ActionDefinition, EventDefinition, Handler, ServiceDefinition
from broker.node.nodes import NodeEntry

if TYPE_CHECKING:
    from broker.node.circuit import Circuit
    from broker.node.context import Context
    from broker.node.strategies.base import Strategy


class ActionEndpoint:
    """An action on one node.

    Attributes:
        node: Where.
        service: Of which service.
        action: What it is.
        local: Whether it is ours.
        circuit: Its circuit breaker; None while it was not called lately, or has none.
        held: What somebody holds it at by hand, whatever its circuit breaker says; None if nobody does.
        is_available: Whether it may be chosen.
        handler: What serves it, middlewares around it.
        direct: The same for calls that bring no option of their own, where no middleware minds; else None.
    """

    __slots__ = (
        "_allowed",
        "action",
        "circuit",
        "direct",
        "handler",
        "held",
        "is_available",
        "local",
        "node",
        "service",
    )

    def __init__(self, node: NodeEntry, service: ServiceDefinition, action: ActionDefinition, handler: Handler) -> None:
        self.node = node
        self.service = service
        self.action = action
        self.local = node.local
        self.circuit: Circuit | None = None
        self.held: bool | None = None
        self.is_available = self._allowed = True
        self.handler = handler
        self.direct = action.direct

    @property
    def state(self) -> bool:
        """Whether it may be chosen, as MoleculerJS calls it."""
        return self.is_available

    def allow(self, allowed: bool) -> None:
        """Its circuit breaker says whether it may be chosen; that counts where it is not held."""
        self._allowed = allowed
        if self.held is None:
            self.is_available = allowed

    def hold(self, state: bool | None) -> None:
        """Somebody holds it by hand; with None its circuit breaker's word counts again."""
        self.held = state
        self.is_available = self._allowed if state is None else state


class EventEndpoint:
    """A subscription on one node."""

    __slots__ = ("event", "handler", "local", "node", "service", "state")

    def __init__(
        self, node: NodeEntry, service: ServiceDefinition, event: EventDefinition, handler: Handler | None
    ) -> None:
        self.node = node
        self.service = service
        self.event = event
        self.local = node.local
        self.state = True
        self.handler = handler

    @property
    def is_available(self) -> bool:
        """Whether it may be chosen."""
        return self.node.available


_E = TypeVar("_E", ActionEndpoint, EventEndpoint)


class EndpointList(Generic[_E]):
    """All endpoints of one action, or of one group of an event.

    Attributes:
        name: The action, or the event's name or pattern.
        group: The event's group; "" for actions.
        endpoints: In the order in which we learned of them.
    """

    def __init__(self, name: str, group: str, strategy: Strategy, *, prefer_local: bool) -> None:
        self.name = name
        self.group = group
        self.endpoints: list[_E] = []
        self._local: list[_E] = []
        self.sole_local: _E | None = None
        self._strategy = strategy
        self._prefer_local = prefer_local
        self._is_blind = not strategy.sees_context
        self._internal = name.startswith("$")
        self._empty_since_s: float | None = None

    def add(self, endpoint: _E) -> None:
        """Take one more in."""
        self.endpoints.append(endpoint)
        self._empty_since_s = None
        if endpoint.local:
            self._local.append(endpoint)
        self._changed()

    def find(self, node: NodeEntry, service_name: str) -> _E | None:
        """The one of this service on this node."""
        for endpoint in self.endpoints:
            if endpoint.node is node and endpoint.service.full_name == service_name:
                return endpoint
        return None

    def remove(self, endpoint: _E) -> None:
        """Take one out."""
        self.endpoints = [kept for kept in self.endpoints if kept is not endpoint]
        self._local = [kept for kept in self._local if kept is not endpoint]
        self._changed()

    def _changed(self) -> None:
        self.sole_local = self._local[0] if len(self._local) == 1 else None
        self._strategy.changed(self.endpoints)

    def is_unused(self, now_s: float, keep_s: float) -> bool:
        """Whether it has been empty for longer than this, as far as was seen when this was asked before."""
        if self.endpoints:
            return False
        if self._empty_since_s is None:
            self._empty_since_s = now_s
        return now_s - self._empty_since_s > keep_s

    @property
    def has_local(self) -> bool:
        """Whether one is ours."""
        return bool(self._local)

    @property
    def has_available(self) -> bool:
        """Whether one may be chosen."""
        return any(endpoint.is_available for endpoint in self.endpoints)

    def next(self, ctx: Context | None = None) -> _E | None:
        """The one to use now: ours if there is one and that is preferred, else by strategy; None if none may be."""
        endpoints = self.endpoints
        if len(endpoints) == 1:
            return endpoints[0] if endpoints[0].is_available else None
        if not endpoints:
            return None
        if self._internal and self._local:
            return self.next_local(ctx)
        if self._prefer_local and self._local and (ours := self.next_local(ctx)) is not None:
            return ours
        return self._select(endpoints, ctx)

    def next_blindly(self) -> _E | None:
        """The same for a call without a context; also None where one must be seen to choose."""
        endpoints = self.endpoints
        if len(endpoints) == 1:
            return endpoints[0] if endpoints[0].is_available else None
        return self.next() if self._is_blind else None

    def next_local(self, ctx: Context | None = None) -> _E | None:
        """The one of ours to use now."""
        ours = self._local
        if len(ours) == 1:
            return ours[0] if ours[0].is_available else None
        return self._select(ours, ctx)

    def on_node(self, node_id: str) -> _E | None:
        """The one on this node, if it may be used."""
        for endpoint in self.endpoints:
            if endpoint.node.id == node_id:
                return endpoint if endpoint.is_available else None
        return None

    def _select(self, endpoints: list[_E], ctx: Context | None) -> _E | None:
        available = [endpoint for endpoint in endpoints if endpoint.is_available]
        return self._strategy.select(available, ctx) if available else None
