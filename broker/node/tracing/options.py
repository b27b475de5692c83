"""How a node traces."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from broker.node.tracing.exporters.base import Exporter
from broker.node.tracing.sampling import Sampling

if TYPE_CHECKING:
    from broker.node.tracing.tracer import Tracer

Tags = Mapping[str, Any] | Callable[..., Mapping[str, Any] | None]
"""Which of ``params``, ``meta`` and ``response`` a span's tags show (True for all of it, or a list of keys), or a
function that makes the tags: called with the context, and for an action at its end with context and result."""


@dataclass(frozen=True, slots=True)
class TracingOptions:
    """MoleculerJS's options of tracing, with its defaults.

    Attributes:
        enabled: Whether anything is traced by itself.
        exporters: To whom spans are told.
        sampling: Which traces are told of.
        actions: Whether actions are spans.
        events: Whether handlers of events are spans.
        error_fields: What is told of an error.
        stack_trace: Whether that is its stack, too.
        default_tags: Of every span, or a function that makes them once.
        action_tags: Of actions that do not say otherwise; params alone when None.
        event_tags: The same for events.
    """

    enabled: bool = True
    exporters: Sequence[Exporter] = ()
    sampling: Sampling = field(default_factory=Sampling)
    actions: bool = True
    events: bool = False
    error_fields: Sequence[str] = ("name", "message", "code", "type", "data")
    stack_trace: bool = False
    default_tags: Mapping[str, Any] | Callable[[Tracer], Mapping[str, Any]] | None = None
    action_tags: Tags | None = None
    event_tags: Tags | None = None
