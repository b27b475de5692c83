"""What a node measures of itself, and to whom it tells it."""

from broker.node.metrics.histogram import Histogram, exponential_buckets, linear_buckets
from broker.node.metrics.options import MetricsOptions
from broker.node.metrics.registry import MetricRegistry
from broker.node.metrics.reporters.base import Reporter
from broker.node.metrics.reporters.console import ConsoleReporter
from broker.node.metrics.reporters.event import EventReporter
from broker.node.metrics.values import Counter, Gauge, Info

__all__ = [
    "ConsoleReporter",
    "Counter",
    "EventReporter",
    "Gauge",
    "Histogram",
    "Info",
    "MetricRegistry",
    "MetricsOptions",
    "Reporter",
    "exponential_buckets",
    "linear_buckets",
]
