"""What a node offers, as plain definitions: our own services' and, from INFO, everybody else's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from broker.node.published import published
from broker.protocol import info
from broker.protocol.info import read_service

if TYPE_CHECKING:
    from broker.node.context import Context

LifecycleHandler = Callable[[], Any]
"""``created``, ``started`` or ``stopped`` of a service; what they give back may be awaited."""

Handler = Callable[["Context"], Awaitable[Any]]
"""What serves an action or an event, all middlewares around it."""


@dataclass(slots=True, eq=False)
class ActionDefinition:
    """One action.

    Attributes:
        name: Its full name, such as ``v2.orders.get``.
        schema: All that its author said of it, under MoleculerJS's names; of others' what INFO says.
        handler: What runs it here; None when it is somebody else's.
        direct: What serves calls that bring no option of their own, where no middleware minds; else None.
    """

    name: str
    schema: dict[str, Any]
    handler: Handler | None = None
    direct: Handler | None = None

    def said(self, key: str) -> Any:
        """What its author said under a key, as it was said; None when nothing was."""
        return self.schema.get(key)

    @property
    def timeout_s(self) -> float | None:
        """Its own timeout in seconds, or None."""
        timeout = self.schema.get("timeout")
        if isinstance(timeout, int | float) and not isinstance(timeout, bool):
            return timeout / 1000
        return None

    @property
    def visibility(self) -> str:
        """``published``, ``public``, ``protected`` or ``private``."""
        return str(self.schema.get("visibility") or "published")

    @property
    def is_listed(self) -> bool:
        """Whether others are told of it."""
        return self.visibility != "private" and not self.schema.get("protected")


@dataclass(slots=True, eq=False)
class EventDefinition:
    """One subscription of a service.

    Attributes:
        name: Its event name or pattern.
        group: Its group.
        schema: All that its author said of it, under MoleculerJS's names; of others' what INFO says.
        handler: What runs it here; None when it is somebody else's.
    """

    name: str
    group: str
    schema: dict[str, Any]
    handler: Handler | None = None

    def said(self, key: str) -> Any:
        """What its author said under a key, as it was said; None when nothing was."""
        return self.schema.get(key)


@dataclass(slots=True, eq=False)
class MethodDefinition:
    """One method of a service that was written as a schema.

    Attributes:
        name: Under which the service has it.
        schema: All that its author said of it.
    """

    name: str
    schema: dict[str, Any]


@dataclass(slots=True, eq=False)
class ServiceDefinition:
    """One service on one node. What follows ``dependencies`` is only there for our own.

    Attributes:
        name: Without its version.
        version: A number, a text or None.
        full_name: With its version, as actions and callers are named.
        settings: Ours with what is secret; others' as INFO said them.
        dependencies: Services that must be there before it starts, as ``wait_for_services`` takes them.
        instance: What its handlers are methods of.
        hooks: Kind (``before``, ``after``, ``error``) to pattern to what runs.
        created: Called when it is made.
        started: Called when it starts, one after the other.
        stopped: Called when it stops, the last first.
        running: Its handlers that run now.
    """

    name: str
    version: int | float | str | None
    full_name: str
    settings: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    actions: dict[str, ActionDefinition] = field(default_factory=dict)
    events: dict[str, EventDefinition] = field(default_factory=dict)
    dependencies: tuple[Any, ...] = ()
    instance: object = None
    hooks: dict[str, dict[str, Any]] = field(default_factory=dict)
    created: list[LifecycleHandler] = field(default_factory=list)
    started: list[LifecycleHandler] = field(default_factory=list)
    stopped: list[LifecycleHandler] = field(default_factory=list)
    running: set[asyncio.Task[Any]] = field(default_factory=set)

    def to_wire(self) -> dict[str, Any]:
        """As INFO lists it."""
        wire: dict[str, Any] = {"name": self.name}
        if self.version is not None:
            wire["version"] = self.version
        return wire | {
            "fullName": self.full_name,
            "settings": published(_public(self.settings)),
            "metadata": published(self.metadata),
            "actions": {name: published(action.schema) for name, action in self.actions.items() if action.is_listed},
            "events": {name: published(event.schema) for name, event in self.events.items()},
        }


def _public(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings without those that ``$secureSettings`` names."""
    secret = settings.get("$secureSettings")
    if not isinstance(secret, list | tuple):
        return dict(settings)
    return {key: value for key, value in settings.items() if key not in secret and key != "$secureSettings"}


def read_services(wire: object) -> list[ServiceDefinition]:
    """The services that an INFO lists. Never raises: what is no service is left out."""
    declared = wire if isinstance(wire, list) else []
    return [_as_remote(service) for service in map(read_service, declared) if service is not None]


def _as_remote(declared: info.ServiceDefinition) -> ServiceDefinition:
    """Somebody else's service: nothing of it has a handler here."""
    return ServiceDefinition(
        name=declared.name,
        version=declared.version,
        full_name=declared.full_name,
        settings=dict(declared.settings),
        metadata=dict(declared.metadata),
        actions={each.full_name: ActionDefinition(each.full_name, dict(each.definition)) for each in declared.actions},
        events={each.name: EventDefinition(each.name, each.group, dict(each.definition)) for each in declared.events},
    )


def mapping(value: object) -> dict[str, Any]:
    """A copy of what the wire says is an object; an empty one when it is none."""
    if type(value) is dict:  # what decoders give; asking whether it is a Mapping takes ten times as long
        return value.copy()
    return dict(value) if isinstance(value, Mapping) else {}
