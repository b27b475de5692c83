"""What a broker emits and broadcasts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from broker.node.context import Context
from broker.node.events import Events, ended
from broker.node.local_bus import LocalBus
from broker.node.middleware.stack import Middlewares
from broker.node.registry import Registry
from broker.node.tasks import Tasks

if TYPE_CHECKING:
    from broker.node.broker import Broker


class Telling:
    """The events of a broker."""

    events: Events
    local_bus: LocalBus
    middlewares: Middlewares
    registry: Registry
    tasks: Tasks

    async def emit(
        self,
        event: str,
        data: Any = None,
        *,
        groups: str | Sequence[str] | None = None,
        meta: Mapping[str, Any] | None = None,
        headers: Mapping[str, Any] | None = None,
        request_id: str | None = None,
        caller: str | None = None,
        tracing: bool | None = None,
        parent: Context | None = None,
    ) -> None:
        """Emit an event: one handler of each group gets it; those on this node have ended when this returns.

        Args:
            event: Concrete name.
            data: Its payload.
            groups: Only these.
            meta: Travels along.
            headers: Travel along (protocol 5).
            request_id: Of the trace this belongs to.
            caller: A service on whose behalf this is.
            tracing: The sampling decision.
            parent: The context that emits; ``ctx.emit`` gives it.
        """
        self._tell_bus(event, data)
        ctx = self._event_context(data, meta, headers, request_id, caller, tracing, parent)
        await ended(self.events.emit(ctx, event, _listed(groups)))

    async def broadcast(
        self,
        event: str,
        data: Any = None,
        *,
        groups: str | Sequence[str] | None = None,
        meta: Mapping[str, Any] | None = None,
        headers: Mapping[str, Any] | None = None,
        request_id: str | None = None,
        caller: str | None = None,
        tracing: bool | None = None,
        parent: Context | None = None,
    ) -> None:
        """Broadcast an event: every handler on every node gets it. Arguments as those of `emit`."""
        ctx = self._event_context(data, meta, headers, request_id, caller, tracing, parent)
        self.events.broadcast(ctx, event, _listed(groups))
        self._tell_bus(event, data)
        await self.broadcast_local(event, data, ctx=ctx)

    async def broadcast_local(
        self,
        event: str,
        data: Any = None,
        *,
        groups: str | Sequence[str] | None = None,
        meta: Mapping[str, Any] | None = None,
        parent: Context | None = None,
        ctx: Context | None = None,
    ) -> None:
        """Give an event to every handler on this node; they have ended when this returns.

        Args:
            event: Concrete name.
            data: Its payload.
            groups: Only these.
            meta: Travels along.
            parent: The context that does it.
            ctx: Made before, by a broadcast to all nodes: then the rest is in it.
        """
        if ctx is None:
            self._tell_bus(event, data)
            ctx = self._event_context(data, meta, None, None, None, None, parent)
            ctx.event_groups = _listed(groups)
        ctx.event_name, ctx.event_kind = event, "broadcastLocal"
        await ended(self.events.deliver(ctx))

    def broadcast_now(self, event: str, data: Any = None) -> None:
        """Broadcast without waiting, for our own parts."""
        self.tasks.spawn(self.broadcast(event, data), event)

    def notice(self, event: str, data: Any = None) -> None:
        """Tell it on this node without waiting, for our own parts."""
        self.local_bus.emit(event, data)
        is_heard = self.registry.lists_for(event) or self.middlewares.has("broadcast_local")
        if is_heard and self._runs_in_loop():  # while it is built there may be none yet
            ctx = self._event_context(data, None, None, None, None, None, None)
            self.tasks.spawn(self.broadcast_local(event, data, ctx=ctx), event)

    def _tell_bus(self, event: str, data: Any) -> None:
        if event.startswith("$"):
            self.local_bus.emit(event, data)

    def _event_context(
        self,
        data: Any,
        meta: Mapping[str, Any] | None,
        headers: Mapping[str, Any] | None,
        request_id: str | None,
        caller: str | None,
        tracing: bool | None,
        parent: Context | None,
    ) -> Context:
        if parent is not None:
            ctx = parent.child(data, meta)
        else:
            ctx = Context(cast("Broker", self), data)
            if meta is not None:
                ctx.meta = dict(meta)
        if headers:
            ctx.headers = dict(headers)
        if request_id is not None:
            ctx.request_id = request_id
        if caller is not None:
            ctx.caller = caller
        if tracing is not None:
            ctx.tracing = tracing
        return ctx

    @staticmethod
    def _runs_in_loop() -> bool:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return False
        return True


def _listed(groups: str | Sequence[str] | None) -> list[str] | None:
    if groups is None:
        return None
    return [groups] if isinstance(groups, str) else list(groups)
