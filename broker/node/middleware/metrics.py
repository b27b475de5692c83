"""Measures the requests and events of a node, at the same points as MoleculerJS."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from broker.node.context import Context
from broker.node.definitions import ActionDefinition, EventDefinition, Handler, ServiceDefinition
from broker.node.machine import client_info
from broker.node.metrics import built_in
from broker.node.metrics.executions import Executions, Resolved, as_label
from broker.node.metrics.process import ProcessMetrics
from broker.node.metrics.state import BrokerState
from broker.node.metrics.tolerance import ToleranceMetrics
from broker.node.metrics.values import Value
from broker.node.middleware.base import Asked, Middleware
from broker.node.timers import Repeating

if TYPE_CHECKING:
    from broker.node.broker import Broker
    from broker.node.settings import BrokerOptions

_ADVANCE_EVERY_S = 1.0


class Metrics(Middleware):
    """Makes the node's metrics, counts and times requests and events, and lets reporters tell everything."""

    @classmethod
    def is_wanted(cls, options: BrokerOptions) -> bool:
        """Only where metrics are on."""
        return options.metrics.enabled

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
        registry.before_reading(BrokerState(broker, registry).update)
        if registry.options.collect_process_metrics:
            process = ProcessMetrics(registry, registry.options.collect_interval_s, self._now_ns())
            registry.before_reading(lambda: process.look(self._now_ns()))
        self._levels: Resolved[int, Value] = self._counters("moleculer.request.levels", "level")
        self._repeating = [Repeating(broker.timers, _ADVANCE_EVERY_S, registry.advance)]

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
            executions = by_caller[caller if caller is None else as_label(caller)]
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
            executions = by_name[as_label(ctx.event_name), as_label(ctx.caller)]
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

    # inside; wrapped before the metrics are made, hence looked up at the first use

    def _counters(self, name: str, label: str) -> Resolved[Any, Value]:
        return Resolved(lambda value: self._registry.series(name, {label: value}))

    def _counting(self, call: Asked, name: str) -> Asked:
        by_event = self._counters(name, "event")

        def counted(event: str, *args: Any, **options: Any) -> Awaitable[Any]:
            by_event[event].add(1, self._now_ns())
            return call(event, *args, **options)

        return counted
