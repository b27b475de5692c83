"""Limits how many executions of one action, or of one event's handler, run at once here."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from broker.node.context import Context
from broker.node.definitions import ActionDefinition, EventDefinition, Handler, ServiceDefinition
from broker.node.errors import QueueIsFullError
from broker.node.middleware.base import Middleware
from broker.node.options import BulkheadPolicy

if TYPE_CHECKING:
    from broker.node.broker import Broker

Changed = Callable[[int, int], None]
"""(how many run, how many wait)"""

Refusal = Callable[[Context], dict[str, Any]]
"""What the error tells of a call or event that was refused."""


class Bulkhead(Middleware):
    """By the broker's policy, overlaid with the ``bulkhead`` of the action or event."""

    def created(self, broker: Broker) -> None:
        """Learn the broker's policy."""
        self._broker = broker

    def local_action(self, call: Handler, service: ServiceDefinition, action: ActionDefinition) -> Handler:
        """Where the policy is enabled; only what runs here is limited."""

        def refusal(ctx: Context) -> dict[str, Any]:
            return {"action": action.name, "nodeID": ctx.node_id}

        return self._around(call, service, action, action.said("bulkhead"), refusal)

    def local_event(self, call: Handler, service: ServiceDefinition, event: EventDefinition) -> Handler:
        """Where the policy is enabled."""

        def refusal(ctx: Context) -> dict[str, Any]:
            return {"event": ctx.event_name, "service": service.full_name, "nodeID": ctx.node_id}

        return self._around(call, service, event, event.said("bulkhead"), refusal)

    def _around(
        self,
        call: Handler,
        service: ServiceDefinition,
        what: ActionDefinition | EventDefinition,
        said: object,
        refusal: Refusal,
    ) -> Handler:
        broker = self._broker
        policy = broker.options.bulkhead.overlaid(said)
        if not policy.enabled:
            return call
        gate = Gate(policy, lambda running, waiting: broker.tolerance.bulkhead_changed(service, what, running, waiting))

        async def handler(ctx: Context) -> Any:
            if not gate.try_enter():
                if gate.is_full:
                    raise QueueIsFullError(refusal(ctx))
                await gate.wait()
            try:
                return await call(ctx)
            finally:
                gate.leave()

        return handler


class Gate:
    """Lets so many in at once; others wait in the order in which they came.

    Attributes:
        in_flight: How many are in.
    """

    def __init__(self, policy: BulkheadPolicy, changed: Changed) -> None:
        self.in_flight = 0
        self._policy = policy
        self._changed = changed
        self._queue: deque[asyncio.Future[None]] = deque()

    @property
    def queued(self) -> int:
        """How many wait."""
        return len(self._queue)

    @property
    def is_full(self) -> bool:
        """Whether nobody may wait any more."""
        return 0 < self._policy.max_queue_size <= len(self._queue)

    def try_enter(self) -> bool:
        """Go in if there is room.

        Returns:
            Whether there was; then ``leave`` must follow.
        """
        if self.in_flight >= self._policy.concurrency:
            return False
        self._enter()
        return True

    async def wait(self) -> None:
        """Wait one's turn and go in; ``leave`` must follow. A cancelled one gives its place to the next."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        self._changed(self.in_flight, len(self._queue))
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # its turn had just come
                self.leave()
            elif turn in self._queue:
                self._queue.remove(turn)
                self._changed(self.in_flight, len(self._queue))
            raise

    def leave(self) -> None:
        """Go out; the next one is in at once, so that nobody who comes now overtakes it."""
        self.in_flight -= 1
        self._changed(self.in_flight, len(self._queue))
        while self._queue:
            turn = self._queue.popleft()
            if not turn.cancelled():
                self._enter()
                turn.set_result(None)
                return

    def _enter(self) -> None:
        self.in_flight += 1
        self._changed(self.in_flight, len(self._queue))
