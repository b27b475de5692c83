"""Moleculer's own metrics: their names, labels, units and descriptions are those of MoleculerJS."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from broker.node.metrics.registry import MetricRegistry

MILLISECOND: Final = "millisecond"
_SERVED: Final = ("service", "action", "type", "caller")
_HANDLED: Final = ("service", "group", "event", "caller")
_FAILED: Final = ("errorName", "errorCode", "errorType")
_PROTECTED: Final = ("affectedNodeID", "service", "action")
_OF_ACTION: Final = ("service", "action")


class _BuiltIn(NamedTuple):
    """One of them; a histogram has quantiles, and buckets when it has a description."""

    kind: Literal["counter", "gauge", "histogram", "info"]
    name: str
    labels: tuple[str, ...] = ()
    unit: str | None = None
    description: str | None = None
    rate: bool = False


BROKER: Final = (
    _BuiltIn("info", "moleculer.node.type", description="Moleculer implementation type"),
    _BuiltIn("info", "moleculer.node.versions.moleculer", description="Moleculer version number"),
    _BuiltIn("info", "moleculer.node.versions.protocol", description="Moleculer protocol version"),
    _BuiltIn("info", "moleculer.broker.namespace", description="Moleculer namespace"),
    _BuiltIn("gauge", "moleculer.broker.started", description="ServiceBroker started"),
    _BuiltIn("gauge", "moleculer.broker.local.services.total", description="Number of local services"),
    _BuiltIn("gauge", "moleculer.broker.middlewares.total", description="Number of local middlewares"),
)
REGISTRY: Final = (
    _BuiltIn("gauge", "moleculer.registry.nodes.total", description="Number of registered nodes"),
    _BuiltIn("gauge", "moleculer.registry.nodes.online.total", description="Number of online nodes"),
    _BuiltIn("gauge", "moleculer.registry.services.total", description="Number of registered services"),
    _BuiltIn(
        "gauge", "moleculer.registry.service.endpoints.total", ("service",), description="Number of service endpoints"
    ),
    _BuiltIn("gauge", "moleculer.registry.actions.total", description="Number of registered actions"),
    _BuiltIn(
        "gauge", "moleculer.registry.action.endpoints.total", ("action",), description="Number of action endpoints"
    ),
    _BuiltIn("gauge", "moleculer.registry.events.total", description="Number of registered events"),
    _BuiltIn("gauge", "moleculer.registry.event.endpoints.total", ("event",), description="Number of event endpoints"),
)
REQUESTS: Final = (
    _BuiltIn("counter", "moleculer.request.total", _SERVED, "request", "Number of requests", rate=True),
    _BuiltIn("gauge", "moleculer.request.active", _SERVED, "request", "Number of active requests"),
    _BuiltIn(
        "counter", "moleculer.request.error.total", _SERVED + _FAILED, "request", "Number of request errors", rate=True
    ),
    _BuiltIn("histogram", "moleculer.request.time", _SERVED, MILLISECOND, "Request times in milliseconds", rate=True),
    _BuiltIn("counter", "moleculer.request.levels", ("level",), "request", "Number of requests by context level"),
)
EVENTS: Final = (
    _BuiltIn(
        "counter", "moleculer.event.emit.total", ("event", "groups"), "event", "Number of emitted events", rate=True
    ),
    _BuiltIn(
        "counter",
        "moleculer.event.broadcast.total",
        ("event", "groups"),
        "event",
        "Number of broadcast events",
        rate=True,
    ),
    _BuiltIn(
        "counter",
        "moleculer.event.broadcast-local.total",
        ("event", "groups"),
        "event",
        "Number of local broadcast events",
        rate=True,
    ),
    _BuiltIn("counter", "moleculer.event.received.total", _HANDLED, "event", "Number of received events", rate=True),
    _BuiltIn("gauge", "moleculer.event.received.active", _HANDLED, "request", "Number of active event executions"),
    _BuiltIn(
        "counter",
        "moleculer.event.received.error.total",
        _HANDLED + _FAILED,
        "request",
        "Number of event execution errors",
        rate=True,
    ),
    _BuiltIn(
        "histogram",
        "moleculer.event.received.time",
        _HANDLED,
        MILLISECOND,
        "Execution time of events in milliseconds",
        rate=True,
    ),
)
PACKETS: Final = (
    _BuiltIn(
        "counter", "moleculer.transit.publish.total", ("type",), "packet", "Number of published packets", rate=True
    ),
    _BuiltIn(
        "counter", "moleculer.transit.receive.total", ("type",), "packet", "Number of received packets", rate=True
    ),
    _BuiltIn("gauge", "moleculer.transit.requests.active", (), "request", "Number of active requests"),
    _BuiltIn("gauge", "moleculer.transit.streams.send.active", (), "stream", "Number of active sent streams"),
    _BuiltIn("counter", "moleculer.transporter.packets.sent.total", (), "packet", "Number of sent packets", rate=True),
    _BuiltIn("counter", "moleculer.transporter.packets.sent.bytes", (), "byte", "Number of sent bytes", rate=True),
    _BuiltIn(
        "counter", "moleculer.transporter.packets.received.total", (), "packet", "Number of received packets", rate=True
    ),
    _BuiltIn(
        "counter", "moleculer.transporter.packets.received.bytes", (), "byte", "Number of received bytes", rate=True
    ),
)
TRANSIT: Final = (
    _BuiltIn("gauge", "moleculer.transit.ready", description="Transit is ready"),
    _BuiltIn("gauge", "moleculer.transit.connected", description="Transit is connected"),
    _BuiltIn("gauge", "moleculer.transit.pong.time", ("targetNodeID",), description="Ping time"),
    _BuiltIn(
        "gauge",
        "moleculer.transit.pong.systime-diff",
        ("targetNodeID",),
        description="System time difference between nodes",
    ),
    _BuiltIn("counter", "moleculer.transit.orphan.response.total", description="Number of orphan responses"),
)
TOLERANCE: Final = (
    _BuiltIn("gauge", "moleculer.request.bulkhead.inflight", ("action", "service")),
    _BuiltIn("gauge", "moleculer.request.bulkhead.queue.size", ("action", "service")),
    _BuiltIn("gauge", "moleculer.event.bulkhead.inflight", ("event", "service")),
    _BuiltIn("gauge", "moleculer.event.bulkhead.queue.size", ("event", "service")),
    _BuiltIn(
        "counter", "moleculer.request.timeout.total", _OF_ACTION, description="Number of timed out requests", rate=True
    ),
    _BuiltIn(
        "counter", "moleculer.request.retry.attempts.total", _OF_ACTION, description="Number of retries", rate=True
    ),
    _BuiltIn(
        "counter",
        "moleculer.request.fallback.total",
        _OF_ACTION,
        description="Number of fallbacked requests",
        rate=True,
    ),
)
BREAKER: Final = (
    _BuiltIn(
        "gauge",
        "moleculer.circuit-breaker.opened.active",
        _PROTECTED,
        description="Number of active opened circuit-breakers",
    ),
    _BuiltIn(
        "counter", "moleculer.circuit-breaker.opened.total", _PROTECTED, description="Number of opened circuit-breakers"
    ),
    _BuiltIn(
        "gauge",
        "moleculer.circuit-breaker.half-opened.active",
        _PROTECTED,
        description="Number of active half-opened circuit-breakers",
    ),
)
CACHER: Final = (
    _BuiltIn("counter", "moleculer.cacher.get.total", rate=True),
    _BuiltIn("histogram", "moleculer.cacher.get.time", unit=MILLISECOND),
    _BuiltIn("counter", "moleculer.cacher.found.total", rate=True),
    _BuiltIn("counter", "moleculer.cacher.set.total", rate=True),
    _BuiltIn("histogram", "moleculer.cacher.set.time", unit=MILLISECOND),
    _BuiltIn("counter", "moleculer.cacher.del.total", rate=True),
    _BuiltIn("histogram", "moleculer.cacher.del.time", unit=MILLISECOND),
    _BuiltIn("counter", "moleculer.cacher.clean.total", rate=True),
    _BuiltIn("histogram", "moleculer.cacher.clean.time", unit=MILLISECOND),
    _BuiltIn("counter", "moleculer.cacher.expired.total", rate=True),
)
"""Of whoever keeps results. Beyond those that are always there, as in MoleculerJS."""

ALWAYS: Final = (*BROKER, *REGISTRY, *REQUESTS, *EVENTS, *PACKETS, *TOLERANCE)
"""What every node has; `TRANSIT` with a transporter, `BREAKER` with breakers, `CACHER` with a cacher."""


def make(registry: MetricRegistry, metrics: tuple[_BuiltIn, ...]) -> None:
    """Have these metrics in the registry, those that are there already left alone."""
    for each in metrics:
        if each.kind == "info":
            registry.info(each.name, each.labels, unit=each.unit, description=each.description)
        elif each.kind == "histogram":
            registry.histogram(
                each.name,
                each.labels,
                unit=each.unit,
                description=each.description,
                rate=each.rate,
                buckets=each.description is not None,
                quantiles=True,
            )
        else:
            of_kind = registry.counter if each.kind == "counter" else registry.gauge
            of_kind(each.name, each.labels, unit=each.unit, description=each.description, rate=each.rate)
