"""Announced: a node in everybody's registry, that offers nothing and is sent what it subscribes to."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Sequence
from typing import Any, Final
from uuid import uuid4

import psutil

from broker.node.machine import client_info, ip_list
from broker.probe.asking import Tongues
from broker.protocol.channels import channel_name
from broker.protocol.codec import channel_of, decode, encode
from broker.protocol.frame import RawFrame
from broker.protocol.packets import Disconnect, Discover, Heartbeat, Info, Packet, Ping, Pong
from broker.transport.base import Publisher

log = logging.getLogger(__name__)

BEAT_EVERY_S: Final = 5.0
SETTLE_S: Final = 2.0
"""How long we listen before we decide which namespace to join."""

SUBSCRIBED: Final = ("$circuit-breaker.**", "$tracing.spans", "$metrics.snapshot")


class Announcer:
    """Keeps us announced in chosen namespaces, in each protocol that is spoken there.

    Attributes:
        trouble: Why we are not announced; empty while we are.
        is_announced: Whether we are a node in somebody's registry.
    """

    def __init__(
        self, publisher: Publisher, node_id: str, tongues: Tongues, namespaces: Sequence[str], now_ms: Any
    ) -> None:
        """
        Args:
            publisher: Where to.
            node_id: Ours.
            tongues: What is spoken.
            namespaces: Where to be announced; if empty, in the only one that is heard.
            now_ms: Tells the time, in ms since the epoch.
        """
        self.trouble = ""
        self.is_announced = False
        self._publisher = publisher
        self._node_id = node_id
        self._tongues = tongues
        self._chosen = tuple(namespaces)
        self._now_ms = now_ms
        self._instance_id = str(uuid4())
        self._joined: dict[tuple[str, str], None] = {}
        self._channels: dict[bytes, str] = {}

    async def run(self) -> None:
        """Be announced until cancelled; then say goodbye."""
        try:
            await asyncio.sleep(SETTLE_S)
            while True:
                self._join()
                for namespace, protocol in self._joined:
                    beat = Heartbeat(ver=protocol, sender=self._node_id, cpu=round(psutil.cpu_percent()))
                    self._send(namespace, beat)
                await asyncio.sleep(BEAT_EVERY_S)
        finally:
            self._leave()

    def hear(self, _at_ns: int, frames: Sequence[RawFrame]) -> None:
        """Take in frames: answer who asks for us."""
        channels = self._channels
        for channel, body in frames:
            if channel in channels:
                self._answer(channel, channels[channel], body)

    def _join(self) -> None:
        """Tell namespaces of us that were not told yet."""
        spaces = dict.fromkeys(namespace for namespace, _ in self._tongues.spoken())
        if not self._chosen and len(spaces) > 1:
            if not self._joined:
                heard = ", ".join(f"'{name}'" for name in spaces)
                self.trouble = f"Not announced: several namespaces are heard ({heard}). Choose with --namespace."
                return
            spaces = dict.fromkeys(namespace for namespace, _ in self._joined)
        for namespace, protocol in self._tongues.spoken():
            if (namespace, protocol) in self._joined or namespace not in (self._chosen or spaces):
                continue
            self._joined[namespace, protocol] = None
            for command, rest in (("DISCOVER", ""), ("DISCOVER", self._node_id), ("PING", ""), ("PING", self._node_id)):
                self._channels[channel_name(namespace, command, rest)] = namespace
            self._send(namespace, self._info(protocol, self._services(), 1))
        self.is_announced, self.trouble = bool(self._joined), ""

    def _answer(self, channel: bytes, namespace: str, body: bytes) -> None:
        packet = decode(channel, body)
        if not isinstance(packet, Discover | Ping) or packet.sender == self._node_id:
            return
        if isinstance(packet, Discover):
            self._send(namespace, self._info(packet.ver, self._services(), 1), packet.sender)
        else:
            pong = Pong(ver=packet.ver, sender=self._node_id, time=packet.time, id=packet.id, arrived=self._now_ms())
            self._send(namespace, pong, packet.sender)

    def _leave(self) -> None:
        for namespace, protocol in self._joined:
            self._send(namespace, self._info(protocol, [], 2))
            self._send(namespace, Disconnect(ver=protocol, sender=self._node_id))
        self._joined.clear()
        self.is_announced = False

    def _send(self, namespace: str, packet: Packet, target: str = "") -> None:
        body = encode(packet, self._tongues.serializer(namespace))
        self._publisher.publish(channel_of(packet, namespace, target), body)

    def _services(self) -> list[dict[str, Any]]:
        """One service without actions; its group is ours alone, so that we take nothing from anybody."""
        name = f"${self._node_id}"
        events = {event: {"name": event, "group": self._node_id} for event in SUBSCRIBED}
        return [{"name": name, "fullName": name, "settings": {}, "metadata": {}, "actions": {}, "events": events}]

    def _info(self, protocol: str, services: list[dict[str, Any]], seq: int) -> Info:
        return Info(
            ver=protocol,
            sender=self._node_id,
            services=services,
            ip_list=ip_list(),
            hostname=socket.gethostname(),
            client=client_info(),
            config={},
            instance_id=self._instance_id,
            metadata={"inspector": True},
            seq=seq,
        )
