"""The node on the nearest host, by pings."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from broker.node.nodes import NodeEntry
from broker.node.strategies.base import E, Strategy, number, samples

if TYPE_CHECKING:
    from broker.node.context import Context


class HostLatencies:
    """How far away hosts are: nodes of one host share what was measured."""

    def __init__(self) -> None:
        self._hosts: dict[Any, set[str]] = {}
        self._measured: dict[Any, deque[float]] = {}
        self.average_ms: dict[Any, float] = {}

    def add(self, node: NodeEntry) -> None:
        """A node came."""
        self._hosts.setdefault(_host(node), set()).add(node.id)

    def remove(self, node: NodeEntry) -> None:
        """A node went; with a host's last node its figures go."""
        host = _host(node)
        node_ids = self._hosts.get(host)
        if node_ids is None:
            return
        node_ids.discard(node.id)
        if not node_ids:
            for known in (self._hosts, self._measured, self.average_ms):
                known.pop(host, None)

    def measured(self, node: NodeEntry, elapsed_ms: float, collect_count: int) -> None:
        """A ping came back.

        Args:
            node: Who answered.
            elapsed_ms: There and back.
            collect_count: So many of the last pings make the average.
        """
        self.add(node)
        host = _host(node)
        last = self._measured.get(host)
        if last is None or last.maxlen != collect_count:
            last = self._measured[host] = deque(last or (), collect_count)
        last.append(elapsed_ms)
        self.average_ms[host] = sum(last) / len(last)

    def one_of_each_host(self, choose: Callable[[list[str]], str]) -> list[str]:
        """A node on each host."""
        return [choose(sorted(node_ids)) for node_ids in self._hosts.values()]


class Latency(Strategy):
    """Of ``sampleCount`` (5) endpoints by chance the first nearer than ``lowLatency`` (10 ms), else the nearest."""

    def __init__(self, options: Mapping[str, Any], latencies: HostLatencies) -> None:
        """Take the options, and what is measured."""
        super().__init__(options)
        self._sample_count = number(options, "sampleCount", 5)
        self._low_ms = number(options, "lowLatency", 10)
        self._average_ms = latencies.average_ms

    def select(self, endpoints: list[E], ctx: Context | None) -> E:
        """One that is near; any where nothing is known."""
        nearest: tuple[float, E] | None = None
        for endpoint in samples(endpoints, self._sample_count, self.random):
            average_ms = self._average_ms.get(_host(endpoint.node))
            if average_ms is None:
                continue
            if average_ms < self._low_ms:
                return endpoint
            if nearest is None or average_ms < nearest[0]:
                nearest = (average_ms, endpoint)
        return super().select(endpoints, ctx) if nearest is None else nearest[1]


def _host(node: NodeEntry) -> Any:
    host = node.info.get("hostname")
    return host if isinstance(host, str) else None
