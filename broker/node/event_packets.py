"""Events between contexts and packets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.node.context import Context
from broker.node.definitions import mapping
from broker.node.fields import level
from broker.protocol.packets import Event

if TYPE_CHECKING:
    from broker.node.broker import Broker
    from broker.node.wire import Wire


class EventPackets:
    """The events that one broker sends and gets."""

    def __init__(self, broker: Broker, wire: Wire) -> None:
        self._broker = broker
        self._wire = wire
        wire.on("EVENT", self.take_event)

    def send_event(self, ctx: Context) -> None:
        """Send an event to the node of its context."""
        event = Event(
            id=ctx.id,
            event=ctx.event_name or "",
            data=ctx.params,
            groups=ctx.event_groups,
            broadcast=ctx.event_kind == "broadcast",
            meta=ctx.meta,
            headers=ctx.headers,
            level=ctx.level,
            tracing=ctx.tracing,
            parent_id=ctx.parent_id,
            request_id=ctx.request_id,
            caller=ctx.caller,
            ver=self._wire.protocol_of(ctx.node_id),
            sender=self._broker.node_id,
        )
        self._wire.send(event, ctx.node_id)

    def take_event(self, event: Event) -> None:
        """An event for our handlers."""
        if self._broker.is_stopping:
            return
        ctx = Context.fresh(self._broker, event.data, event.id)
        ctx.event_name = event.event
        ctx.event_kind = "broadcast" if event.broadcast else "emit"
        ctx.event_groups = list(event.groups) if isinstance(event.groups, list) and event.groups else None
        ctx.meta = mapping(event.meta)
        ctx.headers = mapping(event.headers)
        ctx.level = level(event.level)
        ctx.tracing = bool(event.tracing)  # where nobody decided, nothing is told, as in MoleculerJS
        ctx.parent_id = event.parent_id
        ctx.request_id = event.request_id or event.id
        ctx.caller = event.caller
        ctx.node_id = event.sender
        self._broker.events.deliver(ctx)
