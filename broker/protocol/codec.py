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
    """How the packets of one kind are written in one version of the protocol.

    Attributes:
        wire_names: Of all fields; those that are not sent when they are None come last.
        values: Those fields of a packet.
        data: Those in which there may be anything.
        others: The rest: texts, numbers and flags, unless something is odd.
        left_out: Wire names of what is not sent when it is None.
        record: Made of these values, it is written under the wire's names without a dict between.
    """

    wire_names: tuple[str, ...]
    values: Callable[[Packet], tuple[Any, ...]]
    data: Callable[[Packet], tuple[Any, ...]]
    others: Callable[[Packet], tuple[Any, ...]]
    left_out: tuple[str, ...]
    record: type[msgspec.Struct]


def _shape(kind: type[Packet], *, is_4: bool) -> _Shape:
    names = _wire_names(kind)
    written = [name for name in names if not (is_4 and name in kind.SINCE_5)]
    usual = [name for name in written if name not in kind.LEFT_OUT]
    rare = [name for name in written if name in kind.LEFT_OUT]
    fields = [(names[name], Any) for name in usual] + [(names[name], Any, None) for name in rare]
    return _Shape(
        wire_names=tuple(names[name] for name in usual + rare),
        values=attrgetter(*usual, *rare),
        data=attrgetter(*(kind.DATA or written)),
        others=attrgetter(*(name for name in written if name not in kind.DATA)) if kind.DATA else _nothing,
        left_out=tuple(names[name] for name in rare),
        record=msgspec.defstruct(kind.__name__, fields, omit_defaults=True),
    )


def _nothing(_packet: Packet) -> tuple[Any, ...]:
    return ()


def _wire_names(kind: type[Packet]) -> dict[str, str]:
    """By attribute; ver and sender last, as Node writes them."""
    names = {field.name: field.encode_name for field in msgspec.structs.fields(kind)}
    return {name: names[name] for name in sorted(names, key=lambda name: name in ("ver", "sender"))}


_WIRE_NAMES: Final = {kind: _wire_names(kind) for kind in PACKETS.values()}
_SHAPES: Final = {kind: (_shape(kind, is_4=False), _shape(kind, is_4=True)) for kind in PACKETS.values()}
_FROM_JSON: Final[dict[str, Callable[[bytes], Packet]]] = {
    command: msgspec.json.Decoder(kind).decode for command, kind in PACKETS.items()
}
_FROM_MSGPACK: Final[dict[str, Callable[[bytes], Packet]]] = {
    command: msgspec.msgpack.Decoder(kind, ext_hook=notepack_extension).decode for command, kind in PACKETS.items()
}


def json_reader(command: str) -> Callable[[bytes], Packet]:
    """What reads a command's packets in JSON, and raises one of REFUSALS for all others."""
    return _FROM_JSON[command]


def to_wire(packet: Packet) -> dict[str, Any]:
    """A packet as plain data with the wire's names."""
    shape = _SHAPES[type(packet)][packet.ver == "4"]
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
    if serializer == JSON:
        shape = _SHAPES[type(packet)][packet.ver == "4"]
        if json.PLAIN.issuperset(map(type, shape.others(packet))):
            body = json.dumps_record(shape.record, shape.values(packet), shape.data(packet))
            if body is not None:
                return body
    return dumps(to_wire(packet), serializer)


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
