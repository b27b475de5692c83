"""A span: what took how long, within what."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

from broker.clock import MILLISECOND
from broker.node.errors import MoleculerError

if TYPE_CHECKING:
    from broker.node.context import Context
    from broker.node.tracing.tracer import Tracer

SpanType = Literal["action", "event", "custom"]


class SpanLog(NamedTuple):
    """Something that happened within a span."""

    name: str
    fields: Mapping[str, Any]
    at_ns: int


class Span:
    """One span. As a context manager it ends with its block, and takes the block's error.

    Attributes:
        name: Such as ``action 'orders.get'``.
        type: What made it.
        id: For an action, that of its context, which is that of its request.
        trace_id: The same in everything that one call from outside caused.
        parent_id: The span it is within; None for the first.
        service: ``name``, ``version`` if there is one and ``fullName``; None outside of one.
        priority: Of the sampling.
        sampled: Whether it is told.
        started_ns: When it began, in ns since the epoch.
        finished_ns: When it ended; None while it has not.
        error: What went wrong; True when nobody knows what; None when nothing did.
        logs: What happened meanwhile, oldest first.
        tags: Name to value.
    """

    __slots__ = (
        "_ctx",
        "_tracer",
        "error",
        "finished_ns",
        "id",
        "logs",
        "name",
        "parent_id",
        "priority",
        "sampled",
        "service",
        "started_ns",
        "tags",
        "trace_id",
        "type",
    )

    def __init__(
        self,
        tracer: Tracer,
        name: str,
        span_id: str,
        type: SpanType,  # noqa: A002 - its name on the wire
        trace_id: str | None,
        parent_id: str | None,
        service: Mapping[str, Any] | None,
        priority: int,
        sampled: bool | None,
        tags: dict[str, Any],
        ctx: Context | None = None,
    ) -> None:
        """Begin now, told to nobody: see `Tracer.start_span`, which is how spans are made."""
        self._tracer = tracer
        self._ctx = ctx
        self.name = name
        self.id = span_id
        self.type: SpanType = type
        self.trace_id = trace_id or span_id
        self.parent_id = parent_id
        self.service = service
        self.priority = priority
        self.sampled = tracer.sampler.decide(priority) if sampled is None else sampled
        self.finished_ns: int | None = None
        self.error: BaseException | Literal[True] | None = None
        self.logs: list[SpanLog] = []
        self.tags = tags
        self.started_ns = tracer.now_ns()

    def add_tags(self, tags: Mapping[str, Any]) -> Self:
        """Say more of it."""
        self.tags.update(tags)
        return self

    def log(self, name: str, fields: Mapping[str, Any] | None = None, at_ns: int | None = None) -> Self:
        """Something happened.

        Args:
            name: What.
            fields: More of it.
            at_ns: When, in ns since the epoch; now when left out.
        """
        self.logs.append(SpanLog(name, fields or {}, self._tracer.now_ns() if at_ns is None else at_ns))
        return self

    def set_error(self, error: BaseException | None = None) -> Self:
        """It went wrong."""
        self.error = True if error is None else error
        return self

    def finish(self, at_ns: int | None = None) -> Self:
        """It ends.

        Args:
            at_ns: When, in ns since the epoch; now when left out.
        """
        self.finished_ns = self._tracer.now_ns() if at_ns is None else at_ns
        self._ctx = None  # what waits to be told must not hold it
        self._tracer.span_finished(self)
        return self

    @property
    def is_active(self) -> bool:
        """Whether it has not ended yet."""
        return self.finished_ns is None

    @property
    def duration_s(self) -> float | None:
        """How long it took; None while it has not ended."""
        return None if self.finished_ns is None else (self.finished_ns - self.started_ns) / 1e9

    def start_span(self, name: str, **options: Any) -> Span:
        """Begin a span within this one; ``options`` are those of `Tracer.start_span`."""
        within = {"trace_id": self.trace_id, "parent_id": self.id, "sampled": self.sampled, "service": self.service}
        return self._tracer.start_span(name, **{**within, **options})

    def __enter__(self) -> Self:
        """It began when it was made."""
        return self

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        """It ends, with the error if there is one."""
        if error is not None:
            self.set_error(error)
        if self._ctx is not None:
            self._ctx.finish_span(self)
        elif self.is_active:
            self.finish()

    def to_wire(self, error_fields: Iterable[str], begun_ns: int) -> dict[str, Any]:
        """As ``$tracing.spans`` shows it.

        Args:
            error_fields: What is told of an error.
            begun_ns: Where this process counts its ticks from, in ns since the epoch.
        """
        started_ns, finished_ns, error = self.started_ns, self.finished_ns, self.error
        started_ms = started_ns // MILLISECOND
        taken_ms = None if finished_ns is None else (finished_ns - started_ns) / MILLISECOND
        wire: dict[str, Any] = {
            "name": self.name,
            "type": self.type,
            "id": self.id,
            "traceID": self.trace_id,
            "parentID": self.parent_id,
            "service": self.service,
            "priority": self.priority,
            "sampled": self.sampled,
            "startTime": started_ms,
            "startTicks": (started_ns - begun_ns) / MILLISECOND,
            "finishTime": None if taken_ms is None else started_ms + taken_ms,
            "duration": taken_ms,
            "error": error_to_wire(error, error_fields) if isinstance(error, BaseException) else None,
            "logs": [self._log_to_wire(each) for each in self.logs],
            "tags": self.tags,
        }
        if self.service is None:
            del wire["service"]
        if self.parent_id is None and self.type == "custom":
            del wire["parentID"]
        return wire

    def _log_to_wire(self, log: SpanLog) -> dict[str, Any]:
        elapsed_ms = (log.at_ns - self.started_ns) / MILLISECOND
        time_ms = self.started_ns // MILLISECOND + elapsed_ms
        return {"name": log.name, "fields": log.fields, "time": time_ms, "elapsed": elapsed_ms}


def error_to_wire(error: BaseException, fields: Iterable[str]) -> dict[str, Any]:
    """Those fields that the error has."""
    known: dict[str, Any] = {"name": type(error).__name__, "message": str(error)}
    if isinstance(error, MoleculerError):
        known |= {"name": error.name, "message": error.message, "code": error.code, "type": error.type}
        known |= {"data": error.data, "nodeID": error.node_id, "retryable": error.retryable}
    told = {field: known.get(field) for field in fields}
    if "stack" in told:
        told["stack"] = getattr(error, "stack", None) or "".join(traceback.format_exception(error))
    return {field: value for field, value in told.items() if value is not None}
