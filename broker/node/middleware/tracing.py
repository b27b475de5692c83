"""Makes a span of every action and, where wanted, of every event handler that runs here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from broker.node.context import Context
from broker.node.definitions import ActionDefinition, EventDefinition, Handler, ServiceDefinition
from broker.node.fields import milliseconds
from broker.node.middleware.base import Middleware
from broker.node.timers import Repeating
from broker.node.tracing.span import Span, SpanType
from broker.node.tracing.tags import Captured

if TYPE_CHECKING:
    from broker.node.broker import Broker
    from broker.node.settings import BrokerOptions


class Tracing(Middleware):
    """By the broker's options, overlaid with the action's or event's ``tracing``."""

    @classmethod
    def is_wanted(cls, options: BrokerOptions) -> bool:
        """Only where tracing is on."""
        return options.tracing.enabled

    def created(self, broker: Broker) -> None:
        """Let exporters know whose spans they get."""
        self._node_id = broker.node_id
        self._tracer = broker.tracer
        self._options = options = broker.options.tracing
        for exporter in options.exporters:
            exporter.begin(broker)
        self._repeating = [
            Repeating(broker.timers, exporter.interval_s, exporter.flush)
            for exporter in options.exporters
            if exporter.interval_s > 0
        ]

    async def starting(self, broker: Broker) -> None:
        """Begin to tell."""
        for repeating in self._repeating:
            repeating.start()

    async def stopping(self, broker: Broker) -> None:
        """What waits is told while we can."""
        for exporter in self._options.exporters:
            exporter.flush()

    async def stopped(self, broker: Broker) -> None:
        """Nobody is told anything any more."""
        for repeating in self._repeating:
            repeating.stop()
        for exporter in self._options.exporters:
            await exporter.stop()

    def local_action(self, call: Handler, service: ServiceDefinition, action: ActionDefinition) -> Handler:
        """A span whose id is the context's, and so the request's."""
        own = _Own(action.said("tracing"))
        if not (self._options.actions and own.enabled):
            return call
        captured = Captured(own.tags, self._options.action_tags, is_safe=own.is_safe)
        default_name, about_service = f"action '{action.name}'", _about(service)
        about_action = {"name": action.name, "rawName": action.said("rawName")}
        node_id = self._node_id

        async def handler(ctx: Context) -> Any:
            is_remote = ctx.node_id != node_id
            tags = {
                "callingLevel": ctx.level,
                "action": about_action,
                "remoteCall": is_remote,
                "callerNodeID": ctx.node_id,
                "nodeID": node_id,
                "options": _call_options(ctx, is_remote),
                "requestID": ctx.request_id,
            }
            name = own.name_for(ctx, default_name) if own.has_name else default_name
            span = self._begin(ctx, name, "action", about_service, captured, tags)
            try:
                result = await call(ctx)
            except BaseException as error:  # also that it was given up
                span.set_error(error)
                raise
            else:
                span.tags["fromCache"] = ctx.cached_result
                if captured.says_more_at_end:
                    span.tags.update(captured.at_end(ctx, result))
                return result
            finally:
                ctx.finish_span(span)

        return handler

    def local_event(self, call: Handler, service: ServiceDefinition, event: EventDefinition) -> Handler:
        """A span for each handler that gets the event."""
        own = _Own(event.said("tracing"))
        if not (self._options.events and own.enabled):
            return call
        captured = Captured(own.tags, self._options.event_tags, is_safe=own.is_safe)
        about_service = _about(service)
        about_event = {"name": event.name, **({"group": event.group} if event.said("group") else {})}
        node_id = self._node_id

        async def handler(ctx: Context) -> Any:
            tags = {
                "event": about_event,
                "eventName": ctx.event_name,
                "eventType": ctx.event_kind,
                "callerNodeID": ctx.node_id,
                "callingLevel": ctx.level,
                "remoteCall": ctx.node_id != node_id,
                "nodeID": node_id,
                "requestID": ctx.request_id,
            }
            name = own.name_for(ctx, f"event '{ctx.event_name}' in '{service.full_name}'")
            span = self._begin(ctx, name, "event", about_service, captured, tags)
            try:
                return await call(ctx)
            except BaseException as error:  # also that it was given up
                span.set_error(error)
                raise
            finally:
                ctx.finish_span(span)

        return handler

    def _begin(
        self,
        ctx: Context,
        name: str,
        kind: SpanType,
        service: Mapping[str, Any],
        captured: Captured,
        tags: dict[str, Any],
    ) -> Span:
        """The span of a whole handling: its id is the context's, and its sampling the context's from now on."""
        tracer = self._tracer
        if tracer.default_tags:
            tags = {**tracer.default_tags, **tags}
        tags = captured.at_start(ctx, tags)
        span = Span(tracer, name, ctx.id, kind, ctx.request_id, ctx.parent_id, service, 5, ctx.tracing, tags)
        tracer.span_started(span)
        ctx.enter_span(span)
        ctx.tracing = span.sampled
        return span


class _Own:
    """What an action or event says of its tracing: a flag, or ``enabled``, ``tags``, ``safetyTags``, ``spanName``."""

    def __init__(self, said: Any) -> None:
        options = said if isinstance(said, Mapping) else {}
        self.enabled = bool(options.get("enabled", True)) if said is not False else False
        self.tags = options.get("tags")
        self.is_safe = bool(options.get("safetyTags"))
        self._name = options.get("spanName")
        self.has_name = bool(self._name)

    def name_for(self, ctx: Context, default: str) -> str:
        """The span's name."""
        if isinstance(self._name, str) and self._name:
            return self._name
        return str(self._name(ctx)) if callable(self._name) else default


def _about(service: ServiceDefinition) -> dict[str, Any]:
    version = {} if service.version is None else {"version": service.version}
    return {"name": service.name, **version, "fullName": service.full_name}


def _call_options(ctx: Context, is_remote: bool) -> dict[str, Any]:
    """What is not known is null for a call from another node, and missing for one from here, as in MoleculerJS."""
    if not is_remote and ctx.timeout_s is None and ctx.retries is None:
        return {}
    timeout = None if ctx.timeout_s is None else milliseconds(ctx.timeout_s)
    known = {"timeout": timeout, "retries": ctx.retries}
    return known if is_remote else {name: value for name, value in known.items() if value is not None}
