"""Packets: everything that nodes say to each other (protocol, section 3).

Fields are what came over the wire, checked only where the field is what the
packet is about (an id, an action, a sender). ``ver`` is "4" for 0.14 and "5"
for 0.15; both speak in one mesh.
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec


class _Packet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """What all packets have.

    Attributes:
        ver: Protocol version, a text.
        sender: Node id of who sent it.
    """

    COMMAND: ClassVar[str] = ""
    WIRE_NAMES: ClassVar[dict[str, str]] = {}
    """Names on the wire, where they are not the attribute's."""
    TEXTS: ClassVar[tuple[str, ...]] = ("sender",)
    """Attributes that must hold a text that is not empty."""
    LEFT_OUT: ClassVar[tuple[str, ...]] = ()
    """Attributes that are not sent when they are None."""
    SINCE_5: ClassVar[tuple[str, ...]] = ()
    """Attributes that protocol 4 does not have."""

    ver: str
    sender: str


class Discover(_Packet, frozen=True, kw_only=True):
    """Who is there? Answered by INFO to the sender."""

    COMMAND = "DISCOVER"


class Disconnect(_Packet, frozen=True, kw_only=True):
    """The sender leaves."""

    COMMAND = "DISCONNECT"


class Heartbeat(_Packet, frozen=True, kw_only=True):
    """The sender lives; `cpu` in percent of its host."""

    COMMAND = "HEARTBEAT"

    cpu: Any = None


class Info(_Packet, frozen=True, kw_only=True):
    """What the sender is and offers (sections 3.2, 3.3)."""

    COMMAND = "INFO"
    WIRE_NAMES = {"ip_list": "ipList", "instance_id": "instanceID"}
    LEFT_OUT = ("port",)

    services: Any = None
    ip_list: Any = None
    hostname: Any = None
    client: Any = None
    config: Any = None
    instance_id: Any = None
    metadata: Any = None
    seq: Any = None
    port: Any = None


class Ping(_Packet, frozen=True, kw_only=True):
    """Are you there? `time` in ms since the epoch, of the sender's clock."""

    COMMAND = "PING"

    time: Any = None
    id: Any = None


class Pong(_Packet, frozen=True, kw_only=True):
    """Yes. `time` and `id` as they came, `arrived` in ms since the epoch, of the sender's clock."""

    COMMAND = "PONG"

    time: Any = None
    id: Any = None
    arrived: Any = None


class Request(_Packet, frozen=True, kw_only=True):
    """A call of an action, or a part of a streamed one (sections 3.7, 5)."""

    COMMAND = "REQ"
    WIRE_NAMES = {"timeout_ms": "timeout", "parent_id": "parentID", "request_id": "requestID"}
    TEXTS = ("id", "action", "sender")
    LEFT_OUT = ("seq",)
    SINCE_5 = ("headers",)

    id: str
    action: str
    params: Any = None
    meta: Any = None
    headers: Any = None
    timeout_ms: Any = None
    level: Any = None
    tracing: Any = None
    parent_id: Any = None
    request_id: Any = None
    caller: Any = None
    stream: Any = None
    seq: Any = None


class Response(_Packet, frozen=True, kw_only=True):
    """An answer, or a part of a streamed one (sections 3.8, 5)."""

    COMMAND = "RES"
    TEXTS = ("id", "sender")
    LEFT_OUT = ("error", "stream", "seq")
    SINCE_5 = ("headers",)

    id: str
    meta: Any = None
    headers: Any = None
    success: Any = None
    data: Any = None
    error: Any = None
    stream: Any = None
    seq: Any = None


class Event(_Packet, frozen=True, kw_only=True):
    """An event for one node (section 3.9)."""

    COMMAND = "EVENT"
    WIRE_NAMES = {"parent_id": "parentID", "request_id": "requestID", "need_ack": "needAck"}
    TEXTS = ("event", "sender")
    LEFT_OUT = ("groups",)
    SINCE_5 = ("headers",)

    event: str
    id: Any = None
    data: Any = None
    groups: Any = None
    broadcast: Any = None
    meta: Any = None
    headers: Any = None
    level: Any = None
    tracing: Any = None
    parent_id: Any = None
    request_id: Any = None
    caller: Any = None
    need_ack: Any = None


Packet = Discover | Disconnect | Heartbeat | Info | Ping | Pong | Request | Response | Event

PACKETS: dict[str, type[Packet]] = {
    kind.COMMAND: kind for kind in (Discover, Disconnect, Heartbeat, Info, Ping, Pong, Request, Response, Event)
} | {"REQB": Request, "EVENTB": Event}
"""By the command in their channel. Balanced ones have no shape of their own."""
