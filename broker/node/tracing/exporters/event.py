"""Tells the mesh: the event ``$tracing.spans``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from broker.node.tracing.exporters.base import Exporter
from broker.node.tracing.plain import plain
from broker.node.tracing.span import Span

_MOST_WAITING: Final = 500
"""So many spans go out before their time: one event stays below what the smallest bus carries (1 MB)."""


class EventExporter(Exporter):
    """Emits or broadcasts spans, many at once, as MoleculerJS's ``Event`` exporter does."""

    def __init__(
        self,
        *,
        event_name: str = "$tracing.spans",
        send_start_span: bool = False,
        send_finish_span: bool = True,
        broadcast: bool = False,
        groups: Sequence[str] | None = None,
        interval_s: float = 5.0,
        span_converter: Callable[[Span], Any] | None = None,
    ) -> None:
        """Begin.

        Args:
            event_name: Of the event.
            send_start_span: Whether spans are told when they begin.
            send_finish_span: Whether spans are told when they have ended.
            broadcast: Whether every node gets it; otherwise one of each group.
            groups: Only these groups.
            interval_s: Between two events; 0 to send each span at once.
            span_converter: Makes what is sent for a span.
        """
        self.interval_s = interval_s
        self._event_name = event_name
        self._send_start_span = send_start_span
        self._send_finish_span = send_finish_span
        self._broadcast = broadcast
        self._groups = list(groups) if groups is not None else None
        self._convert = span_converter or self._to_wire
        self._waiting: list[Span] = []

    def span_started(self, span: Span) -> None:
        """It waits to be told, if that is wanted."""
        if self._send_start_span:
            self._take(span)

    def span_finished(self, span: Span) -> None:
        """It waits to be told, if that is wanted."""
        if self._send_finish_span:
            self._take(span)

    def flush(self) -> None:
        """Send what waits: a span that was told when it began, and ended since, is sent twice, and ended both times."""
        payload = self.payload()
        if payload:
            tell = self.broker.broadcast if self._broadcast else self.broker.emit
            self.broker.tasks.spawn(tell(self._event_name, payload, groups=self._groups), "tracing spans")

    def payload(self) -> list[Any]:
        """What waits, as it is now; it waits no longer."""
        spans, self._waiting = self._waiting, []
        return [self._convert(span) for span in spans]

    def _take(self, span: Span) -> None:
        if span.tags.get("eventName") == self._event_name:
            return  # of the handling of such an event: else each would cause the next
        self._waiting.append(span)
        if self.interval_s <= 0 or len(self._waiting) >= _MOST_WAITING:
            self.flush()

    def _to_wire(self, span: Span) -> Mapping[str, Any]:
        tracer = self.broker.tracer
        wire: dict[str, Any] = plain(span.to_wire(tracer.error_fields, tracer.begun_ns))
        return wire
