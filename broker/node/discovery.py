"""Telling the mesh of us and learning of it: DISCOVER, INFO, HEARTBEAT and DISCONNECT."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from broker.node.machine import cpu_percent
from broker.protocol.packets import Disconnect, Discover, Heartbeat, Info

if TYPE_CHECKING:
    from broker.node.broker import Broker
    from broker.node.wire import Wire

log = logging.getLogger(__name__)

_FORGET_EVERY_S = 60.0


class Discovery:
    """The local discoverer: everything by packets, nothing by keys."""

    def __init__(self, broker: Broker, wire: Wire) -> None:
        self._broker = broker
        self._wire = wire
        self._timers: list[asyncio.Task[None]] = []
        self._info_later: asyncio.TimerHandle | None = None
        for command, take in (
            ("DISCOVER", self.take_discover),
            ("INFO", self.take_info),
            ("HEARTBEAT", self.take_heartbeat),
            ("DISCONNECT", self.take_disconnect),
        ):
            wire.on(command, take)

    # sending

    def discover(self, node_id: str = "") -> None:
        """Ask for INFO: one node, or all."""
        for protocol in self._versions(node_id):
            self._wire.send(Discover(ver=protocol, sender=self._broker.node_id), node_id)

    def send_info(self, node_id: str = "") -> None:
        """Tell what we are: one node, or all."""
        if not node_id:
            self._cancel_info()
        about = self._broker.info()
        for protocol in self._versions(node_id):
            self._wire.send(Info(**about, ver=protocol, sender=self._broker.node_id), node_id)

    def send_info_soon(self) -> None:
        """Tell all what we are, after things have settled."""
        if self._info_later is None:
            loop = asyncio.get_running_loop()
            self._info_later = loop.call_later(self._broker.options.info_delay_s, self._send_info_now)

    def send_disconnect(self) -> None:
        """Say goodbye."""
        for protocol in self._versions(""):
            self._wire.send(Disconnect(ver=protocol, sender=self._broker.node_id), "")

    def beat(self) -> None:
        """Tell all that we are alive, and how busy this machine is."""
        cpu = self._broker.options.cpu_percent or cpu_percent
        percent = cpu()
        for protocol in self._versions(""):
            rounded = None if percent is None else round(percent)
            self._wire.send(Heartbeat(cpu=rounded, ver=protocol, sender=self._broker.node_id), "")

    # receiving

    def take_discover(self, packet: Discover) -> None:
        """Somebody wants to know what we are."""
        if self._broker.is_ready:
            self.send_info(packet.sender)

    def take_info(self, packet: Info) -> None:
        """Somebody says what he is."""
        if packet.sender == self._broker.node_id:
            if packet.instance_id != self._broker.instance_id:
                self._broker.give_up(f"another process uses our node id {packet.sender!r}")
            return
        info = {
            "services": packet.services,
            "ipList": packet.ip_list,
            "hostname": packet.hostname,
            "port": packet.port,
            "client": packet.client,
            "config": packet.config,
            "metadata": packet.metadata,
            "instanceID": packet.instance_id,
            "seq": packet.seq,
        }
        known = self._broker.registry.nodes.get(packet.sender)
        if known is not None and known.available and known.instance_id != packet.instance_id:
            # started anew before we noticed its end: what waits for the old one waits in vain
            self._broker.node_gone(packet.sender, unexpected=True)
        self._broker.registry.take_info(packet.sender, packet.ver, info, self._broker.uptime_s())

    def take_heartbeat(self, packet: Heartbeat) -> None:
        """Somebody is alive; if we do not know him, we ask him."""
        if not self._broker.registry.take_heartbeat(packet.sender, packet.cpu, self._broker.uptime_s()):
            self.discover(packet.sender)

    def take_disconnect(self, packet: Disconnect) -> None:
        """Somebody leaves."""
        self._broker.node_gone(packet.sender, unexpected=False)

    # timers

    def start(self) -> None:
        """Begin to beat, and to notice who does not."""
        options = self._broker.options
        if options.heartbeat_interval_s > 0:
            jitter_s = random.uniform(-0.5, 0.5) if options.heartbeat_interval_s > 1 else 0.0
            self._every(options.heartbeat_interval_s + jitter_s, self.beat)
            self._every(options.heartbeat_timeout_s, self._check_silent)
            self._every(_FORGET_EVERY_S, self._forget_offline)

    async def stop(self) -> None:
        """No timer is left."""
        self._cancel_info()
        for timer in self._timers:
            timer.cancel()
        await asyncio.gather(*self._timers, return_exceptions=True)
        self._timers.clear()

    def _every(self, interval_s: float, do: Callable[[], None]) -> None:
        async def repeat() -> None:
            while True:
                await asyncio.sleep(interval_s)
                do()

        self._timers.append(asyncio.create_task(repeat(), name=f"{self._broker.node_id} {do.__name__}"))

    def _cancel_info(self) -> None:
        if self._info_later is not None:
            self._info_later.cancel()
            self._info_later = None

    def _check_silent(self) -> None:
        timeout_s = self._broker.options.heartbeat_timeout_s
        for node_id in self._broker.registry.silent_nodes(self._broker.uptime_s(), timeout_s):
            log.warning("no heartbeat of %s for %g s", node_id, timeout_s)
            self._broker.node_gone(node_id, unexpected=True)

    def _forget_offline(self) -> None:
        self._broker.registry.forget_offline(self._broker.uptime_s(), self._broker.options.forget_offline_s)

    def _send_info_now(self) -> None:
        self._info_later = None
        if self._broker.is_ready:
            self.send_info()

    def _versions(self, node_id: str) -> list[str]:
        return [self._wire.protocol_of(node_id)] if node_id else list(self._wire.spoken)
