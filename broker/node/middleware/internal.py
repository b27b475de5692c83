"""The one list of the middlewares that every broker has, in MoleculerJS's order."""

from __future__ import annotations

from typing import Final

from broker.node.middleware.action_hook import ActionHook
from broker.node.middleware.base import Middleware
from broker.node.middleware.bulkhead import Bulkhead
from broker.node.middleware.cacher import Caching
from broker.node.middleware.circuit_breaker import CircuitBreaker
from broker.node.middleware.context_tracker import ContextTracker
from broker.node.middleware.debounce import Debounce
from broker.node.middleware.error_handler import ErrorHandler
from broker.node.middleware.fallback import Fallback
from broker.node.middleware.metrics import Metrics
from broker.node.middleware.packet_metrics import PacketMetrics
from broker.node.middleware.retry import Retry
from broker.node.middleware.throttle import Throttle
from broker.node.middleware.timeout import Timeout
from broker.node.middleware.tracing import Tracing
from broker.node.middleware.validator import Validation

# The places, the same in 0.14 and 0.15: ActionHook, Validator, Bulkhead, Cacher, ContextTracker,
# CircuitBreaker, Timeout, Retry, Fallback, ErrorHandler, Tracing, Metrics, Debounce, Throttle.
INTERNAL: Final[tuple[type[Middleware], ...]] = (
    ActionHook,
    Validation,
    Bulkhead,
    Caching,
    ContextTracker,
    CircuitBreaker,
    Timeout,
    Retry,
    Fallback,
    ErrorHandler,
    Tracing,
    Metrics,
    PacketMetrics,
    Debounce,
    Throttle,
)
"""Innermost first, all outside of a broker's own. Each is made anew for each broker, without arguments,
and learns all else in ``created``; what an author or a broker does not want, its points leave as it is."""
