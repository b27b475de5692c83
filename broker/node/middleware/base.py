"""What a middleware is: something put around the handlers of actions and events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.node.definitions import ActionDefinition, EventDefinition, Handler, ServiceDefinition

if TYPE_CHECKING:
    from broker.node.broker import Broker


class Middleware:
    """Does nothing; every point may be overridden. The first of a broker's list is the innermost."""

    def created(self, broker: Broker) -> None:
        """The broker exists; nothing is connected yet."""

    def local_action(self, call: Handler, service: ServiceDefinition, action: ActionDefinition) -> Handler:  # noqa: ARG002
        """Put something around the execution of one of our actions."""
        return call

    def remote_action(self, call: Handler, service: ServiceDefinition, action: ActionDefinition) -> Handler:  # noqa: ARG002
        """Put something around our calls of another node's action."""
        return call

    def local_event(self, call: Handler, service: ServiceDefinition, event: EventDefinition) -> Handler:  # noqa: ARG002
        """Put something around the execution of one of our event handlers."""
        return call

    def stopped(self) -> None:
        """The broker has stopped: timers end here."""
