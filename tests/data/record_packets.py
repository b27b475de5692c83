"""Writes packets.jsonl anew: packets of real MoleculerJS nodes, of every type, version and serializer.

Run as ``.venv/bin/python -m tests.data.record_packets``. Each line holds
``version`` and ``serializer`` of the sender, ``channel``, ``body`` (base64)
and ``value``: what Node's own serializer reads in the body, as JSON; left out
where the body is JSON itself.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from base64 import b64encode
from pathlib import Path
from typing import Any, get_args

from broker.protocol.channels import parse_channel
from broker.protocol.codec import decode_body
from tests.e2e.bare_tap import BareTap
from tests.e2e.mesh import JS, JsMesh, Serializer, Version
from tests.e2e.redis_server import RedisServer, free_port

FILE = Path(__file__).parent / "packets.jsonl"
STEPS = ["create", "refuse", "crash", "invalid", "slow", "unicode", "read", "rows", "write", "ping"]


def record(url: str, version: Version, serializer: Serializer, folder: Path) -> list[dict[str, Any]]:
    """The packets of one small mesh, one of each shape."""
    mesh = JsMesh(url, folder, namespace=f"{version}.{serializer}", serializer=serializer, heartbeat_s=1.0)
    mesh.add("edge-1", ["orders"], version=version)
    mesh.add("shop.pay-1", ["payments", "users", "files", "mail"], version=version)
    for node in mesh:
        node.environment = {"NODE_OPTIONS": "--require ./anonymous.js"}
    with BareTap(url) as tap:
        mesh.start()
        mesh["edge-1"].run(steps=STEPS)
        until = time.monotonic() + 5.0
        while not any(b".HEARTBEAT" in name for name, _ in tap.frames) and time.monotonic() < until:
            time.sleep(0.1)
        mesh.stop()
    kept: dict[object, dict[str, Any]] = {}
    for name, body in tap.frames:
        line = {"version": version, "serializer": serializer, "channel": name.decode()}
        kept.setdefault(_shape(name, body), line | {"body": b64encode(body).decode()})
    return list(kept.values())


def _shape(name: bytes, body: bytes) -> object:
    """What makes a packet worth keeping: equal shapes are kept once."""
    channel, packet = parse_channel(name), decode_body(body)
    assert channel is not None
    assert isinstance(packet, dict)
    error = (packet.get("error") or {}).get("name")
    seq = min(packet.get("seq") or 0, 2) if channel.command in ("REQ", "RES") else 0
    data = packet.get("data")
    content = sorted(data) if isinstance(data, dict) else type(data).__name__
    return str((channel.command, packet.get("action"), packet.get("event"), error, seq, packet.get("stream"), content))


def as_node_reads(lines: list[dict[str, Any]]) -> None:
    """Add what Node's own serializers read."""
    asked = "".join(json.dumps(line) + "\n" for line in lines)
    answered = subprocess.run(
        ["node", "as_node_reads.js"], cwd=JS, input=asked, capture_output=True, text=True, check=True
    )
    for line, value in zip(lines, answered.stdout.splitlines(), strict=True):
        if line["serializer"] != "JSON":
            line["value"] = json.loads(value)


def main() -> None:
    """Start a server and the meshes, write the file."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = RedisServer(folder, free_port())
        server.start()
        try:
            lines = [
                line
                for version in get_args(Version)
                for serializer in get_args(Serializer)
                if (version, serializer) != ("014", "JSONExt")  # since 0.15
                for line in record(server.url, version, serializer, folder)
            ]
        finally:
            server.stop()
    as_node_reads(lines)
    FILE.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))


if __name__ == "__main__":
    main()
