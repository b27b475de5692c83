"""Packets of real MoleculerJS nodes, out of tests/data/packets.jsonl."""

from __future__ import annotations

import json
from base64 import b64decode
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from broker.protocol.channels import Channel, parse_channel

FILE = Path(__file__).parents[2] / "data" / "packets.jsonl"


class RealPacket(NamedTuple):
    """A frame, who wrote it, and what Node itself reads in it."""

    version: str
    serializer: str
    name: bytes
    channel: Channel
    body: bytes
    value: Any


@cache
def real_packets() -> list[RealPacket]:
    """All of them."""
    return [_packet(json.loads(line)) for line in FILE.read_text().splitlines()]


def _packet(line: dict[str, Any]) -> RealPacket:
    name, body = line["channel"].encode(), b64decode(line["body"])
    channel = parse_channel(name)
    assert channel is not None
    value = line["value"] if "value" in line else json.loads(body)
    return RealPacket(line["version"], line["serializer"], name, channel, body, value)
