"""What belongs together across services and nodes, how long it took, and to whom that is told."""

from broker.node.tracing.exporters.base import Exporter
from broker.node.tracing.exporters.console import ConsoleExporter
from broker.node.tracing.exporters.event import EventExporter
from broker.node.tracing.options import TracingOptions
from broker.node.tracing.sampling import Sampling
from broker.node.tracing.span import Span
from broker.node.tracing.tracer import Tracer

__all__ = ["ConsoleExporter", "EventExporter", "Exporter", "Sampling", "Span", "Tracer", "TracingOptions"]
