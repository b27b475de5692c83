"""Strategies of balancing: one file each, one line in the table of their names."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from broker.node.errors import BrokerOptionsError
from broker.node.strategies.base import Strategy
from broker.node.strategies.cpu_usage import CpuUsage
from broker.node.strategies.latency import HostLatencies, Latency
from broker.node.strategies.round_robin import RoundRobin
from broker.node.strategies.shard import Shard

__all__ = ["CpuUsage", "HostLatencies", "Latency", "RoundRobin", "Shard", "Strategies", "Strategy"]

log = logging.getLogger(__name__)

Make = Callable[[Mapping[str, Any]], Strategy]
"""Makes one from its options: a class, for instance."""

_BY_NAME: Final[Mapping[str, Make]] = {
    "roundrobin": RoundRobin,
    "random": Strategy,
    "cpuusage": CpuUsage,
    "shard": Shard,
}


class Strategies:
    """Makes the strategies of one broker."""

    def __init__(
        self, default: str | Make, options: Mapping[str, Any], latencies: Callable[[Mapping[str, Any]], HostLatencies]
    ) -> None:
        """Begin.

        Args:
            default: Of actions and events that say nothing of their own: a name, or what makes one.
            options: Of those that have none of their own.
            latencies: Begins to measure when it is first asked; given the options of the strategy that wants to know.

        Raises:
            BrokerOptionsError: There is no strategy of this name.
        """
        self._options = options
        self._latencies = latencies
        self._default = self._find(default) if isinstance(default, str) else default

    def make(self, schema: Mapping[str, Any]) -> Strategy:
        """The one for an action or event with this definition, perhaps from another node: what is odd is not obeyed."""
        wanted = schema.get("strategy")
        make = self._default
        if isinstance(wanted, str) and wanted:
            try:
                make = self._find(wanted)
            except BrokerOptionsError as error:
                log.warning("%s %s", schema.get("name"), error)
        elif callable(wanted):
            make = wanted
        own = schema.get("strategyOptions")
        return make(own if isinstance(own, Mapping) else self._options)

    def _find(self, name: str) -> Make:
        if name.lower() == "latency":
            return lambda options: Latency(options, self._latencies(options))
        make = _BY_NAME.get(name.lower())
        if make is None:
            raise BrokerOptionsError(f"Invalid strategy type '{name}'.", data={"type": name})
        return make
