"""For middlewares that treat a call alike, whether it is served here or on another node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.node.definitions import ActionDefinition, Handler, ServiceDefinition
from broker.node.middleware.base import Middleware

if TYPE_CHECKING:
    from broker.node.broker import Broker


class AroundCalls(Middleware):
    """Override ``around``: it is asked once for each action here, and once for each endpoint elsewhere."""

    def created(self, broker: Broker) -> None:
        """Learn the broker's options."""
        self._broker = broker

    def local_action(self, call: Handler, service: ServiceDefinition, action: ActionDefinition) -> Handler:
        """The callee's side, and calls within this node."""
        return self.around(call, service, action)

    def remote_action(self, call: Handler, service: ServiceDefinition, action: ActionDefinition) -> Handler:
        """The caller's side."""
        return self.around(call, service, action)

    def around(self, call: Handler, service: ServiceDefinition, action: ActionDefinition) -> Handler:
        """Put something around a call; give ``call`` itself back when nothing is wanted, which then costs nothing."""
        return call
