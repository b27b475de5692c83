"""Measures what passes through a node, at the same points as MoleculerJS."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from broker.node.context import Context
from broker.node.definitions import ActionDefinition, EventDefinition, Handler, ServiceDefinition
from broker.node.machine import client_info
from broker.node.metrics import built_in
from broker.node.metrics.executions import Executions, Resolved, Stamped
from broker.node.metrics.process import ProcessMetrics
from broker.node.metrics.state import BrokerState
from broker.node.metrics.tolerance import ToleranceMetrics
from broker.node.metrics.values import Value
from broker.node.middleware.base import Asked, Middleware, Publish, Receive, Send, TakePacket
from broker.node.timers import Repeating

if TYPE_CHECKING:
    from broker.node.broker import Broker
    from broker.node.settings import BrokerOptions

_ADVANCE_EVERY_S = 1.0


class Metrics(Middleware):
    """Counts and times requests, events and packets, and lets reporters tell it."""

    @classmethod
    def is_wanted(cls, options: BrokerOptions) -> bool:
        """Only where metrics are on."""
        return options.metrics.enabled

    def __init__(self) -> None:
        self._of_packets: list[Stamped] = []

    def created(self, broker: Broker) -> None:
        """Make Moleculer's own metrics."""
        self._registry = registry = broker.metrics
        self._now_ns = registry.now_ns
        built_in.make(registry, built_in.ALWAYS)
        if broker.has_transporter:
            built_in.make(registry, built_in.TRANSIT)
        if broker.options.circuit_breaker.enabled:
            built_in.make(registry, built_in.BREAKER)
        if broker.cacher is not None:
            built_in.make(registry, built_in.CACHER)
        registry.set("moleculer.node.type", "python")
        registry.set("moleculer.node.versions.moleculer", client_info()["version"])
        registry.set("moleculer.node.versions.protocol", broker.options.protocols[0])
        registry.set("moleculer.broker.namespace", broker.namespace)
        broker.tolerance = ToleranceMetrics(registry)
        registry.before_reading(self._stamp)
        registry.before_reading(BrokerState(broker, registry).update)
        if registry.options.collect_process_metrics:
            process = ProcessMetrics(registry, registry.options.collect_interval_s, self._now_ns())
            registry.before_reading(lambda: process.look(self._now_ns()))
        self._levels: Resolved[int, Value] = self._counters("moleculer.request.levels", "level")
        self._repeating = [Repeating(broker.timers, _ADVANCE_EVERY_S, self._advance)]

    async def starting(self, broker: Broker) -> None:
        """Begin to tell."""
        for reporter in self._registry.options.reporters:
            reporter.begin(broker, self._registry)
            if reporter.interval_s > 0:
                self._repeating.append(Repeating(broker.timers, reporter.interval_s, reporter.report))
        for repeating in self._repeating:
            repeating.start()

    async def stopped(self, broker: Broker) -> None:
        """Nobody is told anything any more."""
        for repeating in self._repeating:
            repeating.stop()
        for reporter in self._registry.options.reporters:
            await reporter.stop()

    # requests and events

    def local_action(self, call: Handler, service: ServiceDefinition, action: ActionDefinition) -> Handler:
        """Executions here, whoever asked."""
        return self._around_action(call, service, action, "local")

    def remote_action(self, call: Handler, service: ServiceDefinition, action: ActionDefinition) -> Handler:
        """Our calls of others."""
        return self._around_action(call, service, action, "remote")

    def _around_action(self, call: Handler, service: ServiceDefinition, action: ActionDefinition, kind: str) -> Handler:
        labels = {"service": service.full_name, "action": action.name, "type": kind}
        by_caller: Resolved[str | None, Executions] = Resolved(
            lambda caller: Executions(self._registry, "moleculer.request", {**labels, "caller": caller})
        )
        now_ns, levels = self._now_ns, self._levels

        async def handler(ctx: Context) -> Any:
            caller = ctx.caller
            executions = by_caller[caller if isinstance(caller, str) else None]
            begun_ns = now_ns()
            executions.begin(begun_ns)
            levels[ctx.level].add(1, begun_ns)
            try:
                return await call(ctx)
            except Exception as error:
                executions.failed(error)
                raise
            finally:
                executions.end(begun_ns, now_ns())

        return handler

    def local_event(self, call: Handler, service: ServiceDefinition, event: EventDefinition) -> Handler:
        """Executions of handlers here."""
        labels = {"service": service.name, "group": event.group}
        by_name: Resolved[tuple[str | None, str | None], Executions] = Resolved(
            lambda key: Executions(
                self._registry, "moleculer.event.received", {**labels, "event": key[0], "caller": key[1]}
            )
        )
        now_ns = self._now_ns

        async def handler(ctx: Context) -> Any:
            caller = ctx.caller
            executions = by_name[ctx.event_name, caller if isinstance(caller, str) else None]
            begun_ns = now_ns()
            executions.begin(begun_ns)
            try:
                return await call(ctx)
            except Exception as error:
                executions.failed(error)
                raise
            finally:
                executions.end(begun_ns, now_ns())

        return handler

    def emit(self, call: Asked) -> Asked:
        """Events emitted here."""
        return self._counting(call, "moleculer.event.emit.total")

    def broadcast(self, call: Asked) -> Asked:
        """Events broadcast here."""
        return self._counting(call, "moleculer.event.broadcast.total")

    def broadcast_local(self, call: Asked) -> Asked:
        """Events broadcast within this node, those that all nodes get among them."""
        return self._counting(call, "moleculer.event.broadcast-local.total")

    # packets

    def transit_publish(self, call: Publish) -> Publish:
        """Packets that leave, by their type."""
        by_type = self._packets("moleculer.transit.publish.total", "type")

        def publish(packet: Any, target: str) -> None:
            by_type[packet.COMMAND].value += 1
            call(packet, target)

        return publish

    def transit_message_handler(self, call: TakePacket) -> TakePacket:
        """Packets that came, by their type."""
        by_type = self._packets("moleculer.transit.receive.total", "type")

        def take(command: str, packet: Any) -> None:
            by_type[command].value += 1
            call(command, packet)

        return take

    def transporter_send(self, call: Send) -> Send:
        """Bytes that leave."""
        return self._counting_bytes(call, "moleculer.transporter.packets.sent")

    def transporter_receive(self, call: Receive) -> Receive:
        """Bytes that came."""
        return self._counting_bytes(call, "moleculer.transporter.packets.received")

    # inside; wrapped before the metrics are made, hence looked up at the first use

    def _counters(self, name: str, label: str) -> Resolved[Any, Value]:
        return Resolved(lambda value: self._registry.series(name, {label: value}))

    def _counting(self, call: Asked, name: str) -> Asked:
        by_event = self._counters(name, "event")

        def counted(event: str, *args: Any, **options: Any) -> Awaitable[Any]:
            by_event[event].add(1, self._now_ns())
            return call(event, *args, **options)

        return counted

    def _counting_bytes(self, call: Send, prefix: str) -> Send:
        sums = self._packets(prefix)

        def counted(channel: bytes, body: bytes) -> None:
            sums[".total"].value += 1
            sums[".bytes"].value += len(body)
            call(channel, body)

        return counted

    def _packets(self, name: str, label: str | None = None) -> Resolved[str, Value]:
        """Counters that are added to at every packet, with no look at the clock: they get their time later."""

        def find(what: str) -> Value:
            series: Value = self._registry.series(name, {label: what}) if label else self._registry.series(name + what)
            self._of_packets.append(Stamped(series))
            return series

        return Resolved(find)

    def _stamp(self) -> None:
        at_ns = self._now_ns()
        for stamped in self._of_packets:
            stamped.stamp(at_ns)

    def _advance(self) -> None:
        self._stamp()
        self._registry.advance()
