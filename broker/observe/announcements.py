"""What a node says of itself, in an INFO packet, a discoverer key or a catalogue; read without trust."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from broker.observe.names import whole
from broker.protocol.info import identity_of
from broker.protocol.loose import as_label, as_list, as_object

Definitions = dict[str, dict[str, Any]]

_VERSION_PREFIX: Final = re.compile(r"v(\d+)\.(.+)", re.DOTALL)
_MOST_SERVICES: Final = 5_000
_DEEPEST: Final = 40


@dataclass(frozen=True, slots=True)
class Offer:
    """One service as one node offers it.

    Attributes:
        full_name: As "v2.orders".
        name: As "orders".
        version: As the node gives it: a number, a text or None.
        settings, metadata: As the node gives them.
        actions, events: Definitions by full name of the action, by name of the event.
        supposed: Nobody declared it; it was taken from the names of actions.
    """

    full_name: str
    name: str
    version: int | float | str | None
    settings: dict[str, Any]
    metadata: dict[str, Any]
    actions: Definitions
    events: Definitions
    supposed: bool = False

    def on_node(self) -> dict[str, Definitions]:
        """What stands under a node's id in a service's state."""
        return {"actions": self.actions, "events": self.events}


@dataclass(frozen=True, slots=True)
class Announcement:
    """A node as it describes itself."""

    node_id: str
    protocol: str = ""
    client: dict[str, str] = field(default_factory=dict)
    hostname: str = ""
    ips: tuple[str, ...] = ()
    instance_id: str = ""
    seq: int = 0
    metadata: dict[str, Any] = field(default_factory=dict)
    offers: tuple[Offer, ...] = ()


def read_announcement(payload: object) -> Announcement | str:
    """What an INFO packet's payload says; a text if it says nothing that can be used, and why."""
    if not isinstance(payload, Mapping):
        return f"INFO is {type(payload).__name__}, expected an object"
    wire: dict[str, Any] = plain(payload)
    sender = wire.get("sender")
    if not isinstance(sender, str) or not sender:
        return f"field 'sender' is {type(sender).__name__}, expected text"
    client = as_object(wire.get("client"))
    offers = {offer.full_name: offer for offer in map(_offer, as_list(wire.get("services"))[:_MOST_SERVICES]) if offer}
    return Announcement(
        node_id=sender,
        protocol=as_label(wire.get("ver")),
        client={
            "type": as_label(client.get("type")),
            "version": as_label(client.get("version")),
            "lang_version": as_label(client.get("langVersion")),
        },
        hostname=as_label(wire.get("hostname")),
        ips=tuple(ip for ip in as_list(wire.get("ipList")) if isinstance(ip, str)),
        instance_id=as_label(wire.get("instanceID")),
        seq=_count(wire.get("seq")),
        metadata=as_object(wire.get("metadata")),
        offers=tuple(offers.values()),
    )


def _offer(service: object) -> Offer | None:
    """One element of INFO's services; None without a name."""
    identity = identity_of(service)
    if identity is None:
        return None
    fields = as_object(service)
    return Offer(
        *identity,
        settings=as_object(fields.get("settings")),
        metadata=as_object(fields.get("metadata")),
        actions=_definitions(fields.get("actions")),
        events=_definitions(fields.get("events")),
    )


def supposed_offer(full_name: str, actions: Definitions) -> Offer:
    """A service that nobody declared, as its actions' names tell of it."""
    match = _VERSION_PREFIX.fullmatch(full_name)
    name, version = (match[2], int(match[1][:9])) if match else (full_name, None)
    return Offer(full_name, name, version, {}, {}, actions, {}, supposed=True)


def supposed_service(action: str) -> str:
    """The service that an action's name suggests: all before its last dot."""
    return action.rpartition(".")[0] or action


def _definitions(value: object) -> Definitions:
    """Definitions by name; an entry that is no object is an empty one."""
    return {name: as_object(definition) for name, definition in as_object(value).items()}


def plain(value: object, depth: int = 0) -> Any:
    """A value as data that every serializer takes: whole texts, numbers of 64 bits, no deeper than 40 levels."""
    if isinstance(value, str):
        return whole(value)
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else float(value) if abs(value) < 2**1000 else "(huge)"
    if depth < _DEEPEST and isinstance(value, Mapping):
        return {_key(key): plain(item, depth + 1) for key, item in value.items()}
    if depth < _DEEPEST and isinstance(value, list | tuple):
        return [plain(item, depth + 1) for item in value]
    return f"({type(value).__name__})"


def _key(key: object) -> str:
    return str(plain(key))


def _count(value: object) -> int:
    """A whole number from 0; 0 for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 2**53 else 0


def cpu_percent(value: object) -> float | None:
    """HEARTBEAT's cpu, in percent of the host; None if it is unknown."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= 100 else None
