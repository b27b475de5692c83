"""Events that come too often: after one was handled, those that come too soon are dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from broker.node.context import Context
from broker.node.definitions import EventDefinition, Handler, ServiceDefinition
from broker.node.middleware.base import Middleware

if TYPE_CHECKING:
    from broker.node.broker import Broker


class Throttle(Middleware):
    """By the event's ``throttle``, in ms."""

    def created(self, broker: Broker) -> None:
        """Learn the clock."""
        self._timers = broker.timers

    def local_event(self, call: Handler, service: ServiceDefinition, event: EventDefinition) -> Handler:
        """Drop what comes too soon after the last one that was handled."""
        apart_ms = event.said("throttle")
        if not isinstance(apart_ms, int | float) or apart_ms <= 0:
            return call
        now_s, apart_s, last_s = self._timers.now_s, apart_ms / 1000, float("-inf")

        async def handler(ctx: Context) -> Any:
            nonlocal last_s
            at_s = now_s()
            if at_s - last_s < apart_s:
                return None
            last_s = at_s
            return await call(ctx)

        return handler
