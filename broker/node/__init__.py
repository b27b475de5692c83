"""A Moleculer node: services, calls and events."""

from broker.node.broker import Broker
from broker.node.caching import MemoryCacher, MemoryLruCacher
from broker.node.caching.options import CacheLock, CacheOptions
from broker.node.context import Context
from broker.node.metrics import MetricsOptions
from broker.node.options import BulkheadPolicy, CircuitBreakerPolicy, RetryPolicy
from broker.node.service import action, event, service
from broker.node.settings import BrokerOptions
from broker.node.tracing import Sampling, TracingOptions
from broker.validation import Validator, ValidatorOptions

__all__ = [
    "Broker",
    "BrokerOptions",
    "BulkheadPolicy",
    "CacheLock",
    "CacheOptions",
    "CircuitBreakerPolicy",
    "Context",
    "MemoryCacher",
    "MemoryLruCacher",
    "MetricsOptions",
    "RetryPolicy",
    "Sampling",
    "TracingOptions",
    "Validator",
    "ValidatorOptions",
    "action",
    "event",
    "service",
]
