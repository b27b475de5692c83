"""Makes the spans of one node, and tells its exporters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from broker.node.context import new_id
from broker.node.tracing.options import TracingOptions
from broker.node.tracing.sampling import Sampler
from broker.node.tracing.span import Span, SpanType

if TYPE_CHECKING:
    from broker.node.context import Context


class Tracer:
    """Spans can be made whether tracing is on or not; when it is off nobody is told.

    Attributes:
        options: As given.
        sampler: Decides which traces are told of.
        now_ns: Tells the time.
        begun_ns: When this node was made, in ns since the epoch.
        error_fields: What is told of an error.
        default_tags: Of every span.
    """

    def __init__(self, options: TracingOptions, now_ns: Callable[[], int]) -> None:
        """Begin.

        Args:
            options: How to trace.
            now_ns: Tells the time.
        """
        self.options = options
        self.now_ns = now_ns
        self.begun_ns = now_ns()
        self.sampler = Sampler(options.sampling, now_ns)
        stack = ("stack",) if options.stack_trace and "stack" not in options.error_fields else ()
        self.error_fields = (*options.error_fields, *stack)
        self._exporters = list(options.exporters) if options.enabled else []
        general = options.default_tags
        self.default_tags: Mapping[str, Any] = (general(self) if callable(general) else general) or {}

    def start_span(
        self,
        name: str,
        *,
        type: SpanType = "custom",  # noqa: A002 - its name on the wire
        span_id: str | None = None,
        trace_id: str | None = None,
        parent_id: str | None = None,
        parent: Span | None = None,
        service: str | Mapping[str, Any] | None = None,
        priority: int = 5,
        sampled: bool | None = None,
        tags: Mapping[str, Any] | None = None,
        ctx: Context | None = None,
    ) -> Span:
        """Begin a span.

        Args:
            name: For people.
            type: What it is of.
            span_id: A new one when left out.
            trace_id: Its own id when left out.
            parent_id: The span it is within.
            parent: The same, with its trace and whether it is told.
            service: Full name, or ``name``, ``version`` and ``fullName``.
            priority: Of the sampling.
            sampled: Whether it is told; decided now when None.
            tags: Name to value.
            ctx: What it is begun in; see `Context.start_span`.
        """
        if parent is not None:
            trace_id, parent_id = trace_id or parent.trace_id, parent_id or parent.id
            sampled = parent.sampled if sampled is None else sampled
        if isinstance(service, str):
            service = {"name": service, "fullName": service}
        all_tags = {**self.default_tags, **tags} if tags else dict(self.default_tags)
        span = Span(
            self, name, span_id or new_id(), type, trace_id, parent_id, service, priority, sampled, all_tags, ctx
        )
        self.span_started(span)
        return span

    def span_started(self, span: Span) -> None:
        """A span has begun."""
        if span.sampled:
            for exporter in self._exporters:
                exporter.span_started(span)

    def span_finished(self, span: Span) -> None:
        """A span has ended."""
        if span.sampled:
            for exporter in self._exporters:
                exporter.span_finished(span)
