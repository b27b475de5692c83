"""What real MoleculerJS nodes wrote, in both versions and with every serializer, is read as they meant it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
import pytest

from broker.protocol.codec import decode, decode_body, decode_extended, encode, to_wire
from broker.protocol.malformed import Malformed
from broker.protocol.packets import PACKETS, Packet
from broker.protocol.serializers import SERIALIZERS, serializer_of
from tests.unit.protocol.real_packets import RealPacket, real_packets

each_real_packet = pytest.mark.parametrize(
    "packet", real_packets(), ids=lambda packet: f"{packet.version} {packet.name.decode()}"
)


def as_node_shows(value: Any) -> Any:
    """Plain data as JSON.stringify writes it: dates and Buffers have shapes of their own."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03}Z"
    if isinstance(value, bytes):
        return {"type": "Buffer", "data": list(value)}
    if isinstance(value, dict):
        return {key: as_node_shows(item) for key, item in value.items()}
    return [as_node_shows(item) for item in value] if isinstance(value, list) else value


def test_the_data_hold_every_type_of_packet_in_both_versions_and_all_serializers() -> None:
    seen = Counter((it.version, it.serializer, it.channel.command) for it in real_packets())
    expected = {
        (version, serializer, command)
        for version in ("014", "015")
        for serializer in SERIALIZERS
        if (version, serializer) != ("014", "JSONExt")  # since 0.15
        for command in PACKETS
        if command not in ("REQB", "EVENTB")  # Redis knows none
    }
    assert set(seen) == expected


@each_real_packet
def test_a_body_is_read_as_node_reads_it(packet: RealPacket) -> None:
    assert as_node_shows(decode_body(packet.body)) == packet.value


@each_real_packet
def test_the_serializer_is_found_by_itself(packet: RealPacket) -> None:
    same_bytes = {"JSONExt": "JSON", "Notepack": "MsgPack"}
    assert serializer_of(packet.body) == same_bytes.get(packet.serializer, packet.serializer)


@each_real_packet
def test_a_packet_has_its_type_and_all_its_fields(packet: RealPacket) -> None:
    decoded = decode_extended(packet.name, packet.body)
    assert not isinstance(decoded, Malformed)
    assert type(decoded) is PACKETS[packet.channel.command]
    written = as_node_shows(to_wire(decoded))
    left_out = {name: value for name, value in written.items() if name not in packet.value}
    assert {name: written.get(name) for name in packet.value} == packet.value
    assert set(left_out.values()) <= {None}  # Node leaves undefined members out


@each_real_packet
def test_a_packet_written_again_is_the_same_packet(packet: RealPacket) -> None:
    decoded = decode(packet.name, packet.body)
    assert not isinstance(decoded, Malformed)
    again = decode(packet.name, encode(_without_bytes(decoded), "JSON"))
    assert again == _without_bytes(decoded)
    for serializer in ("MsgPack", "Notepack", "JSONExt"):
        assert decode_extended(packet.name, encode(decoded, serializer)) == decoded
    assert decode(packet.name, encode(decoded, "CBOR")) == _changed(decoded, _as_cbor_reads)


def _without_bytes(packet: Packet) -> Packet:
    """JSON knows neither bytes nor dates: a node that gets them gets their shapes."""
    return _changed(packet, as_node_shows)


def _as_cbor_reads(value: Any) -> Any:
    """As cbor-x, half an emoji is read as three times nothing."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    if isinstance(value, dict):
        return {key: _as_cbor_reads(item) for key, item in value.items()}
    return [_as_cbor_reads(item) for item in value] if isinstance(value, list) else value


def _changed(packet: Packet, change: Callable[[Any], Any]) -> Packet:
    changes = {name: change(getattr(packet, name)) for name in packet.__struct_fields__}
    return msgspec.structs.replace(packet, **changes)
