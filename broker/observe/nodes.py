"""What the roster keeps of one node."""

from __future__ import annotations

from typing import Any, Final

from broker.clock import SECOND
from broker.observe.announcements import Announcement, Offer

SILENT_AFTER_NS: Final = 30 * SECOND
"""A node that sent heartbeats and sends none for this long is gone: Moleculer's own default."""

FORGET_NS: Final = 600 * SECOND
"""A node that has been offline, or was only supposed, for this long is forgotten, as Moleculer does."""


class Node:
    """What is known of one node."""

    __slots__ = (
        "beat_ns",
        "checks",
        "cpu",
        "digest",
        "gone_ns",
        "heard_ns",
        "info",
        "info_size",
        "interval_ns",
        "keyless_ns",
        "keys",
        "offers",
        "reason",
        "saved_ns",
        "source",
        "state",
        "stopping",
        "stopping_ns",
        "told",
    )

    def __init__(self) -> None:
        self.state = "supposed"
        self.reason = ""
        self.source = "packet"
        self.info = Announcement("")
        self.offers: dict[str, Offer] = {}
        self.digest = 0  # of the INFO that gave `info`
        self.info_size = 0
        self.stopping: Announcement | None = None  # an INFO without services, while a DISCONNECT is awaited
        self.stopping_ns = 0
        self.keyless_ns = 0  # when the last of its keys went
        self.keys: set[str] = set()  # heartbeat keys of the Redis discoverer
        self.cpu: float | None = None
        self.beat_ns = 0  # last sign of life of a node that sends heartbeats; 0 if it sends none
        self.interval_ns = 0  # between its last two heartbeats
        self.checks: set[int] = set()  # what is to be looked at, at a moment that the roster keeps
        self.heard_ns = 0
        self.gone_ns = 0
        self.saved_ns = 0  # when the catalogue that told of it was written
        self.told: dict[str, Any] | None = None

    @property
    def silent_ns(self) -> int:
        """When it counts as gone if no heartbeat comes. A mesh may beat slower than by default."""
        return self.beat_ns + max(SILENT_AFTER_NS, min(self.interval_ns * 5 // 2, FORGET_NS))

    def value(self, *, is_ours: bool) -> dict[str, Any]:
        """Its state as the journal tells it."""
        info = self.info
        value: dict[str, Any] = {
            "state": self.state,
            "reason": self.reason,
            "protocol": info.protocol,
            "client": info.client,
            "hostname": info.hostname,
            "ips": list(info.ips),
            # of a node that was only told of by a catalogue nobody knows whether it still is that instance
            "instance_id": "" if self.saved_ns and self.state == "online" else info.instance_id,
            "seq": info.seq,
            "metadata": info.metadata,
            "services": sorted(self.offers),
        }
        if is_ours:
            value["ours"] = True
        if self.state == "remembered":
            value["saved_ns"] = self.saved_ns
        return value
