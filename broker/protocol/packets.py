"""Packets: everything that nodes say to each other (protocol, section 3).

Fields are what came over the wire, checked only where the field is what the
packet is about (an id, an action, a sender). ``ver`` is "4" for 0.14 and "5"
for 0.15; both speak in one mesh.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

import msgspec

from broker.protocol.malformed import Text

_CONTEXT_NAMES: Final = {"parent_id": "parentID", "request_id": "requestID"}


class _Packet(msgspec.Struct, frozen=True, kw_only=True):
    """What all packets have.

    Attributes:
        ver: Protocol version, a text.
        sender: Node id of who sent it.
    """

    COMMAND: ClassVar[str] = ""
    TEXTS: ClassVar[tuple[str, ...]] = ("sender", "ver")
    """Attributes that must hold a text that is not empty, in the order in which they are complained about."""
    LEFT_OUT: ClassVar[tuple[str, ...]] = ()
    """Attributes that are not sent when they are None."""
    SINCE_5: ClassVar[tuple[str, ...]] = ()
    """Attributes that protocol 4 does not have."""
    DATA: ClassVar[tuple[str, ...]] = ()
    """Attributes that hold data of somebody's own; all others are texts, numbers and flags. None: all may."""

    ver: Text
    sender: Text


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


class Info(_Packet, frozen=True, kw_only=True, rename={"ip_list": "ipList", "instance_id": "instanceID"}):
    """What the sender is and offers (sections 3.2, 3.3)."""

    COMMAND = "INFO"
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


class Request(_Packet, frozen=True, kw_only=True, rename=_CONTEXT_NAMES | {"timeout_ms": "timeout"}):
    """A call of an action, or a part of a streamed one (sections 3.7, 5)."""

    COMMAND = "REQ"
    TEXTS = ("id", "action", "sender", "ver")
    LEFT_OUT = ("seq",)
    SINCE_5 = ("headers",)
    DATA = ("params", "meta", "headers")

    id: Text
    action: Text
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
    TEXTS = ("id", "sender", "ver")
    LEFT_OUT = ("error", "stream", "seq")
    SINCE_5 = ("headers",)
    DATA = ("meta", "headers", "data", "error")

    id: Text
    meta: Any = None
    headers: Any = None
    success: Any = None
    data: Any = None
    error: Any = None
    stream: Any = None
    seq: Any = None


class Event(_Packet, frozen=True, kw_only=True, rename=_CONTEXT_NAMES | {"need_ack": "needAck"}):
    """An event for one node (section 3.9)."""

    COMMAND = "EVENT"
    TEXTS = ("event", "sender", "ver")
    LEFT_OUT = ("groups",)
    SINCE_5 = ("headers",)
    DATA = ("data", "groups", "meta", "headers")

    event: Text
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

PACKETS: Final[dict[str, type[Packet]]] = {
    "DISCOVER": Discover,
    "DISCONNECT": Disconnect,
    "HEARTBEAT": Heartbeat,
    "INFO": Info,
    "PING": Ping,
    "PONG": Pong,
    "REQ": Request,
    "REQB": Request,
    "RES": Response,
    "EVENT": Event,
    "EVENTB": Event,
}
"""By the command in their channel. Balanced ones have no shape of their own."""
