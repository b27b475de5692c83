"""Gives a call up when its time is over, and lets nested calls know how much is left."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from broker.node.context import Context
from broker.node.definitions import ActionDefinition, Handler, ServiceDefinition
from broker.node.errors import RequestTimeoutError
from broker.node.middleware.base import Middleware

if TYPE_CHECKING:
    from broker.node.broker import Broker


class Timeout(Middleware):
    """The call's own timeout, else the action's, else the broker's; 0 is none."""

    def created(self, broker: Broker) -> None:
        """Learn the broker's default."""
        self._broker = broker

    def local_action(self, call: Handler, service: ServiceDefinition, action: ActionDefinition) -> Handler:
        """Callees keep the time too: their caller may be gone."""
        return self._around(call, action)

    def remote_action(self, call: Handler, service: ServiceDefinition, action: ActionDefinition) -> Handler:
        """Callers do not wait longer."""
        return self._around(call, action)

    def _around(self, call: Handler, action: ActionDefinition) -> Handler:
        broker = self._broker
        default_s = action.timeout_s if action.timeout_s is not None else broker.options.request_timeout_s

        async def handler(ctx: Context) -> Any:
            if ctx.timeout_s is None:
                ctx.timeout_s = default_s
            if ctx.timeout_s <= 0:
                return await call(ctx)
            if ctx.started_s is None:
                ctx.started_s = broker.monotonic_s()
            try:
                async with asyncio.timeout(ctx.timeout_s) as limit:
                    return await call(ctx)
            except TimeoutError:
                if not limit.expired():
                    raise  # the handler's own
                raise RequestTimeoutError({"action": action.name, "nodeID": ctx.node_id}) from None

        return handler
