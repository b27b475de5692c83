"""What an INFO packet declares, as definitions (protocol, section 3.3). Tolerant: nothing raises.

INFO is lossy: functions vanish, a regular expression becomes ``{}``, an
object referenced twice appears once. Absence is no proof of absence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from broker.protocol.loose import as_label, as_list, as_object, as_text
from broker.protocol.packets import Info

VISIBILITIES: Final = ("published", "public", "protected", "private")


@dataclass(frozen=True, slots=True)
class ActionDefinition:
    """An action as its node declares it.

    Attributes:
        full_name: As "v2.orders.get".
        raw_name: As "get".
        params: The parameter schema; None without one. Not always of the kind that Moleculer ships.
        visibility: One of VISIBILITIES. "protected" is a promise of callers, not of the node.
        is_cached: Whether answers may come from a cache.
        cache_keys: By which parameters; empty for all of them.
        cache_ttl_s: How long they are kept; None for the cacher's own rule.
        timeout_s: Its own timeout; None for the broker's.
        has_breaker, has_retries, has_bulkhead: Whether it overrides the broker's options so.
        description: For people; empty without one.
        is_deprecated: Whether it says so.
        definition: All that was declared, as plain data.
    """

    full_name: str
    raw_name: str
    params: Any = None
    visibility: str = "published"
    is_cached: bool = False
    cache_keys: tuple[str, ...] = ()
    cache_ttl_s: float | None = None
    timeout_s: float | None = None
    has_breaker: bool = False
    has_retries: bool = False
    has_bulkhead: bool = False
    description: str = ""
    is_deprecated: bool = False
    definition: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class EventDefinition:
    """An event that a service listens to.

    Attributes:
        name: May hold the wildcards ``?``, ``*`` and ``**``.
        group: Who shares it; the service's unversioned name where it says nothing.
        params: The schema of its payload; None without one.
        definition: All that was declared.
    """

    name: str
    group: str
    params: Any = None
    definition: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class ServiceDefinition:
    """A service as a node declares it.

    Attributes:
        full_name: As "v2.orders".
        name: As "orders".
        version: A number, a text, or None.
        settings, metadata: As declared.
        actions, events: In the order in which they were declared.
    """

    full_name: str
    name: str
    version: int | float | str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    actions: tuple[ActionDefinition, ...] = ()
    events: tuple[EventDefinition, ...] = ()


def services_of(info: Info) -> list[ServiceDefinition]:
    """The services that an INFO packet declares; entries that are no services are left out."""
    declared = info.services if isinstance(info.services, list) else []
    return [service for service in map(read_service, declared) if service is not None]


class ServiceIdentity(NamedTuple):
    """What a service is called.

    Attributes:
        full_name: As "v2.orders".
        name: As "orders".
        version: A number, a text, or None.
    """

    full_name: str
    name: str
    version: int | float | str | None


def identity_of(declared: object) -> ServiceIdentity | None:
    """What one element of INFO's services is called; None if it has no name."""
    fields = as_object(declared)
    name = as_label(fields.get("name"))
    version = fields.get("version")
    if isinstance(version, bool) or not isinstance(version, int | float | str):
        version = None
    full_name = as_label(fields.get("fullName")) or full_name_of(name, version)
    return ServiceIdentity(full_name, name or full_name, version) if full_name else None


def read_service(declared: object) -> ServiceDefinition | None:
    """One element of INFO's services; None if it has no name."""
    identity = identity_of(declared)
    if identity is None:
        return None
    fields = as_object(declared)
    group = as_label(fields.get("name"))
    return ServiceDefinition(
        *identity,
        settings=as_object(fields.get("settings")),
        metadata=as_object(fields.get("metadata")),
        actions=tuple(read_action(str(key), value) for key, value in as_object(fields.get("actions")).items()),
        events=tuple(
            read_event_definition(str(key), value, group=group)
            for key, value in as_object(fields.get("events")).items()
        ),
    )


def full_name_of(name: str, version: int | float | str | None) -> str:
    """ "v2.posts" for version 2, "beta.posts" for version "beta", "posts" without one."""
    if version is None or not name:
        return name
    return f"{version}.{name}" if isinstance(version, str) else f"v{version}.{name}"


def read_action(full_name: str, declared: object) -> ActionDefinition:
    """An action, by the name under which it was declared."""
    fields = as_object(declared)
    visibility = fields.get("visibility")
    cache = fields.get("cache")
    options = as_object(cache)
    return ActionDefinition(
        full_name=full_name,
        raw_name=as_text(fields.get("rawName")) or full_name.rpartition(".")[2],
        params=fields.get("params"),
        visibility=visibility if isinstance(visibility, str) and visibility in VISIBILITIES else "published",
        is_cached=options.get("enabled") is not False if isinstance(cache, dict) else cache is True,
        cache_keys=tuple(key for key in as_list(options.get("keys")) if isinstance(key, str)),
        cache_ttl_s=_number(options.get("ttl")),
        timeout_s=None if (timeout_ms := _number(fields.get("timeout"))) is None else timeout_ms / 1000,
        has_breaker=_is_on(fields.get("circuitBreaker")),
        has_retries=_is_on(fields.get("retryPolicy")),
        has_bulkhead=_is_on(fields.get("bulkhead")),
        description=as_text(fields.get("description")),
        is_deprecated=fields.get("deprecated") not in (None, False),
        definition=fields,
    )


def read_event_definition(name: str, declared: object, group: str = "") -> EventDefinition:
    """An event, by the name under which it was declared; `group` is its service's name."""
    fields = as_object(declared)
    return EventDefinition(
        name=as_text(fields.get("name")) or name,
        group=as_text(fields.get("group")) or group,
        params=fields.get("params"),
        definition=fields,
    )


def _is_on(option: object) -> bool:
    return isinstance(option, dict) and option.get("enabled") is True


def _number(value: object) -> float | None:
    """A duration as a number above 0; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e12:
        return None
    return float(value)
