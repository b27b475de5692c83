"""Whole packets to bytes and back. Decoding never raises; the serializer is found by itself."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final, NamedTuple

import msgspec

from broker.protocol.channels import Channel, channel_name, parse_channel
from broker.protocol.malformed import Malformed, text_fault
from broker.protocol.packets import PACKETS, Packet
from broker.protocol.serializers import JSON, OPENING_BRACE, REFUSALS, dumps, json, jsonext, loads
from broker.protocol.serializers.msgpack import notepack_extension


class _Shape(NamedTuple):
    """How the packets of one kind are written in one version of the protocol; parallel, in the wire's order.

    Attributes:
        wire_names: Of all fields.
        values: Those fields of a packet.
        left_out: Wire names of what is not sent when it is None.
        rare: The attributes of these.
        usual_values: The other fields of a packet: all of it, as a rule.
        record: Made of these, it is written under the wire's names without a dict between.
    """

    wire_names: tuple[str, ...]
    values: Callable[[Packet], tuple[Any, ...]]
    left_out: tuple[str, ...]
    rare: tuple[str, ...]
    usual_values: Callable[[Packet], tuple[Any, ...]]
    record: type[msgspec.Struct]


def _shape(kind: type[Packet], *, is_4: bool) -> _Shape:
    names = _wire_names(kind)
    written = [name for name in names if not (is_4 and name in kind.SINCE_5)]
    rare = tuple(name for name in written if name in kind.LEFT_OUT)
    usual = [name for name in written if name not in rare]
    return _Shape(
        wire_names=tuple(names[name] for name in written),
        values=attrgetter(*written),
        left_out=tuple(names[name] for name in rare),
        rare=rare,
        usual_values=attrgetter(*usual),
        record=msgspec.defstruct(kind.__name__, [(names[name], Any) for name in usual]),
    )


def _wire_names(kind: type[Packet]) -> dict[str, str]:
    """By attribute; ver and sender last, as Node writes them."""
    names = {field.name: field.encode_name for field in msgspec.structs.fields(kind)}
    return {name: names[name] for name in sorted(names, key=lambda name: name in ("ver", "sender"))}


_WIRE_NAMES: Final = {kind: _wire_names(kind) for kind in PACKETS.values()}
_SHAPES: Final = {(kind, is_4): _shape(kind, is_4=is_4) for kind in PACKETS.values() for is_4 in (False, True)}
_FROM_JSON: Final[dict[str, Callable[[bytes], Packet]]] = {
    command: msgspec.json.Decoder(kind).decode for command, kind in PACKETS.items()
}
_FROM_MSGPACK: Final[dict[str, Callable[[bytes], Packet]]] = {
    command: msgspec.msgpack.Decoder(kind, ext_hook=notepack_extension).decode for command, kind in PACKETS.items()
}


def to_wire(packet: Packet) -> dict[str, Any]:
    """A packet as plain data with the wire's names."""
    shape = _SHAPES[type(packet), packet.ver == "4"]
    wire = dict(zip(shape.wire_names, shape.values(packet), strict=True))
    for name in shape.left_out:
        if wire[name] is None:
            del wire[name]
    return wire


def encode(packet: Packet, serializer: str = "JSON") -> bytes:
    """A packet to bytes.

    Raises:
        TypeError: It holds something that the serializer cannot carry.
        ValueError: There is no such serializer.
    """
    if serializer == JSON and (body := _encode_usual(packet)) is not None:
        return body
    return dumps(to_wire(packet), serializer)


def _encode_usual(packet: Packet) -> bytes | None:
    """A packet in which nothing is rare or odd, as JSON; None if something is. A third of the other way's time."""
    shape = _SHAPES[type(packet), packet.ver == "4"]
    for name in shape.rare:
        if getattr(packet, name) is not None:
            return None
    return json.dumps_record(shape.record, shape.usual_values(packet))


def channel_of(packet: Packet, namespace: str, target: str = "") -> bytes:
    """The channel on which a packet goes to a node, or to all."""
    return channel_name(namespace, packet.COMMAND, target)


def decode(channel: Channel | bytes, body: bytes) -> Packet | Malformed:
    """Bytes to a packet, or to what is wrong with them. Never raises."""
    if isinstance(channel, bytes):
        found = parse_channel(channel)
        if found is None:
            return Malformed(channel.decode("utf-8", "replace"), "channel is not one of Moleculer's")
        channel = found
    try:
        return (_FROM_JSON if body[0] == OPENING_BRACE else _FROM_MSGPACK)[channel.command](body)
    except REFUSALS:
        return _decode_slowly(channel, body)


def decode_extended(channel: Channel | bytes, body: bytes) -> Packet | Malformed:
    """As `decode`, where JSON is JSONExt. Never raises."""
    if body[:1] != b"{" or b'"[[' not in body:
        return decode(channel, body)
    found = parse_channel(channel) if isinstance(channel, bytes) else channel
    return decode(channel, body) if found is None else _decode_slowly(found, body, jsonext.loads)


def _decode_slowly(channel: Channel, body: bytes, read: Callable[[bytes], Any] = loads) -> Packet | Malformed:
    """What the fast way does not read: CBOR, lone surrogates, texts that are no UTF-8; or what is wrong."""
    where = channel_name(*channel).decode("utf-8", "replace")
    kind = PACKETS[channel.command]
    try:
        wire = read(body)
    except ValueError as error:
        return Malformed(where, str(error))
    fault = text_fault(wire, kind.TEXTS)
    if fault is not None:
        return Malformed(where, fault)
    return kind(**{attribute: wire.get(name) for attribute, name in _WIRE_NAMES[kind].items()})


def decode_body(body: bytes) -> Any | Malformed:
    """A body as plain data, to be shown; or why it cannot be. Never raises.

    JSON that holds a mark of JSONExt is read as that: which of them a mesh
    speaks, its packets do not say.
    """
    if body[:1] == b"{" and jsonext.is_marked(body):
        try:
            return jsonext.loads(body)
        except ValueError:
            pass  # its marks are ordinary texts
    try:
        return loads(body)
    except ValueError as error:
        return Malformed("", str(error))
