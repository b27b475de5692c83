"""Gives a call up when its time is over, and lets nested calls know how much is left."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from broker.node.context import Context
from broker.node.deadlines import Deadlines
from broker.node.definitions import ActionDefinition, Handler, ServiceDefinition
from broker.node.errors import RequestTimeoutError
from broker.node.middleware.around import AroundCalls

if TYPE_CHECKING:
    from broker.node.broker import Broker


class Timeout(AroundCalls):
    """The call's own timeout, else the action's, else the broker's; 0 is none.

    Callees keep the time too, since their caller may be gone: what still runs
    then is cancelled, where MoleculerJS lets it run and throws its result away.
    """

    def created(self, broker: Broker) -> None:
        """Begin without deadlines."""
        super().created(broker)
        self._deadlines = Deadlines(broker.timers)

    def lets_pass(self, service: ServiceDefinition, action: ActionDefinition) -> bool:
        """Where there is no timeout but the calls' own."""
        return self._default_s(action) <= 0

    def around(self, call: Handler, service: ServiceDefinition, action: ActionDefinition) -> Handler:
        """Always, since any call may bring a timeout of its own; without one it costs a plain function call."""
        broker = self._broker
        default_s = self._default_s(action)
        deadlines = self._deadlines

        def handler(ctx: Context) -> Awaitable[Any]:
            timeout_s = ctx.timeout_s
            if timeout_s is None:
                timeout_s = ctx.timeout_s = default_s
            return timed(ctx, timeout_s) if timeout_s > 0 else call(ctx)

        async def timed(ctx: Context, timeout_s: float) -> Any:
            deadline = deadlines.begin(timeout_s)
            if ctx.started_s is None:
                ctx.started_s = deadline.began_s
            try:
                return await call(ctx)
            except asyncio.CancelledError:
                if not deadline.take_back():
                    raise
                broker.tolerance.timed_out(service, action)
                raise RequestTimeoutError({"action": action.name, "nodeID": ctx.node_id}) from None
            finally:
                deadline.end()

        return handler

    def _default_s(self, action: ActionDefinition) -> float:
        return action.timeout_s if action.timeout_s is not None else self._broker.options.request_timeout_s

    async def stopped(self, broker: Broker) -> None:
        """End all timers."""
        self._deadlines.stop()
