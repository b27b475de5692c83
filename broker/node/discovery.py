"""Telling the mesh of us and learning of it: what all discoverers have in common."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from broker.node.machine import cpu_percent
from broker.node.timers import Repeating, Timer
from broker.protocol.packets import Disconnect, Info

if TYPE_CHECKING:
    from broker.node.broker import Broker
    from broker.node.wire import Wire

log = logging.getLogger(__name__)

_FORGET_EVERY_S = 60.0
_MOST_JITTER_S = 0.5


class Discovery:
    """Takes INFO and DISCONNECT packets, beats, and notices who does not. The rest is a discoverer's own."""

    def __init__(self, broker: Broker, wire: Wire) -> None:
        self._broker = broker
        self._wire = wire
        self._repeating: list[Repeating] = []
        self._info_later: Timer | None = None
        wire.on("INFO", self.take_info)
        wire.on("DISCONNECT", self.take_disconnect)

    # a discoverer's own

    async def begin(self) -> None:
        """We are connected: learn who is there."""
        raise NotImplementedError

    def reconnected(self) -> None:
        """The bus was lost and is there again."""
        raise NotImplementedError

    def send_info(self, node_id: str = "") -> None:
        """Tell what we are: one node, or all."""
        raise NotImplementedError

    def beat(self) -> None:
        """Tell all that we are alive."""
        raise NotImplementedError

    async def leave(self) -> None:
        """Say goodbye."""
        for protocol in self._wire.spoken:
            self._wire.send(Disconnect(ver=protocol, sender=self._broker.node_id), "")

    async def close(self) -> None:
        """Nothing of ours is left."""

    # what others say

    def take_info(self, packet: Info) -> None:
        """Somebody says what he is."""
        broker = self._broker
        if packet.sender == broker.node_id:
            if packet.instance_id != broker.instance_id:
                broker.give_up(f"another process uses our node id {packet.sender!r}")
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
        known = broker.registry.nodes.get(packet.sender)
        if known is not None and known.available and known.instance_id != packet.instance_id:
            # started anew before we noticed its end: what waits for the old one waits in vain
            broker.node_gone(packet.sender, unexpected=True)
        broker.registry.take_info(packet.sender, packet.ver, info, broker.uptime_s())

    def take_disconnect(self, packet: Disconnect) -> None:
        """Somebody leaves."""
        self._broker.node_gone(packet.sender, unexpected=False)

    # timers

    def start(self) -> None:
        """Begin to beat, and to notice who does not."""
        options = self._broker.options
        if options.heartbeat_interval_s > 0:
            jitter_s = random.uniform(-_MOST_JITTER_S, _MOST_JITTER_S) if options.heartbeat_interval_s > 1 else 0.0
            self._every(options.heartbeat_interval_s + jitter_s, self._measure_and_beat)
            self._every(options.heartbeat_timeout_s, self._check_silent)
            self._every(_FORGET_EVERY_S, self._forget_offline)

    async def stop(self) -> None:
        """No timer is left."""
        self.cancel_info()
        for repeating in self._repeating:
            repeating.stop()
        self._repeating.clear()

    def send_info_soon(self) -> None:
        """Tell all what we are, after things have settled."""
        if self._info_later is None:
            self._info_later = self._broker.timers.call_later(self._broker.options.info_delay_s, self._send_info_now)

    def cancel_info(self) -> None:
        """It is told now anyway, or not any more."""
        if self._info_later is not None:
            self._info_later.cancel()
            self._info_later = None

    def _every(self, interval_s: float, do: Callable[[], None]) -> None:
        repeating = Repeating(self._broker.timers, interval_s, do)
        repeating.start()
        self._repeating.append(repeating)

    def measure(self) -> None:
        """See how busy this machine is."""
        percent = (self._broker.options.cpu_percent or cpu_percent)()
        local = self._broker.registry.local
        rounded = None if percent is None else round(percent)
        if rounded is not None and rounded != local.cpu:
            local.cpu, local.cpu_seq = rounded, (local.cpu_seq or 0) + 1

    def _measure_and_beat(self) -> None:
        self.measure()
        self.beat()

    def _check_silent(self) -> None:
        timeout_s = self._broker.options.heartbeat_timeout_s
        for node_id in self._broker.registry.silent_nodes(self._broker.uptime_s(), timeout_s):
            log.warning("no heartbeat of %s for %g s", node_id, timeout_s)
            self._broker.node_gone(node_id, unexpected=True)

    def _forget_offline(self) -> None:
        broker = self._broker
        broker.registry.forget_offline(broker.uptime_s(), broker.options.forget_offline_s)

    def _send_info_now(self) -> None:
        self._info_later = None
        if self._broker.is_ready:
            self.send_info()
