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
from broker.validation.signatures import (
    Card,
    Email,
    Mac,
    NegativeFloat,
    NegativeInt,
    NonEmpty,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    Url,
    rule,
)

__all__ = [
    "Broker",
    "BrokerOptions",
    "BulkheadPolicy",
    "CacheLock",
    "CacheOptions",
    "Card",
    "CircuitBreakerPolicy",
    "Context",
    "Email",
    "Mac",
    "MemoryCacher",
    "MemoryLruCacher",
    "MetricsOptions",
    "NegativeFloat",
    "NegativeInt",
    "NonEmpty",
    "NonNegativeFloat",
    "NonNegativeInt",
    "PositiveFloat",
    "PositiveInt",
    "RetryPolicy",
    "Sampling",
    "TracingOptions",
    "Url",
    "Validator",
    "ValidatorOptions",
    "action",
    "event",
    "rule",
    "service",
]
