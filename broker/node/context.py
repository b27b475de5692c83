"""The context of one call or one event: what its handler is given."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, Final, TypedDict, Unpack

import msgspec

from broker.node.errors import MaxCallLevelError, RequestSkippedError

if TYPE_CHECKING:
    from broker.node.broker import Broker
    from broker.node.endpoints import ActionEndpoint, EventEndpoint
    from broker.node.tracing.span import Span

ABSENT: Final[Any] = type("Absent", (), {"__repr__": lambda _self: "ABSENT"})()
"""No params were given: sent as ``{}``, as MoleculerJS does; None is sent as null."""


DRAWN: Final[list[str]] = []
_AT_ONCE: Final = 256


def new_id() -> str:
    """A fresh id, as text of a random UUID (version 4)."""
    if not DRAWN:
        _draw()
    return DRAWN.pop()


def _draw() -> None:
    """Many at once: one by one each would ask the system. All digits are random, as tracers keep the first 16 only."""
    digits = os.urandom(16 * _AT_ONCE).hex()
    for begin in range(0, len(digits), 32):
        it = digits[begin : begin + 32]
        variant = "89ab"[int(it[16], 16) & 3]
        DRAWN.append(f"{it[:8]}-{it[8:12]}-4{it[13:16]}-{variant}{it[17:20]}-{it[20:]}")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=DRAWN.clear)  # a child must not use the ids of its parent


class EventOptions(TypedDict, total=False):
    """What may be said of an event besides its name and data.

    Attributes:
        groups: Only these, or this one.
        meta: Travels along.
        headers: Travel along (protocol 5).
        request_id: Of the trace this belongs to.
        caller: A service on whose behalf this is.
        tracing: The sampling decision.
        parent: The context that does it; its own methods give it.
        throw_error: Whether what handlers on this node raise is raised; of a broadcast only.
    """

    groups: str | Sequence[str] | None
    meta: Mapping[str, Any] | None
    headers: Mapping[str, Any] | None
    request_id: str | None
    caller: str | None
    tracing: bool | None
    parent: Context | None
    throw_error: bool


class Context(msgspec.Struct, eq=False):
    """What is known of one call or event.

    A struct, since one is made for every request, and it has many fields.

    Attributes:
        broker: Our broker.
        id: Of this call attempt, or of this handling of an event.
        endpoint: What serves it: an action or a subscription on one node.
        node_id: For a call, where it is served, and in a handler, who asked; for an event its sender.
        params: What was given to the action, or the event's data.
        meta: Travels along all nested calls, and back.
        headers: Of this one call (protocol 5).
        response_headers: Sent back with the answer (protocol 5).
        level: 1 for a call from outside, one more for each nested call.
        request_id: The same in everything that one call from outside caused.
        parent_id: The id of the context that called.
        caller: Full name of the service that called, or None.
        tracing: The sampling decision, or None while nobody made one.
        timeout_s: How long this call may take; 0 for ever, None not decided yet.
        started_s: When it began, on the broker's monotonic clock; None without a timeout.
        retries: How often it may be tried again; None as the policy says.
        attempts: How often it was tried again.
        stream: The chunks of the request, or None.
        task: In which it is served for another node, or None.
        fallback_response: What answers when the call fails: a value, or a function of context and error.
        fallback_result: Whether the answer is that of a fallback.
        cached_result: Whether the answer was kept from an earlier call.
        span: The innermost span that runs in it, or None; what is called from here is within it.
        locals: For middlewares; never sent.
        event_name: The concrete name of the event.
        event_kind: ``emit``, ``broadcast`` or ``broadcastLocal``.
        event_groups: The groups it is for, or None for all.
    """

    broker: Broker
    params: Any = None
    id: str = msgspec.field(default_factory=new_id)
    request_id: str = ""
    node_id: str = ""
    meta: dict[str, Any] = {}  # of each its own: msgspec sees to that
    headers: dict[str, Any] = {}
    level: int = 1
    parent_id: str | None = None
    caller: str | None = None
    tracing: bool | None = None
    timeout_s: float | None = None
    stream: AsyncIterable[Any] | None = None
    endpoint: ActionEndpoint | EventEndpoint | None = None
    response_headers: dict[str, Any] = {}
    started_s: float | None = None
    retries: int | None = None
    attempts: int = 0
    task: asyncio.Task[Any] | None = None
    fallback_response: Any = ABSENT
    fallback_result: bool = False
    cached_result: bool = False
    span: Span | None = None
    spans: list[Span] | None = None
    locals: dict[str, Any] = {}
    event_name: str | None = None
    event_kind: str | None = None
    event_groups: list[str] | None = None

    @staticmethod
    def fresh(broker: Broker, params: Any, context_id: str | None = None) -> Context:
        """Of something that begins here, as part of nothing else."""
        context_id = context_id or (DRAWN.pop() if DRAWN else new_id())
        return Context(broker, params, context_id, context_id, broker.node_id)

    @property
    def service(self) -> Any:
        """What handles this: the object or `Service` whose function runs; None outside of one."""
        return self.endpoint.service.instance if self.endpoint is not None else None

    @property
    def service_name(self) -> str | None:
        """Full name of the service that handles this, or None outside of one."""
        return self.endpoint.service.full_name if self.endpoint is not None else None

    def child(self, params: Any, meta: Mapping[str, Any] | None) -> Context:
        """A context for something that this one's handler calls or emits."""
        return Context(
            self.broker,
            params,
            new_id(),
            self.request_id,
            self.broker.node_id,
            {**self.meta, **meta} if meta else dict(self.meta),
            {},
            self.level + 1,
            self.id if self.span is None else self.span.id,
            self.service_name,
            self.tracing,
        )

    def copy(self) -> Context:
        """The same with an id of its own: another attempt, or the copy of an event for one receiver."""
        another = copy(self)
        another.id = new_id()
        another.started_s = another.spans = None
        return another

    def start_span(self, name: str, **options: Any) -> Span:
        """Begin a span within the one that runs here; as a context manager it ends with its block.

        Args:
            name: For people.
            options: Of `Tracer.start_span`, such as ``tags``.
        """
        if self.span is None:
            span = self.broker.tracer.start_span(name, ctx=self, **options)
        else:
            span = self.span.start_span(name, ctx=self, **options)
        self.enter_span(span)
        return span

    def enter_span(self, span: Span) -> None:
        """From now on it is the innermost."""
        if self.spans is None:
            self.spans = [span]
        else:
            self.spans.append(span)
        self.span = span

    def finish_span(self, span: Span, at_ns: int | None = None) -> None:
        """End a span that was begun here; what is called from now on is within the one around it.

        Args:
            span: What ends; nothing happens when it has ended.
            at_ns: When, in ns since the epoch; now when left out.
        """
        if span.finished_ns is not None:
            return
        span.finish(at_ns)
        spans = self.spans
        if spans is not None and span in spans:
            spans.remove(span)
            self.span = spans[-1] if spans else None

    def remaining_s(self) -> float | None:
        """What is left of this call's timeout in seconds, below 0 when it is over; None without a timeout."""
        if not self.timeout_s or self.started_s is None:
            return None
        return self.timeout_s - (self.broker.monotonic_s() - self.started_s)

    async def call(
        self,
        action: str,
        params: Any = ABSENT,
        *,
        timeout_s: float | None = None,
        meta: Mapping[str, Any] | None = None,
        headers: Mapping[str, Any] | None = None,
        node_id: str | None = None,
        retries: int | None = None,
        stream: AsyncIterable[Any] | None = None,
        fallback_response: Any = ABSENT,
    ) -> Any:
        """Call another action on behalf of this one; its meta is merged into ours.

        Args:
            action: Full name.
            params: What to give it; ``{}`` when left out.
            timeout_s: At most this long, and never longer than what is left of our own time.
            meta: Added to ours for this call.
            headers: Of this one call (protocol 5).
            node_id: Only this node may serve it.
            retries: Instead of the retry policy's number.
            stream: Chunks to send along.
            fallback_response: The answer when the call fails: a value, or a function of context and error.

        Raises:
            MoleculerError: Whatever the action, or the way to it, said.
        """
        timeout_s = self._allowed_s(action, timeout_s)
        return await self.broker.call(
            action,
            params,
            timeout_s=timeout_s,
            meta=meta,
            headers=headers,
            node_id=node_id,
            retries=retries,
            stream=stream,
            fallback_response=fallback_response,
            parent=self,
        )

    async def mcall(
        self,
        calls: Sequence[Mapping[str, Any]] | Mapping[str, Mapping[str, Any]],
        *,
        settled: bool = False,
        timeout_s: float | None = None,
        **options: Any,
    ) -> Any:
        """Make several calls at once on behalf of this one; arguments as those of the broker's.

        Raises:
            MoleculerError: What the first that failed raised, unless settled.
        """
        each = calls.values() if isinstance(calls, Mapping) else calls
        timeout_s = self._allowed_s(", ".join(str(one.get("action")) for one in each), timeout_s)
        return await self.broker.mcall(calls, settled=settled, timeout_s=timeout_s, parent=self, **options)

    async def emit(self, event: str, data: Any = None, **options: Unpack[EventOptions]) -> None:
        """Emit an event on behalf of this context: one handler of each group gets it."""
        options.setdefault("parent", self)
        await self.broker.emit(event, data, **options)

    async def broadcast(self, event: str, data: Any = None, **options: Unpack[EventOptions]) -> None:
        """Broadcast an event on behalf of this context: every handler gets it."""
        options.setdefault("parent", self)
        await self.broker.broadcast(event, data, **options)

    def chunks(self) -> AsyncIterator[Any]:
        """The chunks of the request stream; none when there is no stream."""
        return aiter(self.stream) if self.stream is not None else _nothing()

    def _allowed_s(self, action: str, timeout_s: float | None) -> float | None:
        """How long a call within this one may take: what it asks for, but no longer than is left of our own time."""
        remaining_s = self.remaining_s()
        if remaining_s is not None:
            if remaining_s <= 0:
                raise RequestSkippedError({"action": action, "nodeID": self.broker.node_id})
            timeout_s = min(timeout_s, remaining_s) if timeout_s else remaining_s
        limit = self.broker.options.max_call_level
        if 0 < limit <= self.level:
            raise MaxCallLevelError({"nodeID": self.broker.node_id, "level": self.level})
        return timeout_s


async def _nothing() -> AsyncIterator[Any]:
    return
    yield  # pragma: no cover - makes it a generator
