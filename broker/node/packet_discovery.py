"""The local discoverer: everything by packets on the bus."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from broker.node.discovery import Discovery
from broker.protocol.packets import Discover, Heartbeat, Info

if TYPE_CHECKING:
    from broker.node.broker import Broker
    from broker.node.wire import Wire


class PacketDiscovery(Discovery):
    """DISCOVER, INFO and HEARTBEAT."""

    def __init__(self, broker: Broker, wire: Wire) -> None:
        super().__init__(broker, wire)
        wire.on("DISCOVER", self.take_discover)
        wire.on("HEARTBEAT", self.take_heartbeat)

    async def begin(self) -> None:
        """Ask who is there, and listen for a while."""
        self.discover()
        await asyncio.sleep(self._broker.options.settle_s)

    def reconnected(self) -> None:
        """Others may be there now."""
        self.discover()
        if self._broker.is_ready:
            self.send_info()

    def discover(self, node_id: str = "") -> None:
        """Ask for INFO: one node, or all."""
        for protocol in self._versions(node_id):
            self._wire.send(Discover(ver=protocol, sender=self._broker.node_id), node_id)

    def send_info(self, node_id: str = "") -> None:
        """Tell what we are: one node, or all."""
        if not node_id:
            self.cancel_info()
        about = self._broker.info()
        for protocol in self._versions(node_id):
            self._wire.send(Info(**about, ver=protocol, sender=self._broker.node_id), node_id)

    def beat(self) -> None:
        """Tell all that we are alive, and how busy this machine is."""
        cpu = self._broker.registry.local.cpu
        for protocol in self._wire.spoken:
            self._wire.send(Heartbeat(cpu=cpu, ver=protocol, sender=self._broker.node_id), "")

    def take_discover(self, packet: Discover) -> None:
        """Somebody wants to know what we are."""
        if self._broker.is_ready:
            self.send_info(packet.sender)

    def take_heartbeat(self, packet: Heartbeat) -> None:
        """Somebody is alive; if we do not know him, we ask him."""
        if not self._broker.registry.take_heartbeat(packet.sender, packet.cpu, self._broker.uptime_s()):
            self.discover(packet.sender)

    def _versions(self, node_id: str) -> list[str]:
        return [self._wire.protocol_of(node_id)] if node_id else list(self._wire.spoken)
