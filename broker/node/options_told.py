"""How a node is set up, as ``$node.options`` tells it: MoleculerJS's names and units, and no secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from broker.node.discovering import RedisDiscoverer
from broker.node.fields import milliseconds
from broker.node.published import published
from broker.transport.url import ConnectionSettings

if TYPE_CHECKING:
    from broker.node.broker import Broker


def options_told(broker: Broker) -> dict[str, Any]:
    """All that others may know. Of where the bus is, never the password."""
    options = broker.options
    told = {
        "namespace": broker.namespace,
        "nodeID": broker.node_id,
        "transporter": _without_secrets(broker.transporter),
        "serializer": broker.serializer,
        "requestTimeout": milliseconds(options.request_timeout_s),
        "retryPolicy": options.retry,
        "maxCallLevel": options.max_call_level,
        "heartbeatInterval": options.heartbeat_interval_s,
        "heartbeatTimeout": options.heartbeat_timeout_s,
        "tracking": {"enabled": options.tracking, "shutdownTimeout": milliseconds(options.stop_timeout_s)},
        "registry": {
            "discoverer": _discoverer(options.discoverer),
            "strategy": options.strategy,
            "strategyOptions": options.strategy_options,
            "preferLocal": options.prefer_local,
            "stopDelay": milliseconds(options.stop_delay_s),
        },
        "circuitBreaker": options.circuit_breaker,
        "bulkhead": options.bulkhead,
        "transit": {
            "maxQueueSize": options.max_queue_size,
            "maxChunkSize": options.max_chunk_size,
            "serviceChangedDebounceTime": milliseconds(options.info_delay_s),
        },
        "metrics": {"enabled": options.metrics.enabled},
        "tracing": {"enabled": options.tracing.enabled},
        "internalServices": options.internal_services,
        "dependencyTimeout": milliseconds(options.dependency_timeout_s),
        "metadata": options.metadata,
    }
    return published(told)


def _discoverer(wanted: object) -> str:
    if wanted == "Local":
        return "Local"
    return "Redis" if isinstance(wanted, str | RedisDiscoverer) else getattr(wanted, "__name__", "")


def _without_secrets(transporter: object) -> str | None:
    if isinstance(transporter, str):
        transporter = ConnectionSettings.parse(transporter)
    if isinstance(transporter, ConnectionSettings):
        return transporter.redacted
    return None if transporter is None else type(transporter).__name__
