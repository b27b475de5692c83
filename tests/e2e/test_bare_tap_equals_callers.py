"""What crosses the bus, decoded, is what the nodes themselves logged, call for call."""

from __future__ import annotations

from collections import Counter

import pytest

from broker.protocol import errors
from broker.protocol.channels import parse_channel
from broker.protocol.codec import decode
from broker.protocol.malformed import Malformed
from broker.protocol.packets import Event, Request, Response
from broker.protocol.streams import Assembly
from tests.e2e.bare_tap import BareTap
from tests.e2e.conftest import StartMesh
from tests.e2e.mesh import Serializer, Version, shop
from tests.e2e.redis_server import RedisServer

MESHES = [
    pytest.param(("014",), "JSON", id="0.14 JSON"),
    pytest.param(("015",), "JSON", id="0.15 JSON"),
    pytest.param(("015",), "MsgPack", id="0.15 MsgPack"),
    pytest.param(("015",), "Notepack", id="0.15 Notepack"),
    pytest.param(("014", "015"), "JSON", id="0.14 and 0.15"),
]
READ = b"".join(letter * 50 for letter in (b"a", b"b", b"c", b"d", b"e"))
ROWS = [{"row": 0}, {"row": 1}, {"row": 2}, {"row": 3}]
WRITTEN = b"\1" * 300 + b"\2" * 200


@pytest.mark.parametrize(("versions", "serializer"), MESHES)
def test_every_packet_is_read_and_counts_are_those_that_the_nodes_logged(
    redis_server: RedisServer, js_mesh: StartMesh, versions: tuple[Version, ...], serializer: Serializer
) -> None:
    mesh = js_mesh(redis_server.url, namespace="te.st", serializer=serializer, is_mixed=len(versions) > 1)
    caller = shop(mesh, versions)
    with BareTap(redis_server.url) as tap:
        mesh.start()
        caller.run(rounds=3, workers=2)
        mesh.stop()
    packets = [(parse_channel(name), decode(name, body)) for name, body in tap.frames]
    assert [packet for _, packet in packets if isinstance(packet, Malformed)] == []
    assert {channel.namespace for channel, _ in packets} == {"te.st"}
    sent = sum((node.packets_sent() for node in mesh), Counter())
    assert Counter(packet.COMMAND for _, packet in packets) == sent

    requests = [(channel.rest, packet) for channel, packet in packets if isinstance(packet, Request)]
    openers = Counter((it.sender, to, it.action, it.caller, it.level) for to, it in requests if not it.seq)
    assert openers == Counter((it.node_id, it.target, it.action, it.caller, it.level) for it in mesh.calls())
    assert {it.ver for _, it in requests} <= {{"014": "4", "015": "5"}[version] for version in versions}

    responses = [packet for _, packet in packets if isinstance(packet, Response)]
    closing = {it.id: _ending(it) for it in responses if not it.stream}
    for call in mesh.calls():
        if call.outcome != "timed-out":
            assert closing[call.id] == (call.outcome == "ok", call.error_name, call.error_code, call.error_type)

    events = [(it.event, it.sender, channel.rest) for channel, it in packets if isinstance(it, Event)]
    assert Counter(events) == Counter((it.event, it.sender, it.node_id) for it in mesh.events())


def _ending(response: Response) -> tuple[bool, str | None, int | None, str | None]:
    if response.success:
        return True, None, None, None
    error = errors.summary(response.error)
    return False, error.name, error.code, error.type or None


@pytest.mark.parametrize(("versions", "serializer"), MESHES)
def test_streams_are_put_together_from_their_packets(
    redis_server: RedisServer, js_mesh: StartMesh, versions: tuple[Version, ...], serializer: Serializer
) -> None:
    mesh = js_mesh(redis_server.url, serializer=serializer, is_mixed=len(versions) > 1)
    mesh.add("edge-1", ["desk"], version=versions[0])
    mesh.add("files.a", ["files"], version=versions[-1])
    with BareTap(redis_server.url) as tap:
        mesh.start()
        mesh["edge-1"].run(steps=["read", "rows", "write"])
        mesh.stop()
    asked, answered = _streams(tap, Request), _streams(tap, Response)
    action_of = {call.id: call.action for call in mesh["edge-1"].calls()}
    assert {action_of[key]: stream.content() for key, stream in asked.items()} == {"files.write": WRITTEN}
    assert {action_of[key]: stream.content() for key, stream in answered.items()} == {
        "files.read": READ,
        "files.rows": ROWS,
    }
    assert all(stream.is_complete and stream.error is None for stream in [*asked.values(), *answered.values()])


def _streams(tap: BareTap, kind: type[Request] | type[Response]) -> dict[str, Assembly]:
    """By id of the call; what is no stream is left out."""
    streams: dict[str, Assembly] = {}
    for name, body in tap.frames:
        packet = decode(name, body)
        if isinstance(packet, kind) and packet.seq is not None:
            streams.setdefault(packet.id, Assembly()).take(packet)
    return streams
