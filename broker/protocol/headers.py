"""Header first: what the tap needs of a packet, and no more.

msgspec structs skip the fields that they do not name, at 0.4 us a packet.
Fields are Any and checked afterwards, since real packets hold null, true and
2.0 where one expects others. What msgspec refuses goes to the standard
library before it is Malformed: Node writes lone surrogates.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from broker.protocol.serializers import json, loads, msgpack


class Malformed(msgspec.Struct, frozen=True, gc=False):
    """What a frame is that says nothing we understand.

    Attributes:
        channel: Where it came from; empty where the reader was not told.
        reason: What is wrong with it: "field 'action' is None, expected text".
    """

    channel: str
    reason: str


class RequestHeader(msgspec.Struct, gc=False):
    """What correlation needs of a REQ; id, action and sender are texts, the rest is as it came."""

    id: Any = None
    action: Any = None
    sender: Any = None
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

    id: Any = None
    sender: Any = None
    success: Any = None
    error: Any = None
    stream: Any = None
    seq: Any = None
    ver: Any = None


class EventHeader(msgspec.Struct, gc=False):
    """What is counted of an EVENT; event and sender are texts, the rest is as it came."""

    id: Any = None
    event: Any = None
    sender: Any = None
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

    sender: Any = None
    ver: Any = None


H = TypeVar("H", RequestHeader, ResponseHeader, EventHeader, OtherHeader)


class _Reader(Generic[H]):
    """Reads one kind of header from JSON or MsgPack."""

    def __init__(self, kind: type[H], texts: tuple[str, ...]) -> None:
        self._kind = kind
        self._texts = texts
        self._json: Callable[[bytes], H] = msgspec.json.Decoder(kind).decode
        self._msgpack: Callable[[bytes], H] = msgspec.msgpack.Decoder(kind, ext_hook=msgpack.notepack_extension).decode

    def slowly(self, body: bytes) -> H | Malformed:
        """What the fast way refused: read it whole, and say what is wrong with it."""
        try:
            packet = json.loads_as_node(body) if body[:1] == b"{" else loads(body)
        except (ValueError, RecursionError) as error:
            return Malformed("", str(error) or type(error).__name__)
        if not isinstance(packet, dict):
            return Malformed("", f"packet is a {type(packet).__name__}, expected an object")
        header = self._kind(**{name: packet[name] for name in self._kind.__struct_fields__ if name in packet})
        return self.checked(header)

    def read(self, body: bytes) -> H | Malformed:
        """The header of a body, without a look at its fields."""
        try:
            return self._json(body) if body[:1] == b"{" else self._msgpack(body)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, OverflowError, MemoryError, TypeError):
            return self.slowly(body)

    def checked(self, header: H) -> H | Malformed:
        """The header, or which of its fields is not what it must be."""
        for name in self._texts:
            value = getattr(header, name)
            if type(value) is not str:
                return Malformed("", f"field '{name}' is {_short(value)}, expected text")
            if not value:
                return Malformed("", f"field '{name}' is empty, expected text")
        return header


def _short(value: object) -> str:
    """A value for a message: short, and harmless whatever it holds."""
    if isinstance(value, dict | list):
        return f"a {type(value).__name__}"
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


_REQUEST = _Reader(RequestHeader, ("id", "action", "sender"))
_RESPONSE = _Reader(ResponseHeader, ("id", "sender"))
_EVENT = _Reader(EventHeader, ("event", "sender"))
_OTHER = _Reader(OtherHeader, ("sender",))


def read_request(body: bytes) -> RequestHeader | Malformed:
    """The header of a REQ or REQB. Never raises."""
    header = _REQUEST.read(body)
    # the three checks of `checked`, written out: this runs for every packet
    if (
        type(header) is RequestHeader
        and type(header.id) is str
        and type(header.action) is str
        and type(header.sender) is str
        and header.id
        and header.action
        and header.sender
    ):
        return header
    return header if isinstance(header, Malformed) else _REQUEST.checked(header)


def read_response(body: bytes) -> ResponseHeader | Malformed:
    """The header of a RES. Never raises."""
    header = _RESPONSE.read(body)
    if (
        type(header) is ResponseHeader
        and type(header.id) is str
        and type(header.sender) is str
        and header.id
        and header.sender
    ):
        return header
    return header if isinstance(header, Malformed) else _RESPONSE.checked(header)


def read_event(body: bytes) -> EventHeader | Malformed:
    """The header of an EVENT or EVENTB. Never raises."""
    header = _EVENT.read(body)
    return header if isinstance(header, Malformed) else _EVENT.checked(header)


def read_other(body: bytes) -> OtherHeader | Malformed:
    """Who sent a packet of any kind, and in which version. Never raises."""
    header = _OTHER.read(body)
    return header if isinstance(header, Malformed) else _OTHER.checked(header)


class ErrorSummary(NamedTuple):
    """A remote error, as far as it is counted by (section 4)."""

    name: str
    code: int | None
    type: str
    node_id: str
    message: str


NO_ERROR_GIVEN = ErrorSummary("", None, "", "", "")


def read_error(header: ResponseHeader) -> ErrorSummary:
    """The error of a failed answer. Never raises; what is missing or odd is left out."""
    error = header.error
    if not isinstance(error, dict):
        return NO_ERROR_GIVEN
    code = error.get("code")
    if isinstance(code, str) and code.lstrip("-").isdigit() and len(code) < 10:
        code = int(code)
    is_number = isinstance(code, int | float) and not isinstance(code, bool) and abs(code) < 1e9
    return ErrorSummary(
        name=_text(error.get("name")),
        code=int(code) if is_number else None,
        type=_text(error.get("type")),
        node_id=_text(error.get("nodeID")),
        message=_text(error.get("message")),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
