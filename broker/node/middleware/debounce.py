"""Events that come in a burst: their handler runs once, for the last, when it has been quiet for a while."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from broker.node.context import Context
from broker.node.definitions import EventDefinition, Handler, ServiceDefinition
from broker.node.middleware.base import Middleware
from broker.node.timers import Timer

if TYPE_CHECKING:
    from broker.node.broker import Broker

log = logging.getLogger(__name__)


class Debounce(Middleware):
    """By the event's ``debounce``, in ms."""

    def created(self, broker: Broker) -> None:
        """Learn the clock."""
        self._broker = broker
        self._waiting: dict[EventDefinition, Timer] = {}

    def local_event(self, call: Handler, service: ServiceDefinition, event: EventDefinition) -> Handler:
        """Put off the handler again with each event."""
        quiet_ms = event.said("debounce")
        if not isinstance(quiet_ms, int | float) or quiet_ms <= 0:
            return call
        broker, waiting = self._broker, self._waiting

        async def run(ctx: Context) -> None:
            try:
                await call(ctx)
            except Exception:
                log.exception("the put off handler of event %s in %s failed", event.name, service.full_name)

        def begin(ctx: Context) -> None:
            del waiting[event]
            broker.tasks.handle(run(ctx), service)

        async def handler(ctx: Context) -> None:
            if event in waiting:
                waiting[event].cancel()
            waiting[event] = broker.timers.call_later(quiet_ms / 1000, lambda: begin(ctx))

        return handler

    async def stopped(self, broker: Broker) -> None:
        """What was put off does not happen."""
        for timer in self._waiting.values():
            timer.cancel()
        self._waiting.clear()
