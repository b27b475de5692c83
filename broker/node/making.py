"""From a schema to a service: checked, bound to what its functions are methods of, middlewares told and put around."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from functools import partial
from types import MethodType
from typing import TYPE_CHECKING, Any, Final

from broker.node.context import ABSENT, Context
from broker.node.definitions import (
    ActionDefinition,
    EventDefinition,
    Handler,
    LifecycleHandler,
    MethodDefinition,
    ServiceDefinition,
)
from broker.node.endpoints import ActionEndpoint, EventEndpoint
from broker.node.errors import ServiceSchemaError
from broker.node.schema import Schema, with_mixins
from broker.node.service import MOMENTS
from broker.node.service_object import Own, Owned, Service
from broker.node.typed import typed
from broker.protocol.info import full_name_of

if TYPE_CHECKING:
    from broker.node.broker import Broker

_TAKEN: Final = (
    "name", "version", "settings", "metadata", "dependencies", "schema", "broker", "actions", "logger",
    "created", "started", "stopped",
)  # fmt: skip


class Making:
    """The making of one service."""

    def __init__(self, broker: Broker, written: Mapping[str, Any], instance: object = None) -> None:
        """Begin.

        Args:
            broker: Whose service it will be.
            written: Its schema.
            instance: What its functions are methods of; a new `Service` when None.
        """
        self._broker = broker
        self._written = written
        self._self = Service(broker) if instance is None else instance
        self._service = ServiceDefinition("", None, "", instance=self._self)

    def make(self) -> ServiceDefinition:
        """The service.

        Raises:
            ServiceSchemaError: The schema is wrong; says what is.
        """
        schema = with_mixins(self._written)
        for adapt in _listed(schema.get("merged")):
            self._bound(adapt)(schema)
        service = self._service
        self._broker.middlewares.tell("service_creating", service, schema)
        name = schema.get("name")
        if not isinstance(name, str) or not name:
            raise ServiceSchemaError("Service name can't be empty! Maybe it is not a valid Service schema.")
        service.name, service.version = name, schema.get("version")
        service.settings = schema.get("settings") or {}
        service.metadata = schema.get("metadata") or {}
        service.hooks = schema.get("hooks") or {}
        prefixed = service.settings.get("$noVersionPrefix") is not True
        service.full_name = full_name_of(name, service.version if prefixed else None)
        service.dependencies = tuple(_listed(schema.get("dependencies")))
        self._introduce(schema)
        for method_name, method in (schema.get("methods") or {}).items():
            self._add_method(method_name, method)
        actions, events = Owned(), Owned()
        for raw_name, action in (schema.get("actions") or {}).items():
            if action is not False:
                actions[raw_name] = self._own_action(self._add_action(raw_name, action))
        for event_name, event in (schema.get("events") or {}).items():
            events[event_name] = self._own_event(self._add_event(event_name, event))
        self._give("actions", actions)
        self._give("events", events)
        for moment in MOMENTS:
            getattr(service, moment).extend(map(self._of_life, _listed(schema.get(moment))))
        return service

    def _introduce(self, schema: Schema) -> None:
        """Tell what the functions are methods of who it is."""
        if isinstance(self._self, Service):
            service = self._service
            self._self.name, self._self.version, self._self.full_name = service.name, service.version, service.full_name
            self._self.settings, self._self.metadata, self._self.schema = service.settings, service.metadata, schema

    def _give(self, name: str, owned: Owned) -> None:
        """A `Service` has its actions and events; an object of another class has them if it declares that."""
        if isinstance(self._self, Service) or name in inspect.get_annotations(type(self._self)):
            setattr(self._self, name, owned)

    def _bound(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function of a schema gets the service first; what is a method of something already has it."""
        if inspect.ismethod(function):
            return function
        return MethodType(function, self._self)

    def _of_life(self, function: Callable[..., Any]) -> LifecycleHandler:
        """A method of an object is given the broker; a function of a schema finds it in the service."""
        return partial(function, self._broker) if inspect.ismethod(function) else self._bound(function)

    def _add_method(self, name: str, written: Any) -> None:
        where = f"'{name}' method in '{self._service.name}' service!"
        if name in _TAKEN:
            raise ServiceSchemaError(f"Invalid method name '{name}' in '{self._service.name}' service!")
        schema = _definition(written, f"Invalid method definition in {where}", f"Missing method handler on {where}")
        method = MethodDefinition(name, schema)
        handler = self._bound(schema.pop("handler"))
        setattr(self._self, name, self._broker.middlewares.wrap("local_method", handler, self._service, method))

    def _add_action(self, name: str, written: Any) -> ActionDefinition:
        service = self._service
        where = f"'{name}' action in '{service.full_name}' service!"
        schema = _definition(written, f"Invalid action definition in {where}", f"Missing action handler on {where}")
        handler = schema.pop("handler")
        raw_name = schema.pop("name", None) or name
        if "cache" not in schema and "$cache" in service.settings:
            schema["cache"] = service.settings["$cache"]
        full_name = (
            raw_name if service.settings.get("$noServiceNamePrefix") is True else f"{service.full_name}.{raw_name}"
        )
        if callable(fallback := schema.get("fallback")) and not inspect.ismethod(handler):
            schema["fallback"] = self._bound(fallback)
        schema |= {"rawName": raw_name, "name": full_name}
        action = ActionDefinition(full_name, schema, _as_handler(typed(self._bound(handler), schema, where)))
        service.actions[full_name] = action
        return action

    def _add_event(self, name: str, written: Any) -> EventDefinition:
        service = self._service
        where = f"'{name}' event in '{service.full_name}' service!"
        if isinstance(written, list | tuple):
            written = {"handler": written}
        schema = _definition(written, f"Invalid event definition in {where}", f"Missing event handler on {where}")
        handlers = [_as_handler(typed(self._bound(each), schema, where)) for each in _listed(schema.pop("handler"))]
        schema.setdefault("name", name)
        group = str(schema.get("group") or service.name)
        event = EventDefinition(schema["name"], group, schema, handlers[0] if len(handlers) == 1 else _all(handlers))
        service.events[event.name] = event
        return event

    def _own_action(self, action: ActionDefinition) -> Own:
        broker, service = self._broker, self._service
        assert action.handler is not None  # noqa: S101 - ours always have one
        handler = broker.middlewares.wrap_action("local_action", action.handler, service, action)
        endpoint = ActionEndpoint(broker.registry.local, service, action, handler)

        async def own(params: Any = ABSENT, **options: Any) -> Any:
            return await broker.call(endpoint, params, **options)

        return own

    def _own_event(self, event: EventDefinition) -> Own:
        broker, service = self._broker, self._service
        assert event.handler is not None  # noqa: S101 - ours always have one
        handler = event.handler

        async def own(data: Any = None) -> None:
            ctx = Context.fresh(broker, data)
            ctx.endpoint = EventEndpoint(broker.registry.local, service, event, handler)
            ctx.event_name, ctx.event_kind, ctx.event_groups = event.name, "emit", [event.group]
            await handler(ctx)

        return own


def _definition(written: Any, invalid: str, missing: str) -> Schema:
    """A definition as a schema with its ``handler``."""
    if callable(written):
        return {"handler": written}
    if not isinstance(written, Mapping):
        raise ServiceSchemaError(invalid)
    handler = written.get("handler")
    if not (callable(handler) or (isinstance(handler, list | tuple) and handler and all(map(callable, handler)))):
        raise ServiceSchemaError(missing)
    return dict(written)


def _as_handler(method: Callable[[Context], Any]) -> Handler:
    """The method as a coroutine function; a plain one may return a value, an awaitable or an async iterator."""
    if inspect.iscoroutinefunction(method):
        return method

    async def handler(ctx: Context) -> Any:
        result = method(ctx)
        return await result if inspect.isawaitable(result) else result

    return handler


def _all(handlers: list[Handler]) -> Handler:
    """Several handlers of one event, side by side."""

    async def handler(ctx: Context) -> list[Any]:
        return list(await asyncio.gather(*(each(ctx) for each in handlers)))

    return handler


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
