"""How a service is written: the decorators, and what they make of a class."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, fields
from typing import Any, Final, TypeVar

from broker.node.caching.options import CacheOptions
from broker.node.errors import ServiceSchemaError
from broker.node.middleware.fallback import FallbackFunction
from broker.node.options import BulkheadPolicy, CircuitBreakerPolicy, RetryPolicy

_C = TypeVar("_C", bound=type)
_F = TypeVar("_F", bound=Callable[..., Any])

_SERVICE: Final = "__moleculer_service__"
_ACTION: Final = "__moleculer_action__"
_EVENT: Final = "__moleculer_event__"

MOMENTS: Final = ("created", "started", "stopped")
"""Of a service's life."""


@dataclass(frozen=True, slots=True)
class _ServiceMark:
    name: str
    version: int | float | str | None = None
    dependencies: tuple[str | Mapping[str, Any], ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    hooks: dict[str, Any] = field(default_factory=dict)
    mixins: tuple[Mapping[str, Any], ...] = ()

    def to_schema(self) -> dict[str, Any]:
        """As a schema; nothing in it is shared with another service of the class."""
        schema = {each.name: deepcopy(getattr(self, each.name)) for each in fields(self) if each.name != "mixins"}
        return schema | {"mixins": list(self.mixins), "dependencies": list(self.dependencies)}


def service(
    name: str,
    *,
    version: int | float | str | None = None,
    dependencies: Sequence[str | Mapping[str, Any]] = (),
    settings: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    hooks: Mapping[str, Mapping[str, Any]] | None = None,
    mixins: Sequence[Mapping[str, Any]] = (),
) -> Callable[[_C], _C]:
    """Make a class a service.

    Its methods ``created``, ``started`` and ``stopped`` are called with the broker. If it annotates an
    attribute ``actions``, that holds its own actions, private ones too: ``await self.actions.find(params)``.

    Args:
        name: Its name; actions are called ``name.action``, ``v2.name.action`` with version 2.
        version: A number (``v2.``) or a text (``beta.``).
        dependencies: Services that must be there before ``started`` runs: full names, or
            ``{"name": …, "version": …}`` where several versions in a list mean any of them.
        settings: Published in INFO, but for the keys that ``$secureSettings`` lists.
        metadata: Published in INFO.
        hooks: ``before``, ``after`` and ``error``, each with patterns of action names (``*`` for all, ``a|b``
            for several) and what runs: a method's name, a function ``(self, ctx, …)``, or a list of them.
        mixins: Schemas that it is completed by; base classes do the same for what is written as methods.
    """
    mark = _ServiceMark(
        name, version, tuple(dependencies), dict(settings or {}), dict(metadata or {}), dict(hooks or {}), tuple(mixins)
    )

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
    hooks: Mapping[str, Any] | None = None,
    strategy: str | None = None,
    strategy_options: Mapping[str, Any] | None = None,
    **more: object,
) -> Callable[[_F], _F]:
    """Make a method an action.

    Args:
        name: Its name within the service; the method's when left out.
        params: A fastest-validator schema, checked and published in INFO; parameters with types serve instead.
        timeout_s: After how many seconds a call of it is given up.
        cache: Whether, or under which ``keys`` and for how long (``ttl_s``), its results may be kept.
        visibility: ``published``, ``public``, ``protected`` (this node only) or ``private`` (not listed).
        retry: Instead of the broker's policy.
        circuit_breaker: Instead of the broker's policy.
        bulkhead: Instead of the broker's policy.
        fallback: Answers when the action fails: a method's name, or a function, called with context and error.
        hooks: ``before``, ``after`` and ``error``: a method's name, a function ``(self, ctx, …)``, or a list of them.
        strategy: Of balancing, instead of the broker's; callers of other nodes follow it too.
        strategy_options: Of the strategy, as MoleculerJS names them.
        more: Anything else that INFO shall say: ``rest``, ``description``, …
    """
    schema: dict[str, Any] = {}
    if params is not None:
        schema["params"] = params
    schema.update(more)
    if cache is not None:
        schema["cache"] = cache if isinstance(cache, bool) else CacheOptions.of(cache)
    if visibility is not None:
        schema["visibility"] = visibility
    if timeout_s is not None:
        schema["timeout"] = timeout_s * 1000
    given = {
        "retryPolicy": retry,
        "circuitBreaker": circuit_breaker,
        "bulkhead": bulkhead,
        "fallback": fallback,
        "hooks": hooks,
        "strategy": strategy,
        "strategyOptions": strategy_options,
    }
    schema.update((key, value) for key, value in given.items() if value is not None)
    return _marking(_ACTION, (name, schema))


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
        params: A fastest-validator schema of its data, checked and published in INFO; as for actions.
        bulkhead: Instead of the broker's policy.
        more: Anything else that INFO shall say.
    """
    schema: dict[str, Any] = dict(more)
    if group is not None:
        schema["group"] = group
    if params is not None:
        schema["params"] = params
    if bulkhead is not None:
        schema["bulkhead"] = bulkhead
    return _marking(_EVENT, (name, schema))


def schema_of(instance: object) -> dict[str, Any]:
    """What a service object offers, as a schema whose functions are its methods.

    Raises:
        ServiceSchemaError: Its class is no service.
    """
    mark = getattr(instance, _SERVICE, None)
    if not isinstance(mark, _ServiceMark):
        raise ServiceSchemaError(f"{type(instance).__name__} is no service: decorate its class with @service(name)")
    actions: dict[str, Any] = {}
    events: dict[str, Any] = {}
    for attribute, member in inspect.getmembers(type(instance), callable):
        if (found := getattr(member, _ACTION, None)) is not None:
            actions[found[0] or attribute] = {**found[1], "handler": getattr(instance, attribute)}
        if (found := getattr(member, _EVENT, None)) is not None:
            events[found[0]] = {**found[1], "handler": getattr(instance, attribute)}
    moments = {moment: getattr(instance, moment) for moment in MOMENTS if hasattr(instance, moment)}
    return mark.to_schema() | {"actions": actions, "events": events} | moments


def _marking(key: str, mark: object) -> Callable[[_F], _F]:
    def decorate(method: _F) -> _F:
        setattr(method, key, mark)
        return method

    return decorate
