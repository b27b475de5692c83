"""The nodes of the mesh as we know them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from broker.node.definitions import ServiceDefinition


@dataclass(slots=True, eq=False)
class NodeEntry:
    """One node, ours or another's.

    Attributes:
        id: Its node id.
        local: Whether it is us.
        available: Whether it is online.
        protocol: The version it speaks, ``"4"`` or ``"5"``.
        instance_id: Changes when it is started anew.
        seq: Of its last INFO.
        heard_s: When we last heard its heartbeat, in seconds of our own uptime.
        offline_since_s: When it went, in seconds of our own uptime; None while it is online.
        info: The rest of its INFO: ipList, hostname, port, client, config, metadata.
        services: Full name to service.
    """

    id: str
    local: bool = False
    available: bool = True
    protocol: str = "5"
    instance_id: str | None = None
    seq: int = 0
    heard_s: float = 0.0
    offline_since_s: float | None = None
    cpu: Any = None
    cpu_seq: Any = None
    info: dict[str, Any] = field(default_factory=dict)
    services: dict[str, ServiceDefinition] = field(default_factory=dict)
