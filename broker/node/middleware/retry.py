"""Makes a failed call again, elsewhere if there is an elsewhere. Runs at the caller only."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from broker.node.context import Context
from broker.node.definitions import ActionDefinition, Handler, ServiceDefinition
from broker.node.middleware.base import Middleware

if TYPE_CHECKING:
    from broker.node.broker import Broker


class Retry(Middleware):
    """By the broker's policy, overlaid with the action's ``retryPolicy``."""

    def created(self, broker: Broker) -> None:
        """Learn the broker's policy."""
        self._broker = broker

    def local_action(self, call: Handler, service: ServiceDefinition, action: ActionDefinition) -> Handler:
        """For calls within this node."""
        return self._around(call, action)

    def remote_action(self, call: Handler, service: ServiceDefinition, action: ActionDefinition) -> Handler:
        """For calls of another node."""
        return self._around(call, action)

    def _around(self, call: Handler, action: ActionDefinition) -> Handler:
        broker = self._broker
        policy = broker.options.retry.overlaid(action.schema.get("retryPolicy"))
        if not policy.enabled:
            return call

        async def handler(ctx: Context) -> Any:
            try:
                return await call(ctx)
            except Exception as error:
                served_for_another = ctx.endpoint is not None and ctx.endpoint.local and ctx.node_id != broker.node_id
                limit = policy.retries if ctx.retries is None else ctx.retries
                if served_for_another or ctx.attempts >= limit or not policy.check(error):
                    raise
            again = ctx.copy()
            again.attempts += 1
            await asyncio.sleep(policy.wait_s(again.attempts))
            return await broker.call(action.name, ctx=again)

        return handler
