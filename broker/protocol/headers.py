"""Header first: what the tap needs of a packet, and no more.

msgspec structs skip the fields that they do not name, at 0.4 us a packet.
Only the texts that a packet is about are typed; the others are Any, since
real packets hold null, true and 2.0 where one expects others. What msgspec
refuses is read again, slowly, before it is Malformed: Node writes lone
surrogates, and the reason should name the field.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

import msgspec

from broker.protocol.errors import ErrorSummary, summary
from broker.protocol.malformed import Malformed, Text, text_fault
from broker.protocol.serializers import OPENING_BRACE, REFUSALS, loads
from broker.protocol.serializers.msgpack import notepack_extension

__all__ = [
    "NODE_OPTIONS",
    "ErrorSummary",
    "EventHeader",
    "Malformed",
    "OtherHeader",
    "RequestHeader",
    "ResponseHeader",
    "read_error",
    "read_event",
    "read_other",
    "read_request",
    "read_response",
]

NODE_OPTIONS: Final = "$node.options"
"""The action that nodes answer with whatever they were set up with: URLs and keys, under any name."""


class RequestHeader(msgspec.Struct, gc=False):
    """What correlation needs of a REQ; id, action and sender are texts, the rest is as it came."""

    id: Text
    action: Text
    sender: Text
    timeout: Any = None
    level: Any = None
    tracing: Any = None
    parentID: Any = None
    requestID: Any = None
    caller: Any = None
    stream: Any = None
    seq: Any = None
    ver: Any = None


class ResponseHeader(msgspec.Struct, gc=False):
    """What correlation needs of a RES; id and sender are texts, the rest is as it came."""

    id: Text
    sender: Text
    success: Any = None
    error: Any = None
    stream: Any = None
    seq: Any = None
    ver: Any = None


class EventHeader(msgspec.Struct, gc=False):
    """What is counted of an EVENT; event and sender are texts, the rest is as it came."""

    event: Text
    sender: Text
    id: Any = None
    groups: Any = None
    broadcast: Any = None
    level: Any = None
    tracing: Any = None
    parentID: Any = None
    requestID: Any = None
    caller: Any = None
    ver: Any = None


class OtherHeader(msgspec.Struct, gc=False):
    """What every packet has; sender is a text."""

    sender: Text
    ver: Any = None


Header = TypeVar("Header", RequestHeader, ResponseHeader, EventHeader, OtherHeader)

_TEXTS: Final[dict[type, tuple[str, ...]]] = {
    RequestHeader: ("id", "action", "sender"),
    ResponseHeader: ("id", "sender"),
    EventHeader: ("event", "sender"),
    OtherHeader: ("sender",),
}

_json_request = msgspec.json.Decoder(RequestHeader).decode
_json_response = msgspec.json.Decoder(ResponseHeader).decode
_json_event = msgspec.json.Decoder(EventHeader).decode
_json_other = msgspec.json.Decoder(OtherHeader).decode
_msgpack_request = msgspec.msgpack.Decoder(RequestHeader, ext_hook=notepack_extension).decode
_msgpack_response = msgspec.msgpack.Decoder(ResponseHeader, ext_hook=notepack_extension).decode
_msgpack_event = msgspec.msgpack.Decoder(EventHeader, ext_hook=notepack_extension).decode
_msgpack_other = msgspec.msgpack.Decoder(OtherHeader, ext_hook=notepack_extension).decode


# The four below are one function written out: they run for every packet, and a call more costs a fifth.


def read_request(body: bytes) -> RequestHeader | Malformed:
    """The header of a REQ or REQB. Never raises."""
    try:
        return _json_request(body) if body[0] == OPENING_BRACE else _msgpack_request(body)
    except REFUSALS:
        return _read_slowly(RequestHeader, body)


def read_response(body: bytes) -> ResponseHeader | Malformed:
    """The header of a RES. Never raises."""
    try:
        return _json_response(body) if body[0] == OPENING_BRACE else _msgpack_response(body)
    except REFUSALS:
        return _read_slowly(ResponseHeader, body)


def read_event(body: bytes) -> EventHeader | Malformed:
    """The header of an EVENT or EVENTB. Never raises."""
    try:
        return _json_event(body) if body[0] == OPENING_BRACE else _msgpack_event(body)
    except REFUSALS:
        return _read_slowly(EventHeader, body)


def read_other(body: bytes) -> OtherHeader | Malformed:
    """Who sent a packet of any kind, and in which version. Never raises."""
    try:
        return _json_other(body) if body[0] == OPENING_BRACE else _msgpack_other(body)
    except REFUSALS:
        return _read_slowly(OtherHeader, body)


def _read_slowly(kind: type[Header], body: bytes) -> Header | Malformed:
    """What the fast way refused: read it whole, and say what is wrong with it."""
    try:
        packet = loads(body)
    except ValueError as error:
        return Malformed("", str(error))
    fault = text_fault(packet, _TEXTS[kind])
    if fault is not None:
        return Malformed("", fault)
    return kind(**{name: packet[name] for name in kind.__struct_fields__ if name in packet})


def read_error(header: ResponseHeader) -> ErrorSummary:
    """The error of a failed answer. Never raises; what is missing or odd is left out."""
    return summary(header.error)
