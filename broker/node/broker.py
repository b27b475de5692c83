"""The broker: one node of a mesh, with its services."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
import uuid
from collections.abc import AsyncIterable, Coroutine, Iterable, Mapping
from typing import Any, Self

from broker.clock import MILLISECOND, Clock, SystemClock
from broker.node.calls import Calls
from broker.node.context import ABSENT, Context
from broker.node.definitions import ActionDefinition, EventDefinition, Handler, ServiceDefinition
from broker.node.discovery import Discovery
from broker.node.event_packets import EventPackets
from broker.node.events import Events
from broker.node.internals import NodeService
from broker.node.link import Bus, connect
from broker.node.machine import client_info, ip_list
from broker.node.middleware import CircuitBreaker, Middleware, Retry, Timeout
from broker.node.nodes import NodeEntry
from broker.node.registry import Registry
from broker.node.requesting import Requesting
from broker.node.service import define
from broker.node.serving import Serving
from broker.node.settings import BrokerOptions
from broker.node.wire import Wire

log = logging.getLogger(__name__)


class Broker:
    """A node. Use it as ``async with Broker(...) as broker``.

    Attributes:
        node_id: Ours.
        namespace: Ours.
        options: As given.
        instance_id: Of this run.
        registry: What we know of the mesh.
        calls: The way to actions.
        events: The way to event handlers.
        requesting: What we wait for.
        serving: What we work on.
        breakers: The circuit breakers.
        is_ready: Whether we tell others what we are.
        is_stopping: Whether we refuse new work.
    """

    def __init__(
        self,
        node_id: str | None = None,
        transporter: Bus | None = None,
        namespace: str = "",
        serializer: str = "JSON",
        *,
        options: BrokerOptions | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Build a node; nothing is connected yet.

        Args:
            node_id: Unique in the mesh; host name and process id when left out.
            transporter: URL of the bus, or a bus in memory; None for a node that is alone.
            namespace: Of the mesh.
            serializer: ``JSON`` or ``MsgPack``; the same in the whole mesh.
            options: Everything else.
            clock: Tells the time.
        """
        self.node_id = node_id or f"{socket.gethostname().lower()}-{os.getpid()}"
        self.namespace = namespace
        self.options = options or BrokerOptions()
        self.instance_id = str(uuid.uuid4())
        self.is_ready = False
        self.is_stopping = False
        self._clock = clock or SystemClock()
        self._transporter = transporter
        self._started_s = time.monotonic()
        self._seq = 1
        self._tasks: set[asyncio.Task[Any]] = set()
        self._requests: set[asyncio.Task[Any]] = set()
        self._services: list[tuple[ServiceDefinition, object]] = []
        self._changed = asyncio.Event()
        self.breakers = CircuitBreaker()
        self._middlewares: list[Middleware] = [*self.options.middlewares, self.breakers, Timeout(), Retry()]
        local = NodeEntry(self.node_id, local=True, protocol=self.options.protocols[0], instance_id=self.instance_id)
        local.info = self._about()
        self.registry = Registry(local, self._wrap_remote, self._notice, prefer_local=self.options.prefer_local)
        self._wire = Wire(self.node_id, namespace, serializer, self.options.protocols)
        self.requesting = Requesting(self, self._wire)
        self.serving = Serving(self, self._wire)
        self.calls = Calls(self.registry)
        self.events = Events(self.registry, EventPackets(self, self._wire).send_event, self.spawn)
        self._discovery = Discovery(self, self._wire)
        for middleware in self._middlewares:
            middleware.created(self)
        if self.options.internal_services:
            self._register(define(NodeService(self)))

    # life

    async def __aenter__(self) -> Self:
        """Connect, and know the mesh."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave the mesh."""
        await self.stop()

    async def start(self) -> None:
        """Connect, listen for others, start the services, and tell everybody."""
        if self._transporter is not None:
            channels = self._wire.subscriptions()
            self._wire.link = await connect(self._transporter, channels, self._wire.receive, self._reconnected)
            self._discovery.discover()
            await asyncio.sleep(self.options.settle_s)
            self._discovery.start()
        self.is_ready = True
        for definition, instance in self._services:
            await self._start_service(definition, instance)
        self._discovery.send_info()
        self.broadcast_local("$broker.started")

    async def stop(self) -> None:
        """Say that we offer nothing more, let running requests end, and go."""
        if self.is_stopping:
            return
        self.is_stopping = True
        was_ready, self.is_ready = self.is_ready, False
        if was_ready:
            self._seq += 1
            self._discovery.send_info()
        if self._requests:
            await asyncio.wait(self._requests, timeout=self.options.stop_timeout_s)
        for _, instance in self._services:
            stopped = getattr(instance, "stopped", None)
            if stopped is not None:
                await stopped(self)
        for middleware in self._middlewares:
            middleware.stopped()
        await self._discovery.stop()
        if was_ready:
            self._discovery.send_disconnect()
        await self._end_tasks()
        self.requesting.close()
        if self._wire.link is not None:
            await self._wire.link.close()
            self._wire.link = None

    async def add(self, *instances: object) -> None:
        """Offer services; if we have started, they are started now.

        Args:
            instances: Objects of classes decorated with ``@service``.
        """
        for instance in instances:
            definition = define(instance)
            self._services.append((definition, instance))
            if self.is_ready:
                await self._start_service(definition, instance)

    async def remove(self, full_name: str) -> None:
        """Offer a service no longer."""
        for definition, instance in list(self._services):
            if definition.full_name == full_name:
                self._services.remove((definition, instance))
                self.registry.remove_local(full_name)
                stopped = getattr(instance, "stopped", None)
                if stopped is not None:
                    await stopped(self)

    # calls and events

    async def call(
        self,
        action: str,
        params: Any = ABSENT,
        *,
        timeout_s: float | None = None,
        meta: dict[str, Any] | None = None,
        headers: Mapping[str, Any] | None = None,
        node_id: str | None = None,
        retries: int | None = None,
        stream: AsyncIterable[Any] | None = None,
        request_id: str | None = None,
        caller: str | None = None,
        tracing: bool | None = None,
    ) -> Any:
        """Call an action from outside any service.

        Args:
            action: Full name.
            params: What to give it; ``{}`` when left out, null for None.
            timeout_s: After how long to give up; 0 for never.
            meta: Travels along; what comes back is merged into this very dict.
            headers: Of this one call (protocol 5).
            node_id: Only this node may serve it.
            retries: Instead of the retry policy's number.
            stream: Chunks to send along.
            request_id: Of the trace this belongs to; a new one when left out.
            caller: A service on whose behalf this is.
            tracing: The sampling decision.

        Returns:
            The result; an async iterator when the action answers with a stream.

        Raises:
            MoleculerError: Whatever the action, or the way to it, said.
        """
        ctx = Context(self, {} if params is ABSENT else params)
        ctx.timeout_s, ctx.retries, ctx.stream = timeout_s, retries, stream
        ctx.caller, ctx.tracing = caller, tracing
        if meta is not None:
            ctx.meta = meta
        if headers:
            ctx.headers = dict(headers)
        if request_id is not None:
            ctx.request_id = request_id
        return await self.calls.start(ctx, action, node_id)

    async def emit(
        self, event: str, data: Any = None, *, groups: list[str] | None = None, meta: dict[str, Any] | None = None
    ) -> None:
        """Emit an event: one handler of each group gets it."""
        self.events.emit(self._event_context(data, meta), event, groups)

    async def broadcast(
        self, event: str, data: Any = None, *, groups: list[str] | None = None, meta: dict[str, Any] | None = None
    ) -> None:
        """Broadcast an event: every handler on every node gets it."""
        self.events.broadcast(self._event_context(data, meta), event, groups)

    def broadcast_now(self, event: str, data: Any = None) -> None:
        """Broadcast without waiting, for our own parts."""
        self.events.broadcast(self._event_context(data, None), event)

    def broadcast_local(self, event: str, data: Any = None) -> None:
        """Give an event to every handler on this node."""
        ctx = self._event_context(data, None)
        ctx.event_name, ctx.event_kind = event, "broadcastLocal"
        self.events.deliver(ctx)

    async def ping(self, node_id: str, timeout_s: float = 2.0) -> dict[str, Any] | None:
        """How far away a node is in ms, and how its clock differs; None when it does not answer in time."""
        return await self._discovery.ping(node_id, timeout_s)

    async def wait_for_services(self, names: str | Iterable[str], timeout_s: float | None = None) -> None:
        """Wait until all these services are offered by somebody.

        Args:
            names: Full names.
            timeout_s: None for ever.

        Raises:
            TimeoutError: They are not all there in time.
        """
        missing = {names} if isinstance(names, str) else set(names)
        async with asyncio.timeout(timeout_s):
            while missing := {name for name in missing if not self.registry.has_service(name)}:
                self._changed.clear()
                await self._changed.wait()

    # for our parts

    def info(self) -> dict[str, Any]:
        """What INFO says of us, as arguments of the packet."""
        offered = [] if self.is_stopping else [each.to_wire() for each in self.registry.local.services.values()]
        about = self.registry.local.info
        return {
            "services": offered,
            "ip_list": about["ipList"],
            "hostname": about["hostname"],
            "client": about["client"],
            "config": {},
            "instance_id": self.instance_id,
            "metadata": about["metadata"],
            "seq": self._seq,
        }

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Run something beside us; it ends with us."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def spawn_request(self, work: Coroutine[Any, Any, None]) -> None:
        """Serve a request beside us; when we stop it may end."""
        task = asyncio.get_running_loop().create_task(work)
        self._requests.add(task)
        task.add_done_callback(self._requests.discard)

    def node_gone(self, node_id: str, *, unexpected: bool) -> None:
        """A node left, or is not heard any longer."""
        if self.registry.disconnect(node_id, self.uptime_s(), unexpected=unexpected):
            self.requesting.node_gone(node_id)
            self.serving.node_gone(node_id)

    def give_up(self, reason: str) -> None:
        """Stop, since going on would do harm."""
        log.critical("%s: this node stops", reason)
        self.spawn(self.stop(), "giving up")

    def monotonic_s(self) -> float:
        """A clock for what is left of timeouts, in seconds (uvloop's own counts whole milliseconds)."""
        return time.monotonic()

    def uptime_s(self) -> float:
        """How long this node has existed, in seconds."""
        return time.monotonic() - self._started_s

    def now_ms(self) -> int:
        """The moment in ms since the epoch, as the wire has it."""
        return self._clock.now_ns() // MILLISECOND

    # inside

    def _about(self) -> dict[str, Any]:
        options = self.options
        return {
            "ipList": list(options.ip_list) if options.ip_list is not None else ip_list(),
            "hostname": options.hostname or socket.gethostname(),
            "port": None,
            "client": dict(options.client) if options.client is not None else client_info(),
            "config": {},
            "metadata": dict(options.metadata),
        }

    def _event_context(self, data: Any, meta: dict[str, Any] | None) -> Context:
        ctx = Context(self, data)
        if meta is not None:
            ctx.meta = dict(meta)
        return ctx

    async def _start_service(self, definition: ServiceDefinition, instance: object) -> None:
        if definition.dependencies:
            await self.wait_for_services(definition.dependencies)
        started = getattr(instance, "started", None)
        if started is not None:
            await started(self)
        self._register(definition)

    def _register(self, definition: ServiceDefinition) -> None:
        self._seq += 1
        self.registry.add_local(definition, self._wrap_local, self._wrap_event)

    def _wrap_local(self, service: ServiceDefinition, action: ActionDefinition) -> Handler:
        assert action.handler is not None  # noqa: S101 - ours always have one
        handler = action.handler
        for middleware in self._middlewares:
            handler = middleware.local_action(handler, service, action)
        return handler

    def _wrap_remote(self, service: ServiceDefinition, action: ActionDefinition) -> Handler:
        handler: Handler = self.requesting.request
        for middleware in self._middlewares:
            handler = middleware.remote_action(handler, service, action)
        return handler

    def _wrap_event(self, service: ServiceDefinition, event: EventDefinition) -> Handler:
        assert event.handler is not None  # noqa: S101 - ours always have one
        handler = event.handler
        for middleware in self._middlewares:
            handler = middleware.local_event(handler, service, event)
        return handler

    def _notice(self, event: str, data: dict[str, Any]) -> None:
        if event == "$services.changed":
            self._changed.set()
            if data["localService"] and self.is_ready:
                self._discovery.send_info_soon()
        if self.registry.lists_for(event):
            self.broadcast_local(event, data)

    def _reconnected(self) -> None:
        self._discovery.discover()
        if self.is_ready:
            self._discovery.send_info()

    async def _end_tasks(self) -> None:
        current = asyncio.current_task()
        tasks = [task for task in (*self._tasks, *self._requests) if task is not current]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
