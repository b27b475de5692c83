"""What a node says of itself in INFO."""

from __future__ import annotations

import socket
from typing import Any

from broker.node.machine import client_info, ip_list
from broker.node.nodes import NodeEntry
from broker.node.settings import BrokerOptions


def about_us(options: BrokerOptions) -> dict[str, Any]:
    """Where and what we are, under the wire's names."""
    return {
        "ipList": list(options.ip_list) if options.ip_list is not None else ip_list(),
        "hostname": options.hostname or socket.gethostname(),
        "port": None,
        "client": dict(options.client) if options.client is not None else client_info(),
        "config": {},
        "metadata": dict(options.metadata),
    }


class OwnInfo:
    """Our INFO; what it says of services is made anew only when they have changed."""

    def __init__(self, local: NodeEntry) -> None:
        self._local = local
        self._services: list[dict[str, Any]] = []
        self._made_for_seq = 0

    def as_arguments(self, *, offers_nothing: bool) -> dict[str, Any]:
        """As arguments of the packet.

        Args:
            offers_nothing: We are leaving.
        """
        local = self._local
        if self._made_for_seq != local.seq:
            self._services, self._made_for_seq = [each.to_wire() for each in local.services.values()], local.seq
        return {
            "services": [] if offers_nothing else self._services,
            "ip_list": local.info["ipList"],
            "hostname": local.info["hostname"],
            "client": local.info["client"],
            "config": {},
            "instance_id": local.instance_id,
            "metadata": local.info["metadata"],
            "seq": local.seq,
        }
