"""Whole packets to bytes and back. Decoding never raises; the serializer is found by itself."""

from __future__ import annotations

from functools import cache
from typing import Any

from broker.protocol.channels import Channel, channel_name, parse_channel
from broker.protocol.headers import Malformed
from broker.protocol.packets import PACKETS, Packet
from broker.protocol.serializers import dumps, loads


@cache
def _fields(kind: type[Packet]) -> tuple[tuple[str, str, bool, bool], ...]:
    """(attribute, name on the wire, left out when None, only since version 5); ver and sender last, as Node does."""
    own = [name for name in kind.__struct_fields__ if name not in ("ver", "sender")]
    return tuple(
        (name, kind.WIRE_NAMES.get(name, name), name in kind.LEFT_OUT, name in kind.SINCE_5)
        for name in (*own, "ver", "sender")
    )


def to_wire(packet: Packet) -> dict[str, Any]:
    """A packet as plain data with the wire's names."""
    is_4 = packet.ver == "4"
    wire: dict[str, Any] = {}
    for attribute, name, left_out, since_5 in _fields(type(packet)):
        value = getattr(packet, attribute)
        if (value is None and left_out) or (is_4 and since_5):
            continue
        wire[name] = value
    return wire


def encode(packet: Packet, serializer: str = "JSON") -> bytes:
    """A packet to bytes.

    Raises:
        TypeError: It holds something that the serializer cannot carry.
        ValueError: There is no such serializer.
    """
    return dumps(to_wire(packet), serializer)


def channel_of(packet: Packet, namespace: str, target: str = "") -> bytes:
    """The channel on which a packet goes to a node, or to all."""
    return channel_name(namespace, packet.COMMAND, target)


def decode(channel: Channel | bytes, body: bytes) -> Packet | Malformed:
    """Bytes to a packet, or to what is wrong with them. Never raises."""
    found = parse_channel(channel) if isinstance(channel, bytes) else channel
    where = channel.decode("utf-8", "replace") if isinstance(channel, bytes) else ".".join(channel)
    if found is None:
        return Malformed(where, "channel is not one of Moleculer's")
    try:
        wire = loads(body)
    except (ValueError, RecursionError) as error:
        return Malformed(where, str(error) or type(error).__name__)
    if not isinstance(wire, dict):
        return Malformed(where, f"packet is a {type(wire).__name__}, expected an object")
    return _packet(PACKETS[found.command], wire, where)


def _packet(kind: type[Packet], wire: dict[str, Any], where: str) -> Packet | Malformed:
    for attribute in kind.TEXTS:
        value = wire.get(attribute)
        if not isinstance(value, str) or not value:
            shown = "empty" if value == "" else repr(value)[:40]
            return Malformed(where, f"field '{attribute}' is {shown}, expected text")
    ver = wire.get("ver")
    if not isinstance(ver, str):
        return Malformed(where, f"field 'ver' is {repr(ver)[:40]}, expected text")
    values = {attribute: wire.get(name) for attribute, name, _, _ in _fields(kind)}
    return kind(**values)


def decode_body(body: bytes) -> Any | Malformed:
    """A body as plain data, to be shown; or why it cannot be. Never raises."""
    try:
        return loads(body)
    except (ValueError, RecursionError) as error:
        return Malformed("", str(error) or type(error).__name__)
