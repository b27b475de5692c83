"""Keeps the distances to hosts fresh while a strategy wants to know them: one ping a host now and then."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from broker.node.strategies.base import number
from broker.node.strategies.latency import HostLatencies
from broker.node.timers import Repeating

if TYPE_CHECKING:
    from broker.node.broker import Broker


class Pinging:
    """Begins when `latencies` is first asked for, and ends with the broker."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._latencies = HostLatencies()
        self._repeating: Repeating | None = None
        self._collect_count = 5
        self._has_begun = False

    def latencies(self, options: Mapping[str, Any]) -> HostLatencies:
        """What is measured from now on; the first who asks says how: ``collectCount`` (5), ``pingInterval`` (10 s)."""
        if self._repeating is None:
            self._collect_count = max(1, int(number(options, "collectCount", 5)))
            self._repeating = Repeating(self._broker.timers, number(options, "pingInterval", 10), self._ping_hosts)
            bus = self._broker.local_bus
            bus.on("$node.pong", self._take_pong)
            bus.on("$node.connected", lambda data: self._latencies.add(data["node"]))
            bus.on("$node.disconnected", lambda data: self._latencies.remove(data["node"]))
            if self._has_begun:
                self.start()
        return self._latencies

    def start(self) -> None:
        """The broker has started: ask all, and then one of each host."""
        self._has_begun = True
        if self._repeating is not None:
            self._broker.pings.send()
            self._repeating.start()

    def stop(self) -> None:
        """No timer is left."""
        if self._repeating is not None:
            self._repeating.stop()

    def _take_pong(self, pong: Mapping[str, Any]) -> None:
        node = self._broker.registry.nodes.get(pong["nodeID"])
        if node is not None and node.available:
            self._latencies.measured(node, pong["elapsedTime"], self._collect_count)

    def _ping_hosts(self) -> None:
        for node_id in self._latencies.one_of_each_host(random.choice):
            self._broker.pings.send(node_id)
