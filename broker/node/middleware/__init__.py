"""Middlewares: one file each, one line in ``internal.py`` for those that every broker has."""

from broker.node.middleware.base import Middleware
from broker.node.middleware.bulkhead import Bulkhead
from broker.node.middleware.cacher import Caching
from broker.node.middleware.circuit_breaker import CircuitBreaker
from broker.node.middleware.compression import TransmitCompression
from broker.node.middleware.encryption import TransmitEncryption
from broker.node.middleware.fallback import Fallback
from broker.node.middleware.retry import Retry
from broker.node.middleware.timeout import Timeout

__all__ = [
    "Bulkhead",
    "Caching",
    "CircuitBreaker",
    "Fallback",
    "Middleware",
    "Retry",
    "Timeout",
    "TransmitCompression",
    "TransmitEncryption",
]
