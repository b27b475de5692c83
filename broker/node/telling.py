"""What a broker emits and broadcasts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack, cast

from broker.node.context import Context, EventOptions
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

    async def emit(self, event: str, data: Any = None, **options: Unpack[EventOptions]) -> None:
        """Emit an event: one handler of each group gets it; those on this node have ended when this returns.

        Args:
            event: Concrete name.
            data: Its payload.
            options: See there. What a handler raises is logged here.
        """
        self._tell_bus(event, data)
        await ended(self.events.emit(self._event_context(data, options), event, _listed(options.get("groups"))))

    async def broadcast(self, event: str, data: Any = None, **options: Unpack[EventOptions]) -> None:
        """Broadcast an event: every handler on every node gets it; those on this node have ended when this returns.

        Args:
            event: Concrete name.
            data: Its payload.
            options: See there.

        Raises:
            Exception: What a handler on this node raised, where ``throw_error`` says so.
        """
        ctx = self._event_context(data, options)
        self.events.broadcast(ctx, event, _listed(options.get("groups")))
        self._tell_bus(event, data)
        await self.broadcast_local(event, data, ctx=ctx, throw_error=options.get("throw_error", False))

    async def broadcast_local(
        self, event: str, data: Any = None, *, ctx: Context | None = None, **options: Unpack[EventOptions]
    ) -> None:
        """Give an event to every handler on this node; they have ended when this returns.

        Args:
            event: Concrete name.
            data: Its payload.
            ctx: Made before, by a broadcast to all nodes: then all but ``throw_error`` is in it.
            options: See there.

        Raises:
            Exception: What a handler raised, where ``throw_error`` says so.
        """
        if ctx is None:
            self._tell_bus(event, data)
            ctx = self._event_context(data, options)
            ctx.event_groups = _listed(options.get("groups"))
        ctx.event_name, ctx.event_kind = event, "broadcastLocal"
        failure = await ended(self.events.deliver(ctx))
        if failure is not None and options.get("throw_error"):
            raise failure

    def broadcast_now(self, event: str, data: Any = None, **options: Unpack[EventOptions]) -> None:
        """Broadcast without waiting, for our own parts; where nothing is put around it, it leaves at once.

        So a breaker's news are on the wire before the call that it lets through.
        """
        if self.middlewares.has("broadcast"):
            self.tasks.spawn(self.broadcast(event, data, **options), event)
            return
        ctx = self._event_context(data, options)
        self.events.broadcast(ctx, event, _listed(options.get("groups")))
        self._tell_bus(event, data)
        self.tasks.spawn(self.broadcast_local(event, data, ctx=ctx), event)

    def notice(self, event: str, data: Any = None) -> None:
        """Tell it on this node without waiting, for our own parts."""
        self.local_bus.emit(event, data)
        is_heard = self.registry.lists_for(event) or self.middlewares.has("broadcast_local")
        if is_heard and self._runs_in_loop():  # while it is built there may be none yet
            ctx = self._event_context(data, {})
            self.tasks.spawn(self.broadcast_local(event, data, ctx=ctx), event)

    def _tell_bus(self, event: str, data: Any) -> None:
        if event.startswith("$"):
            self.local_bus.emit(event, data)

    def _event_context(self, data: Any, options: EventOptions) -> Context:
        parent, meta = options.get("parent"), options.get("meta")
        if parent is not None:
            ctx = parent.child(data, meta)
        else:
            ctx = Context.fresh(cast("Broker", self), data)
            if meta is not None:
                ctx.meta = dict(meta)
        ctx.headers = dict(options.get("headers") or {})
        ctx.request_id = options.get("request_id") or ctx.request_id
        ctx.caller = options.get("caller") or ctx.caller
        if (tracing := options.get("tracing")) is not None:
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
