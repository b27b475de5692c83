"""Lets a service's graceful stop wait for calls within this node too, not only for those of others."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from broker.node.context import Context
from broker.node.definitions import ActionDefinition, Handler, ServiceDefinition
from broker.node.middleware.base import Middleware

if TYPE_CHECKING:
    from broker.node.settings import BrokerOptions


class ContextTracker(Middleware):
    """What other nodes asked for, and event handlers, run in tasks that a service waits for anyway.

    A call from within runs in its caller's task; this counts that as one of the service's too.
    """

    @classmethod
    def is_wanted(cls, options: BrokerOptions) -> bool:
        """Where tracking is on."""
        return options.tracking

    def local_action(self, call: Handler, service: ServiceDefinition, action: ActionDefinition) -> Handler:
        """Count the task for as long as the action runs."""
        running = service.running

        async def handler(ctx: Context) -> Any:
            task = asyncio.current_task()
            if task is None or task in running:
                return await call(ctx)
            running.add(task)
            try:
                return await call(ctx)
            finally:
                running.discard(task)

        return handler
