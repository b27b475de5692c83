"""What is measured of fault tolerance and caching."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from broker.node.circuit import Circuit, Happening
from broker.node.definitions import ActionDefinition, EventDefinition, ServiceDefinition
from broker.node.metrics.built_in import BREAKER, make
from broker.node.metrics.registry import MetricRegistry
from broker.node.tolerance import CacheQuestion, ToleranceWatch


class ToleranceMetrics(ToleranceWatch):
    """Counts what it is told, under MoleculerJS's names."""

    def __init__(self, registry: MetricRegistry) -> None:
        self._registry = registry

    def timed_out(self, service: ServiceDefinition, action: ActionDefinition) -> None:
        """One more."""
        self._registry.increment("moleculer.request.timeout.total", _of(service, action))

    def retried(self, service: ServiceDefinition, action: ActionDefinition) -> None:
        """One more."""
        self._registry.increment("moleculer.request.retry.attempts.total", _of(service, action))

    def fell_back(self, service: ServiceDefinition, action: ActionDefinition, *, own: bool) -> None:  # noqa: ARG002
        """One more."""
        self._registry.increment("moleculer.request.fallback.total", _of(service, action))

    def circuit_changed(self, circuit: Circuit, happening: Happening) -> None:
        """Which circuits are open or half-open now, and how often each opened."""
        registry, endpoint = self._registry, circuit.endpoint
        make(registry, BREAKER)  # in MoleculerJS they are missing, and this fails, where only an action has a breaker
        labels = {"affectedNodeID": endpoint.node.id, **_of(endpoint.service, endpoint.action)}
        registry.set("moleculer.circuit-breaker.opened.active", int(happening == "opened"), labels)
        if happening == "opened":
            registry.increment("moleculer.circuit-breaker.opened.total", labels)
        else:
            half_opened = int(happening == "half-opened")
            registry.set("moleculer.circuit-breaker.half-opened.active", half_opened, labels)

    def bulkhead_changed(
        self, service: ServiceDefinition, what: ActionDefinition | EventDefinition, in_flight: int, queued: int
    ) -> None:
        """How many run and wait now."""
        kind, label = ("request", "action") if isinstance(what, ActionDefinition) else ("event", "event")
        labels = {label: what.name, "service": service.full_name}
        self._registry.set(f"moleculer.{kind}.bulkhead.inflight", in_flight, labels)
        self._registry.set(f"moleculer.{kind}.bulkhead.queue.size", queued, labels)

    def cache_asked(self, question: CacheQuestion) -> AbstractContextManager[None]:
        """One more, and how long it takes."""
        return self._timed(question)

    def cache_found(self) -> None:
        """One more."""
        self._registry.increment("moleculer.cacher.found.total")

    def cache_expired(self) -> None:
        """One more."""
        self._registry.increment("moleculer.cacher.expired.total")

    @contextmanager
    def _timed(self, question: CacheQuestion) -> Iterator[None]:
        self._registry.increment(f"moleculer.cacher.{question}.total")
        end = self._registry.timer(f"moleculer.cacher.{question}.time")
        try:
            yield
        finally:
            end()


def _of(service: ServiceDefinition, action: ActionDefinition) -> dict[str, str]:
    return {"service": service.full_name, "action": action.name}
