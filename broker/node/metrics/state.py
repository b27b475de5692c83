"""What is read off a broker when somebody asks, rather than kept at every change: the mesh, and its own state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from broker.node.metrics.registry import MetricRegistry

if TYPE_CHECKING:
    from broker.node.broker import Broker


class BrokerState:
    """Gauges of one broker, brought up to date when they are read.

    MoleculerJS sets them at every change. What is offered by nobody any longer
    is zero here; there it keeps its last number.
    """

    def __init__(self, broker: Broker, registry: MetricRegistry) -> None:
        self._broker = broker
        self._registry = registry

    def update(self) -> None:
        """Read everything off."""
        broker, registry = self._broker, self._registry
        registry.set("moleculer.broker.started", int(broker.is_ready))
        registry.set("moleculer.broker.local.services.total", len(broker.services.offered))
        registry.set("moleculer.broker.middlewares.total", broker.middlewares.count)
        registry.set("moleculer.transit.requests.active", broker.requesting.waiting)
        registry.set("moleculer.transit.streams.send.active", broker.serving.receiving + broker.requesting.receiving)
        if registry.has("moleculer.transit.connected"):
            registry.set("moleculer.transit.connected", int(broker.is_connected))
            registry.set("moleculer.transit.ready", int(broker.is_connected and broker.is_ready))
            if broker.requesting.orphaned:
                registry.set("moleculer.transit.orphan.response.total", broker.requesting.orphaned)
        self._update_mesh()

    def _update_mesh(self) -> None:
        known, registry = self._broker.registry, self._registry
        nodes = known.nodes.values()
        registry.set("moleculer.registry.nodes.total", len(nodes))
        registry.set("moleculer.registry.nodes.online.total", sum(node.available for node in nodes))
        services = Counter(service.full_name for _, service in known.services())
        actions = {each.name: len(each.endpoints) for each in known.actions.values()}
        # of one event with several groups the last one's number stands, as in MoleculerJS
        events = {each.name: len(each.endpoints) for each in known.event_lists.values()}
        registry.set("moleculer.registry.services.total", len(services))
        registry.set("moleculer.registry.actions.total", len(actions))
        registry.set("moleculer.registry.events.total", len(known.event_lists))
        self._set_each("service", services)
        self._set_each("action", actions)
        self._set_each("event", events)

    def _set_each(self, kind: str, endpoints: Mapping[str, int]) -> None:
        name = f"moleculer.registry.{kind}.endpoints.total"
        metric = self._registry.get(name)
        gone = [] if metric is None else [each.labels[kind] for each in metric.series.values()]
        for offered in {*gone, *endpoints}:
            self._registry.set(name, endpoints.get(offered, 0), {kind: offered})
