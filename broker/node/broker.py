"""The broker: one node of a mesh, with its services."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import uuid
from collections.abc import Mapping
from typing import Any, Self

from broker.clock import MILLISECOND, Clock, SystemClock
from broker.node.about import OwnInfo, about_us
from broker.node.caching import resolve
from broker.node.calling import Calling
from broker.node.calls import Calls
from broker.node.definitions import ActionDefinition, Handler, ServiceDefinition
from broker.node.discovering import discovery_for
from broker.node.event_packets import EventPackets
from broker.node.events import Events
from broker.node.internals import NodeService
from broker.node.link import Bus, connect
from broker.node.local_bus import LocalBus
from broker.node.metrics import MetricRegistry
from broker.node.middleware import CircuitBreaker
from broker.node.middleware.internal import INTERNAL
from broker.node.middleware.stack import Middlewares
from broker.node.nodes import NodeEntry
from broker.node.pinging import Pinging
from broker.node.pings import Pings
from broker.node.registry import Registry
from broker.node.requesting import Requesting
from broker.node.service import schema_of
from broker.node.services import LocalServices
from broker.node.serving import Serving
from broker.node.settings import BrokerOptions
from broker.node.strategies import Strategies
from broker.node.tasks import Tasks
from broker.node.telling import Telling
from broker.node.timers import LoopTimers, Repeating, Timers
from broker.node.tolerance import ToleranceWatch
from broker.node.tracing import Span, Tracer
from broker.node.waiting import Waiting
from broker.node.wire import Wire

log = logging.getLogger(__name__)

_WRAPPED = ("call", "mcall", "emit", "broadcast", "broadcast_local")
"""Methods that middlewares may put something around, under the same names."""

_LOOK_EVERY_S = 10.0
"""A packet of a stream that is still missing by the next look is lost."""


class Broker(Calling, Telling):
    """A node. Use it as ``async with Broker(...) as broker``.

    Attributes:
        node_id: Ours.
        namespace: Ours.
        transporter: Where the bus is; None without one.
        serializer: In which we write.
        options: As given.
        instance_id: Of this run.
        middlewares: Ours and the built-in ones.
        registry: What we know of the mesh.
        local_bus: Tells ``$…`` events within this node: ``broker.local_bus.on("$node.connected", hear)``.
        services: What we offer.
        calls: The way to actions.
        events: The way to event handlers.
        requesting: What we wait for.
        serving: What we work on.
        tasks: What runs beside us.
        breakers: The circuit breakers.
        cacher: Keeps results; None without one.
        timers: The clock of timeouts, retries, breakers and caches.
        tolerance: Told of timeouts, retries, fallbacks, circuits, bulkheads and caches.
        metrics: What we measure of ourselves; may be used whether metrics are on or not.
        tracer: Makes spans; they may be made whether tracing is on or not.
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
        timers: Timers | None = None,
    ) -> None:
        """Build a node; nothing is connected yet.

        Args:
            node_id: Unique in the mesh; host name and process id when left out.
            transporter: URL of the bus, or a bus in memory; None for a node that is alone.
            namespace: Of the mesh.
            serializer: ``JSON``, ``JSONExt``, ``MsgPack``, ``Notepack`` or ``CBOR``; the same in the whole mesh.
            options: Everything else.
            clock: Tells the time.
            timers: What timeouts, retries, breakers and caches wait on.

        Raises:
            ValueError: There is no such serializer.
        """
        self.node_id = node_id or f"{socket.gethostname().lower()}-{os.getpid()}"
        self.namespace = namespace
        self.options = options or BrokerOptions()
        self.instance_id = str(uuid.uuid4())
        self.is_ready = self.is_stopping = False
        self._is_leaving = self._runs_services = False
        self._clock = clock or SystemClock()
        self.timers: Timers = timers or LoopTimers()
        self.tolerance = ToleranceWatch()
        self.cacher = resolve(self.options.cacher)
        self.metrics = MetricRegistry(self.options.metrics, self._clock.now_ns)
        self.tracer = Tracer(self.options.tracing, self._clock.now_ns)
        self.transporter = transporter
        self.serializer = serializer
        self._built_s = self.timers.now_s()
        self.tasks = Tasks()
        self.middlewares = Middlewares(
            [*self.options.middlewares, *(each() for each in INTERNAL if each.is_wanted(self.options))]
        )
        self.breakers = self.middlewares.find(CircuitBreaker)
        for name in _WRAPPED:
            setattr(self, name, self.middlewares.wrap(name, getattr(self, name)))
        local = NodeEntry(self.node_id, local=True, protocol=self.options.protocols[0], instance_id=self.instance_id)
        local.seq, local.info = 1, about_us(self.options)
        self.local_bus = LocalBus()
        self._pinging = Pinging(self)
        strategies = Strategies(self.options.strategy, self.options.strategy_options, self._pinging.latencies)
        self.registry = Registry(
            local,
            self._wrap_remote,
            self._changed_mesh,
            prefer_local=self.options.prefer_local,
            make_strategy=strategies.make,
        )
        self._own_info = OwnInfo(local)
        self.waiting = Waiting(self.registry)
        self._wire = Wire(self.node_id, namespace, serializer, self.options.protocols, self.middlewares)
        self._wire.is_known = self.registry.nodes.__contains__
        self._wire.on_fault = self._tell_fault
        self.requesting = Requesting(self, self._wire)
        self.serving = Serving(self, self._wire)
        self.calls = Calls(self.registry, self.options.error_handler)
        self.events = Events(self.registry, EventPackets(self, self._wire).send_event, self.tasks.handle)
        self._looking = Repeating(self.timers, _LOOK_EVERY_S, self._look_at_streams)
        self.pings = Pings(self, self._wire)
        self._discovery = discovery_for(self, self._wire, self.options.discoverer)
        self.services = LocalServices(self, self.registry, self.middlewares)
        self.middlewares.tell("created", self)
        if self.options.internal_services:
            self.services.create(self._internal_service())

    # life

    async def __aenter__(self) -> Self:
        """Connect, and know the mesh."""
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave the mesh."""
        await self.stop()

    async def start(self) -> None:
        """Connect, listen for others, start the services, and tell everybody.

        Raises:
            TransportError: The bus said no.
            Exception: What a service raised when it was started.
        """
        self.middlewares.hear_the_log()
        self.serving.start()
        await self.middlewares.tell_in_turn("starting", self)
        if self.transporter is not None:
            channels = self._wire.subscriptions()
            link = await connect(self.transporter, channels, self._wire.receive, self._reconnected, self._lost)
            self._wire.attach(link)
            await self._discovery.begin()
            self._discovery.start()
            self._looking.start()
            self.notice("$transporter.connected", {"wasReconnect": False})
        self.is_ready = self._runs_services = True
        await self.services.start_all()
        self._discovery.send_info()
        self._pinging.start()
        self.notice("$broker.started")
        await self.middlewares.tell_in_turn("started", self)

    async def stop(self) -> None:
        """Say that we offer nothing more, let running handlers end, and go."""
        if self._is_leaving:
            return
        self._is_leaving = True
        try:
            await self._leave()
        except Exception:
            log.exception("%s does not leave as it should", self.node_id)
        finally:
            self.is_stopping, self.is_ready = True, False
            self._looking.stop()
            await self.tasks.end()
            await self.serving.close()
            await self._discovery.close()
            self.requesting.close()
            await self._wire.close()
            self.middlewares.hear_no_log()

    async def _leave(self) -> None:
        was_ready = self.is_ready
        if was_ready and self._wire.link is not None:
            self.registry.local.seq += 1
            self._discovery.send_info()
            await asyncio.sleep(self.options.stop_delay_s)  # what is on its way to us is served
        self.is_stopping, self.is_ready = True, False
        await self.middlewares.tell_in_turn("stopping", self, last_first=True)
        await self.services.stop_all()
        if self._wire.link is not None:
            self.notice("$transporter.disconnected", {"graceFul": True})
        self._pinging.stop()
        await self._discovery.stop()
        if was_ready:
            await self._discovery.leave()
        await self.middlewares.tell_in_turn("stopped", self, last_first=True)
        await self.broadcast_local("$broker.stopped")

    async def add(self, *sources: object) -> None:
        """Offer services; if we have started, they are started now.

        Args:
            sources: Objects of classes decorated with ``@service``, or schemas: dictionaries with MoleculerJS's
                keys, whose functions get the service as their first argument, where MoleculerJS has ``this``.

        Raises:
            ServiceSchemaError: One of them is none.
            Exception: What one of them raised when it was started.
        """
        for source in sources:
            service = self.services.create(source)
            if self._runs_services:
                await self.services.start_late(service)

    async def remove(self, full_name: str) -> None:
        """Stop a service and offer it no longer.

        Raises:
            ServiceNotFoundError: We have none of this name.
        """
        await self.services.destroy(full_name)

    def start_span(self, name: str, **options: Any) -> Span:
        """Begin a span that is within none; within a handler, ``ctx.start_span`` begins one that is.

        Args:
            name: For people.
            options: Of `Tracer.start_span`, such as ``tags`` and ``parent``.
        """
        return self.tracer.start_span(name, **options)

    # for our parts

    @property
    def has_transporter(self) -> bool:
        """Whether there is a bus that we connect to."""
        return self.transporter is not None

    @property
    def is_connected(self) -> bool:
        """Whether we hear that bus now."""
        return self._wire.link is not None

    def info(self) -> dict[str, Any]:
        """What INFO says of us, as arguments of the packet."""
        return self._own_info.as_arguments(offers_nothing=self._is_leaving)

    def node_gone(self, node_id: str, *, unexpected: bool) -> None:
        """A node left, or is not heard any longer."""
        if self.registry.disconnect(node_id, self.uptime_s(), unexpected=unexpected):
            self.requesting.node_gone(node_id)
            self.serving.node_gone(node_id)

    def give_up(self, reason: str) -> None:
        """Stop, since going on would do harm."""
        log.critical("%s: this node stops", reason)
        self.tasks.spawn(self.stop(), "giving up")

    def monotonic_s(self) -> float:
        """A clock for what is left of timeouts, in seconds (uvloop's own counts whole milliseconds)."""
        return self.timers.now_s()

    def uptime_s(self) -> float:
        """How long this node has existed, in seconds."""
        return self.timers.now_s() - self._built_s

    def now_ms(self) -> int:
        """The moment in ms since the epoch, as the wire has it."""
        return self._clock.now_ns() // MILLISECOND

    # inside

    def _internal_service(self) -> object:
        """``$node``, or what was written in its place, completed by it."""
        own = NodeService(self)
        wanted = self.options.internal_services
        written = wanted.get("$node") if isinstance(wanted, Mapping) else None
        if written is None:
            return own
        return {**written, "mixins": [*(written.get("mixins") or ()), schema_of(own)]}

    def _wrap_remote(self, service: ServiceDefinition, action: ActionDefinition) -> Handler:
        return self.middlewares.wrap_action("remote_action", self.requesting.request, service, action)

    def _tell_fault(self, error: Exception) -> None:
        self.notice("$transit.error", {"error": error, "module": "transit", "type": "failedProcessingPacket"})

    def _changed_mesh(self, event: str, data: dict[str, Any]) -> None:
        if event == "$services.changed":
            self.waiting.services_changed()
            if data["localService"]:
                self.registry.local.seq += 1
                if self.is_ready:
                    self._discovery.send_info_soon()
        self.notice(event, data)

    def _lost(self) -> None:
        self.notice("$transporter.disconnected", {"graceFul": False})

    def _look_at_streams(self) -> None:
        self.requesting.look_at_streams()
        self.serving.look_at_streams()

    def _reconnected(self) -> None:
        self.requesting.forget_unread()
        if self.cacher is not None:
            self.cacher.transporter_reconnected()
        self._discovery.reconnected()
        self.notice("$transporter.connected", {"wasReconnect": True})
