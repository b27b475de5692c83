"""How a service is written: the decorators, and what they make of a class."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from broker.node.caching.options import CacheOptions
from broker.node.context import Context
from broker.node.definitions import ActionDefinition, EventDefinition, Handler, ServiceDefinition
from broker.node.errors import ServiceSchemaError
from broker.node.middleware.fallback import FallbackFunction
from broker.node.options import BulkheadPolicy, CircuitBreakerPolicy, RetryPolicy
from broker.protocol.info import full_name_of

_C = TypeVar("_C", bound=type)
_F = TypeVar("_F", bound=Callable[..., Any])

_SERVICE: Final = "__moleculer_service__"
_ACTION: Final = "__moleculer_action__"
_EVENT: Final = "__moleculer_event__"


@dataclass(frozen=True, slots=True)
class _ServiceMark:
    name: str
    version: int | float | str | None = None
    dependencies: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)


def service(
    name: str,
    *,
    version: int | float | str | None = None,
    dependencies: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Callable[[_C], _C]:
    """Make a class a service.

    Args:
        name: Its name; actions are called ``name.action``, ``v2.name.action`` with version 2.
        version: A number (``v2.``) or a text (``beta.``).
        dependencies: Full names of services that must be there before ``started`` runs.
        settings: Published in INFO, but for the keys that ``$secureSettings`` lists.
        metadata: Published in INFO.
    """
    mark = _ServiceMark(name, version, tuple(dependencies), dict(settings or {}), dict(metadata or {}))

    def decorate(cls: _C) -> _C:
        setattr(cls, _SERVICE, mark)
        return cls

    return decorate


def action(
    name: str | None = None,
    *,
    params: object = None,
    timeout_s: float | None = None,
    cache: bool | CacheOptions | Mapping[str, Any] | None = None,
    visibility: str | None = None,
    retry: RetryPolicy | None = None,
    circuit_breaker: CircuitBreakerPolicy | None = None,
    bulkhead: BulkheadPolicy | None = None,
    fallback: str | FallbackFunction | None = None,
    **more: object,
) -> Callable[[_F], _F]:
    """Make a method an action.

    Args:
        name: Its name within the service; the method's when left out.
        params: A fastest-validator schema, published in INFO.
        timeout_s: After how many seconds a call of it is given up.
        cache: Whether, or under which ``keys`` and for how long (``ttl_s``), its results may be kept.
        visibility: ``published``, ``public``, ``protected`` (this node only) or ``private`` (not listed).
        retry: Instead of the broker's policy.
        circuit_breaker: Instead of the broker's policy.
        bulkhead: Instead of the broker's policy.
        fallback: Answers when the action fails: a method's name, or a function, called with context and error.
        more: Anything else that INFO shall say: ``rest``, ``description``, …
    """
    schema: dict[str, Any] = {}
    own: dict[str, Any] = {}
    if params is not None:
        schema["params"] = params
    schema.update(more)
    if isinstance(cache, bool):
        schema["cache"] = cache
    elif cache is not None:
        own["cache"] = CacheOptions.of(cache)
        schema["cache"] = own["cache"].to_wire()
    if visibility is not None:
        schema["visibility"] = visibility
    if timeout_s is not None:
        schema["timeout"] = timeout_s * 1000
    policies = {"retryPolicy": retry, "circuitBreaker": circuit_breaker, "bulkhead": bulkhead}
    for key, policy in policies.items():
        if policy is not None:
            own[key], schema[key] = policy, policy.to_wire()
    if fallback is not None:
        own["fallback"] = fallback
        if isinstance(fallback, str):
            schema["fallback"] = fallback
    return _marking(_ACTION, (name, schema, own))


def event(
    name: str,
    *,
    group: str | None = None,
    params: object = None,
    bulkhead: BulkheadPolicy | None = None,
    **more: object,
) -> Callable[[_F], _F]:
    """Make a method the handler of an event.

    Args:
        name: The event, or a pattern with ``?``, ``*`` and ``**``.
        group: Among all nodes' handlers of a group an emitted event reaches one; the service's name when left out.
        params: A fastest-validator schema of its data, published in INFO.
        bulkhead: Instead of the broker's policy.
        more: Anything else that INFO shall say.
    """
    schema: dict[str, Any] = dict(more)
    if group is not None:
        schema["group"] = group
    if params is not None:
        schema["params"] = params
    if bulkhead is not None:
        schema["bulkhead"] = bulkhead.to_wire()
    return _marking(_EVENT, (name, schema))


def define(instance: object) -> ServiceDefinition:
    """What a service object offers.

    Raises:
        ServiceSchemaError: Its class is no service.
    """
    mark = getattr(instance, _SERVICE, None)
    if not isinstance(mark, _ServiceMark):
        raise ServiceSchemaError(f"{type(instance).__name__} is no service: decorate its class with @service(name)")
    definition = ServiceDefinition(
        name=mark.name,
        version=mark.version,
        full_name=mark.name if mark.settings.get("$noVersionPrefix") else full_name_of(mark.name, mark.version),
        settings=mark.settings,
        metadata=mark.metadata,
        dependencies=mark.dependencies,
        instance=instance,
    )
    for moment in ("created", "started", "stopped"):
        if (handler := getattr(instance, moment, None)) is not None:
            getattr(definition, moment).append(handler)
    prefix = "" if mark.settings.get("$noServiceNamePrefix") else f"{definition.full_name}."
    for attribute, member in inspect.getmembers(type(instance), callable):
        if (found := getattr(member, _ACTION, None)) is not None:
            raw_name = found[0] or attribute
            full_name = prefix + raw_name
            schema = {**found[1], "rawName": raw_name, "name": full_name}
            definition.actions[full_name] = ActionDefinition(
                full_name, schema, _as_handler(getattr(instance, attribute)), found[2]
            )
        if (found := getattr(member, _EVENT, None)) is not None:
            name, schema = found[0], {**found[1], "name": found[0]}
            definition.events[name] = EventDefinition(
                name, str(schema.get("group") or mark.name), schema, _as_handler(getattr(instance, attribute))
            )
    return definition


def _marking(key: str, mark: object) -> Callable[[_F], _F]:
    def decorate(method: _F) -> _F:
        setattr(method, key, mark)
        return method

    return decorate


def _as_handler(method: Callable[[Context], Any]) -> Handler:
    """The method as a coroutine function; a plain one may return a value, an awaitable or an async iterator."""
    if inspect.iscoroutinefunction(method):
        return method

    async def handler(ctx: Context) -> Any:
        result = method(ctx)
        return await result if inspect.isawaitable(result) else result

    return handler
