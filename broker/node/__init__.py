"""A Moleculer node: services, calls and events."""

from broker.node.broker import Broker
from broker.node.context import Context
from broker.node.options import CircuitBreakerPolicy, RetryPolicy
from broker.node.service import action, event, service
from broker.node.settings import BrokerOptions

__all__ = ["Broker", "BrokerOptions", "CircuitBreakerPolicy", "Context", "RetryPolicy", "action", "event", "service"]
