"""Emitting and broadcasting: who gets an event, and the calling of our own handlers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from broker.node.context import Context
from broker.node.definitions import ServiceDefinition
from broker.node.endpoints import EventEndpoint
from broker.node.registry import Registry

log = logging.getLogger(__name__)

SendEvent = Callable[[Context], None]
"""Puts an event for ``ctx.node_id`` on the wire."""

Spawn = Callable[[Coroutine[Any, Any, Exception | None], ServiceDefinition], asyncio.Task[Exception | None]]
"""Runs a handler of a service of ours beside us."""

Running = list[asyncio.Task[Exception | None]]
"""Handlers of ours that were given an event; each gives what it raised."""


class Events:
    """The events of one broker."""

    def __init__(self, registry: Registry, send: SendEvent, spawn: Spawn) -> None:
        """Begin.

        Args:
            registry: Who subscribed to what.
            send: For subscribers on other nodes.
            spawn: For our own handlers.
        """
        self._registry = registry
        self._send = send
        self._spawn = spawn

    def emit(self, ctx: Context, name: str, groups: list[str] | None = None) -> Running:
        """One handler of each group gets the event.

        Args:
            ctx: Made for it, with its data as params.
            name: Concrete name.
            groups: Only these groups; all when empty or None.
        """
        ctx.event_name, ctx.event_kind, ctx.event_groups = name, "emit", groups
        remote: dict[str, tuple[EventEndpoint, list[str]]] = {}
        running: Running = []
        for endpoints in self._registry.lists_for(name):
            if groups and endpoints.group not in groups:
                continue
            endpoint = endpoints.next(ctx)
            if endpoint is None or not endpoint.is_available:
                continue
            if endpoint.local:
                running.append(self._handle(ctx, endpoint))
            else:
                remote.setdefault(endpoint.node.id, (endpoint, []))[1].append(endpoints.group)
        for endpoint, endpoint_groups in remote.values():
            self._send_copy(ctx, endpoint, endpoint_groups)
        return running

    def broadcast(self, ctx: Context, name: str, groups: list[str] | None = None) -> None:
        """Every handler on every other node gets the event.

        Args:
            ctx: Made for it, with its data as params.
            name: Concrete name.
            groups: Only these groups; all when empty or None.
        """
        ctx.event_name, ctx.event_kind, ctx.event_groups = name, "broadcast", groups
        told: set[str] = set()
        for endpoints in self._registry.lists_for(name):
            if groups and endpoints.group not in groups:
                continue
            for endpoint in endpoints.endpoints:
                if not endpoint.local and endpoint.is_available and endpoint.node.id not in told:
                    told.add(endpoint.node.id)
                    self._send_copy(ctx, endpoint, groups)

    def deliver(self, ctx: Context) -> Running:
        """Give an event to our own handlers.

        Args:
            ctx: With the event's name, kind and groups; its ``node_id`` is the sender.
        """
        to_all = ctx.event_kind != "emit"
        running: Running = []
        for endpoints in self._registry.lists_for(ctx.event_name or ""):
            if not endpoints.has_local or (ctx.event_groups and endpoints.group not in ctx.event_groups):
                continue
            if to_all:
                for endpoint in endpoints.endpoints:
                    if endpoint.local:
                        running.append(self._handle(ctx, endpoint))
            elif (chosen := endpoints.next_local(ctx)) is not None:
                running.append(self._handle(ctx, chosen))
        return running

    def _send_copy(self, ctx: Context, endpoint: EventEndpoint, groups: list[str] | None) -> None:
        copy = ctx.copy()
        copy.endpoint, copy.node_id, copy.event_groups = endpoint, endpoint.node.id, groups
        self._send(copy)

    def _handle(self, ctx: Context, endpoint: EventEndpoint) -> asyncio.Task[Exception | None]:
        copy = ctx.copy()
        copy.endpoint = endpoint
        return self._spawn(self._run(copy, endpoint), endpoint.service)

    async def _run(self, ctx: Context, endpoint: EventEndpoint) -> Exception | None:
        try:
            if endpoint.handler is not None:
                await endpoint.handler(ctx)
        except Exception as error:
            log.exception("handler of event %s in %s failed", ctx.event_name, endpoint.service.full_name)
            return error
        return None


async def ended(running: Running) -> Exception | None:
    """Wait for handlers; whoever waits may be cancelled without ending them.

    Returns:
        What the first that failed raised.
    """
    if not running:
        return None
    done, _ = await asyncio.wait(running)
    failures = (task.result() for task in running if task in done and not task.cancelled())
    return next((failure for failure in failures if failure is not None), None)
